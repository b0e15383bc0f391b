package cli

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/relseal/relseal/internal/cut"
	"github.com/relseal/relseal/verify"
)

func TestShellQuote(t *testing.T) {
	for s, want := range map[string]string{
		"dist/demo-1.0.0+b7.release.tar.zst": "dist/demo-1.0.0+b7.release.tar.zst",
		"":                                   "''",
		"two words":                          "'two words'",
		"it's":                               `'it'\''s'`,
		"$(reboot)":                          "'$(reboot)'",
		"a*b?[c]":                            "'a*b?[c]'",
		"~root":                              "'~root'",
		"=ls":                                "'=ls'",
		"-rf":                                "./-rf",
		"-two words":                         "'./-two words'",
		"käse":                               "'käse'",
		"line\nbreak":                        "'line\nbreak'",
		`back\slash`:                         `'back\slash'`,
	} {
		if got := shellQuote(s); got != want {
			t.Errorf("%q is pasted as %s, want %s", s, got, want)
		}
	}
}

// TestShellQuoteShell asks a shell.
func TestShellQuoteShell(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no POSIX shell is installed")
	}
	for _, s := range []string{"plain", "", "two words", "it's", `"`, "$HOME", "`id`", "a;b", "~", "*", "#x", "!", "{a,b}", `\`, "é\t\n!"} {
		out, err := exec.Command(sh, "-c", "printf %s "+shellQuote(s)).Output()
		if err != nil || string(out) != s {
			t.Errorf("%q comes out as %q, %v", s, out, err)
		}
	}
}

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
