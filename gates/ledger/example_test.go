package ledger_test

import (
	"fmt"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/gates/ledger"
	"github.com/relseal/relseal/sign"
)

// A canary comes under a registered policy and is measured twice; then it may move up.
func Example() {
	policy := gates.Policy{
		Schema: gates.Schema, Mode: "literal", RCanary: "0.05", TObsMS: 120_000, TRollbackMS: 60_000, StaleMaxMS: 60_000, WMin: 2, NLTS: 3, MaxUndecidable: 2,
		TauScore: "0.95", GateRep: "0.02", TauPSD: gates.PSDLimit{Kind: "rel_l1", Max: "0.05"}, TauTB: gates.TBLimit{Kind: "rms", Max: "0.001", Unit: "s"},
		TauHB: "5", TauDrop: "0.01", TauInc: "0.1",
	}
	data, err := policy.Marshal()
	if err != nil {
		fmt.Println(err)
		return
	}
	digest, canary := sign.Sum(data), sign.Sum([]byte("the manifest of the canary's bundle"))
	window := func(seq int64) ledger.Windowed {
		return ledger.Windowed{Window: gates.Window{
			Schema: gates.WindowSchema, ID: fmt.Sprint("w", seq), Channel: gates.Canary, Release: canary.String(), Seq: seq, StartMS: 60_000 * seq, EndMS: 60_000 * (seq + 1),
			Score: "0.97", DeltaRep: "0.01", DeltaPSD: "0.01", RTB: "0.0002", HBLag: "1.5", DropRate: "0.001",
		}}
	}

	state := ledger.New()
	for i, e := range []struct {
		timeMS  int64
		action  string
		details any
	}{
		{0, ledger.ActionRegister, ledger.Registered{Digest: digest, Policy: policy}},
		{60_000, ledger.ActionSealed, ledger.Sealed{Bundle: canary, Channel: gates.Canary, Version: "1.0.0", Policy: &digest}},
		{120_000, ledger.ActionWindow, window(1)},
		{180_000, ledger.ActionWindow, window(2)},
		{181_000, ledger.ActionRollbackDone, ledger.RollbackDone{Rollback: 2, OK: true}},
	} {
		details, err := canon.Marshal(e.details)
		if err != nil {
			fmt.Println(err)
			return
		}
		if fault := state.Add(ledger.Event{K: int64(i) + 1, TimeMS: e.timeMS, Action: e.action, Details: details}); fault != nil {
			fmt.Println("event", fault.K, fault)
		}
	}
	j, err := state.Judge(state.Head(gates.Canary), 182_000)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(j.Outcome(), j.Unmet())
	// Output:
	// event 5 E_DATA_MISMATCH: event 2 is no rollback
	// PROMOTE []
}
