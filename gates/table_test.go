package gates

import (
	"fmt"
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	ws := goodRow(Canary, 3)
	ws[0].Score, ws[0].DeltaRep, ws[0].RTB, ws[0].TBUnit = "0.94999999999999999999", "-1", "0.0002", "ms"
	ws[1].HBLag, ws[1].LastBeatMS, ws[1].DeltaPSD = "", Some(100_000), "fast"
	ws[2].HBLag, ws[2].LastBeatMS, ws[2].DropRate = "NaN", Some(119_000), "1e-2"
	show := func(channel string) string {
		var out strings.Builder
		columns, rows := Table(testPolicy(), channel, ws)
		for k, c := range columns {
			fmt.Fprintf(&out, "%s %s %s %s %s %v:", c.Metric, c.Op, c.Limit, c.Tau, c.Unit, c.Trigger)
			for i := range rows {
				v := rows[i][k]
				fmt.Fprintf(&out, " %s/%s/%s/%v", v.Value, v.Number, v.Fault, v.Breaks)
			}
			out.WriteByte('\n')
		}
		return out.String()
	}
	const want = `score >= 0.95 tau_score  true: 0.94999999999999999999/0.94999999999999999999//true 0.97/0.97//false 0.97/0.97//false
delta_rep <= 0.02 gate_rep  false: -1/-1//false 0.01/0.01//false 0.01/0.01//false
delta_psd <= 0.05 tau_psd  false: 0.01/0.01//false fast//METRIC_NONFINITE/false 0.01/0.01//false
r_tb <= 0.001 tau_tb s false: 0.0002//METRIC_KIND/false 0.0002/0.0002//false 0.0002/0.0002//false
hb_lag <= 5 tau_hb s true: 1.5/1.5//false /20/METRIC_MISSING/true NaN/61/METRIC_NONFINITE/true
drop_rate <= 0.01 tau_drop  true: 0.001/0.001//false 0.001/0.001//false 1e-2/0.01//false
`
	if got := show(Canary); got != want {
		t.Errorf("got\n%s", got)
	}
	if got := show(Stable); !strings.HasSuffix(got, "incident_rate <= 0.1 tau_inc  false: 0.05/0.05//false 0.05/0.05//false 0.05/0.05//false\n") || strings.Contains(got, "delta") {
		t.Errorf("got\n%s", got)
	}
}
