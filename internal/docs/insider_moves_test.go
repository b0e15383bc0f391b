package docs

import (
	"fmt"
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

	told   *testbundle.Ledger // that the insider told, up to what was sealed over it
	source string             // the bundle that goes up there first
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
		if in.chance(3) {
			f.files = in.ownWay()
		} else {
			f.files = in.ownLedger()
		}
	case 3:
		f.files = in.promotedBundle()
	}
	in.around(&f)
	if in.chance(3) || in.told != nil && in.chance(2) {
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

// callersLedger is the true ledger, which who holds a key of it may have gone on, or the
// insider's own with what became of its bundle.
func (in *insider) callersLedger(f forgery) []byte {
	if in.told != nil && !in.chance(3) {
		return in.aftermath(f)
	}
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
