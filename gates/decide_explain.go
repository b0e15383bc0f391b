package gates

import (
	"fmt"
	"slices"
	"strings"
)

// maxLines is how many windows or triggers an explanation lists.
const maxLines = 20

// Explain says in a few lines what was decided, by which comparison over which
// window, and what promotion waits for; docs/gates.md shows some. It needs the decision alone.
// Times are UTC; those of the day of the decision are without the date.
func (d Decision) Explain() string {
	e := &explainer{d: d}
	e.header()
	switch {
	case d.Decision == Error:
		list(e, d.Reasons, func(r string) { e.line("%s  is missing or out of range", safe(r)) })
	case len(d.Triggers) > 0:
		list(e, d.Triggers, e.predicate)
		if t, ok := d.DeadlineMS.Get(); ok {
			e.line("roll back by %s", e.time(t))
		}
	case len(d.Predicates) > 0:
		e.predicates()
	default:
		e.unknowns()
	}
	for _, alert := range d.Alerts {
		e.line("alert %s", safe(alert))
	}
	e.restart()
	e.next()
	return e.String()
}

type explainer struct {
	strings.Builder
	d Decision
}

func (e *explainer) line(format string, args ...any) { fmt.Fprintf(e, "  "+format+"\n", args...) }

// header says what was decided about what, when, and from how much.
func (e *explainer) header() {
	d := e.d
	fmt.Fprintf(e, "%s %s", safe(string(d.Decision)), safe(d.Channel))
	if to := map[string]string{Canary: Stable, Stable: LTS}[d.Channel]; to != "" && (d.Decision == Promote || d.Decision == Hold) {
		fmt.Fprintf(e, " -> %s", to)
	}
	fmt.Fprintf(e, "  at %s", stamp(d.NowMS))
	if d.Release != "" {
		fmt.Fprintf(e, "  release %s", short(d.Release))
	}
	if d.Policy.Digest != nil {
		fmt.Fprintf(e, "  policy %s", short(d.Policy.Digest.String()))
	}
	e.WriteByte('\n')
	from := ""
	if n := len(d.Evidence); n == 1 {
		from = ", evidence " + safe(d.Evidence[0])
	} else if n > 1 {
		from = fmt.Sprintf(", evidence %s to %s", safe(d.Evidence[0]), safe(d.Evidence[n-1]))
	}
	e.line("%s since %s%s", plural(d.Observed.Count, "window"), e.time(d.SinceMS), from)
}

// predicates lists what is unmet, a line each, then what is met on one line.
func (e *explainer) predicates() {
	var met []string
	for _, p := range e.d.Predicates {
		if !p.Met {
			e.predicate(p)
			continue
		}
		value, _, limit := e.texts(p)
		met = append(met, fmt.Sprintf("%s %s %s %s", safe(p.Name), value, safe(p.Op), limit))
	}
	if len(met) > 0 {
		e.line("ok %s", strings.Join(met, " | "))
	}
}

// predicate says what decided, with the window that the value comes from.
func (e *explainer) predicate(p Predicate) {
	value, op, limit := e.texts(p)
	if p.Metric == "" && p.Window == "" {
		e.line("%s  %s %s %s %s", safe(p.Name), value, op, tauNames[p.Name], limit)
		return
	}
	e.line("%s  %s %s %s %s  %s", safe(p.Name), value, op, tauNames[p.Name], limit, e.window(p.Window))
}

// find returns a window of those that the decision holds, or nil.
func (e *explainer) find(id string) *Window {
	if i := slices.IndexFunc(e.d.Windows, func(w Window) bool { return w.ID == id }); i >= 0 {
		return &e.d.Windows[i]
	}
	return nil
}

func (e *explainer) window(id string) string {
	if w := e.find(id); w != nil {
		return e.describe(*w)
	}
	return "window " + safe(id)
}

func (e *explainer) describe(w Window) string {
	s := fmt.Sprintf("window %s [%s, %s)", safe(w.ID), e.time(w.StartMS), e.time(w.EndMS))
	if !w.Evidence.IsZero() {
		s += "  samples " + short(w.Evidence.String())
	}
	return s
}

// unknowns lists the reasons of a decision that compared nothing: undecidable
// values of one window, or windows that contradict one another.
func (e *explainer) unknowns() {
	d := e.d
	if d.Window != "" {
		list(e, d.Reasons, func(r string) { e.line("%s  got %s  %s", safe(r), e.wrote(r), e.window(d.Window)) })
		return
	}
	list(e, d.Reasons, func(r string) {
		code, _, _ := strings.Cut(r, ":")
		e.line("%s  %s", safe(r), integrityTexts[code])
	})
	list(e, d.Windows, func(w Window) { e.line("%s", e.describe(w)) })
}

// wrote is what stands where reason, METRIC_…:name, wants a number.
func (e *explainer) wrote(reason string) string {
	code, name, _ := strings.Cut(reason, ":")
	w := e.find(e.d.Window)
	m := slices.IndexFunc(metrics, func(m *metric) bool { return m.name == name })
	if w == nil || m < 0 || *metrics[m].of(w) == "" {
		return "nothing"
	}
	wrote := quote(string(*metrics[m].of(w)))
	if code == string(otherKind) {
		wrote += " in " + safe(strings.Join(strings.Fields(w.kindOf(metrics[m])), " "))
	}
	return wrote
}

var integrityTexts = map[string]string{
	"E_WINDOW_INVALID":  "it does not end after its start",
	"E_TIMEBASE_SKEW":   "it ends later than now, by more than skew_max",
	"E_WINDOW_OVERLAP":  "they count the same time twice",
	"E_WINDOW_CONFLICT": "one id has several contents",
	"LAST_CHANNEL":      "there is no channel above",
}

func (e *explainer) restart() {
	r := e.d.Restart
	if r == nil {
		return
	}
	why := strings.Join(r.Reasons, ", ")
	switch w := e.find(r.Window); {
	case why == "GAP":
		why = "GAP, then nothing was observed"
	case why == "INCIDENT" && w != nil:
		why = "INCIDENT, incident_rate " + string(w.IncidentRate)
	}
	e.line("evidence starts after %s: %s", e.window(r.Window), safe(why))
}

func (e *explainer) next() {
	n := e.d.Next
	if n == nil {
		return
	}
	need := plural(n.Windows, "more good window")
	if n.WindowMS > 0 {
		need += " of " + seconds(n.WindowMS)
	}
	if slices.Contains(e.d.Evidence, n.After) {
		need += ", so that " + safe(n.After) + " leaves the evidence"
	}
	if at, ok := e.d.Earliest(); ok {
		need += "; earliest promotion " + e.time(at)
	}
	e.line("next: %s", need)
}
