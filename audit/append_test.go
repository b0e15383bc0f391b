package audit

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/relseal/relseal/sign"
)

// A gate delays the next sync until it is opened.
type gate struct {
	disk
	arrived, open chan struct{}
	syncs         int
}

func (g *gate) Sync() error {
	if g.syncs++; g.syncs == 1 {
		close(g.arrived)
		<-g.open
	}
	return g.disk.Sync()
}

// An appended is what one Append returned.
type appended struct {
	rec Record
	err error
}

// appendTogether appends a first draft and, while that waits for the disk, calls
// meanwhile and appends all others in their order.
func appendTogether(t *testing.T, l *Log, first Draft, others []Draft, meanwhile func()) (results []appended, syncs int) {
	t.Helper()
	g := &gate{disk: l.disk, arrived: make(chan struct{}), open: make(chan struct{})}
	l.disk = g
	results = make([]appended, 1+len(others))
	var wg sync.WaitGroup
	start := func(i int, d Draft) {
		wg.Go(func() { results[i].rec, results[i].err = l.Append(d) })
	}
	start(0, first)
	<-g.arrived
	for i, d := range others {
		start(1+i, d)
		for waiting := 0; waiting <= i; runtime.Gosched() {
			l.queue.mu.Lock()
			waiting = len(l.queue.waiting)
			l.queue.mu.Unlock()
		}
	}
	if meanwhile != nil {
		meanwhile()
	}
	close(g.open)
	wg.Wait()
	l.disk = g.disk
	return results, g.syncs
}

func notes(n int) (drafts []Draft) {
	for i := range n {
		drafts = append(drafts, note(fmt.Sprint("number ", i)))
	}
	return drafts
}

// TestGroup: calls that wait for the disk share the next write, in their order.
func TestGroup(t *testing.T) {
	path, l := create(t, ledgerGenesis())
	results, syncs := appendTogether(t, l, note("first"), notes(63), nil)
	if syncs != 2 {
		t.Errorf("%d syncs", syncs)
	}
	res := check(t, read(t, path), bare)
	want(t, res, "")
	for i, r := range results {
		if r.err != nil || r.rec.E.K != int64(i+1) || r.rec.H != res.events[i].H {
			t.Errorf("event %d: %v, %v", i+1, r.rec.E.K, r.err)
		}
	}
}

// TestGroupRefuses: a draft that is refused does not affect the others of its group.
func TestGroupRefuses(t *testing.T) {
	path, l := create(t, runGenesis())
	good := runDrafts()
	bad := Draft{Actor: Txt("ci"), Action: ActionStepEnd, Path: Txt("no such step"), Seed: good[0].Seed}
	results, _ := appendTogether(t, l, good[0], append(slices.Insert(slices.Clone(good[1:]), 2, bad), note("late")), nil)
	for i, r := range results {
		switch refused, _ := errors.AsType[*DraftError](r.err); {
		case i == 3 && (refused == nil || refused.K != 4 || !strings.Contains(r.err.Error(), "event 4: E_SEQUENCE")):
			t.Errorf("the bad one: %v", r.err)
		case i == 9 && r.err != ErrClosed:
			t.Errorf("after trail.close: %v", r.err)
		case i != 3 && i != 9 && r.err != nil:
			t.Errorf("%d: %v", i, r.err)
		}
	}
	want(t, check(t, read(t, path), nil), "")
}

// TestGroupFaults lets the write of a group fail. Every call that shared it returns the
// error, and events that were acknowledged before are still there.
func TestGroupFaults(t *testing.T) {
	for _, tt := range []struct {
		fail   string
		sticky bool
		there  int // events of the failed group in the file nonetheless
	}{
		{fail: "write"},
		{fail: "write after"},
		{fail: "write short"},
		{fail: "sync", sticky: true},
		{fail: "sync after", sticky: true},
		{fail: "write,truncate", sticky: true},
		{fail: "write after,truncate", sticky: true, there: 5},
		{fail: "write short,truncate", sticky: true, there: 2},
		{fail: "sync,truncate", sticky: true, there: 5},
	} {
		t.Run(tt.fail, func(t *testing.T) {
			path, l := create(t, ledgerGenesis())
			d := &faultyDisk{disk: l.disk, fail: map[string]bool{}}
			l.disk = d
			results, _ := appendTogether(t, l, note("first"), notes(5), func() {
				// The first write is on its way to the disk: only the next one fails.
				l.disk.(*gate).disk = &afterFirst{disk: l.disk.(*gate).disk, then: d, fail: tt.fail}
			})
			if results[0].err != nil || d.hits == 0 {
				t.Fatalf("the first: %v, %d faults", results[0].err, d.hits)
			}
			for i, r := range results[1:] {
				if r.err == nil || r.rec.E.K != 0 {
					t.Errorf("%d was acknowledged", i)
				}
			}
			if k, h := l.Head(); k != 1 || h != results[0].rec.H {
				t.Errorf("the head moved to %d", k)
			}
			d.fail = nil
			l.disk = d
			if _, err := l.Append(note("next")); (err != nil) != tt.sticky {
				t.Errorf("next: %v", err)
			}
			l.Close()
			l, err := Open(path, alice, laterClock())
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			appendAll(t, l, []Draft{note("last")})
			n := 2 + tt.there
			if !tt.sticky {
				n++
			}
			res := check(t, read(t, path), bare)
			want(t, res, "")
			if len(res.events) != n || res.events[0].H != results[0].rec.H {
				t.Errorf("%d events, want %d", len(res.events), n)
			}
		})
	}
}

// An afterFirst lets the sync that is under way succeed and the operations after it fail.
type afterFirst struct {
	disk
	then *faultyDisk
	fail string
}

func (a *afterFirst) Sync() error {
	err := a.disk.Sync()
	if a.fail != "" {
		for op := range strings.SplitSeq(a.fail, ",") {
			a.then.fail[op] = true
		}
		a.fail = ""
	}
	return err
}

// A moody signer panics after some signatures, or signs with another key.
type moody struct {
	testSigner
	left  int
	after func(message []byte) sign.Signature
}

func (m *moody) Sign(message []byte) (sign.Signature, error) {
	if m.left--; m.left < 0 {
		return m.after(message), nil
	}
	return m.testSigner.Sign(message)
}

// TestSignerPanics: after a signer has panicked no call waits for ever, and the log
// refuses to go on.
func TestSignerPanics(t *testing.T) {
	path, l := create(t, ledgerGenesis())
	// After each event the state beside the trail is signed.
	l.signer = &moody{alice, 2 * 3, func([]byte) sign.Signature { panic("no more") }}
	for i, d := range notes(5) {
		func() {
			defer func() {
				if v := recover(); (v != nil) != (i == 3) {
					t.Errorf("%d: panic %v", i, v)
				}
			}()
			if _, err := l.Append(d); (err != nil) != (i > 3) {
				t.Errorf("%d: %v", i, err)
			}
		}()
	}
	want(t, check(t, read(t, path), bare), "")
}

// TestSignerContradicts: a signature that its own key does not verify does not
// reach the disk.
func TestSignerContradicts(t *testing.T) {
	wrong := func(message []byte) sign.Signature { s, _ := mallory.Sign(message); return s }
	path, l := create(t, ledgerGenesis())
	l.signer = &moody{alice, 1 + 3, wrong}
	results, _ := appendTogether(t, l, note("first"), notes(5), nil)
	for i, r := range results {
		if (r.err != nil) != (i > 2) || i > 2 && !errors.Is(r.err, errSignature) {
			t.Errorf("%d: %v", i, r.err)
		}
	}
	if _, err := l.Append(note("alone")); !errors.Is(err, errSignature) {
		t.Errorf("alone: %v", err)
	}
	if recs, err := l.AppendAll(many()); !errors.Is(err, errSignature) || len(recs) != 0 {
		t.Errorf("AppendAll: %v, %d records", err, len(recs))
	}
	l.signer = alice
	appendAll(t, l, []Draft{note("again")})
	res := check(t, read(t, path), bare)
	want(t, res, "")
	if len(res.events) != 4 {
		t.Errorf("%d events", len(res.events))
	}
}
