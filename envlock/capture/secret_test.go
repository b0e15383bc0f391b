package capture

import (
	"strings"
	"testing"
)

func TestSecretName(t *testing.T) {
	for _, name := range []string{"GITHUB_TOKEN", "token", "npm_config_//registry/:_authToken", "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID",
		"DB_PASSWORD", "MYSQL_ROOT_PASSWD", "DB_PWD", "OPENAI_API_KEY", "apikey", "SSH_PRIVATE_KEY", "GOOGLE_APPLICATION_CREDENTIALS",
		"COSIGN_PASSPHRASE", "SIGNING_KEY", "NPM_AUTH", "MY_TOKEN_TOKENIZER"} {
		if !secretName(name) {
			t.Errorf("%s passes", name)
		}
	}
	for _, name := range []string{"PATH", "HOME", "CGO_ENABLED", "PWD", "OLDPWD", "SOURCE_DATE_EPOCH", "GIT_AUTHOR_NAME", "SSH_AUTH_SOCK",
		"TOKENIZERS_PARALLELISM", "LC_KEYBOARD", "KEYMAP", "GOFLAGS", "CI_COMMIT_SHA"} {
		if secretName(name) {
			t.Errorf("%s is refused", name)
		}
	}
}

func TestSecretValue(t *testing.T) {
	// The credentials are put together here so that no scanner takes this file for one.
	random := "q8Zr2LmX0vT7bKd4Yw1NsGfJ6hPc9RuEaV3iQo5x"
	tests := []struct{ value, want string }{
		{"-----BEGIN " + "OPENSSH PRIVATE KEY-----\nb3Blb", "a private key"},
		{"-----BEGIN " + "PRIVATE KEY-----\\nMC4C", "a private key"},
		{"AGE-SECRET-" + "KEY-1QQQQ", "a private key"},
		{"ghp_" + random[:36], "a GitHub token"},
		{"x=gho_" + random[:36] + ";", "a GitHub token"},
		{"https://github_pat_" + random + "@github.com/", "a GitHub token"},
		{"glpat-" + random[:20], "a GitLab token"},
		{"AKIA" + "IOSFODNN7EXAMPLE", "an AWS access key"},
		{"xoxb-" + "1234567890-abc", "a Slack token"},
		{"xoxp-" + "1234567890-abc", "a Slack token"},
		{"sk-" + random, "an API key"},
		{"sk-proj-" + random, "an API key"},
		{"sk_live_" + random, "an API key"},
		{"AIza" + random[:35], "an API key"},
		{"npm_" + random[:36], "a registry token"},
		{"eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0In0." + "c2ln", "a JSON web token"},
		{"Authorization: Bearer " + random[:20], "an authorization header"},
		{"basic dXNlcjpw" + "YXNzd29yZA==", "an authorization header"},
		{"https://user:" + "pass@example.test/repo", "a URL with a password"},
		{"redis://:" + "pass@example.test:6379", "a URL with a password"},
		{"a,postgres://u:" + "p%40ss@db/x?y", "a URL with a password"},
		{random, "a random key"},
		{"wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY", "a random key"},
		{"key=" + random + "==", "a random key"},
		{"--key=" + random, "a random key"},
		{"0f1e2d3c4b5a69788796a5b4c3d2e1f0", "a random key"}, // 128 bits in hexadecimal
		{"mfrggzdfmztwq2lknnwg23tpobyxe43u", "a random key"}, // base32

		{"", ""},
		{"1", ""},
		{"true", ""},
		{"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", ""},
		{"/nix/store/8pa3hcsk9q2vln2hfy0xd1cfq6x9kqpz-Python-2.38/lib", ""},
		{"-I/nix/store/8pa3hcsk9q2vln2hfy0xd1cfq6x9kqpz-Cython-2.38/lib -O2", ""},
		{"/Users/Jo/Go/Src/V2/A1/Lib/X86/B2/Out", ""},
		{"-trimpath -mod=readonly -ldflags=-buildid=", ""},
		{"-O2 -g -march=x86-64-v3 -DNDEBUG -DFoo=Bar2Baz3", ""},
		{"x86_64-unknown-linux-gnu", ""},
		{"https://modules.example.test,direct", ""},
		{"https://example.test:8080/path@v1.2.3", ""},
		{"http://proxy.example.test:3128", ""},
		{"ssh://git@example.test:22/x", ""},
		{"git@example.test:org/repo.git", ""},
		{"2f18e6b0c8d1e3f4a5968778695a4b3c2d1e0f9a", ""},              // a commit
		{strings.Repeat("0123456789abcdef", 4), ""},                   // a digest
		{"sha256:" + strings.Repeat("0123456789abcdef", 4), ""},       // a digest
		{"123e4567-e89b-12d3-a456-426614174000", ""},                  // a UUID
		{"example.test/app@sha256:" + strings.Repeat("ab12", 16), ""}, // an image
		{"task-learn-something-long-and-nice", ""},
		{"sk-learn-something-long-and-nice", ""},
		{"2024-05-03T10:11:12.123456Z", ""},
		{"12345678901234567890123456789012345678901234567890", ""},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1", ""},
		{"com.example.product.module.ClassNameFactoryImpl2", ""},
		{"feature/ABC-1234-Improve-HTTP2-and-TLS13-Handshake", ""},
	}
	for _, tt := range tests {
		if got := secretValue(tt.value); got != tt.want {
			t.Errorf("%q looks like %q, want %q", tt.value, got, tt.want)
		}
	}
}

func TestVariables(t *testing.T) {
	env := map[string]string{
		"PLAIN": " two  spaces ", "EMPTY": "", "TAB": "a\tb", "LF": "a\n", "DEL": "\x7f", "C1": "\u0085", "BAD": "\xff", "UTF8": "Größe",
		"LONG": strings.Repeat("x ", 40_000), "MY_PASSWORD": "x", "HIDDEN": "glpat-" + "01234567890123456789",
		"PEM": "-----BEGIN " + "PRIVATE KEY-----\nx",
	}
	tests := []struct {
		name         string
		allowSecrets bool
		want         string // the value, or what the problem says after "!"
	}{
		{"PLAIN", false, " two  spaces "},
		{"EMPTY", false, ""},
		{"UTF8", false, "Größe"},
		{"UNSET", false, "null"},
		{"TAB", false, "!control character"},
		{"LF", true, "!control character"},
		{"DEL", false, "!control character"},
		{"C1", false, "!control character"},
		{"BAD", true, "!not UTF-8"},
		{"LONG", true, "!longer than"},
		{"", false, "!not the name"},
		{"A=B", false, "!not the name"},
		{"Ä", false, "!not the name"},
		{"MY_PASSWORD", false, "!its name"},
		{"MY_PASSWORD", true, "x"},
		{"UNSET_SECRET", false, "!its name"},
		{"UNSET_SECRET", true, "null"},
		{"HIDDEN", false, "!its value looks like a GitLab token"},
		{"HIDDEN", true, "glpat-" + "01234567890123456789"},
		{"PEM", false, "!its value looks like a private key"},
		{"PEM", true, "!control character"},
	}
	for _, tt := range tests {
		m := &machine{lookup: lookup(env)}
		if tt.allowSecrets {
			m.allowSecrets = []string{tt.name}
		}
		var problems Problems
		vars := m.readVariables([]string{tt.name, tt.name}, &problems)
		if want, bad := strings.CutPrefix(tt.want, "!"); bad {
			if len(problems) != 1 || !strings.Contains(problems.Error(), want) || len(vars) > 0 {
				t.Errorf("%q: %v %v, want %q", tt.name, vars, problems, want)
			}
			if v := env[tt.name]; v != "" && tt.name != "MY_PASSWORD" && strings.Contains(problems.Error(), v) {
				t.Errorf("%q: its value is in the error", tt.name)
			}
			continue
		}
		v, ok := vars[tt.name]
		if v == nil && ok && tt.want == "null" {
			continue
		}
		if v == nil || *v != tt.want || len(problems) > 0 {
			t.Errorf("%q: %v %v, want %q", tt.name, vars, problems, tt.want)
		}
	}
}
