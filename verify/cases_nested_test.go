package verify_test

import (
	"slices"

	"github.com/relseal/relseal/internal/testbundle"
)

// nestedCases put each damaged AuditBundle into a ReleaseBundle that is as it
// should be. Whatever is found inside is found there, with the same place.
func nestedCases() []damage {
	run := demo()
	good := run.Release(releaseKey, nil)
	inside := "evidence/" + testbundle.Digest(run.Seal()["manifest.json"])[7:] + ".audit.tar.zst"
	var all []damage
	for _, d := range slices.Concat(containerCases(), sealCases(), trailCases(), forgedCases()) {
		if d.keys != nil || d.newerThan != "" {
			continue // about what the caller wants or trusts
		}
		packed := d.packed
		if packed == nil {
			packed = testbundle.Zstd(d.files.Tar())
		}
		n := damage{name: "nested-" + d.name, title: "in the embedded bundle: " + d.title, files: set(good, inside, packed), exit: 2, failing: d.failing}
		for _, e := range d.findings {
			if e.Path = inPath(inside, e.Path); e.Code == "E_KEY_UNKNOWN" {
				// Left open inside; that the release pins other bytes is what rejects.
				e.Verdict = "UNDECIDABLE"
				n.findings = append(n.findings, at("E_FILE_HASH", "REJECT", inside))
			}
			n.findings = append(n.findings, e)
		}
		all = append(all, n)
	}
	return all
}

func inPath(prefix, path string) string {
	if path == "" {
		return prefix
	}
	return prefix + "!" + path
}
