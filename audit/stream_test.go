package audit

import (
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/sign"
)

// A stream is the trail of a run that goes on, n events of about 850 bytes, made
// while it is read.
type stream struct {
	n, k  int64
	head  sign.Digest
	clock *fakeClock
	parts []string // of an event, around its number and its times
	line  []byte
	rest  []byte
}

func newStream(t testing.TB, n int64) *stream {
	start := runDrafts()[0]
	progress := Draft{Actor: start.Actor, Code: start.Code, Seed: start.Seed, Action: "step.progress", Notes: Txt("six of seven done")}
	m := newMaker(t, runGenesis(), nil).add([]Draft{start, progress}, nil)

	e := m.recs[1].E
	text := m.must(canon.Marshal(e))
	for _, member := range [][2]string{
		{`"k":`, "2"}, {`"tau_mono_us":`, strconv.FormatInt(e.TauMonoUS, 10)}, {`"ts":"`, e.TS.String()},
	} {
		text = strings.Replace(text, member[0]+member[1], member[0]+"|", 1)
	}
	s := &stream{n: n, k: 1, head: m.recs[0].H, clock: laterClock(), parts: strings.Split(text, "|")}
	if len(s.parts) != 4 {
		t.Fatal(text)
	}
	s.rest = []byte(m.lines[0] + "\n" + m.lines[1] + "\n")
	return s
}

func (s *stream) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		if s.k == s.n {
			return 0, io.EOF
		}
		s.next()
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// next makes the next line.
func (s *stream) next() {
	s.k++
	ts, tau, _ := s.clock.Now()
	b := append(s.line[:0], `{"H_k":"`...)
	b = append(append(b, s.head.String()...), `","e":`...)
	from := len(b)
	b = strconv.AppendInt(append(b, s.parts[0]...), s.k, 10)
	b = strconv.AppendInt(append(b, s.parts[1]...), tau, 10)
	b = ts.AppendFormat(append(b, s.parts[2]...), timeLayout)
	b = append(b, s.parts[3]...)
	id := sign.Sum(b[from:])
	s.head = Link(s.head, id)
	copy(b[hAt:], s.head.String())
	sig, _ := alice.Sign(s.head[:])
	b = append(append(b, `,"id_k":"`...), id.String()...)
	b = append(append(b, `","sig_k":"`...), sig.String()...)
	s.line = append(b, '"', '}', '\n')
	s.rest = s.line
}
