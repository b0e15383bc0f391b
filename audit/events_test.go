package audit

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/relseal/relseal/sign"
)

// Who leaves the loop is told nothing more, and little more is read.
func TestEventsLeft(t *testing.T) {
	trail := []byte(newMaker(t, ledgerGenesis(), nil).add(make([]Draft, 4000), func(e *Event) { e.Actor, e.Action = Txt("svc"), "gate.tick" }).String())
	in := &countingReader{r: bytes.NewReader(trail)}
	n := 0
	for _, err := range Events(in, sign.Only(alice.pub)) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 2 {
			break
		}
	}
	if n != 2 || in.n >= len(trail) {
		t.Errorf("%d events, %d of %d bytes", n, in.n, len(trail))
	}
}

func TestEventsOfNobody(t *testing.T) {
	trail := []byte(newMaker(t, ledgerGenesis(), nil).String())
	for name, keys := range map[string]sign.Verifiers{"nil": nil, "another": sign.Only(mallory.pub), "no key": sign.Only(sign.PublicKey{})} {
		for r, err := range Events(bytes.NewReader(trail), keys) {
			if e, ok := errors.AsType[*DamagedError](err); !ok || e.FindingCode() != "E_KEY_UNKNOWN" {
				t.Errorf("%s: first %v, %v", name, r.E.K, err)
			}
			break
		}
	}
}

type countingReader struct {
	r io.Reader
	n int
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}
