package docs

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/internal/testbundle"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/verify"
)

// A tale is a ledger that the holder of the key tells, and the promotion at its end.
type tale struct {
	l       *testbundle.Ledger
	from    testbundle.Files
	release string
}

// newTale registers the policy, admits a canary and another one, and observes both.
func newTale() *tale {
	p := policy()
	digest := testbundle.Digest(testbundle.Canon(p))
	canary := demo().Release(releaseKey, func(m testbundle.M) { m["gates"] = p })
	a := &tale{l: testbundle.NewLedger(releaseKey), from: canary, release: testbundle.Digest(canary["manifest.json"])}
	other := testbundle.Digest([]byte("other"))
	sealed := func(id string, policy any) testbundle.M {
		return testbundle.M{"bundle": id, "channel": "canary", "version": "1.0.0", "policy": policy, "promote": nil}
	}
	a.l.Add(0, "policy.register", testbundle.M{"digest": digest, "policy": p})
	a.l.Add(1, "bundle.sealed", sealed(other, nil))
	a.l.Add(60, "bundle.sealed", sealed(a.release, digest))
	for i := range 3 {
		end := 60 + 600*(i+1)
		a.l.Add(end, "window", testbundle.M{"window": testbundle.Window(other, "canary", i+1, end-600, end, nil)})
		a.l.Add(end+1, "window", testbundle.M{"window": testbundle.Window(a.release, "canary", i+1, end-600, end, nil)})
	}
	return a
}

// decide returns what the product decides over the tale, at a second.
func (a *tale) decide(t *testing.T, at int) gates.Decision {
	t.Helper()
	p, err := gates.ReadPolicy(testbundle.Canon(policy()))
	if err != nil {
		t.Fatal(err)
	}
	in := gates.Input{Channel: "canary", Release: a.release, SinceMS: int64(testbundle.Millis(60)), NowMS: int64(testbundle.Millis(at))}
	for _, e := range a.l.Events {
		d := e["details"].(testbundle.M)
		w, err := gates.ParseWindow(testbundle.Canon(d["window"]))
		if err == nil && w.Release == a.release {
			in.Windows = append(in.Windows, w)
		}
	}
	d, err := gates.Decide(p, in)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// files seals the tale with a promotion at a second.
func (a *tale) files(t *testing.T, at int, over bool) testbundle.Files {
	t.Helper()
	d := a.decide(t, at)
	record, err := d.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	said := testbundle.M{"release": a.release, "from": "canary", "to": "stable", "decision": sign.Sum(record).String(), "override": nil}
	if over {
		o := maps.Clone(said)
		delete(o, "override")
		o["unmet"] = append([]string{}, d.Reasons...)
		k := a.l.Add(at, "override", o)
		a.l.Events[k-1]["notes"], said["override"] = "a reason", k
	}
	k := a.l.Add(at, "promote", said)
	windows := []int{}
	for i, e := range a.l.Events {
		if w, ok := e["details"].(testbundle.M)["window"].(testbundle.M); ok && e["action"] == "window" && w["release"] == a.release {
			windows = append(windows, i+1)
		}
	}
	if len(windows) == 0 {
		windows = []int{1}
	}
	var decision testbundle.M
	if err := json.Unmarshal(record, &decision); err != nil {
		t.Fatal(err)
	}
	scores := testbundle.M{}
	for name, value := range d.Scores() {
		scores[name] = value
	}
	return demo().Promote(releaseKey, testbundle.Promotion{Ledger: a.l, K: k, Channel: "stable", From: []testbundle.Files{a.from}, Policy: policy(), Decision: decision, Scores: scores,
		Windows: testbundle.M{"first": windows[0], "last": windows[len(windows)-1], "count": len(windows)}}, nil)
}

// Ledgers in which the holder of the key left out, repeated, moved or changed
// events, and then promoted by the decision that the rest supports, or by none.
func TestSecondAgreesOnLedgers(t *testing.T) {
	m, draw := newMatch(t), rand.New(rand.NewPCG(5, 5))
	for range *draws / 2 {
		a, what := newTale(), ""
		for range draw.IntN(3) {
			i, j := draw.IntN(len(a.l.Events)), draw.IntN(len(a.l.Events))
			e := a.l.Events[i]
			kind := []string{"remove", "repeat", "move", "metric", "time", "sealed", "rollback", "details"}[draw.IntN(8)]
			what += fmt.Sprintf("%s %d,%d; ", kind, i+1, j+1)
			switch kind {
			case "remove":
				a.l.Events = slices.Delete(a.l.Events, i, i+1)
			case "repeat":
				a.l.Events = slices.Insert(a.l.Events, j, e)
			case "move":
				a.l.Events = slices.Insert(slices.Delete(a.l.Events, i, i+1), min(j, len(a.l.Events)-1), e)
			case "metric", "time":
				if w, ok := e["details"].(testbundle.M)["window"].(testbundle.M); ok {
					w = maps.Clone(w)
					name := []string{"score", "delta_rep", "delta_psd", "r_tb", "hb_lag", "drop_rate", "incident_rate"}[draw.IntN(7)]
					w[name] = []any{"0.94", "0.95", "0.02", "0.021", "0.05", "0.051", "0.001", "0.0011", "5", "6", "0.01", "1e-1", "+0.2", "NaN", "", "fast", nil, "-3"}[draw.IntN(18)]
					if kind == "time" {
						delete(w, name)
						w[name] = "0"
						w["score"] = "0.97"
						w[[]string{"start_ms", "end_ms"}[draw.IntN(2)]] = testbundle.Millis(60 + 300*draw.IntN(8))
					}
					a.l.Events[i] = edited(e, "details", testbundle.M{"window": w})
				}
			case "sealed":
				a.l.Add(1861, "bundle.sealed", testbundle.M{"bundle": []string{a.release, testbundle.Digest([]byte("new"))}[draw.IntN(2)],
					"channel": []string{"canary", "stable"}[draw.IntN(2)], "version": "1.0.0", "policy": nil, "promote": []any{nil, 3}[draw.IntN(2)]})
			case "rollback":
				k := a.l.Add(1862, "rollback", testbundle.M{"release": []string{a.release, testbundle.Digest([]byte("other"))}[draw.IntN(2)], "channel": "canary", "to": nil, "decision": nil,
					"trigger_end_ms": testbundle.Millis(1862), "deadline_ms": testbundle.Millis(1862 + 300*draw.IntN(2))})
				a.l.Events[k-1]["notes"] = []any{"a reason", nil}[draw.IntN(2)]
			case "details":
				d := plain(e["details"].(testbundle.M))
				what += alter(draw, d) + "; "
				a.l.Events[i] = edited(e, "details", d)
			}
		}
		at := 1865 + []int{0, 0, 0, 115, 116}[draw.IntN(5)]
		over := draw.IntN(3) == 0
		m.play(fmt.Sprintf("%spromoted at %d, overridden %v", what, at, over), a.files(t, at, over).Tar(), func(f verify.Finding) bool {
			return f.Code == "E_DECISION" && strings.HasPrefix(f.Text, "not the decision") // the bytes of its record
		})
	}
	if m.answers["REJECT"] < *draws/6 || m.answers["VERIFIED"] < *draws/20 {
		t.Errorf("answers %v", m.answers)
	}
}
