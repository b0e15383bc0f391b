package docs

import (
	"encoding/json"
	"maps"
	"strings"

	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/internal/testbundle"
	"github.com/relseal/relseal/sign"
)

// history tells what the team did: a release that went up to LTS, and one that was
// taken back or became stable.
func (w *world) history() {
	build := func(product string, n, at int) {
		team := w.team("audit", at)
		w.runs = append(w.runs, w.audit(newRun(team[0], product, n, at), at+10, team...))
	}
	build("demo", 1, -600)
	build("demo", 2, 3900)
	build("tool", 3, -700)
	w.ledger = testbundle.NewLedger(w.team("ledger", 0)[0])
	l := w.ledger
	digest := testbundle.Digest(testbundle.Canon(w.policy))
	l.Add(0, "policy.register", testbundle.M{"digest": digest, "policy": w.policy})
	first := w.sealCanary(l, "1.0.0", 1, w.runs[0], 50)
	observe(l, first.id, "canary", 60, nil)
	stable := w.promote(l, first, "stable", 1870)
	if next := w.holders["ledger"]; len(next) > 1 && next[1].key.ID() != l.Key.ID() && w.draw.IntN(3) == 0 {
		l.Rotate(1875, next[1].key)
	}
	observe(l, stable.id, "stable", 1880, nil)
	w.promote(l, stable, "LTS", 3690)
	second := w.sealCanary(l, "1.1.0", 2, w.runs[1], 3990)
	bad := w.draw.IntN(2) == 0
	change := testbundle.M{}
	if bad {
		change["score"] = "0.5"
	}
	ws := observe(l, second.id, "canary", 4000, change)
	var back any = w.releases[1].id
	if w.draw.IntN(4) == 0 { // what is on LTS goes on demand
		back = nil
		takeBack(l, w.releases[2].id, 5805, nil)
		l.Events[len(l.Events)-1]["details"].(testbundle.M)["channel"] = "LTS"
	}
	if !bad {
		w.promote(l, second, "stable", 5810)
		if w.draw.IntN(3) == 0 { // and taken back before the ledger had what became of it
			l.Events = l.Events[:len(l.Events)-1]
			takeBack(l, second.id, 5812, back)
		}
		return
	}
	d := decideOver(l, w.policy, second.id, "canary", second.since, 5810)
	record, _ := d.Marshal()
	w.rollback = l.Add(5810, "rollback", testbundle.M{"release": second.id, "channel": "canary", "to": back, "decision": sign.Sum(record).String(),
		"trigger_end_ms": ws[0]["end_ms"], "deadline_ms": ws[0]["end_ms"].(int) + 300000})
}

// takeBack appends a rollback on demand of a canary.
func takeBack(l *testbundle.Ledger, release string, at int, to any) {
	k := l.Add(at, "rollback", testbundle.M{"release": release, "channel": "canary", "to": to, "decision": nil,
		"trigger_end_ms": testbundle.Millis(at), "deadline_ms": testbundle.Millis(at) + 300000})
	l.Events[k-1]["notes"] = "a reason"
}

// sealCanary seals a canary and admits it.
func (w *world) sealCanary(l *testbundle.Ledger, version string, n int, run *sealedBundle, at int) *sealedBundle {
	m, files := canary(version, "demo", commitOf(n), w.policy, run)
	h := toldTrail{}
	_, h.h0, h.hk = l.Lines(len(l.Events))
	m["provenance"].(testbundle.M)["head"] = testbundle.M{"H_0": h.h0, "k": len(l.Events), "H_k": h.hk}
	b := &sealedBundle{role: "release.canary", manifest: m, files: w.seal(m, files, at, w.team("release.canary", at)...), since: at + 1, outputs: run.outputs}
	b.id = testbundle.Digest(b.files[manifestPath])
	l.Add(b.since, "bundle.sealed", testbundle.M{"bundle": b.id, "channel": "canary", "version": version, "policy": testbundle.Digest(testbundle.Canon(w.policy)), "promote": nil})
	w.releases = append(w.releases, b)
	return b
}

// observe appends three good windows of ten minutes from a second on, but for change.
func observe(l *testbundle.Ledger, release, channel string, from int, change testbundle.M) (ws []testbundle.M) {
	for i := range 3 {
		win := testbundle.Window(release, channel, i+1, from+600*i, from+600*(i+1), change)
		ws = append(ws, win)
		l.Add(from+600*(i+1), "window", testbundle.M{"window": win})
	}
	return ws
}

// decideOver returns the decision over what a ledger says of a release.
func decideOver(l *testbundle.Ledger, policy testbundle.M, release, channel string, since, at int) gates.Decision {
	p, err := gates.ReadPolicy(testbundle.Canon(policy))
	if err != nil {
		panic(err)
	}
	in := gates.Input{Channel: channel, Release: release, SinceMS: int64(testbundle.Millis(since)), NowMS: int64(testbundle.Millis(at))}
	for _, e := range l.Events {
		d, _ := e["details"].(testbundle.M)
		if e["action"] != "window" || d == nil {
			continue
		}
		if win, err := gates.ParseWindow(testbundle.Canon(d["window"])); err == nil && win.Release == release {
			in.Windows = append(in.Windows, win)
		}
	}
	d, err := gates.Decide(p, in)
	if err != nil {
		panic(err)
	}
	return d
}

// promotion appends the promotion of a bundle to a ledger and returns the manifest
// of what it becomes, without the head of the ledger. With over somebody overrides it.
func (w *world) promotion(l *testbundle.Ledger, from *sealedBundle, to string, at int, over bool) (testbundle.M, int) {
	channel := from.manifest["channel"].(string)
	d := decideOver(l, w.policy, from.id, channel, from.since, at)
	record, err := d.Marshal()
	if err != nil {
		panic(err)
	}
	var decision testbundle.M
	if err := json.Unmarshal(record, &decision); err != nil {
		panic(err)
	}
	said := testbundle.M{"release": from.id, "from": channel, "to": to, "decision": sign.Sum(record).String(), "override": nil}
	if over {
		o := maps.Clone(said)
		delete(o, "override")
		o["unmet"] = append([]string{}, d.Reasons...)
		k := l.Add(at, "override", o)
		l.Events[k-1]["notes"], said["override"] = "a reason", k
	}
	k := l.Add(at, "promote", said)
	scores := testbundle.M{}
	for name, value := range d.Scores() {
		scores[name] = value
	}
	m := plain(from.manifest)
	m["channel"], m["gates"], m["decision"], m["scores"] = to, w.policy, decision, scores
	m["windows"] = windowsOf(l, from.id)
	m["provenance"].(map[string]any)["previous"] = from.id
	return m, k
}

func windowsOf(l *testbundle.Ledger, release string) testbundle.M {
	first, last, count := 1, 1, 0
	for i, e := range l.Events {
		d, _ := e["details"].(testbundle.M)
		if win, ok := d["window"].(testbundle.M); ok && e["action"] == "window" && win["release"] == release {
			if count++; count == 1 {
				first = i + 1
			}
			last = i + 1
		}
	}
	return testbundle.M{"first": first, "last": last, "count": max(count, 1)}
}

// over puts the head of a ledger into a manifest, and the ledger into the files.
func over(m testbundle.M, files testbundle.Files, h toldTrail, k int) {
	p := m["provenance"].(map[string]any)
	p["ledger"] = testbundle.M{"H_0": h.h0, "k": k, "H_k": h.hk}
	p["head"] = p["ledger"]
	files[ledgerPath] = h.text
}

// head returns the honest ledger up to event k.
func (w *world) head(k int) toldTrail {
	h, ok := w.lines[k]
	if !ok {
		h.text, h.h0, h.hk = w.ledger.Lines(k)
		w.lines[k] = h
	}
	return h
}

// unsealed returns the files of a bundle without what sealing adds.
func unsealed(b testbundle.Files) testbundle.Files {
	out := testbundle.Files{}
	for path, data := range b {
		if path != manifestPath && path != "SHA256SUMS" && !strings.HasPrefix(path, "sig/") {
			out[path] = data
		}
	}
	out["VERIFY.md"] = nil // it follows from the manifest
	return out
}

// promote moves a bundle up, honestly.
func (w *world) promote(l *testbundle.Ledger, from *sealedBundle, to string, at int) *sealedBundle {
	m, k := w.promotion(l, from, to, at, false)
	files := unsealed(from.files)
	maps.Copy(files, testbundle.Lineage(from.files))
	var h toldTrail
	h.text, h.h0, h.hk = l.Lines(k)
	w.lines[k] = h
	over(m, files, h, k)
	role := "release." + strings.ToLower(to)
	b := &sealedBundle{role: role, manifest: m, files: w.seal(m, files, at+1, w.team(role, at+1)...), since: at + 1, outputs: from.outputs}
	b.id = testbundle.Digest(b.files[manifestPath])
	l.Add(b.since, "bundle.sealed", testbundle.M{"bundle": b.id, "channel": to, "version": m["version"], "policy": testbundle.Digest(testbundle.Canon(w.policy)), "promote": k})
	w.releases = append(w.releases, b)
	return b
}
