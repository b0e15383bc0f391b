package docs

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

// What a promoted release carries of the bundles that it came from, and the guide: of
// sections 7, 9 and 13 in the second verifier.

var fromPath = regexp.MustCompile(`^evidence/from/([0-9a-f]{64})/(manifest|signatures)\.json$`)

// holdsHead asks where a release says that the ledger stood: on canary anywhere or
// nowhere, else where it was promoted.
func (s *second) holdsHead(canary bool) bool {
	head := get(s.m, "provenance.head")
	if !canary {
		return reflect.DeepEqual(head, get(s.m, "provenance.ledger"))
	}
	if s.listedHash(ledgerPath) != "" {
		return false
	}
	return head == nil || num(head, "k") > 0 || num(head, "k") == 0 && text(head, "H_k") == text(head, "H_0")
}

// carriesLineage asks whether as many manifests are listed as there are channels below.
func (s *second) carriesLineage() bool {
	parts, ok := map[string]int{}, true
	for _, f := range list(s.m, "files") {
		if m := fromPath.FindStringSubmatch(text(f, "path")); m != nil {
			parts[m[1]]++
			ok = ok && (m[2] != "manifest" || text(f, "hash") == "sha256:"+m[1])
		}
	}
	for _, n := range parts {
		ok = ok && n == 2
	}
	previous := text(s.m, "provenance.previous")
	return ok && len(parts) == map[string]int{"stable": 1, "LTS": 2}[text(s.m, "channel")] && (previous == "" || parts[previous[7:]] == 2)
}

// A secondAncestor is a bundle that the release came from.
type secondAncestor struct {
	id, path   string // path of its folder
	m          any
	signatures []any
}

// lineage is step 9 of the checks.
func (s *second) lineage() {
	if text(s.m, "channel") == "canary" || s.outer != nil || get(s.m, "provenance.ledger") == nil {
		return
	}
	carried := map[string]*secondAncestor{}
	for _, f := range list(s.m, "files") {
		path := text(f, "path")
		part := fromPath.FindStringSubmatch(path)
		data, there := s.files[path]
		if part == nil || !there {
			continue
		}
		id := "sha256:" + part[1]
		if carried[id] == nil {
			if len(carried) == 2 {
				continue // what is there too many is not looked at
			}
			carried[id] = &secondAncestor{id: id, path: "evidence/from/" + part[1] + "/"}
		}
		a := carried[id]
		if digest(data) != text(f, "hash") || part[2] == "manifest" && digest(data) != id {
			continue
		}
		doc, ok := readCanonical(data)
		schema, table := "relseal/release-bundle/v1", "releasebundle"
		if part[2] == "signatures" {
			schema, table = "relseal/signatures/v1", "signatures"
		}
		if own, said := get(doc, "schema").(string); s.reject(ok && said && own != schema, "E_SCHEMA_MISMATCH", path) {
			continue
		}
		ok = ok && s.form.check(table, doc) == ""
		if part[2] == "signatures" {
			if !s.reject(!ok || !sortedSigners(doc), "E_FORMAT", path) {
				a.signatures = list(doc, "signatures")
			}
			continue
		}
		in := *s
		in.m, in.kind, in.findings = doc, "release", nil
		if !s.reject(!ok || !in.manifest() || len(in.findings) > 0, "E_FORMAT", path) {
			a.m = doc
		}
	}
	channel, last := text(s.m, "channel"), s.m
	for {
		a := carried[text(last, "provenance.previous")]
		if a == nil || a.m == nil || slices.Contains(s.ancestors, a) {
			break
		}
		channel = map[string]string{"LTS": "stable", "stable": "canary"}[channel]
		s.ancestors, last = append(s.ancestors, a), a.m
		same := text(a.m, "channel") == channel
		for _, name := range []string{"product", "version", "commit", "cards", "provenance.audit", "artifacts"} {
			same = same && reflect.DeepEqual(get(a.m, name), get(s.m, name))
		}
		s.reject(!same, "E_DATA_MISMATCH", a.path+"manifest.json")
	}
	if id := text(last, "provenance.previous"); id != "" && len(s.ancestors) > 0 && carried[id] == nil {
		s.reject(true, "E_FILE_MISSING", "evidence/from/"+id[7:]+"/manifest.json")
	}
	for _, a := range carried {
		s.reject(a.m != nil && !slices.Contains(s.ancestors, a), "E_DATA_MISMATCH", a.path+"manifest.json")
	}
}

func sortedSigners(doc any) bool {
	var ids []string
	for _, by := range list(doc, "signatures") {
		ids = append(ids, text(by, "keyid"))
	}
	return len(ids) > 0 && slices.IsSorted(ids) && len(slices.Compact(slices.Clone(ids))) == len(ids)
}

// recorded compares a carried manifest with the ledger.
func (l *secondLedger) recorded(a *secondAncestor) {
	s, path := l.s, a.path+"manifest.json"
	policy := ""
	if gates := get(a.m, "gates"); gates != nil {
		policy = digestOf(gates)
	}
	if r := l.releases[a.id]; r != nil {
		skew := int64(0)
		if p := l.policyOf(r); p != nil {
			skew = num(p.policy, "skew_max_ms")
		}
		s.leave(!s.evidenceEnd.IsZero() && s.evidenceEnd.UnixMilli()-r.since > skew, "E_TIME_ORDER", ledgerPath)
		s.reject(r.channel != text(a.m, "channel") || r.version != text(a.m, "version") || r.policy != policy, "E_DATA_MISMATCH", path)
	}
	first := digestOf(l.trail.genesis)
	l.trail.heads[0] = first
	for _, name := range []string{"provenance.ledger", "provenance.head"} {
		ref, whole := get(a.m, name), get(l.trail.genesis, "continues") == nil
		switch {
		case ref == nil:
		case text(ref, "H_0") != first:
			s.reject(whole, "E_DATA_MISMATCH", path)
			s.leave(!whole, "E_DECISION", path)
		default:
			s.reject(l.trail.heads[num(ref, "k")] != text(ref, "H_k"), "E_DATA_MISMATCH", path)
			if name == "provenance.ledger" {
				l.manifest(a.m, path, l.moves[num(ref, "k")])
			}
		}
	}
}

// signedLineage asks who signed the bundles that the release came from.
func (s *second) signedLineage() {
	for _, a := range s.ancestors {
		if s.rooted != nil {
			s.reference(a.m, a.path+"manifest.json")
		}
		if a.signatures == nil {
			continue
		}
		manifest, path := a.path+"manifest.json", a.path+"signatures.json"
		sealer, sealed := text(a.m, "verifier.pk_ref"), false
		role := "release." + strings.ToLower(text(a.m, "channel"))
		q := s.quorum(role, sealer, manifest)
		last := s.evidenceEnd
		if s.rooted != nil {
			if at := s.stood(a.m); at.After(last) {
				last = at
			}
		}
		for _, t := range s.trails {
			if t.path == ledgerPath && s.rooted != nil && !s.rejects(ledgerPath) {
				q.records = t.dates(a.id)
			}
		}
		q.id = a.id
		for _, by := range a.signatures {
			id := text(by, "keyid")
			sealed = sealed || id == sealer
			known := s.anyKey(id)
			if known == nil {
				s.note(id != sealer, "E_KEY_UNKNOWN", path)
				s.reject(s.rooted != nil && id == sealer, "E_KEY_UNKNOWN", manifest)
				continue
			}
			good := holds(known, hashed(a.id), text(by, "sig"))
			s.reject(!good, "E_SIG_BUNDLE", path)
			switch lacks := s.rooted != nil && q.role.grants[id].key == nil; {
			case s.rooted == nil:
			case lacks && id == sealer:
				s.reject(true, "E_KEY_UNKNOWN", manifest)
			case lacks:
				s.note(good, "E_KEY_UNKNOWN", path)
			case id == sealer:
				q.seal(last, last, good)
			case good:
				q.further(id, last, path)
			}
		}
		if !s.reject(!sealed, "E_SIG_BUNDLE", path) && s.rooted != nil {
			q.end()
		}
	}
}

// dates returns what a trail records of a bundle, as far as its key may date.
func (t *secondTrail) dates(id string) (out []secondRecord) {
	for _, e := range t.proven {
		at := t.ends[num(e, "k")]
		g, ok := t.s.rooted.last().roles["ledger"].grants[text(e, "verifier.pk_ref")]
		if text(e, "action") == "bundle.sealed" && text(e, "details.bundle") == id && ok && g.status != "revoked" && !at.Before(g.notBefore) && !at.After(g.notAfter) {
			out = append(out, secondRecord{id, text(e, "verifier.pk_ref"), at})
		}
	}
	return out
}

// sameEnd reports whether what a trail continues is the end of one that a manifest pins.
func sameEnd(from, pin any) bool {
	return from != nil && text(pin, "purpose") == "run" && text(from, "H_0") == text(pin, "H_0") && num(from, "k") == num(pin, "K") && text(from, "H_k") == text(pin, "H_K")
}

// partOf returns the trail of these bundles with the H_0 that another one continues.
func (s *second) partOf(t *secondTrail, runs ...*second) (in *second, pin any) {
	from := get(t.genesis, "continues")
	for _, in := range runs {
		for _, pin := range list(in.m, "trails") {
			if text(pin, "H_0") == text(from, "H_0") {
				return in, pin
			}
		}
	}
	return nil, nil
}

// contradicts notes that a trail does not go on from the end of one that is at hand.
func (s *second) contradicts(from, pin any, path string) {
	run, k, want := text(pin, "purpose") == "run", num(from, "k"), num(pin, "K")
	s.leave(run && k > want, "E_SEQUENCE", path)
	s.reject(!run || k < want, "E_SEQUENCE", path)
	s.reject(run && k == want && text(from, "H_k") != text(pin, "H_K"), "E_CHAIN_LINK", path)
}

// parts holds the trails of a run to each other.
func (s *second) parts() {
	ended, heads := false, map[string]bool{}
	for _, t := range s.runs {
		if t.genesis == nil || t.wrong {
			continue
		}
		s.reject(heads[text(t.pin, "H_0")], "E_SEQUENCE", t.path)
		heads[text(t.pin, "H_0")] = true
		if from := get(t.genesis, "continues"); from != nil {
			if _, pin := s.partOf(t, s); pin != nil {
				s.contradicts(from, pin, t.path)
			}
		}
		end := t.summary().end
		t.fails(end != nil && ended, "E_SEQUENCE", num(end, "k"))
		ended = ended || end != nil
	}
	if !slices.ContainsFunc(s.runs, func(t *secondTrail) bool { return t.genesis == nil || s.rejects(t.path) }) {
		for _, t := range s.runs {
			s.parted(t)
		}
	}
}

// parted holds the artifacts to what the steps of a trail and of the parts before it made
// last. Of a part with run.end that is asked elsewhere.
func (s *second) parted(t *secondTrail) {
	goesOn := func(next *secondTrail) bool { return sameEnd(get(next.genesis, "continues"), t.pin) }
	if !t.closed || slices.ContainsFunc(s.runs, goesOn) {
		return
	}
	last, by := map[string]string{}, map[string]*secondTrail{}
	for t != nil {
		for uri, hash := range t.summary().made {
			if by[uri] == nil {
				last[uri], by[uri] = hash, t
			}
		}
		before := slices.IndexFunc(s.runs, func(p *secondTrail) bool { return sameEnd(get(t.genesis, "continues"), p.pin) })
		if before < 0 {
			break
		}
		t = s.runs[before]
	}
	for _, a := range list(s.m, "artifacts") {
		if by := by[text(a, "uri")]; by != nil && by.summary().end == nil {
			s.reject(last[text(a, "uri")] != text(a, "hash"), "E_DATA_MISMATCH", by.path)
		}
	}
}

// whole leaves a release open that rests on a run of which a part is missing.
func (s *second) whole(runs []*second) {
	heads, whose := map[string]string{}, map[string]*second{}
	for _, in := range runs {
		for _, t := range in.runs {
			h0, hk := text(t.pin, "H_0"), text(t.pin, "H_K")
			if whose[h0] == nil {
				heads[h0], whose[h0] = hk, in
			}
			s.reject(whose[h0] != in && heads[h0] != hk, "E_SEQUENCE", "")
			from := get(t.genesis, "continues")
			if from == nil {
				continue
			}
			other, pin := s.partOf(t, append([]*second{in}, runs...)...)
			s.leave(pin == nil, "E_SEQUENCE", "")
			if pin == nil || other == in {
				continue
			}
			s.contradicts(from, pin, "")
			twice := slices.ContainsFunc(other.runs, func(before *secondTrail) bool {
				return before.path == text(pin, "path") && before.summary().end != nil && t.summary().end != nil
			})
			s.reject(twice && sameEnd(from, pin), "E_SEQUENCE", "")
		}
	}
}

var aboutSigners = []string{"E_KEY_UNKNOWN", "E_KEY_RETIRED", "E_KEY_REVOKED", "E_THRESHOLD", "E_ROOT", "E_TIME_ORDER"}

// sealStands reports whether the signatures hold, by those who may.
func (s *second) sealStands() bool {
	return !slices.ContainsFunc(s.findings, func(f secondFinding) bool {
		about := strings.HasPrefix(f.path, "sig/") || (f.path == "" || f.path == manifestPath) && slices.Contains(aboutSigners, f.code)
		return about && f.verdict != "NOTE"
	})
}

// guide returns VERIFY.md, by the page's own text.
func (s *second) guide() string {
	_, section, _ := strings.Cut(s.page, "### The guide\n")
	section, _, _ = strings.Cut(section, "\n## 8.")
	blocks := regexp.MustCompile("(?s)````text\n(.*?)````").FindAllStringSubmatch(section, -1)
	contents := blocks[0][1]
	product := text(s.m, "product")
	if !regexp.MustCompile(`^[A-Za-z0-9_+@=~./-]+$`).MatchString(product) {
		product = `"` + strings.ReplaceAll(product, `"`, `\u0022`) + `"`
	}
	title, what := product+", run "+text(s.m, "run.id"), "an audit bundle: the signed record of one run"
	if s.kind == "release" {
		title = fmt.Sprintf("%s %s (%s)", product, text(s.m, "version"), text(s.m, "channel"))
		what, contents = "a release bundle: artifacts and the evidence for them", blocks[1][1]
		if text(s.m, "channel") == "canary" {
			contents = strings.Join(strings.SplitAfter(contents, "\n")[:2], "")
		}
	}
	return strings.NewReplacer("<KIND>", s.kind, "<KEY>", text(s.m, "verifier.pk_ref"), "<TITLE>", title, "<WHAT>", what, "<CONTENTS>", contents).Replace(blocks[2][1])
}

// whatBecame holds a release to the ledger that the caller has.
func (s *second) whatBecame() {
	t, findings, torn := s.atHand()
	if t == nil {
		return
	}
	id := digest(s.files[manifestPath])
	mine := map[string]bool{id: true} // it, and what it became
	for range t.proven {
		moves := map[int64]bool{}
		for _, e := range t.proven {
			if text(e, "action") == "promote" && mine[text(e, "details.release")] {
				moves[num(e, "k")] = true
			}
			if text(e, "action") == "bundle.sealed" && moves[num(e, "details.promote")] {
				mine[text(e, "details.bundle")] = true
			}
		}
	}
	var now time.Time // of an event: the greatest so far
	verdict := func(e any) string {
		if ts, _ := time.Parse(timeForm, text(e, "ts")); ts.After(now) {
			now = ts
		}
		if s.history || !s.now.IsZero() && now.After(s.now) && !s.install {
			return "NOTE"
		}
		return "REJECT"
	}
	for _, e := range t.proven {
		verdict := verdict(e)
		if s.find(text(e, "action") == "rollback" && mine[text(e, "details.release")], "E_ROLLED_BACK", verdict, manifestPath) {
			break
		}
	}
	back := func(m any, id string) {
		sealed := false
		now = time.Time{}
		for _, e := range t.proven {
			verdict := verdict(e)
			sealed = sealed || text(e, "action") == "bundle.sealed" && text(e, "details.bundle") == id
			if s.find(!sealed && text(e, "action") == "rollback" && text(e, "details.release") == text(m, "provenance.previous"), "E_ROLLED_BACK", verdict, manifestPath) {
				break
			}
		}
	}
	s.leave(torn != "", "E_TRUNCATED", manifestPath)
	for _, f := range findings {
		s.leave(f.verdict == "UNDECIDABLE", f.code, manifestPath)
	}
	lost := slices.ContainsFunc(t.proven, func(e any) bool {
		return text(e, "action") == "trail.recover" && get(e, "details.acknowledged") != nil
	})
	s.leave(lost, "E_LEDGER_CUT", manifestPath)
	back(s.m, id)
	s.recordedLater(t, id, s.m, manifestPath)
	s.headsLater(t, s.m, manifestPath)
	for _, a := range s.ancestors {
		back(a.m, a.id)
		s.recordedLater(t, a.id, a.m, a.path+"manifest.json")
		s.headsLater(t, a.m, a.path+"manifest.json")
	}
	s.speaks(t, id)
}

// atHand reads the ledger that the caller has, nil if a release cannot be held to it.
func (s *second) atHand() (t *secondTrail, findings []secondFinding, torn string) {
	if s.later == "" || s.kind != "release" || s.outer != nil {
		return nil, nil, ""
	}
	in := *s
	in.findings, in.failing, in.trails = nil, map[int64]bool{}, nil
	t = &secondTrail{s: &in, path: "ledger", role: "ledger", intact: true, faulty: new(int)}
	whole := strings.LastIndexByte(s.later, '\n') + 1
	torn = s.later[whole:] // it lacks its LF alone, or is no line
	ledger := s.later[:whole]
	if json.Valid([]byte(torn)) {
		ledger = s.later + "\n"
	}
	t.read(ledger, nil)
	if t.rejected || t.genesis == nil {
		return nil, nil, ""
	}
	return t, in.findings, torn
}

// stood returns the latest time at which a ledger that is at hand stood where a manifest
// says so.
func (s *second) stood(m any) (last time.Time) {
	ledgers := slices.DeleteFunc(slices.Clone(s.trails), func(t *secondTrail) bool { return t.path != ledgerPath })
	if t, _, _ := s.atHand(); t != nil {
		ledgers = append(ledgers, t)
	}
	for _, t := range ledgers {
		for _, name := range []string{"provenance.ledger", "provenance.head"} {
			ref := get(m, name)
			k := num(ref, "k")
			if ref != nil && t.genesis != nil && text(ref, "H_0") == digestOf(t.genesis) && t.heads[k] == text(ref, "H_k") && t.ends[k].After(last) {
				last = t.ends[k]
			}
		}
	}
	return last
}

// headsLater holds the ledger that the caller has to the heads that a manifest pins.
func (s *second) headsLater(t *secondTrail, m any, path string) {
	end := int64(0)
	for k := range t.heads {
		end = max(end, k)
	}
	for _, name := range []string{"provenance.ledger", "provenance.head"} {
		ref, from := get(m, name), get(t.genesis, "continues")
		if ref == nil || name == "provenance.head" && digestOf(ref) == digestOf(get(m, "provenance.ledger")) {
			continue
		}
		switch k := num(ref, "k"); text(ref, "H_0") {
		case digestOf(t.genesis):
			at := t.heads[k]
			if k == 0 {
				at = digestOf(t.genesis)
			}
			s.reject(k > end, "E_LEDGER_CUT", path)
			s.reject(k <= end && at != text(ref, "H_k"), "E_LEDGER_OTHER", path)
		case text(from, "H_0"):
			s.reject(k > num(from, "k"), "E_LEDGER_CUT", path)
			s.reject(k == num(from, "k") && text(from, "H_k") != text(ref, "H_k"), "E_LEDGER_OTHER", path)
		}
	}
}

// speaks leaves open what the ledger that the caller has may not tell of a release.
func (s *second) speaks(t *secondTrail, id string) {
	from := get(t.genesis, "continues")
	pinned, here, before := false, false, false
	for _, name := range []string{"provenance.ledger.H_0", "provenance.head.H_0"} {
		h0 := text(s.m, name)
		pinned = pinned || h0 != ""
		here = here || h0 == digestOf(t.genesis)
		before = before || h0 != "" && h0 == text(from, "H_0")
	}
	sealed := slices.ContainsFunc(t.proven, func(e any) bool {
		return text(e, "action") == "bundle.sealed" && text(e, "details.bundle") == id
	})
	same := text(t.genesis, "product") == text(s.m, "product")
	s.leave(!here && (before || same && !sealed && (pinned || from != nil)), "E_LEDGER_OTHER", manifestPath)
}

func (s *second) recordedLater(t *secondTrail, id string, m any, path string) {
	var policy any
	if gates := get(m, "gates"); gates != nil {
		policy = digestOf(gates)
	}
	ref := get(m, "provenance.ledger")
	same := ref != nil && text(ref, "H_0") == digestOf(t.genesis)
	for _, e := range t.proven {
		d := get(e, "details")
		sealed := text(e, "action") == "bundle.sealed"
		s.reject(sealed && text(d, "bundle") == id && (get(d, "channel") != get(m, "channel") || get(d, "version") != get(m, "version") || get(d, "policy") != policy), "E_DATA_MISMATCH", path)
		s.reject(sealed && same && get(d, "promote") != nil && num(d, "promote") == num(ref, "k") && text(d, "bundle") != id, "E_DATA_MISMATCH", path)
	}
}
