package recipes

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

const page = repository + "/docs/recipes.md"

// The marks of the page's blocks: a comment on the line before, or words that
// everybody reads.
//
//	<!-- run -->             run in the section's folder
//	<!-- run: WHEN -->       run by the test of that part
//	<!-- file: NAME -->      the content of that file of the folder
//	<!-- in: PATH -->        stands in that file of the repository
//	Not run: WHY.
var mark = regexp.MustCompile(`^<!-- (run|file|in)(?:: (.+?))? -->$`)

// marked returns a block's kind of mark and what it says. A block without one
// would be a command that nobody has tried.
func (b block) marked(t *testing.T) (kind, what string) {
	t.Helper()
	if why, ok := strings.CutPrefix(b.before, "Not run: "); ok {
		return "not run", why
	}
	m := mark.FindStringSubmatch(b.before)
	if m == nil || m[1] != "run" && m[2] == "" {
		t.Fatalf("%s:%d: the block is neither marked as run nor as not run", page, b.line)
	}
	return m[1], m[2]
}

// A folder is where the blocks of a section are run.
type folder struct {
	dir   string
	parts map[string]block // those of the section that are run by a test of their own, by what their mark says
}

// sectionFolder makes the folder of a section, with the files that the page gives
// it and the key of the first section.
func sectionFolder(t *testing.T, section string) folder {
	t.Helper()
	relseal(t)
	f := folder{t.TempDir(), map[string]block{}}
	f.key(t)
	found := false
	for _, b := range blocks(t, page) {
		if b.section != section {
			continue
		}
		found = true
		switch kind, what := b.marked(t); {
		case kind == "file":
			f.write(t, what, b.text)
		case kind == "run" && what != "":
			f.parts[what] = b
		}
	}
	if !found {
		t.Fatalf("%s has no section %q with a block", page, section)
	}
	return f
}

// key makes the key as the first section says.
func (f folder) key(t *testing.T) {
	t.Helper()
	f.run(t, plain(t, "A key")...)
}

// plain returns the blocks of a section that are run one after the other.
func plain(t *testing.T, section string) (list []block) {
	t.Helper()
	for _, b := range blocks(t, page) {
		if kind, what := b.marked(t); b.section == section && kind == "run" && what == "" {
			list = append(list, b)
		}
	}
	if list == nil {
		t.Fatalf("%s: section %q has no block that is run", page, section)
	}
	return list
}

// run runs blocks, each in a shell of its own, as they stand.
func (f folder) run(t *testing.T, list ...block) (out string) {
	t.Helper()
	need(t, "sh")
	for _, b := range list {
		e := execute(t, f.dir, nil, "sh", "-eu", "-c", b.text)
		if e.code != 0 {
			t.Fatalf("%s:%d: exit %d of\n%s\n%s", page, b.line, e.code, b.text, e)
		}
		out += e.stdout
	}
	return out
}

func (f folder) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(f.path(name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (f folder) path(name string) string { return filepath.Join(f.dir, name) }

// verified holds that a bundle in the folder verifies with the folder's key.
func (f folder) verified(t *testing.T, name string) report {
	t.Helper()
	return verified(t, f.path(name), f.path("release.pub"))
}

// sections has a test for every section with blocks that are run; a part of one
// that its own test runs is "SECTION: WHEN".
var sections = map[string]func(*testing.T){
	"A key":                      testKey,
	"A shell script":             testShellScript,
	"make":                       testMake,
	"Verify in CI as a consumer": testConsumer,
	"Keep the private key safe":  testKeySafe,

	"A shell script: after a build that fails": testShellScriptFails,
	"A shell script: in place of record.sh":    testOneEventOneCommand,
	"GitLab CI and Buildkite: gitlab-ci":       testGitLab,
	"GitLab CI and Buildkite: buildkite":       testBuildkite,
}

// TestRecipes runs all of them, and holds that no block is left out.
func TestRecipes(t *testing.T) {
	relseal(t)
	seen := map[string]bool{}
	for _, b := range blocks(t, page) {
		kind, what := b.marked(t)
		name := strings.TrimSuffix(b.section+": "+what, ": ")
		switch {
		case kind == "in":
			data, err := os.ReadFile(filepath.Join(repository, filepath.FromSlash(what)))
			if err != nil || !strings.Contains(string(data), b.text) {
				t.Errorf("%s:%d: the block does not stand in %s, %v", page, b.line, what, err)
			}
		case kind != "run" || seen[name]:
		case sections[name] == nil:
			t.Errorf("%s:%d: no test runs %q", page, b.line, name)
		default:
			seen[name] = true
			t.Run(name, sections[name])
		}
	}
	if len(seen) != len(sections) {
		t.Errorf("the page has %d of the %d parts that are tested", len(seen), len(sections))
	}
}

func testKey(t *testing.T) {
	f := folder{t.TempDir(), nil}
	f.key(t)
	must(t, f.dir, nil, "relseal", "key", "check", "release.key")
}

// hello is what the page builds prints.
const hello = "Hello, world!\n"

func testShellScript(t *testing.T) {
	need(t, "sed", "sha256sum")
	f := sectionFolder(t, "A shell script")
	f.run(t, plain(t, "A shell script")...)

	report := f.verified(t, "hello.release.tar.zst")
	if report.Bundle.Kind != "release" || !report.claims("run.outcome") {
		t.Errorf("the report is %+v", report)
	}
	for bundle, all := range map[string][]event{"hello.audit.tar.zst": events(t, f.path("hello.audit.tar.zst")), "told.audit.tar.zst": events(t, f.path("told.audit.tar.zst"))} {
		f.verified(t, bundle)
		step := map[string]string{"hello.audit.tar.zst": "command", "told.audit.tar.zst": "build"}[bundle]
		if got, want := actions(all), "run.start step.start:"+step+" step.end:"+step+" run.end trail.close"; got != want {
			t.Errorf("%s records %s, want %s", bundle, got, want)
		}
		if in, out := all[1].Inputs.Items, all[2].Outputs.Items; len(in) != 2 || in[0].URI != "build.sh" || in[1].URI != "hello.in" || len(out) != 1 || out[0].URI != "hello" {
			t.Errorf("%s: inputs %+v, outputs %+v", bundle, in, out)
		}
		if all[3].Status != "ok" {
			t.Errorf("%s: the run ended %s", bundle, all[3].Status)
		}
	}
}

// testShellScriptFails: what the page says of a build that fails, in both forms.
func testShellScriptFails(t *testing.T) {
	need(t, "sed", "sha256sum")
	f := sectionFolder(t, "A shell script")
	f.write(t, "build.sh", ": > hello\necho broken >&2\nexit 4\n")
	wrap, rest, ok := strings.Cut(plain(t, "A shell script")[0].text, "relseal bundle release")
	if !ok {
		t.Fatalf("the first block of the section seals no release:\n%s", wrap)
	}
	wrap, seal, _ := strings.Cut(wrap, "relseal bundle audit")
	if e := execute(t, f.dir, nil, "sh", "-c", wrap); e.code != 4 || e.stderr != "broken\n" {
		t.Errorf("the wrapped command ends with %d and prints %q, want 4 and what the build prints alone", e.code, e)
	}
	must(t, f.dir, nil, "sh", "-c", "relseal bundle audit"+seal)
	if all := events(t, f.path("hello.audit.tar.zst")); all[3].Status != "failed" {
		t.Errorf("the run ended %s", all[3].Status)
	}
	release, _, _ := strings.Cut(rest, "relseal verify-bundle")
	if e := execute(t, f.dir, nil, "sh", "-c", "relseal bundle release"+release); e.code != 66 {
		t.Errorf("a release over a build that failed: exit %d\n%s", e.code, e)
	}

	if e := execute(t, f.dir, nil, "sh", "record.sh"); e.code != 2 || !strings.Contains(e.stderr, "step build has not") {
		t.Errorf("record.sh ends with %d\n%s", e.code, e)
	}
	f.run(t, f.parts["after a build that fails"])
	must(t, f.dir, nil, "relseal", "bundle", "audit", "told", "--key", "release.key", "--out", "told.audit.tar.zst")
	f.verified(t, "told.audit.tar.zst")
	if got, want := actions(events(t, f.path("told.audit.tar.zst"))), "run.start step.start:build run.end trail.close"; got != want {
		t.Errorf("recorded is %s, want %s", got, want)
	}
}

func testOneEventOneCommand(t *testing.T) {
	need(t, "sed")
	f := sectionFolder(t, "A shell script")
	f.run(t, f.parts["in place of record.sh"])
	must(t, f.dir, nil, "relseal", "bundle", "audit", "told", "--key", "release.key", "--out", "told.audit.tar.zst")
	f.verified(t, "told.audit.tar.zst")
	if got, want := actions(events(t, f.path("told.audit.tar.zst"))), "run.start step.start:build step.end:build run.end trail.close"; got != want {
		t.Errorf("recorded is %s, want %s", got, want)
	}
}

func testMake(t *testing.T) {
	need(t, "make", "sed")
	f := sectionFolder(t, "make")
	f.helloIn(t)
	f.write(t, "hello", "an old one\n") // which has to be made again
	f.run(t, plain(t, "make")...)
	f.verified(t, "hello-1.1.0.release.tar.zst")
	if out := must(t, f.dir, nil, "./hello"); out != hello {
		t.Errorf("hello prints %q", out)
	}
	if e := execute(t, f.dir, nil, "make", "release", "VERSION=1.1.0"); e.code == 0 {
		t.Errorf("a version is released twice\n%s", e)
	}
}

// helloIn puts the source of the section about the shell script into f.
func (f folder) helloIn(t *testing.T) {
	t.Helper()
	copyFile(t, f.path("hello.in"), sectionFolder(t, "A shell script").path("hello.in"))
}

const commit = "0123456789abcdef0123456789abcdef01234567"

func testGitLab(t *testing.T) {
	// https://docs.gitlab.com/ci/variables/predefined_variables/
	variables := []string{"GITLAB_CI=true", "CI_COMMIT_SHA=" + commit, "CI_COMMIT_TAG=v1.2.0", "GITLAB_USER_LOGIN=alice", "CI_PIPELINE_ID=77", "CI_JOB_URL=https://gitlab.example.test/demo/-/jobs/9"}
	said := `{"actor":"alice","commit":"` + commit + `","run":"77","system":"gitlab-ci","url":"https://gitlab.example.test/demo/-/jobs/9"}`
	testJob(t, "gitlab-ci", variables, said, func(text string) string {
		var jobs map[string]struct{ Script string }
		parse(t, text, &jobs)
		return jobs["release"].Script
	})
}

func testBuildkite(t *testing.T) {
	// https://buildkite.com/docs/pipelines/configure/environment-variables
	variables := []string{"BUILDKITE=true", "BUILDKITE_COMMIT=" + commit, "BUILDKITE_TAG=v1.2.0", "BUILDKITE_BUILD_CREATOR=bob", "BUILDKITE_BUILD_ID=b1", "BUILDKITE_BUILD_URL=https://buildkite.com/acme/demo/builds/3", "BUILDKITE_JOB_ID=j2"}
	said := `{"actor":"bob","commit":"` + commit + `","run":"b1","system":"buildkite","url":"https://buildkite.com/acme/demo/builds/3#j2"}`
	testJob(t, "buildkite", variables, said, func(text string) string {
		var p struct {
			Steps []struct {
				Command string
				Secrets []string
			}
		}
		parse(t, text, &p)
		if len(p.Steps) != 1 || !slices.Equal(p.Steps[0].Secrets, []string{"RELSEAL_KEY", "RELSEAL_PASSPHRASE"}) {
			t.Fatalf("%+v: not one step with the two secrets", p)
		}
		if strings.Contains(strings.ReplaceAll(p.Steps[0].Command, "$$", ""), "$") {
			t.Errorf("%s: a single $ is filled in before the job", p.Steps[0].Command)
		}
		return strings.ReplaceAll(p.Steps[0].Command, "$$", "$")
	})
}

// testJob runs the command that a CI system's file names, with the variables that
// the system documents and a key with a passphrase.
func testJob(t *testing.T, part string, variables []string, said string, command func(text string) string) {
	need(t, "bash", "make", "sed", "mktemp")
	f := sectionFolder(t, "GitLab CI and Buildkite")
	f.helloIn(t)
	copyFile(t, f.path("Makefile"), sectionFolder(t, "make").path("Makefile"))
	private, public := makeKey(t, []byte(passphrase))
	copyFile(t, f.path("release.pub"), public)
	secret, err := os.ReadFile(private)
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	env := append(variables, "TMPDIR="+temp, "RELSEAL_KEY="+strings.TrimSpace(string(secret)), "RELSEAL_PASSPHRASE="+passphrase)
	must(t, f.dir, env, "bash", "-eo", "pipefail", "-c", command(f.parts[part].text))

	f.verified(t, "hello-1.2.0.release.tar.zst")
	var manifest struct{ Commit string }
	parse(t, string(bundleFiles(t, f.path("hello-1.2.0.release.tar.zst"))["manifest.json"]), &manifest)
	if manifest.Commit != commit {
		t.Errorf("the release names commit %q", manifest.Commit)
	}
	if start := runStart(t, f.path("hello-1.2.0.audit.tar.zst")); string(start.Details.CI) != said {
		t.Errorf("recorded of the job is %s, want %s", start.Details.CI, said)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func parse(t *testing.T, text string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), into); err != nil {
		t.Fatal(err)
	}
}

func testConsumer(t *testing.T) {
	need(t, "sed", "sha256sum")
	maker := sectionFolder(t, "A shell script")
	maker.run(t, plain(t, "A shell script")[0])
	const section = "Verify in CI as a consumer"
	f := sectionFolder(t, section)
	receive := func(name string) { copyFile(t, f.path(name), maker.path(name)) }
	receive("hello.release.tar.zst")
	receive("release.pub")
	if out := f.run(t, plain(t, section)...); !strings.HasSuffix(out, hello) {
		t.Errorf("the program of the bundle does not print %q:\n%s", hello, out)
	}
	for _, name := range []string{"relseal.xml", "report.json"} {
		if _, err := os.Stat(f.path(name)); err != nil {
			t.Error(err)
		}
	}

	// What must not get through: another version, another key, another byte. None of
	// the commands after it is then run.
	for name, spoil := range map[string]func(){
		"version": func() {},
		"key":     func() { _, public := makeKey(t, nil); copyFile(t, f.path("release.pub"), public) },
		"byte": func() {
			data, err := os.ReadFile(f.path("hello.release.tar.zst"))
			if err != nil {
				t.Fatal(err)
			}
			data[len(data)/2] ^= 1
			f.write(t, "hello.release.tar.zst", string(data))
		},
	} {
		for _, made := range []string{"relseal.xml", "report.json", "hello-1.0.0"} {
			if err := os.RemoveAll(f.path(made)); err != nil {
				t.Fatal(err)
			}
		}
		receive("hello.release.tar.zst")
		receive("release.pub")
		spoil()
		text := plain(t, section)[0].text
		if name == "version" {
			text = strings.ReplaceAll(text, "version=1.0.0", "version=1.0.1")
		}
		e := execute(t, f.dir, nil, "sh", "-eu", "-c", text)
		if _, err := os.Stat(f.path("hello-1.0.0")); e.code != 2 || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("another %s: exit %d, want 2 and nothing unpacked, %v\n%s", name, e.code, err, e)
		}
	}
}

func testKeySafe(t *testing.T) {
	const section = "Keep the private key safe"
	f := sectionFolder(t, section)
	private, public := makeKey(t, []byte(passphrase))
	copyFile(t, f.path("release.key"), private)
	copyFile(t, f.path("release.pub"), public)
	f.write(t, "passphrase.txt", passphrase+"\n")
	f.run(t, plain(t, section)...)
	must(t, f.dir, nil, "relseal", "trail", "verify", "run", "--key", "release.pub")
	if err := os.Chmod(f.path("release.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	if e := execute(t, f.dir, nil, "relseal", "key", "check", "release.key"); e.code != 2 {
		t.Errorf("a key that others can read: exit %d\n%s", e.code, e)
	}
}
