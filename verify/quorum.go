package verify

import (
	"fmt"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/finding"
	"github.com/relseal/relseal/sign"
)

// A quorum counts, of a bundle whose signers a trust root limits, the keys whose
// signatures count, each once.
type quorum struct {
	b       *check
	keys    map[sign.KeyID]bool
	open    int      // further signers of whom nobody can say whether they count
	sealing *Finding // why the sealing key does not count, or what is to be said of it
	unknown bool     // the sealing key is not in the root at all, which has its finding
}

func newQuorum(b *check) *quorum { return &quorum{b: b, keys: map[sign.KeyID]bool{}} }

// seal takes in the sealing key, whose signatures are good or not.
func (q *quorum) seal(key sign.PublicKey, good bool) {
	if q.b.authority == nil {
		return
	}
	q.sealing = q.b.standing(q.b.role(), key.KeyID(), bundle.ManifestPath, q.b.recorded())
	if good && (q.sealing == nil || q.sealing.Verdict == Note) {
		q.keys[key.KeyID()] = true
	}
}

// further takes in another signer, whose signatures are good or not. One that does
// not count is worth a note: anybody can add a signature.
func (q *quorum) further(key sign.PublicKey, dir string, good bool) {
	if q.b.authority == nil || !good {
		return
	}
	f := q.b.standing(q.b.role(), key.KeyID(), dir, q.b.recorded())
	if f != nil && f.Code == finding.KeyRetired {
		// Its own time is not on record, and that of the seal may be before it had the role.
		if g, _ := q.b.authority.Grant(q.b.role(), key.KeyID()); !q.b.recorded().After(g.NotAfter) {
			f = nil
		}
	}
	if f != nil && f.Verdict != Note {
		if f.Verdict == Undecidable {
			q.open++
		}
		*f = f.As(Note)
		f.Text += "; not counted"
		q.b.add(checkSignature, *f)
		return
	}
	q.keys[key.KeyID()] = true
}

// judge says whether there are enough. That the sealing key's time is open does not
// matter if there are enough without it.
func (q *quorum) judge() {
	b := q.b
	if b.authority == nil {
		return
	}
	b.counted = len(q.keys)
	now, least := b.authority.Threshold(b.role())
	if q.sealing != nil {
		if q.sealing.Verdict == Undecidable && len(q.keys) >= now {
			*q.sealing = q.sealing.As(Note)
		}
		b.add(checkSignature, *q.sealing)
	}
	if len(q.keys) >= now || q.unknown || !q.keys[b.keyID] && len(q.keys)+1 >= now {
		return // enough, or the finding about the sealing key is the cause
	}
	f := finding.New(finding.Threshold, bundle.ManifestPath, fmt.Sprintf("%s asks for signatures by %s; %d count",
		b.role(), plural(now, "key"), len(q.keys)))
	switch {
	case len(q.keys)+q.open >= now:
		f.Text += fmt.Sprintf(", and of %d more nobody can say", q.open)
		f = f.As(Undecidable)
	case least <= len(q.keys):
		f.Text += fmt.Sprintf("; an earlier version of the root asked for %d", least)
		f = f.As(Undecidable)
	}
	b.add(checkSignature, f)
}
