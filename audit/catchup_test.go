package audit

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/relseal/relseal/canon"
)

// TestProcesses lets processes append to one ledger at the same time.
func TestProcesses(t *testing.T) {
	path, l := create(t, ledgerGenesis())
	var children []*exec.Cmd
	for range 3 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), appender+"="+path)
		child.Stderr = os.Stderr
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		children = append(children, child)
	}
	for range 20 {
		appendAll(t, l, []Draft{note("parent")})
	}
	for _, child := range children {
		if err := child.Wait(); err != nil {
			t.Error(err)
		}
	}
	res := check(t, read(t, path), func(o *CheckOptions) { o.Bare, o.Report = true, nil })
	if res.K != 80 || res.FailingCount != 0 {
		t.Errorf("%d events, failing %v", res.K, res.Failing)
	}
	if r := appendAll(t, l, []Draft{note("last")})[0]; r.E.K != 81 {
		t.Errorf("event %d after the others", r.E.K)
	}
}

// TestGoroutines appends from goroutines to one log, and to several logs of one file.
func TestGoroutines(t *testing.T) {
	path, l := create(t, ledgerGenesis())
	l.clock = lockedClock{new(sync.Mutex), newClock()}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for range 5 {
				if _, err := l.Append(note("shared")); err != nil {
					t.Error(err)
				}
				l.Head()
			}
		})
		wg.Go(func() {
			if err := appendNotes(path, "own", 5); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	res := check(t, read(t, path), func(o *CheckOptions) { o.Bare, o.Report = true, nil })
	if res.K != 30 || res.FailingCount != 0 {
		t.Errorf("%d events, failing %v", res.K, res.Failing)
	}
}

type lockedClock struct {
	mu *sync.Mutex
	c  Clock
}

func (c lockedClock) Now() (time.Time, int64, string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.c.Now()
}

// TestOthers changes the file in other ways while a log has it open.
func TestOthers(t *testing.T) {
	edit := func(change func(path, trail string) string) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(change(path, read(t, path))), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(t *testing.T, path string) {
		if err := os.Remove(path); err != nil {
			t.Skip("an open file cannot be removed here:", err)
		}
	}
	tests := []struct {
		name string
		do   func(*testing.T, string)
		want string
	}{
		{"cut", edit(func(_, s string) string { return s[:len(s)-10] }), "cut off"},
		{"emptied", edit(func(_, s string) string { return "" }), "empty"},
		{"garbage", edit(func(_, s string) string { return s + "garbage\n" }), "event 2: E_FORMAT"},
		{"repeated", edit(func(_, s string) string { return s + s[strings.Index(s, "\n")+1:] }), "event 1: E_SEQUENCE"},
		{"removed", remove, "removed or replaced"},
		{"replaced", func(t *testing.T, path string) {
			s := read(t, path)
			remove(t, path)
			os.WriteFile(path, []byte(s), 0o644)
		}, "removed or replaced"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path, l := create(t, ledgerGenesis())
			appendAll(t, l, []Draft{note("a")})
			tt.do(t, path)
			for range 2 { // it does not heal by asking again
				_, err := l.Append(note("b"))
				if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Count(err.Error(), path) != 1 {
					t.Errorf("%v", err)
				}
			}
		})
	}
}

// TestChangedDirectory opens a trail by a relative path and goes elsewhere.
func TestChangedDirectory(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	l, err := Create("trail.jsonl", ledgerGenesis(), alice, newClock())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Chdir(t.TempDir())
	path := filepath.Join(dir, "trail.jsonl")
	if err := os.WriteFile(path, []byte(read(t, path)+"{"), 0o644); err != nil {
		t.Fatal(err)
	}
	appendAll(t, l, []Draft{note("a")})
	if torn := l.Torn(); len(torn) != 1 || torn[0].Path != "trail.jsonl.torn-1" || read(t, path+".torn-1") != "{" {
		t.Errorf("torn %v", torn)
	}
}

// A listener records the number and the head of each event with which a log calls it.
type listener []string

func (s *listener) hear(r Record) { *s = append(*s, fmt.Sprint(r.E.K, r.H)) }

// listening opens the trail at path with a listener.
func listening(t *testing.T, path string, o Options) (*Log, *listener) {
	t.Helper()
	s := new(listener)
	o.Event = s.hear
	l, err := OpenWith(context.Background(), path, alice, laterClock(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, s
}

// TestLogTells: a log calls Options.Event once with each event that it reads: with those
// of the trail when it is opened, with those of others before a call returns, and never
// with its own.
func TestLogTells(t *testing.T) {
	path, other := create(t, ledgerGenesis())
	appendAll(t, other, []Draft{note("a"), note("b")})
	for _, resume := range []bool{false, true} {
		t.Run(fmt.Sprint(resume), func(t *testing.T) {
			l, told := listening(t, path, Options{Resume: resume, BriefActions: []string{note("").Action}})
			var want listener
			for _, r := range check(t, read(t, path), bare).events {
				want.hear(r)
			}
			other.clock = laterClock()
			want.hear(appendAll(t, other, []Draft{note("of another")})[0])
			k, _ := l.Head()
			if _, err := l.AppendAllAt(k, []Draft{note("too late")}); err != ErrMoved {
				t.Fatal(err)
			}
			own := appendAll(t, l, []Draft{note("own")})

			// A write that fails makes the log read its trail again.
			l.disk = &faultyDisk{disk: l.disk, fail: map[string]bool{"write short": true}}
			if _, err := l.AppendAll([]Draft{note("lost"), note("lost")}); err == nil {
				t.Fatal("no error")
			}
			l.disk = l.disk.(*faultyDisk).disk
			appendAll(t, l, []Draft{note("own")})
			want.hear(appendAll(t, other, []Draft{note("of another")})[0])
			appendAll(t, l, []Draft{note("own")})
			if !slices.Equal(*told, want) {
				t.Errorf("told\n%s\nwant, without %v,\n%s", strings.Join(*told, "\n"), ks(own), strings.Join(want, "\n"))
			}
		})
	}
}

// TestBriefActions: the members of a brief record are the same whether or not its line has
// the usual shape.
func TestBriefActions(t *testing.T) {
	m := newMaker(t, ledgerGenesis(), nil)
	m.add([]Draft{
		{Actor: Txt("ci"), Action: "window", Details: canon.Value(`{"a":[1,{"b":null}]}`)},
		{Actor: Txt("ci"), Action: "window", Notes: Txt("n"), Details: canon.Value(`{}`)},
		{Actor: Txt("ci"), Action: "window", Details: canon.Value(`{"a":1}`), Snapshot: map[string]canon.Decimal{"x": "1"}},
		{Actor: Txt("ci"), Action: "window"},
		{Actor: Txt("ci"), Action: "other", Details: canon.Value(`{"a":2}`)},
	}, nil)
	var brief []Record
	sum, err := Check(strings.NewReader(m.String()), CheckOptions{Keys: trusted, Bare: true, BriefActions: []string{"window"},
		Event: func(r Record) {
			r.E.Details = slices.Clone(r.E.Details) // it is valid until this returns
			brief = append(brief, r)
		}})
	if err != nil || sum.Key == nil || len(brief) != 5 {
		t.Fatal(sum, err, len(brief))
	}
	for i, w := range check(t, m.String(), bare).events {
		b := brief[i]
		if w.E.Action != "window" && !reflect.DeepEqual(w, b) {
			t.Errorf("%+v, want all of %+v", b, w)
		}
		if len(w.E.Details) == 0 {
			w.E.Details = nil
		}
		want := Event{K: w.E.K, TS: w.E.TS, TauMonoUS: w.E.TauMonoUS, Clock: w.E.Clock, Action: w.E.Action, Verifier: w.E.Verifier, Details: w.E.Details}
		got := Event{K: b.E.K, TS: b.E.TS, TauMonoUS: b.E.TauMonoUS, Clock: b.E.Clock, Action: b.E.Action, Verifier: b.E.Verifier, Details: b.E.Details}
		if !reflect.DeepEqual(got, want) || b.H != w.H || b.ID != w.ID || b.Sig != w.Sig || b.Time() != w.Time() {
			t.Errorf("event %d\n got %+v\nwant %+v", w.E.K, b, w)
		}
	}
	if brief[0].E.Code.Hash != nil || brief[0].E.Inputs.Items != nil || !brief[0].E.Actor.IsZero() {
		t.Errorf("all of it was decoded: %+v", brief[0])
	}
}
