package audit

import (
	"errors"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/relseal/relseal/internal/limits"
)

func TestLineReader(t *testing.T) {
	long := strings.Repeat("x", limits.Line+1)
	r := NewLineReader(strings.NewReader("a\n\n" + long + "\nb"))
	for i, want := range []struct {
		text     string
		size     int64
		lf, torn bool
	}{{"a", 2, true, false}, {"", 1, true, false}, {"long", limits.Line + 2, true, false}, {"b", 1, false, true}} {
		l, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		text, err := l.Text()
		if err != nil {
			text = []byte("long")
		}
		if string(text) != want.text || l.Size() != want.size || l.LF() != want.lf || l.Torn() != want.torn {
			t.Errorf("line %d: %q, %d bytes, LF %v, torn %v", i, text, l.Size(), l.LF(), l.Torn())
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("after the last line: %v", err)
	}
}

func TestReadError(t *testing.T) {
	good := goodRun(t).String()
	broken := errors.New("broken pipe")
	for _, n := range []int{0, 100, strings.Index(good, "\n"), strings.Index(good, "\n") + 1, len(good) / 2, len(good)} {
		r := io.MultiReader(strings.NewReader(good[:n]), iotest.ErrReader(broken))
		sum, err := Check(r, CheckOptions{Keys: trusted})
		if !errors.Is(err, broken) {
			t.Errorf("after %d bytes: %v", n, err)
		}
		if sum.K != int64(max(0, strings.Count(good[:n], "\n")-1)) {
			t.Errorf("after %d bytes: %d events", n, sum.K)
		}
	}
}

func TestSmallReads(t *testing.T) {
	good := goodRun(t).String()
	want, _ := Check(strings.NewReader(good), CheckOptions{Keys: trusted})
	for name, r := range map[string]io.Reader{
		"one byte":       iotest.OneByteReader(strings.NewReader(good)),
		"data and error": iotest.DataErrReader(strings.NewReader(good)),
	} {
		if sum, err := Check(r, CheckOptions{Keys: trusted}); err != nil || !reflect.DeepEqual(sum, want) {
			t.Errorf("%s: %+v, %v", name, sum, err)
		}
	}
}

// TestEndlessLine reads a line of 64 MiB; nothing of it is kept.
func TestEndlessLine(t *testing.T) {
	lines := newLineReader(io.MultiReader(io.LimitReader(xs{}, 64*limits.MiB), strings.NewReader("\nnext\n")))
	l, err := lines.next()
	if err != nil || !l.long() || l.size != 64*limits.MiB || !l.lf || l.text != nil || cap(lines.buf) > 4*limits.MiB {
		t.Errorf("size %d, LF %v, %v, %d bytes kept", l.size, l.lf, err, cap(lines.buf))
	}
	if l, err = lines.next(); err != nil || string(l.text) != "next" || !l.last {
		t.Errorf("after it: %q, %v", l.text, err)
	}
	if _, err = lines.next(); err != io.EOF {
		t.Error(err)
	}
}

// xs is an endless text.
type xs struct{}

func (xs) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestRanges(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		var n numbers
		set := map[int64]bool{}
		for range rng.IntN(30) {
			k := 1 + rng.Int64N(25)
			n.add(k)
			set[k] = true
		}
		ranges, count := n.ranges()
		if count != int64(len(set)) {
			t.Fatalf("%d numbers, want %d", count, len(set))
		}
		last := int64(-1)
		for _, r := range ranges {
			if r.First <= last+1 || r.Last < r.First {
				t.Fatalf("ranges %v", ranges)
			}
			for k := r.First; k <= r.Last; k++ {
				if !set[k] {
					t.Fatalf("ranges %v, want %v", ranges, set)
				}
			}
			last = r.Last
		}
	}
}
