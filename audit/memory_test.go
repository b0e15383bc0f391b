package audit

import (
	"io"
	"runtime"
	"testing"
)

// TestFlatMemory checks a trail of 40 MiB. What is in use after two fifths of it,
// the tables for the signatures and the chunks, does for the rest.
func TestFlatMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("signs 36 000 events")
	}
	const n = 36_000
	before := inUse()
	w := &watch{Reader: newStream(t, n), after: 16 << 20}
	s, err := Check(w, CheckOptions{Keys: trusted, Workers: 2})
	if err != nil || s.K != n || s.FailingCount > 0 || s.Key == nil {
		t.Fatalf("%+v, %v", s, err)
	}
	if w.early > before+12<<20 || w.late > w.early+1<<20 {
		t.Errorf("in use: %d KiB before, %d KiB early, %d KiB at the end", before>>10, w.early>>10, w.late>>10)
	}
}

func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A watch looks at the memory in use after so many bytes and at the end.
type watch struct {
	io.Reader
	after       int
	early, late uint64
}

func (w *watch) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if w.after -= n; w.after <= 0 && w.early == 0 {
		w.early = inUse()
	}
	if err != nil {
		w.late = inUse()
	}
	return n, err
}
