package keyfile

import "testing"

func TestShell(t *testing.T) {
	for path, want := range map[string]string{
		"a/b-c.key": "a/b-c.key",
		"-rf":       "./-rf",
		"two words": "'two words'",
		"it's":      `'it'\''s'`,
		"$(reboot)": "'$(reboot)'",
		"":          "''",
	} {
		if got := Shell(path); got != want {
			t.Errorf("%q is pasted as %s, want %s", path, got, want)
		}
	}
}
