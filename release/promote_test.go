package release

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/relseal/relseal/gates"
)

// canary is a ledger with a policy, an admitted canary and n good windows.
func canary(t *testing.T, n int) (*fixture, Bundle) {
	f := newFixture(t)
	f.register()
	b := f.admit("canary")
	f.observe(b, n, nil)
	return f, b
}

func TestCanaryToLTS(t *testing.T) {
	f, b := canary(t, 2)
	if o := f.promote(b, f.sealer()); o.Judgement.Outcome() != gates.Hold || o.Move != nil {
		t.Fatalf("after two windows: %v", o.Judgement.Unmet())
	}
	f.observe(b, 1, nil)
	o := f.promote(b, f.sealer())
	if o.Sealed == nil || o.Sealed.Channel != gates.Stable || o.Sealed.SinceMS != ms(f.clock.at) {
		t.Fatalf("sealed %+v", o.Sealed)
	}
	stable := Bundle{ID: o.Sealed.Bundle, Product: "demo", Version: "1.0.0", Channel: gates.Stable, Policy: o.Sealed.Policy}
	f.observe(stable, 2, nil)
	o = f.promote(stable, f.sealer())
	if o.Sealed == nil || o.Sealed.Channel != gates.LTS || f.State.Head(gates.LTS) != o.Sealed {
		t.Fatalf("sealed %+v", o.Sealed)
	}
	want := "policy.register bundle.sealed window window window promote bundle.sealed window window promote bundle.sealed"
	if got := strings.Join(f.actions(), " "); got != want {
		t.Errorf("%s", got)
	}
}

// What was promoted is promoted once: the next call writes the same bundle again.
func TestPromoteAgain(t *testing.T) {
	f, b := canary(t, 3)
	first := f.promote(b, f.sealer())
	before := f.actions()
	f.clock.at += time.Hour
	f.open()
	again := f.promote(b, f.sealer())
	if !again.Resumed || again.Sealed.Bundle != first.Sealed.Bundle || len(f.actions()) != len(before) {
		t.Errorf("resumed %v, %v after %v", again.Resumed, again.Sealed.Bundle, first.Sealed.Bundle)
	}
}

func TestStale(t *testing.T) {
	f, b := canary(t, 3)
	f.clock.at += 2*time.Minute + time.Millisecond
	if o := f.promote(b, f.sealer()); o.Judgement.Outcome() != gates.Undecidable || !slices.Equal(o.Judgement.Unmet(), []string{"STALE"}) {
		t.Errorf("%v %v", o.Judgement.Outcome(), o.Judgement.Unmet())
	}
	f.clock.at -= time.Millisecond
	if o := f.promote(b, f.sealer()); o.Sealed == nil {
		t.Errorf("at stale_max: %v", o.Judgement.Unmet())
	}
}

// A policy that comes after the first window judges nothing of that release, and
// one that comes after another does not take its place.
func TestPolicyLate(t *testing.T) {
	f := newFixture(t)
	b := f.admit("canary")
	f.observe(b, 3, nil)
	f.register()
	if o := f.promote(b, f.sealer()); o.Judgement.Outcome() != gates.Undecidable || !slices.Equal(o.Judgement.Unmet(), []string{"POLICY_LATE"}) {
		t.Errorf("%v", o.Judgement.Unmet())
	}
	if _, err := f.Promote(context.Background(), b, f.sealer(), &Override{"ann", "please"}); err == nil {
		t.Error("a late policy was overridden")
	}

	f, b = canary(t, 1)
	f.observe(b, 2, func(w *gates.Window) { w.DeltaRep = "0.03" })
	kind := policy()
	kind.GateRep = "0.05"
	if _, err := f.Register(kind); err != nil {
		t.Fatal(err)
	}
	if o := f.promote(b, f.sealer()); o.Judgement.Outcome() != gates.Hold {
		t.Errorf("a kinder policy came after the windows: %v", o.Judgement.Outcome())
	}
}

// A bundle that names its policy is judged by that one.
func TestPolicyOfBundle(t *testing.T) {
	f := newFixture(t)
	f.register()
	named := f.State.Policies()[0].Digest
	b := bundleOf("canary", gates.Canary)
	b.Policy = &named
	if _, err := f.Admit(b); err != nil {
		t.Fatal(err)
	}
	kind := policy()
	kind.TObsMS = 60_000
	kind.WMin = 1
	if _, err := f.Register(kind); err != nil {
		t.Fatal(err)
	}
	f.observe(b, 1, nil)
	if o := f.promote(b, f.sealer()); o.Judgement.Policy.Digest != named || o.Judgement.Outcome() != gates.Hold {
		t.Errorf("judged by %v", o.Judgement.Policy)
	}
}

func TestRollback(t *testing.T) {
	f, b := canary(t, 3)
	old := f.promote(b, f.sealer()).Sealed
	next := f.admit("next canary")
	f.observe(next, 3, nil)
	stable := f.promote(next, f.sealer()).Sealed
	sb := Bundle{ID: stable.Bundle, Product: "demo", Version: "1.0.0", Channel: gates.Stable}
	f.observe(sb, 1, func(w *gates.Window) { w.DropRate = "0.5" })
	s := f.sealer()
	o := f.promote(sb, s)
	if o.Rollback == nil || s.calls != 0 || *o.Rollback.To != old.Bundle || *o.Rollback.DeadlineMS != ms(f.clock.at+5*time.Minute) {
		t.Fatalf("%+v", o.Rollback)
	}
	if f.State.Head(gates.Stable) != old {
		t.Errorf("on stable stands %v", f.State.Head(gates.Stable))
	}
	for _, over := range []*Override{nil, {"ann", "please"}} {
		again, err := f.Promote(context.Background(), sb, s, over)
		if err != nil || again.Move != nil || again.Rollback.Event.K != o.Rollback.Event.K || s.calls != 0 {
			t.Errorf("a bundle that was rolled back: %+v %v", again, err)
		}
	}
	f.clock.at += 4 * time.Minute
	if r, err := f.Done(sb.ID, "ann"); err != nil || !r.Done.OK || *r.Done.TotalMS != 240_000 {
		t.Fatalf("%+v %v", r, err)
	}
	k := f.K
	if r, err := f.Done(sb.ID, "bob"); err != nil || *r.Done.TotalMS != 240_000 || f.K != k {
		t.Errorf("done twice: %+v %v", r, err)
	}
	if r, err := f.Rollback(sb.ID, "bob", "again"); err != nil || r.Event.K != o.Rollback.Event.K || f.K != k {
		t.Errorf("rolled back twice: %+v %v", r, err)
	}
	f.actions()
}

func TestRollbackTooLate(t *testing.T) {
	f, b := canary(t, 1)
	r, err := f.Rollback(b.ID, "ann", "checkout fails")
	if err != nil || r.To != nil || r.Decision != nil || *r.DeadlineMS != ms(f.clock.at+5*time.Minute) {
		t.Fatalf("%+v %v", r, err)
	}
	f.clock.at += 5*time.Minute + time.Millisecond
	if r, err = f.Done(b.ID, ""); err != nil || r.Done.OK || *r.Done.Reason != "E_ROLLBACK_DEADLINE" {
		t.Errorf("%+v %v", r.Done, err)
	}
	f.actions()
}

func TestOverride(t *testing.T) {
	f, b := canary(t, 2)
	o, err := f.Promote(context.Background(), b, f.sealer(), &Override{"ann", "the fix cannot wait"})
	if err != nil || o.Move == nil || o.Move.Override.Actor != "ann" || !slices.Equal(o.Move.Override.Unmet, []string{"COVERAGE", "WINDOWS"}) {
		t.Fatalf("%+v %v", o.Move, err)
	}
	if got := f.actions(); !slices.Equal(got[4:], []string{"override", "promote", "bundle.sealed"}) {
		t.Errorf("%q", got)
	}

	f, b = canary(t, 1)
	f.observe(b, 1, func(w *gates.Window) { w.Score = "0.5" })
	if o, err := f.Promote(context.Background(), b, f.sealer(), &Override{"ann", "please"}); err != nil || o.Rollback == nil {
		t.Errorf("a trigger was overridden: %+v %v", o, err)
	}
}

// Two processes promote at once: one promotion, one bundle.
func TestTwoProcesses(t *testing.T) {
	f, b := canary(t, 3)
	other, err := Open(f.path, f.options())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	first := f.promote(b, f.sealer())
	second, err := other.Promote(context.Background(), b, f.sealer(), nil)
	if err != nil || !second.Resumed || second.Sealed.Bundle != first.Sealed.Bundle {
		t.Fatalf("%+v %v", second, err)
	}
	if got := f.actions(); len(got) != 7 {
		t.Errorf("%q", got)
	}
}

func TestRefused(t *testing.T) {
	f, b := canary(t, 1)
	stranger := bundleOf("stranger", gates.Canary)
	var r *RefusedError
	if _, err := f.Promote(context.Background(), stranger, f.sealer(), nil); !errors.As(err, &r) {
		t.Errorf("a bundle that was never admitted: %v", err)
	}
	wrong := stranger
	wrong.Product = "other"
	if _, err := f.Admit(wrong); !errors.As(err, &r) {
		t.Errorf("another product: %v", err)
	}
	if _, err := f.Admit(bundleOf("x", gates.Stable)); !errors.As(err, &r) {
		t.Errorf("a stable bundle: %v", err)
	}
	from := f.clock.at
	f.clock.at += 2 * time.Minute
	for name, change := range map[string]func(*gates.Window){
		"another channel": func(w *gates.Window) { w.Channel = gates.Stable },
		"no release":      func(w *gates.Window) { w.Release = "" },
		"unknown release": func(w *gates.Window) { w.Release = stranger.ID.String() },
		"before":          func(w *gates.Window) { w.StartMS = ms(0) - 1 },
		"hole":            func(w *gates.Window) { w.Seq = 3 },
		"repeated seq":    func(w *gates.Window) { w.Seq = 1 },
		"not ended":       func(w *gates.Window) { w.EndMS = ms(f.clock.at) + policy().SkewMaxMS + 1 },
	} {
		w := window(b, 2, from)
		change(&w)
		good := window(b, 3, from+time.Minute)
		if o, err := f.Observe([]gates.Window{w, good}, false); err != nil || o.Refused[0] == nil || o.Appended != 0 {
			t.Errorf("%s: %+v %v", name, o, err)
		}
	}
	if len(f.actions()) != 3 {
		t.Error("something was appended")
	}
	o, err := f.Observe([]gates.Window{window(stranger, 1, from), window(b, 2, from), window(b, 2, from)}, true)
	if err != nil || o.Appended != 1 || o.Known != 1 || len(o.Refused) != 1 {
		t.Errorf("%+v %v", o, err)
	}
}

// A window of the canary comes after its promotion, and triggers: what it became
// is rolled back now, however far it has come. Without a trigger nothing happens,
// nor does a trigger on its own channel do more than wait for the decision.
func TestLateTrigger(t *testing.T) {
	f, b := canary(t, 3)
	stable := f.promote(b, f.sealer()).Sealed
	sb := Bundle{ID: stable.Bundle, Product: "demo", Version: "1.0.0", Channel: gates.Stable}
	f.observe(sb, 2, nil)
	lts := f.promote(sb, f.sealer()).Sealed
	other := f.admit("another canary")
	from := f.clock.at
	f.clock.at += time.Minute
	if o, err := f.Observe([]gates.Window{window(b, 4, 3*time.Minute), dropping(other, 1, from)}, false); err != nil || len(o.Late) != 1 || o.Rollbacks != nil {
		t.Fatalf("%+v %v", o, err)
	}
	late := dropping(b, 5, 4*time.Minute)
	o, err := f.Observe([]gates.Window{late, window(sb, 3, from)}, false)
	if err != nil || len(o.Late) != 2 || len(o.Rollbacks) != 1 {
		t.Fatalf("%+v %v", o, err)
	}
	r := o.Rollbacks[0]
	if r.Source != lts || !strings.HasPrefix(r.Event.Notes, "late=true") || r.Decision != nil || *r.DeadlineMS != ms(f.clock.at+5*time.Minute) {
		t.Fatalf("%+v", r)
	}
	if o, err := f.Observe([]gates.Window{late}, false); err != nil || o.Known != 1 || len(o.Rollbacks) != 1 || o.Rollbacks[0] != r {
		t.Errorf("again: %+v %v", o, err)
	}
	if _, err := f.Done(lts.Bundle, "ann"); err != nil {
		t.Fatal(err)
	}
	if o, err := f.Observe([]gates.Window{late}, false); err != nil || o.Known != 1 || o.Rollbacks != nil {
		t.Errorf("done: %+v %v", o, err)
	}
	f.actions()
}

// Time that goes back is not recorded, but in a rollback.
func TestClockBack(t *testing.T) {
	f, b := canary(t, 3)
	f.clock.at -= time.Second
	w := window(b, 4, f.clock.at-time.Minute)
	if _, err := f.Observe([]gates.Window{w}, false); err != nil {
		t.Errorf("a second: %v", err)
	}
	f.clock.at -= 1001 * time.Millisecond
	var r *RefusedError
	w = window(b, 5, f.clock.at-time.Minute)
	if _, err := f.Observe([]gates.Window{w}, false); !errors.As(err, &r) {
		t.Errorf("more: %v", err)
	}
	if _, err := f.Rollback(b.ID, "ann", "checkout fails"); err != nil {
		t.Error(err)
	}
}
