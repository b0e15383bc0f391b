package audit

import (
	"errors"
	"testing"
)

// TestAppendAllAt: who has read up to an event appends after it, or not at all.
func TestAppendAllAt(t *testing.T) {
	path, l := create(t, ledgerGenesis())
	if _, err := l.AppendAllAt(0, []Draft{note("a")}); err != nil {
		t.Fatal(err)
	}
	if err := appendNotes(path, "b", 1); err != nil { // another process
		t.Fatal(err)
	}
	before := read(t, path)
	for _, k := range []int64{0, 1, 3} {
		if recs, err := l.AppendAllAt(k, []Draft{note("c")}); !errors.Is(err, ErrMoved) || len(recs) != 0 {
			t.Errorf("at %d: %d events, %v", k, len(recs), err)
		}
	}
	if read(t, path) != before {
		t.Error("something was appended")
	}
	recs, err := l.AppendAllAt(2, []Draft{note("c"), note("d")})
	if err != nil || len(recs) != 2 || recs[1].E.K != 4 {
		t.Errorf("%d events, %v", len(recs), err)
	}
}
