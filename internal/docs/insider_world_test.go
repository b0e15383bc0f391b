package docs

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/relseal/relseal/internal/testbundle"
)

// A world is a team with its trust root and what it released honestly, and knows
// the truth: who signed which manifest, and when. Times are seconds of
// testbundle.Ledger. Insiders act after everything else, at the second late.
type world struct {
	draw      *rand.Rand
	holders   map[string][]*holder // by role
	threshold map[string]int       // by role
	roots     [][]byte             // versions 1 and 2
	policy    testbundle.M

	signed    map[string]map[string]int // when a manifest, by id, was signed by a key
	manifests map[string]testbundle.M   // by id, of whoever made them
	runs      []*sealedBundle           // honest: two of demo, one of tool
	releases  []*sealedBundle           // honest, of demo, in the order in which they were sealed
	ledger    *testbundle.Ledger
	lines     map[int]toldTrail // of the ledger, by k
	rollback  int               // of the second release, 0 if there is none
}

const late = 30_000_000

// A holder is somebody whose key has a role.
type holder struct {
	key                testbundle.Key
	role, status       string
	from, until, since int // since when it is revoked
}

// A sealedBundle is one that is there for everybody to copy.
type sealedBundle struct {
	id       string
	role     string // that sealed it
	manifest testbundle.M
	files    testbundle.Files
	packed   []byte // of an AuditBundle: what stands in a release
	since    int    // when it came to its channel
	outputs  map[string]string
}

func instant(second int) string {
	return time.UnixMilli(int64(testbundle.Millis(second))).UTC().Format("2006-01-02T15:04:05Z")
}

func stampOf(second int) string {
	return time.UnixMilli(int64(testbundle.Millis(second))).UTC().Format(timeForm)
}

// keyring are the keys of all worlds: to make one takes longer than to use it.
var keyring = map[string]testbundle.Key{}

func ringKey(name string) testbundle.Key {
	k, ok := keyring[name]
	if !ok {
		k = testbundle.NewKey(name)
		keyring[name] = k
	}
	return k
}

// names of what ringKey may be asked for, so that the map is only read later.
func fillKeyring() {
	for _, role := range append(slices.Clone(ourRoles), "outsider") {
		for i := range 3 {
			ringKey(fmt.Sprint(role, i))
		}
	}
	ringKey("alice")
	ringKey("bob")
}

func pick[T any](draw *rand.Rand, from ...T) T { return from[draw.IntN(len(from))] }

// newWorld draws a team and tells its honest history.
func newWorld(seed uint64) *world {
	w := &world{
		draw: rand.New(rand.NewPCG(seed, 26)), holders: map[string][]*holder{}, threshold: map[string]int{},
		signed: map[string]map[string]int{}, manifests: map[string]testbundle.M{}, lines: map[int]toldTrail{},
	}
	w.policy = policy()
	for _, role := range ourRoles {
		n := 1 + w.draw.IntN(3)
		for i := range n {
			h := &holder{key: ringKey(fmt.Sprint(role, i)), role: role, status: "active", from: -900_000, until: 40_000_000}
			w.holders[role] = append(w.holders[role], h)
			switch w.draw.IntN(16) {
			case 0:
				h.from = pick(w.draw, 1000, 5000, 20_000_000)
			case 1:
				h.status, h.until = "retired", pick(w.draw, -500, 2000, 10_000)
			case 2, 3, 4:
				h.status, h.since = "revoked", pick(w.draw, -5000, 500, 3000, 10_000)
				if w.draw.IntN(2) == 0 {
					h.from = pick(w.draw, -100, 400, 2500)
				}
			}
		}
		active := 0
		for _, h := range w.holders[role] {
			if h.status == "active" {
				active++
			}
		}
		if active == 0 {
			w.holders[role][0].status, w.holders[role][0].until, active = "active", 40_000_000, 1
		}
		w.threshold[role] = 1
		if w.draw.IntN(2) == 0 && role != "ledger" { // which one key signs at a time
			w.threshold[role] = 1 + w.draw.IntN(active)
		}
		if role == "ledger" {
			w.threshold[role] = 1 // a trail has one signer
		}
	}
	if w.draw.IntN(4) == 0 { // one who builds may seal canaries, too
		h := *w.holders["audit"][0]
		h.role = "release.canary"
		w.holders[h.role][0] = &h
		if h.status != "active" {
			w.threshold[h.role] = 1
		}
	}
	w.roots = [][]byte{w.root(1, w.draw.IntN(4) > 0), w.root(2, false)}
	w.history()
	return w
}

// root returns a version of the root; in the first one everybody may be active.
func (w *world) root(version int, young bool) []byte {
	alice, bob := ringKey("alice"), ringKey("bob")
	roles, keys := testbundle.M{}, []testbundle.Key{}
	for role, holders := range w.holders {
		var grants []testbundle.M
		for _, h := range holders {
			g := testbundle.M{"keyid": h.key.TUFID(), "not_before": instant(h.from), "not_after": instant(h.until), "status": h.status}
			switch {
			case young:
				g["status"], g["not_after"] = "active", instant(40_000_000)
			case h.status == "revoked":
				g["revoked_since"] = instant(h.since)
			}
			grants, keys = append(grants, g), append(keys, h.key)
		}
		roles[role] = testbundle.RootRole(w.threshold[role], grants...)
	}
	return testbundle.SignRoot(testbundle.Root(version, roles, 2, []testbundle.Key{alice, bob}, keys...), alice, bob)
}

// team returns who signs honestly for a role: as many as it asks for, those who may
// at that time first.
func (w *world) team(role string, at int) []testbundle.Key {
	rank := func(h *holder) int {
		if at < h.from || at > h.until || h.status == "revoked" && at >= h.since {
			return 1
		}
		return 0
	}
	var keys []testbundle.Key
	for _, h := range slices.SortedStableFunc(slices.Values(w.holders[role]), func(a, b *holder) int { return rank(a) - rank(b) }) {
		if len(keys) < w.threshold[role] {
			keys = append(keys, h.key)
		}
	}
	return keys
}

// seal seals a manifest with the first of the keys and adds what the others sign.
func (w *world) seal(m testbundle.M, files testbundle.Files, at int, signers ...testbundle.Key) testbundle.Files {
	predicate := testbundle.AuditPredicate
	if m["kind"] == "release" {
		predicate = testbundle.ReleasePredicate
	}
	delete(m, "files")
	m["verifier"] = testbundle.M{"pk_ref": signers[0].ID()}
	out := testbundle.Seal(m, files, signers[0], predicate)
	w.log(out, m, at, signers[0])
	for _, k := range signers[1:] {
		w.endorse(out, m, at, predicate, k)
	}
	return out
}

func (w *world) endorse(out testbundle.Files, m testbundle.M, at int, predicate string, k testbundle.Key) {
	for name, data := range k.Signatures(out[manifestPath], out["SHA256SUMS"], predicate) {
		out["sig/by/"+k.HexID()+"/"+name] = data
	}
	w.log(out, m, at, k)
}

func (w *world) log(out testbundle.Files, m testbundle.M, at int, k testbundle.Key) {
	id := testbundle.Digest(out[manifestPath])
	w.manifests[id] = plain(m)
	w.note(id, at, k)
}

// note remembers who signed a bundle.id, and when first.
func (w *world) note(id string, at int, k testbundle.Key) {
	if w.signed[id] == nil {
		w.signed[id] = map[string]int{}
	}
	if _, before := w.signed[id][k.ID()]; !before {
		w.signed[id][k.ID()] = at
	}
}

// A draft is an AuditBundle before it is sealed.
type draft struct {
	*testbundle.Run
	start  int // second of the first event
	second *testbundle.Run
	change func(testbundle.M)
}

// newRun records a run that built two files.
func newRun(key testbundle.Key, product string, n, start int) *draft {
	r := testbundle.Demo(key, fmt.Sprintf("%032x", n))
	r.Product, r.Embed = product, n%2 == 0
	r.Outputs = map[string]string{"out/a": fmt.Sprint("a ", n), "out/b": fmt.Sprint("b ", n)}
	step := testbundle.M{"id": "build", "needs": []string{}, "run": []string{"./build.sh"}, "inputs": []string{"go.mod"}, "outputs": []string{"out/a", "out/b"}}
	r.Pipeline["steps"] = []testbundle.M{step}
	in, out := testbundle.Items(map[string]string{"go.mod": fmt.Sprint(product, n)}), testbundle.Items(r.Outputs)
	code := testbundle.M{"hash": testbundle.Digest(testbundle.Canon(step))}
	ours := testbundle.M{"hash": testbundle.Digest([]byte("relseal 0.1.0"))}
	r.Events = []testbundle.M{
		{"action": "run.start", "code": ours, "details": testbundle.M{"source": testbundle.M{"commit": commitOf(n)}}},
		{"action": "step.start", "path": "build", "code": code, "inputs": in},
		{"action": "step.end", "path": "build", "code": code, "inputs": in, "outputs": out, "status": "ok"},
		{"action": "run.end", "code": ours, "outputs": out, "status": "ok"},
		{"action": "trail.close", "code": ours},
	}
	d := &draft{Run: r, start: start}
	d.stamp()
	return d
}

func commitOf(n int) string { return fmt.Sprintf("%040x", n) }

// stamp gives the events their times, a second apart.
func (d *draft) stamp() {
	for i, e := range d.Events {
		e["ts"] = stampOf(d.start + i)
	}
}

// audit seals a run.
func (w *world) audit(d *draft, at int, signers ...testbundle.Key) *sealedBundle {
	r := d.Run
	genesis := r.Genesis()
	genesis["created"] = stampOf(d.start - 1)
	trail, h0, hk := chainOf(r, genesis)
	files := r.Files()
	files[trailPath] = trail
	m := testbundle.M{
		"schema": "relseal/audit-bundle/v1", "kind": "audit", "product": r.Product, "run": testbundle.M{"id": r.ID}, "outcome": r.Outcome,
		"EnvLock": genesis["EnvLock"], "PipelineCard": genesis["PipelineCard"], "ParamCard": genesis["ParamCard"],
		"trails": []testbundle.M{{"path": trailPath, "purpose": "run", "H_0": h0, "H_K": hk, "K": len(r.Events)}}, "artifacts": artifactsOf(r.Outputs),
	}
	if d.second != nil {
		text, h0, hk := chainOf(d.second, d.second.Genesis())
		files["audit/second.jsonl"] = text
		m["trails"] = append([]testbundle.M{{"path": "audit/second.jsonl", "purpose": "run", "H_0": h0, "H_K": hk, "K": len(d.second.Events)}}, m["trails"].([]testbundle.M)...)
	}
	if d.change != nil {
		d.change(m)
	}
	b := &sealedBundle{role: "audit", manifest: m, files: w.seal(m, files, at, signers...), outputs: r.Outputs}
	b.id = testbundle.Digest(b.files[manifestPath])
	b.packed = testbundle.Zstd(b.files.Tar())
	return b
}

// chainOf returns a trail over a genesis, with its first and its last head.
func chainOf(r *testbundle.Run, genesis testbundle.M) (trail []byte, h0, hk string) {
	sealed := sealTrail(r, genesis)
	return sealed.text, sealed.h0, sealed.hk
}

func artifactsOf(outputs map[string]string) []testbundle.M {
	list := []testbundle.M{}
	for _, uri := range slices.Sorted(maps.Keys(outputs)) {
		list = append(list, testbundle.M{"uri": uri, "hash": testbundle.Digest([]byte(outputs[uri])), "size": len(outputs[uri])})
	}
	return list
}

// canary returns the manifest and files of a release over runs.
func canary(version, product, commit string, gates any, runs ...*sealedBundle) (testbundle.M, testbundle.Files) {
	files := testbundle.Files{"VERIFY.md": nil}
	ids, outputs := []string{}, map[string]string{}
	for _, r := range runs {
		ids = append(ids, r.id)
		files["evidence/"+r.id[7:]+".audit.tar.zst"] = r.packed
		maps.Copy(outputs, r.outputs)
	}
	slices.Sort(ids)
	for uri, content := range outputs {
		files["artifacts/"+uri] = []byte(content)
	}
	return testbundle.M{
		"schema": "relseal/release-bundle/v1", "kind": "release", "product": product, "version": version, "channel": "canary", "commit": commit,
		"artifacts": artifactsOf(outputs), "cards": testbundle.M{"pipeline": runs[0].manifest["PipelineCard"].(testbundle.M)["hash"], "param": runs[0].manifest["ParamCard"].(testbundle.M)["hash"]},
		"gates": gates, "scores": nil, "windows": nil, "decision": nil, "provenance": testbundle.M{"audit": ids, "previous": nil, "ledger": nil, "head": nil},
	}, files
}
