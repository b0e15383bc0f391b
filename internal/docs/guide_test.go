package docs

import (
	"testing"

	"github.com/relseal/relseal/internal/testbundle"
)

// The guide of the page is the one that bundles hold.
func TestGuide(t *testing.T) {
	for kind, f := range map[string]testbundle.Files{"audit": demo().Seal(), "release": demo().Release(releaseKey, nil)} {
		s := newSecond(t)
		s.kind = kind
		s.m, _ = readCanonical(f["manifest.json"])
		if got := s.guide(); got != string(f["VERIFY.md"]) {
			t.Errorf("%s: by the page it is\n%s\nin the bundle\n%s", kind, got, f["VERIFY.md"])
		}
	}
}
