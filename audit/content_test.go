package audit

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/relseal/relseal/finding"
)

// TestContent is about events that are authentic and yet wrong: a faulty or a
// dishonest writer made them.
func TestContent(t *testing.T) {
	seed := func(s string) *string { return &s }
	at := func(k int64, change func(*Event)) func(*Event) {
		return func(e *Event) {
			if e.K == k {
				change(e)
			}
		}
	}
	from := func(k int64, change func(*Event)) func(*Event) {
		return func(e *Event) {
			if e.K >= k {
				change(e)
			}
		}
	}
	tests := []struct {
		name string
		edit func(*Event)
		want string
	}{
		{"EnvLock", at(3, func(e *Event) { e.EnvLock.Fingerprint = digest("other") }), "E_ENVLOCK@3"},
		{"EnvLock null", at(3, func(e *Event) { e.EnvLock.Fingerprint = nil }), "E_ENVLOCK@3"},
		{"PipelineCard", at(3, func(e *Event) { e.PipelineCard.Hash = digest("other") }), "E_CARD@3"},
		{"ParamCard", at(8, func(e *Event) { e.ParamCard.Hash = nil }), "E_CARD@8"},
		{"both cards", at(3, func(e *Event) { e.ParamCard.Hash, e.PipelineCard.Hash = nil, nil }), "E_CARD@3 E_CARD@3"},
		{"inputs", at(2, func(e *Event) { e.Inputs.Hash = *digest("other") }), "E_DATA_MISMATCH@2"},
		{"outputs", at(3, func(e *Event) { e.Outputs.Items[0].Hash = *digest("other") }), "E_DATA_MISMATCH@3"},
		{"hash without items", at(3, func(e *Event) { e.Outputs = Items{Hash: *digest("other")} }), ""},
		{"seed not a number", at(3, func(e *Event) { e.RNG.Seed = seed("forty-two") }), "E_SEED_INVALID@3"},
		{"seed not canonical", at(3, func(e *Event) { e.RNG.Seed = seed("042") }), "E_SEED_INVALID@3"},
		{"seed signed", at(3, func(e *Event) { e.RNG.Seed = seed("+42") }), "E_SEED_INVALID@3"},
		{"seed of 65 bits", at(3, func(e *Event) { e.RNG.Seed = seed("18446744073709551616") }), "E_SEED_INVALID@3"},
		{"largest seed", from(1, func(e *Event) { e.RNG.Seed = seed("18446744073709551615") }), ""},
		{"no seed", from(1, func(e *Event) { e.RNG.Seed = nil }), ""},
		{"seed differs", at(3, func(e *Event) { e.RNG.Seed = seed("43") }), "E_SEED_INVALID@3"},
		{"seed missing", at(3, func(e *Event) { e.RNG.Seed = nil }), "E_SEED_INVALID@3"},
		{"key", at(3, func(e *Event) { e.Verifier.PKRef = mallory.pub.KeyID() }), "E_SIG_EVENT@3"},
		{"run id", at(3, func(e *Event) { e.Run.ID = NewRunID([16]byte{7}) }), "E_RUN_ID@3"},

		{"ts back a little", from(4, func(e *Event) { e.TS = NewTime(e.TS.Add(-time.Second)) }), "E_TIME_ORDER@4~"},
		{"ts back a second and a bit", from(4, func(e *Event) { e.TS = NewTime(e.TS.Add(-time.Second - time.Millisecond)) }), "E_TIME_ORDER@4~"},
		{"ts back more", from(4, func(e *Event) { e.TS = NewTime(e.TS.Add(-time.Second - 2*time.Millisecond)) }), "E_TIME_ORDER@4?"},
		{"ts before the genesis", from(1, func(e *Event) { e.TS = NewTime(e.TS.Add(-time.Hour)) }), "E_TIME_ORDER@1?"},
		{"ts the same", from(1, func(e *Event) { e.TS = NewTime(newClock().ts.Add(time.Minute)) }), ""},
		{"tau back", from(4, func(e *Event) { e.TauMonoUS -= 1001 }), "E_TIME_ORDER@4?"},
		{"tau the same", from(1, func(e *Event) { e.TauMonoUS = 5 }), ""},
		{"tau back in another clock", from(4, func(e *Event) { e.TauMonoUS, e.Clock = e.TauMonoUS-1e6, "clock-b" }), ""},
		{"tau back in the first clock", from(1, func(e *Event) {
			if e.K%2 == 0 {
				e.Clock, e.TauMonoUS = "clock-b", e.TauMonoUS*9
			} else if e.K == 5 {
				e.TauMonoUS = 0
			}
		}), "E_TIME_ORDER@5?"},

		{"no run.start", at(1, func(e *Event) { e.Action = "operator.note" }), "E_SEQUENCE@1"},
		{"two run.start", at(6, func(e *Event) { e.Action = ActionRunStart }), "E_SEQUENCE@6"},
		{"step without a name", at(2, func(e *Event) { e.Path = Text{} }), "E_SEQUENCE@2 E_SEQUENCE@3"},
		{"step starts twice", at(4, func(e *Event) { e.Path = Txt("build") }), "E_SEQUENCE@4 E_SEQUENCE@5"},
		{"step ends without a start", at(5, func(e *Event) { e.Path = Txt("other") }), "E_SEQUENCE@5"},
		{"step ends twice", at(5, func(e *Event) { e.Path = Txt("build") }), "E_SEQUENCE@5"},
		{"step under a commitment", at(5, func(e *Event) { e.Path = Text{Commit: digest("test")} }), ""},
		{"step never ends", at(5, func(e *Event) { e.Action = "operator.note" }), ""},
		{"run.end twice", at(6, func(e *Event) { e.Action, e.Status = ActionRunEnd, StatusOK }), "E_SEQUENCE@7"},
		{"step after run.end", from(3, func(e *Event) {
			if e.K == 3 {
				e.Action, e.Status = ActionRunEnd, StatusOK
			} else if e.K == 7 {
				e.Action = "operator.note"
			}
		}), "E_SEQUENCE@4 E_SEQUENCE@5"},
		{"aborted", at(6, func(e *Event) { e.Action = ActionRunAbort }), ""},
		{"no run.end", at(7, func(e *Event) { e.Action = "operator.note" }), "E_SEQUENCE@8"},
		{"after the close", at(6, func(e *Event) { e.Action = ActionTrailClose }), "E_SEQUENCE@6 E_SEQUENCE@7 E_SEQUENCE@8"},
		{"not closed", at(8, func(e *Event) { e.Action = "operator.note" }), "E_TRAIL_OPEN@8?"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := check(t, newMaker(t, runGenesis(), nil).add(runDrafts(), tt.edit).String(), nil)
			want(t, res, tt.want)
		})
	}
}

// TestSegment checks a part of a run that another host has continued.
func TestSegment(t *testing.T) {
	g := runGenesis()
	g.Continues = &Continues{H0: *digest("first"), K: 7, HK: *digest("seventh")}
	m := newMaker(t, g, nil).add(runDrafts()[4:], nil)
	want(t, check(t, m.String(), nil), "")
}

func TestLedger(t *testing.T) {
	drafts := []Draft{
		{Actor: Txt("ci"), Action: "policy.register"},
		{Actor: Txt("ci"), Action: "step.end"},
		{Actor: Txt("ci"), Action: "rollback.done"},
	}
	seeds := []string{"1", "2", "3"}
	for i := range drafts {
		drafts[i].Seed = &seeds[i]
	}
	ledger := newMaker(t, ledgerGenesis(), nil).add(drafts, nil)
	want(t, check(t, ledger.String(), func(o *CheckOptions) { o.Bare = true }), "")
	want(t, check(t, ledger.String(), nil), "E_TRAIL_OPEN@3~")

	ledger.add([]Draft{{Actor: Txt("ci"), Action: ActionTrailClose}}, nil)
	res := check(t, ledger.String(), nil)
	want(t, res, "E_SEQUENCE@4")
	if res.Closed {
		t.Error("closed")
	}
	ledger.add(drafts[:1], nil)
	want(t, check(t, ledger.String(), nil), "E_SEQUENCE@4 E_TRAIL_OPEN@5~")
}

// TestFailureIsNoFinding: that a run has failed is no fault of its trail.
func TestFailureIsNoFinding(t *testing.T) {
	for _, status := range []string{StatusOK, StatusFailed, StatusAborted} {
		drafts := runDrafts()
		drafts[4].Status, drafts[6].Status = status, status
		want(t, check(t, newMaker(t, runGenesis(), nil).add(drafts, nil).String(), nil), "")
	}
}

// TestGenesisLies is about a genesis that its key has signed.
func TestGenesisLies(t *testing.T) {
	tests := []struct {
		name string
		edit func(*Genesis)
		want finding.Code
	}{
		{"schema", func(g *Genesis) { g.Schema = "relseal/trail/v2" }, finding.SchemaMismatch},
		{"no schema", func(g *Genesis) { g.Schema = "" }, finding.SchemaMismatch},
		{"purpose", func(g *Genesis) { g.Purpose = "walk" }, finding.Format},
		{"run id short", func(g *Genesis) { g.Run.ID = "abc" }, finding.Format},
		{"run id upper case", func(g *Genesis) { g.Run.ID = "ABCDEFABCDEFABCDEFABCDEFABCDEFAB" }, finding.Format},
		{"no EnvLock", func(g *Genesis) { g.EnvLock.Fingerprint = nil }, finding.Format},
		{"no PipelineCard", func(g *Genesis) { g.PipelineCard.Hash = nil }, finding.Format},
		{"no ParamCard", func(g *Genesis) { g.ParamCard.Hash = nil }, finding.Format},
		{"product", func(g *Genesis) { g.Product = "gr\u00e9etd" }, finding.Format},
		{"continues", func(g *Genesis) { g.Continues = &Continues{K: -1} }, finding.Format},
		{"root", func(g *Genesis) { g.Root = &RootRef{} }, finding.Format},
		{"details null", func(g *Genesis) { g.Details = []byte("null") }, finding.Format},
		{"delegation null", func(g *Genesis) { g.Delegation = []byte("null") }, finding.Format},
		{"ledger without a name", func(g *Genesis) { *g = Genesis{Schema: Schema, Purpose: PurposeLedger, Created: g.Created} }, finding.Format},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := check(t, newMaker(t, runGenesis(), tt.edit).String(), nil)
			want(t, res, string(tt.want)+"@0")
		})
	}
}

func TestClockFault(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for _, tt := range []struct {
		off     time.Duration
		vouched bool
		want    string // part of the error, "" for none
	}{
		{0, false, ""},
		{-slack, false, ""},
		{-slack - 1, false, "before the latest time on record"},
		{-slack - 1, true, "before the latest time on record"},
		{ClockAhead, false, ""},
		{ClockAhead + 1, false, "2h0m0s after everything on record"},
		{ClockAhead + 1, true, ""},
		{9 * ClockAhead, true, ""},
	} {
		err := ClockFault(at, at.Add(tt.off), tt.vouched)
		var fault *ClockError
		switch {
		case tt.want == "" && err != nil, tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%v, vouched %v: %v", tt.off, tt.vouched, err)
		case err != nil && (!errors.As(err, &fault) || fault.Ahead() != (tt.off > 0)):
			t.Errorf("%v: %#v", tt.off, err)
		}
	}
}
