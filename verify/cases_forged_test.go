package verify_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/testbundle"
)

// What is left of a damaged event, in the cases that occur.
var (
	replaced  = &finding.Proof{ID: finding.IDOfOther, Head: finding.HeadOfID, Sig: finding.SigOfHead, Event: finding.EventReplaced}
	gap       = &finding.Proof{ID: finding.IDOfEvent, Head: finding.HeadOpen, Sig: finding.SigOfHead, Event: finding.EventOpen}
	unlinked  = &finding.Proof{ID: finding.IDOfEvent, Head: finding.HeadOfOther, Sig: finding.SigOfHead, Event: finding.EventElsewhere}
	unsigned  = &finding.Proof{ID: finding.IDOfEvent, Head: finding.HeadOfID, Sig: finding.SigOfOther, Event: finding.EventUnsigned}
	otherHead = &finding.Proof{ID: finding.IDOfEvent, Head: finding.HeadOfOther, Sig: finding.SigOfEvent, Event: finding.EventSigned}
	otherID   = &finding.Proof{ID: finding.IDOfOther, Head: finding.HeadOfEvent, Sig: finding.SigOfHead, Event: finding.EventSigned}
	fitting   = &finding.Proof{ID: finding.IDOfEvent, Head: finding.HeadOfID, Sig: finding.SigOfHead, Event: finding.EventSigned}
	untried   = &finding.Proof{ID: finding.IDOfOther, Head: finding.HeadOfID, Sig: finding.SigUntried, Event: finding.EventUntried}
)

// fails is a finding at event k of the trail, and what is left of the event.
func fails(code string, k int64, p *finding.Proof) expected {
	e := at(code, "REJECT", trailPath, k)
	e.Proves = p
	return e
}

func every(code string, first, last int64, p *finding.Proof) (all []expected) {
	for k := first; k <= last; k++ {
		all = append(all, fails(code, k, p))
	}
	return all
}

// forgedCases are made without the key, by somebody who knows the format.
func forgedCases() []damage {
	good, foreign := demo().Seal(), testbundle.Demo(releaseKey, otherRunID)
	theirs := foreign.Seal()
	edit := func(name, title string, f func([]string) []string, failing [][2]int64, findings ...expected) damage {
		return damage{name: name, title: title, files: lines(good, f), exit: 2, findings: findings, failing: failing}
	}
	other := strings.SplitAfter(string(foreign.Trail()), "\n")
	actor := func(line string) string { return strings.Replace(line, `"actor":"release"`, `"actor":"mallory"`, 1) }

	swapped := good.Clone()
	swapped["cards/pipeline.json"], swapped["cards/param.json"] = good["cards/param.json"], good["cards/pipeline.json"]
	renamed := set(good, "cards/param.json", nil)
	renamed["cards/pararn.json"] = good["cards/param.json"]
	replacedKey := replace(good, "manifest.json", releaseKey.ID(), otherKey.ID())
	replacedKey["SHA256SUMS"] = testbundle.Sums(replacedKey)
	for name, data := range otherKey.Signatures(replacedKey["manifest.json"], replacedKey["SHA256SUMS"], testbundle.AuditPredicate) {
		replacedKey["sig/"+name] = data
	}
	elsewhere := demo()
	elsewhere.Lock["variables"] = M{"CGO_ENABLED": "1"}
	elsewhere.Pipeline["card"] = M{"id": "demo-release", "author": "somebody@example.test"}
	elsewhere.Params["card"] = M{"id": "demo-params", "author": "somebody@example.test"}
	valid := elsewhere.Files()

	return []damage{
		edit("event-edited-rehashed", "one event was changed and its id_k computed again", func(l []string) []string {
			l[3] = rehash(actor(l[3]))
			return l
		}, events(3), fails("E_CHAIN_LINK", 3, unlinked)),
		edit("event-edited-relinked", "one event was changed, its id_k and H_k computed again", func(l []string) []string {
			l[3] = relink(l[2], rehash(actor(l[3])))
			return l
		}, [][2]int64{{3, 4}}, fails("E_SIG_EVENT", 3, unsigned), fails("E_CHAIN_LINK", 4, unlinked)),
		edit("event-inserted", "an event that nobody signed was put in", func(l []string) []string {
			return append(l[:5:5], append([]string{relink(l[4], rehash(actor(l[5])))}, l[5:]...)...)
		}, events(5), fails("E_SIG_EVENT", 5, unsigned)),
		edit("ids-swapped", "two events have each other's id_k", func(l []string) []string {
			a, b := inLine(l[4], "id_k"), inLine(l[5], "id_k")
			l[4], l[5] = strings.Replace(l[4], a, b, 1), strings.Replace(l[5], b, a, 1)
			return l
		}, [][2]int64{{4, 5}}, fails("E_EVENT_ID", 4, otherID), fails("E_EVENT_ID", 5, otherID)),
		edit("runs-spliced", "the second half of the trail is that of another run by the same key", func(l []string) []string {
			return append(l[:5:5], other[5:len(other)-1]...)
		}, [][2]int64{{5, 9}}, append(every("E_RUN_ID", 6, 9, fitting), fails("E_RUN_ID", 5, unlinked))...),
		edit("genesis-of-another-run", "the genesis was replaced by that of another run by the same key", func(l []string) []string {
			l[0] = other[0]
			return l
		}, nil, at("E_GENESIS", "REJECT", trailPath, 0)),
		edit("genesis-edited-rehashed", "the genesis was changed and its H_0 computed again", func(l []string) []string {
			l[0] = strings.Replace(l[0], `"product":"demo"`, `"product":"dem0"`, 1)
			l[0] = strings.Replace(l[0], inLine(l[0], "H_0"), testbundle.Digest([]byte(l[0][91:len(l[0])-101])), 1)
			return l
		}, nil, at("E_GENESIS", "REJECT", trailPath, 0)),
		{name: "event-edited-key-unknown", title: "one event was changed, and the key is not trusted", files: lines(good, func(l []string) []string {
			l[3] = actor(l[3])
			return l
		}), keys: []string{"other"}, exit: 2, failing: events(3), findings: []expected{at("E_KEY_UNKNOWN", "REJECT", "manifest.json"),
			at("E_KEY_UNKNOWN", "REJECT", trailPath), fails("E_EVENT_ID", 3, untried)}},
		{name: "files-swapped", title: "two files have each other's name", files: swapped, exit: 2,
			findings: append(rejects("E_FILE_HASH", "cards/pipeline.json"), at("E_FILE_HASH", "REJECT", "cards/param.json"))},
		{name: "file-renamed", title: "a file has a name that looks like its own", files: renamed, exit: 2,
			findings: append(rejects("E_FILE_MISSING", "cards/param.json"), at("E_FILE_UNLISTED", "REJECT", "cards/pararn.json"))},
		{name: "envlock-replaced", title: "envlock.json is a valid one, of another run", files: set(good, "envlock.json", valid["envlock.json"]), exit: 2,
			findings: rejects("E_FILE_HASH", "envlock.json")},
		{name: "pipeline-card-replaced", title: "cards/pipeline.json is a valid one, of another run", exit: 2,
			files: set(good, "cards/pipeline.json", valid["cards/pipeline.json"]), findings: rejects("E_FILE_HASH", "cards/pipeline.json")},
		{name: "param-card-replaced", title: "cards/param.json is a valid one, of another run", exit: 2,
			files: set(good, "cards/param.json", valid["cards/param.json"]), findings: rejects("E_FILE_HASH", "cards/param.json")},
		{name: "manifest-replaced", title: "the manifest is that of another run by the same key", files: set(good, "manifest.json", theirs["manifest.json"]), exit: 2,
			findings: append(rejects("E_BUNDLE_ID", "manifest.json"), at("E_GENESIS", "REJECT", trailPath, 0), at("E_FILE_HASH", "REJECT", "VERIFY.md"))},
		{name: "key-replaced", title: "the manifest names another key, which signed it", files: replacedKey, exit: 2,
			findings: rejects("E_KEY_UNKNOWN", "manifest.json")},
		{name: "release-older", title: "a genuine release that is no newer than the one at hand", files: demo().Release(releaseKey, nil), newerThan: "1.0.0", exit: 2,
			findings: rejects("E_DATA_MISMATCH", "manifest.json")},
		{name: "release-newer", title: "a genuine release that is newer than the one at hand", files: demo().Release(releaseKey, nil), newerThan: "1.0.0-rc.1"},
	}
}

// inLine returns the value of a member of a trail's line that is text.
func inLine(line, member string) string {
	_, rest, _ := strings.Cut(line, `"`+member+`":"`)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

// rehash writes the digest of the event that a line holds as its id_k.
func rehash(line string) string {
	event := line[85 : len(line)-182]
	return strings.Replace(line, inLine(line, "id_k"), testbundle.Digest([]byte(event)), 1)
}

// relink writes the head that follows from the line before as the H_k of a line.
func relink(before, line string) string {
	var both []byte
	for _, d := range []string{inLine(before, "H_k"), inLine(line, "id_k")} {
		raw, err := hex.DecodeString(strings.TrimPrefix(d, "sha256:"))
		if err != nil {
			panic(err)
		}
		both = append(both, raw...)
	}
	return strings.Replace(line, inLine(line, "H_k"), fmt.Sprintf("sha256:%x", sha256.Sum256(both)), 1)
}
