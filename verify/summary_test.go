package verify_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/relseal/relseal/internal/cireport"
	"github.com/relseal/relseal/internal/testbundle"
	"github.com/relseal/relseal/verify"
)

// Nothing that stands in a bundle or its copy reaches a terminal or a CI system
// as it is: no escape, no control character of either set, nothing that turns
// text around or takes no room.
func TestTextIsEscaped(t *testing.T) {
	const nasty = "\x1b[2J\u009b31m\u202etxt\u200b\u2066\x7f"
	r := demo()
	r.Events[0]["actor"] = nasty
	r.Events[2]["notes"] = nasty
	signed := r.Seal()
	copyFile := filepath.Join(t.TempDir(), "copy.tar")
	if err := os.WriteFile(copyFile, signed.Tar(), 0o644); err != nil {
		t.Fatal(err)
	}
	copied, err := verify.LoadReference(copyFile)
	if err != nil {
		t.Fatal(err)
	}
	edited := lines(signed, func(l []string) []string {
		l[1] = strings.Replace(l[1], `31m`, `32m`, 1)
		return l
	})
	named := signed.Clone()
	named["artifacts/\x1b]0;title\a"] = nil
	for name, tar := range map[string][]byte{"event": edited.Tar(), "path": named.Tar(), "zstd": testbundle.Zstd(edited.Tar())} {
		r, err := verify.Bytes(tar, verify.Options{Keys: damage{}.trusted(t), Against: copied})
		if err != nil || r.Valid {
			t.Fatalf("%s: %v, %v", name, r, err)
		}
		if name == "event" && !strings.Contains(r.Summary(), `u009b31m`) {
			t.Errorf("the summary does not show the member that differs:\n%s", r.Summary())
		}
		xml, err := cireport.JUnit([]cireport.Result{{Name: "b", Report: r}})
		if err != nil {
			t.Fatal(err)
		}
		sarif, err := cireport.SARIF("1.0.0", []cireport.Result{{Name: "b", Report: r}})
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range [][]byte{[]byte(r.Summary()), xml, sarif} {
			if i := bytes.IndexFunc(text, func(c rune) bool { return !unicode.IsPrint(c) && c != '\n' }); i >= 0 {
				t.Errorf("%s: %q", name, text[max(0, i-30):i+10])
			}
		}
	}
}
