package recipes

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/keys/private"
)

const passphrase = "correct horse battery staple"

// TestActions runs the shell parts of the example's workflow, in order and as
// GitHub would for a tag, and looks at what would be uploaded.
func TestActions(t *testing.T) {
	w := newWorkspace(t)
	job := w.runner.run(t, w.steps)
	for name, e := range job.steps {
		if e.code != 0 {
			t.Fatalf("step %q: exit %d\n%s", name, e.code, e)
		}
	}
	if !slices.Equal(job.uploaded, []string{"hello-1.2.0.audit.tar.zst", "hello-1.2.0.release.tar.zst"}) {
		t.Fatalf("uploads %q", job.uploaded)
	}
	w.noSecrets(t)

	audit, release := filepath.Join(w.dir, "dist", "hello-1.2.0.audit.tar.zst"), filepath.Join(w.dir, "dist", "hello-1.2.0.release.tar.zst")
	report := verified(t, release, w.public)
	for _, claim := range []string{"run.source", "run.outcome", "release.evidence", "artifacts.intact"} {
		if !report.claims(claim) {
			t.Errorf("the release does not claim %s", claim)
		}
	}
	var manifest struct {
		Product, Version, Commit string
		Provenance               struct{ Audit []string }
	}
	files := bundleFiles(t, release)
	if err := json.Unmarshal(files["manifest.json"], &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.Product != "hello" || manifest.Version != "1.2.0" || manifest.Commit != w.commit {
		t.Errorf("the release is of %s %s, commit %s, want hello 1.2.0, commit %s", manifest.Product, manifest.Version, manifest.Commit, w.commit)
	}
	if id := verified(t, audit, w.public).Bundle.ID; !slices.Equal(manifest.Provenance.Audit, []string{id}) {
		t.Errorf("the release rests on %q, want %s", manifest.Provenance.Audit, id)
	}
	start := runStart(t, audit)
	want := `{"actor":"octocat","commit":"` + w.commit + `","run":"1658821493","system":"github-actions","url":"https://github.com/octo-org/hello/actions/runs/1658821493/attempts/2"}`
	if start.Actor != "octocat" || string(start.Details.CI) != want || start.Details.Source.Commit != w.commit {
		t.Errorf("the record begins with %+v, want octocat and\n%s", start, want)
	}
	built := bundleFiles(t, audit)["artifacts/dist/hello"]
	if !strings.Contains(string(built), `echo "hello 1.2.0"`) {
		t.Errorf("the evidence holds another program:\n%s", built)
	}
}

// TestActionsFail: of a build that fails there is a record and no release, the
// job fails with the exit code of the build, and the key is removed.
func TestActionsFail(t *testing.T) {
	w := newWorkspace(t)
	replace(t, filepath.Join(w.dir, "check.sh"), `echo "ok"`, `exit 3`)
	job := w.runner.run(t, w.steps)
	if e := job.steps["Build on the record"]; e.code != 2 || !strings.Contains(e.stderr, "Error 3") { // make's own code
		t.Errorf("the build ends with %d\n%s", e.code, e)
	}
	if e := job.steps["Seal the record"]; e.code != 0 {
		t.Errorf("the record is not sealed: exit %d\n%s", e.code, e)
	}
	if !slices.Equal(job.uploaded, []string{"hello-1.2.0.audit.tar.zst"}) {
		t.Fatalf("uploads %q", job.uploaded)
	}
	w.noSecrets(t)
	report := verified(t, filepath.Join(w.dir, "dist", "hello-1.2.0.audit.tar.zst"), w.public)
	if !slices.ContainsFunc(report.Claims, func(c claim) bool { return strings.HasSuffix(c.Text, "run.outcome: failed") }) {
		t.Errorf("the record does not say that the run failed: %+v", report.Claims)
	}
}

// TestActionsOtherKey: a secret that is not of the key in the repository is found,
// and no release is uploaded.
func TestActionsOtherKey(t *testing.T) {
	w := newWorkspace(t)
	other, err := private.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.public, other.Public().PEM(), 0o644); err != nil {
		t.Fatal(err)
	}
	job := w.runner.run(t, w.steps)
	if e := job.steps["Verify as others will"]; e.code != 2 || !strings.Contains(e.stdout, "E_KEY_UNKNOWN") {
		t.Errorf("exit %d, want 2\n%s", e.code, e)
	}
	if !slices.Equal(job.uploaded, []string{"hello-1.2.0.audit.tar.zst"}) {
		t.Errorf("uploads %q, want no release", job.uploaded)
	}
}

// TestActionsForm holds what makes the workflow one to copy.
func TestActionsForm(t *testing.T) {
	w, steps := readWorkflow(t, filepath.Join(repository, "examples/github-actions", workflowFile))
	if len(w.Permissions) != 1 || w.Permissions["contents"] != "read" {
		t.Errorf("permissions %v; reading the sources is enough", w.Permissions)
	}
	if w.Defaults.Run.Shell != "bash" {
		t.Errorf("the shell is %q: not the one that these tests run", w.Defaults.Run.Shell)
	}
	if !slices.Equal(w.On.Push.Tags, []string{"v*"}) {
		t.Errorf("it runs on the tags %q", w.On.Push.Tags)
	}
	pinned := regexp.MustCompile(`^[\w-]+/[\w-]+@[0-9a-f]{40}$`)
	for _, s := range steps {
		if s.Uses != "" && !pinned.MatchString(s.Uses) {
			t.Errorf("%s is not pinned by its commit", s.Uses)
		}
		// An expression is pasted into the script before the shell reads it: a branch's
		// name could be a command.
		if strings.Contains(s.Run, "${{") {
			t.Errorf("step %q: the script has an expression; hand it over in env", s.Name)
		}
		if s.Name == "Install relseal" && !strings.HasSuffix(strings.TrimSpace(s.Run), "/cmd/relseal@v"+version(t)) {
			t.Errorf("another version is installed than the one that these tests run: %s", s.Run)
		}
	}
}

const workflowFile = ".github/workflows/release.yml"

// A workspace is the example in a repository of its own, with a key made
// beforehand, and a GitHub around it.
type workspace struct {
	dir, public, commit string
	steps               []step
	runner              runner
	secret              []byte // the private key's file
	temp                string // RUNNER_TEMP
	seen                string // what programs were given: arguments and variables
}

func newWorkspace(t *testing.T) *workspace {
	t.Helper()
	bin := relseal(t)
	need(t, "bash", "git", "make", "sed")
	w := &workspace{dir: copyExample(t, "github-actions"), temp: t.TempDir(), seen: filepath.Join(t.TempDir(), "seen")}
	var safe string
	safe, w.public = makeKey(t, []byte(passphrase))
	data, err := os.ReadFile(safe)
	if err != nil {
		t.Fatal(err)
	}
	w.secret = data
	copyFile(t, filepath.Join(w.dir, "release.pub"), w.public)
	w.public = filepath.Join(w.dir, "release.pub")
	w.commit = commitAll(t, w.dir)

	path := spies(t, w.seen, filepath.Join(bin, "relseal"), "make") + string(os.PathListSeparator) + bin + string(os.PathListSeparator) + os.Getenv("PATH")
	_, w.steps = readWorkflow(t, filepath.Join(w.dir, workflowFile))
	w.runner = runner{
		dir: w.dir,
		// https://docs.github.com/actions/reference/workflows-and-actions/variables
		variables: []string{
			"PATH=" + path, "CI=true", "GITHUB_ACTIONS=true", "GITHUB_ACTOR=octocat", "GITHUB_SHA=" + w.commit,
			"GITHUB_REF=refs/tags/v1.2.0", "GITHUB_REF_NAME=v1.2.0", "GITHUB_REF_TYPE=tag", "GITHUB_REPOSITORY=octo-org/hello",
			"GITHUB_RUN_ID=1658821493", "GITHUB_RUN_ATTEMPT=2", "GITHUB_SERVER_URL=https://github.com",
			"GITHUB_JOB=release", "GITHUB_WORKSPACE=" + w.dir, "RUNNER_TEMP=" + w.temp,
		},
		values: map[string]string{"secrets.RELSEAL_KEY": string(bytes.TrimSpace(data)), "secrets.RELSEAL_PASSPHRASE": passphrase},
		skip:   []string{"Install relseal"}, // fetches the released program; the one under test is on PATH
	}
	return w
}

// noSecrets holds that neither the key nor its passphrase was given to a program
// as an argument or to the build as a variable, and that none is left behind.
func (w *workspace) noSecrets(t *testing.T) {
	t.Helper()
	seen, err := os.ReadFile(w.seen)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"relseal: run wrap ", "make: check VERSION=1.2.0", "make has GITHUB_SHA="} {
		if !strings.Contains(string(seen), want) {
			t.Fatalf("what programs were given has no %q:\n%s", want, seen)
		}
	}
	body := strings.Split(string(w.secret), "\n")[1]
	for _, secret := range []string{passphrase, body} {
		if strings.Contains(string(seen), secret) {
			t.Errorf("a program was given a secret:\n%s", seen)
		}
	}
	if left, err := os.ReadDir(w.temp); err != nil || len(left) != 1 || left[0].Name() != "run" {
		t.Errorf("%v is left, %v; want the record alone", left, err)
	}
}

// spies returns a directory with programs that note the arguments they are given,
// the second and later ones their variables too, and then become what they are
// named after.
func spies(t *testing.T, note string, programs ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i, program := range programs {
		real, err := exec.LookPath(program)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(program)
		script := fmt.Sprintf("#!/bin/sh\necho \"%s: $*\" >>'%s'\n", name, note)
		if i > 0 {
			script += fmt.Sprintf("env | sed 's/^/%s has /' >>'%s'\n", name, note)
		}
		script += fmt.Sprintf("exec '%s' \"$@\"\n", real)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
