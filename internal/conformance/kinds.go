package conformance

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/gates/ledger"
	"github.com/relseal/relseal/gates/power"
	"github.com/relseal/relseal/internal/document"
)

// caseDecide is kind decide: docs/format.md, "The decision".
func caseDecide(input []byte, decide Decider) (any, error) {
	in, p, err := readDecideCase(input)
	if err != nil {
		return nil, err
	}
	d, err := decide(p, in)
	if err != nil {
		return nil, err
	}
	return decisionCase(d, p), nil
}

func readDecideCase(input []byte) (gates.Input, gates.Policy, error) {
	var c struct {
		Channel string            `json:"channel"`
		Release string            `json:"release"`
		SinceMS int64             `json:"since_ms"`
		NowMS   int64             `json:"now_ms"`
		Policy  json.RawMessage   `json:"policy"`
		Windows []json.RawMessage `json:"windows"`
	}
	if err := decodeStrict(input, &c); err != nil {
		return gates.Input{}, gates.Policy{}, err
	}
	in := gates.Input{Channel: c.Channel, Release: c.Release, SinceMS: c.SinceMS, NowMS: c.NowMS}
	var faults document.Faults
	for _, raw := range c.Windows {
		w, err := gates.ReadWindow(raw)
		if of, ok := errors.AsType[document.Faults](err); ok {
			for _, f := range of {
				faults.Add(f)
			}
		} else if err != nil {
			return gates.Input{}, gates.Policy{}, err
		}
		in.Windows = append(in.Windows, w)
	}
	if err := faults.Err(); err != nil {
		return gates.Input{}, gates.Policy{}, err
	}
	p, err := casePolicy(c.Policy)
	return in, p, err
}

// decisionCase shows a decision with the members that expect uses.
func decisionCase(d gates.Decision, p gates.Policy) map[string]any {
	out := map[string]any{"decision": d.Decision, "reasons": d.Reasons}
	if len(d.Alerts) > 0 {
		out["alerts"] = d.Alerts
	}
	if d.To != "" {
		out["to"] = strings.ToLower(d.To)
	}
	if d.Window != "" {
		out["window"] = d.Window
	}
	if t, ok := d.DeadlineMS.Get(); ok {
		fired := [][2]string{}
		for _, t := range d.Triggers {
			if t.Metric != "" {
				fired = append(fired, [2]string{t.Window, t.Metric})
			}
		}
		out["trigger_window"], out["deadline_ms"], out["all_triggers"] = d.Window, t, fired
	}
	for _, q := range d.Predicates {
		switch q.Name {
		case "COVERAGE":
			out["coverage_ms"], out["evidence"], out["windows"] = d.CoverageMS, d.Evidence, len(d.Evidence)
		case "STREAK":
			out["streak"] = json.Number(q.Value)
			if !q.Met {
				out["need"] = p.NLTS
			}
		}
	}
	return out
}

type sampleCase struct {
	S2     float64 `json:"s2"`
	Margin float64 `json:"margin"`
	Alpha  float64 `json:"alpha"`
	Beta   float64 `json:"beta"`
	Rho    float64 `json:"rho"`
	WFloor int64   `json:"W_floor"`
	Floor  int64   `json:"floor"` // the same
}

// caseSampleSize is kind sample_size.
func caseSampleSize(input []byte, _ Decider) (any, error) {
	var c sampleCase
	if err := decodeStrict(input, &c); err != nil {
		return nil, err
	}
	return sampleResult(power.MinWindows(c.S2, c.Margin, c.Beta, max(c.WFloor, c.Floor)))
}

// caseSampleSizeAB is kind sample_size_ab.
func caseSampleSizeAB(input []byte, _ Decider) (any, error) {
	var c sampleCase
	if err := decodeStrict(input, &c); err != nil {
		return nil, err
	}
	return sampleResult(power.MinWindowsAlpha(c.S2, c.Margin, c.Alpha, c.Beta, c.Rho, max(c.WFloor, c.Floor)))
}

func sampleResult(s power.SampleSize, err error) (any, error) {
	if errors.Is(err, power.ErrSampleSize) {
		return map[string]any{"error": "E_SAMPLE_SIZE"}, nil
	}
	return s, err
}

// caseRollbackClock is kind rollback_clock (S32-32).
func caseRollbackClock(input []byte, _ Decider) (any, error) {
	var c ledger.RollbackClock
	if err := decodeStrict(input, &c); err != nil {
		return nil, err
	}
	t := c.Judge()
	out := map[string]any{"ok": t.OK, "reason": nil, "total_ms": nil}
	if t.Reason != "" {
		out["reason"] = t.Reason
	}
	if total, ok := t.TotalMS.Get(); ok {
		out["total_ms"] = total
	}
	return out, nil
}
