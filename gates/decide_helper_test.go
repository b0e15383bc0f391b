package gates

import (
	"fmt"
	"testing"

	"github.com/relseal/relseal/canon"
)

// testPolicy is the policy of cases.json.
func testPolicy() Policy {
	return Policy{
		Schema: Schema, Mode: "literal", RCanary: "0.05", TObsMS: 180_000, TRollbackMS: 120_000, WMin: 3, NLTS: 3, SkewMaxMS: 1000, MaxUndecidable: 2,
		TauScore: "0.95", GateRep: "0.02", TauPSD: PSDLimit{"rel_l1", "0.05"}, TauTB: TBLimit{"rms", "0.001", "s"}, TauHB: "5", TauDrop: "0.01", TauInc: "0.1",
	}
}

// goodRow returns n good windows of one minute, one after another.
func goodRow(channel string, n int) []Window {
	ws := make([]Window, n)
	for i := range ws {
		ws[i] = Window{
			Schema: WindowSchema, ID: fmt.Sprintf("w%d", i+1), Channel: channel, StartMS: int64(i) * 60_000, EndMS: int64(i+1) * 60_000,
			Score: "0.97", DeltaRep: "0.01", DeltaPSD: "0.01", RTB: "0.0002", HBLag: "1.5", DropRate: "0.001", IncidentRate: "0.05",
		}
	}
	return ws
}

func mustDecide(t testing.TB, p Policy, in Input) Decision {
	t.Helper()
	d, err := Decide(p, in)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// mustMarshal returns the canonical bytes of a decision.
func mustMarshal(t testing.TB, d Decision) string {
	t.Helper()
	data, err := d.Marshal()
	if err == nil {
		err = canon.Check(data)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
