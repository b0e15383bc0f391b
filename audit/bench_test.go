package audit

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/relseal/relseal/internal/naive"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/sign/comb"
)

// A race compares several ways to do the same. In each round it runs all of them, and in
// the end it reports the medians of the times for an event and of the ratios within a
// round, which depend less on what else the machine does.
type race struct {
	b         *testing.B
	names     []string
	runs      []func() error
	wall, cpu map[string][]float64 // nanoseconds an event, in each round
}

func newRace(b *testing.B) *race {
	return &race{b: b, wall: map[string][]float64{}, cpu: map[string][]float64{}}
}

func (r *race) add(name string, run func() error) {
	r.names, r.runs = append(r.names, name), append(r.runs, run)
}

// run runs at least seven rounds, each with that many events.
func (r *race) run(events int) {
	round := func() {
		for i, name := range r.names {
			start, used := time.Now(), cpuTime()
			if err := r.runs[i](); err != nil {
				r.b.Fatalf("%s: %v", name, err)
			}
			r.wall[name] = append(r.wall[name], float64(time.Since(start))/float64(events))
			r.cpu[name] = append(r.cpu[name], float64(cpuTime()-used)/float64(events))
		}
	}
	for r.b.Loop() {
		round()
	}
	for len(r.wall[r.names[0]]) < 7 {
		round()
	}
	r.b.ReportMetric(0, "ns/op")
	for _, name := range r.names {
		r.b.ReportMetric(median(r.wall[name]), name+"-ns")
		r.b.ReportMetric(median(r.cpu[name]), name+"-cpu-ns")
	}
}

// ratio reports the wall time of one way divided by that of another.
func (r *race) ratio(of, by string) { r.report(r.wall, of, by, of+"/"+by) }

// cpuRatio reports the ratio of processor times, which depends least on other load.
func (r *race) cpuRatio(of, by string) { r.report(r.cpu, of, by, of+"/"+by+"-cpu") }

func (r *race) report(times map[string][]float64, of, by, name string) {
	var ratios []float64
	for i, t := range times[of] {
		ratios = append(ratios, t/times[by][i])
	}
	r.b.ReportMetric(median(ratios), name)
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// BenchmarkCheck counts an event as one operation.
func BenchmarkCheck(b *testing.B) {
	drafts := make([]Draft, 1000)
	for i := range drafts {
		drafts[i] = note("a note of usual length, such as a tool would write")
	}
	trail := newMaker(b, ledgerGenesis(), nil).add(drafts, nil).String()
	b.SetBytes(int64(len(trail)) / int64(len(drafts)))
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += len(drafts) {
		sum, err := Check(strings.NewReader(trail), CheckOptions{Keys: trusted, Bare: true})
		if err != nil || sum.K != int64(len(drafts)) || sum.Key == nil {
			b.Fatal(sum, err)
		}
	}
}

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

// signatures returns the heads and signatures of a trail.
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

// BenchmarkResume opens a trail, appends one event and closes it.
func BenchmarkResume(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			path := longTrail(b, n)
			for b.Loop() {
				l := openResumed(b, path, inBulk{alice})
				if _, err := l.Append(note("one")); err != nil {
					b.Fatal(err)
				}
				l.Close()
			}
		})
	}
}

// BenchmarkImport appends the events of a stream of lines in bulk, and makes as many
// signatures with crypto/ed25519 and no log. If sign/import is above 1, the log is faster.
func BenchmarkImport(b *testing.B) {
	const events = 10_000
	var lines [][]byte
	for i := range events {
		lines = append(lines, fmt.Appendf(nil, `{"action":"step.progress","actor":"ci@example.test","notes":"%d of %d done","details":{"done":%d}}`, i, events, i))
	}
	_, l := create(b, ledgerGenesis())
	l.signer = inBulk{alice}
	r := newRace(b)
	r.add("sign", func() error { return bareSigning(events) })
	r.add("import", func() error {
		drafts := make([]Draft, 0, 1000)
		for i, line := range lines {
			d, err := ImportDraft(line)
			if err != nil {
				return err
			}
			if drafts = append(drafts, d); len(drafts) == cap(drafts) || i == len(lines)-1 {
				if _, err := l.AppendAll(drafts); err != nil {
					return err
				}
				drafts = drafts[:0]
			}
		}
		return nil
	})
	r.run(events)
	r.cpuRatio("sign", "import")
	r.ratio("sign", "import")
}

func bareSigning(n int) error {
	head := make([]byte, 32)
	for range n {
		head[0] = ed25519.Sign(alice.priv, head)[0]
	}
	return nil
}

// BenchmarkAppend appends one event with each call from one goroutine, and from 64 at the
// same time. It compares that with signing, writing and syncing as many lines without a log.
func BenchmarkAppend(b *testing.B) {
	const events, appenders = 512, 64
	_, l := create(b, ledgerGenesis())
	l.signer = inBulk{alice}
	d := note("a note of usual length, such as a tool would write")
	bare, err := os.Create(filepath.Join(b.TempDir(), "bare"))
	if err != nil {
		b.Fatal(err)
	}
	defer bare.Close()
	line := bytes.Repeat([]byte("x"), 850)
	disk := &osDisk{File: bare}

	r := newRace(b)
	r.add("bare", func() error {
		head := make([]byte, 32)
		for range events {
			head[0] = ed25519.Sign(alice.priv, head)[0]
			if _, err := bare.Write(line); err != nil {
				return err
			}
			if err := disk.Sync(); err != nil {
				return err
			}
		}
		return nil
	})
	r.add("one", func() error {
		for range events {
			if _, err := l.Append(d); err != nil {
				return err
			}
		}
		return nil
	})
	r.add("together", func() error {
		var wg sync.WaitGroup
		faults := make(chan error, appenders)
		for range appenders {
			wg.Go(func() {
				for range events / appenders {
					if _, err := l.Append(d); err != nil {
						faults <- err
						return
					}
				}
			})
		}
		wg.Wait()
		close(faults)
		return <-faults
	})
	r.run(events)
	r.ratio("bare", "one")
	r.ratio("one", "together")
}

// TestFlatMemory checks a trail of 40 MiB. After two fifths of it, the memory in use (the
// tables for the signatures and the chunks) must not grow any more.
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

// A watch measures the memory in use after some bytes were read and at the end.
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
