package docs

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A secondLedger is the part of the second verifier that reads a ledger: of
// section 3 what it records, of section 9 the promotion. Of a decision it makes
// outcome and reasons again, and the record of one that says PROMOTE; that the bytes of
// another record follow it leaves out.
type secondLedger struct {
	s        *second
	trail    *secondTrail
	policies []secondPolicy
	releases map[string]*secondRelease
	order    []*secondRelease
	moves    map[int64]*secondMove
	back     map[int64]secondBack // the rollback events
	override any                  // the event before, if it is an override
	lost     bool                 // a trail.recover says that events are
	latest   int64                // the greatest ts so far, in ms
	faults   []secondFault
	notes    []secondFault
}

type secondPolicy struct {
	k, at  int64
	digest string
	policy any
}

type secondRelease struct {
	id, channel, version, policy string
	promote                      int64
	k, since                     int64
	windows                      []any
	first, last                  int64 // k of the first and the last window
	ahead, text                  int64 // by how many ms a window ends after its event, at most; bytes of ids and values
	hole, earlier                bool
	move                         *secondMove
	gone, became                 bool
}

type secondMove struct {
	k        int64
	release  string // that the event names
	source   *secondRelease
	to       string
	policy   *secondPolicy
	decision string
	faulty   bool
	sealed   bool
}

type secondBack struct {
	event any
	at    int64
}

type secondFault struct {
	code    string
	k       int64
	release string
	earlier bool
}

const ledgerPath = "evidence/ledger.jsonl"

var said = regexp.MustCompile(`[\pL\pN]`)

// promotion is step 9 of the checks.
func (s *second) promotion() {
	ref := get(s.m, "provenance.ledger")
	if ref == nil || text(s.m, "channel") == "canary" {
		return
	}
	listed := slices.ContainsFunc(list(s.m, "files"), func(f any) bool { return text(f, "path") == ledgerPath })
	s.leave(!listed, "E_DECISION", manifestPath)
	data, ok := s.files[ledgerPath]
	if !ok || !listed {
		return
	}
	t := &secondTrail{s: s, path: ledgerPath, role: "ledger", intact: true, faulty: new(int)}
	s.trails = append(s.trails, t)
	t.read(string(data), map[string]any{"H_0": get(ref, "H_0"), "H_K": get(ref, "H_k"), "K": get(ref, "k"), "purpose": "ledger"})
	t.standing()
	if s.rejects(ledgerPath) || t.genesis == nil || t.unknown {
		return
	}
	product := get(t.genesis, "product")
	s.reject(product != nil && product != get(s.m, "product"), "E_DATA_MISMATCH", ledgerPath)
	s.leave(get(t.genesis, "continues") != nil, "E_DECISION", ledgerPath)
	l := &secondLedger{s: s, trail: t, releases: map[string]*secondRelease{}, moves: map[int64]*secondMove{}, back: map[int64]secondBack{}}
	for _, e := range t.proven {
		l.event(e)
	}
	way := l.way(num(ref, "k"))
	for _, f := range l.faults {
		switch {
		case f.release != "" && !way[f.release]:
			s.note(true, f.code, ledgerPath)
		case f.code == "E_LEDGER_CUT":
			s.leave(true, f.code, ledgerPath)
		case f.earlier && get(t.genesis, "continues") != nil:
			s.leave(true, f.code, ledgerPath)
		default:
			t.fault(f.code, f.k)
		}
	}
	for _, n := range l.notes {
		s.note(n.release == "" || way[n.release] || n.code == "E_ROLLBACK_DEADLINE", n.code, ledgerPath)
	}
	l.manifest(s.m, manifestPath, l.moves[num(ref, "k")])
	for _, a := range s.ancestors {
		l.recorded(a)
	}
}

// way returns the bundles that the release went through.
func (l *secondLedger) way(k int64) map[string]bool {
	way := map[string]bool{}
	rests := []int64{k}
	for _, a := range l.s.ancestors {
		if get(a.m, "provenance.ledger") != nil {
			rests = append(rests, num(a.m, "provenance.ledger.k"))
		}
	}
	for _, k := range rests {
		if m := l.moves[k]; m != nil {
			way[m.release] = true
		}
	}
	for m := l.moves[k]; m != nil && m.source != nil; m = l.below(m.source) {
		way[m.source.id] = true
	}
	return way
}

// below returns the promotion from the channel below that made r.
func (l *secondLedger) below(r *secondRelease) *secondMove {
	m := l.moves[r.promote]
	if m == nil || m.source == nil || m.k >= r.k || map[string]string{"canary": "stable", "stable": "LTS"}[m.source.channel] != r.channel {
		return nil
	}
	return m
}

// manifest compares a manifest with the promotion that it was sealed over.
func (l *secondLedger) manifest(doc any, path string, m *secondMove) {
	s := l.s
	if s.reject(m == nil, "E_DECISION", path) {
		return
	}
	s.reject(m.release != text(doc, "provenance.previous") || m.to != text(doc, "channel"), "E_DATA_MISMATCH", path)
	if m.source == nil || m.faulty {
		return
	}
	s.reject(m.source.version != text(doc, "version"), "E_DATA_MISMATCH", path)
	if m.policy == nil {
		return // it is another bundle that was promoted
	}
	d := get(doc, "decision")
	s.reject(digestOf(d) != m.decision || digestOf(get(doc, "gates")) != m.policy.digest || text(d, "policy.digest") != m.policy.digest, "E_DECISION", path)
	scores := map[string]any{}
	for _, p := range list(d, "predicates") {
		scores[text(p, "name")] = text(p, "value")
	}
	s.reject(!maps.Equal(scores, get(doc, "scores").(map[string]any)), "E_DECISION", path)
	count := int64(len(m.source.windows))
	s.reject(num(doc, "windows.count") != count || num(doc, "windows.first") != m.source.first || num(doc, "windows.last") != m.source.last, "E_DECISION", path)
}

// ledgerDetails are the members of details by action, with their kinds.
var ledgerDetails = map[string]string{
	"policy.register": "digest:digest policy:policy",
	"bundle.sealed":   "bundle:digest channel:channel policy:digest,null promote:integer,null version:version",
	"window":          "window:the window",
	"override":        "decision:digest from:text release:digest to:text unmet:texts",
	"promote":         "decision:digest from:text override:integer,null release:digest to:text",
	"rollback":        "channel:text deadline_ms:integer,null decision:digest,null release:digest to:digest,null trigger_end_ms:integer",
	"rollback.done":   "ok:boolean reason:text,null rollback:integer total_ms:integer,null",
}

// formed reports whether details are of the form of their action.
func (l *secondLedger) formed(action string, details any) bool {
	members, ok := details.(map[string]any)
	kinds := strings.Split(strings.ReplaceAll(ledgerDetails[action], "the window", "the_window"), " ")
	for _, member := range kinds {
		name, kind, _ := strings.Cut(member, ":")
		v, there := members[name]
		_, text := v.(string)
		kind, null := strings.CutSuffix(kind, ",null")
		switch {
		case !there:
			ok = false
		case v == nil:
			ok = ok && null
		case kind == "policy":
			ok = ok && l.s.form.check("policy", v) == ""
		case kind == "the_window":
			ok = ok && l.s.form.check("the window", v) == "" && get(v, "seq") != nil && isLeaf("digest", get(v, "release"))
		case kind == "channel":
			ok = ok && slices.Contains([]any{"canary", "stable", "LTS"}, v)
		case kind == "version":
			ok = ok && v != "" && isLeaf("name", v)
		case kind == "text":
			ok = ok && text
		case kind == "texts":
			all, isList := v.([]any)
			ok = ok && isList && !slices.ContainsFunc(all, func(t any) bool { _, text := t.(string); return !text })
		default:
			ok = ok && isLeaf(kind, v)
		}
	}
	return ok && len(members) == len(kinds)
}

func (l *secondLedger) fault(code string, k int64, release string, earlier bool) {
	l.faults = append(l.faults, secondFault{code, k, release, earlier})
}

func (l *secondLedger) event(e any) {
	k, action, d := num(e, "k"), text(e, "action"), get(e, "details")
	before := l.override
	l.override = nil
	ts, _ := time.Parse(timeForm, text(e, "ts"))
	l.latest = max(l.latest, ts.UnixMilli())
	now := l.latest
	l.lost = l.lost || action == "trail.recover" && get(d, "acknowledged") != nil
	if ledgerDetails[action] == "" {
		return
	}
	if !l.formed(action, d) {
		l.fault("E_FORMAT", k, "", false)
		return
	}
	switch action {
	case "policy.register":
		if digestOf(get(d, "policy")) != text(d, "digest") {
			l.fault("E_DATA_MISMATCH", k, "", false)
			return
		}
		l.policies = append(l.policies, secondPolicy{k, now, text(d, "digest"), get(d, "policy")})
	case "bundle.sealed":
		l.sealed(k, now, d)
	case "window":
		l.window(k, now, get(d, "window"))
	case "override":
		if !said.MatchString(text(e, "notes")) || !said.MatchString(text(e, "actor")) {
			l.fault("E_DECISION", k, text(d, "release"), false)
			return
		}
		l.override = e
	case "promote":
		l.promote(k, now, d, before)
	case "rollback":
		l.rollback(k, now, e, d)
	case "rollback.done":
		l.done(k, now, e, d)
	}
}

func (l *secondLedger) sealed(k, now int64, d any) {
	r := &secondRelease{id: text(d, "bundle"), channel: text(d, "channel"), version: text(d, "version"), policy: text(d, "policy"), promote: num(d, "promote"), k: k, since: now}
	if l.releases[r.id] != nil {
		l.fault("E_DATA_MISMATCH", k, r.id, false)
		return
	}
	l.releases[r.id] = r
	l.order = append(l.order, r)
	m := l.moves[r.promote]
	switch {
	case get(d, "promote") == nil:
		if r.channel != "canary" {
			l.fault("E_DECISION", k, r.id, false)
		}
	case m == nil || m.source == nil:
		l.fault("E_DECISION", k, r.id, true)
	case m.sealed || m.to != r.channel || m.source.version != r.version || m.policy != nil && m.policy.digest != r.policy:
		l.fault("E_DATA_MISMATCH", k, r.id, false)
	case m.source.gone:
		l.fault("E_DECISION", k, r.id, false)
	default:
		m.sealed = true
		m.source.became = m.source.move == m && map[string]string{"canary": "stable", "stable": "LTS"}[m.source.channel] == r.channel
	}
}

func (l *secondLedger) window(k, now int64, w any) {
	r := l.releases[text(w, "release")]
	switch {
	case r == nil:
		l.fault("E_DATA_MISMATCH", k, text(w, "release"), true)
		return
	case r.channel != text(w, "channel"):
		l.fault("E_DATA_MISMATCH", k, r.id, false)
		return
	}
	if r.windows = append(r.windows, w); len(r.windows) == 1 {
		r.first = k
	}
	r.last = k
	r.ahead = max(r.ahead, num(w, "end_ms")-now)
	for _, name := range []string{"id", "score", "delta_rep", "delta_psd", "r_tb", "hb_lag", "drop_rate", "incident_rate"} {
		r.text += int64(len(text(w, name)))
	}
	if num(w, "seq") != int64(len(r.windows)) && !r.hole {
		r.hole, r.earlier = true, len(r.windows) == 1
		l.fault("E_DECISION", k, r.id, r.earlier)
	}
}

// policyOf returns the policy that judges a release.
func (l *secondLedger) policyOf(r *secondRelease) (found *secondPolicy) {
	for i := range l.policies {
		switch p := &l.policies[i]; {
		case r.policy != "" && (found != nil || p.digest != r.policy): // the first one
		case found == nil || r.policy == "" && (len(r.windows) == 0 || p.k < r.first):
			found = p
		}
	}
	return found
}

// late reports whether a policy came after a window began that it judges.
func (p *secondPolicy) late(r *secondRelease) bool {
	for _, w := range r.windows {
		start, end := num(w, "start_ms"), num(w, "end_ms")
		if start >= r.since && p.at > start || start < r.since && end > r.since && p.at > r.since {
			return true
		}
	}
	return false
}

func (l *secondLedger) promote(k, now int64, d, override any) {
	r := l.releases[text(d, "release")]
	m := &secondMove{k: k, release: text(d, "release"), source: r, to: text(d, "to"), decision: text(d, "decision"), faulty: true}
	l.moves[k] = m
	if r == nil {
		l.fault("E_DECISION", k, text(d, "release"), true)
		return
	}
	if l.asked(r) {
		m.policy = l.policyOf(r)
	}
	above := map[string]string{"canary": "stable", "stable": "LTS"}[r.channel]
	wrong, earlier, code := true, false, "E_DECISION"
	switch {
	case text(d, "from") != r.channel || m.to != above || r.gone || r.move != nil:
	case !l.asked(r):
		wrong = false
	case m.policy == nil || m.policy.late(r):
		earlier, code = true, "E_POLICY_LATE"
	case r.ahead > num(m.policy.policy, "skew_max_ms") || len(r.windows) >= 1<<20 || r.text > 64<<20-900:
	case r.hole:
		earlier = r.earlier
	case l.lost:
		code = "E_LEDGER_CUT"
	default:
		wrong = !l.follows(k, now, d, r, m.policy.policy, override)
	}
	if r.move == nil {
		r.move = m
	}
	if m.faulty = wrong; wrong {
		l.fault(code, k, r.id, earlier)
	}
}

// asked reports whether decisions about a bundle are made again.
func (l *secondLedger) asked(r *secondRelease) bool {
	var carried []string // the first two by path are looked at
	for _, f := range list(l.s.m, "files") {
		_, there := l.s.files[text(f, "path")]
		if part := fromPath.FindStringSubmatch(text(f, "path")); there && part != nil && len(carried) < 2 && !slices.Contains(carried, "sha256:"+part[1]) {
			carried = append(carried, "sha256:"+part[1])
		}
	}
	return r.id == text(l.s.m, "provenance.previous") || slices.Contains(carried, r.id)
}

// follows reports whether a promotion follows from the windows, or from them and
// its override.
func (l *secondLedger) follows(k, now int64, d any, r *secondRelease, policy, override any) bool {
	outcome, unmet := secondDecide(policy, r.channel, r.since, now, r.windows)
	end := int64(0)
	for _, w := range r.windows {
		if num(w, "start_ms") >= r.since {
			end = max(end, num(w, "end_ms"))
		}
	}
	if end > 0 && now-end > num(policy, "stale_max_ms") {
		unmet = append(unmet, "STALE")
	}
	for m := l.below(r); m != nil; m = l.below(m.source) {
		if p := l.policyOf(m.source); p != nil {
			below, why := secondDecide(p.policy, m.source.channel, m.source.since, now, m.source.windows)
			if below == "ROLLBACK" && strings.HasPrefix(why[0], "TRIGGER:") {
				return false
			}
		}
	}
	if get(d, "override") == nil {
		return outcome == "PROMOTE" && len(unmet) == 0 &&
			digestOf(secondPromotes(policy, r.id, r.channel, r.since, now, r.windows)) == text(d, "decision")
	}
	o := get(override, "details")
	for _, name := range []string{"release", "from", "to", "decision"} {
		if o == nil || get(o, name) != get(d, name) {
			return false
		}
	}
	for _, u := range unmet {
		if u == "R_TB" {
			l.notes = append(l.notes, secondFault{"E_TIMEBASE_SKEW", k, r.id, false})
		}
	}
	return l.recordFits(d, r, outcome, unmet, now) && num(d, "override") == k-1 && num(override, "k") == k-1 && outcome != "ROLLBACK" && slices.ContainsFunc(r.windows, func(w any) bool { return num(w, "start_ms") >= r.since }) && len(unmet) > 0 &&
		fmt.Sprint(list(o, "unmet")) == fmt.Sprint(unmet)
}

// recordFits reports whether the record of a decision that was overridden, where the
// release or what it carries has it, says what was decided, of what and when.
func (l *secondLedger) recordFits(d any, r *secondRelease, outcome string, unmet []string, now int64) bool {
	docs := []any{l.s.m}
	for _, a := range l.s.ancestors {
		docs = append(docs, a.m)
	}
	for _, doc := range docs {
		rec := get(doc, "decision")
		if rec == nil || digestOf(rec) != text(d, "decision") {
			continue
		}
		return num(rec, "since_ms") == r.since && num(rec, "now_ms") == now && text(rec, "release") == r.id && text(rec, "channel") == r.channel &&
			text(rec, "decision") == outcome && fmt.Sprint(list(rec, "reasons")) == fmt.Sprint(slices.DeleteFunc(slices.Clone(unmet), func(u string) bool { return u == "STALE" }))
	}
	return true
}

// returnTo returns the bundle that a rollback leads back to, "" if there is none.
func (l *secondLedger) returnTo(r *secondRelease) string {
	for _, channel := range map[string][]string{"canary": {"stable", "LTS"}, "stable": {"stable", "LTS"}, "LTS": {"LTS"}}[r.channel] {
		for _, o := range slices.Backward(l.order) {
			if o.channel == channel && l.stands(o) && (channel != r.channel || o.k < r.k) {
				return o.id
			}
		}
	}
	return ""
}

// stands reports whether neither a bundle nor what it became was rolled back.
func (l *secondLedger) stands(r *secondRelease) bool {
	for _, o := range l.order {
		if m := l.moves[o.promote]; m != nil && m.source == r && o.k > r.k && !l.stands(o) {
			return false
		}
	}
	return !r.gone
}

func (l *secondLedger) rollback(k, now int64, e, d any) {
	r := l.releases[text(d, "release")]
	if r == nil {
		l.fault("E_DECISION", k, text(d, "release"), true)
		return
	}
	p, again := l.policyOf(r), r.gone
	to := l.returnTo(r)
	wrong := again || r.became || text(d, "channel") != r.channel || text(d, "to") != to
	deadline, set := num(d, "deadline_ms"), get(d, "deadline_ms") != nil
	if get(d, "decision") == nil {
		wrong = wrong || !said.MatchString(text(e, "notes")) || !said.MatchString(text(e, "actor")) || num(d, "trigger_end_ms") != now || set != (p != nil) || p != nil && deadline != now+num(p.policy, "T_rollback_ms")
	} else if !l.asked(r) || r.move != nil {
		// not made again
	} else if p == nil {
		l.fault("E_POLICY_LATE", k, r.id, true)
		wrong = false
	} else {
		outcome, _ := secondDecide(p.policy, r.channel, r.since, now, r.windows)
		wrong = wrong || outcome != "ROLLBACK" || num(d, "trigger_end_ms") != deadline-num(p.policy, "T_rollback_ms")
	}
	if wrong {
		l.fault("E_DECISION", k, r.id, false)
	}
	if !again {
		r.gone, l.back[k] = true, secondBack{e, now}
	}
}

func (l *secondLedger) done(k, now int64, e, d any) {
	back, there := l.back[num(d, "rollback")]
	if !there {
		l.fault("E_DECISION", k, "", true)
		return
	}
	b := back.event
	delete(l.back, num(d, "rollback"))
	said := get(b, "details")
	skew := int64(0)
	if p := l.policyOf(l.releases[text(said, "release")]); get(said, "decision") != nil && p != nil {
		skew = num(p.policy, "skew_max_ms")
	}
	detection, execution := back.at-num(said, "trigger_end_ms"), num(e, "tau_mono_us")/1000-num(b, "tau_mono_us")/1000
	total := max(0, detection) + execution
	reason := ""
	switch {
	case text(e, "clock") != text(b, "clock") || execution < 0 || detection < -skew:
		reason = "E_TIMEBASE_SKEW"
	case get(said, "deadline_ms") != nil && total > num(said, "deadline_ms")-num(said, "trigger_end_ms"):
		reason = "E_ROLLBACK_DEADLINE"
	}
	if get(d, "ok") != (reason == "") || text(d, "reason") != reason || (get(d, "total_ms") == nil) != (reason == "E_TIMEBASE_SKEW") || num(d, "total_ms") != total && reason != "E_TIMEBASE_SKEW" {
		l.fault("E_DECISION", k, text(said, "release"), false)
		return
	}
	if reason != "" {
		l.notes = append(l.notes, secondFault{reason, k, text(said, "release"), false})
	}
}
