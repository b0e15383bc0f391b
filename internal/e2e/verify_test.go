package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/verify"
)

// verifyBundle runs the program with an environment that has nothing in it.
func verifyBundle(t *testing.T, dir string, args ...string) ended {
	t.Helper()
	cmd := exec.Command(relseal(t), append([]string{"verify-bundle"}, args...)...)
	cmd.Dir, cmd.Env = dir, []string{}
	return run(t, cmd)
}

// TestVerify: a packed bundle and the unpacked one are VERIFIED, with the same
// report to the byte.
func TestVerify(t *testing.T) {
	q := quickstart(t)
	for _, file := range q.bundles {
		t.Run(kind(file), func(t *testing.T) {
			t.Parallel()
			work := t.TempDir()
			plain, files := read(t, file)
			lay(t, filepath.Join(work, "b"), files)
			if err := os.WriteFile(filepath.Join(work, "b.tar"), plain, 0o644); err != nil {
				t.Fatal(err)
			}
			copyFile(t, filepath.Join(work, "b.tar.zst"), file)

			packed := verifyBundle(t, work, "b.tar.zst", "--key", q.public, "--json")
			if packed.code != 0 || packed.stderr != "" {
				t.Fatalf("exit %d\n%s", packed.code, packed)
			}
			for _, name := range []string{"b", "b.tar", filepath.Join(work, "b"), file} {
				e := verifyBundle(t, work, "--json", "--key", q.public, name)
				if e.code != 0 || e.stdout != packed.stdout {
					t.Errorf("%s: exit %d and another report than b.tar.zst:\n%s\n%s", name, e.code, e, packed)
				}
			}

			var r verify.Report
			if err := json.Unmarshal([]byte(packed.stdout), &r); err != nil {
				t.Fatal(err)
			}
			id := map[string]string{"audit": q.said.Audit.ID, "release": q.said.Release.ID}[kind(file)]
			if !r.Valid || r.Verdict != verify.Verified || *r.Bundle.Kind != kind(file) || r.Bundle.ID.String() != id {
				t.Errorf("the report is of %+v, want VERIFIED of %s %s", r.Bundle, kind(file), id)
			}
			if len(r.Diag.Findings) != 0 {
				t.Errorf("findings: %+v", r.Diag.Findings)
			}
		})
	}
}

// TestVerifyWithoutNetwork runs the program where there is no network at all.
func TestVerifyWithoutNetwork(t *testing.T) {
	q := quickstart(t)
	need(t, "unshare", "sh", "wc", "grep")
	// No route leads anywhere, and no interface has an address.
	const alone = `test "$(wc -l < /proc/net/route)" -le 1 && ! grep -qs . /proc/net/if_inet6 && exec "$@"`
	unshare := []string{"-n"}
	if os.Getuid() != 0 {
		unshare = []string{"-rn"}
	}
	try := func(args ...string) ended {
		cmd := exec.Command("unshare", slices.Concat(unshare, []string{"sh", "-c", alone, "sh"}, args)...)
		return run(t, cmd)
	}
	if e := try("true"); e.code != 0 {
		t.Skipf("unshare makes no network namespace here: %s", e)
	}
	for _, file := range q.bundles {
		if e := try(relseal(t), "verify-bundle", file, "--key", q.public); e.code != 0 || !strings.HasPrefix(e.stdout, "VERIFIED ") {
			t.Errorf("%s: exit %d\n%s", kind(file), e.code, e)
		}
	}
}

// TestOneByteOfEachFile changes the quickstart's own bundles.
func TestOneByteOfEachFile(t *testing.T) {
	q := quickstart(t)
	for _, file := range q.bundles {
		t.Run(kind(file), func(t *testing.T) {
			t.Parallel()
			_, files := read(t, file)
			dir := filepath.Join(t.TempDir(), "b")
			lay(t, dir, files)
			for _, path := range files.Paths() {
				undo := rewrite(t, filepath.Join(dir, filepath.FromSlash(path)), flip)
				if e := verifyBundle(t, dir, ".", "--key", q.public); e.code != 2 || !strings.HasPrefix(e.stdout, "REJECT ") {
					t.Errorf("exit %d with a changed %s, want 2\n%s", e.code, path, e)
				}
				undo()
			}
			if e := verifyBundle(t, dir, ".", "--key", q.public); e.code != 0 {
				t.Errorf("exit %d with every file put back\n%s", e.code, e)
			}
		})
	}
}

// TestThirdParty: an empty folder, and in it the program, a bundle and a key.
func TestThirdParty(t *testing.T) {
	q := quickstart(t)
	for _, file := range q.bundles {
		t.Run(kind(file), func(t *testing.T) {
			t.Parallel()
			dir, bin := thirdParty(t, q, file)
			before := listing(t, dir)
			cmd := exec.Command(bin, "verify-bundle", filepath.Base(file), "--key", "release.pub")
			cmd.Dir, cmd.Env = dir, []string{}
			if e := run(t, cmd); e.code != 0 || !strings.HasPrefix(e.stdout, "VERIFIED ") || e.stderr != "" {
				t.Errorf("exit %d\n%s", e.code, e)
			}
			if after := listing(t, dir); !slices.Equal(before, after) {
				t.Errorf("verifying left %v, before there were %v", after, before)
			}
		})
	}
}

// TestThirdPartyWithNothingElse makes that folder the whole file system: no
// shared library, no /etc, no /tmp, no /dev.
func TestThirdPartyWithNothingElse(t *testing.T) {
	q := quickstart(t)
	need(t, "unshare")
	for _, file := range q.bundles {
		t.Run(kind(file), func(t *testing.T) {
			t.Parallel()
			dir, bin := thirdParty(t, q, file)
			inside := func(args ...string) ended {
				cmd := exec.Command("unshare", append([]string{"-rn", "-R", dir, "/" + filepath.Base(bin)}, args...)...)
				cmd.Env = []string{}
				return run(t, cmd)
			}
			if e := inside("version"); e.code != 0 {
				t.Skipf("unshare changes no root here: %s", e)
			}
			if e := inside("verify-bundle", "/"+filepath.Base(file), "--key", "/release.pub"); e.code != 0 || !strings.HasPrefix(e.stdout, "VERIFIED ") {
				t.Errorf("exit %d\n%s", e.code, e)
			}
		})
	}
}

// TestAnotherKey: who trusts another key is told that nothing was verified.
func TestAnotherKey(t *testing.T) {
	q := quickstart(t)
	for _, file := range q.bundles {
		e := verifyBundle(t, "", file, "--key", absolute(t, vectors+"/keys/other.pub"))
		if e.code != 2 || !strings.Contains(e.stdout, "E_KEY_UNKNOWN") || strings.Contains(e.stdout, "proved") {
			t.Errorf("%s: exit %d, want 2, E_KEY_UNKNOWN and no claim\n%s", kind(file), e.code, e)
		}
	}
}

func thirdParty(t *testing.T, q release, file string) (dir, bin string) {
	t.Helper()
	dir = t.TempDir()
	bin = filepath.Join(dir, filepath.Base(relseal(t)))
	copyFile(t, bin, relseal(t))
	copyFile(t, dir, file)
	copyFile(t, dir, q.public)
	if err := os.Chmod(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir, bin
}

func listing(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func absolute(t *testing.T, name string) string {
	t.Helper()
	abs, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}
