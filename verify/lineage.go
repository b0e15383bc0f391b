package verify

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// An ancestor is one of the bundles that a promoted release came from, as far as the
// release carries it.
type ancestor struct {
	id         sign.Digest
	manifest   *bundle.ReleaseManifest // without files and artifacts; nil if it cannot be read
	labels     string                  // how its artifacts differ from those of the release, "" if they do not
	signatures []bundle.SignatureBy
	reached    bool // the release came from it
	tally      tally
}

func (a *ancestor) path() string           { return bundle.FromPath(a.id) }
func (a *ancestor) signaturesPath() string { return bundle.FromSignaturesPath(a.id) }

// carries reports whether the file at path is part of the lineage, and its place among
// no more than two bundles: a manifest that lists more has its finding.
func (b *check) carries(path string) bool {
	id, _, ok := bundle.FromID(path)
	if !ok || !b.promoted() {
		return false
	}
	if b.lineage[id] == nil && len(b.lineage) < 2 {
		b.lineage[id] = &ancestor{id: id}
	}
	return b.lineage[id] != nil
}

// readLineage reads a manifest that the release came from, or its signatures. Of a
// manifest that may be as long as that of the release little is kept: what must be equal
// is compared at once.
func (b *check) readLineage(e *bundle.Entry, body io.Reader) error {
	id, manifest, _ := bundle.FromID(e.Path)
	a := b.lineage[id]
	if !manifest {
		data, err := b.load(e, body, limits.Signature)
		if err != nil || data == nil || sign.Sum(data) != b.files[e.Path].Hash {
			return err // judgeFiles says what is wrong with its bytes
		}
		s, err := bundle.ReadSignatures(e.Path, data)
		if b.addError(checkRelease, e.Path, err); err == nil {
			a.signatures = s.Signatures
		}
		return nil
	}
	data, err := b.load(e, body, limits.Lineage)
	if err != nil || data == nil || sign.Sum(data) != id {
		return err
	}
	m, err := bundle.ReadReleaseManifest(data)
	var faults bundle.Faults
	if errors.As(err, &faults) {
		for _, f := range faults {
			b.add(checkRelease, finding.New(f.Code, e.Path, f.Text))
		}
	} else {
		b.addError(checkRelease, e.Path, err)
	}
	if err != nil {
		return nil
	}
	a.labels = differentArtifacts(b.release.Artifacts, m.Artifacts)
	m.Files, m.Artifacts = nil, nil
	a.manifest = &m
	return nil
}

// differentArtifacts names the first place where two lists are not the same.
func differentArtifacts(want, got []bundle.Artifact) string {
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			return fmt.Sprintf("artifacts[%d] is %s %s of %d bytes, not %s %s of %d bytes", i, got[i].URI, got[i].Hash, got[i].Size, want[i].URI, want[i].Hash, want[i].Size)
		}
	}
	if len(want) != len(got) {
		return fmt.Sprintf("it has %s, not %d", plural(len(got), "artifact"), len(want))
	}
	return ""
}

// ancestors returns the bundles that the release came from, the nearest first, as far
// as they are carried and can be read.
func (b *check) ancestors() (list []*ancestor) {
	m := b.release
	for m != nil && m.Provenance.Previous != nil {
		a := b.lineage[*m.Provenance.Previous]
		if a == nil || slices.Contains(list, a) || a.manifest == nil {
			return list
		}
		list = append(list, a)
		m = a.manifest
	}
	return list
}

var below = map[string]string{bundle.Stable: bundle.Canary, bundle.LTS: bundle.Stable}

// judgeLineage holds the release to the manifests that it came from: they say the same
// of everything but the way up, and each was signed by those who may.
func (b *check) judgeLineage() {
	if !b.promoted() {
		return
	}
	b.c.ran(checkRelease)
	m := b.release
	channel := m.Channel
	for _, a := range b.ancestors() {
		a.reached = true
		channel = below[channel]
		b.judgeAncestor(a, channel)
	}
	last := m
	for _, a := range b.ancestors() {
		last = a.manifest
	}
	if id := last.Provenance.Previous; id != nil && b.lineage[*id] == nil && last != m {
		b.add(checkRelease, finding.New(finding.FileMissing, bundle.FromPath(*id), "the release came from it, and it is not listed"))
	}
	for _, a := range b.lineage {
		if !a.reached && a.manifest != nil {
			b.add(checkRelease, finding.New(finding.DataMismatch, a.path(), "the release did not come from this one"))
		}
	}
}

func (b *check) judgeAncestor(a *ancestor, channel string) {
	m, from := b.release, a.manifest
	differ := func(what, want, got string) {
		if want != got {
			b.add(checkRelease, finding.New(finding.DataMismatch, a.path(), "another "+what+" than the release that came from it").Differs(want, got))
		}
	}
	if from.Channel != channel {
		b.add(checkRelease, finding.New(finding.DataMismatch, a.path(), "the release came from another channel").Differs(channel, from.Channel))
	}
	differ("product", m.Product, from.Product)
	differ("version", m.Version, from.Version)
	differ("commit", deref(m.Commit), deref(from.Commit))
	differ("cards.pipeline", m.Cards.Pipeline.String(), from.Cards.Pipeline.String())
	differ("cards.param", m.Cards.Param.String(), from.Cards.Param.String())
	if !slices.Equal(m.Provenance.Audit, from.Provenance.Audit) {
		b.add(checkRelease, finding.New(finding.DataMismatch, a.path(), "provenance.audit is not that of the release that came from it"))
	}
	if a.labels != "" {
		b.add(checkRelease, finding.New(finding.DataMismatch, a.path(), "artifacts are not those of the release that came from it: "+a.labels))
	}
}
