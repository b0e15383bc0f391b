package audit

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/sign"
)

// A countingDisk counts what waits for the disk.
type countingDisk struct {
	disk
	syncs int
	after func() // is called after each sync; may be nil
}

func (d *countingDisk) Sync() error {
	d.syncs++
	err := d.disk.Sync()
	if d.after != nil {
		d.after()
	}
	return err
}

// eachSigner runs a test with a signer that signs one head with each call and with one
// that signs many.
func eachSigner(t *testing.T, test func(t *testing.T, s sign.Signer)) {
	t.Run("one by one", func(t *testing.T) { test(t, alice) })
	t.Run("in bulk", func(t *testing.T) { test(t, inBulk{alice}) })
}

func TestAppendAll(t *testing.T) { eachSigner(t, testAppendAll) }

func testAppendAll(t *testing.T, s sign.Signer) {
	path, l := create(t, runGenesis())
	l.signer = s
	d := &countingDisk{disk: l.disk}
	l.disk = d
	recs, err := l.AppendAll(runDrafts())
	if err != nil || len(recs) != 8 || d.syncs != 1 {
		t.Fatalf("%d records, %d syncs, %v", len(recs), d.syncs, err)
	}
	if read(t, path) != goodRun(t).String() {
		t.Error("a batch writes other lines than one event at a time")
	}
	if k, h := l.Head(); k != 8 || h != recs[7].H {
		t.Errorf("head %d %v", k, h)
	}
	recs, err = l.AppendAll([]Draft{note("late")})
	if de, ok := errors.AsType[*DraftError](err); !ok || !errors.Is(err, ErrClosed) || de.Index != 0 || de.K != 9 || len(recs) != 0 {
		t.Errorf("after trail.close: %v, %d records", err, len(recs))
	}
	if recs, err := l.AppendAll(nil); err != nil || len(recs) != 0 || d.syncs != 1 {
		t.Errorf("nothing: %d records, %d syncs, %v", len(recs), d.syncs, err)
	}
}

// TestAppendAllRefuses: if a draft is refused, the drafts before it are appended, and the
// log goes on.
func TestAppendAllRefuses(t *testing.T) { eachSigner(t, testAppendAllRefuses) }

func testAppendAllRefuses(t *testing.T, s sign.Signer) {
	good := runDrafts()
	bad := []Draft{
		{Actor: Txt("ci"), Action: ActionStepEnd, Path: Txt("no such step"), Seed: good[0].Seed},
		{Actor: Txt("ci"), Action: "Not An Action", Seed: good[0].Seed},
		{Actor: Txt("ci"), Action: "other.seed"},
		{Actor: Txt("ci"), Action: "trail.close", Seed: good[0].Seed},
	}
	for i, b := range bad {
		for at := 1; at <= 5; at++ {
			path, l := create(t, runGenesis())
			l.signer = s
			recs, err := l.AppendAll(slices.Insert(slices.Clone(good), at, b))
			de, ok := errors.AsType[*DraftError](err)
			if !ok || de.Index != at || de.K != int64(at+1) || len(recs) != at {
				t.Fatalf("bad %d at %d: %v, %d records", i, at, err, len(recs))
			}
			if k, _ := l.Head(); k != int64(at) {
				t.Errorf("bad %d at %d: head %d", i, at, k)
			}
			if recs, err = l.AppendAll(good[at:]); err != nil || len(recs) != len(good)-at {
				t.Errorf("bad %d at %d: then %v", i, at, err)
			}
			want(t, check(t, read(t, path), nil), "")
		}
	}
}

// TestAppendAllFaults lets the writing of a batch fail. What was not acknowledged
// can be appended again, because the log forgets it.
func TestAppendAllFaults(t *testing.T) { eachSigner(t, testAppendAllFaults) }

func testAppendAllFaults(t *testing.T, s sign.Signer) {
	tests := []struct {
		fail   string
		sticky bool // the log refuses to go on
		there  int  // events of the failed batch in the file nonetheless
	}{
		{fail: "write"},
		{fail: "write after"},
		{fail: "write short"},
		{fail: "sync", sticky: true},
		{fail: "sync after", sticky: true},
		{fail: "write,truncate", sticky: true},
		{fail: "write after,truncate", sticky: true, there: 5},
		{fail: "write short,truncate", sticky: true, there: 2},
		{fail: "write short,sync", sticky: true},
		{fail: "sync,truncate", sticky: true, there: 5},
	}
	for _, tt := range tests {
		t.Run(tt.fail, func(t *testing.T) {
			drafts := runDrafts()
			path, l := create(t, runGenesis())
			l.signer = s
			d := &faultyDisk{disk: l.disk, fail: map[string]bool{}}
			l.disk = d
			acked, err := l.AppendAll(drafts[:2])
			if err != nil {
				t.Fatal(err)
			}
			for op := range strings.SplitSeq(tt.fail, ",") {
				d.fail[op] = true
			}
			recs, err := l.AppendAll(drafts[2:7])
			if err == nil || d.hits == 0 || len(recs) != 0 {
				t.Fatalf("appended: %v after %d faults, %d records", err, d.hits, len(recs))
			}
			if k, h := l.Head(); k != 2 || h != acked[1].H {
				t.Errorf("the head moved to %d", k)
			}
			d.fail = nil
			recs, err = l.AppendAll(drafts[2:7])
			if (err != nil) != tt.sticky {
				t.Fatalf("once more: %v", err)
			}
			acked = append(acked, recs...)
			l.Close()

			l, err = Open(path, alice, laterClock())
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			k, _ := l.Head()
			if k != int64(len(acked)+tt.there) {
				t.Errorf("%d events, %d were acknowledged", k, len(acked))
			}
			recs, err = l.AppendAll(drafts[k:])
			if err != nil {
				t.Fatal(err)
			}
			res := check(t, read(t, path), nil)
			want(t, res, "")
			for _, r := range append(acked, recs...) {
				if res.events[r.E.K-1].H != r.H {
					t.Errorf("event %d was acknowledged and is another", r.E.K)
				}
			}
		})
	}
}

// many returns drafts that take more than three writes. One of the lines is longer than
// maxWrite.
func many() (drafts []Draft) {
	for i := range 600 {
		drafts = append(drafts, note(fmt.Sprint("number ", i)))
	}
	for i := range 2000 {
		drafts[300].Inputs = append(drafts[300].Inputs, Item{*digest("x"), fmt.Sprintf("in/%0100d", i)})
	}
	return drafts
}

// TestAppendAllMany: little is written at once, and what was written before a
// fault stays.
func TestAppendAllMany(t *testing.T) { eachSigner(t, testAppendAllMany) }

func testAppendAllMany(t *testing.T, s sign.Signer) {
	drafts := many()
	path, l := create(t, ledgerGenesis())
	l.signer = s
	inner := &faultyDisk{disk: l.disk, fail: map[string]bool{}}
	d := &countingDisk{disk: inner}
	writes := []string{read(t, path)}
	d.after = func() { writes = append(writes, read(t, path)) }
	l.disk = d
	if recs, err := l.AppendAll(drafts); err != nil || len(recs) != len(drafts) {
		t.Fatal(len(recs), err)
	}
	for i, trail := range writes[1:] {
		written := strings.TrimPrefix(trail, writes[i])
		if n := strings.Count(written, "\n"); len(written) > maxWrite && n != 1 || n == 0 {
			t.Errorf("%d bytes, %d lines at once", len(written), n)
		}
	}
	if len(writes) < 6 || len(writes) > 10 {
		t.Errorf("%d writes", len(writes)-1)
	}

	d.after = func() { inner.fail["write short"] = true }
	recs, err := l.AppendAll(drafts)
	if !errors.Is(err, io.ErrShortWrite) || len(recs) == 0 || len(recs) == len(drafts) {
		t.Fatal(len(recs), err)
	}
	k, h := l.Head()
	if k != int64(len(drafts)+len(recs)) || h != recs[len(recs)-1].H {
		t.Errorf("head %d after %d records", k, len(recs))
	}
	inner.fail, d.after = nil, nil
	if _, err := l.AppendAll([]Draft{note("next")}); err != nil {
		t.Error(err)
	}
	res := check(t, read(t, path), bare)
	want(t, res, "")
	if res.K != k+1 {
		t.Errorf("%d events, want %d", res.K, k+1)
	}
}

// tired signs in bulk some times and then fails.
type tired struct {
	inBulk
	left int
}

func (s *tired) SignAll(messages [][]byte) ([]sign.Signature, error) {
	if s.left--; s.left < 0 {
		return nil, errTired
	}
	return s.inBulk.SignAll(messages)
}

var errTired = errors.New("no more")

// TestAppendAllUnsigned: if signing in bulk fails, the events are not in the trail.
func TestAppendAllUnsigned(t *testing.T) {
	path, l := create(t, ledgerGenesis())
	l.signer = &tired{inBulk{alice}, 2}
	recs, err := l.AppendAll(many())
	if !errors.Is(err, errTired) || len(recs) == 0 {
		t.Fatal(len(recs), err)
	}
	if _, err := l.Append(note("alone")); !errors.Is(err, errTired) {
		t.Errorf("alone: %v", err)
	}
	if k, h := l.Head(); k != int64(len(recs)) || h != recs[k-1].H {
		t.Errorf("head %d after %d records", k, len(recs))
	}
	l.signer = alice
	appendAll(t, l, []Draft{note("again")})
	res := check(t, read(t, path), bare)
	want(t, res, "")
	if len(res.events) != len(recs)+1 {
		t.Errorf("%d events", len(res.events))
	}
}

// TestAppendAllAt: drafts that depend on the last event are appended only after it.
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
