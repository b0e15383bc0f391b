package audit

import (
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/relseal/relseal/finding"
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

// TestChecker: line by line a trail is judged as in one go, whatever is wrong
// with it.
func TestChecker(t *testing.T) {
	good := goodRun(t)
	lines := strings.SplitAfter(good.String(), "\n")
	trails := map[string]string{"good": good.String(), "empty": "", "another schema": strings.Replace(good.String(), Schema, "relseal/trail/v9", 1)}
	for i := range lines[:len(lines)-1] {
		trails["without "+lines[i][:20]+itoa(int64(i))] = strings.Join(append(append([]string{}, lines[:i]...), lines[i+1:]...), "")
		trails["damaged "+itoa(int64(i))] = strings.Replace(good.String(), lines[i], strings.Replace(lines[i], `"ci"`, `"me"`, 1), 1)
		trails["cut "+itoa(int64(i))] = strings.Join(lines[:i], "") + lines[i][:len(lines[i])/2]
	}
	for name, trail := range trails {
		var found []finding.Finding
		var events []Record
		c := NewChecker(CheckOptions{
			Path: "audit/trail.jsonl", Keys: trusted,
			Report: func(f finding.Finding) { found = append(found, f) },
			Event:  func(r Record) { events = append(events, r) },
		})
		r := NewLineReader(strings.NewReader(trail))
		for {
			l, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			c.Add(l)
		}
		sum := c.End()
		want := check(t, trail, nil)
		if !reflect.DeepEqual(sum, want.Summary) || !reflect.DeepEqual(found, want.found) || !reflect.DeepEqual(events, want.events) {
			t.Errorf("%s: %+v\n%v\nwant %+v\n%v", name, sum, found, want.Summary, want.found)
		}
		if !reflect.DeepEqual(c.Key(), want.Key) {
			t.Errorf("%s: key %v", name, c.Key())
		}
	}
}
