package testbundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// LedgerStart is the time of what a Ledger does at second 0, in ms since 1970.
const LedgerStart = 1767326400000

// A Ledger is the trail of a product's moves. Its events may say anything: that
// is how a dishonest holder of the key works.
type Ledger struct {
	Key     Key
	Product string
	Events  []M // without the members that Lines fills in; "at" is the second
	Genesis M   // what it has beside the usual
}

// NewLedger returns the ledger of the demo, without events.
func NewLedger(key Key) *Ledger { return &Ledger{Key: key, Product: "demo"} }

// Add appends an event at a second and returns its number.
func (l *Ledger) Add(at int, action string, details M) int {
	l.Events = append(l.Events, M{"at": at, "action": action, "details": details})
	return len(l.Events)
}

// Rotate appends the two events that hand the ledger over to next.
func (l *Ledger) Rotate(at int, next Key) {
	l.Events = append(l.Events, M{"at": at, "action": "key.rotate", "details": M{"to": next.ID()}, "next": next}, M{"at": at, "action": "key.accept"})
}

// Window returns a window of [start, end) seconds in which all is well. A member of
// change stands for that of the window.
func Window(release, channel string, seq, start, end int, change M) M {
	w := M{
		"schema": "relseal/window/v1", "id": channel + "-" + string(rune('0'+seq)), "channel": channel, "release": release, "seq": seq,
		"start_ms": Millis(start), "end_ms": Millis(end), "score": "0.97", "delta_rep": "0.01", "delta_psd": "0.01", "r_tb": "0.0002",
		"hb_lag": "1", "drop_rate": "0", "incident_rate": "0",
	}
	for name, value := range change {
		w[name] = value
	}
	return w
}

// Millis is a second of the ledger in ms since 1970.
func Millis(second int) int { return LedgerStart + 1000*second }

// Decision returns the record of a decision over windows, without what only the
// rules can say: that is more.
func Decision(policy M, release, channel string, since, now int, windows []M, more M) M {
	d := M{
		"schema": "relseal/decision/v1", "semantics": "gate/1", "policy": M{"digest": Digest(Canon(policy))}, "channel": channel, "release": release,
		"since_ms": Millis(since), "now_ms": Millis(now), "reasons": []string{}, "alerts": []string{}, "evidence": []string{}, "coverage_ms": 0,
		"predicates": []M{}, "triggers": []M{}, "windows": windows,
	}
	observed := M{"count": len(windows), "root": "sha256:" + hex.EncodeToString(merkle(windows))}
	if n := len(windows); n > 0 {
		observed["start_ms"], observed["end_ms"] = windows[0]["start_ms"], windows[n-1]["end_ms"]
	}
	d["observed"] = observed
	for name, value := range more {
		d[name] = value
	}
	return d
}

// merkle is the tree hash of RFC 6962.
func merkle(windows []M) []byte {
	hash := func(parts ...[]byte) []byte {
		sum := sha256.Sum256(bytes.Join(parts, nil))
		return sum[:]
	}
	switch n := len(windows); n {
	case 0:
		return hash()
	case 1:
		return hash([]byte{0}, Canon(windows[0]))
	default:
		k := 1
		for 2*k < n {
			k *= 2
		}
		return hash([]byte{1}, merkle(windows[:k]), merkle(windows[k:]))
	}
}

// Lines returns the ledger up to event k, with H_0 and H_k.
func (l *Ledger) Lines(k int) (trail []byte, h0, hk string) {
	stamp := func(at int) string {
		return time.UnixMilli(int64(Millis(at))).UTC().Format("2006-01-02T15:04:05.000000Z")
	}
	null := M{"hash": nil}
	g := M{
		"schema": "relseal/trail/v1", "purpose": "ledger", "run": M{"id": "demo-ledger"}, "created": stamp(0), "product": l.Product,
		"EnvLock": M{"fingerprint": nil}, "PipelineCard": null, "ParamCard": null, "verifier": M{"pk_ref": l.Key.ID()},
	}
	for name, value := range l.Genesis {
		g[name] = value
	}
	h0 = Digest(Canon(g))
	b := bytes.NewBuffer(append(Canon(M{"H_0": h0, "genesis": g, "sig_0": l.Key.sign64(raw(h0))}), '\n'))
	hk = h0
	key := l.Key
	for i, said := range l.Events[:k] {
		at := said["at"].(int)
		e := M{
			"audit": M{"schema": M{"version": "1.0.0"}}, "k": i + 1, "ts": stamp(at), "tau_mono_us": 1000000 * at, "clock": "demo",
			"actor": "release", "run": M{"id": "demo-ledger"}, "EnvLock": M{"fingerprint": nil}, "PipelineCard": null, "ParamCard": null,
			"code": M{"hash": Digest([]byte("relseal 0.1.0"))}, "rng": M{"seed": nil}, "inputs": Items(nil), "outputs": Items(nil), "path": nil,
			"TS": M{"snapshot": M{}}, "verifier": M{"pk_ref": key.ID()}, "notes": nil,
		}
		for name, value := range said {
			if name != "at" && name != "next" {
				e[name] = value
			}
		}
		id := Digest(Canon(e))
		hk = Digest(append(raw(hk), raw(id)...))
		b.Write(Line{e, id, hk, key.sign64(raw(hk))}.bytes())
		if next, ok := said["next"].(Key); ok {
			key = next
		}
	}
	return b.Bytes(), h0, hk
}

// A Promotion is what a promoted release says beside what its run says.
type Promotion struct {
	Ledger     *Ledger
	K          int // the event that promotes
	Channel    string
	From       []Files // the bundles that it came from, the nearest first
	Signatures []byte  // instead of the signatures of the nearest
	Policy     M
	Decision   M
	Scores     M
	Windows    M
	Without    bool // leave out the ledger
}

// Promote returns the ReleaseBundle of a promotion over the run. change, if not
// nil, may change the manifest before it is signed.
func (r *Run) Promote(key Key, p Promotion, change func(M)) Files {
	audit := r.Seal()
	id := Digest(audit["manifest.json"])
	lines, h0, hk := p.Ledger.Lines(p.K)
	head := func() M { return M{"H_0": h0, "k": p.K, "H_k": hk} }
	files := Files{
		"VERIFY.md":                             nil,
		"evidence/" + id[7:] + ".audit.tar.zst": Zstd(audit.Tar()),
		"evidence/ledger.jsonl":                 lines,
	}
	if p.Without {
		delete(files, "evidence/ledger.jsonl")
	}
	previous := any(nil)
	for i, from := range p.From {
		if i == 0 {
			previous = Digest(from["manifest.json"])
		}
		for path, data := range Lineage(from) {
			if i == 0 && p.Signatures != nil && strings.HasSuffix(path, "/signatures.json") {
				data = p.Signatures
			}
			files[path] = data
		}
	}
	for uri, content := range r.Outputs {
		files["artifacts/"+uri] = []byte(content)
	}
	m := M{
		"schema": "relseal/release-bundle/v1", "kind": "release", "product": r.Product, "version": "1.0.0", "channel": p.Channel,
		"commit": "0123456789abcdef0123456789abcdef01234567", "artifacts": r.artifacts(),
		"cards": M{"pipeline": Digest(Canon(r.Pipeline)), "param": Digest(Canon(r.Params))},
		"gates": p.Policy, "scores": p.Scores, "windows": p.Windows, "decision": p.Decision,
		"provenance": M{"audit": []string{id}, "previous": previous, "ledger": head(), "head": head()},
		"verifier":   M{"pk_ref": key.ID()},
	}
	if change != nil {
		change(m)
	}
	return Seal(m, files, key, ReleasePredicate)
}
