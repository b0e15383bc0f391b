package ui

import "testing"

func TestSuggest(t *testing.T) {
	known := []string{"cut", "verify-bundle", "version"}
	for name, want := range map[string]string{
		"ctu":       `did you mean "cut"?`,
		"ver":       `did you mean "verify-bundle"?`,
		"versoin":   `did you mean "version"?`,
		"--version": `did you mean "version"?`,
		"bundle":    "otherwise",
		"":          "otherwise",
	} {
		if got := Suggest(name, known, "otherwise"); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}
