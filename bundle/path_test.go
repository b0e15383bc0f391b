package bundle

import (
	"slices"
	"strings"
	"testing"
)

func TestCheckPath(t *testing.T) {
	good := []string{
		"manifest.json", "a", "A/b/c", "0", "_", "+", "@x", "=", "~", "a.", "a..b", "a-", "cards/param.json",
		"artifacts/greetd-1.0.0+linux_amd64~rc1@x=y", strings.Repeat("a", 100), strings.Repeat("a/", 49) + "ab",
	}
	for _, p := range good {
		if err := CheckPath(p); err != nil {
			t.Error(err)
		}
	}
	bad := []string{
		"", "/", "/a", "//a", "a/", "a//b", ".", "..", "./a", "../a", "a/..", "a/../b", "a/./b", ".hidden", "a/.b",
		"-rf", "a/-b", "a b", "a\x00b", "a\nb", "a\\b", "C:a", "a:b", "a*b", "a?b", "é", "а", "a\xff", "a\x7f", "a\u200bb",
		"$(x)", "a;b", "a'b", `a"b`, "a%b", "a,b", "a#b", "a!b", "(a)", "[a]", "{a}", "a|b", "a<b", "a&b", "a^b", "a`b",
		strings.Repeat("a", 101),
	}
	for _, p := range bad {
		err := CheckPath(p)
		if err == nil {
			t.Errorf("CheckPath(%q) = nil", p)
			continue
		}
		for _, c := range err.Error() {
			if c < ' ' || c > '~' {
				t.Errorf("CheckPath(%q): %q is not printable ASCII", p, err)
			}
		}
	}
	if err := CheckPath(strings.Repeat("\xff", 1<<20)); len(err.Error()) > 2000 {
		t.Errorf("the error about a long path has %d bytes", len(err.Error()))
	}
}

func TestOrder(t *testing.T) {
	want := []string{"manifest.json", "sig/bundle.id.sig", "sig/by/x", "SHA256SUMS", "VERIFY.md", "a", "manifest.jsom", "sig", "sigh", "z"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, compare)
	if !slices.Equal(got, want) {
		t.Errorf("order %q, want %q", got, want)
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct{ paths, want string }{
		{"a b c/d c/e c/f/g", ""},
		{"a a", "occurs twice"},
		{"c/d a c/d", "occurs twice"},
		{"README ReadMe", "differs from README in case alone"},
		{"a/b A/c", "the directory A differs from a in case alone"},
		{"a/B/x a/b/y", "the directory a/b differs from a/B in case alone"},
		{"a a/b", "lies below a, which is a file"},
		{"A a/b/c", "lies below A, which is a file"},
		{"a/b a", "the path is a file, and the directory a of another"},
		{"a/b/c A/B", "the path is a file, and the directory a/b of another"},
		{"a/b/c a/b/d a/b", "the path is a file, and the directory a/b of another"},
	} {
		var n names
		var fault *Error
		for _, p := range strings.Fields(c.paths) {
			if fault != nil {
				t.Errorf("%s: %v, before the last path", c.paths, fault)
			}
			fault = n.add(p)
		}
		switch {
		case fault == nil && c.want != "":
			t.Errorf("%s: no fault, want %q", c.paths, c.want)
		case fault != nil && (c.want == "" || !strings.Contains(fault.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.paths, fault, c.want)
		}
	}
}
