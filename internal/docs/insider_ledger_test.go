package docs

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/relseal/relseal/internal/testbundle"
)

// ownLedger tells a ledger of the insider's own and seals what it leads to.
func (in *insider) ownLedger() testbundle.Files {
	l := testbundle.NewLedger(in.key("ledger"))
	from := in.releases[pick(in.draw, 0, 0, len(in.releases)-1)]
	if in.chance(3) {
		runs := in.evidence()
		m, files := canary("1.0.0", "demo", commitOf(pick(in.draw, 1, 2)), in.policy, runs...)
		from = &sealedBundle{manifest: plain(m), outputs: runs[0].outputs, since: 61}
		from.files = in.world.seal(from.manifest, files, late, in.signers("release.canary")...)
		from.id = testbundle.Digest(from.files[manifestPath])
		in.did("a canary of one's own")
	}
	channel := from.manifest["channel"].(string)
	digest := testbundle.Digest(testbundle.Canon(in.policy))
	register := func(at int) { l.Add(at, "policy.register", testbundle.M{"digest": digest, "policy": in.policy}) }
	when := in.draw.IntN(4)
	in.did("a ledger of one's own, policy at %d", when)
	if when == 0 {
		register(0)
	}
	start := pick(in.draw, 60, 60, 60, 20_000_000)
	named := pick[any](in.draw, digest, digest, nil)
	if channel != "canary" {
		channel = "canary"
		in.did("of what was no canary")
	}
	if in.chance(8) {
		l.Genesis = testbundle.M{"continues": testbundle.M{"H_0": testbundle.Digest(nil), "H_k": testbundle.Digest([]byte("x")), "k": 9}}
		in.did("which goes on from another one")
	} else if in.chance(6) {
		version := 1 + in.draw.IntN(3)
		hash := testbundle.Digest([]byte("x"))
		if version < 3 && !in.chance(3) {
			hash = rootHash(in.roots[version-1])
		}
		l.Genesis = testbundle.M{"root": testbundle.M{"version": version, "hash": hash}}
		in.did("which names root %d", version)
	}
	from.since = start
	l.Add(start, "bundle.sealed", testbundle.M{"bundle": from.id, "channel": channel, "version": from.manifest["version"], "policy": named, "promote": nil})
	if when == 1 {
		register(start + pick(in.draw, 1, 900, 1900))
	}
	change, overridden := testbundle.M{}, in.chance(5)
	if overridden {
		change["delta_rep"] = "0.03"
		in.did("overridden")
	} else if in.chance(4) {
		change["score"] = "0.96"
	}
	before := len(l.Events)
	observe(l, from.id, channel, start, change)
	in.early(l, before)
	if when == 2 {
		register(start + pick(in.draw, 0, 1801))
	}
	for range in.draw.IntN(2) {
		i := in.draw.IntN(len(l.Events))
		switch in.draw.IntN(4) {
		case 0:
			l.Events = slices.Delete(l.Events, i, i+1)
			in.did("event %d left out", i+1)
		case 1:
			l.Events[i]["at"] = l.Events[i]["at"].(int) - pick(in.draw, 1, 100, 5000)
			in.did("event %d at an earlier time", i+1)
		case 2:
			l.Rotate(start+1805, in.held[in.draw.IntN(len(in.held))])
			in.did("handed over")
		case 3:
			if len(l.Events) > 1 {
				j := in.draw.IntN(len(l.Events))
				l.Events[i], l.Events[j] = l.Events[j], l.Events[i]
			}
			in.did("events exchanged")
		}
	}
	m, k := in.promotion(l, &sealedBundle{id: from.id, manifest: withChannel(from.manifest, channel), since: from.since}, "stable", start+1810, overridden)
	files := in.madeOf(from, l, m, k)
	in.told, in.source = l, from.id
	if in.chance(3) {
		return in.higher(l, m, files, k, start+1820)
	}
	if in.chance(3) {
		in.bendRelease(m, files)
	}
	return in.world.seal(m, files, late, in.signers("release.stable")...)
}

// ownWay takes a canary of the insider's own up by a ledger in which all is right, but
// perhaps when windows were recorded, or what was taken back.
func (in *insider) ownWay() testbundle.Files {
	m, files := canary("1.0.0", "demo", commitOf(1), in.policy, in.runs[0])
	from := &sealedBundle{manifest: plain(m), since: 60}
	from.files = in.world.seal(from.manifest, files, late, in.signers("release.canary")...)
	from.id = testbundle.Digest(from.files[manifestPath])
	in.did("a canary of one's own, and its ledger")
	l := testbundle.NewLedger(in.key("ledger"))
	digest := testbundle.Digest(testbundle.Canon(in.policy))
	l.Add(0, "policy.register", testbundle.M{"digest": digest, "policy": in.policy})
	l.Add(from.since, "bundle.sealed", testbundle.M{"bundle": from.id, "channel": "canary", "version": "1.0.0", "policy": digest, "promote": nil})
	observe(l, from.id, "canary", from.since, nil)
	in.early(l, 2)
	up, k := in.promotion(l, from, "stable", 1870, false)
	files = in.madeOf(from, l, up, k)
	in.told, in.source = l, from.id
	if in.chance(2) {
		return in.higher(l, up, files, k, 1880)
	}
	return in.world.seal(up, files, late, in.signers("release.stable")...)
}

// madeOf returns the files of what a promotion, event k of a ledger, makes of a bundle, and
// completes its manifest.
func (in *insider) madeOf(from *sealedBundle, l *testbundle.Ledger, m testbundle.M, k int) testbundle.Files {
	files := unsealed(from.files)
	maps.Copy(files, testbundle.Lineage(from.files))
	var h toldTrail
	h.text, h.h0, h.hk = l.Lines(k)
	over(m, files, h, k)
	return files
}

// early moves the windows from an event on to before they ended, or before they began. A
// second is what clocks may differ.
func (in *insider) early(l *testbundle.Ledger, from int) {
	if !in.chance(4) {
		return
	}
	by, least := pick(in.draw, 1, 2, 600, 1200, 1800), 0
	for i, e := range l.Events {
		if i >= from && e["action"] == "window" {
			e["at"] = max(least, e["at"].(int)-by)
		}
		least = max(least, e["at"].(int))
	}
	in.did("windows recorded %d seconds before they ended", by)
}

// higher takes what a ledger of the insider's own made stable on to LTS: the canary may have been
// taken back before or after the ledger had the stable bundle.
func (in *insider) higher(l *testbundle.Ledger, m testbundle.M, files testbundle.Files, promote, at int) testbundle.Files {
	from := &sealedBundle{manifest: m, files: in.world.seal(m, files, late, in.signers("release.stable")...), since: at}
	from.id = testbundle.Digest(from.files[manifestPath])
	when := pick(in.draw, "never", "never", "before", "after")
	in.did("on to LTS, the canary taken back %s it was stable", when)
	if when == "before" {
		takeBack(l, in.source, at, nil)
	}
	in.sealed(l, from.id, m, at, promote)
	if when == "after" {
		takeBack(l, in.source, at, nil)
	}
	before := len(l.Events)
	observe(l, from.id, "stable", at, nil)
	in.early(l, before)
	above, k := in.promotion(l, from, "LTS", at+1810, false)
	files = in.madeOf(from, l, above, k)
	return in.world.seal(above, files, late, in.signers("release.lts")...)
}

// sealed appends that a bundle came to its channel.
func (in *insider) sealed(l *testbundle.Ledger, id string, m testbundle.M, at, promote int) {
	l.Add(at, "bundle.sealed", testbundle.M{"bundle": id, "channel": m["channel"], "version": m["version"], "policy": testbundle.Digest(testbundle.Canon(m["gates"])), "promote": promote})
}

// aftermath is the ledger that the insider told, gone on: it has the bundle, or took back
// what that came from, in either order.
func (in *insider) aftermath(f forgery) []byte {
	l := *in.told
	l.Events = slices.Clone(l.Events)
	at := 0
	for _, e := range l.Events {
		at = max(at, e["at"].(int)+5)
	}
	id := testbundle.Digest(f.files[manifestPath])
	m := in.manifests[id]
	what := pick(in.draw, "sealed", "taken back", "sealed, taken back", "taken back, sealed")
	for _, one := range strings.Split(what, ", ") {
		if one == "sealed" && text(m, "kind") == "release" {
			in.sealed(&l, id, m, at, int(num(m, "provenance.ledger.k")))
		} else if source := text(m, "provenance.previous"); one == "taken back" && source != "" {
			takeBack(&l, source, at, nil)
			l.Events[len(l.Events)-1]["details"].(testbundle.M)["channel"] = text(in.manifests[source], "channel")
		}
	}
	in.did("beside a ledger of their own: %s", what)
	lines, _, _ := l.Lines(len(l.Events))
	return lines
}

// goneOn goes on with the true ledger, of which the insider has the key, and seals
// what it leads to.
func (in *insider) goneOn() testbundle.Files {
	l := *in.ledger
	l.Events = slices.Clone(l.Events)
	from := in.releases[in.draw.IntN(len(in.releases))]
	channel := from.manifest["channel"].(string)
	at := 6000
	in.did("the true ledger gone on, for what is on %s", channel)
	for range in.draw.IntN(3) {
		switch in.draw.IntN(4) {
		case 0:
			change := testbundle.M{}
			if in.chance(3) {
				change["score"] = "0.2"
			}
			before := len(l.Events)
			for i, win := range observe(&l, from.id, channel, at, change) {
				win["seq"] = 4 + i
				win["id"] = fmt.Sprint("more-", i)
			}
			in.early(&l, before)
			at += 1810
			in.did("more windows %v", change)
		case 1:
			l.Add(at, "policy.register", testbundle.M{"digest": testbundle.Digest(testbundle.Canon(in.policy)), "policy": in.policy})
			in.did("the policy again")
		case 2:
			l.Add(at-5000, "bundle.sealed", testbundle.M{"bundle": from.id, "channel": channel, "version": from.manifest["version"], "policy": nil, "promote": nil})
			in.did("it came again, earlier")
		case 3:
			l.Rotate(at, in.held[in.draw.IntN(len(in.held))])
			in.did("handed over")
		}
	}
	to := map[string]string{"canary": "stable", "stable": "LTS", "LTS": "LTS"}[channel]
	m, k := in.promotion(&l, from, to, at+pick(in.draw, 0, 0, -4100), in.chance(4))
	files := in.madeOf(from, &l, m, k)
	if in.chance(4) {
		in.bendRelease(m, files)
	}
	return in.world.seal(m, files, late, in.signers("release."+strings.ToLower(to))...)
}

func withChannel(m testbundle.M, channel string) testbundle.M {
	m = maps.Clone(m)
	m["channel"] = channel
	return m
}
