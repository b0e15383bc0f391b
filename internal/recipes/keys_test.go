package recipes

import (
	"strings"
	"testing"
	"time"
)

const keysPage = repository + "/docs/keys.md"

// The project that the page releases: the page is about keys.
var keysProject = map[string]string{
	"relseal.yaml": `schema: relseal/config/v1
product: demo
version: "1.0.0"
pipeline: pipeline.yaml
params: params.yaml
artifacts: [out/demo]
key: {file: .relseal/release.key, passphrase: none}
`,
	"pipeline.yaml": `schema: relseal/pipeline/v1
card: {id: demo, author: release@example.test}
steps:
  - {id: build, run: [sh, -c, echo demo >out/demo], outputs: [out/demo]}
`,
	"params.yaml": `schema: relseal/params/v1
card: {id: demo, author: release@example.test}
params: []
`,
}

// TestKeys runs the years of docs/keys.md, block after block, in one directory.
func TestKeys(t *testing.T) {
	relseal(t)
	need(t, "sh")
	f := folder{dir: t.TempDir()}
	for name, text := range keysProject {
		f.write(t, name, text)
	}
	said := map[string]string{} // by section
	section := ""
	for _, b := range blocks(t, keysPage) {
		if b.before != "<!-- run -->" || b.lang != "sh" {
			t.Fatalf("%s:%d: the block is not run", keysPage, b.line)
		}
		if b.section != section {
			// Years pass between sections; times of a root have whole seconds.
			time.Sleep(1100 * time.Millisecond)
			section = b.section
		}
		e := execute(t, f.dir, nil, "sh", "-eu", "-c", b.text)
		if e.code != 0 {
			t.Fatalf("%s:%d: exit %d of\n%s\n%s", keysPage, b.line, e.code, b.text, e)
		}
		said[b.section] += e.stdout
	}
	for section, want := range map[string][]string{
		"Year one: the ceremony":                {"missing: 1 signature", "root: 2 of 3 must sign", "release.canary: 2 of 3 must sign", "(alice-root)"},
		"Year one: the first release":           {"E_THRESHOLD", "VERIFIED  release bundle", "allowed_signers"},
		"Year two: a new key for the CI system": {"VERIFIED     archive/demo-1.0.0.release.tar.zst", "VERIFIED     archive/demo-2.0.0.release.tar.zst"},
		"Year three: a leaver":                  {"retired  SHA256:", "VERIFIED     archive/demo-2.0.0.release.tar.zst"},
		"Year four: a lost laptop":              {"UNDECIDABLE  demo-1.0.0.release.tar.zst  E_THRESHOLD", "2 bundles: 2 VERIFIED"},
		"Year five: a compromise":               {"REJECT       demo-2.0.0.release.tar.zst  E_KEY_REVOKED", "VERIFIED     demo-1.0.0.release.tar.zst", "VERIFIED     archive/demo-2.0.1.release.tar.zst"},
	} {
		for _, w := range want {
			if !strings.Contains(said[section], w) {
				t.Errorf("%s: nothing says %q:\n%s", section, w, said[section])
			}
		}
	}
}
