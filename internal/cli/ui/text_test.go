package ui

import (
	"os/exec"
	"testing"

	"github.com/relseal/relseal/internal/hint"
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
		if got := hint.Quote(s); got != want {
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
		out, err := exec.Command(sh, "-c", "printf %s "+hint.Quote(s)).Output()
		if err != nil || string(out) != s {
			t.Errorf("%q comes out as %q, %v", s, out, err)
		}
	}
}
