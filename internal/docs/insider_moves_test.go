package docs

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/relseal/relseal/internal/testbundle"
)

// An insider holds some keys of a world, has everything that was ever published, and
// makes a bundle of it. What the insider does is drawn; nothing forbids what the
// format forbids.
type insider struct {
	*world
	held []testbundle.Key
	role string   // of the keys, or of one of them
	what []string // was done, in words
}

// A forgery is what the insider hands over, and what its reader has beside it.
type forgery struct {
	what   string
	files  testbundle.Files
	held   map[string]bool // ids of the insider's keys
	ledger []byte          // that the caller has, if any: the true one, and what the insider added to it
	past   bool            // whether the caller asks about the past, so that what was rolled back may pass
	at     int             // the second that the caller asks about, if it is not 0
	pinned int             // the version of the root that the caller pinned
	later  bool            // whether the caller has the second one, too
	all    bool            // whether a caller without a root trusts all keys, or the insider's and those of the runs
}

func (w *world) newInsider() *insider {
	role := pick(w.draw, append(slices.Clone(ourRoles), "audit", "ledger", "release.stable", "outsider")...)
	in := &insider{world: w, role: role}
	holders := w.holders[role]
	if role == "outsider" {
		holders = []*holder{{key: ringKey("outsider0"), role: role, status: "active"}}
	}
	take := func(hs []*holder, n int) {
		for _, i := range w.draw.Perm(len(hs))[:min(n, len(hs))] {
			in.held = append(in.held, hs[i].key)
			in.what = append(in.what, fmt.Sprintf("%s %s from %d until %d since %d", hs[i].role, hs[i].status, hs[i].from, hs[i].until, hs[i].since))
		}
	}
	switch w.draw.IntN(7) {
	default: // one key
		take(holders, 1)
	case 2: // one key less than the role asks for, or all that are revoked, or that and one
		take(holders, max(1, w.threshold[role]-1))
		for _, h := range holders {
			if h.status == "revoked" && !slices.ContainsFunc(in.held, func(k testbundle.Key) bool { return k.ID() == h.key.ID() }) {
				take([]*holder{h}, 1)
			}
		}
	case 3: // keys of two roles
		take(holders, 1)
		take(w.holders[pick(w.draw, ourRoles...)], 1)
	case 4: // a key that was revoked, and that of the ledger
		for _, role := range []string{"audit", "release.canary"} {
			for _, h := range w.holders[role] {
				if h.status == "revoked" {
					take([]*holder{h}, 1)
				}
			}
		}
		for _, h := range w.holders["ledger"] {
			if h.key.ID() == w.ledgerKey().ID() {
				take([]*holder{h}, 1)
			}
		}
	}
	if len(in.held) == 0 {
		take(holders, 1)
	}
	return in
}

func (in *insider) did(format string, args ...any) {
	in.what = append(in.what, fmt.Sprintf(format, args...))
}

func (in *insider) chance(n int) bool { return in.draw.IntN(n) == 0 }

// key returns a key that the insider holds, if possible one with a role.
func (in *insider) key(role string) testbundle.Key {
	if !in.chance(5) {
		for _, h := range in.holders[role] {
			if i := slices.IndexFunc(in.held, func(k testbundle.Key) bool { return k.ID() == h.key.ID() }); i >= 0 {
				return in.held[i]
			}
		}
	}
	return in.held[in.draw.IntN(len(in.held))]
}

// signers are those who seal for a role: the key for it first, then often all others.
func (in *insider) signers(role string) []testbundle.Key {
	keys := []testbundle.Key{in.key(role)}
	for _, k := range in.held {
		if k.ID() != keys[0].ID() && !in.chance(4) {
			keys = append(keys, k)
		}
	}
	return keys
}

// forge makes one bundle.
func (w *world) forge() forgery {
	in := w.newInsider()
	f := forgery{held: map[string]bool{}, pinned: 1, later: !in.chance(6), all: in.chance(2)}
	for _, k := range in.held {
		f.held[k.ID()] = true
	}
	if in.chance(8) {
		f.pinned = 2
	}
	kind := map[string]int{"audit": 0, "archive": 0, "release.canary": 1, "ledger": 2}[in.role]
	if strings.HasPrefix(in.role, "release.") && kind == 0 {
		kind = 3
	}
	if in.chance(3) {
		kind = in.draw.IntN(4)
	}
	if kind == 2 && f.held[in.ledgerKey().ID()] && in.chance(2) {
		kind = 4
	}
	switch kind {
	case 4:
		f.files = in.goneOn()
	case 0:
		f.files = in.auditBundle().files
	case 1:
		f.files = in.canaryBundle()
	case 2:
		f.files = in.ownLedger()
	case 3:
		f.files = in.promotedBundle()
	}
	in.around(&f)
	if in.chance(3) {
		f.ledger, f.past = in.callersLedger(f), in.chance(4)
	}
	if in.chance(12) {
		f.at = pick(in.draw, -100, 600, 4000, 20_000, 50_000_000)
	}
	f.what = strings.Join(in.what, "; ")
	return f
}

// auditBundle records a run of the insider's own, or of somebody else told anew.
func (in *insider) auditBundle() *sealedBundle {
	if in.chance(6) {
		in.did("an honest run")
		return in.runs[in.draw.IntN(len(in.runs))]
	}
	role := "audit"
	if in.role == "archive" && !in.chance(3) {
		role = "archive"
	}
	signers := in.signers(role)
	n := pick(in.draw, 1, 2, 3, 7, 8)
	start := pick(in.draw, -600, -600, -600, -4000, 3900, 600, 20_000_000, -2_000_000)
	d := newRun(signers[0], pick(in.draw, "demo", "demo", "demo", "tool"), n, start)
	in.did("a run %d at %d", n, start)
	if in.chance(5) { // the trail by another key
		d.Key = in.held[in.draw.IntN(len(in.held))]
		in.did("its trail by another key")
	}
	for range in.draw.IntN(3) {
		in.bendRun(d)
	}
	return in.audit(d, late, signers...)
}

// bendRun tells a run otherwise.
func (in *insider) bendRun(d *draft) {
	changed := func(format string, args ...any) { in.did("run: "+format, args...) }
	before := d.change
	manifest := func(f func(testbundle.M)) {
		d.change = func(m testbundle.M) {
			if before != nil {
				before(m)
			}
			f(m)
		}
	}
	kind := in.draw.IntN(14)
	if in.chance(3) && slices.ContainsFunc(in.holders["archive"], func(h *holder) bool { return h.key.ID() == d.Key.ID() }) {
		kind = 5
	}
	switch kind {
	case 0:
		d.Outputs = map[string]string{"out/a": "evil", "out/b": d.Outputs["out/b"]}
		changed("other artifacts than its events")
	case 1:
		d.Outputs = map[string]string{"out/a": "evil", "out/b": "bad"}
		d.says("outputs", testbundle.Items(d.Outputs), "step.end", "run.end")
		changed("other artifacts")
	case 2:
		d.Outputs = map[string]string{"out/a": d.Outputs["out/b"], "out/b": d.Outputs["out/a"]}
		changed("labels swapped")
	case 3:
		d.Continues = testbundle.M{"H_0": testbundle.Digest(nil), "H_k": testbundle.Digest([]byte("x")), "k": 7}
		if in.chance(2) { // a part that is in the bundle, or in another one
			d.second = newRun(d.Key, d.Product, 9, d.start-20).Run
			d.second.ID, d.second.Pipeline = d.ID, d.Pipeline
			if in.chance(2) {
				d.second.Events = d.second.Events[:3]
			}
			part := sealTrail(d.second, d.second.Genesis())
			d.Continues = testbundle.M{"H_0": part.h0, "H_k": part.hk, "k": len(d.second.Events) - in.draw.IntN(2)}
			if in.chance(4) {
				d.second = nil
			}
		} else if in.chance(2) {
			if pin := list(plain(in.runs[0].manifest), "trails"); len(pin) > 0 {
				d.Continues = testbundle.M{"H_0": text(pin[0], "H_0"), "H_k": text(pin[0], "H_K"), "k": num(pin[0], "K")}
			}
		}
		if in.chance(2) {
			d.Events = d.Events[min(3, len(d.Events)-1):]
		}
		changed("goes on from another one")
	case 4:
		d.second = newRun(d.Key, d.Product, 9, d.start+20).Run
		d.second.ID, d.second.Pipeline = d.ID, d.Pipeline
		if in.chance(2) {
			(&draft{Run: d.second}).says("outputs", testbundle.Items(d.Outputs), "step.end", "run.end")
		}
		changed("a second trail")
	case 5:
		manifest(func(m testbundle.M) { m["details"] = testbundle.M{"record": pick(in.draw, "reverify", "other")} })
		if in.chance(2) {
			manifest(func(m testbundle.M) {
				m["details"], m["product"] = testbundle.M{"record": "reverify"}, "archive"
			})
			d.Product = "archive"
			d.Outputs = map[string]string{}
			d.says("outputs", testbundle.Items(nil), "step.end", "run.end")
		}
		changed("called a record of an archive")
	case 6:
		d.Outcome = pick(in.draw, "failed", "aborted", "ok")
		d.says("status", pick(in.draw, d.Outcome, "ok"), "run.end")
		changed("outcome %s", d.Outcome)
	case 7:
		d.Events = d.Events[:max(1, len(d.Events)-1-in.draw.IntN(2))]
		changed("left open")
	case 8:
		for i, e := range d.Events {
			e["ts"] = stampOf(d.start - 700*i)
		}
		changed("times go back")
	case 9:
		last := d.Events[len(d.Events)-1]
		last["ts"] = stampOf(d.start + pick(in.draw, -5_000_000, 2_000_000, 300))
		changed("the last event at another time")
	case 10:
		d.Events[0]["action"] = pick(in.draw, "step.start", "trail.note", "run.end")
		changed("another first event")
	case 11:
		manifest(func(m testbundle.M) { m["product"] = "tool" })
		changed("another product than its trail")
	case 12:
		version := 1 + in.draw.IntN(3)
		hash := testbundle.Digest([]byte("x"))
		if version < 3 && in.chance(2) {
			hash = rootHash(in.roots[version-1])
		}
		manifest(func(m testbundle.M) { m["root"] = testbundle.M{"version": version, "hash": hash} })
		changed("names root %d", version)
	case 13:
		d.Events[0]["details"] = testbundle.M{"source": testbundle.M{"commit": commitOf(99)}}
		changed("another commit")
	}
}

// says gives the events of some actions another member.
func (d *draft) says(name string, value any, actions ...string) {
	for _, e := range d.Events {
		if slices.Contains(actions, e["action"].(string)) {
			e[name] = value
		}
	}
}

func rootHash(file []byte) string {
	r, _ := readRoot(file)
	return r.hash()
}

// evidence returns what a release of the insider embeds.
func (in *insider) evidence() []*sealedBundle {
	if in.chance(3) {
		return []*sealedBundle{in.auditBundle()}
	}
	r := []*sealedBundle{in.runs[in.draw.IntN(len(in.runs))]}
	if in.chance(5) {
		if more := in.auditBundle(); more.id != r[0].id {
			r = append(r, more)
		}
	}
	return r
}

// canaryBundle seals a canary.
func (in *insider) canaryBundle() testbundle.Files {
	runs := in.evidence()
	n := 1 + in.draw.IntN(2)
	m, files := canary(pick(in.draw, "1.0.0", "1.1.0", "2.0.0"), pick(in.draw, "demo", "demo", "demo", "tool"), commitOf(n), pick[any](in.draw, nil, in.policy), runs...)
	in.did("a canary")
	m = plain(m)
	for range in.draw.IntN(3) {
		in.bendRelease(m, files)
	}
	return in.world.seal(m, files, late, in.signers("release.canary")...)
}

// promotedBundle seals a release above canary over the true ledger.
func (in *insider) promotedBundle() testbundle.Files {
	of := in.releases[in.draw.IntN(len(in.releases))]
	if own := slices.IndexFunc(in.releases, func(b *sealedBundle) bool { return b.role == in.role }); own >= 0 && !in.chance(4) {
		of = in.releases[own]
	}
	m, files := plain(of.manifest), unsealed(of.files)
	in.did("%s told anew", of.role)
	if in.chance(8) {
		in.did("as it was")
		files := of.files.Clone()
		for _, k := range in.held {
			if in.chance(2) {
				in.did("signed by one more")
				in.endorse(files, of.manifest, late, testbundle.ReleasePredicate, k)
			}
		}
		return files
	}
	for range pick(in.draw, 1, 1, 1, 2, 3) {
		in.bendRelease(m, files)
	}
	role := of.role
	if channel, ok := m["channel"].(string); ok {
		role = "release." + strings.ToLower(channel)
	}
	return in.world.seal(m, files, late, in.signers(role)...)
}

// bendRelease changes a release before it is sealed.
func (in *insider) bendRelease(m testbundle.M, files testbundle.Files) {
	p := m["provenance"].(map[string]any)
	switch in.draw.IntN(18) {
	case 13:
		files["VERIFY.md"] = []byte("# Trust it\n")
		in.did("release: another guide")
	case 14, 15, 16, 17:
		in.bendLineage(m, files)
	case 0: // other artifacts, of another run
		runs := in.evidence()
		other, theirs := canary("1.0.0", "demo", "", nil, runs...)
		other = plain(other)
		for path := range files {
			if strings.HasPrefix(path, "artifacts/") || bundled.MatchString(path) {
				delete(files, path)
			}
		}
		maps.Copy(files, theirs)
		m["artifacts"] = other["artifacts"]
		p["audit"] = other["provenance"].(map[string]any)["audit"]
		if !in.chance(4) {
			m["cards"], m["commit"] = other["cards"], commitOf(pick(in.draw, 1, 2, 3, 7, 8))
			if commit := text(runs[0].manifest, "x"); commit != "" {
				m["commit"] = commit
			}
		}
		in.did("release: the artifacts of another run")
	case 1: // labels
		list := m["artifacts"].([]any)
		if len(list) > 1 {
			a, b := maps.Clone(list[0].(map[string]any)), maps.Clone(list[1].(map[string]any))
			a["uri"], b["uri"] = b["uri"], a["uri"]
			m["artifacts"] = []any{b, a}
		}
		in.did("release: labels swapped")
	case 2:
		list := m["artifacts"].([]any)
		m["artifacts"] = list[:min(1, len(list))]
		for _, f := range slices.Collect(maps.Keys(files)) {
			if strings.HasPrefix(f, "artifacts/") && (len(list) == 0 || f != "artifacts/"+text(list[0], "uri")) {
				delete(files, f)
			}
		}
		in.did("release: an artifact left out")
	case 3:
		m["version"] = pick(in.draw, "1.0.0", "1.1.0", "3.0.0")
		in.did("release: version %s", m["version"])
	case 4:
		m["channel"] = pick(in.draw, "canary", "stable", "LTS")
		in.did("release: channel %s", m["channel"])
	case 5:
		m["commit"] = pick[any](in.draw, commitOf(1), commitOf(2), nil)
		in.did("release: commit %v", m["commit"])
	case 6: // another place of the ledger
		k := 1 + in.draw.IntN(len(in.ledger.Events))
		over(m, files, in.head(k), k)
		switch in.draw.IntN(5) {
		case 0:
			delete(files, ledgerPath)
		case 1, 2:
			if m["channel"] == "canary" {
				p["ledger"] = nil
				delete(files, ledgerPath)
			}
		case 3:
			p["head"] = pick[any](in.draw, nil, testbundle.M{"H_0": testbundle.Digest(nil), "k": 0, "H_k": testbundle.Digest([]byte("x"))})
		}
		in.did("release: the ledger up to %d", k)
	case 7:
		p["previous"] = pick[any](in.draw, in.releases[0].id, in.releases[1].id, testbundle.Digest(nil), nil)
		in.did("release: another previous")
	case 8: // what another release has of a promotion
		other := plain(in.releases[in.draw.IntN(len(in.releases))].manifest)
		for _, name := range []string{"gates", "decision", "scores", "windows"} {
			m[name] = other[name]
		}
		theirs := other["provenance"].(map[string]any)
		p["ledger"], p["previous"], p["head"] = theirs["ledger"], theirs["previous"], theirs["head"]
		if !in.chance(4) {
			m["channel"] = other["channel"]
		}
		if ref := theirs["ledger"]; ref != nil {
			files[ledgerPath] = in.head(int(num(ref, "k"))).text
		}
		in.did("release: the promotion of another one")
	case 9:
		m["cards"] = testbundle.M{"pipeline": testbundle.Digest(nil), "param": testbundle.Digest(nil)}
		in.did("release: other cards")
	case 10:
		m["product"] = pick(in.draw, "demo", "tool")
		in.did("release: product %s", m["product"])
	case 11:
		if windows, ok := m["windows"].(map[string]any); ok {
			windows[pick(in.draw, "first", "last", "count")] = 2
		}
		if in.chance(2) {
			m["gates"] = testbundle.M(plain(in.policy))
			m["gates"].(map[string]any)["tau_score"] = "0.1"
		}
		in.did("release: other windows or gates")
	case 12:
		files["evidence/note.txt"] = []byte("x")
		in.did("release: other evidence")
	}
}

// bendLineage changes what a release carries of those that it came from.
func (in *insider) bendLineage(m testbundle.M, files testbundle.Files) {
	p := m["provenance"].(map[string]any)
	previous, ok := p["previous"].(string)
	if !ok {
		return
	}
	dir := "evidence/from/" + previous[7:] + "/"
	kind := pick(in.draw, "no signatures", "fewer signatures", "own signatures", "more signatures", "nothing", "another one", "one of its own", "the same twice")
	in.did("lineage: %s", kind)
	sign := func(id string) (sigs []testbundle.M) {
		for _, k := range in.held {
			sigs = append(sigs, testbundle.M{"keyid": k.ID(), "sig": base64.StdEncoding.EncodeToString(k.Sign(hashed(id)))})
			in.note(id, late, k)
		}
		return sigs
	}
	write := func(sigs []testbundle.M) {
		slices.SortFunc(sigs, func(a, b testbundle.M) int { return strings.Compare(a["keyid"].(string), b["keyid"].(string)) })
		files[dir+"signatures.json"] = testbundle.Canon(testbundle.M{"schema": "relseal/signatures/v1", "signatures": sigs})
	}
	was, _ := readCanonical(files[dir+"signatures.json"])
	var before []testbundle.M
	for _, s := range list(was, "signatures") {
		before = append(before, s.(map[string]any))
	}
	switch kind {
	case "no signatures":
		delete(files, dir+"signatures.json")
	case "fewer signatures":
		write(before[:max(0, len(before)-1)])
	case "own signatures":
		write(sign(previous))
	case "more signatures":
		own := slices.DeleteFunc(sign(previous), func(s testbundle.M) bool {
			return slices.ContainsFunc(before, func(b testbundle.M) bool { return b["keyid"] == s["keyid"] })
		})
		write(append(before, own...))
	case "nothing":
		delete(files, dir+"signatures.json")
		delete(files, dir+"manifest.json")
	case "another one", "one of its own":
		from := in.releases[in.draw.IntN(len(in.releases))]
		carried := from.files
		if kind == "one of its own" {
			other, more := plain(m), unsealed(from.files)
			other["channel"], other["scores"], other["decision"], other["windows"] = "canary", nil, nil, nil
			of := other["provenance"].(map[string]any)
			of["previous"], of["ledger"], of["head"] = nil, nil, nil
			carried = in.world.seal(other, more, late, in.signers("release.canary")...)
		}
		delete(files, dir+"signatures.json")
		delete(files, dir+"manifest.json")
		maps.Copy(files, testbundle.Lineage(carried))
		if in.chance(2) {
			p["previous"] = testbundle.Digest(carried[manifestPath])
		}
	case "the same twice":
		for path, data := range testbundle.Lineage(in.releases[in.draw.IntN(len(in.releases))].files) {
			files[path] = data
		}
	}
}

// ownLedger tells a ledger of the insider's own and seals what it leads to.
func (in *insider) ownLedger() testbundle.Files {
	l := testbundle.NewLedger(in.key("ledger"))
	from := in.releases[pick(in.draw, 0, 0, len(in.releases)-1)]
	if in.chance(3) {
		runs := in.evidence()
		m, files := canary("1.0.0", "demo", commitOf(pick(in.draw, 1, 2)), in.policy, runs...)
		from = &sealedBundle{manifest: plain(m), outputs: runs[0].outputs, since: 61}
		from.files = in.world.seal(from.manifest, files, late, in.signers("release.canary")...)
		from.id = testbundle.Digest(from.files[manifestPath])
		in.did("a canary of one's own")
	}
	channel := from.manifest["channel"].(string)
	digest := testbundle.Digest(testbundle.Canon(in.policy))
	register := func(at int) { l.Add(at, "policy.register", testbundle.M{"digest": digest, "policy": in.policy}) }
	when := in.draw.IntN(4)
	in.did("a ledger of one's own, policy at %d", when)
	if when == 0 {
		register(0)
	}
	start := pick(in.draw, 60, 60, 60, 20_000_000)
	named := pick[any](in.draw, digest, digest, nil)
	if channel != "canary" {
		channel = "canary"
		in.did("of what was no canary")
	}
	if in.chance(8) {
		l.Genesis = testbundle.M{"continues": testbundle.M{"H_0": testbundle.Digest(nil), "H_k": testbundle.Digest([]byte("x")), "k": 9}}
		in.did("which goes on from another one")
	} else if in.chance(6) {
		version := 1 + in.draw.IntN(3)
		hash := testbundle.Digest([]byte("x"))
		if version < 3 && !in.chance(3) {
			hash = rootHash(in.roots[version-1])
		}
		l.Genesis = testbundle.M{"root": testbundle.M{"version": version, "hash": hash}}
		in.did("which names root %d", version)
	}
	from.since = start
	l.Add(start, "bundle.sealed", testbundle.M{"bundle": from.id, "channel": channel, "version": from.manifest["version"], "policy": named, "promote": nil})
	if when == 1 {
		register(start + pick(in.draw, 1, 900, 1900))
	}
	change, overridden := testbundle.M{}, in.chance(5)
	if overridden {
		change["delta_rep"] = "0.03"
		in.did("overridden")
	} else if in.chance(4) {
		change["score"] = "0.96"
	}
	observe(l, from.id, channel, start, change)
	if when == 2 {
		register(start + pick(in.draw, 0, 1801))
	}
	for range in.draw.IntN(2) {
		i := in.draw.IntN(len(l.Events))
		switch in.draw.IntN(4) {
		case 0:
			l.Events = slices.Delete(l.Events, i, i+1)
			in.did("event %d left out", i+1)
		case 1:
			l.Events[i]["at"] = l.Events[i]["at"].(int) - pick(in.draw, 1, 100, 5000)
			in.did("event %d at an earlier time", i+1)
		case 2:
			l.Rotate(start+1805, in.held[in.draw.IntN(len(in.held))])
			in.did("handed over")
		case 3:
			if len(l.Events) > 1 {
				j := in.draw.IntN(len(l.Events))
				l.Events[i], l.Events[j] = l.Events[j], l.Events[i]
			}
			in.did("events exchanged")
		}
	}
	m, k := in.promotion(l, &sealedBundle{id: from.id, manifest: withChannel(from.manifest, channel), since: from.since}, "stable", start+1810, overridden)
	files := unsealed(from.files)
	maps.Copy(files, testbundle.Lineage(from.files))
	var h toldTrail
	h.text, h.h0, h.hk = l.Lines(k)
	over(m, files, h, k)
	if in.chance(3) {
		in.bendRelease(m, files)
	}
	return in.world.seal(m, files, late, in.signers("release.stable")...)
}

// goneOn goes on with the true ledger, of which the insider has the key, and seals
// what it leads to.
func (in *insider) goneOn() testbundle.Files {
	l := *in.ledger
	l.Events = slices.Clone(l.Events)
	from := in.releases[in.draw.IntN(len(in.releases))]
	channel := from.manifest["channel"].(string)
	at := 6000
	in.did("the true ledger gone on, for what is on %s", channel)
	for range in.draw.IntN(3) {
		switch in.draw.IntN(4) {
		case 0:
			change := testbundle.M{}
			if in.chance(3) {
				change["score"] = "0.2"
			}
			for i, win := range observe(&l, from.id, channel, at, change) {
				win["seq"] = 4 + i
				win["id"] = fmt.Sprint("more-", i)
			}
			at += 1810
			in.did("more windows %v", change)
		case 1:
			l.Add(at, "policy.register", testbundle.M{"digest": testbundle.Digest(testbundle.Canon(in.policy)), "policy": in.policy})
			in.did("the policy again")
		case 2:
			l.Add(at-5000, "bundle.sealed", testbundle.M{"bundle": from.id, "channel": channel, "version": from.manifest["version"], "policy": nil, "promote": nil})
			in.did("it came again, earlier")
		case 3:
			l.Rotate(at, in.held[in.draw.IntN(len(in.held))])
			in.did("handed over")
		}
	}
	to := map[string]string{"canary": "stable", "stable": "LTS", "LTS": "LTS"}[channel]
	m, k := in.promotion(&l, from, to, at+pick(in.draw, 0, 0, -4100), in.chance(4))
	files := unsealed(from.files)
	maps.Copy(files, testbundle.Lineage(from.files))
	var h toldTrail
	h.text, h.h0, h.hk = l.Lines(k)
	over(m, files, h, k)
	if in.chance(4) {
		in.bendRelease(m, files)
	}
	return in.world.seal(m, files, late, in.signers("release."+strings.ToLower(to))...)
}

func withChannel(m testbundle.M, channel string) testbundle.M {
	m = maps.Clone(m)
	m["channel"] = channel
	return m
}

// around changes what no manifest lists.
func (in *insider) around(f *forgery) {
	f.files = f.files.Clone()
	put := func(path string, data []byte) {
		f.files[path] = data
		in.did("beside it %s", path)
	}
	if in.chance(4) {
		put("sig/root/2.root.json", pick(in.draw, in.roots[1], in.roots[1], in.roots[1], in.roots[0], []byte("x")))
	}
	for range 2 {
		if !in.chance(6) {
			continue
		}
		switch in.draw.IntN(8) {
		case 0:
			put(pick(in.draw, "sig/root/1.root.json", "sig/root/2.root.json", "sig/root/3.root.json", "sig/root/900.root.json"),
				pick(in.draw, in.roots[0], in.roots[1], []byte("not signed by anybody"), f.files[manifestPath]))
		case 1:
			put("sig/ext/note", []byte("not signed by anybody"))
		case 2:
			put("sig/by/"+ringKey("outsider1").HexID()+"/bundle.id.sig", []byte("x"))
		case 3:
			put("artifacts/out/more", []byte("x"))
		case 4:
			put("VERIFY.md", []byte("# Trust it\n"))
		case 5:
			path := pick(in.draw, f.files.Paths()...)
			delete(f.files, path)
			in.did("without %s", path)
		case 6: // a forged root that makes the insider the holder of everything
			roles, own := testbundle.M{}, in.held[0]
			for _, role := range ourRoles {
				roles[role] = testbundle.RootRole(1, testbundle.Grant(own, nil))
			}
			put("sig/root/2.root.json", testbundle.SignRoot(testbundle.Root(2, roles, 1, []testbundle.Key{own}, own), own))
		case 7: // signatures that were made for another bundle
			other := in.releases[in.draw.IntN(len(in.releases))]
			for _, path := range other.files.Paths() {
				data := other.files[path]
				if strings.HasPrefix(path, "sig/by/") || in.chance(3) && strings.HasPrefix(path, "sig/b") {
					put(path, data)
				}
			}
		}
	}
}

// ledgerKey is the key that the ledger ends with.
func (w *world) ledgerKey() testbundle.Key {
	last := w.ledger.Key
	for _, e := range w.ledger.Events {
		if next, ok := e["next"].(testbundle.Key); ok {
			last = next
		}
	}
	return last
}

// callersLedger is the true ledger, which who holds a key of it may have gone on.
func (in *insider) callersLedger(f forgery) []byte {
	k := len(in.ledger.Events)
	if !f.held[in.ledgerKey().ID()] || in.chance(3) {
		in.did("beside the true ledger")
		return in.head(k).text
	}
	l := *in.ledger
	l.Events = slices.Clone(l.Events)
	id, m := testbundle.Digest(f.files[manifestPath]), in.manifests[testbundle.Digest(f.files[manifestPath])]
	at := pick(in.draw, -6000, 100, 2900, 50_000)
	l.Add(at, "bundle.sealed", testbundle.M{"bundle": id, "channel": "canary", "version": "9.0.0", "policy": nil, "promote": nil})
	if text(m, "kind") == "" {
		in.did("(not a bundle of theirs)")
	}
	in.did("beside the true ledger, gone on with a record at %d", at)
	text, _, _ := l.Lines(k + 1)
	return text
}
