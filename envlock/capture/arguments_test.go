//go:build unix

package capture

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/relseal/relseal/internal/hint"
)

func TestSecretArgument(t *testing.T) {
	token := "ghp_" + "0123456789abcdefghijABCDEFGHIJ012345"
	for _, tt := range []struct{ before, arg, want string }{
		{"-H", "Authorization: Bearer " + "abcdef0123456789", "it looks like an authorization header"},
		{"push", "https://ci:hunter2@example.test/repo", "it looks like a URL with a password"},
		{"-ldflags", "-X main.token=" + token, "it looks like a GitHub token"},
		{"make", "TOKEN=hunter2", "its name"},
		{"login", "--password=hunter2", "its name"},
		{"login", "-db-password=hunter2", "its name"},
		{"-c", "PASSWORD=hunter2 make", "its name"},
		{"--token", "hunter2", "it follows"},
		{"--db-password", "hunter2", "it follows"},

		{"build", ".", ""},
		{"make", "VERSION=1.0.0", ""},
		{"make", "TOKEN=$(TOKEN)", ""},
		{"make", "TOKEN=", ""},
		{"login", "--password-stdin", ""},
		{"--password-stdin", "registry.example.test", ""},
		{"login", "--password-file=secret.txt", ""},
		{"--private-key", "release.key", ""},
		{"--token", "--verbose", ""},
		{"--token=hunter2", "run", ""},
		{"-token", "hunter2", ""}, // a short option takes no name
		{"--max-tokenizers", "4", ""},
		{"-o", "out/" + strings.Repeat("0123456789abcdef", 4), ""},
	} {
		if got := secretArgument(tt.before, tt.arg); !strings.HasPrefix(got, tt.want) || got != "" && tt.want == "" {
			t.Errorf("%q after %q: %q, want %q", tt.arg, tt.before, got, tt.want)
		}
	}
}

// Arguments are refused together with all else, by number; what is allowed by
// number or name is recorded.
func TestArguments(t *testing.T) {
	env := maps.Clone(fakeEnv)
	env["NOTES"] = "ghp_" + "0123456789abcdefghijABCDEFGHIJ012345"
	try := func(allow ...string) error {
		_, err := capture(t, fakeMachine, fakeProject, env, func(r *Request) {
			r.Env, r.Args, r.AllowSecrets = []string{"NOTES", "A_TOKEN"}, []string{"deploy", "--token", "hunter2", "TOKEN=hunter2"}, allow
		})
		return err
	}
	err := try()
	want := []string{
		`variable "A_TOKEN": its name looks like that of a credential`,
		`variable "NOTES": its value looks like a GitHub token`,
		`argument 2: it follows an option that looks like that of a credential`,
		`argument 3: its name looks like that of a credential`,
	}
	if err == nil || err.Error() != strings.Join(want, "\n") || !errors.Is(err, ErrSecret) || !strings.Contains(hint.Of(err), "--allow-secret") {
		t.Errorf("got:\n%v\n%s\nwant:\n%s", err, hint.Of(err), strings.Join(want, "\n"))
	}
	if err := try("NOTES", "A_TOKEN", "2", "3"); err != nil {
		t.Errorf("with all allowed: %v", err)
	}
	if err, rest := try("A_TOKEN", "3"), strings.Join(want[1:3], "\n"); err == nil || err.Error() != rest {
		t.Errorf("with two allowed:\n%v\nwant:\n%s", err, rest)
	}
}
