package ciinfo

import (
	"maps"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
)

const commit = "0123456789abcdef0123456789abcdef01234567"

var github = map[string]string{
	"GITHUB_ACTIONS": "true", "GITHUB_SHA": commit, "GITHUB_ACTOR": "octocat", "GITHUB_RUN_ID": "1658821493", "GITHUB_RUN_ATTEMPT": "1",
	"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "octo-org/octo-repo",
}

var gitlab = map[string]string{
	"GITLAB_CI": "true", "CI_COMMIT_SHA": commit, "GITLAB_USER_LOGIN": "alice", "CI_PIPELINE_ID": "77",
	"CI_JOB_URL": "https://gitlab.example.test/group/project/-/jobs/9",
}

var buildkite = map[string]string{
	"BUILDKITE": "true", "BUILDKITE_COMMIT": commit, "BUILDKITE_BUILD_CREATOR": "Keith Pitt", "BUILDKITE_BUILD_ID": "4735ba57",
	"BUILDKITE_BUILD_URL": "https://buildkite.com/acme-inc/my-project/builds/1514", "BUILDKITE_JOB_ID": "e44f9784",
}

// with returns vars with other variables, given as name, value, name, value...;
// the value "-" takes one away.
func with(vars map[string]string, changes ...string) map[string]string {
	vars = maps.Clone(vars)
	for i := 0; i < len(changes); i += 2 {
		if vars[changes[i]] = changes[i+1]; changes[i+1] == "-" {
			delete(vars, changes[i])
		}
	}
	return vars
}

func TestDetect(t *testing.T) {
	hub := func(commit, actor, run, url string) string {
		return `{"actor":` + actor + `,"commit":` + commit + `,"run":` + run + `,"system":"github-actions","url":` + url + `}`
	}
	const (
		sha   = `"` + commit + `"`
		octo  = `"octocat"`
		id    = `"1658821493"`
		where = `"https://github.com/octo-org/octo-repo/actions/runs/1658821493"`
	)
	for name, tt := range map[string]struct {
		vars map[string]string
		want string
	}{
		"a desk":           {map[string]string{"GITHUB_SHA": commit, "CI": "true"}, "null"},
		"not quite":        {with(github, "GITHUB_ACTIONS", "false"), "null"},
		"GitHub":           {github, hub(sha, octo, id, where)},
		"a second attempt": {with(github, "GITHUB_RUN_ATTEMPT", "2"), hub(sha, octo, id, `"https://github.com/octo-org/octo-repo/actions/runs/1658821493/attempts/2"`)},
		"no run":           {with(github, "GITHUB_RUN_ID", "-"), hub(sha, octo, "null", "null")},
		"no repository":    {with(github, "GITHUB_REPOSITORY", "", "GITHUB_RUN_ATTEMPT", "3"), hub(sha, octo, id, "null")},
		"no web address":   {with(github, "GITHUB_SERVER_URL", "ssh://github.com"), hub(sha, octo, id, "null")},
		"odd values":       {with(github, "GITHUB_SHA", commit[1:], "GITHUB_ACTOR", "octo\x1b[2Jcat"), hub("null", "null", id, where)},
		"another script":   {with(github, "GITHUB_ACTOR", "Jürgen Groß"), hub(sha, `"Jürgen Groß"`, id, where)},
		"an order mark":    {with(github, "GITHUB_ACTOR", "octo\u202ecat"), hub(sha, "null", id, where)},
		"not UTF-8":        {with(github, "GITHUB_ACTOR", "octo\xffcat"), hub(sha, "null", id, where)},
		"a huge value":     {with(github, "GITHUB_ACTOR", strings.Repeat("o", 1025)), hub(sha, "null", id, where)},
		"upper case":       {with(github, "GITHUB_SHA", strings.ToUpper(commit)), hub(sha, octo, id, where)},
		"a SHA-256 commit": {with(github, "GITHUB_SHA", strings.Repeat("0a", 32)), hub(`"`+strings.Repeat("0a", 32)+`"`, octo, id, where)},
		"GitLab": {gitlab, `{"actor":"alice","commit":` + sha + `,"run":"77","system":"gitlab-ci",` +
			`"url":"https://gitlab.example.test/group/project/-/jobs/9"}`},
		"Buildkite": {buildkite, `{"actor":"Keith Pitt","commit":` + sha + `,"run":"4735ba57","system":"buildkite",` +
			`"url":"https://buildkite.com/acme-inc/my-project/builds/1514#e44f9784"}`},
		"a symbolic commit, no job": {with(buildkite, "BUILDKITE_COMMIT", "HEAD", "BUILDKITE_JOB_ID", "-"), `{"actor":"Keith Pitt","commit":null,"run":"4735ba57","system":"buildkite",` +
			`"url":"https://buildkite.com/acme-inc/my-project/builds/1514"}`},
	} {
		got, err := canon.Marshal(Detect(func(name string) (string, bool) { v, ok := tt.vars[name]; return v, ok }))
		if err != nil || string(got) != tt.want {
			t.Errorf("%s:\n%s, %v, want\n%s", name, got, err, tt.want)
		}
	}
}
