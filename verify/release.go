package verify

import (
	"fmt"
	"io"
	"strings"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// isAuditBundle reports whether a file of evidence is an audit bundle: one level
// deep, by its name.
func isAuditBundle(path string) bool {
	name, ok := strings.CutPrefix(path, bundle.EvidenceDir)
	return ok && strings.HasSuffix(name, ".audit.tar.zst") && !strings.Contains(name, "/")
}

// readEvidence verifies an audit bundle inside a release in full, as it streams by.
func (b *check) readEvidence(path string, body io.Reader) error {
	if b.nested() {
		return nil // one level deep: an audit bundle holds no evidence
	}
	o := b.o
	o.Artifacts = b // the copies of the release come before its evidence
	in := newCheck(b.ctx, o, newCollector(), path)
	in.within = b
	src := bundle.NewReader(body, in.container)
	defer src.Close()
	if err := in.read(src); err != nil {
		return err
	}
	b.evidence[path] = in
	if in.c.verdict() == Reject {
		b.explained[path] = true
	}
	b.c.merge(in.c)
	in.slim(b.release.Artifacts)
	return nil
}

// slim lets go of what nobody asks of a bundle inside another once it was judged:
// there may be many, each as large as the limits allow.
func (b *check) slim(wanted []bundle.Artifact) {
	b.c.findings, b.c.totals = nil, nil
	b.manifest, b.small, b.seen, b.files, b.copies, b.explained = nil, nil, nil, nil, nil, nil
	b.lock, b.params = nil, nil
	if b.c.verdict() != Verified {
		b.pipeline = nil
	}
	for _, t := range b.trails {
		t.definitions, t.steps, t.committed, t.beyond, t.doubtful, t.started, t.end, t.produced = nil, nil, nil, nil, nil, nil, nil, nil
	}
	if b.audit == nil {
		b.release = nil
		return
	}
	b.audit.Files = nil
	// Entries of the run that are equal to those of the release are replaced by them, so
	// that their labels are in memory once.
	own, named := map[bundle.Artifact]bundle.Artifact{}, map[string]bundle.Artifact{}
	for _, a := range wanted {
		own[a], named[a.URI] = a, a
	}
	var kept []bundle.Artifact
	for _, a := range b.audit.Artifacts {
		if listed, ok := own[a]; ok {
			kept = append(kept, listed)
		} else if listed, ok := named[a.URI]; ok && listed.Hash != a.Hash {
			if b.differing == nil {
				b.differing = map[string]sign.Digest{}
			}
			b.differing[listed.URI] = a.Hash
		}
	}
	b.audit.Artifacts = kept
}

// judgeRelease compares the manifest with the runs that it rests on.
func (b *check) judgeRelease() {
	m := b.release
	b.c.ran(checkRelease)
	b.c.ran(checkEvidence)
	var runs []*check
	for _, id := range m.Provenance.Audit {
		path := bundle.EvidencePath(id)
		in, ok := b.evidence[path]
		switch {
		case !ok: // judgeFiles says why
		case in.audit == nil:
			if in.kind != "" && in.kind != bundle.KindAudit {
				b.add(checkEvidence, finding.New(finding.SchemaMismatch, path, "evidence must be an audit bundle"))
			}
		case in.id != id && in.c.passed(checkSignature):
			b.add(checkEvidence, finding.New(finding.BundleID, path,
				"another audit bundle than its name and the manifest say").Differs(id.String(), in.id.String()))
		case in.id == id:
			runs = append(runs, in)
			b.judgeRested(path, in.audit)
		}
	}
	if len(runs) == len(m.Provenance.Audit) {
		b.judgeProvenance(runs)
		b.judgeWhole(runs)
	}
	b.judgeLineage()
	b.judgeLedger()
	for _, a := range b.ancestors() {
		b.judgeSigners(a)
	}
	b.judgeLater()
}

// judgeRested compares the release with one run.
func (b *check) judgeRested(path string, run *bundle.AuditManifest) {
	m := b.release
	if run.Outcome != "ok" {
		b.add(checkRelease, finding.New(finding.DataMismatch, path,
			fmt.Sprintf("the release rests on a run whose outcome is %s", run.Outcome)).Differs("ok", run.Outcome))
	}
	if run.Product != m.Product {
		b.add(checkRelease, finding.New(finding.DataMismatch, path, "the run is of another product").
			Differs(m.Product, run.Product))
	}
}

// judgeProvenance asks of the runs together: which cards, which artifacts, which commit.
func (b *check) judgeProvenance(runs []*check) {
	m := b.release
	produced := map[bundle.Artifact]bool{}
	pipeline, params, commits := false, false, []string{}
	for _, in := range runs {
		for _, a := range in.audit.Artifacts {
			produced[a] = true
		}
		pipeline = pipeline || in.audit.PipelineCard.Hash == m.Cards.Pipeline
		params = params || in.audit.ParamCard.Hash == m.Cards.Param
		commits = append(commits, in.commits()...)
	}
	for _, a := range m.Artifacts {
		if !produced[a] {
			b.add(checkRelease, finding.New(finding.ArtifactHash, a.URI, "not an artifact of an embedded audit bundle"))
		}
		for _, in := range runs {
			// Else the one above is the finding.
			if other, ok := in.differing[a.URI]; ok && produced[a] {
				b.add(checkRelease, finding.New(finding.ArtifactHash, a.URI, "runs that the release rests on recorded different digests").
					Differs(a.Hash.String(), other.String()))
				break
			}
		}
	}
	if !pipeline {
		b.add(checkRelease, finding.New(finding.Card, bundle.ManifestPath, "cards.pipeline is not the card of an embedded run"))
	}
	if !params {
		b.add(checkRelease, finding.New(finding.Card, bundle.ManifestPath, "cards.param is not the card of an embedded run"))
	}
	for _, commit := range commits {
		if m.Commit == nil || *m.Commit != commit {
			b.add(checkRelease, finding.New(finding.DataMismatch, bundle.ManifestPath, "the run recorded another commit").
				Differs(commit, deref(m.Commit)))
		}
	}
}

// judgeWhole leaves a release open that rests on a run of which a part is missing: that
// part may say anything.
func (b *check) judgeWhole(runs []*check) {
	type record struct {
		in *check
		hk sign.Digest
	}
	heads := map[sign.Digest]record{}
	for _, in := range runs {
		for _, t := range in.runTrails() {
			tr, path := in.trails[t.Path], in.prefix+"!"+t.Path
			if tr == nil {
				continue
			}
			if same, ok := heads[t.H0]; !ok {
				heads[t.H0] = record{in, t.HK}
			} else if same.in != in && same.hk != t.HK {
				b.add(checkEvidence, finding.New(finding.Sequence, path, "the chain begins as one of "+same.in.prefix+" does, and ends otherwise").At(0))
			}
			from, part, other := partBefore(tr, append([]*check{in}, runs...)...)
			switch {
			case from == nil:
			case part == nil:
				b.add(checkEvidence, finding.New(finding.Sequence, path,
					fmt.Sprintf("goes on from event %d of a trail that is not in the bundle", from.K)).As(Undecidable))
			case other == in: // judged there
			case !ends(from, part):
				b.add(checkEvidence, *contradiction(path, from, part))
			case tr.ended && other.trails[part.Path] != nil && other.trails[part.Path].ended:
				b.add(checkEvidence, finding.New(finding.Sequence, path, "the run has ended in "+other.prefix+"!"+part.Path+" already"))
			}
		}
	}
}

// sources returns what the run recorded of its source, in each run.start.
func (b *check) sources() (list []recorded) {
	for _, t := range b.runTrails() {
		if tr := b.trails[t.Path]; tr != nil {
			list = append(list, tr.sources...)
		}
	}
	return list
}

// commits returns the commits that the runs of the bundle recorded at their start.
func (b *check) commits() []string {
	var out []string
	for _, s := range b.sources() {
		if s.Commit != "" {
			out = append(out, s.Commit)
		}
	}
	return out
}
