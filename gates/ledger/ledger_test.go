package ledger

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// A told ledger is fed events one after the other, a second apart.
type told struct {
	t *testing.T
	*State
	k int64
}

func (l *told) add(action string, details any) *Fault {
	l.t.Helper()
	data, err := canon.Marshal(details)
	if err != nil {
		l.t.Fatal(err)
	}
	l.k++
	return l.Add(Event{K: l.k, TimeMS: 1000 * l.k, MonoMS: 1000 * l.k, Clock: "c", Actor: "ann", Action: action, Notes: "a reason", Details: data})
}

func (l *told) good(action string, details any) {
	l.t.Helper()
	if f := l.add(action, details); f != nil {
		l.t.Fatalf("%s: %v", action, f)
	}
}

// wrong adds an event that must have a fault of the code that says so.
func (l *told) wrong(code, text, action string, details any) {
	l.t.Helper()
	if f := l.add(action, details); f == nil || f.Code != code || f.K != l.k || !strings.Contains(f.Error(), text) {
		l.t.Errorf("%s: %v, want %s %q", action, f, code, text)
	}
}

func ledgerPolicy() gates.Policy {
	return gates.Policy{
		Schema: gates.Schema, Mode: "literal", RCanary: "0.05", TObsMS: 2000, TRollbackMS: 5000, StaleMaxMS: 100_000, WMin: 2, NLTS: 1, MaxUndecidable: 2, SkewMaxMS: 1_000_000,
		TauScore: "0.95", GateRep: "0.02", TauPSD: gates.PSDLimit{Kind: "rel_l1", Max: "0.05"}, TauTB: gates.TBLimit{Kind: "rms", Max: "0.001", Unit: "s"}, TauHB: "5", TauDrop: "0.01", TauInc: "0.1",
	}
}

func ledgerWindow(id sign.Digest, channel string, seq int64, start int64) Windowed {
	return Windowed{gates.Window{Schema: gates.WindowSchema, ID: fmt.Sprint(channel, seq), Channel: channel, Release: id.String(), Seq: seq, StartMS: start, EndMS: start + 1000,
		Score: "1", DeltaRep: "0", DeltaPSD: "0", RTB: "0", HBLag: "0", DropRate: "0", IncidentRate: "0"}}
}

// newTold registers the policy and admits a canary: events 1 and 2.
func newTold(t *testing.T) (*told, sign.Digest, sign.Digest) {
	l := &told{t: t, State: New()}
	p := ledgerPolicy()
	data, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	policy, id := sign.Sum(data), sign.Sum([]byte("canary"))
	l.good(ActionRegister, Registered{policy, p})
	l.good(ActionSealed, Sealed{id, gates.Canary, "1.0.0", &policy, nil})
	return l, id, policy
}

func (l *told) judged(id sign.Digest) *Judgement {
	l.t.Helper()
	j, err := l.Judge(l.Release(id), 1000*(l.k+1))
	if err != nil {
		l.t.Fatal(err)
	}
	return j
}

func TestLedgerFaults(t *testing.T) {
	l, id, policy := newTold(t)
	p := ledgerPolicy()
	other := sign.Sum([]byte("other"))
	l.wrong("E_DATA_MISMATCH", "not that of the policy", ActionRegister, Registered{other, p})
	p.WMin = 0
	l.wrong("E_FORMAT", "no gate policy", ActionRegister, Registered{policy, p})
	l.wrong("E_FORMAT", "unknown member", ActionRegister, map[string]any{"digest": policy, "policy": ledgerPolicy(), "x": 1})
	l.wrong("E_DATA_MISMATCH", "came to its channel before", ActionSealed, Sealed{id, gates.Canary, "1.0.0", &policy, nil})
	l.wrong("E_FORMAT", `"beta" is no channel`, ActionSealed, Sealed{other, "beta", "1.0.0", nil, nil})
	l.wrong("E_DECISION", "no event promoted the bundle to stable", ActionSealed, Sealed{other, gates.Stable, "1.0.0", nil, nil})
	l.wrong("E_DATA_MISMATCH", "came to no channel", ActionWindow, ledgerWindow(sign.Sum([]byte("x")), gates.Canary, 1, 3000))
	l.wrong("E_DATA_MISMATCH", "another channel", ActionWindow, ledgerWindow(id, gates.Stable, 1, 3000))
	w := ledgerWindow(id, gates.Canary, 1, 3000)
	w.Window.Release = "1.0.0"
	l.wrong("E_FORMAT", "want a bundle.id", ActionWindow, w)
	l.wrong("E_DECISION", "leaves out a channel", ActionPromote, Promoted{id, gates.Canary, gates.LTS, policy, nil})
	l.wrong("E_DATA_MISMATCH", "is no rollback", ActionRollbackDone, RollbackDone{Rollback: 7, OK: true})
	if f := l.Add(Event{K: 99, Action: "key.rotate"}); f != nil {
		t.Errorf("another action: %v", f)
	}
}

// What comes of an event that does not follow is nothing: a made-up promotion
// leads nowhere, however it is closed in itself.
func TestLedgerCircle(t *testing.T) {
	l, _, policy := newTold(t)
	id := sign.Sum([]byte("circle"))
	k := l.k + 2
	l.wrong("E_DECISION", "is no promotion", ActionSealed, Sealed{id, gates.Stable, "1.0.0", &policy, &k})
	l.wrong("E_DECISION", "", ActionPromote, Promoted{id, gates.Stable, gates.LTS, policy, nil})
	if way := l.Promotions(k); len(way) != 1 {
		t.Errorf("the way has %d steps", len(way))
	}
	l.judged(id)
}

// A decision and the event that records it look at the windows once; a window in between
// makes another decision.
func TestJudgedOnce(t *testing.T) {
	l, id, _ := newTold(t)
	for seq := range int64(2) {
		l.good(ActionWindow, ledgerWindow(id, gates.Canary, seq+1, 2000+1000*seq))
	}
	j := l.judged(id)
	before := l.Work()
	l.good(ActionPromote, Promoted{id, gates.Canary, gates.Stable, j.Digest, nil})
	if l.Move(l.k).Judgement != j || l.Work() != before {
		t.Errorf("decided again: %d looked at", l.Work()-before)
	}

	l, id, _ = newTold(t)
	l.good(ActionWindow, ledgerWindow(id, gates.Canary, 1, 2000))
	l.k++
	early := l.judged(id)
	l.k--
	l.good(ActionWindow, ledgerWindow(id, gates.Canary, 2, 3000))
	if l.judged(id).Digest == early.Digest {
		t.Error("a decision of before the last window")
	}
}

func TestLedgerWay(t *testing.T) {
	l, id, policy := newTold(t)
	for seq := range int64(2) {
		if j := l.judged(id); j.Outcome() != gates.Hold || seq == 0 == j.MayOverride() {
			t.Fatalf("after %d windows: %s, may be overridden %v", seq, j.Outcome(), j.MayOverride())
		}
		l.good(ActionWindow, ledgerWindow(id, gates.Canary, seq+1, 3000+1000*seq))
	}
	j := l.judged(id)
	if j.Outcome() != gates.Promote || j.First != 3 || j.Last != 4 || j.Count != 2 || j.MayOverride() {
		t.Fatalf("%+v", j)
	}
	l.good(ActionPromote, Promoted{id, gates.Canary, gates.Stable, j.Digest, nil})
	stable, k := sign.Sum([]byte("stable")), l.k
	l.wrong("E_DATA_MISMATCH", "another channel", ActionSealed, Sealed{sign.Sum([]byte("a")), gates.LTS, "1.0.0", &policy, &k})
	l.wrong("E_DATA_MISMATCH", "another version", ActionSealed, Sealed{sign.Sum([]byte("b")), gates.Stable, "1.0.1", &policy, &k})
	l.wrong("E_DATA_MISMATCH", "another policy", ActionSealed, Sealed{sign.Sum([]byte("c")), gates.Stable, "1.0.0", nil, &k})
	l.good(ActionSealed, Sealed{stable, gates.Stable, "1.0.0", &policy, &k})
	l.wrong("E_DATA_MISMATCH", "was sealed before", ActionSealed, Sealed{sign.Sum([]byte("d")), gates.Stable, "1.0.0", &policy, &k})
	l.wrong("E_DECISION", "was promoted before", ActionPromote, Promoted{id, gates.Canary, gates.Stable, j.Digest, nil})
	if got := l.Release(stable); l.Head(gates.Stable) == nil || l.MoveTo(got) != l.Move(k) || len(l.Promotions(k)) != 1 || l.ReturnTo(l.Release(id)) == nil {
		t.Errorf("on stable stands %+v", l.Head(gates.Stable))
	}

	// A trigger on canary that comes late ends the way up.
	l.good(ActionWindow, ledgerWindow(stable, gates.Stable, 1, 1000*l.k))
	if j := l.judged(stable); j.Outcome() != gates.Promote {
		t.Fatalf("%v", j.Unmet())
	}
	late := ledgerWindow(id, gates.Canary, 3, 5000)
	late.Window.DropRate = "0.5"
	l.good(ActionWindow, late)
	if j := l.judged(stable); j.Outcome() != gates.Undecidable || !j.Triggered() || j.MayOverride() || !slices.Contains(j.Unmet(), "LATE_TRIGGER") {
		t.Errorf("%s %v", j.Outcome(), j.Unmet())
	}
}

// What was rolled back from a channel is nothing to return to on those below: it
// is the same artifacts.
func TestReturnTo(t *testing.T) {
	l, id, policy := newTold(t)
	l.good(ActionWindow, ledgerWindow(id, gates.Canary, 1, 3000))
	l.good(ActionWindow, ledgerWindow(id, gates.Canary, 2, 4000))
	l.good(ActionPromote, Promoted{id, gates.Canary, gates.Stable, l.judged(id).Digest, nil})
	stable, next, k := sign.Sum([]byte("stable")), sign.Sum([]byte("next")), l.k
	l.good(ActionSealed, Sealed{stable, gates.Stable, "1.0.0", &policy, &k})
	l.good(ActionSealed, Sealed{next, gates.Canary, "1.0.1", nil, nil})
	if to := l.ReturnTo(l.Release(next)); to == nil || to.Bundle != stable || l.Head(gates.Stable) != to {
		t.Fatalf("to %+v", to)
	}
	now := 1000 * (l.k + 1)
	d, _, _ := l.RollbackOf(l.Release(stable), now, true)
	details, err := canon.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	l.k++
	if f := l.Add(Event{K: l.k, TimeMS: now, Actor: "ann", Action: ActionRollback, Notes: "checkout fails", Details: details}); f != nil {
		t.Fatal(f)
	}
	if to := l.ReturnTo(l.Release(next)); to != nil || l.Head(gates.Stable) != nil || l.Head(gates.Canary).Bundle != next {
		t.Errorf("to %+v", to)
	}
	at := 1000 * (l.k + 1)
	deadline := at + ledgerPolicy().TRollbackMS
	l.good(ActionRollback, RolledBack{Release: next, Channel: gates.Canary, TriggerEndMS: at, DeadlineMS: &deadline})
	if on := l.Head(gates.Canary); on != nil {
		t.Errorf("on canary stands %+v, which was rolled back from stable", on)
	}
}

// However many promotions a ledger claims, each release is judged once.
func BenchmarkLedgerOfPromotions(b *testing.B) {
	l, id, _ := newTold(&testing.T{})
	for seq := range int64(1000) {
		l.good(ActionWindow, ledgerWindow(id, gates.Canary, seq+1, 3000+1000*seq))
	}
	details, err := canon.Marshal(Promoted{Release: id, From: gates.Canary, To: gates.Stable})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		l.k++
		l.Add(Event{K: l.k, TimeMS: 1000 * l.k, Action: ActionPromote, Details: details})
	}
}

// A policy promotes only what began to be measured after it was registered, and
// rolls back whatever it judges.
func TestLedgerPolicyTime(t *testing.T) {
	p := ledgerPolicy()
	data, _ := p.Marshal()
	policy := sign.Sum(data)
	strict := p
	strict.WMin = 3
	data, _ = strict.Marshal()
	strictDigest := sign.Sum(data)
	// The canary comes at 2 s: each register or window is the next event, a second later.
	register, other := Registered{policy, p}, Registered{strictDigest, strict}
	id := sign.Sum([]byte("canary"))
	at := func(seq, start int64, score gates.Value) Windowed {
		w := ledgerWindow(id, gates.Canary, seq, start)
		w.Window.Score = score
		return w
	}
	straddling := at(1, 1500, "1")
	straddling.Window.EndMS = 2500
	for _, tc := range []struct {
		name   string
		named  *sign.Digest
		before any // event 1
		events []any
		judges *sign.Digest
		k      int64 // of the registration that judges
		late   bool
		want   gates.Outcome
	}{
		{"named and first", &policy, register, []any{at(1, 2000, "1"), at(2, 3000, "1")}, &policy, 1, false, gates.Promote},
		{"named, registered at the start of the first window", &policy, other, []any{register, at(1, 3000, "1"), at(2, 4000, "1")}, &policy, 3, false, gates.Promote},
		{"named, 1 ms after it", &policy, other, []any{register, at(1, 2999, "1"), at(2, 3999, "1")}, &policy, 3, true, gates.Undecidable},
		{"named, before one window and after one that came later", &policy, other, []any{register, at(1, 3000, "1"), at(2, 4000, "1"), at(3, 2000, "1")}, &policy, 3, true, gates.Undecidable},
		{"named, before the event of a window that had begun", &policy, other, []any{register, at(1, 2500, "1"), at(2, 3500, "1")}, &policy, 3, true, gates.Undecidable},
		{"named, after the event of a window that had not begun", &policy, other, []any{at(1, 9000, "1"), at(2, 10_000, "1"), register}, &policy, 5, false, gates.Promote},
		{"named, and a window of the time before the release", &policy, register, []any{at(1, 500, "1"), at(2, 2000, "1"), at(3, 3000, "1")}, &policy, 1, false, gates.Promote},
		{"named, and a window in which the release came", &policy, other, []any{register, straddling, at(2, 4000, "1"), at(3, 5000, "1")}, &policy, 3, true, gates.Undecidable},
		{"named twice", &policy, register, []any{at(1, 2000, "1"), register, at(2, 3000, "1")}, &policy, 1, false, gates.Promote},
		{"named, late, and a trigger", &policy, other, []any{at(1, 2000, "0"), register}, &policy, 4, true, gates.Rollback},
		{"none named", nil, other, []any{register, at(1, 3000, "1"), other, at(2, 4000, "1")}, &policy, 3, false, gates.Promote},
		{"none named, and a strict one replaced after the look", nil, other, []any{at(1, 2000, "1"), register, at(2, 3000, "1")}, &strictDigest, 1, false, gates.Hold},
		{"none named, registered between the beginning and its event", nil, nil, []any{register, at(1, 2500, "1"), at(2, 3500, "1")}, &policy, 3, true, gates.Undecidable},
		{"none named, none before the first window", nil, nil, []any{at(1, 2000, "1"), at(2, 3000, "1"), register, other}, &policy, 5, true, gates.Undecidable},
		{"none named, none before the first window, and a trigger", nil, nil, []any{at(1, 2000, "0"), register, other}, &policy, 4, true, gates.Rollback},
		{"none named, none there", nil, nil, []any{at(1, 2000, "1")}, nil, 0, false, gates.Undecidable},
	} {
		l := &told{t: t, State: New()}
		if tc.before != nil {
			l.good(ActionRegister, tc.before)
		} else {
			l.k++
		}
		l.good(ActionSealed, Sealed{id, gates.Canary, "1.0.0", tc.named, nil})
		for _, e := range tc.events {
			action := ActionWindow
			if _, ok := e.(Registered); ok {
				action = ActionRegister
			}
			l.good(action, e)
		}
		l.k = 20 // after every window
		j := l.judged(id)
		if tc.judges == nil {
			if j.Policy != nil || !slices.Equal(j.Reasons, []string{reasonUnknown}) {
				t.Errorf("%s: judged by %v: %v", tc.name, j.Policy, j.Reasons)
			}
			continue
		}
		if j.Policy.Digest != *tc.judges || j.Policy.K != tc.k || j.late() != tc.late || j.Outcome() != tc.want {
			t.Errorf("%s: by event %d, late %v: %s, want event %d, late %v: %s; %v", tc.name, j.Policy.K, j.late(), j.Outcome(), tc.k, tc.late, tc.want, j.Unmet())
		}
		if tc.late && j.MayOverride() {
			t.Errorf("%s: it may be overridden", tc.name)
		}
		promote := Promoted{id, gates.Canary, gates.Stable, j.Digest, nil}
		switch {
		case tc.late:
			l.wrong("E_POLICY_LATE", "after the windows that it judges began", ActionPromote, promote)
		case tc.want == gates.Promote:
			l.good(ActionPromote, promote)
		}
	}
}

// What a ledger has too much of is one fault, and nothing after it is taken in; the
// writer is told before.
func TestLedgerLimits(t *testing.T) {
	l, _, policy := newTold(t)
	p := ledgerPolicy()
	for range limits.Policies - 2 {
		l.policies = append(l.policies, l.policies[0])
	}
	if why := l.Room(ActionRegister); why != "" {
		t.Error(why)
	}
	l.good(ActionRegister, Registered{policy, p})
	if why := l.Room(ActionRegister); !strings.Contains(why, "10000 registrations") || l.Room(ActionSealed) != "" {
		t.Errorf("%q", why)
	}
	l.wrong("E_LIMIT", "more than 10000 policies", ActionRegister, Registered{policy, p})
	l.good(ActionWindow, "no window")
	if l.Room(ActionWindow) == "" {
		t.Error("there is room behind a limit")
	}

	l, _, _ = newTold(t)
	for range limits.Releases - 1 {
		l.order = append(l.order, l.order[0])
	}
	if why := l.Room(ActionSealed); !strings.Contains(why, "100000 bundles") {
		t.Errorf("%q", why)
	}
	l.wrong("E_LIMIT", "more than 100000 bundles", ActionSealed, Sealed{sign.Sum(nil), gates.Canary, "1.0.0", nil, nil})

	l, _, _ = newTold(t)
	for range limits.Amiss {
		l.wrong("E_FORMAT", "", ActionOverride, 1)
	}
	l.wrong("E_LIMIT", "more than 10000 events", ActionOverride, 1)

	l, id, _ := newTold(t)
	for i := range int64(limits.Windows) {
		l.Release(id).Windows.Add(i, &gates.Window{StartMS: i, EndMS: i + 1})
	}
	l.Release(id).Count = limits.Windows
	l.wrong("E_LIMIT", "more windows of one release", ActionWindow, ledgerWindow(id, gates.Canary, limits.Windows+1, 3000))
	l.good(ActionWindow, ledgerWindow(id, gates.Canary, limits.Windows+2, 4000)) // and not again
	l.wrong("E_SEQUENCE", "a ledger never closes", "trail.close", 1)
	l.good("operator.note", 1)
	l.wrong("E_FORMAT", "1 to 200 characters", ActionSealed, Sealed{sign.Sum(nil), gates.Canary, strings.Repeat("1", 201), nil, nil})
}

// What was recorded before it had ended nobody had measured: it promotes nothing, with
// nobody's signature, and rolls back all the same. The clock is the ledger's, and
// skew_max is how far that of the source may differ.
func TestLedgerWindowEarly(t *testing.T) {
	for _, tc := range []struct {
		skew  int64 // of the policy
		start int64 // of the second window, recorded at 4000
		drop  gates.Value
		want  gates.Outcome
	}{
		{0, 3000, "0", gates.Promote},
		{0, 3001, "0", gates.Undecidable},
		{500, 3500, "0", gates.Promote},
		{500, 3501, "0", gates.Undecidable},
		{0, 1_000_000, "0.5", gates.Rollback},
	} {
		p := ledgerPolicy()
		p.SkewMaxMS, p.GapMaxMS = tc.skew, 1_000_000
		data, err := p.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		policy, id := sign.Sum(data), sign.Sum([]byte("canary"))
		l := &told{t: t, State: New()}
		l.good(ActionRegister, Registered{policy, p})
		l.good(ActionSealed, Sealed{id, gates.Canary, "1.0.0", &policy, nil})
		first, second := ledgerWindow(id, gates.Canary, 1, 2000), ledgerWindow(id, gates.Canary, 2, tc.start)
		second.Window.DropRate = tc.drop
		l.good(ActionWindow, first)
		l.good(ActionWindow, second)
		l.k = 90 // long after both ended
		j := l.judged(id)
		early := slices.Contains(j.Unmet(), "WINDOW_EARLY")
		if j.Outcome() != tc.want || early != (tc.want != gates.Promote) || j.MayOverride() {
			t.Errorf("skew_max %d, start %d: %s %q", tc.skew, tc.start, j.Outcome(), j.Unmet())
		}
		promote := Promoted{id, gates.Canary, gates.Stable, j.Digest, nil}
		switch {
		case tc.want == gates.Promote:
			l.good(ActionPromote, promote)
			continue
		case tc.want == gates.Rollback:
			back, _, fault := l.RollbackOf(l.Release(id), 1000*(l.k+1), false)
			if fault != nil {
				t.Error(fault)
			}
			l.good(ActionRollback, back)
			continue
		}
		if text := j.Explain(); !strings.Contains(text, "by event 4: nobody had measured it then") {
			t.Error(text)
		}
		k := l.k + 1
		l.good(ActionOverride, Overridden{id, gates.Canary, gates.Stable, j.Digest, j.Unmet()})
		promote.Override = &k
		l.wrong(codeDecision, "before anybody could have measured it", ActionPromote, promote)
	}
}

// A release that has no room for another window never promotes: there may have been one
// that was refused.
func TestLedgerFull(t *testing.T) {
	const most = limits.Name + 7*limits.Value // of one window
	var filler gates.Window
	for _, v := range []*gates.Value{&filler.Score, &filler.DeltaRep, &filler.DeltaPSD, &filler.RTB, &filler.HBLag, &filler.DropRate, &filler.IncidentRate} {
		*v = gates.Value(strings.Repeat("v", limits.Value))
	}
	for over := range int64(2) {
		l, id, _ := newTold(t)
		first, second := ledgerWindow(id, gates.Canary, 1, 2000), ledgerWindow(id, gates.Canary, 2, 3000)
		ws := &l.Release(id).Windows // of the time before the release, which decide nothing
		fill := limits.WindowText - most + over - gates.TextOf(&first.Window) - gates.TextOf(&second.Window)
		for left := fill; left > 0; left = fill - ws.Text() {
			w := filler
			if w.ID = fmt.Sprintf("%0*d", limits.Name, ws.Len()); left < most {
				w = gates.Window{ID: strings.Repeat("w", int(left))}
			}
			ws.Add(0, &w)
		}
		l.good(ActionWindow, first)
		l.good(ActionWindow, second)
		j := l.judged(id)
		if (j.Outcome() == gates.Promote) != (over == 0) || j.MayOverride() {
			t.Errorf("%d bytes of text: %s %q", ws.Text(), j.Outcome(), j.Unmet())
		}
		if over == 0 {
			continue
		}
		if !slices.Contains(j.Unmet(), "WINDOW_LIMIT") || !strings.Contains(j.Explain(), "there may have been more") {
			t.Errorf("%q\n%s", j.Unmet(), j.Explain())
		}
		l.wrong(codeDecision, "there may have been more", ActionPromote, Promoted{id, gates.Canary, gates.Stable, j.Digest, nil})
	}
}

// Nobody overrides a decision that rests on no window, even where one is on record that
// was measured before the release came.
func TestLedgerOverrideOfNothing(t *testing.T) {
	l, id, _ := newTold(t)
	l.good(ActionWindow, ledgerWindow(id, gates.Canary, 1, 0))
	j, err := l.Judge(l.Release(id), 1000*(l.k+2))
	if err != nil || j.Count != 1 || j.Decision.Observed.Count != 0 {
		t.Fatalf("%d windows, of which %d count: %v", j.Count, j.Decision.Observed.Count, err)
	}
	k := l.k + 1
	l.good(ActionOverride, Overridden{id, gates.Canary, gates.Stable, j.Digest, j.Unmet()})
	l.wrong(codeDecision, "nobody can override this", ActionPromote, Promoted{id, gates.Canary, gates.Stable, j.Digest, &k})
}

// Somebody must be named who answers for an override, and a reason be given.
func TestLedgerOverrideByNobody(t *testing.T) {
	for _, blank := range []string{"", " ", "\u00a0", "\u200b", "--"} {
		for _, e := range []Event{{Actor: blank, Notes: "a reason"}, {Actor: "ann", Notes: blank}} {
			l, id, _ := newTold(t)
			details, err := canon.Marshal(Overridden{id, gates.Canary, gates.Stable, id, []string{}})
			if err != nil {
				t.Fatal(err)
			}
			e.K, e.Action, e.Details = 3, ActionOverride, details
			if f := l.Add(e); f == nil || f.Code != codeDecision {
				t.Errorf("actor %q, notes %q: %v", e.Actor, e.Notes, f)
			}
		}
	}
}
