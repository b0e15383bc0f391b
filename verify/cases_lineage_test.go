package verify_test

import (
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
