package policyfile_test

import (
	"fmt"

	"github.com/relseal/relseal/gates/policyfile"
)

func ExampleParse() {
	p, err := policyfile.Parse("gates.yaml", []byte(`
schema: relseal/gates/v1
mode: literal
r_canary: "0.05"
T_obs: 30m
T_rollback: 5m
stale_max: 2m
W_min: 3
N_LTS: 3
gap_max: 0s
skew_max: 1s
max_undecidable: 2
tau_score: "0.95"
gate_rep: "0.02"
tau_psd: {kind: rel_l1, max: "0.05"}
tau_tb: {kind: rms, unit: s, max: "0.001"}
tau_hb: "5"
tau_drop: "0.01"
tau_inc: "0.1"
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.TObsMS, "ms, score at least", p.TauScore)
	p.TauScore = "1.5"
	fmt.Println(p.Check())
	// Output:
	// 1800000 ms, score at least 0.95
	// tau_score: 1.5 is above 1
}
