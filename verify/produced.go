package verify

import (
	"fmt"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// stepOutputs are the outputs of the steps of one trail that are artifacts of the
// manifest, by uri. Other outputs are not remembered, because a trail may have any
// number of them.
type stepOutputs map[string]*stepOutput

// A stepOutput is the digest that the last step.end with this output recorded.
type stepOutput struct {
	recorded bool
	hash     sign.Digest
}

func newStepOutputs(m *bundle.AuditManifest) stepOutputs {
	all := make([]stepOutput, len(m.Artifacts))
	by := make(stepOutputs, len(all))
	for i, a := range m.Artifacts {
		by[a.URI] = &all[i]
	}
	return by
}

// add takes in the outputs of a step.end.
func (m stepOutputs) add(outputs []audit.Item) {
	for _, it := range outputs {
		if p := m[it.URI]; p != nil {
			*p = stepOutput{true, it.Hash}
		}
	}
}

// A change is an artifact of a run that differs from the last step output of its uri.
type change struct {
	artifact audit.Item
	produced sign.Digest
}

// A produced says of each artifact of the manifest what one trail recorded of it.
type produced []byte

const (
	notProduced byte = iota
	asPinned
	otherwise
)

func (m stepOutputs) produced(artifacts []bundle.Artifact) produced {
	p := make(produced, len(artifacts))
	for i, a := range artifacts {
		switch o := m[a.URI]; {
		case !o.recorded:
		case o.hash == a.Hash:
			p[i] = asPinned
		default:
			p[i] = otherwise
		}
	}
	return p
}

// judgeParted reports the parts without a run.end whose steps produced an artifact last, and
// with another digest than the manifest pins. A later part may have produced it anew.
func (b *check) judgeParted() {
	trails := b.runTrails()
	for _, p := range trails {
		if t := b.trails[p.Path]; b.explained[p.Path] || t == nil || t.summary.Genesis == nil {
			return // and that is the finding
		}
	}
	found := map[string]bool{}
	for _, p := range trails {
		if !b.trails[p.Path].summary.Closed || b.goesOn(p.Path) {
			continue
		}
		judged := make([]bool, len(b.audit.Artifacts)) // in a later part
		for path := p.Path; path != ""; {
			t := b.trails[path]
			for i, state := range t.produced {
				if state == otherwise && !judged[i] && t.end == nil && !found[path] {
					found[path] = true
					b.add(checkTrail, finding.New(finding.DataMismatch, path, fmt.Sprintf("a step made another artifact %s than the one of the run", b.audit.Artifacts[i].URI)))
				}
				judged[i] = judged[i] || state != notProduced
			}
			from, part, _ := partBefore(t, b)
			if path = ""; ends(from, part) {
				path = part.Path
			}
		}
	}
}

func (m stepOutputs) changes(artifacts []audit.Item) (list []change) {
	for _, it := range artifacts {
		if p := m[it.URI]; p != nil && p.recorded && p.hash != it.Hash {
			list = append(list, change{it, p.hash})
		}
	}
	return list
}

// judgeProduced reports the artifacts that run.end records with another digest than the
// last step that produced them. An artifact that no step produced is no fault.
func (b *check) judgeProduced(path string, t *trail) {
	for _, c := range t.changed {
		b.add(checkTrail, finding.New(finding.DataMismatch, path, fmt.Sprintf("the artifact %s is not what a step made last", c.artifact.URI)).
			At(t.end.K).Differs(c.produced.String(), c.artifact.Hash.String()))
	}
}
