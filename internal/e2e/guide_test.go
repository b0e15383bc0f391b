package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/internal/testbundle"
)

// TestGuide runs the commands of each bundle's VERIFY.md as they stand, in the
// unpacked bundle and with the key where the page says.
func TestGuide(t *testing.T) {
	q := quickstart(t)
	for _, file := range q.bundles {
		t.Run(kind(file), func(t *testing.T) {
			t.Parallel()
			dir, blocks := layGuide(t, q, file)
			if key := strings.TrimSpace(blocks[0]); key != q.said.Key.ID {
				t.Errorf("the guide names the key %s, want %s", key, q.said.Key.ID)
			}
			var programs []string
			for _, block := range blocks[1:] {
				programs = append(programs, program(block))
				t.Run(program(block), func(t *testing.T) {
					if program(block) != "relseal" {
						need(t, program(block))
					}
					e := paste(t, dir, block)
					if e.code != 0 {
						t.Errorf("exit %d of\n%s\n%s", e.code, block, e)
					}
					if program(block) == "ssh-keygen" && !strings.Contains(e.stdout, q.said.Key.ID) {
						t.Errorf("ssh-keygen shows no %s:\n%s", q.said.Key.ID, e)
					}
				})
			}
			if want := []string{"relseal", "openssl", "ssh-keygen", "tr", "cosign"}; !slices.Equal(programs, want) {
				t.Errorf("the blocks start with %v, want %v", programs, want)
			}
		})
	}
}

// TestGuideWithoutRelseal: who follows the guide without relseal notices a change
// to any file, even when SHA256SUMS was made to fit it.
func TestGuideWithoutRelseal(t *testing.T) {
	need(t, "openssl", "ssh-keygen", "sha256sum")
	q := quickstart(t)
	for _, file := range q.bundles {
		t.Run(kind(file), func(t *testing.T) {
			t.Parallel()
			dir, blocks := layGuide(t, q, file)
			blocks = slices.DeleteFunc(blocks[1:], func(b string) bool { return program(b) == "relseal" || program(b) == "cosign" })
			for _, b := range blocks {
				if e := paste(t, dir, b); e.code != 0 {
					t.Fatalf("exit %d before any change of\n%s\n%s", e.code, b, e)
				}
			}
			_, files := read(t, file)
			for _, path := range files.Paths() {
				if path == "SHA256SUMS" || path == "sig/manifest.sigstore.json" {
					continue // only cosign reads the one and needs the other
				}
				changed := files.Clone()
				changed[path] = flip(slices.Clone(files[path]))
				lay(t, dir, testbundle.Files{path: changed[path], "SHA256SUMS": testbundle.Sums(changed)})
				if !slices.ContainsFunc(blocks, func(b string) bool { return paste(t, dir, b).code != 0 }) {
					t.Errorf("every command of the guide passes with a changed %s", path)
				}
				lay(t, dir, testbundle.Files{path: files[path], "SHA256SUMS": files["SHA256SUMS"]})
			}
		})
	}
}

// layGuide unpacks a bundle, puts the key beside it, and returns the indented
// blocks of its VERIFY.md.
func layGuide(t *testing.T, q release, file string) (dir string, blocks []string) {
	t.Helper()
	_, files := read(t, file)
	dir = filepath.Join(t.TempDir(), "b")
	lay(t, dir, files)
	copyFile(t, filepath.Dir(dir), q.public)
	copyFile(t, filepath.Dir(dir), q.ssh)
	var block []string
	for line := range strings.Lines(string(files["VERIFY.md"]) + "\n") {
		if code, ok := strings.CutPrefix(line, "    "); ok {
			block = append(block, code)
		} else if block != nil {
			blocks, block = append(blocks, strings.Join(block, "")), nil
		}
	}
	if len(blocks) == 0 {
		t.Fatal("VERIFY.md has no indented block")
	}
	return dir, blocks
}

// program is what a block of the guide is done with.
func program(block string) string {
	name, _, _ := strings.Cut(block, " ")
	return name
}

// paste runs a block of the guide in the plainest shell.
func paste(t *testing.T, dir, block string) ended {
	t.Helper()
	need(t, "sh")
	cmd := exec.Command("sh", "-eu", "-c", block)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(relseal(t))+string(os.PathListSeparator)+os.Getenv("PATH"))
	return run(t, cmd)
}
