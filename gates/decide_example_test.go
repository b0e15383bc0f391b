package gates_test

import (
	"fmt"
	"strings"

	"github.com/relseal/relseal/gates"
)

func ExampleDecide() {
	policy := gates.Policy{
		Schema: gates.Schema, Mode: "literal", RCanary: "0.05",
		TObsMS: 180_000, TRollbackMS: 120_000, WMin: 3, NLTS: 3, MaxUndecidable: 2,
		TauScore: "0.95", GateRep: "0.02", TauPSD: gates.PSDLimit{Kind: "rel_l1", Max: "0.05"}, TauTB: gates.TBLimit{Kind: "rms", Max: "0.001", Unit: "s"},
		TauHB: "5", TauDrop: "0.01", TauInc: "0.1",
	}
	windows, err := gates.ReadWindows("windows.csv", strings.NewReader(`id,channel,start_ms,end_ms,score,delta_rep,delta_psd,r_tb,hb_lag,drop_rate
w1,canary,1767348000000,1767348060000,0.97,0.01,0.01,0.0002,1.5,0.001
w2,canary,1767348060000,1767348120000,0.97,0.03,0.01,0.0002,1.5,0.001
w3,canary,1767348120000,1767348180000,0.97,0.01,0.01,0.0002,1.5,0.001
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := gates.Decide(policy, gates.Input{Channel: gates.Canary, SinceMS: 1_767_348_000_000, NowMS: 1_767_348_180_000, Windows: windows})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.Decision, d.Reasons)
	fmt.Print(d.Explain())
	// Output:
	// HOLD [DELTA_REP]
	// HOLD canary -> stable  at 2026-01-02T10:03:00Z  policy sha256:e60a22decbf7..
	//   3 windows since 10:00:00, evidence w1 to w3
	//   DELTA_REP  max 0.03 > gate_rep 0.02  window w2 [10:01:00, 10:02:00)
	//   ok COVERAGE 180 s >= 180 s | WINDOWS 3 >= 3 | SCORE mean 0.97 >= 0.95 | DELTA_PSD max 0.01 <= 0.05 | R_TB max 0.0002 <= 0.001
	//   next: 2 more good windows of 60 s, so that w2 leaves the evidence; earliest promotion 10:05:00
}
