package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relseal/relseal/verify"
)

// TestOutsideGit: there is git, and the project is in no repository.
func TestOutsideGit(t *testing.T) {
	bin := relseal(t)
	need(t, "git", "sh")
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "demo")
	if err := copyProject(dir, "testdata/demo"); err != nil {
		t.Fatal(err)
	}
	r, err := cutProject(bin, dir)
	if err != nil {
		t.Fatal(err)
	}
	checkSource(t, r, "", "")
}

// TestInsideGit: the quickstart was cut in a repository that was just made.
func TestInsideGit(t *testing.T) {
	need(t, "git")
	q := quickstart(t)
	checkSource(t, q, q.commit, "its source was commit "+q.commit)

	// What a cut leaves behind may be committed: the secret is not part of it.
	if added := git(t, q.project, "add", "--dry-run", "."); !strings.Contains(added, ".pub") || strings.Contains(added, ".key") || strings.Contains(added, "runs/") {
		t.Errorf("git add . takes in\n%s", added)
	}
}

// TestChangedInGit: a project that records local changes says so.
func TestChangedInGit(t *testing.T) {
	bin := relseal(t)
	need(t, "git", "sh")
	dir := filepath.Join(t.TempDir(), "demo")
	if err := copyProject(dir, "testdata/demo"); err != nil {
		t.Fatal(err)
	}
	commit := commitAll(t, dir)
	if _, err := cutProject(bin, dir); err != nil {
		t.Fatal(err)
	}
	rewrite(t, filepath.Join(dir, "source.txt"), func(b []byte) []byte { return append(b, "more\n"...) })
	again := func() ended {
		cmd := exec.Command(bin, "cut", "--version", "1.0.1", dir)
		cmd.Env = quiet()
		return run(t, cmd)
	}
	if e := again(); e.code != 66 || !strings.Contains(e.stderr, "not committed") || exists(t, dir, "dist/demo-1.0.1.audit.tar.zst") {
		t.Errorf("exit %d of a changed project, want 66 and no bundle\n%s", e.code, e)
	}
	rewrite(t, filepath.Join(dir, "relseal.yaml"), func(b []byte) []byte {
		return []byte(strings.Replace(string(b), "dirty: refuse", "dirty: record", 1))
	})
	if e := again(); e.code != 0 {
		t.Fatalf("exit %d with dirty: record\n%s", e.code, e)
	}
	r := release{public: filepath.Join(dir, ".relseal", "release.pub")}
	for _, kind := range []string{"audit", "release"} {
		r.bundles = append(r.bundles, filepath.Join(dir, "dist", "demo-1.0.1."+kind+".tar.zst"))
	}
	checkSource(t, r, commit, "its source was commit "+commit+" with uncommitted changes")
}

// TestWithoutGit: where there is no git program, as where there is nothing but a
// shell, a cut works and has no commit.
func TestWithoutGit(t *testing.T) {
	bin := relseal(t)
	need(t, "sh")
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	path, dir := t.TempDir(), filepath.Join(t.TempDir(), "demo")
	if err := os.Symlink(sh, filepath.Join(path, "sh")); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	if err := copyProject(dir, "testdata/demo"); err != nil {
		t.Fatal(err)
	}
	r, err := cutProject(bin, dir, "PATH="+path)
	if err != nil {
		t.Fatal(err)
	}
	checkSource(t, r, "", "")
}

// checkSource holds what both bundles say of the commit: the manifest of the
// release, and the claims about the run.
func checkSource(t *testing.T, r release, commit, claim string) {
	t.Helper()
	for _, file := range r.bundles {
		e := verifyBundle(t, "", file, "--key", r.public, "--json")
		var report verify.Report
		if err := json.Unmarshal([]byte(e.stdout), &report); err != nil || !report.Valid {
			t.Fatalf("%s: %v, exit %d\n%s", file, err, e.code, e)
		}
		var claims []string
		for _, c := range report.Claims {
			if c.ID == "run.source" {
				claims = append(claims, c.Text)
			}
		}
		if claim == "" && claims != nil || claim != "" && (len(claims) != 1 || !strings.HasSuffix(claims[0], claim)) {
			t.Errorf("%s: claims about the source %q, want %q", kind(file), claims, claim)
		}
		if kind(file) != "release" {
			continue
		}
		_, files := read(t, file)
		var manifest struct{ Commit *string }
		if err := json.Unmarshal(files["manifest.json"], &manifest); err != nil {
			t.Fatal(err)
		}
		switch {
		case commit == "" && manifest.Commit != nil:
			t.Errorf("the release names commit %s outside git", *manifest.Commit)
		case commit != "" && (manifest.Commit == nil || *manifest.Commit != commit):
			t.Errorf("the release does not name commit %s: %s", commit, files["manifest.json"])
		}
	}
}

// commitAll makes a repository of dir and returns its only commit.
func commitAll(t *testing.T, dir string) string {
	t.Helper()
	git(t, dir, "init", "-q")
	git(t, dir, "add", ".")
	git(t, dir, "-c", "user.name=release", "-c", "user.email=release@example.test", "commit", "-q", "-m", "demo")
	return strings.TrimSpace(git(t, dir, "rev-parse", "HEAD"))
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = dir, quiet()
	e := run(t, cmd)
	if e.code != 0 {
		t.Fatalf("git %v: exit %d\n%s", args, e.code, e)
	}
	return e.stdout
}

func exists(t *testing.T, dir, name string) bool {
	t.Helper()
	_, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(name)))
	return err == nil
}
