package verify_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// kinds are the ways in which a bundle can be damaged, and the vectors that show
// them. Those with a copy inside a release have it under nested-.
var kinds = []struct {
	kind    string
	nested  bool
	vectors string
}{
	{"event edited", true, "event-edited event-edited-rehashed event-edited-relinked trail-line-broken"},
	{"event deleted", true, "event-deleted"},
	{"event inserted", true, "event-inserted"},
	{"event reordered", true, "events-reordered"},
	{"event duplicated", true, "event-duplicated"},
	{"tail cut", true, "trail-tail-cut trail-torn"},
	{"head cut", true, "trail-head-cut"},
	{"two runs spliced that the same key signed", true, "runs-spliced event-of-another-run trail-of-another-run"},
	{"signature swapped between events", true, "signatures-swapped"},
	{"id swapped between events", true, "ids-swapped"},
	{"head changed", true, "head-changed"},
	{"genesis replaced", true, "genesis-edited genesis-of-another-run"},
	{"sequence wrong", false, "sequence-wrong event-after-close"},
	{"run id wrong", false, "run-id-wrong manifest-of-another-run"},
	{"manifest member changed", true, "manifest-edited manifest-spaces manifest-schema manifest-replaced"},
	{"file added", true, "file-added file-added-sig"},
	{"file missing", true, "file-missing manifest-missing signature-missing"},
	{"file swapped", true, "files-swapped"},
	{"file renamed to a look-alike", true, "file-renamed container-name-case"},
	{"file changed", true, "file-changed sums-changed"},
	{"artifact changed", true, "artifact-changed"},
	{"card replaced by a valid one of another run", true, "pipeline-card-replaced param-card-replaced"},
	{"EnvLock replaced by a valid one of another run", true, "envlock-replaced envlock-changed"},
	{"card or EnvLock of another run sealed", false, "card-of-another-run envlock-of-another-run event-of-another-card event-of-another-environment"},
	{"bundle.id of another bundle", true, "signatures-of-another-bundle"},
	{"sig_bundle of another bundle", true, "signature-of-another-bundle signature-changed signature-wrapper-changed"},
	{"key inside the bundle replaced", true, "key-replaced"},
	{"older bundle", false, "release-older"},
	{"wrong key given", false, "key-unknown event-edited-key-unknown release-evidence-key-unknown"},
	{"weak key given", false, "key-weak"},
	{"nested bundle missing or another", false, "release-evidence-missing release-evidence-swapped release-evidence-edited"},
	{"container", true, "container-cut container-header container-skippable container-trailing container-two-frames"},
}

// Every kind of damage has a vector, and none of these is VERIFIED.
func TestEveryKindHasAVector(t *testing.T) {
	for _, k := range kinds {
		for _, name := range strings.Fields(k.vectors) {
			names := []string{name}
			if k.nested {
				names = append(names, "nested-"+name)
			}
			for _, name := range names {
				v := readVector(t, filepath.Join(vectorDir, name+".json"))
				if v.Expect.Exit == 0 || v.Expect.Verdict == "VERIFIED" {
					t.Errorf("%s: %s may be VERIFIED", k.kind, name)
				}
				if _, err := os.Stat(filepath.Join(vectorDir, v.Bundle)); err != nil {
					t.Errorf("%s: %v", k.kind, err)
				}
			}
		}
	}
}

// No other key than the one that signed makes any vector VERIFIED: not another
// one, not a weak one, not none.
func TestWrongKeys(t *testing.T) {
	files, err := filepath.Glob(vectorDir + "/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, file := range files {
		v := readVector(t, file)
		if strings.Contains(v.Bundle, "good-new-key") {
			v.Keys = []string{"keys/release.pub"} // signed by the other one
		} else {
			v.Keys = []string{"keys/other.pub"}
		}
		for _, trusted := range [][]string{v.Keys, {"keys/weak.pub"}, append(v.Keys, "keys/weak.pub"), nil} {
			v.Keys = trusted
			if r, err := v.verify(t); err == nil && (r.Valid || r.Verdict == "VERIFIED") {
				t.Errorf("%s with %q: %s", v.Title, trusted, r.Summary())
			}
		}
	}
}
