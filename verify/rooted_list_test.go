package verify_test

import (
	"encoding/json"
	"maps"
	"strings"

	"github.com/relseal/relseal/internal/testbundle"
)

var (
	holderA   = testbundle.NewKey("alice")
	holderB   = testbundle.NewKey("bob")
	ledgerKey = testbundle.NewKey("ledger")
	thirdKey  = testbundle.NewKey("third")
)

// version returns a version of a root that both holders have signed.
func version(n int, roles M, change func(M)) []byte {
	s := testbundle.Root(n, roles, 2, []testbundle.Key{holderA, holderB}, releaseKey, otherKey, ledgerKey, thirdKey)
	if change != nil {
		change(s)
	}
	return testbundle.SignRoot(s, holderA, holderB)
}

func only(role string, threshold int, grants ...M) M {
	return M{role: testbundle.RootRole(threshold, grants...)}
}

func plus(roles ...M) M {
	all := M{}
	for _, r := range roles {
		maps.Copy(all, r)
	}
	return all
}

// endorsed returns a bundle with the signatures of further signers.
func endorsed(f testbundle.Files, predicate string, signers ...testbundle.Key) testbundle.Files {
	out := f.Clone()
	for _, k := range signers {
		for name, data := range k.Signatures(f["manifest.json"], f["SHA256SUMS"], predicate) {
			out["sig/by/"+k.HexID()+"/"+name] = data
		}
	}
	return out
}

// The events of the demo are of 2026-01-02, from 03:04:01; those of its ledger from 04:00.
func rootedCases() []rooted {
	audit := demo().Seal()
	auditID := testbundle.Digest(audit["manifest.json"])
	release := demo().Release(releaseKey, nil)
	evidence := "evidence/" + auditID[7:] + ".audit.tar.zst"
	g := func(more M) M { return testbundle.Grant(releaseKey, more) }
	of := func(k testbundle.Key) M { return testbundle.Grant(k, nil) }
	active := only("audit", 1, g(nil))
	retired := M{"status": "retired", "not_after": "2027-01-01T00:00:00Z"}
	lost := M{"status": "revoked", "revoked_since": "2026-06-01T00:00:00Z"}
	stolen := M{"status": "revoked", "revoked_since": "2026-01-01T00:00:00Z"}
	ledgers := only("ledger", 1, of(ledgerKey))
	recordsOf := func(key testbundle.Key, at int, sealed M) []byte {
		l := testbundle.NewLedger(key)
		l.Add(at, "bundle.sealed", sealed)
		text, _, _ := l.Lines(1)
		return text
	}
	records := func(key testbundle.Key, at int, id string) []byte {
		return recordsOf(key, at, sealedDetails(id, "canary", "1.0.0", nil, nil))
	}
	recordsBack := func(before, at int) []byte {
		l := testbundle.NewLedger(ledgerKey)
		l.Add(before, "note", M{})
		l.Add(at, "bundle.sealed", sealedDetails(auditID, "canary", "1.0.0", nil, nil))
		text, _, _ := l.Lines(2)
		return text
	}
	first := func(roles M) [][]byte { return [][]byte{version(1, roles, nil)} }
	record := func(product string, artifacts bool, details M) testbundle.Files {
		r := demo()
		r.Product = product
		if !artifacts {
			r.Outputs = nil
			r.Events[len(r.Events)-2]["outputs"] = testbundle.Items(nil)
		}
		r.Manifest = func(m M) { m["details"] = details }
		return r.Seal()
	}
	archived := func(change func(*testbundle.Run)) testbundle.Files {
		r := demo()
		step := M{"id": "reverify", "needs": []string{}, "run": []string{"relseal", "reverify"}, "inputs": []string{}, "outputs": []string{}}
		r.Product, r.Outputs, r.Pipeline["steps"] = "archive", nil, []M{step}
		code, producer := M{"hash": testbundle.Digest(testbundle.Canon(step))}, r.Events[0]["code"]
		r.Events = []M{{"action": "run.start", "code": producer}, {"action": "step.start", "path": "reverify", "code": code},
			{"action": "bundle.verified", "code": producer, "details": M{"file": "a"}}, {"action": "step.end", "path": "reverify", "code": code, "status": "ok"},
			{"action": "run.end", "code": producer, "status": "ok"}, {"action": "trail.close", "code": producer}}
		r.Manifest = func(m M) { m["details"] = M{"record": "reverify"} }
		change(r)
		return r.Seal()
	}
	reverified, archivist := M{"record": "reverify"}, first(plus(only("archive", 1, g(nil)), only("audit", 1, of(otherKey))))
	twoUnknown := []expected{at("E_KEY_UNKNOWN", "REJECT", "manifest.json"), at("E_KEY_UNKNOWN", "REJECT", trailPath)}
	reference := func(hash string, n int) testbundle.Files {
		r := demo()
		r.Manifest = func(m M) { m["root"] = M{"version": n, "hash": hash} }
		return r.Seal()
	}
	man := func(code, verdict string) []expected { return []expected{at(code, verdict, "manifest.json")} }
	one := func(name, title string, files testbundle.Files, roots [][]byte, exit int, findings ...expected) rooted {
		return rooted{name: name, title: title, files: files, roots: roots, exit: exit, findings: findings}
	}
	next := func(roles M) [][]byte { return [][]byte{version(1, active, nil), version(2, roles, nil)} }
	copied := func(paths ...any) testbundle.Files {
		out := audit.Clone()
		for i := 0; i < len(paths); i += 2 {
			out["sig/root/"+paths[i].(string)] = paths[i+1].([]byte)
		}
		return out
	}
	hash := func(n int, roles M) string {
		return testbundle.Digest(testbundle.Canon(testbundle.Root(n, roles, 2, []testbundle.Key{holderA, holderB}, releaseKey, otherKey, ledgerKey, thirdKey)))
	}
	_, stable := promoted(func(s *story) { s.l.Key = ledgerKey })
	promotedBy := demo().Promote(releaseKey, stable, nil)
	goes := at("E_TRAIL_OPEN", "NOTE", ledgerPath, 6)
	byDir := func(k testbundle.Key) string { return "sig/by/" + k.HexID() + "/" }

	moves := plus(only("release.canary", 1, g(nil)), only("release.stable", 1, g(nil)))

	handed := func(hand func(*testbundle.Ledger)) testbundle.Files {
		_, p := promoted(func(s *story) {
			s.l.Key = ledgerKey
			hand(s.l)
		})
		return demo().Promote(releaseKey, p, nil)
	}
	rotatedLedger := handed(func(l *testbundle.Ledger) { l.Rotate(1865, thirdKey) })
	until := func(t string) M {
		return testbundle.RootRole(1, testbundle.Grant(ledgerKey, M{"status": "retired", "not_after": t}), testbundle.Grant(thirdKey, M{"not_before": t}))
	}
	stableRoles := func(ledger M) [][]byte {
		return first(plus(active, moves, M{"ledger": ledger}))
	}
	firstEvent := func(action string, details M) testbundle.Files {
		return handed(func(l *testbundle.Ledger) {
			e := M{"at": l.Events[0]["at"], "action": action}
			if details != nil {
				e["details"] = details
			}
			l.Events[0] = e
		})
	}
	stableLedger := plus(active, moves, ledgers)
	startedUnder := func(hash string) testbundle.Files {
		return handed(func(l *testbundle.Ledger) { l.Genesis = M{"root": M{"version": 1, "hash": hash}} })
	}
	goes7, goes8 := at("E_TRAIL_OPEN", "NOTE", ledgerPath, 7), at("E_TRAIL_OPEN", "NOTE", ledgerPath, 8)

	canaries := func(more ...M) M {
		return plus(active, only("release.canary", 2, g(nil), of(thirdKey), testbundle.Grant(otherKey, plus(more...))))
	}

	// extra returns a version with a signature that names a key and is none.
	extra := func(file []byte) []byte {
		var r M
		if err := json.Unmarshal(file, &r); err != nil {
			panic(err)
		}
		sigs := append(r["signatures"].([]any), M{"keyid": strings.Repeat("f", 64), "sig": strings.Repeat("0", 128)})
		return []byte(strings.Replace(string(file), string(testbundle.Canon(r["signatures"])), string(testbundle.Canon(sigs)), 1))
	}
	// The holder of release.stable alone: a canary of its own, and one that another sealed.
	lift := func(canary func(*story) testbundle.Files, run *testbundle.Run) (testbundle.Files, string) {
		s := newStory()
		s.l.Key = ledgerKey
		s.is(canary(s))
		s.l.Events[1]["details"].(M)["bundle"] = s.canary
		windows := s.observe(s.canary, "canary", 60, nil)
		decision := s.decided(1870, windows, nil)
		return run.Promote(releaseKey, s.stable(s.promote(1870, decision, nil), decision, 3, 5), nil), "evidence/from/" + s.canary[7:] + "/"
	}
	by := func(k testbundle.Key, more ...testbundle.Key) func(*story) testbundle.Files {
		return func(s *story) testbundle.Files {
			return endorsed(demo().Release(k, func(m M) { m["gates"] = s.policy }), testbundle.ReleasePredicate, more...)
		}
	}
	ways := func(threshold int, grants ...M) M {
		return plus(active, ledgers, only("release.stable", 1, g(nil)), only("release.canary", threshold, grants...))
	}
	itsOwn, itsOwnFrom := lift(by(releaseKey), demo())
	others, othersFrom := lift(by(otherKey), demo())
	another, anotherFrom := lift(by(otherKey), making(demo(), "somebody else's artifact\n"))
	both, bothFrom := lift(by(otherKey, thirdKey), demo())
	under := func(hash string, n int) (testbundle.Files, string) {
		return lift(func(s *story) testbundle.Files {
			return demo().Release(otherKey, func(m M) { m["gates"], m["root"] = s.policy, M{"version": n, "hash": hash} })
		}, demo())
	}
	underOwn, _ := under(hash(1, ways(1, of(otherKey))), 1)
	underOther, underOtherFrom := under(hash(1, active), 1)
	underNewer, underNewerFrom := under(hash(2, active), 2)
	stranger, strangerFrom := lift(by(testbundle.NewKey("stranger")), demo())

	// What became of a release, by a ledger that the caller has.
	upStory := newStory()
	upStory.l.Key = ledgerKey
	upStory.is(demo().Release(otherKey, func(m M) { m["gates"] = upStory.policy }))
	upStory.l.Events[1]["details"].(M)["bundle"] = upStory.canary
	upWindows := upStory.observe(upStory.canary, "canary", 60, nil)
	upDecision := upStory.decided(1870, upWindows, nil)
	upPromotion := upStory.stable(upStory.promote(1870, upDecision, nil), upDecision, 3, 5)
	up := demo().Promote(releaseKey, upPromotion, nil)
	upID := testbundle.Digest(up["manifest.json"])
	after := func(add func(l *testbundle.Ledger)) []byte {
		l := *upStory.l
		l.Events = append([]M{}, upStory.l.Events...)
		add(&l)
		text, _, _ := l.Lines(len(l.Events))
		return text
	}
	sealedUp := func(id string) func(*testbundle.Ledger) {
		return func(l *testbundle.Ledger) {
			l.Add(1880, "bundle.sealed", sealedDetails(id, "stable", "1.0.0", policyDigest(upStory.policy), upPromotion.K))
		}
	}
	takenBack := func(id, channel string, to any) func(*testbundle.Ledger) {
		return func(l *testbundle.Ledger) {
			sealedUp(upID)(l)
			k := l.Add(1890, "rollback", M{"release": id, "channel": channel, "to": to, "decision": nil,
				"trigger_end_ms": testbundle.Millis(1890), "deadline_ms": testbundle.Millis(2190)})
			l.Events[k-1]["notes"] = "checkout fails"
		}
	}
	gone := at("E_ROLLED_BACK", "REJECT", "manifest.json")
	later := func(name, title string, files testbundle.Files, add func(*testbundle.Ledger), history bool, exit int, findings ...expected) rooted {
		return rooted{name: name, title: title, files: files, roots: first(ways(1, of(otherKey))), ledger: after(add), history: history, exit: exit, findings: findings}
	}

	sourceBack := func(l *testbundle.Ledger) {
		k := l.Add(1890, "rollback", M{"release": upStory.canary, "channel": "canary", "to": nil, "decision": nil,
			"trigger_end_ms": testbundle.Millis(1890), "deadline_ms": testbundle.Millis(2190)})
		l.Events[k-1]["notes"] = "checkout fails"
	}
	otherwise := func(name, title string, ledger []byte, exit int, findings ...expected) rooted {
		return rooted{name: name, title: title, files: up, roots: first(ways(1, of(otherKey))), ledger: ledger, exit: exit, findings: findings}
	}
	of1 := func(change func(*testbundle.Ledger), n int) []byte {
		l := *upStory.l
		l.Events = append([]M{}, upStory.l.Events[:n]...)
		change(&l)
		text, _, _ := l.Lines(len(l.Events))
		return text
	}
	everything := after(sealedUp(upID))
	_, upH0, upHK := upStory.l.Lines(upPromotion.K)
	goesOn := func(k int, hk string) []byte {
		l := testbundle.NewLedger(ledgerKey)
		l.Genesis = M{"continues": M{"H_0": upH0, "k": k, "H_k": hk}}
		l.Add(1880, "note", M{})
		text, _, _ := l.Lines(1)
		return text
	}
	cut := at("E_LEDGER_CUT", "REJECT", "manifest.json")
	otherLedger := func(verdict string) expected { return at("E_LEDGER_OTHER", verdict, "manifest.json") }

	// A canary whose key was over after its run, and before the event of the ledger whose head it pins.
	overHead := func(s *story) testbundle.Files {
		_, h0, hk := s.l.Lines(1)
		return demo().Release(otherKey, func(m M) {
			m["gates"], m["provenance"].(M)["head"] = s.policy, M{"H_0": h0, "k": 1, "H_k": hk}
		})
	}
	leftBefore := first(ways(1, testbundle.Grant(otherKey, M{"status": "retired", "not_after": "2026-01-02T03:30:00Z"}), of(thirdKey)))
	fromOver, fromOverPath := lift(overHead, demo())
	headStory := newStory()
	headStory.l.Key = ledgerKey
	headCanary := overHead(headStory)
	headLedger, _, _ := headStory.l.Lines(2)

	list := []rooted{
		{name: "canary-retired-before-head", title: "the key of a canary was retired before the event whose head the canary pins, by the ledger at hand", files: headCanary, roots: leftBefore, exit: 2,
			ledger: headLedger, findings: man("E_KEY_RETIRED", "REJECT")},
		one("good-canary-head-elsewhere", "the same, and nobody has the ledger: nothing says when the event was", headCanary, leftBefore, 0),
		one("lineage-retired-before-head", "the key of the canary was retired before the event whose head the canary pins", fromOver, leftBefore, 2, goes, at("E_KEY_RETIRED", "REJECT", fromOverPath+"manifest.json")),
		later("later-source-rolled-back", "the ledger at hand rolled back the canary before the release was sealed", up, sourceBack, false, 2, goes, gone),
		later("later-source-rolled-back-history", "the same, asked of the past", up, sourceBack, true, 0, goes, at("E_ROLLED_BACK", "NOTE", "manifest.json")),
		later("good-later-source-rolled-back-after", "the ledger at hand took the canary back that went on before, which it cannot", up, func(l *testbundle.Ledger) {
			sealedUp(upID)(l)
			sourceBack(l)
		}, false, 0, goes),
		otherwise("later-torn", "the last line of the ledger at hand is torn", everything[:len(everything)-50], 1, goes, at("E_TRUNCATED", "UNDECIDABLE", "manifest.json")),
		otherwise("later-cut", "the ledger at hand ends before the event that the release was sealed over", of1(func(*testbundle.Ledger) {}, upPromotion.K-1), 2, goes, cut),
		otherwise("later-fork", "the ledger at hand has another event where the release was sealed", of1(func(l *testbundle.Ledger) {
			l.Add(1870, "note", M{})
		}, upPromotion.K-1), 2, goes, otherLedger("REJECT")),
		otherwise("later-another-ledger", "the ledger at hand is another one of the product", of1(func(l *testbundle.Ledger) {
			l.Genesis = M{"run": M{"id": "demo-ledger"}, "details": M{"begun": "anew"}}
		}, upPromotion.K), 1, goes, otherLedger("UNDECIDABLE")),
		otherwise("good-later-another-product", "the ledger at hand is of another product, and says nothing of the release", of1(func(l *testbundle.Ledger) {
			l.Product = "another"
		}, upPromotion.K), 0, goes),
		otherwise("later-goes-on", "the ledger at hand goes on from the one of the release, which is not there", goesOn(upPromotion.K, upHK), 1, goes, otherLedger("UNDECIDABLE")),
		otherwise("later-goes-on-cut", "the ledger at hand goes on from the one of the release, before its end", goesOn(1, testbundle.Digest(nil)), 2, goes, cut, otherLedger("UNDECIDABLE")),
		later("good-later", "the ledger at hand goes on and says nothing against the release", up, sealedUp(upID), false, 0, goes),
		later("later-events-lost", "the ledger at hand says that events after the promotion were on disk and are lost", up, func(l *testbundle.Ledger) {
			sealedUp(upID)(l)
			l.Add(1890, "trail.recover", asideOf(M{"H_k": testbundle.Digest([]byte("lost")), "k": 9}))
		}, false, 1, goes, at("E_LEDGER_CUT", "UNDECIDABLE", "manifest.json")),
		later("good-later-recovered", "the ledger at hand set aside what was never acknowledged", up, func(l *testbundle.Ledger) {
			sealedUp(upID)(l)
			l.Add(1890, "trail.recover", asideOf(nil))
		}, false, 0, goes),
		later("rolled-back", "the ledger at hand rolled the release back", up, takenBack(upID, "stable", nil), false, 2, goes, gone),
		later("rolled-back-history", "the same, asked of the past", up, takenBack(upID, "stable", nil), true, 0, goes, at("E_ROLLED_BACK", "NOTE", "manifest.json")),
		later("rolled-back-what-it-became", "the ledger at hand rolled back what the canary became", upStory.from, takenBack(upID, "stable", nil), false, 2, gone),
		later("good-rolled-back-another", "the ledger at hand rolled back another release", up, takenBack(testbundle.Digest([]byte("another")), "canary", nil), false, 0, goes),
		later("later-another-bundle", "the ledger at hand recorded another bundle of this promotion", up, sealedUp(testbundle.Digest([]byte("x"))), false, 2, goes, at("E_DATA_MISMATCH", "REJECT", "manifest.json")),
		later("later-another-version", "the ledger at hand recorded the canary as another version", upStory.from, func(l *testbundle.Ledger) {
			l.Add(1880, "bundle.sealed", sealedDetails(upStory.canary, "canary", "2.0.0", policyDigest(upStory.policy), nil))
		}, false, 2, at("E_DATA_MISMATCH", "REJECT", "manifest.json")),
		one("good-lineage", "a release on stable over a canary by another role", others, first(ways(1, of(otherKey))), 0, goes),
		one("lineage-its-own", "the holder of release.stable alone sealed the canary, too", itsOwn, first(ways(1, of(otherKey))), 2, goes, at("E_KEY_UNKNOWN", "REJECT", itsOwnFrom+"manifest.json")),
		one("lineage-other-artifact", "the holder of release.stable alone sealed another artifact", another, first(ways(1, of(otherKey))), 2, goes,
			at("E_DATA_MISMATCH", "REJECT", anotherFrom+"manifest.json"), at("E_DATA_MISMATCH", "REJECT", anotherFrom+"manifest.json")),
		one("lineage-stranger", "the canary was sealed by a key that is not in the root", stranger, first(ways(1, of(otherKey))), 2, goes, at("E_KEY_UNKNOWN", "REJECT", strangerFrom+"manifest.json")),
		one("lineage-threshold", "one of two signed the canary", others, first(ways(2, of(otherKey), of(thirdKey))), 2, goes, at("E_THRESHOLD", "REJECT", othersFrom+"manifest.json")),
		one("good-lineage-threshold", "two of two signed the canary", both, first(ways(2, of(otherKey), of(thirdKey))), 0, goes),
		one("lineage-further-retired", "the second signer of the canary had left before", both, first(ways(2, g(nil), of(otherKey), testbundle.Grant(thirdKey, M{"status": "retired", "not_after": "2026-01-01T12:00:00Z"}))), 2, goes,
			at("E_KEY_RETIRED", "NOTE", bothFrom+"signatures.json"), at("E_THRESHOLD", "REJECT", bothFrom+"manifest.json")),
		one("lineage-revoked-recorded", "the key of the canary was revoked after the ledger recorded it", others, first(ways(1, testbundle.Grant(otherKey, lost))), 0, goes,
			at("E_KEY_REVOKED", "NOTE", othersFrom+"manifest.json")),
		one("lineage-revoked-before", "the key of the canary was revoked before", others, first(ways(1, testbundle.Grant(otherKey, stolen))), 2, goes, at("E_KEY_REVOKED", "REJECT", othersFrom+"manifest.json")),
		one("good-ledger-rotated", "the ledger was handed over to another key, each in its time", rotatedLedger, stableRoles(until("2026-01-02T04:31:05Z")), 0, goes8),
		one("ledger-rotated-late", "the old key of the ledger signed after its time", rotatedLedger, stableRoles(until("2026-01-02T04:10:00Z")), 2,
			at("E_KEY_RETIRED", "REJECT", ledgerPath), goes8),
		one("ledger-next-unknown", "the next key of the ledger is not in the root", rotatedLedger, stableRoles(testbundle.RootRole(1, of(ledgerKey))), 1,
			at("E_KEY_UNKNOWN", "UNDECIDABLE", ledgerPath, 7), goes8),
		{name: "ledger-not-accepted", title: "the old key goes on after it has handed the ledger over", exit: 2, files: handed(func(l *testbundle.Ledger) {
			l.Add(1865, "key.rotate", M{"to": thirdKey.ID()})
		}), roots: stableRoles(testbundle.RootRole(1, of(ledgerKey), of(thirdKey))), failing: events(7),
			findings: []expected{{Code: "E_SIG_EVENT", Verdict: "REJECT", Path: ledgerPath, K: goes7.K, Proves: unsigned}}},
		{name: "ledger-first-accepts", title: "the first event of the ledger accepts what nobody handed over", exit: 2, files: firstEvent("key.accept", nil),
			roots: stableRoles(testbundle.RootRole(1, of(ledgerKey))), failing: events(1), findings: []expected{at("E_SEQUENCE", "REJECT", ledgerPath, 1), goes}},
		{name: "ledger-first-names-itself", title: "the first event of the ledger hands it over to the key that has it", exit: 2, files: firstEvent("key.rotate", M{"to": ledgerKey.ID()}),
			roots: stableRoles(testbundle.RootRole(1, of(ledgerKey))), failing: [][2]int64{{1, 2}}, findings: []expected{at("E_SEQUENCE", "REJECT", ledgerPath, 1), at("E_SEQUENCE", "REJECT", ledgerPath, 2), goes}},
		one("good-active", "the key may sign", audit, first(active), 0),
		one("good-retired", "the key was retired since", audit, next(only("audit", 1, g(retired), of(otherKey))), 0),
		one("good-copies", "the later version stands in the bundle", copied("2.root.json", version(2, only("audit", 1, g(retired), of(otherKey)), nil)), first(active), 0),
		one("good-reference", "the bundle names the version it was sealed under", reference(hash(1, active), 1), first(active), 0),
		one("key-not-in-root", "the root does not know the key", audit, first(only("audit", 1, of(otherKey))), 2,
			at("E_KEY_UNKNOWN", "REJECT", "manifest.json"), at("E_KEY_UNKNOWN", "REJECT", trailPath)),
		one("role-other", "the key has another role", audit, first(plus(only("ledger", 1, g(nil)), only("audit", 1, of(otherKey)))), 2,
			at("E_KEY_UNKNOWN", "REJECT", "manifest.json"), at("E_KEY_UNKNOWN", "REJECT", trailPath)),
		one("role-channel", "the key may release on canary, not on stable", promotedBy,
			first(plus(active, ledgers, only("release.canary", 1, g(nil)), only("release.stable", 1, of(otherKey)))), 2, at("E_KEY_UNKNOWN", "REJECT", "manifest.json"), goes),
		one("retired-before", "the key was retired before", audit, first(only("audit", 1, g(M{"status": "retired", "not_after": "2026-01-02T00:00:00Z"}))), 2, man("E_KEY_RETIRED", "REJECT")...),
		one("active-before", "the key may sign from later on", audit, first(only("audit", 1, g(M{"not_before": "2026-02-01T00:00:00Z"}))), 2, man("E_KEY_RETIRED", "REJECT")...),
		one("active-expired", "the time of the key was over", audit, first(only("audit", 1, g(M{"not_after": "2026-01-02T03:04:00Z"}))), 2, man("E_KEY_RETIRED", "REJECT")...),
		one("ledger-contradicts", "a key retired after the run, over a ledger that says later", promotedBy,
			first(plus(active, ledgers, only("release.canary", 1, g(nil)), only("release.stable", 1, g(M{"status": "retired", "not_after": "2026-01-02T03:30:00Z"})))), 2, at("E_KEY_RETIRED", "REJECT", "manifest.json"), goes),
		one("revoked-before", "the key was revoked before", audit, next(only("audit", 1, g(stolen), of(otherKey))), 2, man("E_KEY_REVOKED", "REJECT")...),
		one("revoked-undated", "the key was revoked later; nothing else dates the bundle", audit, next(only("audit", 1, g(lost), of(otherKey))), 1, man("E_KEY_REVOKED", "UNDECIDABLE")...),
		{name: "good-revoked-dated", title: "the key was revoked later; a ledger by another key has the bundle before that", files: audit,
			roots: next(plus(only("audit", 1, g(lost), of(otherKey)), ledgers)), ledger: records(ledgerKey, 60, auditID), findings: man("E_KEY_REVOKED", "NOTE")},
		{name: "revoked-dated-too-late", title: "the ledger has the bundle after the revocation", files: audit, exit: 1,
			roots: next(plus(only("audit", 1, g(lost), of(otherKey)), ledgers)), ledger: records(ledgerKey, 20000000, auditID), findings: man("E_KEY_REVOKED", "UNDECIDABLE")},
		{name: "revoked-dated-by-a-clock-set-back", title: "the ledger has the bundle after the revocation, and says a time before it", files: audit, exit: 1,
			roots: next(plus(only("audit", 1, g(lost), of(otherKey)), ledgers)), ledger: recordsBack(20000000, 60), findings: man("E_KEY_REVOKED", "UNDECIDABLE")},
		{name: "revoked-dated-by-itself", title: "the ledger is by the revoked key", files: audit, exit: 1,
			roots: next(plus(only("audit", 1, g(lost), of(otherKey)), only("ledger", 1, g(lost), of(ledgerKey)))), ledger: records(releaseKey, 60, auditID), findings: man("E_KEY_REVOKED", "UNDECIDABLE")},
		{name: "revoked-other-bundle-dated", title: "the ledger has another bundle", files: audit, exit: 1,
			roots: next(plus(only("audit", 1, g(lost), of(otherKey)), ledgers)), ledger: records(ledgerKey, 60, testbundle.Digest([]byte("x"))), findings: man("E_KEY_REVOKED", "UNDECIDABLE")},
		{name: "good-revoked-release-dated", title: "the ledger has the release, and so its evidence", files: release,
			roots:  first(plus(only("audit", 1, g(lost), of(otherKey)), only("release.canary", 1, g(lost), of(otherKey)), ledgers)),
			ledger: records(ledgerKey, 60, testbundle.Digest(release["manifest.json"])), findings: []expected{at("E_KEY_REVOKED", "NOTE", "manifest.json"), at("E_KEY_REVOKED", "NOTE", evidence+"!manifest.json")}},
		one("evidence-revoked", "the key of the evidence was revoked later", demo().Release(otherKey, nil), first(plus(only("audit", 1, g(lost), of(otherKey)), only("release.canary", 1, of(otherKey)))), 1,
			at("E_KEY_REVOKED", "UNDECIDABLE", evidence+"!manifest.json")),
		one("good-release", "a release and its evidence, each by its role", demo().Release(otherKey, nil), first(plus(active, only("release.canary", 1, of(otherKey)))), 0),
		one("threshold", "one of two signatures", release, first(plus(active, only("release.canary", 2, g(nil), of(otherKey)))), 2, man("E_THRESHOLD", "REJECT")...),
		one("good-threshold", "two of two signatures", endorsed(release, testbundle.ReleasePredicate, otherKey), first(plus(active, only("release.canary", 2, g(nil), of(otherKey)))), 0),
		one("threshold-same-key", "the sealing key has signed twice", endorsed(release, testbundle.ReleasePredicate, releaseKey), first(plus(active, only("release.canary", 2, g(nil), of(otherKey)))), 2, man("E_THRESHOLD", "REJECT")...),
		one("threshold-other-role", "the second signer has another role", endorsed(release, testbundle.ReleasePredicate, ledgerKey),
			first(plus(active, ledgers, only("release.canary", 2, g(nil), of(otherKey)))), 2, at("E_THRESHOLD", "REJECT", "manifest.json"), at("E_KEY_UNKNOWN", "NOTE", byDir(ledgerKey))),
		one("threshold-revoked", "the second signer is revoked", endorsed(release, testbundle.ReleasePredicate, otherKey),
			first(plus(active, only("release.canary", 2, g(nil), testbundle.Grant(otherKey, stolen), of(thirdKey)))), 2, at("E_THRESHOLD", "REJECT", "manifest.json"), at("E_KEY_REVOKED", "NOTE", byDir(otherKey))),
		one("threshold-undated", "the second signer was revoked later; nothing dates the bundle", endorsed(release, testbundle.ReleasePredicate, otherKey),
			first(plus(active, only("release.canary", 2, g(nil), testbundle.Grant(otherKey, lost), of(thirdKey)))), 1, at("E_THRESHOLD", "UNDECIDABLE", "manifest.json"), at("E_KEY_REVOKED", "NOTE", byDir(otherKey))),
		one("threshold-revoked-early", "the second signer is revoked, and had the role only after the time that the sealing key says", endorsed(release, testbundle.ReleasePredicate, otherKey),
			[][]byte{version(1, canaries(M{"not_before": "2026-03-01T00:00:00Z"}), nil), version(2, canaries(lost, M{"not_before": "2026-03-01T00:00:00Z"}), nil)}, 1,
			at("E_THRESHOLD", "UNDECIDABLE", "manifest.json"), at("E_KEY_RETIRED", "NOTE", byDir(otherKey)), at("E_KEY_REVOKED", "NOTE", byDir(otherKey))),
		one("threshold-retired-early", "the second signer is retired, and had the role only after the time that the sealing key says", endorsed(release, testbundle.ReleasePredicate, otherKey),
			first(canaries(retired, M{"not_before": "2026-03-01T00:00:00Z"})), 1, at("E_THRESHOLD", "UNDECIDABLE", "manifest.json"), at("E_KEY_RETIRED", "NOTE", byDir(otherKey))),
		{name: "threshold-revoked-dated", title: "the second signer was revoked later; a ledger has the bundle before that, and not the signature", files: endorsed(release, testbundle.ReleasePredicate, otherKey), exit: 1,
			roots: first(plus(canaries(lost), ledgers)), ledger: records(ledgerKey, 60, testbundle.Digest(release["manifest.json"])),
			findings: []expected{at("E_THRESHOLD", "UNDECIDABLE", "manifest.json"), at("E_KEY_REVOKED", "NOTE", byDir(otherKey))}},
		one("threshold-nobody-can-say", "two signers were revoked later", endorsed(demo().Release(thirdKey, nil), testbundle.ReleasePredicate, otherKey),
			first(plus(active, only("release.canary", 2, g(nil), testbundle.Grant(thirdKey, lost), testbundle.Grant(otherKey, lost), of(ledgerKey)))), 1,
			at("E_KEY_REVOKED", "UNDECIDABLE", "manifest.json"), at("E_THRESHOLD", "UNDECIDABLE", "manifest.json"), at("E_KEY_REVOKED", "NOTE", byDir(otherKey))),
		{name: "ledger-revoked-early", title: "the key of the ledger was revoked later, which another ledger dates, and began before its time", files: promotedBy, exit: 2,
			roots:  stableRoles(testbundle.RootRole(1, testbundle.Grant(ledgerKey, M{"status": "revoked", "revoked_since": "2026-06-01T00:00:00Z", "not_before": "2026-01-02T04:20:00Z"}), of(thirdKey))),
			ledger: recordsOf(thirdKey, 60, sealedDetails(testbundle.Digest(promotedBy["manifest.json"]), "stable", "1.0.0", policyDigest(demoPolicy()), nil)), findings: []expected{at("E_KEY_RETIRED", "REJECT", ledgerPath), at("E_KEY_REVOKED", "NOTE", ledgerPath), goes}},
		{name: "ledger-revoked-dated", title: "the key of the ledger was revoked later, which another ledger dates: what follows from the ledger is stated", files: promotedBy,
			roots:  stableRoles(testbundle.RootRole(1, testbundle.Grant(ledgerKey, lost), of(thirdKey))),
			ledger: recordsOf(thirdKey, 60, sealedDetails(testbundle.Digest(promotedBy["manifest.json"]), "stable", "1.0.0", policyDigest(demoPolicy()), nil)),
			grades: map[string]string{"bundle.authorized": "proved", "release.decision": "stated"}, findings: []expected{at("E_KEY_REVOKED", "NOTE", ledgerPath), goes}},
		{name: "good-ledger-active", title: "every key is active: what follows from the ledger is proved", files: promotedBy, roots: first(stableLedger),
			grades: map[string]string{"bundle.authorized": "proved", "release.decision": "proved"}, findings: []expected{goes}},
		one("run-before-key", "the key got its role while the run was going on", audit, first(only("audit", 1, g(M{"not_before": "2026-01-02T03:04:03Z"}))), 2, man("E_KEY_RETIRED", "REJECT")...),
		one("good-threshold-without", "enough have signed without the one who is revoked", endorsed(release, testbundle.ReleasePredicate, otherKey, thirdKey),
			first(plus(active, only("release.canary", 2, g(nil), testbundle.Grant(otherKey, stolen), of(thirdKey)))), 0, at("E_KEY_REVOKED", "NOTE", byDir(otherKey))),
		one("good-endorsed", "the sealing key was revoked later; another signer vouches for the bundle", endorsed(audit, testbundle.AuditPredicate, otherKey),
			next(only("audit", 1, g(lost), of(otherKey))), 0, man("E_KEY_REVOKED", "NOTE")...),
		one("endorsed-too-late", "the sealing key was revoked before; another signer does not heal that", endorsed(audit, testbundle.AuditPredicate, otherKey),
			next(only("audit", 1, g(stolen), of(otherKey))), 2, man("E_KEY_REVOKED", "REJECT")...),
		{name: "good-endorsed-later", title: "a second signer who came later, and is needed: that is stated", files: endorsed(release, testbundle.ReleasePredicate, otherKey),
			roots:  first(plus(active, only("release.canary", 2, g(nil), testbundle.Grant(otherKey, M{"not_before": "2028-01-01T00:00:00Z"})))),
			grades: map[string]string{"bundle.authorized": "stated"}},
		{name: "good-endorsed-later-at", title: "a second signer who came later, asked about a time after that", files: endorsed(release, testbundle.ReleasePredicate, otherKey), at: "2028-06-01T00:00:00Z",
			roots:  first(plus(active, only("release.canary", 2, g(nil), testbundle.Grant(otherKey, M{"not_before": "2028-01-01T00:00:00Z"})))),
			grades: map[string]string{"bundle.authorized": "proved"}},
		{name: "good-endorsed-later-unneeded", title: "a second signer who came later, and is not needed", files: endorsed(release, testbundle.ReleasePredicate, otherKey),
			roots:  first(plus(active, only("release.canary", 1, g(nil), testbundle.Grant(otherKey, M{"not_before": "2028-01-01T00:00:00Z"})))),
			grades: map[string]string{"bundle.authorized": "proved"}},
		one("threshold-raised", "a later version asks for more signatures", release,
			[][]byte{version(1, plus(active, only("release.canary", 1, g(nil))), nil), version(2, plus(active, only("release.canary", 2, g(nil), of(otherKey))), nil)}, 1, man("E_THRESHOLD", "UNDECIDABLE")...),
		one("copy-revokes", "the copy in the bundle revokes the key", copied("2.root.json", version(2, only("audit", 1, g(stolen), of(otherKey)), nil)), first(active), 2, man("E_KEY_REVOKED", "REJECT")...),
		one("copy-forged", "a copy that the holders have not signed", copied("2.root.json", testbundle.SignRoot(testbundle.Root(2, active, 1, []testbundle.Key{holderA}, releaseKey), holderA)), first(active), 2,
			at("E_ROOT", "REJECT", "sig/root/2.root.json")),
		one("copy-renamed", "a copy under another number", copied("2.root.json", version(1, active, nil)), first(active), 2, at("E_ROOT", "REJECT", "sig/root/2.root.json")),
		one("copy-misnamed", "the next version, which revokes the key, under the number of the pinned one",
			copied("1.root.json", version(2, only("audit", 1, g(stolen), of(otherKey)), nil)), first(active), 2, at("E_ROOT", "REJECT", "sig/root/1.root.json")),
		one("copy-without-way", "a copy to which nothing leads", copied("3.root.json", version(3, active, nil)), first(active), 1, at("E_ROOT", "UNDECIDABLE", "sig/root/3.root.json")),
		one("copy-forks", "the copy is another second version than the caller has", copied("2.root.json", version(2, active, func(s M) { s["expires"] = "2033-01-01T00:00:00Z" })), next(active), 2,
			at("E_ROOT", "REJECT", "sig/root/2.root.json")),
		one("reference-other", "the bundle was sealed under another version 1", reference(hash(1, ledgers), 1), first(active), 2, man("E_ROOT", "REJECT")...),
		one("reference-newer", "the bundle was sealed under a version that nobody has", reference(hash(2, active), 2), first(active), 1, man("E_ROOT", "UNDECIDABLE")...),
		one("good-lineage-reference", "the canary that the release came from names the version it was sealed under", underOwn, first(ways(1, of(otherKey))), 0, goes),
		one("lineage-reference-other", "the canary that the release came from was sealed under another version 1", underOther, first(ways(1, of(otherKey))), 2,
			at("E_ROOT", "REJECT", underOtherFrom+"manifest.json"), goes),
		one("lineage-reference-newer", "the canary that the release came from was sealed under a version that nobody has", underNewer, first(ways(1, of(otherKey))), 1,
			at("E_ROOT", "UNDECIDABLE", underNewerFrom+"manifest.json"), goes),
		one("good-genesis", "the ledger names the version it was started under", startedUnder(hash(1, stableLedger)), first(stableLedger), 0, goes),
		one("genesis-other", "the ledger was started under another version 1", startedUnder(hash(1, active)), first(stableLedger), 2, at("E_ROOT", "REJECT", ledgerPath), goes),
		one("good-record", "a record of an archive, by the key for that", archived(func(*testbundle.Run) {}), archivist, 0),
		one("record-of-build", "the key of an archive seals the record of a build without its artifacts", record("archive", false, reverified), archivist, 2, at("E_KEY_UNKNOWN", "REJECT", trailPath, 1)),
		one("record-with-outputs", "a record of an archive has a step with outputs", archived(func(r *testbundle.Run) {
			r.Events[3]["outputs"] = testbundle.Items(map[string]string{"a": "b"})
		}), archivist, 2, at("E_KEY_UNKNOWN", "REJECT", trailPath, 4)),
		one("record-of-product", "the key of an archive calls a run of a product a record", record("demo", false, reverified), archivist, 2, twoUnknown...),
		one("record-with-artifacts", "the key of an archive calls a build a record", record("archive", true, reverified), archivist, 2, twoUnknown...),
		one("record-unmarked", "the key of an archive seals a run that does not call itself a record", record("archive", false, M{"record": "build"}), archivist, 2, twoUnknown...),
		one("record-by-other", "a record of an archive, by a key for runs", archived(func(*testbundle.Run) {}), first(plus(active, only("archive", 1, of(otherKey)))), 2, twoUnknown...),
		one("record-as-run", "a run by the key of an archive", audit, archivist, 2, twoUnknown...),
		one("evidence-role-other", "the key of the evidence has another role", demo().Release(otherKey, nil), first(plus(only("ledger", 1, g(nil)), only("audit", 1, of(thirdKey)), only("release.canary", 1, of(otherKey)))), 2,
			at("E_KEY_UNKNOWN", "REJECT", evidence+"!manifest.json"), at("E_KEY_UNKNOWN", "REJECT", evidence+"!"+trailPath)),
		one("evidence-key-unknown", "the root does not know the key of the evidence", demo().Release(otherKey, nil), first(plus(only("audit", 1, of(thirdKey)), only("release.canary", 1, of(otherKey)))), 1,
			at("E_KEY_UNKNOWN", "UNDECIDABLE", evidence+"!manifest.json"), at("E_KEY_UNKNOWN", "UNDECIDABLE", evidence+"!"+trailPath)),
		one("ledger-role-other", "the key of the ledger has another role", promotedBy,
			first(plus(active, only("release.stable", 1, g(nil)), only("release.canary", 1, g(nil), of(ledgerKey)), only("ledger", 1, of(thirdKey)))), 2, at("E_KEY_UNKNOWN", "REJECT", ledgerPath), goes),
		one("ledger-key-unknown", "the root does not know the key of the ledger", promotedBy,
			first(plus(active, moves, only("ledger", 1, of(thirdKey)))), 1, at("E_KEY_UNKNOWN", "UNDECIDABLE", ledgerPath), goes),
		{name: "ledger-next-role-other", title: "the next key of the ledger has another role", files: rotatedLedger, exit: 2,
			roots: first(plus(active, moves, only("audit", 1, g(nil), of(thirdKey)), ledgers)), findings: []expected{at("E_KEY_UNKNOWN", "REJECT", ledgerPath, 7), goes8}},
		{name: "copies-vouched-for-by-none", title: "files under sig/root/: versions before the pinned one, a version with one signature more that nobody made, and one that counts", exit: 0,
			files:    copied("1.root.json", []byte("whatever"), "2.root.json", version(2, active, nil), "3.root.json", extra(version(3, active, nil))),
			roots:    [][]byte{version(2, active, nil), version(3, active, nil)},
			findings: []expected{at("E_FILE_UNLISTED", "NOTE", "sig/root/1.root.json"), at("E_FILE_UNLISTED", "NOTE", "sig/root/3.root.json")}},
		one("copies-beyond-the-way", "two copies to which nothing leads: the way ends at the first", copied("3.root.json", version(3, active, nil), "4.root.json", version(4, active, nil)), first(active), 1,
			at("E_ROOT", "UNDECIDABLE", "sig/root/3.root.json"), at("E_FILE_UNLISTED", "NOTE", "sig/root/4.root.json")),
		one("copy-in-evidence", "a copy in the evidence, which nobody looks at", demo().ReleaseOver(copied("2.root.json", version(2, active, nil)), otherKey, nil),
			first(plus(active, only("release.canary", 1, of(otherKey)))), 0, at("E_FILE_UNLISTED", "NOTE", evidence+"!sig/root/2.root.json")),
	}
	timed := func(name, title string, roles M, when string, install bool, exit int, findings ...expected) {
		list = append(list, rooted{name: name, title: title, files: audit, roots: next(roles), at: when, install: install, exit: exit, findings: findings})
	}
	whole := expected{Code: "E_ROOT", Verdict: "NOTE"}
	rejected := expected{Code: "E_ROOT", Verdict: "REJECT"}
	timed("good-before-revocation", "asked before the revocation", only("audit", 1, g(lost), of(otherKey)), "2026-03-01T00:00:00Z", false, 0)
	asked := func(name, title string, files testbundle.Files, add func(*testbundle.Ledger), when string, install bool, exit int, verdict string) {
		l := later(name, title, files, add, false, exit, goes, at("E_ROLLED_BACK", verdict, "manifest.json"))
		l.at, l.install = when, install
		list = append(list, l)
	}
	asked("rolled-back-since", "asked before the ledger at hand rolled the release back", up, takenBack(upID, "stable", nil), "2026-01-02T04:31:25Z", false, 0, "NOTE")
	asked("rolled-back-then", "asked when the ledger at hand rolled the release back", up, takenBack(upID, "stable", nil), "2026-01-02T04:31:30Z", false, 2, "REJECT")
	asked("rolled-back-since-install", "rolled back since, and it is to be installed", up, takenBack(upID, "stable", nil), "2026-01-02T04:31:25Z", true, 2, "REJECT")
	asked("later-source-rolled-back-since", "asked before the ledger at hand rolled back the canary", up, sourceBack, "2026-01-02T04:31:25Z", false, 0, "NOTE")
	timed("at-before-bundle", "asked before the bundle", active, "2026-01-01T00:00:00Z", false, 1, man("E_TIME_ORDER", "UNDECIDABLE")...)
	timed("good-root-expired", "the root has expired: an archive does not mind", active, "2035-01-01T00:00:00Z", false, 0, whole)
	timed("root-expired-install", "the root has expired: nothing is installed under it", active, "2035-01-01T00:00:00Z", true, 2, rejected)
	timed("good-install", "installed while the root is good", active, "2029-01-01T00:00:00Z", true, 0)
	return list
}
