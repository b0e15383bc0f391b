package verify_test

import "github.com/relseal/relseal/internal/testbundle"

// trailsCases are runs of several trails, or of one that goes on from another.
func trailsCases() []damage {
	earlier := M{"H_0": testbundle.Digest([]byte("a")), "k": 4, "H_k": testbundle.Digest([]byte("b"))}
	again := func(outputs M) *testbundle.Run {
		r := demo()
		r.Continues = earlier
		// The rebuild ends once more, with other outputs than the build.
		ended := M{}
		for name, value := range r.Events[4] {
			ended[name] = value
		}
		ended["outputs"] = outputs
		r.Events = append(r.Events[:5:5], append([]M{ended}, r.Events[5:]...)...)
		return r
	}
	other := testbundle.Items(map[string]string{"out/again/demo": "other bytes\n"})
	last := again(other)
	first := again(last.Events[4]["outputs"].(M))
	first.Events[4]["outputs"] = other
	return []damage{
		{name: "step-ended-twice-last-differs", title: "a trail that continues another ends a step twice, the last time with other outputs", files: last.Seal(), exit: 2,
			findings: rejects("E_NONDETERMINISM", trailPath, 6), failing: events(6)},
		{name: "step-ended-twice-last-same", title: "a trail that continues another ends a step twice, the last time with the same outputs", files: first.Seal()},
		{name: "trails-one-open", title: "of two trails of a run one has no end: the artifacts are not compared", files: twoTrails(7, "x"), exit: 1,
			findings: []expected{at("E_TRAIL_OPEN", "UNDECIDABLE", "audit/second.jsonl", 7), at("E_ARTIFACT_MISSING", "UNDECIDABLE", "x")}},
		{name: "trails-two", title: "two trails of a run, of which each recorded artifacts", files: twoTrails(9, "")},
		{name: "trails-differ", title: "two trails of a run recorded different digests for one artifact", exit: 2, files: trails(demo(), func(_ *testbundle.Run, second *testbundle.Run) {
			making(second, "other bytes\n")
		}).Seal(), findings: rejects("E_ARTIFACT_HASH", "out/demo")},
		{name: "release-run-continues", title: "a release over a run whose earlier part is missing", exit: 1, files: first.Release(releaseKey, nil),
			findings: []expected{at("E_SEQUENCE", "UNDECIDABLE", "evidence/"+testbundle.Digest(first.Seal()["manifest.json"])[7:]+".audit.tar.zst!"+trailPath)}},
		{name: "good-release-run-continues", title: "a release over a run in two parts, both of them there", files: inParts().Release(releaseKey, nil)},
	}
}

// making lets the steps of a run make other bytes.
func making(r *testbundle.Run, content string) *testbundle.Run {
	r.Outputs = map[string]string{"out/demo": content}
	r.Events[2]["outputs"] = testbundle.Items(r.Outputs)
	r.Events[4]["outputs"] = testbundle.Items(map[string]string{"out/again/demo": content})
	r.Events[7]["outputs"] = testbundle.Items(r.Outputs)
	return r
}

// trails gives a run a second trail, which is made as the first one and then changed.
func trails(r *testbundle.Run, change func(first, second *testbundle.Run)) *testbundle.Run {
	second := demo()
	second.Continues = M{"H_0": testbundle.Digest([]byte("a")), "k": 4, "H_k": testbundle.Digest([]byte("b"))}
	change(r, second)
	_, h0 := second.Head()
	lines := second.Lines()
	r.More = testbundle.Files{"audit/second.jsonl": second.Trail()}
	r.Manifest = func(m M) {
		m["trails"] = append([]M{{"path": "audit/second.jsonl", "purpose": "run", "H_0": h0, "H_K": lines[len(lines)-1].H, "K": len(lines)}}, m["trails"].([]M)...)
	}
	return r
}

// inParts returns a run whose first part holds all its steps, and whose second, which
// goes on from the end of that, closes it again.
func inParts() *testbundle.Run {
	return trails(demo(), func(first, second *testbundle.Run) {
		_, h0 := first.Head()
		lines := first.Lines()
		second.Continues = M{"H_0": h0, "k": len(lines), "H_k": lines[len(lines)-1].H}
		second.ID = first.ID
	})
}

// twoTrails returns a bundle with a second trail of n events; if name is not
// empty, the manifest has an artifact of that name that no trail recorded.
func twoTrails(n int, name string) testbundle.Files {
	r, second := demo(), demo()
	second.Events = second.Events[:n]
	second.Continues = M{"H_0": testbundle.Digest([]byte("a")), "k": 4, "H_k": testbundle.Digest([]byte("b"))}
	_, h0 := second.Head()
	lines := second.Lines()
	var m M
	r.Manifest = func(made M) { m = made }
	r.Seal()
	delete(m, "files")
	m["trails"] = append([]M{{"path": "audit/second.jsonl", "purpose": "run", "H_0": h0, "H_K": lines[n-1].H, "K": n}}, m["trails"].([]M)...)
	if name != "" {
		m["artifacts"] = append(m["artifacts"].([]M), M{"uri": name, "hash": testbundle.Digest([]byte("x")), "size": 1})
	}
	files := r.Files()
	files["audit/second.jsonl"] = second.Trail()
	return testbundle.Seal(m, files, r.Key, testbundle.AuditPredicate)
}
