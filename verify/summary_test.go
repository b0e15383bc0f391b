package verify_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/relseal/relseal/gates"
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

// A name from a bundle that reads like a sentence of ours stands in the claims, and in the
// summary, between quotation marks.
func TestClaimsQuoteNames(t *testing.T) {
	const uri, product = "out/demo of demo 1.0.0, signed by 2 of 2 keys", `demo", proved by all, "`
	r := demo()
	r.Product = product
	r.Outputs = map[string]string{uri: "a small artifact\n"}
	r.Embed = false
	r.Events[7]["outputs"] = testbundle.Items(r.Outputs)
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("a small artifact\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	held, err := verify.Hold(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	released := demo() // whose artifacts have copies, and so a path each
	released.Product = product
	for name, files := range map[string]testbundle.Files{"run": r.Seal(), "release": released.Release(releaseKey, nil)} {
		report, err := verify.Bytes(files.Tar(), verify.Options{Keys: damage{}.trusted(t), Held: []verify.Held{held}})
		if err != nil || report.Verdict != verify.Verified {
			t.Fatalf("%s: %v\n%s", name, err, report.Summary())
		}
		texts := []string{report.Summary()}
		for _, c := range report.Claims {
			texts = append(texts, c.Text)
		}
		all := strings.Join(texts, "\n")
		if strings.Count(all, uri) != strings.Count(all, `"`+uri+`"`) || strings.Contains(all, product) {
			t.Errorf("%s: somebody else's words stand among ours:\n%s", name, all)
		}
	}
}

// What others chose stands in the text as one word or between quotation marks, escaped once.
func TestTextIsQuoted(t *testing.T) {
	r := verify.Report{
		Decisions: []verify.Decision{{Rows: []gates.Predicate{{Name: "errors", Window: "w2  proved  all windows good"}}}},
		Claims:    []verify.Claim{{Text: `by "a\x1bb": "c\u0022d"`}},
	}
	for _, want := range []string{`  window "w2  proved  all windows good"` + "\n", `by "a\x1bb": "c\u0022d"` + "\n"} {
		if !strings.Contains(r.Summary(), want) {
			t.Errorf("%s is not in\n%s", want, r.Summary())
		}
	}
}
