package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/relseal/relseal/gates/ledger"
	"github.com/relseal/relseal/internal/testbundle"
	"github.com/relseal/relseal/sign"
)

// A teller writes a trail line by line, as fast as it can: what it says need not follow.
type teller struct {
	key    testbundle.Key
	signed bool // else the signatures are of nothing

	out   bytes.Buffer
	k     int
	h0    string
	head  sign.Digest
	parts []string // an event around k, ts, clock, action, details and path
	state *ledger.State
}

// tellLedger begins a ledger of the demo.
func tellLedger(key testbundle.Key, signed bool) *teller {
	line, h0, _ := (&testbundle.Ledger{Key: key, Product: "demo"}).Lines(0)
	null := M{"hash": nil}
	return newTeller(key, signed, line, h0, M{"run": M{"id": "demo-ledger"}, "EnvLock": M{"fingerprint": nil}, "PipelineCard": null, "ParamCard": null, "rng": M{"seed": nil}})
}

func newTeller(key testbundle.Key, signed bool, genesis []byte, h0 string, shared M) *teller {
	w := &teller{key: key, signed: signed, h0: h0, state: ledger.New()}
	w.head, _ = sign.ParseDigest(h0)
	w.out.Write(genesis)
	e := M{
		"audit": M{"schema": M{"version": "1.0.0"}}, "k": "@k", "ts": "@ts", "tau_mono_us": "@k", "clock": "@clock", "action": "@action", "details": "@details", "path": "@path",
		"actor": "release", "code": M{"hash": testbundle.Digest([]byte("relseal 0.1.0"))}, "inputs": testbundle.Items(nil), "outputs": testbundle.Items(nil),
		"TS": M{"snapshot": M{}}, "verifier": M{"pk_ref": key.ID()}, "notes": "a reason",
	}
	for name, value := range shared {
		e[name] = value
	}
	for rest := string(testbundle.Canon(e)); ; {
		before, after, found := strings.Cut(rest, `"@`)
		w.parts = append(w.parts, before)
		if !found {
			return w
		}
		name, tail, _ := strings.Cut(after, `"`)
		w.parts, rest = append(w.parts, name), tail
	}
}

// at is a millisecond of the ledger as ts.
func at(ms int64) time.Time { return time.UnixMilli(testbundle.LedgerStart + ms).UTC() }

// add appends an event at a millisecond; details and path are JSON.
func (w *teller) add(ms int64, action, clock, details, path string) int64 {
	w.k++
	var e bytes.Buffer
	for i, part := range w.parts {
		if i%2 == 0 {
			e.WriteString(part)
			continue
		}
		switch part {
		case "k":
			fmt.Fprint(&e, w.k)
		case "ts":
			e.WriteString(at(ms).Format(`"2006-01-02T15:04:05.000000Z"`))
		case "clock":
			fmt.Fprintf(&e, "%q", clock)
		case "action":
			fmt.Fprintf(&e, "%q", action)
		case "details":
			e.WriteString(details)
		case "path":
			e.WriteString(path)
		}
	}
	id := sign.Sum(e.Bytes())
	w.head = sign.Sum(append(w.head[:], id[:]...))
	sig := make([]byte, 64)
	if w.signed {
		sig = w.key.Sign(w.head[:])
	}
	fmt.Fprintf(&w.out, `{"H_k":%q,"e":%s,"id_k":%q,"sig_k":%q}`+"\n", w.head, e.Bytes(), id, base64.StdEncoding.EncodeToString(sig))
	return int64(w.k)
}

// say appends an event of a ledger.
func (w *teller) say(ms int64, action string, details any) int64 {
	text := string(testbundle.Canon(details))
	w.state.Add(ledger.Event{K: int64(w.k) + 1, TimeMS: at(ms).UnixMilli(), Actor: "release", Notes: "a reason", Action: action, Details: []byte(text)})
	return w.add(ms, action, "demo", text, "null")
}

var (
	canary     = demo().Release(demo().Key, func(m M) { m["gates"] = toldPolicy })
	told       = testbundle.Digest(canary["manifest.json"])
	toldPolicy = M{
		"schema": "relseal/gates/v1", "mode": "literal", "r_canary": "0.05", "T_obs_ms": 180000, "T_rollback_ms": 300000, "stale_max_ms": 120000, "W_min": 3, "N_LTS": 3,
		"gap_max_ms": 0, "skew_max_ms": 1000, "max_undecidable": 2, "tau_score": "0.95", "gate_rep": "0.02", "tau_psd": M{"kind": "rel_l1", "max": "0.05"},
		"tau_tb": M{"kind": "rms", "unit": "s", "max": "0.001"}, "tau_hb": "5", "tau_drop": "0.01", "tau_inc": "0.1",
	}
	toldDigest = testbundle.Digest(testbundle.Canon(toldPolicy))
)

func came(id, channel string, promote any) M {
	return M{"bundle": id, "channel": channel, "policy": toldDigest, "promote": promote, "version": "1.0.0"}
}

// begin registers the policy and admits a canary.
func (w *teller) begin() {
	w.say(0, "policy.register", M{"digest": toldDigest, "policy": toldPolicy})
	w.say(1, "bundle.sealed", came(told, "canary", nil))
}

// windows appends n windows of a minute, which change may change, each when it has ended.
func (w *teller) windows(n int, change func(i int, window M)) {
	now := int64(0)
	for i := range n {
		m := testbundle.Window(told, "canary", 1, 0, 0, nil)
		m["id"], m["seq"] = fmt.Sprintf("canary-%d", i), i+1
		m["start_ms"], m["end_ms"] = testbundle.LedgerStart+60000*(i+1), testbundle.LedgerStart+60000*(i+2)
		if change != nil {
			change(i, m)
		}
		now = max(now, 60000*int64(i+2), int64(m["end_ms"].(int)-testbundle.LedgerStart))
		w.say(now, "window", M{"window": m})
	}
}

// promote ends the ledger with a promotion: by the decision that follows from n windows,
// or by none.
func (w *teller) promote(n int) testbundle.Files {
	now := 60000*int64(n+1) + 1
	p := testbundle.Promotion{Ledger: &testbundle.Ledger{Key: w.key, Product: "demo"}, Channel: "stable", From: []testbundle.Files{canary}, Policy: toldPolicy,
		Decision: M{}, Scores: M{}, Windows: M{"first": 1, "last": 1, "count": 1}}
	digest := toldDigest
	if n > 0 {
		id, _ := sign.ParseDigest(told)
		j, err := w.state.Judge(w.state.Release(id), at(now).UnixMilli())
		if err != nil {
			panic(err)
		}
		record, err := j.Decision.Marshal()
		if err != nil {
			panic(err)
		}
		p.Decision = nil
		if err := json.Unmarshal(record, &p.Decision); err != nil {
			panic(err)
		}
		for name, value := range j.Decision.Scores() {
			p.Scores[name] = value
		}
		digest, p.Windows = j.Digest.String(), M{"first": int(j.First), "last": int(j.Last), "count": int(j.Count)}
	}
	w.add(now, "promote", "demo", string(testbundle.Canon(M{"release": told, "from": "canary", "to": "stable", "decision": digest, "override": nil})), "null")
	var m M
	files := demo().Promote(demo().Key, p, func(made M) { m = made })
	delete(m, "files")
	ref := M{"H_0": w.h0, "k": w.k, "H_k": w.head.String()}
	m["provenance"].(M)["ledger"], m["provenance"].(M)["head"] = ref, ref
	kept := testbundle.Files{}
	for path, data := range files {
		if !strings.HasPrefix(path, "sig/") && path != "manifest.json" && path != "SHA256SUMS" {
			kept[path] = data
		}
	}
	kept["evidence/ledger.jsonl"] = w.out.Bytes()
	return testbundle.Seal(m, kept, demo().Key, testbundle.ReleasePredicate)
}

// tellRun goes on from the genesis of the demo's run.
func tellRun(n int, event func(w *teller, i int)) testbundle.Files {
	r := demo()
	f := r.Seal()
	line, _, _ := bytes.Cut(f["audit/trail.jsonl"], []byte("\n"))
	var header struct {
		H0      string `json:"H_0"`
		Genesis M      `json:"genesis"`
	}
	if err := json.Unmarshal(line, &header); err != nil {
		panic(err)
	}
	shared := M{"rng": M{"seed": "42"}}
	for _, name := range []string{"run", "EnvLock", "PipelineCard", "ParamCard"} {
		shared[name] = header.Genesis[name]
	}
	w := newTeller(r.Key, true, append(line, '\n'), header.H0, shared)
	w.add(0, "run.start", "demo", "{}", "null")
	for i := range n {
		event(w, i)
	}
	f["audit/trail.jsonl"] = w.out.Bytes()
	return f
}

func numbered(i int) string { return testbundle.Digest(fmt.Append(nil, i)) }

// worst are the inputs that cost most for what they weigh: n is how many there are of
// what each has much of, exit the answer.
var worst = map[string]struct {
	whole, sample int
	exit          int
	say           string // in the answer to the whole
	make          func(n int) testbundle.Files
}{
	"windows in order": {1_000_000, 20_000, 0, "PROMOTE", func(n int) testbundle.Files {
		w := tellLedger(demo().Key, true)
		w.begin()
		w.windows(n, nil)
		return w.promote(n)
	}},
	"windows backwards": {300_000, 20_000, 0, "PROMOTE", func(n int) testbundle.Files {
		w := tellLedger(demo().Key, true)
		w.begin()
		w.windows(n, func(i int, m M) {
			m["start_ms"], m["end_ms"] = testbundle.LedgerStart+60000*(n-i), testbundle.LedgerStart+60000*(n-i+1)
		})
		return w.promote(n)
	}},
	"windows of one id that overlap": {300_000, 20_000, 2, "E_DECISION", func(n int) testbundle.Files {
		w := tellLedger(demo().Key, true)
		w.begin()
		w.windows(n, func(i int, m M) { m["id"], m["start_ms"] = "w", testbundle.LedgerStart+60000 })
		return w.promote(0)
	}},
	"windows that trigger": {300_000, 20_000, 2, "E_DECISION", func(n int) testbundle.Files {
		w := tellLedger(demo().Key, true)
		w.begin()
		w.windows(n, func(i int, m M) { m["score"], m["drop_rate"], m["hb_lag"] = "0.1", "0.9", "1e3" })
		return w.promote(0)
	}},
	"windows with long ids": {400_000, 20_000, 2, "E_", func(n int) testbundle.Files {
		w := tellLedger(demo().Key, true)
		w.begin()
		w.windows(n, func(i int, m M) {
			m["id"], m["evidence"] = fmt.Sprintf("%s-%0130d", numbered(i)[7:], i), numbered(i)
		})
		return w.promote(0)
	}},
	"rollbacks": {100_000, 10_000, 2, "E_", func(n int) testbundle.Files {
		w := tellLedger(demo().Key, true)
		w.begin()
		for i := range n - 1 {
			w.say(2, "bundle.sealed", came(numbered(i), "canary", nil))
		}
		for i := range n - 1 {
			now := at(3).UnixMilli()
			w.say(3, "rollback", M{"release": numbered(n - 2 - i), "channel": "canary", "to": nil, "decision": nil, "trigger_end_ms": now, "deadline_ms": now + 300000})
		}
		return w.promote(0)
	}},
	"bundles": {300_000, 10_000, 2, "more than 100000 bundles", func(n int) testbundle.Files {
		w := tellLedger(demo().Key, true)
		w.begin()
		for i := range n {
			w.say(2, "bundle.sealed", came(numbered(i), "canary", nil))
		}
		return w.promote(0)
	}},
	"policies": {300_000, 11_000, 2, "more than 10000 policies", func(n int) testbundle.Files {
		w := tellLedger(demo().Key, true)
		w.begin()
		for range n {
			w.say(2, "policy.register", M{"digest": toldDigest, "policy": toldPolicy})
		}
		return w.promote(0)
	}},
	"events that do not follow": {300_000, 20_000, 2, "more than 10000 events", func(n int) testbundle.Files {
		w := tellLedger(demo().Key, true)
		w.begin()
		for i := range n {
			w.say(2, "promote", M{"release": numbered(i), "from": "canary", "to": "stable", "decision": toldDigest, "override": nil})
		}
		return w.promote(0)
	}},
	"a ledger of a key that nobody trusts": {300_000, 20_000, 1, "E_KEY_UNKNOWN", func(n int) testbundle.Files {
		w := tellLedger(testbundle.NewKey("nobody"), false)
		w.begin()
		w.windows(n, nil)
		return w.promote(0)
	}},
	"steps": {500_000, 10_000, 2, "more than 100000 steps", func(n int) testbundle.Files {
		return tellRun(n, func(w *teller, i int) { w.add(1, "step.start", "demo", "{}", fmt.Sprintf(`"s%d"`, i)) })
	}},
	"clocks": {500_000, 10_000, 2, "more than 100000 clocks", func(n int) testbundle.Files {
		return tellRun(n, func(w *teller, i int) { w.add(1, "note", fmt.Sprint("c", i), "{}", "null") })
	}},
}

// TestWorstMemory: whatever a trail or a ledger has a great many of, the program stays
// within 256 MiB. RELSEAL_WHOLE=1 takes all of them, and as many as the format allows, or more.
func TestWorstMemory(t *testing.T) {
	count := func(name string) int {
		if whole {
			return worst[name].whole
		}
		return worst[name].sample
	}
	if makes(t, func(name string) testbundle.Files { return worst[name].make(count(name)) }) {
		return
	}
	for _, name := range drawn(t, worst) {
		t.Run(name, func(t *testing.T) {
			e := verifyMade(t, "TestWorstMemory", name)
			if input := worst[name]; e.code != input.exit || whole && !strings.Contains(e.stdout, input.say) {
				t.Fatalf("exit %d with %d: %.2000s", e.code, count(name), e)
			}
		})
	}
}
