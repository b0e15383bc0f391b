package verify_test

import (
	"strings"

	"github.com/relseal/relseal/internal/testbundle"
)

// cases lists every kind of damage that the vectors show.
func cases() []damage {
	var all []damage
	for _, group := range [][]damage{goodCases(), containerCases(), sealCases(), trailCases(),
		forgedCases(), dishonestCases(), trailsCases(), releaseCases(), ledgerCases(), headCases(), lineageCases(), guideCases(), nestedCases()} {
		all = append(all, group...)
	}
	return all
}

func goodCases() []damage {
	failed := demo()
	failed.Outcome = "failed"
	failed.Outputs = map[string]string{}
	failed.Events = append(failed.Events[:2:2],
		M{"action": "step.end", "path": "build", "code": failed.Events[2]["code"], "inputs": failed.Events[2]["inputs"], "status": "failed", "error": "exit code 1"},
		M{"action": "run.end", "code": failed.Events[0]["code"], "status": "failed"},
		M{"action": "trail.close", "code": failed.Events[0]["code"]})
	bare := demo()
	bare.Embed = false
	co := demo().Seal()
	for name, data := range otherKey.Signatures(co["manifest.json"], co["SHA256SUMS"], testbundle.AuditPredicate) {
		co["sig/by/"+otherKey.HexID()+"/"+name] = data
	}
	rotated := testbundle.Demo(otherKey, otherRunID).Seal()
	both := []string{"release", "other"}
	noArtifact := []expected{at("E_ARTIFACT_MISSING", "UNDECIDABLE", "out/demo")}
	stranger := at("E_KEY_UNKNOWN", "NOTE", "sig/by/"+otherKey.HexID()+"/")
	return []damage{
		{name: "good-audit", title: "an audit bundle as it should be", files: demo().Seal()},
		{name: "good-release", title: "a release bundle as it should be", files: demo().Release(releaseKey, nil)},
		{name: "good-failed-run", title: "the bundle of a failed run is good evidence of a failure", files: failed.Seal()},
		{name: "good-old-key", title: "after a rotation: the old bundle, with both keys trusted", files: demo().Seal(), keys: both},
		{name: "good-new-key", title: "after a rotation: the new bundle, with both keys trusted", files: rotated, keys: both},
		{name: "good-further-signer", title: "a second signer whose key is trusted", files: co, keys: both},
		{name: "good-further-signer-unknown", title: "a second signer whose key is not trusted is ignored with a note", files: co, findings: []expected{stranger}},
		{name: "good-artifact-supplied", title: "an artifact that is not embedded and is supplied", files: bare.Seal(), artifacts: "artifacts"},
		{name: "artifact-missing", title: "an artifact that is neither embedded nor supplied", files: bare.Seal(), exit: 1, findings: noArtifact},
		{name: "artifact-missing-strict", title: "the same with --strict", files: bare.Seal(), strict: true, exit: 2,
			findings: rejects("E_ARTIFACT_MISSING", "out/demo")},
		{name: "good-extension", title: "later evidence under sig/ext/ is noted and not judged",
			files: set(demo().Seal(), "sig/ext/timestamp.tsr", []byte("?")), findings: []expected{at("E_FILE_UNLISTED", "NOTE", "sig/ext/timestamp.tsr")}},
	}
}

func containerCases() []damage {
	good := demo().Seal()
	tar := good.Tar()
	padded := append(append([]byte{}, tar...), make([]byte, 512)...)
	mode := append([]byte{}, tar...)
	mode[105] = '7' // 0000644 becomes 0000674; the checksum no longer fits either
	twoFrames := append(testbundle.Zstd(tar), testbundle.Zstd(nil)...)
	skippable := append([]byte("\x50\x2a\x4d\x18\x04\x00\x00\x00note"), testbundle.Zstd(tar)...)
	long := lines(good, func(l []string) []string {
		l[4] = `{"H_k":"` + strings.Repeat("a", 1<<20) + "\"}\n"
		return l
	})
	return []damage{
		{name: "container-trailing", title: "a block after the end of the tar", packed: testbundle.Zstd(padded), exit: 2, findings: rejects("E_FORMAT", "")},
		{name: "container-header", title: "a header that no writer would write", packed: testbundle.Zstd(mode), exit: 2, findings: rejects("E_FORMAT", "manifest.json")},
		{name: "container-two-frames", title: "a second zstd frame", packed: twoFrames, exit: 2, findings: rejects("E_FORMAT", "")},
		{name: "container-skippable", title: "a skippable zstd frame before the bundle", packed: skippable, exit: 2, findings: rejects("E_FORMAT", "")},
		{name: "container-cut", title: "the second half of the file is missing", packed: testbundle.Zstd(tar)[:len(testbundle.Zstd(tar))/2], exit: 2,
			findings: rejects("E_FORMAT", "")},
		{name: "container-name-case", title: "two names that differ in case alone", files: set(good, "verify.md", []byte("x")), exit: 2, findings: rejects("E_FORMAT", "verify.md")},
		{name: "trail-line-too-long", title: "a line of more than 1 MiB", files: long, exit: 2, findings: rejects("E_LIMIT", trailPath, 4), failing: events(4)},
	}
}

// sealCases damage what the manifest pins and the signatures hold.
func sealCases() []damage {
	good, foreign := demo().Seal(), testbundle.Demo(releaseKey, otherRunID).Seal()
	swapped := good.Clone()
	for _, name := range []string{"sig/bundle.id.sig", "sig/manifest.sigstore.json", "sig/manifest.sshsig"} {
		swapped[name] = foreign[name]
	}
	changed := append([]byte{}, good["sig/bundle.id.sig"]...)
	changed[40] ^= 1
	return []damage{
		{name: "manifest-edited", title: "a member of the manifest was changed", files: replace(good, "manifest.json", `"product":"demo"`, `"product":"dem0"`), exit: 2,
			findings: append(rejects("E_BUNDLE_ID", "manifest.json"), at("E_DATA_MISMATCH", "REJECT", trailPath, 0))},
		{name: "manifest-spaces", title: "the manifest means the same and is spelled otherwise", files: replace(good, "manifest.json", `"kind":`, `"kind": `), exit: 2,
			findings: rejects("E_FORMAT", "manifest.json")},
		{name: "manifest-schema", title: "the manifest is of a later schema", files: replace(good, "manifest.json", "audit-bundle/v1", "audit-bundle/v2"), exit: 2,
			findings: rejects("E_SCHEMA_MISMATCH", "manifest.json")},
		{name: "manifest-missing", title: "there is no manifest", files: set(good, "manifest.json", nil), exit: 2, findings: rejects("E_FILE_MISSING", "manifest.json")},
		{name: "signatures-of-another-bundle", title: "all signatures are those of another bundle by the same key", files: swapped, exit: 2,
			findings: rejects("E_BUNDLE_ID", "manifest.json")},
		{name: "signature-of-another-bundle", title: "one signature is that of another bundle by the same key",
			files: set(good, "sig/bundle.id.sig", foreign["sig/bundle.id.sig"]), exit: 2, findings: rejects("E_SIG_BUNDLE", "sig/bundle.id.sig")},
		{name: "signature-changed", title: "one bit of a signature was changed", files: set(good, "sig/bundle.id.sig", changed), exit: 2, findings: rejects("E_SIG_BUNDLE", "sig/bundle.id.sig")},
		{name: "signature-missing", title: "one of the three signature files is missing", files: set(good, "sig/manifest.sshsig", nil), exit: 2,
			findings: rejects("E_FILE_MISSING", "sig/manifest.sshsig")},
		{name: "signature-wrapper-changed", title: "a wrapper says more than a writer would", files: replace(good, "sig/manifest.sshsig", "\n-----END", "\n\n-----END"), exit: 2,
			findings: rejects("E_SIG_BUNDLE", "sig/manifest.sshsig")},
		{name: "further-signer-bad", title: "a trusted second signer whose signature does not hold", keys: []string{"release", "other"}, exit: 2,
			files: set(good, "sig/by/"+otherKey.HexID()+"/bundle.id.sig", good["sig/bundle.id.sig"]), findings: []expected{
				at("E_SIG_BUNDLE", "REJECT", "sig/by/"+otherKey.HexID()+"/bundle.id.sig"),
				at("E_FILE_MISSING", "REJECT", "sig/by/"+otherKey.HexID()+"/manifest.sigstore.json"),
				at("E_FILE_MISSING", "REJECT", "sig/by/"+otherKey.HexID()+"/manifest.sshsig")}},
		{name: "key-unknown", title: "signed by a key that is not trusted", files: good, keys: []string{"other"}, exit: 2, findings: []expected{
			at("E_KEY_UNKNOWN", "REJECT", "manifest.json"), at("E_KEY_UNKNOWN", "REJECT", trailPath)}},
		{name: "key-weak", title: "a trusted key for which signatures can be forged", files: good, keys: []string{"weak"}, exit: 2, err: "E_KEY_WEAK"},
		{name: "file-changed", title: "a listed file was changed", files: set(good, "VERIFY.md", []byte("# Verify!\n")), exit: 2, findings: rejects("E_FILE_HASH", "VERIFY.md")},
		{name: "file-missing", title: "a listed file is missing", files: set(good, "VERIFY.md", nil), exit: 2, findings: rejects("E_FILE_MISSING", "VERIFY.md")},
		{name: "file-added", title: "a file that is not listed", files: set(good, "artifacts/extra", []byte("x")), exit: 2, findings: rejects("E_FILE_UNLISTED", "artifacts/extra")},
		{name: "file-added-sig", title: "a file under sig/ that no bundle has", files: set(good, "sig/extra", []byte("x")), exit: 2, findings: rejects("E_FILE_UNLISTED", "sig/extra")},
		{name: "sums-changed", title: "SHA256SUMS is not the view of the manifest", files: replace(good, "SHA256SUMS", "VERIFY.md", "verify.md"), exit: 2, findings: rejects("E_FILE_HASH", "SHA256SUMS")},
		{name: "artifact-changed", title: "the copy of an artifact was changed", files: set(good, "artifacts/out/demo", []byte("a small artefact\n")), exit: 2,
			findings: rejects("E_ARTIFACT_HASH", "artifacts/out/demo")},
		{name: "envlock-changed", title: "envlock.json was changed", files: replace(good, "envlock.json", "glibc", "glibd"), exit: 2, findings: rejects("E_FILE_HASH", "envlock.json")},
	}
}

// trailCases damage the trail without the key.
func trailCases() []damage {
	good, foreign := demo().Seal(), testbundle.Demo(releaseKey, otherRunID)
	edit := func(name, title string, f func([]string) []string, failing [][2]int64, findings ...expected) damage {
		return damage{name: name, title: title, files: lines(good, f), exit: 2, findings: findings, failing: failing}
	}
	other := strings.SplitAfter(string(foreign.Trail()), "\n")
	return []damage{
		edit("event-edited", "one event was changed", func(l []string) []string {
			l[3] = strings.Replace(l[3], `"actor":"release"`, `"actor":"mallory"`, 1)
			return l
		}, events(3), fails("E_EVENT_ID", 3, replaced)),
		edit("event-deleted", "one event was removed", func(l []string) []string { return append(l[:4], l[5:]...) },
			events(5), fails("E_SEQUENCE", 5, gap)),
		edit("event-duplicated", "one event stands twice", func(l []string) []string {
			return append(l[:5:5], append([]string{l[4]}, l[5:]...)...)
		}, events(4), fails("E_SEQUENCE", 4, gap)),
		edit("events-reordered", "two events changed places", func(l []string) []string { l[4], l[5] = l[5], l[4]; return l },
			events(5), fails("E_SEQUENCE", 5, gap)),
		edit("event-of-another-run", "one event was replaced by that of another run by the same key", func(l []string) []string { l[4] = other[4]; return l },
			[][2]int64{{4, 5}}, fails("E_RUN_ID", 4, unlinked), fails("E_CHAIN_LINK", 5, unlinked)),
		edit("trail-of-another-run", "the whole trail is that of another run by the same key", func([]string) []string { return other[:len(other)-1] },
			nil, at("E_GENESIS", "REJECT", trailPath, 0)),
		edit("signatures-swapped", "two events have each other's signature", func(l []string) []string {
			a, b := inLine(l[4], "sig_k"), inLine(l[5], "sig_k")
			l[4], l[5] = strings.Replace(l[4], a, b, 1), strings.Replace(l[5], b, a, 1)
			return l
		}, [][2]int64{{4, 5}}, fails("E_SIG_EVENT", 4, unsigned), fails("E_SIG_EVENT", 5, unsigned)),
		edit("head-changed", "one recorded head was changed", func(l []string) []string {
			l[4] = strings.Replace(l[4], inLine(l[4], "H_k"), inLine(l[5], "H_k"), 1)
			return l
		}, events(4), fails("E_CHAIN_LINK", 4, otherHead)),
		edit("genesis-edited", "the genesis was changed", func(l []string) []string {
			l[0] = strings.Replace(l[0], `"product":"demo"`, `"product":"dem0"`, 1)
			return l
		}, nil, at("E_GENESIS", "REJECT", trailPath, 0)),
		edit("trail-tail-cut", "the last two events are missing", func(l []string) []string { return l[:len(l)-2] },
			[][2]int64{{8, 9}}, at("E_TRUNCATED", "REJECT", trailPath, 8)),
		edit("trail-torn", "the last line is torn", func(l []string) []string {
			l[len(l)-1] = l[len(l)-1][:100]
			return l
		}, events(9), at("E_TRUNCATED", "REJECT", trailPath, 9)),
		edit("trail-head-cut", "the genesis is missing", func(l []string) []string { return l[1:] },
			nil, at("E_FORMAT", "REJECT", trailPath, 0)),
		edit("trail-line-broken", "one line is not JSON", func(l []string) []string { l[4] = "{" + l[4]; return l },
			events(4), at("E_FORMAT", "REJECT", trailPath, 4)),
	}
}
