package docs

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	"github.com/relseal/relseal/internal/testbundle"
)

// evidence returns what a release of the insider embeds.
func (in *insider) evidence() []*sealedBundle {
	if in.chance(3) {
		return []*sealedBundle{in.auditBundle()}
	}
	r := []*sealedBundle{in.runs[in.draw.IntN(len(in.runs))]}
	if in.chance(5) {
		if more := in.auditBundle(); more.id != r[0].id {
			r = append(r, more)
		}
	}
	return r
}

// canaryBundle seals a canary.
func (in *insider) canaryBundle() testbundle.Files {
	runs := in.evidence()
	n := 1 + in.draw.IntN(2)
	m, files := canary(pick(in.draw, "1.0.0", "1.1.0", "2.0.0"), pick(in.draw, "demo", "demo", "demo", "tool"), commitOf(n), pick[any](in.draw, nil, in.policy), runs...)
	in.did("a canary")
	m = plain(m)
	for range in.draw.IntN(3) {
		in.bendRelease(m, files)
	}
	return in.world.seal(m, files, late, in.signers("release.canary")...)
}

// promotedBundle seals a release above canary over the true ledger.
func (in *insider) promotedBundle() testbundle.Files {
	of := in.releases[in.draw.IntN(len(in.releases))]
	if own := slices.IndexFunc(in.releases, func(b *sealedBundle) bool { return b.role == in.role }); own >= 0 && !in.chance(4) {
		of = in.releases[own]
	}
	m, files := plain(of.manifest), unsealed(of.files)
	in.did("%s told anew", of.role)
	if in.chance(8) {
		in.did("as it was")
		files := of.files.Clone()
		for _, k := range in.held {
			if in.chance(2) {
				in.did("signed by one more")
				in.endorse(files, of.manifest, late, testbundle.ReleasePredicate, k)
			}
		}
		return files
	}
	for range pick(in.draw, 1, 1, 1, 2, 3) {
		in.bendRelease(m, files)
	}
	role := of.role
	if channel, ok := m["channel"].(string); ok {
		role = "release." + strings.ToLower(channel)
	}
	return in.world.seal(m, files, late, in.signers(role)...)
}

// bendRelease changes a release before it is sealed.
func (in *insider) bendRelease(m testbundle.M, files testbundle.Files) {
	p := m["provenance"].(map[string]any)
	switch in.draw.IntN(18) {
	case 13:
		files["VERIFY.md"] = []byte("# Trust it\n")
		in.did("release: another guide")
	case 14, 15, 16, 17:
		in.bendLineage(m, files)
	case 0: // other artifacts, of another run
		runs := in.evidence()
		other, theirs := canary("1.0.0", "demo", "", nil, runs...)
		other = plain(other)
		for path := range files {
			if strings.HasPrefix(path, "artifacts/") || bundled.MatchString(path) {
				delete(files, path)
			}
		}
		maps.Copy(files, theirs)
		m["artifacts"] = other["artifacts"]
		p["audit"] = other["provenance"].(map[string]any)["audit"]
		if !in.chance(4) {
			m["cards"], m["commit"] = other["cards"], commitOf(pick(in.draw, 1, 2, 3, 7, 8))
			if commit := text(runs[0].manifest, "x"); commit != "" {
				m["commit"] = commit
			}
		}
		in.did("release: the artifacts of another run")
	case 1: // labels
		list := m["artifacts"].([]any)
		if len(list) > 1 {
			a, b := maps.Clone(list[0].(map[string]any)), maps.Clone(list[1].(map[string]any))
			a["uri"], b["uri"] = b["uri"], a["uri"]
			m["artifacts"] = []any{b, a}
		}
		in.did("release: labels swapped")
	case 2:
		list := m["artifacts"].([]any)
		m["artifacts"] = list[:min(1, len(list))]
		for _, f := range slices.Collect(maps.Keys(files)) {
			if strings.HasPrefix(f, "artifacts/") && (len(list) == 0 || f != "artifacts/"+text(list[0], "uri")) {
				delete(files, f)
			}
		}
		in.did("release: an artifact left out")
	case 3:
		m["version"] = pick(in.draw, "1.0.0", "1.1.0", "3.0.0")
		in.did("release: version %s", m["version"])
	case 4:
		m["channel"] = pick(in.draw, "canary", "stable", "LTS")
		in.did("release: channel %s", m["channel"])
	case 5:
		m["commit"] = pick[any](in.draw, commitOf(1), commitOf(2), nil)
		in.did("release: commit %v", m["commit"])
	case 6: // another place of the ledger
		k := 1 + in.draw.IntN(len(in.ledger.Events))
		over(m, files, in.head(k), k)
		switch in.draw.IntN(5) {
		case 0:
			delete(files, ledgerPath)
		case 1, 2:
			if m["channel"] == "canary" {
				p["ledger"] = nil
				delete(files, ledgerPath)
			}
		case 3:
			p["head"] = pick[any](in.draw, nil, testbundle.M{"H_0": testbundle.Digest(nil), "k": 0, "H_k": testbundle.Digest([]byte("x"))})
		}
		in.did("release: the ledger up to %d", k)
	case 7:
		p["previous"] = pick[any](in.draw, in.releases[0].id, in.releases[1].id, testbundle.Digest(nil), nil)
		in.did("release: another previous")
	case 8: // what another release has of a promotion
		other := plain(in.releases[in.draw.IntN(len(in.releases))].manifest)
		for _, name := range []string{"gates", "decision", "scores", "windows"} {
			m[name] = other[name]
		}
		theirs := other["provenance"].(map[string]any)
		p["ledger"], p["previous"], p["head"] = theirs["ledger"], theirs["previous"], theirs["head"]
		if !in.chance(4) {
			m["channel"] = other["channel"]
		}
		if ref := theirs["ledger"]; ref != nil {
			files[ledgerPath] = in.head(int(num(ref, "k"))).text
		}
		in.did("release: the promotion of another one")
	case 9:
		m["cards"] = testbundle.M{"pipeline": testbundle.Digest(nil), "param": testbundle.Digest(nil)}
		in.did("release: other cards")
	case 10:
		m["product"] = pick(in.draw, "demo", "tool")
		in.did("release: product %s", m["product"])
	case 11:
		if windows, ok := m["windows"].(map[string]any); ok {
			windows[pick(in.draw, "first", "last", "count")] = 2
		}
		if in.chance(2) {
			m["gates"] = testbundle.M(plain(in.policy))
			m["gates"].(map[string]any)["tau_score"] = "0.1"
		}
		in.did("release: other windows or gates")
	case 12:
		files["evidence/note.txt"] = []byte("x")
		in.did("release: other evidence")
	}
}

// bendLineage changes what a release carries of those that it came from.
func (in *insider) bendLineage(m testbundle.M, files testbundle.Files) {
	p := m["provenance"].(map[string]any)
	previous, ok := p["previous"].(string)
	if !ok {
		return
	}
	dir := "evidence/from/" + previous[7:] + "/"
	kind := pick(in.draw, "no signatures", "fewer signatures", "own signatures", "more signatures", "nothing", "another one", "one of its own", "the same twice")
	in.did("lineage: %s", kind)
	sign := func(id string) (sigs []testbundle.M) {
		for _, k := range in.held {
			sigs = append(sigs, testbundle.M{"keyid": k.ID(), "sig": base64.StdEncoding.EncodeToString(k.Sign(hashed(id)))})
			in.note(id, late, k)
		}
		return sigs
	}
	write := func(sigs []testbundle.M) {
		slices.SortFunc(sigs, func(a, b testbundle.M) int { return strings.Compare(a["keyid"].(string), b["keyid"].(string)) })
		files[dir+"signatures.json"] = testbundle.Canon(testbundle.M{"schema": "relseal/signatures/v1", "signatures": sigs})
	}
	was, _ := readCanonical(files[dir+"signatures.json"])
	var before []testbundle.M
	for _, s := range list(was, "signatures") {
		before = append(before, s.(map[string]any))
	}
	switch kind {
	case "no signatures":
		delete(files, dir+"signatures.json")
	case "fewer signatures":
		write(before[:max(0, len(before)-1)])
	case "own signatures":
		write(sign(previous))
	case "more signatures":
		own := slices.DeleteFunc(sign(previous), func(s testbundle.M) bool {
			return slices.ContainsFunc(before, func(b testbundle.M) bool { return b["keyid"] == s["keyid"] })
		})
		write(append(before, own...))
	case "nothing":
		delete(files, dir+"signatures.json")
		delete(files, dir+"manifest.json")
	case "another one", "one of its own":
		from := in.releases[in.draw.IntN(len(in.releases))]
		carried := from.files
		if kind == "one of its own" {
			other, more := plain(m), unsealed(from.files)
			other["channel"], other["scores"], other["decision"], other["windows"] = "canary", nil, nil, nil
			of := other["provenance"].(map[string]any)
			of["previous"], of["ledger"], of["head"] = nil, nil, nil
			carried = in.world.seal(other, more, late, in.signers("release.canary")...)
		}
		delete(files, dir+"signatures.json")
		delete(files, dir+"manifest.json")
		maps.Copy(files, testbundle.Lineage(carried))
		if in.chance(2) {
			p["previous"] = testbundle.Digest(carried[manifestPath])
		}
	case "the same twice":
		for path, data := range testbundle.Lineage(in.releases[in.draw.IntN(len(in.releases))].files) {
			files[path] = data
		}
	}
}
