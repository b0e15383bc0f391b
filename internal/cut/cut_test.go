package cut

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/relseal/relseal/internal/signer"
	"github.com/relseal/relseal/keys/private"
	"github.com/relseal/relseal/sign"
)

// lock stands for an EnvLock.
type lock struct{}

func (lock) Marshal() ([]byte, error) { return []byte("{}"), nil }

// ring has one new key.
type ring struct {
	key  *private.Key
	file string
}

func (r ring) Open(context.Context, signer.Request) (sign.Signer, error) { return r.key, nil }
func (r ring) Save(comment string) ([]string, error) {
	return private.WritePair(r.file, r.key, nil, comment)
}

// TestRunDoesNotBegin: of a run that cannot begin, neither its directory nor the
// key that was made for it is left; what was there before is.
func TestRunDoesNotBegin(t *testing.T) {
	dir := t.TempDir()
	earlier := filepath.Join(dir, ".relseal", "runs", "earlier")
	if err := os.MkdirAll(earlier, 0o755); err != nil {
		t.Fatal(err)
	}
	key, err := private.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &cut{
		Request: Request{Dir: dir, NewKey: true, Keys: ring{key, filepath.Join(dir, ".relseal/release.key")}},
		// A card without steps is refused, after the EnvLock has been written.
		p:    Project{Dir: dir, Config: Config{Product: "demo", KeyFile: ".relseal/release.key"}},
		lock: lock{},
		key:  key,
		out:  filepath.Join(dir, "dist"),
	}
	if err := c.run(t.Context()); err == nil {
		t.Fatal("a run began without steps")
	}
	if len(c.made) != 3 {
		t.Errorf("three files of the key were made, says %q", c.made)
	}
	for _, name := range c.made {
		if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left: %v", name, err)
		}
	}
	if runs, err := filepath.Glob(filepath.Join(dir, ".relseal", "runs", "*")); err != nil || !slices.Equal(runs, []string{earlier}) {
		t.Errorf("runs are %q, %v", runs, err)
	}
}

// TestExcept: what a cut writes is no change of the project, and the rest is.
func TestExcept(t *testing.T) {
	p := Project{Config: Config{Product: "demo", Output: "dist"}}
	if got, want := except(p), []string{":(exclude,literal).relseal", ":(exclude,literal)dist"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	p.Output = "./" // all of the project: the bundles in it, and nothing else
	if got, want := except(p), []string{":(exclude,literal).relseal", ":(exclude,glob)demo-*.audit.tar.zst", ":(exclude,glob)demo-*.release.tar.zst"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
