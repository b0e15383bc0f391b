package verify

import (
	"fmt"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// A making is what the steps of one trail made of the artifacts of the manifest:
// by uri, the digest that the last step.end recorded, nil if none did. Other
// outputs are not kept: a trail may have any number of them.
type making map[string]*made

type made struct {
	some bool
	hash sign.Digest
}

func newMaking(m *bundle.AuditManifest) making {
	all := make([]made, len(m.Artifacts))
	by := make(making, len(all))
	for i, a := range m.Artifacts {
		by[a.URI] = &all[i]
	}
	return by
}

func (m making) add(outputs []audit.Item) {
	for _, it := range outputs {
		if p := m[it.URI]; p != nil {
			*p = made{true, it.Hash}
		}
	}
}

// A change is an artifact of a run that is not what a step made last.
type change struct {
	artifact audit.Item
	made     sign.Digest
}

func (m making) changes(artifacts []audit.Item) (list []change) {
	for _, it := range artifacts {
		if p := m[it.URI]; p != nil && p.some && p.hash != it.Hash {
			list = append(list, change{it, p.hash})
		}
	}
	return list
}

// judgeMade asks whether what the run says it was for is what its steps made. A
// file that no step made may be an artifact, too.
func (b *check) judgeMade(path string, t *trail) {
	for _, c := range t.changed {
		b.add(checkTrail, finding.New(finding.DataMismatch, path, fmt.Sprintf("the artifact %s is not what a step made last", c.artifact.URI)).
			At(t.end.K).Differs(c.made.String(), c.artifact.Hash.String()))
	}
}
