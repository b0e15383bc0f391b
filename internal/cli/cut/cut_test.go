package cut

import (
	"strings"
	"testing"

	"github.com/relseal/relseal/internal/cut"
	"github.com/relseal/relseal/verify"
)

// TestCutTextApart: where an artifact is too large to be in the bundle, the
// command that is printed says where it lies; without that nobody could verify.
func TestCutTextApart(t *testing.T) {
	bundle := &cut.Bundle{File: "dist/demo.release.tar.zst", Report: &verify.Report{Verdict: verify.Verified}}
	r := cut.Result{Product: "demo", Version: "1.0.0", Outcome: "ok", PublicFile: "release.pub", Audit: bundle, Release: bundle}
	const command = "\n  relseal verify-bundle dist/demo.release.tar.zst --key release.pub"
	if text := cutText(r); !strings.HasSuffix(text, command+"\n") {
		t.Errorf("want the command at the end of\n%s", text)
	}
	r.Apart = "my project"
	if text := cutText(r); !strings.HasSuffix(text, command+" --artifacts 'my project'\n") {
		t.Errorf("want the command with --artifacts at the end of\n%s", text)
	}
}
