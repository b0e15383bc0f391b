package verify_test

import (
	"strings"

	"github.com/relseal/relseal/internal/testbundle"
)

// dishonestCases are sealed by the holder of the key, over a record that
// contradicts itself.
func dishonestCases() []damage {
	sealed := func(name, title string, exit int, change func(*testbundle.Run), failing [][2]int64, findings ...expected) damage {
		r := demo()
		change(r)
		return damage{name: name, title: title, files: r.Seal(), exit: exit, findings: findings, failing: failing}
	}
	manifest := func(change func(M)) func(*testbundle.Run) {
		return func(r *testbundle.Run) { r.Manifest = change }
	}
	digest := func(s string) string { return testbundle.Digest([]byte(s)) }
	return []damage{
		sealed("trail-open", "the run was killed: its trail has no end", 1, func(r *testbundle.Run) {
			r.Events, r.Outputs, r.Outcome = r.Events[:6], map[string]string{}, "aborted"
		}, nil, at("E_TRAIL_OPEN", "UNDECIDABLE", trailPath, 6)),
		sealed("event-after-close", "an event follows trail.close", 2, func(r *testbundle.Run) {
			r.Events = append(r.Events, M{"action": "run.abort", "code": r.Events[0]["code"]})
		}, events(10), at("E_SEQUENCE", "REJECT", trailPath, 10)),
		sealed("time-back-little", "the clock went back by half a second", 0, func(r *testbundle.Run) {
			r.Events[3]["ts"] = "2026-01-02T03:04:02.500000Z"
		}, nil, at("E_TIME_ORDER", "NOTE", trailPath, 4)),
		sealed("time-back", "the clock went back by ten minutes", 1, func(r *testbundle.Run) {
			r.Events[3]["ts"] = "2026-01-02T02:54:04.000000Z"
		}, nil, at("E_TIME_ORDER", "UNDECIDABLE", trailPath, 4)),
		sealed("seed-of-another-card", "the run used another seed than its card declares", 2, func(r *testbundle.Run) {
			for _, e := range r.Events {
				e["rng"] = M{"seed": "43"}
			}
		}, nil, at("E_SEED_INVALID", "REJECT", trailPath)),
		sealed("items-differ", "an event lists other inputs than its digest says", 2, func(r *testbundle.Run) {
			in := testbundle.Items(map[string]string{"go.mod": "x"})
			in["hash"] = digest("[]")
			r.Events[0]["inputs"] = in
		}, events(1), at("E_DATA_MISMATCH", "REJECT", trailPath, 1)),
		sealed("event-of-another-environment", "an event names another EnvLock than the genesis", 2, func(r *testbundle.Run) {
			r.Events[3]["EnvLock"] = M{"fingerprint": digest("x")}
		}, events(4), at("E_ENVLOCK", "REJECT", trailPath, 4)),
		sealed("event-of-another-card", "an event names another PipelineCard than the genesis", 2, func(r *testbundle.Run) {
			r.Events[3]["PipelineCard"] = M{"hash": digest("x")}
		}, events(4), at("E_CARD", "REJECT", trailPath, 4)),
		sealed("step-not-of-the-card", "a step is not the one that the card defines", 2, func(r *testbundle.Run) {
			r.Events[3]["code"], r.Events[4]["code"] = M{"hash": digest("x")}, M{"hash": digest("x")}
		}, events(4), at("E_CARD", "REJECT", trailPath, 4)),
		sealed("step-of-no-card-started", "a step that is not in the card started and never ended", 2, func(r *testbundle.Run) {
			r.Events = append(r.Events[:1:1], append([]M{{"action": "step.start", "path": "other", "code": M{"hash": digest("x")}}}, r.Events[1:]...)...)
		}, events(2), at("E_CARD", "REJECT", trailPath, 2)),
		sealed("step-overlapping-started-otherwise", "of two steps that overlap, one started with another definition than the card's", 2, func(r *testbundle.Run) {
			r.Events[3], r.Events[5] = r.Events[5], r.Events[3]
			r.Events[4], r.Events[6] = r.Events[6], r.Events[4]
			r.Events[4], r.Events[5] = r.Events[5], r.Events[4]
			r.Events[3]["code"] = M{"hash": digest("x")}
		}, events(4), at("E_CARD", "REJECT", trailPath, 4)),
		sealed("step-started-otherwise", "a step ended with other inputs than it started", 2, func(r *testbundle.Run) {
			r.Events[3]["inputs"] = testbundle.Items(map[string]string{"go.mod": "x"})
		}, events(5), at("E_DATA_MISMATCH", "REJECT", trailPath, 5)),
		sealed("sequence-wrong", "the holder of the key left a number out", 2, func(r *testbundle.Run) {
			for i := 4; i < len(r.Events); i++ {
				r.Events[i]["k"] = i + 2
			}
		}, events(6), fails("E_SEQUENCE", 6, gap)),
		sealed("run-id-wrong", "the holder of the key recorded an event of another run", 2, func(r *testbundle.Run) {
			r.Events[3]["run"] = M{"id": otherRunID}
		}, events(4), fails("E_RUN_ID", 4, fitting)),
		sealed("step-committed", "the id of a step is a commitment that nobody opened", 1, func(r *testbundle.Run) {
			secret := M{"commit": digest("32 random bytes and an id")}
			r.Events[5]["path"], r.Events[6]["path"] = secret, secret
		}, nil, at("E_CARD", "UNDECIDABLE", trailPath, 6), at("E_CARD", "UNDECIDABLE", trailPath, 7)),
		sealed("environment-less-than-listed", "the EnvLock does not record what the card lists", 0, func(r *testbundle.Run) {
			r.Lock["locks"], r.Lock["variables"] = []M{}, M{}
		}, nil, at("E_ENVLOCK", "NOTE", "envlock.json"), at("E_ENVLOCK", "NOTE", "envlock.json")),
		sealed("step-left-out", "the run ended ok and one step of its card did not run", 2, func(r *testbundle.Run) {
			r.Events = append(r.Events[:5:5], r.Events[7:]...)
		}, nil, at("E_DATA_MISMATCH", "REJECT", trailPath)),
		sealed("not-reproduced", "the rebuild made other bytes and the run says ok", 2, func(r *testbundle.Run) {
			r.Events[4]["outputs"] = testbundle.Items(map[string]string{"out/again/demo": "other bytes\n"})
		}, events(5), at("E_NONDETERMINISM", "REJECT", trailPath, 5)),
		sealed("artifact-not-what-its-step-made", "the run ended with another artifact than its step made", 2, func(r *testbundle.Run) {
			r.Outputs = map[string]string{"out/demo": "another artifact\n"}
			r.Events[7]["outputs"] = testbundle.Items(r.Outputs)
		}, events(8), at("E_DATA_MISMATCH", "REJECT", trailPath, 8)),
		sealed("artifact-of-no-step", "the run ended with an artifact that no step recorded", 0, func(r *testbundle.Run) {
			r.Outputs["notes.txt"] = "written by hand\n"
			r.Events[7]["outputs"] = testbundle.Items(r.Outputs)
		}, nil),
		sealed("copies-swapped", "two artifacts lie under each other's names", 2, func(r *testbundle.Run) {
			notes := "written by hand\n"
			r.More = testbundle.Files{"artifacts/notes.txt": []byte(r.Outputs["out/demo"]), "artifacts/out/demo": []byte(notes)}
			r.Outputs["notes.txt"] = notes
			r.Events[7]["outputs"] = testbundle.Items(r.Outputs)
		}, nil, at("E_FORMAT", "REJECT", "artifacts/notes.txt"), at("E_FORMAT", "REJECT", "artifacts/out/demo")),
		sealed("copy-of-another-name", "an artifact lies once more under a name that no artifact has", 2, func(r *testbundle.Run) {
			r.More = testbundle.Files{"artifacts/install.sh": []byte(r.Outputs["out/demo"])}
		}, nil, at("E_FORMAT", "REJECT", "artifacts/install.sh")),
		sealed("outcome-differs", "the manifest states another outcome than the run", 2, manifest(func(m M) { m["outcome"] = "failed" }),
			events(8), at("E_DATA_MISMATCH", "REJECT", trailPath, 8)),
		sealed("artifact-not-recorded", "the manifest has another artifact than the run recorded", 2, func(r *testbundle.Run) {
			r.Outputs = map[string]string{"out/demo": "another artifact\n"}
		}, nil, at("E_ARTIFACT_HASH", "REJECT", "out/demo")),
		sealed("manifest-of-another-run", "the manifest names another run.id than the genesis", 2, manifest(func(m M) { m["run"] = M{"id": otherRunID} }),
			nil, at("E_RUN_ID", "REJECT", trailPath, 0)),
		sealed("envlock-of-another-run", "the EnvLock was replaced by that of another run", 2, manifest(func(m M) { m["EnvLock"] = M{"fingerprint": digest("x")} }),
			nil, at("E_ENVLOCK", "REJECT", "envlock.json"), at("E_ENVLOCK", "REJECT", trailPath, 0)),
		sealed("card-of-another-run", "the PipelineCard was replaced by that of another run", 2, manifest(func(m M) { m["PipelineCard"] = M{"hash": digest("x")} }),
			nil, at("E_CARD", "REJECT", "cards/pipeline.json"), at("E_CARD", "REJECT", trailPath, 0)),
		sealed("trail-shorter-than-signed", "the manifest pins more events than there are", 2, manifest(func(m M) { m["trails"].([]M)[0]["K"] = 12 }),
			[][2]int64{{10, 12}}, at("E_TRUNCATED", "REJECT", trailPath, 10)),
		sealed("trail-longer-than-signed", "the manifest pins fewer events than there are", 2, manifest(func(m M) { m["trails"].([]M)[0]["K"] = 8 }),
			events(9), at("E_SEQUENCE", "REJECT", trailPath, 9)),
		sealed("trail-other-end", "the manifest pins another last head", 2, manifest(func(m M) { m["trails"].([]M)[0]["H_K"] = digest("x") }),
			events(9), at("E_CHAIN_LINK", "REJECT", trailPath, 9)),
	}
}

func releaseCases() []damage {
	run := demo()
	audit := run.Seal()
	id := testbundle.Digest(audit["manifest.json"])[7:]
	inside := "evidence/" + id + ".audit.tar.zst"
	over := func(nested testbundle.Files) testbundle.Files {
		f := run.Release(releaseKey, nil)
		f[inside] = testbundle.Zstd(nested.Tar())
		return f
	}
	edited := lines(audit, func(l []string) []string {
		l[3] = strings.Replace(l[3], `"actor":"release"`, `"actor":"mallory"`, 1)
		return l
	})
	failed := demo()
	failed.Outcome = "failed"
	failed.Outputs = map[string]string{}
	failed.Events[len(failed.Events)-2] = M{"action": "run.end", "code": failed.Events[0]["code"], "status": "failed"}
	failedID := testbundle.Digest(failed.Seal()["manifest.json"])[7:]
	failedRelease := failed.Release(releaseKey, func(m M) { m["artifacts"] = demoArtifacts() })
	foreign := testbundle.Demo(otherKey, otherRunID)
	foreignID := testbundle.Digest(foreign.Seal()["manifest.json"])[7:]
	foreignInside := "evidence/" + foreignID + ".audit.tar.zst"
	return []damage{
		{name: "release-evidence-edited", title: "an event of the embedded run was changed", files: over(edited), exit: 2,
			findings: []expected{{Code: "E_EVENT_ID", Verdict: "REJECT", Path: inside + "!" + trailPath, K: fails("", 3, nil).K, Proves: replaced}}, failing: events(3)},
		{name: "release-evidence-swapped", title: "the embedded bundle is that of another run", files: over(testbundle.Demo(releaseKey, otherRunID).Seal()), exit: 2,
			findings: rejects("E_BUNDLE_ID", inside)},
		{name: "release-evidence-missing", title: "the embedded bundle is missing", files: set(run.Release(releaseKey, nil), inside, nil), exit: 2,
			findings: rejects("E_FILE_MISSING", inside)},
		{name: "release-evidence-key-unknown", title: "the embedded run was signed by a key that is not trusted", files: foreign.Release(releaseKey, nil), exit: 1,
			findings: []expected{at("E_KEY_UNKNOWN", "UNDECIDABLE", foreignInside+"!manifest.json"), at("E_KEY_UNKNOWN", "UNDECIDABLE", foreignInside+"!"+trailPath)}},
		{name: "release-on-failed-run", title: "the release rests on a run that failed", files: failedRelease, exit: 2, findings: []expected{
			at("E_DATA_MISMATCH", "REJECT", "evidence/"+failedID+".audit.tar.zst"), at("E_ARTIFACT_HASH", "REJECT", "out/demo"),
			at("E_ARTIFACT_MISSING", "UNDECIDABLE", "out/demo")}},
		{name: "release-artifact-of-no-run", title: "an artifact of the release is not one of the run", exit: 2,
			files: run.Release(releaseKey, func(m M) {
				m["artifacts"] = []M{{"uri": "out/demo", "hash": testbundle.Digest([]byte("x")), "size": 1}}
			}), findings: []expected{at("E_FORMAT", "REJECT", "artifacts/out/demo"), at("E_ARTIFACT_HASH", "REJECT", "out/demo"),
				at("E_ARTIFACT_MISSING", "UNDECIDABLE", "out/demo")}},
		{name: "release-copy-of-another-name", title: "an artifact of the release lies under a name that no artifact has", exit: 2,
			files:    run.ReleaseWith(releaseKey, testbundle.Files{"artifacts/install.sh": []byte(run.Outputs["out/demo"])}, nil),
			findings: rejects("E_FORMAT", "artifacts/install.sh")},
		{name: "release-other-card", title: "the release names another card than its run", exit: 2,
			files:    run.Release(releaseKey, func(m M) { m["cards"].(M)["param"] = testbundle.Digest([]byte("x")) }),
			findings: rejects("E_CARD", "manifest.json")},
		{name: "release-other-commit", title: "the release names another commit than its run", exit: 2,
			files: run.Release(releaseKey, func(m M) { m["commit"] = nil }), findings: rejects("E_DATA_MISMATCH", "manifest.json")},
		{name: "release-other-product", title: "the release is of another product than its run", exit: 2,
			files: run.Release(releaseKey, func(m M) { m["product"] = "other" }), findings: rejects("E_DATA_MISMATCH", inside)},
		{name: "release-promoted", title: "a promotion that is made up, without a ledger or what it came from", exit: 2,
			files: run.Release(releaseKey, func(m M) {
				m["channel"] = "stable"
				m["scores"], m["decision"] = M{}, M{}
				m["windows"] = M{"first": 1, "last": 3, "count": 3}
				m["gates"] = demoPolicy()
				m["provenance"].(M)["previous"] = testbundle.Digest([]byte("x"))
				setLedger(m, M{"H_0": testbundle.Digest([]byte("x")), "k": 4, "H_k": testbundle.Digest([]byte("y"))})
			}), findings: []expected{at("E_FORMAT", "REJECT", "manifest.json"),
				at("E_FORMAT", "REJECT", "manifest.json"), at("E_DECISION", "UNDECIDABLE", "manifest.json")}},
	}
}

func demoArtifacts() []M {
	content := "a small artifact\n"
	return []M{{"uri": "out/demo", "hash": testbundle.Digest([]byte(content)), "size": len(content)}}
}

func demoPolicy() M {
	return M{
		"schema": "relseal/gates/v1", "mode": "literal", "r_canary": "0.05", "T_obs_ms": 1800000, "T_rollback_ms": 300000, "stale_max_ms": 120000,
		"W_min": 3, "N_LTS": 3, "gap_max_ms": 0, "skew_max_ms": 1000, "max_undecidable": 2, "tau_score": "0.95", "gate_rep": "0.02",
		"tau_psd": M{"kind": "rel_l1", "max": "0.05"}, "tau_tb": M{"kind": "rms", "unit": "s", "max": "0.001"},
		"tau_hb": "5", "tau_drop": "0.01", "tau_inc": "0.1",
	}
}
