package gates

import (
	"math/big"

	"github.com/relseal/relseal/canon"
)

// A status says whether a value can be compared.
type status string

const (
	known     status = ""
	missing   status = "METRIC_MISSING"
	notFinite status = "METRIC_NONFINITE" // NaN, an infinity, or no number at all
	otherKind status = "METRIC_KIND"      // measured in another way than the threshold
)

// value returns the exact value of a metric in a window.
func (j *judge) value(w *Window, m *metric) (canon.Decimal, status) {
	v := *m.of(w)
	switch d, ok := v.Decimal(); {
	case v == "":
		return "", missing
	case !ok:
		return "", notFinite
	case j.differs(w, m):
		return "", otherKind
	default:
		return d, known
	}
}

// status is value without the value.
func (j *judge) status(w *Window, m *metric) status {
	_, s := j.value(w, m)
	return s
}

// differs reports whether w says that it measured m in another way than the
// policy's threshold is meant. A window that does not say is taken at its word.
func (j *judge) differs(w *Window, m *metric) bool {
	other := func(got, want string) bool { return got != "" && got != want }
	switch m {
	case metricDeltaPSD:
		return other(w.PSDKind, j.p.TauPSD.Kind)
	case metricRTB:
		return other(w.TBKind, j.p.TauTB.Kind) || other(w.TBUnit, j.p.TauTB.Unit)
	}
	return false
}

// kindOf is what w says about how it measured m.
func (w *Window) kindOf(m *metric) string {
	switch m {
	case metricDeltaPSD:
		return w.PSDKind
	case metricRTB:
		return w.TBKind + " " + w.TBUnit
	}
	return ""
}

// unknowns names the required metrics that make w undecidable (steps 4 to 6).
func (j *judge) unknowns(w *Window) []string {
	var names []string
	for _, m := range j.required[j.in.Channel] {
		if s := j.status(w, m); j.unknown[s] {
			names = append(names, string(s)+":"+m.name)
		}
	}
	return names
}

func (j *judge) decidable(w *Window) bool {
	for _, m := range j.required[j.in.Channel] {
		if j.unknown[j.status(w, m)] {
			return false
		}
	}
	return true
}

// silence returns the seconds from the last heartbeat to the end of w, nil if w does not
// say when that was. It stands for hb_lag where w has no number for it, because a dead
// canary sends no large number but nothing at all. The lag was at least that long: so
// silence can trigger a rollback, but it cannot show that the lag was within its limit,
// and the metric stays missing.
func (j *judge) silence(w *Window) *big.Rat {
	if t0, ok := w.LastBeatMS.Get(); ok && j.lowerBound {
		return big.NewRat(w.EndMS-t0, 1000)
	}
	return nil
}

// exact returns r as the decimal that it is.
func exact(r *big.Rat) string {
	digits, _ := r.FloatPrec()
	return r.FloatString(digits)
}
