package audit

import (
	"io"
	"strings"
	"testing"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// beyond fails the test when it is read from.
type beyond struct{ t *testing.T }

func (b beyond) Read([]byte) (int, error) {
	b.t.Error("the trail was read to its end")
	return 0, io.EOF
}

// A trail is read up to the line that is one too many with a finding of the chain,
// whether those can be read or not.
func TestFaultyLines(t *testing.T) {
	m := goodRun(t)
	rest := strings.Repeat("x\n", chunkText) // of which some is read ahead
	for what, line := range map[string]string{"unreadable": "x\n", "repeated": m.lines[1] + "\n"} {
		for _, workers := range []int{1, 2} {
			var codes []finding.Code
			var last int64
			n := new(int64)
			*n = limits.Faulty - 100 // of other trails
			s, err := Check(io.MultiReader(strings.NewReader(m.lines[0]+"\n"+m.lines[1]+"\n"+strings.Repeat(line, 101)+strings.Repeat(rest, 12)), beyond{t}), CheckOptions{
				Keys: sign.Only(m.signer.Public()), Workers: workers, Faulty: n,
				Report: func(f finding.Finding) { codes, last = append(codes, f.Code), *f.K },
			})
			if err != nil || len(codes) != 101 || codes[99] == finding.Limit || codes[100] != finding.Limit || s.Closed {
				t.Errorf("%s, %d workers: %d findings, the last %v at %d, %+v, %v", what, workers, len(codes), codes[len(codes)-1], last, s, err)
			}
			if want := int64(102); what == "unreadable" && (last != want || s.FailingCount != 101) {
				t.Errorf("E_LIMIT at %d, want %d; %d failing events", last, want, s.FailingCount)
			}
		}
	}
}

// A long line counts as many times as it is expensive to read.
func TestFaultyLong(t *testing.T) {
	m := goodRun(t)
	for _, n := range []int{limits.Line, limits.Line + 1, limits.FaultyPart, limits.FaultyPart + 1, 0} {
		line := strings.Repeat(" ", n) + "\n"
		each := (min(n, limits.Line) + limits.FaultyPart - 1) / limits.FaultyPart
		allowed := 5 / max(1, each)
		if each > 5 {
			allowed = 1
		}
		count := new(int64)
		*count = limits.Faulty - int64(max(5, each))
		var codes []finding.Code
		_, err := Check(strings.NewReader(m.lines[0]+"\n"+strings.Repeat(line, 10)), CheckOptions{
			Keys: sign.Only(m.signer.Public()), Faulty: count, Report: func(f finding.Finding) { codes = append(codes, f.Code) },
		})
		if err != nil || len(codes) != allowed+1 || codes[allowed] != finding.Limit {
			t.Errorf("of lines of %d bytes %d were judged, want %d: %v, %v", n, len(codes)-1, allowed, codes, err)
		}
	}
}
