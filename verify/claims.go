package verify

import (
	"fmt"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/escape"
)

// report turns what was found into the answer.
func (b *check) report() *Report {
	r := &Report{
		Schema:    ReportSchema,
		Bundle:    b.identity(),
		Keys:      b.c.keyUses(),
		Claims:    b.claims(),
		NonClaims: b.nonClaims(),
		Diag:      b.c.diag(),
		Root:      b.rootUse(),
		Built:     b.built(),
		Decisions: b.decisions(),
		Held:      b.heldFiles,
		Artifacts: b.found,
	}
	r.Verdict = b.c.verdict()
	if r.Verdict == Verified && len(r.Claims) == 0 {
		r.Verdict = Undecidable
	}
	r.Valid = r.Verdict == Verified
	return r
}

func (b *check) identity() Identity {
	var id Identity
	if b.manifest != nil {
		id.ID = &b.id
	}
	if b.kind != "" {
		id.Kind = &b.kind
	}
	if b.audit != nil && b.audit.Outcome != audit.StatusOK {
		id.Outcome = &b.audit.Outcome
	}
	return id
}

// claims lists what the evidence supports. A claim is made only if every check
// that it rests on ran and found nothing; without the signature there is none.
func (b *check) claims() []Claim {
	claims := []Claim{}
	if !b.c.passed(checkContainer, checkManifest, checkSignature) {
		return claims
	}
	claim := func(id, grade, format string, args ...any) {
		claims = append(claims, Claim{id, grade, fmt.Sprintf(format, args...)})
	}
	claim("bundle.signed", Proved, "the manifest of %s was signed by %s", b.id, b.keyID)
	if u := b.rootUse(); u != nil {
		now, _ := b.authority.Threshold(b.role())
		n, grade, word := b.tally.proved(), Proved, ""
		if !b.tally.enough {
			n, grade, word = b.tally.keys, Stated, "; "+b.tally.words()
		}
		claim("bundle.authorized", grade, "%s%d of the keys that may sign as %s have signed; version %d of the root (%s) asks for %d%s", asOf(u), n, b.role(), u.Version, u.Hash, now, word)
	}
	if b.c.passed(checkFiles) {
		claim("files.intact", Proved, "every file that the manifest lists is the one that it pins (%s); %s", plural(len(b.listed()), "file"), b.beside())
	}
	for _, h := range b.heldFiles {
		if len(h.URIs) > 0 && b.c.passed(checkFiles, checkArtifacts) {
			claim("artifact.held", Proved, "the manifest pins the file in hand, %s, as artifact %s", h.Hash, escape.Words(h.URIs))
		}
	}
	if b.c.passed(checkFiles, checkArtifacts) && b.unseen == 0 {
		claim("artifacts.intact", Proved, "the bytes of every artifact have the pinned digest (%s)", plural(len(b.artifacts()), "artifact"))
	}
	if b.release != nil {
		return append(claims, b.releaseClaims()...)
	}
	return append(claims, b.runClaims("")...)
}

// asOf says which time the caller asked about, if any. What was revoked after it is not here.
func asOf(u *RootUse) string {
	if u.At == nil {
		return ""
	}
	return fmt.Sprintf("as of %s: ", u.At)
}

// beside says what lies beside the files that the manifest lists.
func (b *check) beside() string {
	text := "what is under sig/ it does not list"
	if n := b.uncovered(); n > 0 {
		text += ", and nothing vouches for " + plural(n, "file") + " there"
	}
	return text
}

func (b *check) artifacts() []bundle.Artifact {
	if b.release != nil {
		return b.release.Artifacts
	}
	return b.audit.Artifacts
}

func (b *check) runClaims(where string) []Claim {
	var claims []Claim
	claim := func(id, grade, format string, args ...any) {
		claims = append(claims, Claim{id, grade, where + fmt.Sprintf(format, args...)})
	}
	if !b.c.passed(checkFiles, checkTrail) {
		return nil
	}
	for _, t := range b.runTrails() {
		tr := b.trails[t.Path]
		from, part, _ := partBefore(tr, b)
		switch {
		case !tr.summary.Closed:
		case from == nil:
			claim("trail.complete", Proved, "%s is one unbroken signed chain of %d events from run.start to trail.close", t.Path, t.K)
		case ends(from, part):
			claim("trail.complete", Proved, "%s is one unbroken signed chain of %d events to trail.close, and goes on from the end of another trail of the run that is in the bundle", t.Path, t.K)
		}
	}
	claim("run.outcome", Stated, "run.outcome: %s", b.audit.Outcome)
	if b.c.passed(checkEnvLock) {
		claim("run.environment", Stated, "the run took place in environment %s", b.audit.EnvLock.Fingerprint)
	}
	if !b.c.passed(checkCards) {
		return claims
	}
	claim("run.cards", Stated, "every step that it recorded is one of PipelineCard %s, with ParamCard %s", b.audit.PipelineCard.Hash, b.audit.ParamCard.Hash)
	for _, s := range b.sources() {
		if s.Commit != "" && s.clear && !b.startsElsewhere() {
			claim("run.source", Stated, "its source was commit %s%s", s.Commit, dirty(s.Dirty))
		}
	}
	for _, s := range b.pipeline.Steps {
		if s.SameAs != "" && b.audit.Outcome == audit.StatusOK {
			claim("run.reproduced", Stated, "step %s made the same bytes as step %s", escape.Word(s.ID), escape.Word(s.SameAs))
		}
	}
	return claims
}

// runTrails are the trails of the run. What else is in the bundle, such as a ledger,
// which is never closed, says nothing of it.
func (b *check) runTrails() (list []bundle.Trail) {
	for _, t := range b.audit.Trails {
		if t.Purpose == audit.PurposeRun {
			list = append(list, t)
		}
	}
	return list
}

func dirty(d *bool) string {
	if d != nil && *d {
		return " with uncommitted changes"
	}
	return ""
}

func (b *check) releaseClaims() []Claim {
	m := b.release
	if !b.c.passed(checkFiles, checkEvidence, checkRelease) || m.Channel != bundle.Canary && !b.c.passed(checkTrail) {
		return nil
	}
	claims := []Claim{
		{"release.identity", Stated, fmt.Sprintf("it is %s %s on channel %s", escape.Word(m.Product), escape.Word(m.Version), m.Channel)},
		b.evidenceClaim(),
	}
	if m.Gates != nil {
		claims = append(claims, Claim{"release.policy", Stated, "its gate policy is the one in the manifest"})
	}
	if m.Channel != bundle.Canary {
		claims = append(claims, b.decisionClaims()...)
	}
	for _, id := range m.Provenance.Audit {
		in := b.evidence[bundle.EvidencePath(id)]
		claims = append(claims, in.runClaims("run "+in.audit.Run.ID+": ")...)
	}
	return claims
}

// evidenceClaim is proved as far as nobody has to be believed for who sealed the runs.
func (b *check) evidenceClaim() Claim {
	believed := 0
	for _, in := range b.evidence {
		if !in.tally.enough {
			believed++
		}
	}
	c := Claim{"release.evidence", Proved, fmt.Sprintf("every artifact is an output recorded in an embedded audit bundle (%d verified in full)", len(b.release.Provenance.Audit))}
	if believed > 0 {
		c.Grade = Stated
		c.Text += fmt.Sprintf("; that %d of them were sealed by those who may rests on another key's record about a revoked one, or on a key whose time begins later than anything on record", believed)
	}
	return c
}

// nonClaims lists what no bundle of this kind can show, what this one leaves
// open, and why.
func (b *check) nonClaims() []NonClaim {
	out := []NonClaim{
		{"key.holder", "a signature shows that the key was used, not who held it"},
		{"clock.right", "times are what the signer's clock said; nothing independent dates them"},
		{"events.before", "no event is missing after the first of a trail; nothing shows what happened before it"},
		{"record.truth", "the signer wrote the record; a signature makes a statement unchangeable, not true"},
	}
	if b.audit != nil {
		for _, t := range b.runTrails() {
			tr := b.trails[t.Path]
			if tr == nil {
				continue
			}
			// Where a part of it is there and contradicts it, that is a finding.
			if from, part, _ := partBefore(tr, b); from != nil && part == nil {
				out = append(out, NonClaim{"trail.earlier", fmt.Sprintf("%s goes on from another trail that is not in the bundle; nothing shows what that holds", t.Path)})
			}
		}
	}
	if l := b.ledger; l != nil && l.summary.Genesis != nil && l.summary.Genesis.Continues != nil {
		out = append(out, NonClaim{"trail.earlier", bundle.LedgerPath + " goes on from another trail that is not in the bundle; nothing shows what that holds"})
	}
	if b.kind == bundle.KindRelease {
		out = append(out, NonClaim{"release.newest", "a bundle cannot know whether a newer one exists"})
	}
	if b.release != nil && b.release.Channel == bundle.Canary {
		out = append(out, NonClaim{"release.promoted", "a canary has not been judged by any window yet"})
	}
	if b.unseen > 0 {
		out = append(out, NonClaim{"artifacts.others", fmt.Sprintf("the bytes of %s that nobody asked about were not seen", plural(b.unseen, "artifact"))})
	}
	for path, f := range b.files {
		if f.Role == bundle.RoleEvidence && !isAuditBundle(path) {
			out = append(out, NonClaim{"evidence.other", "evidence that is no audit bundle is pinned and not looked into"})
			break
		}
	}
	if b.promoted() && b.o.Root == nil {
		out = append(out, NonClaim{"lineage.signers", "without a trust root nobody was asked who may sign the bundles that the release came from"})
	}
	if b.promoted() {
		out = append(out, NonClaim{"ledger.later", "the ledger ends with the promotion; what came later, such as a rollback, is not in the bundle"},
			NonClaim{"ledger.end", "nothing shows that the end of this ledger was not cut before the bundle was sealed"},
			NonClaim{"ledger.only", "nothing shows that the product has no other ledger, or that everything that was measured is in this one"})
	}
	if b.silent {
		out = append(out, NonClaim{"ledger.silent", "the ledger that was given is none that the bundle was sealed over; what became of it there may stand elsewhere"})
	}
	if u := b.rootUse(); u != nil {
		out = append(out, NonClaim{"root.later", fmt.Sprintf("a later version of the root than %d may revoke a key, or ask for more of them", u.Version)})
	}
	open := map[Code]bool{}
	for _, f := range b.c.findings {
		if f.Verdict == Undecidable && !open[f.Code] {
			open[f.Code] = true
			out = append(out, NonClaim{string(f.Code), "left open: " + f.Text})
		}
	}
	return out
}
