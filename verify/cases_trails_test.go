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
	}
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
