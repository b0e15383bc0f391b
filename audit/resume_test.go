package audit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/sign"
)

func openResumed(t testing.TB, path string, s sign.Signer) *Log {
	t.Helper()
	l, err := OpenWith(context.Background(), path, s, laterClock(), Options{Resume: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// A readingDisk counts the bytes that are read.
type readingDisk struct {
	disk
	bytes int64
}

func (d *readingDisk) ReadAt(p []byte, off int64) (int, error) {
	n, err := d.disk.ReadAt(p, off)
	d.bytes += int64(n)
	return n, err
}

// openCounted opens a trail, appends an event and returns how many bytes were read.
func openCounted(t testing.TB, path string) int64 {
	t.Helper()
	d, err := openDisk(path, path)
	if err != nil {
		t.Fatal(err)
	}
	counted := &readingDisk{disk: d}
	l, err := openLog(&Log{ctx: context.Background(), o: Options{Resume: true}, path: path, abs: path, disk: counted, signer: inBulk{alice}, clock: laterClock()})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := l.Append(note("one")); err != nil {
		t.Fatal(err)
	}
	return counted.bytes
}

// longTrail has n events of usual size.
func longTrail(t testing.TB, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trail.jsonl")
	l, err := Create(path, ledgerGenesis(), inBulk{alice}, newClock())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	drafts := make([]Draft, min(n, 10_000))
	for i := range drafts {
		drafts[i] = note("a note of usual length, such as a tool would write")
	}
	for ; n > 0; n -= len(drafts) {
		if _, err := l.AppendAll(drafts); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// TestResumeReads: how much is read to append an event does not depend on the length of
// the trail.
func TestResumeReads(t *testing.T) {
	var reads []int64
	for _, n := range []int{200, 2000, 20_000} {
		reads = append(reads, openCounted(t, longTrail(t, n)))
	}
	for _, r := range reads {
		if r < reads[0] || r > reads[0]+100 { // numbers have more digits
			t.Errorf("%d bytes were read", reads)
		}
	}
}

// TestResumeSame: a log that is opened anew for each event, with its state, refuses and
// appends the same drafts as one that stays open.
func TestResumeSame(t *testing.T) {
	drafts := runDrafts()
	wrong := []Draft{drafts[0], drafts[1], drafts[2], drafts[3], drafts[4], drafts[7], {Actor: Txt("ci"), Action: "note"}}
	all := []Draft{}
	for _, d := range drafts { // each after all that may be wrong there
		all = append(append(all, wrong...), d)
	}
	all = append(all, wrong...)
	_, whole := create(t, runGenesis())
	path, first := create(t, runGenesis())
	first.Close()
	build := sign.Sum([]byte("build"))
	for i, d := range all {
		ended, begun := whole.judge.order.steps[build]
		_, want := whole.Append(d)
		l := openResumed(t, path, alice)
		if k, _ := l.Head(); k > 0 && l.acknowledged != nil {
			t.Fatalf("%d: the state was not used", i)
		}
		start, found, err := l.OpenStep("build")
		if err != nil || found != (begun && !ended) || found && start.E.Path.String() != "build" {
			t.Errorf("%d: step build is open: %v, %v", i, found, err)
		}
		_, got := l.Append(d)
		l.Close()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%d: %s: %v, want %v", i, d.Action, got, want)
		}
	}
	k, _ := whole.Head()
	if res := check(t, read(t, path), nil); res.K != k || !res.Closed || len(res.found) > 0 {
		t.Errorf("%d events, want %d; %s", res.K, k, res.codes())
	}
}

// TestResumeUnusable: a state that is missing, damaged, of another key, of another trail or
// too old does not lead to a wrong event.
func TestResumeUnusable(t *testing.T) {
	path, l := create(t, ledgerGenesis())
	states := []string{read(t, path+ResumeSuffix)}
	for range 4 {
		appendAll(t, l, []Draft{note("a")})
		states = append(states, read(t, path+ResumeSuffix))
	}
	l.Close()
	trail, last := read(t, path), states[4]
	otherPath, other := create(t, Genesis{Purpose: PurposeLedger, Run: Run{"another"}})
	appendAll(t, other, []Draft{note("a"), note("b"), note("c"), note("d")})
	foreign := read(t, otherPath+ResumeSuffix)

	resign := func(s testSigner, edit func(*resumeState)) string {
		var f resumeFile
		if err := canon.Unmarshal([]byte(strings.TrimSuffix(last, "\n")), &f); err != nil {
			t.Fatal(err)
		}
		edit(&f.State)
		d, err := f.State.digest()
		if err != nil {
			t.Fatal(err)
		}
		f.Sig, _ = s.Sign(d[:])
		data, err := canon.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		return string(data) + "\n"
	}
	tests := map[string]string{
		"missing":           "",
		"empty":             "\n",
		"cut":               last[:len(last)/2],
		"twice":             last + last,
		"of another trail":  foreign,
		"of another key":    resign(mallory, func(s *resumeState) { s.Verifier.PKRef = mallory.pub.KeyID() }),
		"signed by another": resign(mallory, func(*resumeState) {}),
		"of another schema": resign(alice, func(s *resumeState) { s.Schema = "relseal/trail-resume/v2" }),
		"edited":            strings.Replace(last, `"k":4`, `"k":3`, 1),
	}
	for i, s := range states {
		tests[fmt.Sprintf("of event %d", i)] = s
	}
	for what, state := range tests {
		restore(t, path, trail, state)
		l := openResumed(t, path, alice)
		appendAll(t, l, []Draft{note("next")})
		l.Close()
		res := check(t, read(t, path), bare)
		if want(t, res, ""); res.K != 5 {
			t.Errorf("%s: %d events", what, res.K)
		}
	}

	// A state that our key has signed is an error if the trail lacks its events.
	k3 := strings.Join(strings.SplitAfter(trail, "\n")[:4], "")
	fork := resign(alice, func(s *resumeState) { s.HK[0] ^= 1 })
	for what, bad := range map[string][2]string{"cut": {k3, last}, "forked": {trail, fork}} {
		restore(t, path, bad[0], bad[1])
		for _, resume := range []bool{true, false} {
			_, err := OpenWith(t.Context(), path, alice, laterClock(), Options{Resume: resume})
			if lacks, ok := errors.AsType[*AcknowledgedError](err); !ok || lacks.K != 4 {
				t.Errorf("%s: %v", what, err)
			}
		}
		if read(t, path) != bad[0] {
			t.Errorf("%s: the trail was changed", what)
		}
	}
}

// TestResumeForged edits each member of a state and signs it with another key. The log
// ignores it.
func TestResumeForged(t *testing.T) {
	path, l := create(t, runGenesis())
	appendAll(t, l, runDrafts()) // closed
	l.Close()
	trail, state := read(t, path), read(t, path+ResumeSuffix)
	for i := range state {
		bad := []byte(state)
		bad[i] ^= 1
		if parseResume(bad, alice.pub, l.H0()) != nil {
			t.Fatalf("byte %d was changed, and the state counts", i)
		}
	}
	restore(t, path, trail, strings.Replace(state, `"closed":true`, `"closed":false`, 1))
	l = openResumed(t, path, alice)
	if _, err := l.Append(note("more")); !errors.Is(err, ErrClosed) {
		t.Errorf("appended: %v", err)
	}
}

// TestResumeRotated: a log with the next key ignores a state that the key before it has
// signed.
func TestResumeRotated(t *testing.T) {
	path, l := create(t, ledgerGenesis())
	appendAll(t, l, []Draft{note("a")})
	if err := l.HandOver(Draft{Actor: Txt("ci")}, mallory.pub); err != nil {
		t.Fatal(err)
	}
	l.Close()
	for i := range 3 {
		l := openResumed(t, path, mallory)
		if i == 0 {
			if err := l.Accept(Draft{Actor: Txt("ci")}); err != nil {
				t.Fatal(err)
			}
		}
		appendAll(t, l, []Draft{note("b")})
		if err := l.HandOver(Draft{Actor: Txt("ci")}, alice.pub); err == nil {
			t.Error("handed back to a key that has signed before")
		}
		l.Close()
	}
	if _, err := OpenWith(t.Context(), path, alice, laterClock(), Options{Resume: true}); err == nil {
		t.Error("the old key opened it")
	}
}

// TestResumeLink: a link in the place of the state is not followed.
func TestResumeLink(t *testing.T) {
	path, l := create(t, ledgerGenesis())
	other := filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(other, []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	os.Remove(path + ResumeSuffix)
	if err := os.Symlink(other, path+ResumeSuffix); err != nil {
		t.Skip("no symbolic links here: ", err, runtime.GOOS)
	}
	appendAll(t, l, []Draft{note("a")})
	if read(t, other) != "theirs" {
		t.Error("what the link leads to was written")
	}
	if info, err := os.Lstat(path + ResumeSuffix); err != nil || !info.Mode().IsRegular() {
		t.Errorf("%v, %v", info, err)
	}
}

// TestCancelled: a log whose context is done waits for nothing and appends nothing.
func TestCancelled(t *testing.T) {
	path, l := create(t, ledgerGenesis())
	appendAll(t, l, []Draft{note("a")})
	before := read(t, path)
	why := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())

	held, err := l.disk.Lock(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	said := ""
	if _, err := OpenWith(ctx, path, alice, laterClock(), Options{Waiting: func(holder string) { said = holder; cancel(why) }}); !errors.Is(err, why) || said == "" {
		t.Errorf("waiting for %q: %v", said, err)
	}
	held()

	ctx, cancel = context.WithCancelCause(t.Context())
	other, err := OpenWith(ctx, path, alice, laterClock(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	cancel(why)
	if _, err := other.Append(note("b")); !errors.Is(err, why) {
		t.Errorf("Append: %v", err)
	}
	if _, err := other.AppendAll([]Draft{note("b")}); !errors.Is(err, why) {
		t.Errorf("AppendAll: %v", err)
	}
	if _, err := OpenWith(ctx, path, alice, laterClock(), Options{}); !errors.Is(err, why) {
		t.Errorf("reading: %v", err)
	}
	if read(t, path) != before {
		t.Error("something was appended")
	}
}

// FuzzTail puts bytes behind a trail. Whatever they are, every event that was acknowledged
// stays, and what is cut off is in a file beside the trail.
func FuzzTail(f *testing.F) {
	path, l := create(f, ledgerGenesis())
	appendAll(f, l, []Draft{note("a"), note("b")})
	trail, state := read(f, path), read(f, path+ResumeSuffix)
	appendAll(f, l, []Draft{note("c")})
	next := read(f, path)[len(trail):]
	l.Close()
	for _, tail := range []string{"", "\n", "\x00", "{", next[:100], next[:100] + "\x00", next[:len(next)-1], next, next + "\x00\x00", "\x00" + next, next[:200] + strings.Repeat("\x00", 200)} {
		f.Add(tail, true)
		f.Add(tail, false)
	}
	f.Fuzz(func(t *testing.T, tail string, known bool) {
		path := filepath.Join(t.TempDir(), "trail.jsonl")
		beside := ""
		if known {
			beside = state
		}
		restore(t, path, trail+tail, beside)
		l, err := OpenWith(t.Context(), path, alice, laterClock(), Options{Resume: true})
		if err != nil {
			if read(t, path) != trail+tail {
				t.Fatal("refused, and changed")
			}
			return
		}
		defer l.Close()
		kept := ""
		for _, torn := range l.Torn() {
			if torn.Path != "" {
				kept = read(t, torn.Path)
			}
		}
		now := read(t, path)
		if !strings.HasPrefix(now, trail) || kept == "" && !strings.HasPrefix(now, strings.TrimRight(trail+tail, "\x00")) || kept != "" && now+kept != trail+tail {
			t.Fatalf("%q became %q and %q", tail, now[len(trail):], kept)
		}
		appendAll(t, l, []Draft{note("next")})
		want(t, check(t, read(t, path), bare), "")
	})
}

// FuzzResume parses states: an accepted one is written as it was read, and none is accepted
// that was not signed.
func FuzzResume(f *testing.F) {
	path, l := create(f, runGenesis())
	appendAll(f, l, runDrafts()[:2])
	h0 := l.H0()
	l.Close()
	state := read(f, path+ResumeSuffix)
	f.Add(state, false)
	f.Add(state, true)
	f.Add("{}\n", false)
	f.Fuzz(func(t *testing.T, data string, resign bool) {
		if s := parseResume([]byte(data), alice.pub, h0); s != nil && data != state {
			t.Fatalf("counts: %s", data)
		}
		var file resumeFile
		if !resign || canon.Unmarshal([]byte(strings.TrimSuffix(data, "\n")), &file) != nil {
			return
		}
		// Even a signed state makes a log do no worse than return an error.
		d, err := file.State.digest()
		if err != nil {
			return
		}
		file.Sig, _ = alice.Sign(d[:])
		line, err := canon.Marshal(file)
		if err != nil {
			return
		}
		if s := parseResume(append(line, '\n'), alice.pub, h0); s != nil && s.H0 != h0 {
			t.Error("of another trail")
		}
		at := filepath.Join(t.TempDir(), "trail.jsonl")
		trail, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		restore(t, at, string(trail), string(line)+"\n")
		l, err := OpenWith(t.Context(), at, alice, laterClock(), Options{Resume: true})
		if err != nil {
			return
		}
		defer l.Close()
		l.OpenStep("build")
		l.Append(note("next"))
		if !strings.HasPrefix(read(t, at), string(trail)) {
			t.Error("the trail lost something")
		}
	})
}
