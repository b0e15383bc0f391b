package docs

import (
	"cmp"
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

// judge returns the finding about a key that signed at times: its code and verdict.
func (s *second) judge(g secondGrant, signer string, times ...time.Time) (code, verdict string) {
	revoked := g.status == "revoked" && (s.now.IsZero() || !g.revokedSince.After(s.now))
	for _, at := range times {
		switch {
		case at.Before(g.notBefore), at.After(g.notAfter):
			return "E_KEY_RETIRED", "REJECT"
		case revoked && !at.Before(g.revokedSince):
			return "E_KEY_REVOKED", "REJECT"
		}
	}
	switch {
	case !revoked:
		return "", ""
	case s.dated(signer, g.revokedSince):
		return "E_KEY_REVOKED", "NOTE"
	}
	return "E_KEY_REVOKED", "UNDECIDABLE"
}

// standing asks the root about every key that signed, and for how many.
func (s *second) standing() {
	s.reference(s.m, manifestPath)
	sealer := text(s.m, "verifier.pk_ref")
	for _, t := range s.trails {
		s.reference(t.genesis, t.path)
		for _, u := range t.uses {
			g, ok := s.rooted.last().roles[t.role].grants[u.signer]
			if !ok || u.signer == sealer {
				continue
			}
			code, verdict := s.judge(g, u.signer, u.first, u.last)
			s.find(code != "", code, verdict, t.path)
		}
	}
	role := s.rooted.last().roles[s.role()]
	g, ok := role.grants[sealer]
	if !ok {
		return
	}
	s.leave(!s.now.IsZero() && s.latest.After(s.now), "E_TIME_ORDER", manifestPath)
	code, verdict := "", ""
	if !s.latest.IsZero() {
		code, verdict = s.judge(g, sealer, s.latest)
	}
	count, later := int64(0), int64(0) // who count; who would if they were dated
	for _, k := range s.signers {
		if id := keyID(k); id != sealer {
			switch by := s.further(role.grants[id], id); by {
			case "":
				count++
			case "later":
				later++
			}
		}
	}
	if verdict == "UNDECIDABLE" && count >= role.threshold {
		verdict = "NOTE"
	}
	s.find(code != "", code, verdict, manifestPath)
	own := int64(0)
	if s.signed {
		own = 1
	}
	faulty := !s.signed || code != "" && verdict != "NOTE"
	switch {
	case faulty && count+own >= role.threshold, !s.signed:
	case !faulty && count+own >= role.threshold:
	default:
		if faulty {
			own = 0
		}
		earlier := slices.ContainsFunc(s.rooted.versions, func(r *secondRoot) bool {
			was := r.roles[s.role()].threshold
			return was > 0 && count+own >= was
		})
		verdict := "REJECT"
		if earlier || count+own+later >= role.threshold {
			verdict = "UNDECIDABLE"
		}
		s.find(true, "E_THRESHOLD", verdict, manifestPath)
	}
}

// further says whether a further signer counts: "" if so, "later" if it would be so
// with a date.
func (s *second) further(g secondGrant, id string) string {
	path := "sig/by/" + strings.TrimPrefix(digest([]byte(str("ssh-ed25519", string(g.key)))), "sha256:") + "/"
	revoked := g.status == "revoked" && (s.now.IsZero() || !g.revokedSince.After(s.now))
	switch {
	case g.notAfter.Before(s.latest):
		s.note(true, "E_KEY_RETIRED", path)
		return "over"
	case revoked && !s.dated(id, g.revokedSince):
		s.note(true, "E_KEY_REVOKED", path)
		return cmp.Or(map[bool]string{true: "later"}[s.latest.Before(g.revokedSince)], "revoked")
	}
	return ""
}
