package verify_test

import (
	"slices"
	"strings"

	"github.com/relseal/relseal/internal/testbundle"
)

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
	otherCode := again(other)
	otherCode.Events[4]["code"] = M{"hash": testbundle.Digest([]byte("x"))}
	otherCode.Events[5]["outputs"] = testbundle.Items(map[string]string{"out/again/demo": "a small artifact\n"})
	first := again(last.Events[4]["outputs"].(M))
	first.Events[4]["outputs"] = other
	part := func(change func(from M, first *testbundle.Run)) testbundle.Files {
		return inParts(func(first, second *testbundle.Run) { change(second.Continues, first) }).Seal()
	}
	goesOn := func(events ...M) testbundle.Files {
		r := demo()
		r.Continues = earlier
		r.Events = append(slices.Clone(r.Events[:7]), append(events, r.Events[7:]...)...)
		return r.Seal()
	}
	start := demo().Events[0]
	failed := M{"action": "run.end", "code": start["code"], "status": "failed"}
	source := func(value any) *testbundle.Run {
		r := demo()
		r.Events[0]["details"] = M{"source": value}
		return r
	}
	dirty := source(M{"commit": strings.Repeat("f", 40), "dirty": "x"})
	second := "audit/second.jsonl"
	return []damage{
		{name: "run-ended-twice", title: "a trail that continues another ends the run as failed and then ok", files: goesOn(failed), exit: 2,
			findings: rejects("E_SEQUENCE", trailPath, 9), failing: events(9)},
		{name: "run-started-late", title: "a trail that continues another starts the run twice", files: goesOn(start), exit: 2,
			findings: rejects("E_SEQUENCE", trailPath, 8), failing: events(8)},
		{name: "good-run-in-parts", title: "a run in two parts, of which the second goes on from the end of the first", files: inParts(nil).Seal()},
		{name: "run-part-ended", title: "the first part of a run has an end, and so has the second", exit: 2, files: part(func(from M, first *testbundle.Run) {
			first.Events = append(first.Events, failed)
			ending(from, first)
		}), findings: append(rejects("E_DATA_MISMATCH", trailPath, 4), rejects("E_SEQUENCE", trailPath, 4)...), failing: events(4)},
		{name: "run-part-forks", title: "a part goes on from an event of another, and that one goes on otherwise itself", exit: 2, files: part(func(from M, first *testbundle.Run) {
			from["k"], from["H_k"] = 2, first.Lines()[1].H
		}), findings: append([]expected{at("E_TRAIL_OPEN", "UNDECIDABLE", trailPath, 3)}, rejects("E_SEQUENCE", second, 0)...)},
		{name: "run-part-other-head", title: "a part goes on from another head than that with which the other ends", exit: 2, files: part(func(from M, _ *testbundle.Run) {
			from["H_k"] = testbundle.Digest([]byte("b"))
		}), findings: append([]expected{at("E_TRAIL_OPEN", "UNDECIDABLE", trailPath, 3)}, rejects("E_CHAIN_LINK", second, 0)...)},
		{name: "run-part-cut", title: "a part goes on from a later event of another than the bundle has", exit: 1, files: part(func(from M, _ *testbundle.Run) {
			from["k"], from["H_k"] = 5, testbundle.Digest([]byte("b"))
		}), findings: []expected{at("E_TRAIL_OPEN", "UNDECIDABLE", trailPath, 3), at("E_SEQUENCE", "UNDECIDABLE", second, 0)}},
		{name: "source-other-form", title: "run.start says in another form than its own whether files differed from the commit", files: dirty.Seal(), exit: 1,
			findings: []expected{at("E_FORMAT", "UNDECIDABLE", trailPath, 1)}},
		{name: "source-commitment", title: "run.start records a commitment to its source", files: source(M{"commit": testbundle.Digest(nil)}).Seal(), exit: 1,
			findings: []expected{at("E_FORMAT", "UNDECIDABLE", trailPath, 1)}},
		{name: "source-text", title: "run.start says in a text what its source was", files: source("main").Seal(), exit: 1,
			findings: []expected{at("E_FORMAT", "UNDECIDABLE", trailPath, 1)}},
		{name: "release-source-other-form", title: "a release over a run that recorded another commit, in a source of another form", files: dirty.Release(releaseKey, nil), exit: 2,
			findings: []expected{at("E_FORMAT", "UNDECIDABLE", "evidence/"+testbundle.Digest(dirty.Seal()["manifest.json"])[7:]+".audit.tar.zst!"+trailPath, 1),
				at("E_DATA_MISMATCH", "REJECT", "manifest.json")}},
		{name: "step-ended-twice-last-differs", title: "a trail that continues another ends a step twice, the last time with other outputs", files: last.Seal(), exit: 2,
			findings: rejects("E_NONDETERMINISM", trailPath, 6), failing: events(6)},
		{name: "step-ended-twice-first-other", title: "a trail that continues another ends a step twice, the first time with another definition", files: otherCode.Seal(), exit: 2,
			findings: rejects("E_CARD", trailPath, 5), failing: events(5)},
		{name: "step-ended-twice-last-same", title: "a trail that continues another ends a step twice, the last time with the same outputs", files: first.Seal()},
		{name: "trails-one-open", title: "of two trails of a run one has no end: the artifacts are not compared", files: twoTrails(7, "x"), exit: 1,
			findings: []expected{at("E_TRAIL_OPEN", "UNDECIDABLE", "audit/second.jsonl", 7), at("E_ARTIFACT_MISSING", "UNDECIDABLE", "x")}},
		{name: "trails-two", title: "two trails of a run, of which each recorded artifacts: one of them ended it before", files: twoTrails(9, ""), exit: 2,
			findings: rejects("E_SEQUENCE", trailPath, 8), failing: events(8)},
		{name: "trails-differ", title: "two trails of a run recorded different digests for one artifact", exit: 2, files: trails(demo(), func(_ *testbundle.Run, second *testbundle.Run) {
			making(second, "other bytes\n")
		}).Seal(), findings: append(rejects("E_ARTIFACT_HASH", "out/demo"), rejects("E_SEQUENCE", trailPath, 8)...), failing: events(8)},
		{name: "trails-fork", title: "a second trail begins as that of the run does and goes on otherwise", exit: 2, files: forked("audit/fork.jsonl").Seal(),
			findings: rejects("E_SEQUENCE", trailPath, 0)},
		{name: "trails-fork-behind", title: "the same, listed behind the trail of the run", exit: 2, files: forked("audit/zfork.jsonl").Seal(),
			findings: []expected{at("E_SEQUENCE", "REJECT", "audit/rest.jsonl", 0), at("E_SEQUENCE", "REJECT", "audit/zfork.jsonl", 0)}},
		{name: "run-part-made-otherwise", title: "the first part of a run made another artifact than the second ends with", exit: 2, files: inParts(func(first, second *testbundle.Run) {
			first.Events[2]["outputs"] = testbundle.Items(map[string]string{"out/demo": "other bytes\n"})
			second.Events[1]["outputs"] = testbundle.Items(map[string]string{"out/again/demo": "other bytes\n"})
			ending(second.Continues, first)
		}).Seal(), findings: rejects("E_DATA_MISMATCH", trailPath)},
		{name: "release-runs-fork", title: "a release over two records that begin as one and end differently", exit: 2, files: forkedRelease(),
			findings: rejects("E_SEQUENCE", "evidence/"+testbundle.Digest(demo().Seal()["manifest.json"])[7:]+".audit.tar.zst!"+trailPath, 0)},
		{name: "release-run-continues", title: "a release over a run whose earlier part is missing", exit: 1, files: first.Release(releaseKey, nil),
			findings: []expected{at("E_SEQUENCE", "UNDECIDABLE", "evidence/"+testbundle.Digest(first.Seal()["manifest.json"])[7:]+".audit.tar.zst!"+trailPath)}},
		{name: "release-runs-differ", title: "a release over two runs that recorded different digests for its artifact", exit: 2, files: witnesses("other bytes\n"),
			findings: rejects("E_ARTIFACT_HASH", "out/demo")},
		{name: "good-release-runs-agree", title: "a release over two runs that recorded the same artifact", files: witnesses("a small artifact\n")},
		{name: "good-release-run-continues", title: "a release over a run in two parts, both of them there", files: inParts(nil).Release(releaseKey, nil)},
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

// inParts returns a run whose first part builds, and whose second goes on from the end
// of that and does the rest. They may be changed before they are put together.
func inParts(change func(first, second *testbundle.Run)) *testbundle.Run {
	return trails(demo(), func(first, second *testbundle.Run) {
		second.Events, first.Events = second.Events[3:], first.Events[:3]
		second.Continues = M{}
		ending(second.Continues, first)
		if change != nil {
			change(first, second)
		}
	})
}

// forked returns a run with a second trail of its own genesis, of which the last part is at
// the given path.
func forked(path string) *testbundle.Run {
	r, fork := demo(), demo()
	fork.Events = fork.Events[:1]
	rest := demo()
	rest.Continues = M{}
	ending(rest.Continues, fork)
	rest.Events = rest.Events[8:]
	r.More = testbundle.Files{path: fork.Trail(), "audit/rest.jsonl": rest.Trail()}
	r.Manifest = func(m M) {
		list := m["trails"].([]M)
		for name, part := range map[string]*testbundle.Run{path: fork, "audit/rest.jsonl": rest} {
			_, h0 := part.Head()
			lines := part.Lines()
			list = append(list, M{"path": name, "purpose": "run", "H_0": h0, "H_K": lines[len(lines)-1].H, "K": len(lines)})
		}
		slices.SortFunc(list, func(a, b M) int { return strings.Compare(a["path"].(string), b["path"].(string)) })
		m["trails"] = list
	}
	return r
}

// forkedRelease returns a release over two records of a run, of which one says that the
// source was clean and the other that nobody looked.
func forkedRelease() testbundle.Files {
	second := demo()
	second.Events[0]["details"] = M{"source": M{"commit": "0123456789abcdef0123456789abcdef01234567"}}
	return over(demo(), second)
}

// ending lets a part go on from the end of another one.
func ending(from M, first *testbundle.Run) {
	_, from["H_0"] = first.Head()
	lines := first.Lines()
	from["k"], from["H_k"] = len(lines), lines[len(lines)-1].H
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

// witnesses returns a release over two runs, of which the second made other bytes.
func witnesses(content string) testbundle.Files {
	return over(demo(), making(testbundle.Demo(releaseKey, otherRunID), content))
}

// over returns a release of one run that rests on a second one, too.
func over(first, second *testbundle.Run) testbundle.Files {
	sealed := second.Seal()
	id := testbundle.Digest(sealed["manifest.json"])
	more := testbundle.Files{"evidence/" + id[7:] + ".audit.tar.zst": testbundle.Zstd(sealed.Tar())}
	return first.ReleaseWith(releaseKey, more, func(m M) {
		provenance := m["provenance"].(M)
		ids := append(provenance["audit"].([]string), id)
		slices.Sort(ids)
		provenance["audit"] = ids
	})
}
