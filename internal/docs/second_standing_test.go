package docs

import (
	"slices"
	"strings"
	"time"
)

// What a trust root says of the keys that signed a bundle: of section 13 the time,
// the dating and the threshold.

// A secondRecord is an event that dates a bundle.
type secondRecord struct {
	bundle, signer string
	at             time.Time
}

// dates takes the records of a ledger that the caller has.
func (s *second) dates(ledger string) {
	in := *s
	in.findings, in.failing = nil, map[int64]bool{}
	t := &secondTrail{s: &in, path: "ledger", role: "ledger", intact: true, faulty: new(int)}
	t.read(ledger, nil)
	if t.rejected || t.genesis == nil {
		return
	}
	var ts time.Time // the greatest so far
	for _, e := range t.proven {
		if own, _ := time.Parse(timeForm, text(e, "ts")); own.After(ts) {
			ts = own
		}
		g, ok := s.rooted.last().roles["ledger"].grants[text(e, "verifier.pk_ref")]
		if text(e, "action") != "bundle.sealed" || !ok || g.status == "revoked" || ts.Before(g.notBefore) || ts.After(g.notAfter) {
			continue
		}
		s.records = append(s.records, secondRecord{text(e, "details.bundle"), text(e, "verifier.pk_ref"), ts})
	}
}

// dated reports whether a record by another key has the bundle, or the one that it
// is evidence of, before a time.
func (s *second) dated(signer string, before time.Time) bool {
	for b := s; b != nil; b = b.outer {
		id := digest(b.files[manifestPath])
		if slices.ContainsFunc(s.records, func(r secondRecord) bool { return r.bundle == id && r.signer != signer && r.at.Before(before) }) {
			return true
		}
	}
	return false
}

// judge returns what speaks against a use of a key: codes and verdicts. Of a key that
// was added to what others sealed nobody knows when.
func (s *second) judge(g secondGrant, signer string, first, last time.Time, added bool) (faults [][2]string) {
	reject, open := "REJECT", "UNDECIDABLE"
	then := func(t time.Time) bool { return s.now.IsZero() || !t.After(s.now) } // it was so at the time asked about
	if !last.IsZero() {
		switch early := first.Before(g.notBefore); {
		case last.After(g.notAfter), early && !added, early && !then(g.notBefore):
			faults = append(faults, [2]string{"E_KEY_RETIRED", reject})
		case early && g.status != "active":
			faults = append(faults, [2]string{"E_KEY_RETIRED", open})
		}
	}
	if g.status == "revoked" && then(g.revokedSince) {
		verdict := open
		if !last.IsZero() && !last.Before(g.revokedSince) {
			verdict = reject
		} else if !added && s.dated(signer, g.revokedSince) {
			verdict = "NOTE"
		}
		faults = append(faults, [2]string{"E_KEY_REVOKED", verdict})
	}
	return faults
}

// heaviest returns the worst verdict of faults, "" if they are notes.
func heaviest(faults [][2]string) (worst string) {
	for _, f := range faults {
		if f[1] == "REJECT" || f[1] == "UNDECIDABLE" && worst == "" {
			worst = f[1]
		}
	}
	return worst
}

// standing asks the root about the keys of a trail. A trail by the sealing key in
// the same role needs no finding of its own.
func (t *secondTrail) standing() {
	s := t.s
	if s.rooted == nil {
		return
	}
	s.reference(t.genesis, t.path)
	for _, u := range t.uses {
		g, ok := s.rooted.last().roles[t.role].grants[u.signer]
		switch {
		case !ok:
		case u.signer == text(s.m, "verifier.pk_ref") && t.role == s.role():
			if s.began.IsZero() || u.first.Before(s.began) {
				s.began = u.first
			}
		default:
			for _, f := range s.judge(g, u.signer, u.first, u.last, false) {
				s.find(true, f[0], f[1], t.path)
			}
		}
	}
}

// standing asks the root about the keys that have sealed, and whether they are enough.
func (s *second) standing() {
	s.reference(s.m, manifestPath)
	if at := s.stood(s.m); s.kind == "release" && s.outer == nil && at.After(s.latest) {
		s.latest = at
	}
	if late := s.latest.Sub(s.now); !s.now.IsZero() && !s.latest.IsZero() {
		s.leave(late > time.Second, "E_TIME_ORDER", manifestPath)
		s.note(late > 0 && late <= time.Second, "E_TIME_ORDER", manifestPath)
	}
	if s.began.IsZero() {
		s.began = s.latest
	}
	sealer := text(s.m, "verifier.pk_ref")
	q := s.quorum(s.role(), sealer, manifestPath)
	q.seal(s.began, s.latest, s.signed)
	for _, k := range s.signers {
		q.further(keyID(k), s.latest, "sig/by/"+strings.TrimPrefix(digest([]byte(str("ssh-ed25519", string(k)))), "sha256:")+"/")
	}
	q.end()
}

// A secondQuorum counts who signed a manifest.
type secondQuorum struct {
	s            *second
	name         string // of the role
	role         secondRole
	sealer, path string
	id           string         // of the manifest, if it is not the bundle's own
	records      []secondRecord // beside those of the caller
	unknown      bool
	own          [][2]string
	counts, open map[string]bool
}

func (s *second) quorum(name, sealer, path string) *secondQuorum {
	q := &secondQuorum{s: s, name: name, sealer: sealer, path: path, counts: map[string]bool{}, open: map[string]bool{}}
	if s.rooted != nil {
		q.role = s.rooted.last().roles[name]
		q.unknown = s.anyKey(sealer) == nil
	}
	return q
}

// judge is that of the bundle, with what dates the manifest besides.
func (q *secondQuorum) judge(id string, first, last time.Time, added bool) [][2]string {
	in := *q.s
	in.records = append(slices.Clone(q.records), q.s.records...)
	for i, r := range in.records {
		if q.id != "" && r.bundle == q.id {
			in.records[i].bundle = digest(q.s.files[manifestPath]) // it is pinned there
		}
	}
	return in.judge(q.role.grants[id], id, first, last, added)
}

func (q *secondQuorum) take(id string, faults [][2]string) {
	q.counts[id] = q.counts[id] || heaviest(faults) == ""
	q.open[id] = q.open[id] || heaviest(faults) == "UNDECIDABLE"
}

func (q *secondQuorum) seal(first, last time.Time, good bool) {
	if _, ok := q.role.grants[q.sealer]; !ok {
		return // and has its finding
	}
	if q.own = q.judge(q.sealer, first, last, false); good {
		q.take(q.sealer, q.own)
	}
}

func (q *secondQuorum) further(id string, last time.Time, path string) {
	faults := q.judge(id, last, last, true)
	q.take(id, faults)
	for _, f := range faults {
		q.s.note(true, f[0], path)
	}
}

// end says whether there are enough.
func (q *secondQuorum) end() {
	many := func(m map[string]bool) (n int64) {
		for _, yes := range m {
			if yes {
				n++
			}
		}
		return n
	}
	n := many(q.counts)
	for _, f := range q.own {
		if f == [2]string{"E_KEY_REVOKED", "UNDECIDABLE"} && n >= q.role.threshold {
			f[1] = "NOTE"
		}
		q.s.find(true, f[0], f[1], q.path)
	}
	if n >= q.role.threshold || q.unknown || !q.counts[q.sealer] && n+1 >= q.role.threshold {
		return
	}
	earlier := slices.ContainsFunc(q.s.rooted.versions, func(r *secondRoot) bool {
		was := r.roles[q.name].threshold
		return was > 0 && n >= was
	})
	verdict := "REJECT"
	if earlier || n+many(q.open) >= q.role.threshold {
		verdict = "UNDECIDABLE"
	}
	q.s.find(true, "E_THRESHOLD", verdict, q.path)
}
