package cli

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/release"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/verify"
)

// A trailReport is the answer about a trail that is in no bundle. Like the report
// about a bundle it is a function of the trail and the keys.
type trailReport struct {
	Schema    string            `json:"schema"`
	Valid     bool              `json:"valid"`
	Verdict   verify.Verdict    `json:"verdict"`
	Trail     trailIdentity     `json:"trail"`
	Key       *sign.KeyID       `json:"key"` // the trusted key, if a signature of it has verified
	Claims    []verify.Claim    `json:"claims"`
	NonClaims []verify.NonClaim `json:"non_claims"`
	Diag      verify.Diag       `json:"diag"`
}

// trailIdentity says which trail it is, as far as its lines could be read.
type trailIdentity struct {
	Purpose *string      `json:"purpose"`
	Run     *string      `json:"run"`
	H0      *sign.Digest `json:"H_0"`
	K       int64        `json:"k"` // of the last event
	HK      *sign.Digest `json:"H_k"`
	Closed  bool         `json:"closed"`
}

// trailFindings gathers what was found, at most limits.Findings of a code.
type trailFindings struct {
	verdict verify.Verdict
	list    []verify.Finding
	totals  map[verify.Code]int64
}

func newTrailFindings() *trailFindings {
	return &trailFindings{verify.Verified, []verify.Finding{}, map[verify.Code]int64{}}
}

func (t *trailFindings) add(f verify.Finding) {
	t.verdict = t.verdict.Worse(f.Verdict)
	if t.totals[f.Code]++; t.totals[f.Code] <= limits.Findings {
		t.list = append(t.list, f)
	}
}

// diag returns the findings, the worst first.
func (t *trailFindings) diag(sum audit.Summary) verify.Diag {
	status := map[verify.Verdict]string{verify.Verified: "pass", verify.Undecidable: "open", verify.Reject: "fail"}[t.verdict]
	d := verify.Diag{
		Findings:      t.list,
		FailingEvents: verify.FailingEvents{Count: sum.FailingCount, Ranges: [][2]int64{}},
		Checks:        []verify.CheckStatus{{Name: "trail", Status: status}},
	}
	severity := func(f verify.Finding) int {
		return slices.Index([]verify.Verdict{verify.Reject, verify.Undecidable, verify.Note}, f.Verdict)
	}
	slices.SortStableFunc(d.Findings, func(a, b verify.Finding) int { return cmp.Compare(severity(a), severity(b)) })
	for _, r := range sum.Failing {
		d.FailingEvents.Ranges = append(d.FailingEvents.Ranges, [2]int64{r.First, r.Last})
	}
	for code, n := range t.totals {
		if n > limits.Findings {
			if d.Totals == nil {
				d.Totals = map[verify.Code]int64{}
			}
			d.Totals[code] = n
		}
	}
	return d
}

func newTrailReport(t *trailFindings, sum audit.Summary, outcome string, known *release.KnownHead) *trailReport {
	r := &trailReport{Schema: "relseal/trail-report/v1", Verdict: t.verdict, Key: sum.Key, Diag: t.diag(sum)}
	r.Trail = trailIdentity{K: sum.K, Closed: sum.Closed}
	if g := sum.Genesis; g != nil {
		r.Trail.Purpose, r.Trail.Run = &g.Purpose, &g.Run.ID
	}
	if !sum.H0.IsZero() {
		r.Trail.H0 = &sum.H0
	}
	if !sum.HK.IsZero() {
		r.Trail.HK = &sum.HK
	}
	r.Claims = trailClaims(t, sum, outcome)
	r.NonClaims = trailNonClaims(t, sum, known)
	if r.Verdict == verify.Verified && len(r.Claims) == 0 {
		r.Verdict = verify.Undecidable
	}
	r.Valid = r.Verdict == verify.Verified
	return r
}

// trailClaims lists what the trail supports: nothing at all if anything of it is
// rejected, and completeness only if it says itself that it ends.
func trailClaims(t *trailFindings, sum audit.Summary, outcome string) []verify.Claim {
	claims := []verify.Claim{}
	if t.verdict == verify.Reject || sum.Key == nil || sum.Genesis == nil {
		return claims
	}
	claim := func(id, grade, format string, args ...any) {
		claims = append(claims, verify.Claim{ID: id, Grade: grade, Text: fmt.Sprintf(format, args...)})
	}
	g := sum.Genesis
	claim("trail.signed", verify.Proved, "events 1 to %d are one unbroken chain, each signed by %s", sum.K, trailSigners(sum))
	if sum.K == 0 {
		claims[0].Text = fmt.Sprintf("the genesis was signed by %s", *sum.Key)
	}
	if sum.Closed && t.verdict == verify.Verified && g.Continues == nil {
		claim("trail.complete", verify.Proved, "no event is missing from the first to trail.close")
	}
	if outcome != "" {
		claim("run.outcome", verify.Stated, "run.outcome: %s", outcome)
	}
	if g.EnvLock.Fingerprint != nil {
		claim("run.environment", verify.Stated, "the run took place in environment %s", g.EnvLock.Fingerprint)
	}
	if g.PipelineCard.Hash != nil && g.ParamCard.Hash != nil {
		claim("run.cards", verify.Stated, "it belongs to PipelineCard %s with ParamCard %s", g.PipelineCard.Hash, g.ParamCard.Hash)
	}
	return claims
}

// trailSigners names the key of a trail, or those of a ledger that was handed over.
func trailSigners(sum audit.Summary) string {
	if len(sum.Signers) < 2 {
		return sum.Key.String()
	}
	var ids []string
	for _, s := range sum.Signers {
		ids = append(ids, s.Key.String())
	}
	return "the key that had the ledger then: " + strings.Join(ids, ", then ")
}

func trailNonClaims(t *trailFindings, sum audit.Summary, known *release.KnownHead) []verify.NonClaim {
	out := []verify.NonClaim{
		{ID: "key.holder", Why: "a signature shows that the key was used, not who held it"},
		{ID: "clock.right", Why: "times are what the signer's clock said; nothing independent dates them"},
		{ID: "events.before", Why: "nothing shows what happened before the first event"},
		{ID: "record.truth", Why: "the signer wrote the record; a signature makes a statement unchangeable, not true"},
		{ID: "documents", Why: "a trail names its environment and its cards by digest; a bundle holds and checks them"},
	}
	if g := sum.Genesis; g != nil && g.Purpose == audit.PurposeLedger {
		out = append(out, ui.EndOf(known))
	}
	if g := sum.Genesis; g != nil && g.Continues != nil {
		out = append(out, verify.NonClaim{ID: "trail.earlier", Why: fmt.Sprintf("the trail goes on from event %d of another one; nothing shows what that holds", g.Continues.K)})
	}
	if !sum.Closed {
		out = append(out, verify.NonClaim{ID: "events.after", Why: "the trail does not end in trail.close: nothing shows whether events followed or were cut off"})
	}
	for _, f := range t.list {
		if f.Verdict == verify.Undecidable {
			out = append(out, verify.NonClaim{ID: string(f.Code), Why: f.Text})
		}
	}
	return slices.Compact(out)
}

// answer carries the verdict to the exit code.
func (r *trailReport) answer() error {
	a := &ui.Answer{Code: ui.ExitReject}
	switch r.Verdict {
	case verify.Verified:
		return nil
	case verify.Undecidable:
		a.Code = ui.ExitUndecidable
	}
	if len(r.Diag.Findings) > 0 {
		a.Hint = fmt.Sprintf("relseal explain %s says what to do", r.Diag.Findings[0].Code)
	}
	return a
}

// text returns the report for people: the answer first, then why, then what it
// does and does not show.
func (r *trailReport) text() string {
	var w strings.Builder
	fmt.Fprintf(&w, "%s  %s, %s\n", r.Verdict, r.Trail, ui.Counted(r.Trail.K, "event"))
	if r.Trail.HK != nil {
		fmt.Fprintf(&w, "  head H_%d %s\n", r.Trail.K, r.Trail.HK)
	}
	if r.Key != nil {
		fmt.Fprintf(&w, "  key %s verified it\n", *r.Key)
	}
	section := func(title string, lines []string) {
		if len(lines) > 0 {
			fmt.Fprintf(&w, "%s:\n  %s\n", title, strings.Join(lines, "\n  "))
		}
	}
	section("findings", r.findingLines())
	var claims, non []string
	for _, c := range r.Claims {
		claims = append(claims, fmt.Sprintf("%-7s %s", c.Grade, escape.Line(c.Text)))
	}
	for _, n := range r.NonClaims {
		non = append(non, escape.Line(n.Why))
	}
	section("what this shows", claims)
	section("what this does not show", non)
	return w.String()
}

func (id trailIdentity) String() string {
	switch {
	case id.Purpose == nil:
		return "trail without a readable genesis"
	case *id.Purpose == audit.PurposeRun:
		return "trail of run " + escape.Line(*id.Run)
	default:
		return *id.Purpose + " " + escape.Line(*id.Run)
	}
}

func (r *trailReport) findingLines() []string {
	var lines []string
	for _, f := range r.Diag.Findings {
		lines = append(lines, fmt.Sprintf("%-11s %s", f.Verdict, trailFinding(f)))
	}
	for _, code := range slices.Sorted(maps.Keys(r.Diag.Totals)) {
		lines = append(lines, fmt.Sprintf("%s: %d in all; %d are shown", code, r.Diag.Totals[code], limits.Findings))
	}
	if n := r.Diag.FailingEvents.Count; n > 0 {
		lines = append(lines, fmt.Sprintf("failing events: %d (k %s)", n, rangeText(r.Diag.FailingEvents.Ranges)))
	}
	return lines
}

// trailFinding says a finding in one line.
func trailFinding(f finding.Finding) string {
	var w strings.Builder
	w.WriteString(string(f.Code))
	switch {
	case f.K == nil:
	case *f.K == 0:
		w.WriteString(" line 0")
	default:
		fmt.Fprintf(&w, " event %d", *f.K)
	}
	fmt.Fprintf(&w, ": %s", escape.Line(f.Text))
	if f.Want != nil && f.Got != nil {
		fmt.Fprintf(&w, " (want %s, got %s)", escape.Line(*f.Want), escape.Line(*f.Got))
	}
	return w.String()
}

// rangeText lists the first twenty ranges.
func rangeText(ranges [][2]int64) string {
	const most = 20
	var parts []string
	for i, r := range ranges {
		switch {
		case i == most:
			return strings.Join(parts, ", ") + fmt.Sprintf(" and %d more ranges", len(ranges)-most)
		case r[0] == r[1]:
			parts = append(parts, fmt.Sprint(r[0]))
		default:
			parts = append(parts, fmt.Sprintf("%d-%d", r[0], r[1]))
		}
	}
	return strings.Join(parts, ", ")
}
