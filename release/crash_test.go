package release

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/gates/ledger"
)

var errCrash = errors.New("injected")

// TestCrash ends a promotion at every byte that it writes to the ledger, with and
// without the bundle, opens the ledger again an instant later and calls once more.
// However far it had come, there is one promotion, one bundle, and a ledger in
// which every event follows from those before.
func TestCrash(t *testing.T) {
	f, b := canary(t, 3)
	before, err := os.ReadFile(f.path)
	if err != nil {
		t.Fatal(err)
	}
	whole := f.sealer()
	sealed := f.promote(b, whole).Sealed.Bundle
	after, err := os.ReadFile(f.path)
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := os.ReadFile(whole.path)
	if err != nil {
		t.Fatal(err)
	}
	promoted := len(before) + bytes.IndexByte(after[len(before):], '\n') // without its LF
	at := f.clock.at
	for n := len(before); n <= len(after); n += 1 + n%37 {
		for _, there := range []bool{false, true} {
			if there && n < promoted {
				continue // the bundle comes after the event
			}
			s := f.sealer()
			if there {
				if err := os.WriteFile(s.path, bundle, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			f.Close()
			os.Remove(f.path + audit.ResumeSuffix) // it was not on disk yet
			if err := os.WriteFile(f.path, after[:n], 0o644); err != nil {
				t.Fatal(err)
			}
			f.clock.at = at + time.Second
			f.open()
			o := f.promote(b, s)
			if n >= promoted && o.Sealed.Bundle != sealed {
				t.Fatalf("cut at %d of %d: another bundle", n, len(after))
			}
			got := f.actions()
			if want := []string{"promote", "bundle.sealed"}; len(got) != 7 || !slices.Equal(got[5:], want) {
				t.Fatalf("cut at %d of %d: %q", n, len(after), got)
			}
		}
	}
}

// TestSealFails lets the bundle fail before and after it is written, twice.
func TestSealFails(t *testing.T) {
	f, b := canary(t, 3)
	s := f.sealer()
	for _, fail := range []*error{&s.before, &s.after, &s.before, &s.after} {
		*fail = errCrash
		if _, err := f.Promote(context.Background(), b, s, nil); !errors.Is(err, errCrash) {
			t.Fatalf("%v", err)
		}
		*fail = nil
		if got := f.actions(); got[len(got)-1] != "promote" || len(got) != 6 {
			t.Fatalf("%q", got)
		}
		f.clock.at += time.Hour // nothing goes stale that was decided
		f.open()
	}
	if o := f.promote(b, s); !o.Resumed || o.Sealed == nil {
		t.Errorf("%+v", o)
	}
	if got := f.actions(); len(got) != 7 {
		t.Errorf("%q", got)
	}
}

// TestUndone: a trigger comes to light while a promotion is under way. It is not
// finished but rolled back, and stays so.
func TestUndone(t *testing.T) {
	f, b := canary(t, 3)
	s := f.sealer()
	s.before = errCrash
	if _, err := f.Promote(context.Background(), b, s, nil); !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	s.before = nil
	f.clock.at += time.Minute
	o, err := f.Observe([]gates.Window{dropping(b, 4, f.clock.at-time.Minute)}, false)
	if err != nil || len(o.Late) != 1 || len(o.Rollbacks) != 1 || o.Rollbacks[0].Source.Bundle != b.ID || o.Rollbacks[0].Decision == nil {
		t.Fatalf("%+v %v", o, err)
	}
	if again := f.promote(b, s); again.Move != nil || again.Rollback.Event.K != o.Rollbacks[0].Event.K || s.calls != 1 {
		t.Error("finished after it was undone")
	}
	f.actions()
}

// TestLateCrash ends an observation at every byte between its late window and the
// rollback that this asks for. Whatever is called next finishes it: another
// observation, of nothing or of the same window again, or a promotion.
func TestLateCrash(t *testing.T) {
	f, b := canary(t, 3)
	sealer := f.sealer()
	stable := f.promote(b, sealer).Sealed
	sb := Bundle{ID: stable.Bundle, Product: "demo", Version: "1.0.0", Channel: gates.Stable}
	f.observe(sb, 1, nil)
	before, err := os.ReadFile(f.path)
	if err != nil {
		t.Fatal(err)
	}
	late := dropping(b, 4, 3*time.Minute)
	if o, err := f.Observe([]gates.Window{late}, false); err != nil || len(o.Rollbacks) != 1 {
		t.Fatalf("%+v %v", o, err)
	}
	after, err := os.ReadFile(f.path)
	if err != nil {
		t.Fatal(err)
	}
	recorded := len(before) + bytes.IndexByte(after[len(before):], '\n') // the window, without its LF
	next := map[string]func() *ledger.Rollback{
		"the window again": func() *ledger.Rollback {
			o, err := f.Observe([]gates.Window{late}, false)
			if err != nil || len(o.Rollbacks) != 1 {
				t.Fatalf("%+v %v", o, err)
			}
			return o.Rollbacks[0]
		},
		"nothing": func() *ledger.Rollback {
			o, err := f.Observe(nil, false)
			if err != nil || len(o.Rollbacks) != 1 {
				t.Fatalf("%+v %v", o, err)
			}
			return o.Rollbacks[0]
		},
		"promote": func() *ledger.Rollback { return f.promote(sb, f.sealer()).Rollback },
	}
	for n := len(before); n < len(after)-1; n += 1 + n%97 { // without its LF an event counts
		for name, call := range next {
			if n < recorded && name != "the window again" {
				continue // there is no late window yet
			}
			f.Close()
			os.Remove(f.path + audit.ResumeSuffix) // it was not on disk yet
			if err := os.WriteFile(f.path, after[:n], 0o644); err != nil {
				t.Fatal(err)
			}
			f.clock.at += time.Second
			f.open()
			r := call()
			if r == nil || r.Source.Bundle != sb.ID || r.Decision != nil || *r.DeadlineMS != ms(f.clock.at+5*time.Minute) {
				t.Fatalf("%s, cut at %d of %d: %+v", name, n, len(after), r)
			}
			if got := f.actions(); !slices.Equal(got[7:], []string{"window", "window", "rollback"}) {
				t.Fatalf("%s, cut at %d of %d: %q", name, n, len(after), got)
			}
		}
	}
}

// TestUndoneOnDemand: the same by hand.
func TestUndoneOnDemand(t *testing.T) {
	f, b := canary(t, 3)
	s := f.sealer()
	s.after = errCrash
	if _, err := f.Promote(context.Background(), b, s, nil); !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	s.after = nil
	if _, err := f.Rollback(b.ID, "ann", "wrong bundle"); err != nil {
		t.Fatal(err)
	}
	if o := f.promote(b, s); o.Move != nil || o.Rollback == nil {
		t.Error("finished after it was undone")
	}
	if got := f.actions(); got[len(got)-1] != "rollback" {
		t.Errorf("%q", got)
	}
}

// TestNamed lets a promotion end between the event bundle.sealed and the bundle's
// name: the next call gives it the name, unless what was promoted went back first.
func TestNamed(t *testing.T) {
	f, b := canary(t, 3)
	s := f.sealer()
	s.named = errCrash
	for range 2 {
		if _, err := f.Promote(context.Background(), b, s, nil); !errors.Is(err, errCrash) {
			t.Fatalf("%v", err)
		}
		f.open()
	}
	if got := f.actions(); got[len(got)-1] != "bundle.sealed" || len(got) != 7 {
		t.Fatalf("%q", got)
	}
	s.named = nil
	stable := f.promote(b, s).Sealed.Bundle
	if _, err := os.Stat(s.path); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Rollback(stable, "ann", "wrong"); err != nil {
		t.Fatal(err)
	}
	other := f.sealer()
	if o := f.promote(b, other); o.Move != nil || o.Rollback.Source.Bundle != stable || other.calls != 0 {
		t.Errorf("%+v", o)
	}
}

// TestUndoneWhileSealed: another process rolls the release back while its bundle is
// being written. Nothing appears under the bundle's name, and the answer is the
// rollback.
func TestUndoneWhileSealed(t *testing.T) {
	f, b := canary(t, 3)
	s := f.sealer()
	s.during = func() {
		l, err := Open(f.path, f.options())
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if _, err := l.Rollback(b.ID, "ann", "checkout fails"); err != nil {
			t.Fatal(err)
		}
	}
	o := f.promote(b, s)
	if o.Move != nil || o.Sealed != nil || o.Rollback == nil || o.Rollback.Event.Actor != "ann" {
		t.Errorf("%+v", o)
	}
	if _, err := os.Stat(s.path); err == nil || s.sealed != nil {
		t.Error("a bundle of a release that was rolled back")
	}
	if got := f.actions(); got[len(got)-1] != "rollback" {
		t.Errorf("%q", got)
	}
}
