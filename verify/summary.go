package verify

import (
	"fmt"
	"strings"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/internal/escape"
)

// Summary returns the report as text for people: the answer first, then why,
// then what it does and does not show. Like the report it holds no path of the
// machine, no duration and no clock reading; what comes from the bundle is
// escaped.
func (r *Report) Summary() string {
	var w strings.Builder
	fmt.Fprintf(&w, "%s  %s\n", r.Verdict, r.Bundle)
	r.writeHeld(&w)
	for _, k := range r.Keys {
		fmt.Fprintf(&w, "  key %s verified %s\n", k.ID, plural(len(k.Signed), "file"))
	}
	if u := r.Root; u != nil {
		fmt.Fprintf(&w, "  %sby version %d of the root, reached from version %d\n", asOf(u), u.Version, u.Pinned)
	}
	section(&w, "findings", len(r.Diag.Findings))
	for _, f := range r.Diag.Findings {
		fmt.Fprintf(&w, "  %s\n", findingLine(f))
		for _, m := range f.Members {
			fmt.Fprintf(&w, "              %s: want %s, got %s\n", escape.Line(m.Name), escape.Line(m.Want), escape.Line(m.Got))
		}
		if p := f.Proves; p != nil {
			fmt.Fprintf(&w, "              id_k: %s; H_k: %s; sig_k: %s\n              so %s\n", p.ID, p.Head, p.Sig, p.Event)
		}
	}
	if n := r.Diag.FailingEvents.Count; n > 0 {
		fmt.Fprintf(&w, "  failing events: %d (k %s)\n", n, ranges(r.Diag.FailingEvents.Ranges))
	}
	r.locations(&w)
	section(&w, "decisions, made again from the ledger", len(r.Decisions))
	for _, d := range r.Decisions {
		d.summary(&w)
	}
	section(&w, "what this shows", len(r.Claims))
	for _, c := range r.Claims {
		fmt.Fprintf(&w, "  %-7s %s\n", c.Grade, escape.Sentence(c.Text))
	}
	section(&w, "what this does not show", len(r.NonClaims))
	for _, n := range r.NonClaims {
		fmt.Fprintf(&w, "  %s\n", escape.Sentence(n.Why))
	}
	return w.String()
}

func (id Identity) String() string {
	kind, digest := "bundle", "without a readable manifest"
	if id.Kind != nil {
		kind = *id.Kind + " bundle"
	}
	if id.ID != nil {
		digest = id.ID.String()
	}
	if id.Outcome != nil {
		digest += ", of a run that " + outcomes[*id.Outcome]
	}
	return kind + " " + digest
}

// outcomes are how a run may end other than well.
var outcomes = map[string]string{audit.StatusFailed: "FAILED", audit.StatusAborted: "was ABORTED"}

func section(w *strings.Builder, title string, n int) {
	if n > 0 {
		fmt.Fprintf(w, "%s:\n", title)
	}
}

func findingLine(f Finding) string {
	return fmt.Sprintf("%-11s %s", f.Verdict, place(f))
}

// place says of a finding all but the verdict.
func place(f Finding) string {
	var w strings.Builder
	w.WriteString(string(f.Code))
	if f.Path != nil {
		fmt.Fprintf(&w, " %s", escape.Line(*f.Path))
	}
	if f.K != nil {
		fmt.Fprintf(&w, " event %d", *f.K)
	}
	fmt.Fprintf(&w, ": %s", escape.Line(f.Text))
	if f.Want != nil && f.Got != nil {
		fmt.Fprintf(&w, " (want %s, got %s)", escape.Line(*f.Want), escape.Line(*f.Got))
	}
	return w.String()
}

func ranges(rs [][2]int64) string {
	const most = 20
	var parts []string
	for i, r := range rs {
		if i == most {
			parts = append(parts, fmt.Sprintf("and %d more ranges", len(rs)-most))
			break
		}
		if r[0] == r[1] {
			parts = append(parts, itoa(r[0]))
		} else {
			parts = append(parts, fmt.Sprintf("%d-%d", r[0], r[1]))
		}
	}
	return strings.Join(parts, ", ")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
