package verify_test

import (
	"maps"
	"strings"

	"github.com/relseal/relseal/internal/testbundle"
)

const ledgerPath = "evidence/ledger.jsonl"

// A story is a release on its way up, told by the holder of the key. Each step
// may be told otherwise before the bundle is sealed.
type story struct {
	l       *testbundle.Ledger
	policy  M
	from    testbundle.Files // the canary
	canary  string           // its bundle.id
	windows []M
}

func policyDigest(policy M) string { return testbundle.Digest(testbundle.Canon(policy)) }

// newStory registers the policy and admits the canary: events 1 and 2.
func newStory() *story { return newStoryOf(demo()) }

func newStoryOf(r *testbundle.Run) *story {
	s := &story{l: testbundle.NewLedger(releaseKey), policy: demoPolicy()}
	s.is(r.Release(releaseKey, func(m M) { m["gates"] = s.policy }))
	s.l.Add(0, "policy.register", M{"digest": policyDigest(s.policy), "policy": s.policy})
	s.l.Add(60, "bundle.sealed", sealedDetails(s.canary, "canary", "1.0.0", policyDigest(s.policy), nil))
	return s
}

// is makes a canary the one that the story is about.
func (s *story) is(canary testbundle.Files) {
	s.from, s.canary = canary, testbundle.Digest(canary["manifest.json"])
}

func sealedDetails(id, channel, version string, policy, promote any) M {
	return M{"bundle": id, "channel": channel, "version": version, "policy": policy, "promote": promote}
}

// observe appends three windows of ten minutes, from a second on.
func (s *story) observe(release, channel string, from int, change M) []M {
	var ws []M
	for i := range 3 {
		w := testbundle.Window(release, channel, i+1, from+600*i, from+600*(i+1), change)
		ws = append(ws, w)
		s.l.Add(from+600*(i+1)+1, "window", M{"window": w})
	}
	return ws
}

func predicate(name, metric, statistic, value, op, limit, window string, met bool) M {
	p := M{"name": name, "statistic": statistic, "value": value, "op": op, "limit": limit, "met": met}
	if metric != "" {
		p["metric"], p["window"] = metric, window
	}
	return p
}

// canaryRows are the comparisons of three good windows on canary.
func canaryRows() []M {
	return []M{
		predicate("COVERAGE", "", "ms", "1800000", ">=", "1800000", "", true),
		predicate("WINDOWS", "", "count", "3", ">=", "3", "", true),
		predicate("SCORE", "score", "sum", "2.91", ">=", "2.85", "canary-1", true),
		predicate("DELTA_REP", "delta_rep", "max", "0.01", "<=", "0.02", "canary-1", true),
		predicate("DELTA_PSD", "delta_psd", "max", "0.01", "<=", "0.05", "canary-1", true),
		predicate("R_TB", "r_tb", "max", "0.0002", "<=", "0.001", "canary-1", true),
	}
}

func scoresOf(rows []M) M {
	scores := M{}
	for _, r := range rows {
		scores[r["name"].(string)] = r["value"]
	}
	return scores
}

// decided returns the record of a decision on canary at a second.
func (s *story) decided(now int, windows []M, more M) M {
	said := M{"decision": "PROMOTE", "to": "stable", "coverage_ms": 1800000, "evidence": ids(windows), "predicates": canaryRows()}
	maps.Copy(said, more)
	for name, value := range said {
		if value == nil {
			delete(said, name)
		}
	}
	return testbundle.Decision(s.policy, s.canary, "canary", 60, now, windows, said)
}

func ids(windows []M) []string {
	list := []string{}
	for _, w := range windows {
		list = append(list, w["id"].(string))
	}
	return list
}

// promote records that the canary goes up at a second, by a decision.
func (s *story) promote(at int, decision M, override any) int {
	return s.l.Add(at, "promote", M{"release": s.canary, "from": "canary", "to": "stable", "decision": digestOf(decision), "override": override})
}

func digestOf(doc M) string { return testbundle.Digest(testbundle.Canon(doc)) }

// stable is the bundle of a promotion recorded as event k.
func (s *story) stable(k int, decision M, first, last int) testbundle.Promotion {
	return testbundle.Promotion{Ledger: s.l, K: k, Channel: "stable", From: []testbundle.Files{s.from}, Policy: s.policy, Decision: decision,
		Scores: scoresOf(decision["predicates"].([]M)), Windows: M{"first": first, "last": last, "count": last - first + 1}}
}

// promoted tells the story up to a promotion that follows, and seals it. change may
// change what is recorded before the promotion.
func promoted(change func(*story)) (*story, testbundle.Promotion) {
	s := newStory()
	s.windows = s.observe(s.canary, "canary", 60, nil)
	if change != nil {
		change(s)
	}
	d := s.decided(1870, s.windows, nil)
	return s, s.stable(s.promote(1870, d, nil), d, 3, 5)
}

// dishonest tells it with a promotion whose decision is made up.
func dishonest(change func(*story)) testbundle.Promotion {
	_, p := promoted(change)
	return p
}

// lts goes on from a stable bundle to LTS.
func lts(s *story, stable testbundle.Files, promotion int) testbundle.Promotion {
	id := testbundle.Digest(stable["manifest.json"])
	s.l.Add(1880, "bundle.sealed", sealedDetails(id, "stable", "1.0.0", policyDigest(s.policy), promotion))
	first := len(s.l.Events) + 1
	ws := s.observe(id, "stable", 1880, nil)
	rows := []M{predicate("STREAK", "", "count", "3", ">=", "3", "", true)}
	d := testbundle.Decision(s.policy, id, "stable", 1880, 3690, ws, M{"decision": "PROMOTE", "to": "LTS", "coverage_ms": 1800000, "evidence": ids(ws), "predicates": rows})
	k := s.l.Add(3690, "promote", M{"release": id, "from": "stable", "to": "LTS", "decision": digestOf(d), "override": nil})
	return testbundle.Promotion{Ledger: s.l, K: k, Channel: "LTS", From: []testbundle.Files{stable, s.from}, Policy: s.policy, Decision: d, Scores: scoresOf(rows), Windows: M{"first": first, "last": first + 2, "count": 3}}
}

// one is a damage of a release, whose failing events follow from its findings.
func one(name, title string, exit int, files testbundle.Files, findings ...expected) damage {
	d := damage{name: name, title: title, files: files, exit: exit, findings: findings}
	for _, f := range findings {
		switch n := len(d.failing); {
		case f.Verdict != "REJECT" || f.K == nil:
		case n > 0 && d.failing[n-1][1] == *f.K-1:
			d.failing[n-1][1] = *f.K
		default:
			d.failing = append(d.failing, [2]int64{*f.K, *f.K})
		}
	}
	return d
}

func ledgerCases() []damage {
	goes := func(k int64) expected { return at("E_TRAIL_OPEN", "NOTE", ledgerPath, k) }
	seal := func(p testbundle.Promotion) testbundle.Files { return demo().Promote(releaseKey, p, nil) }
	manifest := func(change func(M)) testbundle.Files {
		_, p := promoted(nil)
		return demo().Promote(releaseKey, p, change)
	}

	s, p := promoted(nil)
	good := seal(p)
	toLTS := lts(s, good, p.K)

	otherPrevious := p
	otherPrevious.From = []testbundle.Files{demo().Release(releaseKey, func(m M) { m["gates"], m["details"] = s.policy, M{"x": 1} })}

	// The event that the release was sealed over promotes a bundle that nobody knows, or one
	// that never came to a channel.
	strange := newStory()
	strange.windows = strange.observe(strange.canary, "canary", 60, nil)
	strangeDecision := strange.decided(1870, strange.windows, nil)
	unknownPromoted := strange.stable(strange.l.Add(1870, "promote", M{"release": "sha256:" + strings.Repeat("ab", 32), "from": "canary", "to": "stable",
		"decision": digestOf(strangeDecision), "override": nil}), strangeDecision, 3, 5)
	fresh := &story{l: testbundle.NewLedger(releaseKey), policy: demoPolicy()}
	fresh.is(demo().Release(releaseKey, func(m M) { m["gates"] = fresh.policy }))
	fresh.l.Add(0, "policy.register", M{"digest": policyDigest(fresh.policy), "policy": fresh.policy})
	freshDecision := fresh.decided(1870, []M{testbundle.Window(fresh.canary, "canary", 1, 60, 660, nil)}, nil)
	neverSealed := fresh.stable(fresh.promote(1870, freshDecision, nil), freshDecision, 1, 1)

	without := p
	without.Ledger, without.Without = s.l, true

	lateStory, lateStable := promoted(nil)
	lateBundle := seal(lateStable)
	lateStory.l.Add(1875, "window", M{"window": testbundle.Window(lateStory.canary, "canary", 4, 1860, 1867, M{"drop_rate": "0.5"})})
	lateLTS := lts(lateStory, lateBundle, lateStable.K)

	edited := good.Clone()
	edited[ledgerPath] = []byte(strings.Replace(string(good[ledgerPath]), `"score":"0.97"`, `"score":"0.98"`, 1))
	cut := good.Clone()
	all := strings.SplitAfter(string(good[ledgerPath]), "\n")
	cut[ledgerPath] = []byte(strings.Join(all[:5], ""))

	late := newStory()
	late.is(demo().Release(releaseKey, nil)) // which names no policy
	late.l.Events = late.l.Events[:0]
	late.l.Add(60, "bundle.sealed", sealedDetails(late.canary, "canary", "1.0.0", nil, nil))
	lateWindows := late.observe(late.canary, "canary", 60, nil)
	late.l.Add(1865, "policy.register", M{"digest": policyDigest(late.policy), "policy": late.policy})
	lateDecision := late.decided(1870, lateWindows, nil)
	latePromotion := late.stable(late.promote(1870, lateDecision, nil), lateDecision, 2, 4)

	// The policy is chosen after the look and before the windows are recorded.
	chosen := newStory()
	chosen.l.Events = chosen.l.Events[1:]
	chosen.l.Add(661, "policy.register", M{"digest": policyDigest(chosen.policy), "policy": chosen.policy})
	for i := range 3 {
		w := testbundle.Window(chosen.canary, "canary", i+1, 60+600*i, 60+600*(i+1), nil)
		chosen.windows = append(chosen.windows, w)
		chosen.l.Add(1862, "window", M{"window": w})
	}
	chosenDecision := chosen.decided(1870, chosen.windows, nil)
	chosenPromotion := chosen.stable(chosen.promote(1870, chosenDecision, nil), chosenDecision, 3, 5)

	// The clock was set back for the registration: its time is that of what came before.
	setBack := newStory()
	setBack.l.Events = setBack.l.Events[1:]
	setBack.l.Add(62, "note", M{})
	setBack.l.Add(61, "policy.register", M{"digest": policyDigest(setBack.policy), "policy": setBack.policy})
	setBack.l.Events[2]["clock"] = "another" // else monotonic time goes back, too
	setBackWindows := setBack.observe(setBack.canary, "canary", 61, nil)
	setBackDecision := setBack.decided(1870, setBackWindows, nil)
	setBackPromotion := setBack.stable(setBack.promote(1870, setBackDecision, nil), setBackDecision, 4, 6)

	earlier := newStory()
	earlier.l.Genesis = M{"continues": M{"H_0": testbundle.Digest([]byte("x")), "k": 7, "H_k": testbundle.Digest([]byte("y"))}}
	earlier.l.Events = earlier.l.Events[1:] // the registration is in the part before
	earlierWindows := earlier.observe(earlier.canary, "canary", 60, nil)
	earlierDecision := earlier.decided(1870, earlierWindows, nil)
	earlierPromotion := earlier.stable(earlier.promote(1870, earlierDecision, nil), earlierDecision, 2, 4)

	other := testbundle.Digest([]byte("another release"))
	borrowed := newStory()
	borrowed.l.Add(61, "bundle.sealed", sealedDetails(other, "canary", "0.9.0", nil, nil))
	foreign := borrowed.observe(other, "canary", 61, nil)
	borrowedDecision := borrowed.decided(1871, foreign, nil)
	borrowedPromotion := borrowed.stable(borrowed.promote(1871, borrowedDecision, nil), borrowedDecision, 4, 6)

	held := newStory()
	heldWindows := held.observe(held.canary, "canary", 60, M{"delta_rep": "0.03"})
	heldRows := canaryRows()
	heldRows[3] = predicate("DELTA_REP", "delta_rep", "max", "0.03", "<=", "0.02", "canary-1", false)
	heldDecision := held.decided(1870, heldWindows, M{"decision": "HOLD", "to": nil, "reasons": []string{"DELTA_REP"}, "predicates": heldRows,
		"next": M{"after": "canary-3", "windows": 3, "window_ms": 600000, "earliest_ms": testbundle.Millis(3660)}})
	heldPromotion := held.stable(held.promote(1870, heldDecision, nil), heldDecision, 3, 5)

	overridden := func(actor any, unmet []string) testbundle.Promotion {
		o := newStory()
		ws := o.observe(o.canary, "canary", 60, M{"r_tb": "0.002"})
		rows := canaryRows()
		rows[5] = predicate("R_TB", "r_tb", "max", "0.002", "<=", "0.001", "canary-1", false)
		d := o.decided(1870, ws, M{"decision": "HOLD", "to": nil, "reasons": []string{"R_TB"}, "alerts": []string{"E_TIMEBASE_SKEW"}, "predicates": rows,
			"next": M{"after": "canary-3", "windows": 3, "window_ms": 600000, "earliest_ms": testbundle.Millis(3660)}})
		k := o.l.Add(1870, "override", M{"release": o.canary, "from": "canary", "to": "stable", "decision": digestOf(d), "unmet": unmet})
		o.l.Events[k-1]["actor"], o.l.Events[k-1]["notes"] = actor, "the clock of one host is known to drift"
		return o.stable(o.promote(1870, d, k), d, 3, 5)
	}

	// Windows are recorded so many seconds before they end.
	before := func(seconds int) testbundle.Promotion {
		return dishonest(func(s *story) {
			for i := range 3 {
				s.l.Events[2+i]["at"] = 60 + 600*(i+1) - seconds
			}
		})
	}

	stale := newStory()
	staleWindows := stale.observe(stale.canary, "canary", 60, nil)
	staleDecision := stale.decided(1981, staleWindows, nil)
	stalePromotion := stale.stable(stale.promote(1981, staleDecision, nil), staleDecision, 3, 5)

	astray := rolledBackBefore(311)
	astray.Ledger.Events[3]["details"].(M)["to"] = other

	wentOn, wentOnStable := promoted(nil)
	wentOnBundle := seal(wentOnStable)
	wentOnLTS := lts(wentOn, wentOnBundle, wentOnStable.K)
	{ // the canary is rolled back, and not the stable bundle that it became
		promote := wentOn.l.Events[len(wentOn.l.Events)-1]
		wentOn.l.Events = wentOn.l.Events[:len(wentOn.l.Events)-1]
		k := wentOn.l.Add(3689, "rollback", M{"release": wentOn.canary, "channel": "canary", "to": nil, "decision": nil,
			"trigger_end_ms": testbundle.Millis(3689), "deadline_ms": testbundle.Millis(3989)})
		wentOn.l.Events[k-1]["notes"] = "checkout fails"
		wentOn.l.Events = append(wentOn.l.Events, promote)
		wentOnLTS.K = len(wentOn.l.Events)
	}

	unknown := newStory()
	unknown.l.Key = otherKey
	unknownWindows := unknown.observe(unknown.canary, "canary", 60, M{"drop_rate": "0.5"})
	unknownDecision := unknown.decided(1870, unknownWindows, nil)
	unknownPromotion := unknown.stable(unknown.promote(1870, unknownDecision, nil), unknownDecision, 3, 5)

	return []damage{
		one("good-stable", "a release on stable, whose ledger supports it", 0, good, goes(6)),
		one("good-lts", "a release on LTS, over a ledger with both promotions", 0, seal(toLTS), goes(11)),
		one("good-override", "a promotion that a human signed although the clocks drift", 0, seal(overridden("ann", []string{"R_TB"})),
			goes(7), at("E_TIMEBASE_SKEW", "NOTE", ledgerPath, 7)),
		one("good-rollback-before", "an earlier version was rolled back, too late; this one was not", 0, seal(rolledBackBefore(311)),
			goes(10), at("E_ROLLBACK_DEADLINE", "NOTE", ledgerPath, 5)),
		one("rollback-of-another", "an earlier version was rolled back to a bundle that never stood; this one does not rest on it", 0, seal(astray),
			goes(10), at("E_DECISION", "NOTE", ledgerPath, 4), at("E_ROLLBACK_DEADLINE", "NOTE", ledgerPath, 5)),
		one("rolled-back-although-it-went-on", "a canary was rolled back after it had become a stable bundle, which went on to LTS", 2, seal(wentOnLTS),
			goes(12), at("E_DECISION", "REJECT", ledgerPath, 11)),
		one("ledger-key-unknown", "a promotion that does not follow, over a ledger by a key that is not trusted: it says nothing", 1, seal(unknownPromotion),
			goes(6), at("E_KEY_UNKNOWN", "UNDECIDABLE", ledgerPath)),
		one("ledger-missing", "a promotion without its ledger", 1, seal(without), at("E_DECISION", "UNDECIDABLE", "manifest.json")),
		one("ledger-other-head", "the manifest pins another head of the ledger", 2, manifest(func(m M) {
			ledger := maps.Clone(m["provenance"].(M)["ledger"].(M))
			ledger["H_k"] = testbundle.Digest([]byte("x"))
			setLedger(m, ledger)
		}), goes(6), at("E_CHAIN_LINK", "REJECT", ledgerPath, 6)),
		{name: "ledger-cut", title: "the last events of the ledger are missing", files: cut, exit: 2,
			findings: []expected{at("E_TRUNCATED", "REJECT", ledgerPath, 5)}, failing: [][2]int64{{5, 6}}},
		one("ledger-closed", "a ledger that says that it ends, and goes on to the promotion", 2,
			seal(dishonest(func(s *story) { s.l.Add(1865, "trail.close", M{}) })), goes(7), at("E_SEQUENCE", "REJECT", ledgerPath, 6)),
		{name: "ledger-other-product", title: "the ledger is of another product", exit: 2, files: seal(dishonest(func(s *story) { s.l.Product = "other" })),
			findings: []expected{goes(6), at("E_DATA_MISMATCH", "REJECT", ledgerPath, 0)}},
		{name: "window-edited", title: "a window of the ledger was changed", files: edited, exit: 2,
			findings: []expected{goes(6), fails("E_EVENT_ID", 3, replaced).in(ledgerPath)}, failing: events(3)},
		one("window-left-out", "a window of the release was left out", 2, seal(dishonest(func(s *story) {
			s.l.Events = append(s.l.Events[:3:3], s.l.Events[4])
			s.windows = append(s.windows[:1:1], s.windows[2])
		})), goes(5), at("E_DECISION", "REJECT", ledgerPath, 4), at("E_DECISION", "REJECT", ledgerPath, 5)),
		one("good-window-before-its-end", "windows whose end is after their events, as far as skew_max lets clocks differ", 0, seal(before(1)), goes(6)),
		one("events-lost", "a trail.recover before the promotion says that an event after the windows was on disk and is lost", 1, seal(dishonest(func(s *story) {
			s.l.Add(1863, "trail.recover", asideOf(M{"H_k": testbundle.Digest([]byte("lost")), "k": 7}))
		})), goes(7), at("E_LEDGER_CUT", "UNDECIDABLE", ledgerPath, 7)),
		one("good-recovered", "a trail.recover before the promotion set aside what was never acknowledged", 0, seal(dishonest(func(s *story) {
			s.l.Add(1863, "trail.recover", asideOf(nil))
		})), goes(7)),
		one("window-early", "the windows of a release were recorded before they had ended", 2, seal(before(2)), goes(6), at("E_DECISION", "REJECT", ledgerPath, 6)),
		one("window-before-it-began", "the last window of a release was recorded before it began", 2, seal(dishonest(func(s *story) {
			s.l.Events[4]["at"] = 1262
		})), goes(6), at("E_DECISION", "REJECT", ledgerPath, 6)),
		one("window-long-value", "a window has a value of 101 bytes", 2, seal(dishonest(func(s *story) {
			s.l.Add(1868, "window", M{"window": testbundle.Window(s.canary, "canary", 4, 1860, 1867, M{"incident_rate": strings.Repeat("0", 101)})})
		})), goes(7), at("E_FORMAT", "REJECT", ledgerPath, 6)),
		one("window-of-another-release", "the decision rests on windows of another release", 2, seal(borrowedPromotion), goes(7), at("E_DECISION", "REJECT", ledgerPath, 7)),
		one("window-more-than-decided", "the decision leaves out the last window of the release", 2, seal(dishonest(func(s *story) {
			s.l.Add(1868, "window", M{"window": testbundle.Window(s.canary, "canary", 4, 1860, 1867, M{"drop_rate": "0.5"})})
		})), goes(7), at("E_DECISION", "REJECT", ledgerPath, 7)),
		one("decision-not-supported", "a promotion that its windows do not support", 2, seal(heldPromotion), goes(6), at("E_DECISION", "REJECT", ledgerPath, 6)),
		one("decision-stale", "the last window ended long before the promotion", 2, seal(stalePromotion), goes(6), at("E_DECISION", "REJECT", ledgerPath, 6)),
		one("decision-of-the-manifest", "the manifest has another decision than the ledger", 2, manifest(func(m M) {
			d := maps.Clone(m["decision"].(M))
			d["now_ms"] = testbundle.Millis(1871)
			m["decision"] = d
		}), goes(6), at("E_DECISION", "REJECT", "manifest.json")),
		one("decision-scores", "the manifest has other scores than the decision", 2, manifest(func(m M) { m["scores"].(M)["SCORE"] = "3" }),
			goes(6), at("E_DECISION", "REJECT", "manifest.json")),
		one("decision-other-policy", "the manifest has another policy than the one that decided", 2, manifest(func(m M) {
			p := demoPolicy()
			p["tau_drop"] = "0.02"
			m["gates"] = p
		}), goes(6), at("E_DECISION", "REJECT", "manifest.json")),
		one("decision-other-previous", "the release was promoted from another bundle than it says", 2, seal(otherPrevious), goes(6), at("E_DATA_MISMATCH", "REJECT", "manifest.json")),
		one("promoted-unknown", "the event that the release was sealed over promotes a bundle that came to no channel", 2, seal(unknownPromoted),
			goes(6), at("E_DECISION", "REJECT", ledgerPath, 6), at("E_DATA_MISMATCH", "REJECT", "manifest.json")),
		one("promoted-never-sealed", "the bundle that the release came from never came to a channel of its ledger", 2, seal(neverSealed),
			goes(2), at("E_DECISION", "REJECT", ledgerPath, 2)),
		one("policy-late", "the policy was registered after the windows", 2, seal(latePromotion), goes(6), at("E_POLICY_LATE", "REJECT", ledgerPath, 6)),
		one("policy-chosen-after-the-look", "the policy was registered before the windows were recorded and after they began", 2, seal(chosenPromotion),
			goes(6), at("E_POLICY_LATE", "REJECT", ledgerPath, 6)),
		one("policy-time-set-back", "the clock was set back to register the policy before the windows", 2, seal(setBackPromotion),
			goes(7), at("E_TIME_ORDER", "NOTE", ledgerPath, 3), at("E_POLICY_LATE", "REJECT", ledgerPath, 7)),
		one("good-late-policy-rolls-back", "an earlier version was rolled back by a policy that came too late to promote it", 0, seal(rolledBackLate()),
			goes(10), at("E_ROLLBACK_DEADLINE", "NOTE", ledgerPath, 5)),
		one("policy-earlier", "the policy may be in the part of the ledger that is not in the bundle", 1, seal(earlierPromotion),
			goes(5), at("E_DECISION", "UNDECIDABLE", ledgerPath, 0), at("E_POLICY_LATE", "UNDECIDABLE", ledgerPath, 5)),
		one("override-by-nobody", "an override whose actor is a blank", 2, seal(overridden(" ", []string{"R_TB"})),
			goes(7), at("E_DECISION", "REJECT", ledgerPath, 6), at("E_DECISION", "REJECT", ledgerPath, 7)),
		one("override-by-a-commit", "an override whose actor is a commit: nobody is named", 2, seal(overridden(M{"commit": testbundle.Digest([]byte("x"))}, []string{"R_TB"})),
			goes(7), at("E_DECISION", "REJECT", ledgerPath, 6), at("E_DECISION", "REJECT", ledgerPath, 7)),
		one("promotion-goes-on", "a promotion over a ledger that goes on from one that is not in the bundle", 1, seal(dishonest(func(s *story) {
			s.l.Genesis = M{"continues": M{"H_0": testbundle.Digest([]byte("x")), "k": 7, "H_k": testbundle.Digest([]byte("y"))}}
		})), goes(6), at("E_DECISION", "UNDECIDABLE", ledgerPath, 0)),
		one("override-without-all", "an override that does not name what is unmet", 2, seal(overridden("ann", []string{})),
			goes(7), at("E_DECISION", "REJECT", ledgerPath, 7), at("E_TIMEBASE_SKEW", "NOTE", ledgerPath, 7)),
		one("promoted-after-late-trigger", "a window of the canary came after its promotion and triggers; the release went on to LTS", 2, seal(lateLTS),
			goes(12), at("E_DECISION", "REJECT", ledgerPath, 12)),
		one("rollback-then-promoted", "a release was rolled back and promoted all the same", 2, seal(dishonest(func(s *story) {
			k := s.l.Add(1865, "rollback", M{"release": s.canary, "channel": "canary", "to": nil, "decision": nil,
				"trigger_end_ms": testbundle.Millis(1865), "deadline_ms": testbundle.Millis(2165)})
			s.l.Events[k-1]["notes"] = "checkout fails"
		})), goes(7), at("E_DECISION", "REJECT", ledgerPath, 7)),
	}
}

// asideOf are the details of a trail.recover.
func asideOf(acknowledged any) M {
	return M{"acknowledged": acknowledged, "digest": testbundle.Digest(nil), "lines": 0, "size": 0, "why": "the disk failed"}
}

// rolledBackBefore is a promotion over a ledger in which an earlier version was
// rolled back by its windows: events 1 to 5.
func rolledBackBefore(deadline int) testbundle.Promotion { return rolledBack(deadline, nil) }

// rolledBackLate is one whose policy was registered after the window of that version.
func rolledBackLate() testbundle.Promotion {
	return rolledBack(311, func(l *testbundle.Ledger) {
		policy := l.Events[0]
		policy["at"] = 12
		l.Events = append(l.Events[1:], policy)
	})
}

func rolledBack(deadline int, change func(*testbundle.Ledger)) testbundle.Promotion {
	s := newStory()
	s.l.Events = s.l.Events[:1]
	bad := testbundle.Digest([]byte("an earlier version"))
	s.l.Add(1, "bundle.sealed", sealedDetails(bad, "canary", "0.9.0", nil, nil))
	w := testbundle.Window(bad, "canary", 1, 1, 11, M{"drop_rate": "0.5"})
	s.l.Add(12, "window", M{"window": w})
	if change != nil {
		change(s.l)
	}
	d := testbundle.Decision(s.policy, bad, "canary", 1, 13, []M{w}, M{"decision": "ROLLBACK", "reasons": []string{"TRIGGER:drop_rate"}, "window": "canary-1",
		"deadline_ms": testbundle.Millis(311), "triggers": []M{predicate("TRIGGER:drop_rate", "drop_rate", "value", "0.5", ">", "0.01", "canary-1", true)}})
	k := s.l.Add(13, "rollback", M{"release": bad, "channel": "canary", "to": nil, "decision": digestOf(d), "trigger_end_ms": testbundle.Millis(11), "deadline_ms": testbundle.Millis(deadline)})
	s.l.Add(400, "rollback.done", M{"rollback": k, "ok": false, "reason": "E_ROLLBACK_DEADLINE", "total_ms": 389000})
	s.l.Add(460, "bundle.sealed", sealedDetails(s.canary, "canary", "1.0.0", policyDigest(s.policy), nil))
	for i := range 3 {
		w := testbundle.Window(s.canary, "canary", i+1, 460+600*i, 460+600*(i+1), nil)
		s.windows = append(s.windows, w)
		s.l.Add(460+600*(i+1)+1, "window", M{"window": w})
	}
	good := s.decided(2270, s.windows, M{"since_ms": testbundle.Millis(460)})
	return s.stable(s.promote(2270, good, nil), good, 7, 9)
}

// in returns e at another path.
func (e expected) in(path string) expected {
	e.Path = path
	return e
}
