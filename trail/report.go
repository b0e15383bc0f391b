package trail

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/gates/ledger"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/release"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/verify"
)

// Judge checks a trail that is in no bundle, as o says, and holds it against what
// is known of it. The error is of reading alone: what is wrong with the trail is in the
// report, and [Report.Err] says whether anything is.
func Judge(r io.Reader, o audit.CheckOptions, heads ...release.KnownHead) (*Report, error) {
	t := newFindings()
	outcome := ""
	o.Bare, o.Report, o.EventActions = true, t.add, []string{audit.ActionRunEnd, audit.ActionRecover}
	if len(heads) > 0 {
		o.EventActions = nil
	}
	var recovered []recovery
	at := map[int64]sign.Digest{}
	for _, h := range heads {
		at[h.K] = sign.Digest{}
	}
	o.Event = func(rec audit.Record) {
		if rec.E.Action == audit.ActionRunEnd {
			outcome = rec.E.Status
		}
		if rec.E.Action == audit.ActionRecover && len(recovered) < limits.Findings {
			recovered = append(recovered, recovery{rec.E.K, ledger.Loses(rec.E.Details)})
		}
		if _, ask := at[rec.E.K]; ask {
			at[rec.E.K] = rec.H
		}
	}
	sum, err := audit.Check(r, o)
	if err != nil {
		return nil, err
	}
	for _, h := range heads {
		if fault := release.Holds(h, sum.H0, sum.K, at[h.K]); fault != nil {
			t.add(finding.New(fault.Code, "", fault.Text).At(min(h.K, sum.K)))
		}
	}
	for _, r := range recovered {
		if r.lost && sum.Genesis != nil && sum.Genesis.Purpose == audit.PurposeLedger {
			t.add(finding.New(finding.LedgerCut, "", "events before this trail.recover were lost: windows and rollbacks may have been among them, and no promotion after it is decided").At(r.k).As(finding.Undecidable))
			break
		}
	}
	report := newReport(t, sum, outcome, release.Highest(heads))
	for _, r := range recovered {
		report.NonClaims = append(report.NonClaims, r.nonClaim())
	}
	return report, nil
}

// A recovery is an event that stands in the place of what was set aside.
type recovery struct {
	k    int64
	lost bool // of what was set aside something was on disk
}

func (r recovery) nonClaim() verify.NonClaim {
	why := fmt.Sprintf("event %d says that what stood in its place was set aside, and that nothing of it is known to have been acknowledged", r.k)
	if r.lost {
		why = fmt.Sprintf("event %d says that acknowledged events that stood in its place were lost", r.k)
	}
	return verify.NonClaim{ID: "events.recovered", Why: why}
}

// A Report is the answer about a trail that is in no bundle. Like the report
// about a bundle it is a function of the trail and the keys.
type Report struct {
	Schema    string            `json:"schema"`
	Valid     bool              `json:"valid"`
	Verdict   verify.Verdict    `json:"verdict"`
	Trail     Identity          `json:"trail"`
	Key       *sign.KeyID       `json:"key"` // the trusted key, if a signature of it has verified
	Claims    []verify.Claim    `json:"claims"`
	NonClaims []verify.NonClaim `json:"non_claims"`
	Diag      verify.Diag       `json:"diag"`
}

// An Identity says which trail it is, as far as its lines could be read.
type Identity struct {
	Purpose *string      `json:"purpose"`
	Run     *string      `json:"run"`
	H0      *sign.Digest `json:"H_0"`
	K       int64        `json:"k"` // of the last event
	HK      *sign.Digest `json:"H_k"`
	Closed  bool         `json:"closed"`
}

// findings gathers what was found, at most limits.Findings of a code.
type findings struct {
	verdict verify.Verdict
	list    []verify.Finding
	totals  map[verify.Code]int64
}

func newFindings() *findings {
	return &findings{verify.Verified, []verify.Finding{}, map[verify.Code]int64{}}
}

func (t *findings) add(f verify.Finding) {
	t.verdict = t.verdict.Worse(f.Verdict)
	if t.totals[f.Code]++; t.totals[f.Code] <= limits.Findings {
		t.list = append(t.list, f)
	}
}

// diag returns the findings, the worst first.
func (t *findings) diag(sum audit.Summary) verify.Diag {
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

func newReport(t *findings, sum audit.Summary, outcome string, known *release.KnownHead) *Report {
	r := &Report{Schema: "relseal/trail-report/v1", Verdict: t.verdict, Key: sum.Key, Diag: t.diag(sum)}
	r.Trail = Identity{K: sum.K, Closed: sum.Closed}
	if g := sum.Genesis; g != nil {
		r.Trail.Purpose, r.Trail.Run = &g.Purpose, &g.Run.ID
	}
	if !sum.H0.IsZero() {
		r.Trail.H0 = &sum.H0
	}
	if !sum.HK.IsZero() {
		r.Trail.HK = &sum.HK
	}
	r.Claims = claimsOf(t, sum, outcome)
	r.NonClaims = nonClaimsOf(t, sum, known)
	if r.Verdict == verify.Verified && len(r.Claims) == 0 {
		r.Verdict = verify.Undecidable
	}
	r.Valid = r.Verdict == verify.Verified
	return r
}

// claimsOf lists what the trail supports: nothing at all if anything of it is
// rejected, and completeness only if it says itself that it ends.
func claimsOf(t *findings, sum audit.Summary, outcome string) []verify.Claim {
	claims := []verify.Claim{}
	if t.verdict == verify.Reject || sum.Key == nil || sum.Genesis == nil {
		return claims
	}
	claim := func(id, grade, format string, args ...any) {
		claims = append(claims, verify.Claim{ID: id, Grade: grade, Text: fmt.Sprintf(format, args...)})
	}
	g := sum.Genesis
	claim("trail.signed", verify.Proved, "events 1 to %d are one unbroken chain, each signed by %s", sum.K, signers(sum))
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

// signers names the key of a trail, or those of a ledger that was handed over.
func signers(sum audit.Summary) string {
	if len(sum.Signers) < 2 {
		return sum.Key.String()
	}
	var ids []string
	for _, s := range sum.Signers {
		ids = append(ids, s.Key.String())
	}
	return "the key that had the ledger then: " + strings.Join(ids, ", then ")
}

func nonClaimsOf(t *findings, sum audit.Summary, known *release.KnownHead) []verify.NonClaim {
	out := []verify.NonClaim{
		{ID: "key.holder", Why: "a signature shows that the key was used, not who held it"},
		{ID: "clock.right", Why: "times are what the signer's clock said; nothing independent dates them"},
		{ID: "events.before", Why: "nothing shows what happened before the first event"},
		{ID: "record.truth", Why: "the signer wrote the record; a signature makes a statement unchangeable, not true"},
		{ID: "documents", Why: "a trail names its environment and its cards by digest; a bundle holds and checks them"},
	}
	if g := sum.Genesis; g != nil && g.Purpose == audit.PurposeLedger {
		out = append(out, LedgerEnd(known))
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

// Err returns nil if the report says VERIFIED, and a [*verify.AnswerError] otherwise.
func (r *Report) Err() error {
	if r.Valid && r.Verdict == verify.Verified {
		return nil
	}
	e := &verify.AnswerError{Verdict: r.Verdict}
	if n := len(r.Diag.Findings); n > 0 {
		e.First, e.More = &r.Diag.Findings[0], n-1
	}
	return e
}

// Summary returns the report for people: the answer first, then why, then what it
// does and does not show.
func (r *Report) Summary() string {
	var w strings.Builder
	fmt.Fprintf(&w, "%s  %s, %s\n", r.Verdict, r.Trail, counted(r.Trail.K))
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

func (id Identity) String() string {
	switch {
	case id.Purpose == nil:
		return "trail without a readable genesis"
	case *id.Purpose == audit.PurposeRun:
		return "trail of run " + escape.Line(*id.Run)
	default:
		return *id.Purpose + " " + escape.Line(*id.Run)
	}
}

func (r *Report) findingLines() []string {
	var lines []string
	for _, f := range r.Diag.Findings {
		lines = append(lines, fmt.Sprintf("%-11s %s", f.Verdict, findingLine(f)))
	}
	for _, code := range slices.Sorted(maps.Keys(r.Diag.Totals)) {
		lines = append(lines, fmt.Sprintf("%s: %d in all; %d are shown", code, r.Diag.Totals[code], limits.Findings))
	}
	if n := r.Diag.FailingEvents.Count; n > 0 {
		lines = append(lines, fmt.Sprintf("failing events: %d (k %s)", n, rangeText(r.Diag.FailingEvents.Ranges)))
	}
	return lines
}

// LedgerEnd says how much of the end of a ledger is shown by what is known of it.
func LedgerEnd(h *release.KnownHead) verify.NonClaim {
	if h == nil {
		return verify.NonClaim{ID: "ledger.end", Why: "nothing shows that the end of this ledger was not cut"}
	}
	return verify.NonClaim{ID: "ledger.end", Why: fmt.Sprintf("nothing shows that the end of this ledger was not cut after event %d, the last that %s knows", h.K, h.Source.Name)}
}

func counted(events int64) string {
	if events == 1 {
		return "1 event"
	}
	return fmt.Sprintf("%d events", events)
}

// findingLine says a finding in one line.
func findingLine(f finding.Finding) string {
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
