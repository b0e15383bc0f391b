package docs

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/relseal/relseal/internal/testbundle"
	"github.com/relseal/relseal/verify"
)

// An oracle knows the world, and says which claims of a report are false in it.
type oracle struct {
	w      *world
	f      forgery
	r      *verify.Report
	root   *secondRoot     // the last version that the reader could reach; nil without one
	keys   map[string]bool // that the reader trusts, where there is no root
	m      testbundle.M    // the manifest
	latest time.Time       // on record in the bundle
	later  bool            // whether the reader could use the ledger that is at hand
	faults []string
}

func (o *oracle) lie(when bool, format string, args ...any) {
	if when {
		o.faults = append(o.faults, fmt.Sprintf(format, args...))
	}
}

// authorized returns how many keys have truly signed a manifest for a role. A key
// that is revoked counts only for what it signed before; a clock may be set as its
// holder likes, so times alone make nobody less of a signer.
func (o *oracle) authorized(id, role string) int64 { return o.signers(id, role, false) }

// signers counts them. On the word of the ledger at hand, a revoked key counts, too,
// if a key of another recorded the bundle before: verdicts may rest on that, proofs may not.
func (o *oracle) signers(id, role string, word bool) (n int64) {
	for key, at := range o.w.signed[id] {
		if o.root == nil {
			if o.keys[key] {
				n++
			}
			continue
		}
		g, ok := o.root.roles[role].grants[key]
		then := o.f.at != 0 && instant(o.f.at) < g.since // asked how it stood before
		if ok && (g.status != "revoked" || then || instant(at) < g.since || word && o.recorded(id, key, g.since)) {
			n++
		}
	}
	return n
}

// recorded reports whether an insider's ledger says of the bundle, or of the one that the
// reader has, that it was there before a time. Nobody else's says so of what is younger.
func (o *oracle) recorded(id, key, before string) bool {
	since, _ := time.Parse(time.RFC3339, before)
	for _, ledger := range [][]byte{o.f.ledger, o.f.files[ledgerPath]} {
		_, events := eventsOf(ledger)
		clock := int64(0)
		for _, e := range events {
			clock = max(clock, millisOf(e))
			about, by := text(e, "details.bundle"), text(e, "verifier.pk_ref")
			if text(e, "action") == "bundle.sealed" && clock < since.UnixMilli() && by != key && o.f.held[by] &&
				(about == id || about == testbundle.Digest(o.f.files[manifestPath])) {
				return true
			}
		}
	}
	return false
}

// enough reports whether a manifest was truly signed as a role asks for.
func (o *oracle) enough(id, role string) bool { return o.reaches(id, role, o.authorized(id, role)) }

// mayHold reports whether a verdict may rest on how a manifest was signed.
func (o *oracle) mayHold(id, role string) bool { return o.reaches(id, role, o.signers(id, role, true)) }

func (o *oracle) reaches(id, role string, n int64) bool {
	asked := int64(1)
	if o.root != nil {
		asked = o.root.roles[role].threshold
	}
	return asked > 0 && n >= asked
}

// roleOf returns the role that may seal a manifest.
func roleOf(m testbundle.M, inside bool) string {
	switch {
	case m["kind"] == "release":
		return "release." + strings.ToLower(text(m, "channel"))
	case !inside && text(m, "details.record") == "reverify" && text(m, "product") == "archive" && len(list(m, "artifacts")) == 0:
		return "archive"
	}
	return "audit"
}

// judge holds the verdict and every claim to the truth.
func (o *oracle) judge() {
	id := testbundle.Digest(o.f.files[manifestPath])
	o.m = o.w.manifests[id]
	verified := o.r.Verdict == verify.Verified
	o.lie(verified && o.m == nil, "VERIFIED, and nobody sealed it")
	if verified && o.m != nil {
		role := roleOf(o.m, false)
		o.lie(!o.mayHold(id, role), "VERIFIED, and %d have truly signed as %s", o.authorized(id, role), role)
		o.lie(role == "archive" && o.root != nil && (len(list(o.m, "artifacts")) > 0 || text(o.m, "product") != "archive"), "VERIFIED as a record of an archive, and it is a build")
		for _, audit := range list(o.m, "provenance.audit") {
			o.lie(!o.mayHold(audit.(string), "audit"), "VERIFIED, and its evidence %v was not sealed by those who may", audit)
		}
		o.lie(!o.f.past && o.later && o.gone(id), "VERIFIED, and the ledger at hand took it back")
		if text(o.m, "kind") == "release" && text(o.m, "channel") != "canary" {
			why := cmp.Or(o.ascent(o.m, o.mayHold), o.impossible())
			o.lie(why != "", "VERIFIED, and %s", why)
		}
	}
	for _, d := range o.r.Decisions {
		o.lie(text(o.m, "channel") == "canary", "a canary shows a promotion of %s", d.Release)
	}
	for _, c := range o.r.Claims {
		check, known := truths[c.ID]
		o.lie(!known, "the claim %s is not known: what would make it false?", c.ID)
		if known && check != nil && c.Grade == verify.Proved {
			fault := "nobody made the manifest"
			if o.m != nil {
				fault = check(o, c.Text)
			}
			o.lie(fault != "", "%s %q, and %s", c.ID, c.Text, fault)
		}
	}
}

// gone reports whether the ledger at hand took a bundle back: it, what it became, or, before
// that was on record, what it came from. What came after the time that is asked about
// takes nothing back.
func (o *oracle) gone(id string) bool {
	_, events := eventsOf(o.f.ledger)
	promoted, became := map[int64]string{}, map[string]string{}
	sealed, back := map[string]int64{}, map[string]int64{} // the first event of each
	first := func(of map[string]int64, id string, k int64) {
		if of[id] == 0 {
			of[id] = k
		}
	}
	clock := int64(0)
	for _, e := range events {
		if clock = max(clock, millisOf(e)); o.root != nil && o.f.at != 0 && clock > int64(testbundle.Millis(o.f.at)) {
			break
		}
		switch k, d := num(e, "k"), get(e, "details"); text(e, "action") {
		case "promote":
			promoted[k] = text(d, "release")
		case "bundle.sealed":
			first(sealed, text(d, "bundle"), k)
			if from := promoted[num(d, "promote")]; from != "" {
				became[from] = text(d, "bundle")
			}
		case "rollback":
			first(back, text(d, "release"), k)
		}
	}
	for next := id; next != ""; next = became[next] {
		if back[next] != 0 {
			return true
		}
	}
	for text(o.w.manifests[id], "channel") != "canary" {
		from := text(o.w.manifests[id], "provenance.previous")
		if from == "" {
			return false
		}
		if back[from] != 0 && (sealed[id] == 0 || back[from] < sealed[id]) {
			return true
		}
		id = from
	}
	return false
}

// impossible says why nobody can have promoted a release as its ledger tells, by decision
// or by override: "" if somebody can.
func (o *oracle) impossible() string {
	_, events := eventsOf(o.f.files[ledgerPath])
	for m := o.m; text(m, "channel") != "canary"; m = o.w.manifests[text(m, "provenance.previous")] {
		source, promote, sealed, clock := text(m, "provenance.previous"), int64(0), false, int64(0)
		for _, e := range events {
			clock = max(clock, millisOf(e))
			switch d := get(e, "details"); text(e, "action") {
			case "promote":
				if text(d, "release") == source && promote == 0 {
					promote = num(e, "k")
				}
			case "bundle.sealed":
				sealed = sealed || promote != 0 && num(d, "promote") == promote
			case "rollback":
				if text(d, "release") == source && !sealed {
					return source + " was rolled back before anything was made of it"
				}
			case "window":
				if end := num(d, "window.end_ms"); text(d, "window.release") == source && promote == 0 && end > clock+int64(o.w.policy["skew_max_ms"].(int)) {
					return fmt.Sprintf("a window of %s was recorded %d ms before it had ended", source, end-clock)
				}
			}
		}
	}
	return ""
}

// truths says by claim what makes it false. Those that are stated alone have none.
var truths = map[string]func(o *oracle, claim string) string{
	"bundle.signed": func(o *oracle, claim string) string {
		for id, signers := range o.w.signed {
			for key := range signers {
				if strings.Contains(claim, id) && strings.Contains(claim, key) {
					return ""
				}
			}
		}
		return "that key did not sign it"
	},
	"bundle.authorized": func(o *oracle, claim string) string {
		when, said, dated := strings.Cut(claim, ": ")
		if dated && o.f.at != 0 {
			claim = said
		}
		if o.root != nil && o.f.at != 0 && when != "as of "+stampOf(o.f.at) {
			return "it does not say that it is as of " + stampOf(o.f.at)
		}
		n := numbers.FindAllString(claim, 1)
		id, role := testbundle.Digest(o.f.files[manifestPath]), roleOf(o.m, false)
		have := o.authorized(id, role)
		if o.root != nil && o.f.at == 0 {
			for key := range o.w.signed[id] {
				if g := o.root.roles[role].grants[key]; g.status == "active" && !o.latest.IsZero() && g.notBefore.After(o.latest) {
					have-- // nothing shows that its time has come
				}
			}
		}
		switch {
		case len(n) == 0 || n[0] != fmt.Sprint(have) && atLeast(n[0]) > have:
			return fmt.Sprintf("%d have", have)
		case !o.reaches(id, role, have):
			return "they are too few"
		}
		return ""
	},
	"files.intact": func(o *oracle, claim string) string {
		listed := map[string]bool{manifestPath: true, "SHA256SUMS": true}
		files := filesOf(o.f.files[manifestPath])
		for _, f := range files {
			path := f["path"].(string)
			listed[path] = true
			if data, ok := o.f.files[path]; !ok || testbundle.Digest(data) != f["hash"] {
				return path + " is another"
			}
		}
		strangers := int64(0) // for what nothing vouches
		for path, data := range o.f.files {
			if !listed[path] && !strings.HasPrefix(path, "sig/") {
				return path + " is pinned by nobody"
			}
			if strings.HasPrefix(path, "sig/ext/") || strings.HasPrefix(path, "sig/root/") && !o.w.published(path, data) {
				strangers++
			}
		}
		if said := beside.FindStringSubmatch(claim); strangers > 0 && (said == nil || atLeast(said[1]) < strangers) {
			return fmt.Sprintf("nothing vouches for %d of its files", strangers)
		}
		if !strings.Contains(claim, fmt.Sprintf("(%d file", len(files))) {
			return fmt.Sprintf("it pins %d", len(files))
		}
		return ""
	},
	"artifacts.intact": func(o *oracle, _ string) string {
		for _, a := range list(o.m, "artifacts") {
			if !o.there(text(a, "hash")) {
				return text(a, "uri") + " is not there"
			}
		}
		return ""
	},
	"trail.complete": func(o *oracle, claim string) string {
		if o.m["kind"] == "audit" {
			return complete(o.f.files, o.m, claim)
		}
		// A release makes the claims of its runs too, with the run before them.
		for path, data := range o.f.files {
			if bundled.MatchString(path) {
				in, ok := unpack(data)
				m := o.w.manifests[testbundle.Digest(in[manifestPath])]
				if ok && m != nil && strings.Contains(claim, text(m, "run.id")) {
					if fault := complete(in, m, claim); fault != "" {
						return fault
					}
				}
			}
		}
		return ""
	},
	"release.evidence": func(o *oracle, _ string) string {
		recorded := map[string]bool{}
		for _, audit := range list(o.m, "provenance.audit") {
			id := audit.(string)
			if !o.enough(id, "audit") {
				return id + " was not sealed by those who may"
			}
			in, _ := unpack(o.f.files["evidence/"+id[7:]+".audit.tar.zst"])
			for path, data := range in {
				if strings.HasPrefix(path, "audit/") {
					maps.Copy(recorded, outputsOf(data))
				}
			}
		}
		for _, a := range list(o.m, "artifacts") {
			if !recorded[text(a, "hash")] {
				return text(a, "uri") + " is no output of any of them"
			}
		}
		return ""
	},
	"release.decision": func(o *oracle, claim string) string { return o.decided(claim) },
	"artifact.held": func(o *oracle, claim string) string {
		for _, a := range list(o.m, "artifacts") {
			if strings.Contains(claim, text(a, "hash")) && strings.Contains(claim, text(a, "uri")) {
				return ""
			}
		}
		return "it is no artifact"
	},
	"release.preregistered": nil, "release.overridden": nil, "release.identity": nil, "release.policy": nil,
	"run.outcome": nil, "run.environment": nil, "run.cards": nil, "run.source": nil, "run.reproduced": nil,
}

var beside = regexp.MustCompile(`nothing vouches for ([0-9]+) file`)

// published reports whether a file is the version of the root that its name says.
func (w *world) published(path string, data []byte) bool {
	for i, text := range w.roots {
		if path == fmt.Sprintf("sig/root/%d.root.json", i+1) && bytes.Equal(data, text) {
			return true
		}
	}
	return false
}

var numbers = regexp.MustCompile(`[0-9]+`)

func atLeast(s string) (n int64) { fmt.Sscan(s, &n); return n }

func filesOf(manifest []byte) []testbundle.M { return manifestFiles(manifest) }

// there reports whether a file of the bundle, or of a bundle inside it, has a digest.
func (o *oracle) there(hash string) bool {
	for path, data := range o.f.files {
		if testbundle.Digest(data) == hash {
			return true
		}
		if bundled.MatchString(path) {
			in, _ := unpack(data)
			if slices.ContainsFunc(slices.Collect(maps.Values(in)), func(b []byte) bool { return testbundle.Digest(b) == hash }) {
				return true
			}
		}
	}
	return false
}

// eventsOf reads a trail without judging it.
func eventsOf(trail []byte) (genesis any, events []any) {
	for i, line := range bytes.Split(bytes.TrimSuffix(trail, []byte("\n")), []byte("\n")) {
		v, _ := readCanonical(line)
		if i == 0 {
			genesis = get(v, "genesis")
		} else {
			events = append(events, get(v, "e"))
		}
	}
	return genesis, events
}

func outputsOf(trail []byte) map[string]bool {
	made := map[string]bool{}
	_, events := eventsOf(trail)
	for _, e := range events {
		for _, it := range list(e, "outputs.items") {
			made[text(it, "hash")] = true
		}
	}
	return made
}

// complete says why a trail that a claim names is not one from the start of a run to
// its close.
func complete(files testbundle.Files, m testbundle.M, claim string) string {
	for _, t := range list(m, "trails") {
		path := text(t, "path")
		if !strings.Contains(claim, path) {
			continue
		}
		genesis, events := eventsOf(files[path])
		switch {
		case len(events) == 0 || int64(len(events)) != num(t, "K"):
			return "it has another number of events"
		case strings.Contains(claim, "run.start") && (text(events[0], "action") != "run.start" || get(genesis, "continues") != nil || text(genesis, "purpose") != "run"):
			return "it does not start a run"
		case text(events[len(events)-1], "action") != "trail.close":
			return "it is not closed"
		case get(genesis, "continues") != nil && !slices.ContainsFunc(list(m, "trails"), func(before any) bool {
			return text(before, "H_0") == text(genesis, "continues.H_0") && text(before, "H_K") == text(genesis, "continues.H_k") && num(before, "K") == num(genesis, "continues.k")
		}):
			return "what came before is not there"
		}
	}
	return ""
}

// ascent says why a release above canary is not what was promoted, "" if it is, where
// enough says who has signed.
func (o *oracle) ascent(m testbundle.M, enough func(id, role string) bool) string {
	for text(m, "channel") != "canary" {
		id := text(m, "provenance.previous")
		before := o.w.manifests[id]
		if before == nil {
			return "nobody made " + id + ", from which it came"
		}
		for _, name := range []string{"product", "version", "commit", "cards", "artifacts"} {
			if digestOf(get(m, name)) != digestOf(get(before, name)) {
				return fmt.Sprintf("%s is not that of %s, which was measured", name, id)
			}
		}
		if digestOf(get(m, "provenance.audit")) != digestOf(get(before, "provenance.audit")) {
			return "its runs are not those of " + id
		}
		if o.root != nil && !enough(id, roleOf(before, true)) {
			return id + " was not sealed by those who may"
		}
		if above[text(before, "channel")] != text(m, "channel") {
			return id + " was not on the channel below"
		}
		m = before
	}
	return ""
}

var above = map[string]string{"canary": "stable", "stable": "LTS"}

// decided says why a promotion does not follow from the windows of the ledger.
func (o *oracle) decided(claim string) string {
	if why := cmp.Or(o.ascent(o.m, o.enough), o.impossible()); why != "" {
		return why
	}
	_, events := eventsOf(o.f.files[ledgerPath])
	if why := o.misled(events); why != "" {
		return why
	}
	k := num(o.m, "provenance.ledger.k")
	if k < 1 || int64(len(events)) < k || text(events[k-1], "action") != "promote" {
		return "the ledger promotes nothing there"
	}
	for m := o.m; text(m, "channel") != "canary"; m = o.w.manifests[text(m, "provenance.previous")] {
		source := text(m, "provenance.previous")
		if !strings.Contains(claim, " to "+text(m, "channel")) {
			continue
		}
		if why := o.step(events, source, text(o.w.manifests[source], "channel"), claim); why != "" {
			return why
		}
	}
	return ""
}

// misled says which key signed the ledger after it was revoked. What is not in the honest
// ledger, which was written when it says, an insider wrote at the end.
func (o *oracle) misled(events []any) string {
	if o.root == nil {
		return ""
	}
	for i, e := range events {
		key := text(e, "verifier.pk_ref")
		g := o.root.roles["ledger"].grants[key]
		if g.status != "revoked" || o.f.at != 0 && instant(o.f.at) < g.since {
			continue
		}
		_, honest := eventsOf(o.w.head(len(o.w.ledger.Events)).text)
		if i >= len(honest) || digestOf(honest[i]) != digestOf(e) || text(e, "ts")[:19] >= g.since[:19] {
			return key + " signed its ledger after it was revoked"
		}
	}
	return ""
}

// step makes the decision about one bundle again.
func (o *oracle) step(events []any, source, channel, claim string) string {
	var windows []any
	var at, since int64
	var policy any
	policyAt, clock := int64(-1), int64(0)
	for _, e := range events {
		clock = max(clock, millisOf(e))
		d := get(e, "details")
		switch text(e, "action") {
		case "policy.register":
			if strings.Contains(claim, text(d, "digest")) && policyAt < 0 {
				policy, policyAt = get(d, "policy"), clock
			}
		case "bundle.sealed":
			if text(d, "bundle") == source {
				since = clock
			}
		case "window":
			if text(d, "window.release") == source && at == 0 {
				windows = append(windows, get(d, "window"))
			}
		case "promote":
			if text(d, "release") == source {
				at = clock
			}
		}
	}
	if policy == nil || at == 0 || len(windows) == 0 {
		return "the ledger does not promote " + source + " by that policy"
	}
	if outcome, why := secondDecide(policy, channel, since, at, windows); outcome != "PROMOTE" {
		return fmt.Sprintf("what was measured says %s %v", outcome, why)
	}
	for _, win := range windows {
		if num(win, "start_ms") >= since && num(win, "start_ms") < policyAt {
			return "a window began before the policy was registered"
		}
	}
	return ""
}

// millisOf returns the ts of an event in ms.
func millisOf(e any) int64 {
	ts, _ := time.Parse(timeForm, text(e, "ts"))
	return ts.UnixMilli()
}
