package audit

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/relseal/relseal/internal/naive"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/sign/comb"
)

var manyEvents = flag.Int64("events", 20_000, "the length of the trail in BenchmarkTrail")

// BenchmarkTrail checks one trail in five ways:
//
//	check      what Check does
//	single     ... with crypto/ed25519 for each signature
//	plain      ... without any short cut
//	naive      what package naive does
//	comb       nothing but the signatures, in one goroutine
func BenchmarkTrail(b *testing.B) {
	trail, err := io.ReadAll(newStream(b, *manyEvents))
	if err != nil {
		b.Fatal(err)
	}
	lib := func(o CheckOptions) func() error {
		o.Keys = trusted
		return func() error {
			s, err := Check(bytes.NewReader(trail), o)
			if err == nil && (s.K != *manyEvents || s.FailingCount > 0 || s.Key == nil) {
				err = fmt.Errorf("%+v", s)
			}
			return err
		}
	}
	heads, sigs, ok := signatures(b, trail)
	ways := []struct {
		name string
		run  func() error
	}{
		{"check", lib(CheckOptions{})},
		{"single", lib(CheckOptions{oneByOne: true})},
		{"plain", lib(CheckOptions{Plain: true})},
		{"naive", func() error {
			n, err := naive.Verify(bytes.NewReader(trail), alice.pub.Bytes())
			if err == nil && n != *manyEvents {
				err = fmt.Errorf("%d events", n)
			}
			return err
		}},
		{"comb", func() error {
			comb.New(alice.pub).Verify(heads, sigs, ok)
			if slices.Contains(ok, false) {
				return errors.New("a signature is refused")
			}
			return nil
		}},
	}
	r := newRace(b)
	for _, w := range ways {
		r.add(w.name, w.run)
	}
	r.run(int(*manyEvents))
	r.ratio("single", "check")
	r.ratio("plain", "check")
	r.ratio("naive", "check")
	r.cpuRatio("check", "comb")
	b.ReportMetric(float64(len(trail))/float64(*manyEvents), "bytes/event")
}

// signatures returns what the events of a trail are signed with.
func signatures(t testing.TB, trail []byte) (heads [][]byte, sigs []sign.Signature, ok []bool) {
	for i, line := range bytes.Split(bytes.TrimSuffix(trail, []byte("\n")), []byte("\n")) {
		if i > 0 {
			r := salvage(line)
			if r.h == nil || r.sig == nil {
				t.Fatal("a line is damaged")
			}
			heads, sigs = append(heads, r.h[:]), append(sigs, *r.sig)
		}
	}
	return heads, sigs, make([]bool, len(sigs))
}
