package e2e

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

const (
	repository = "../.."
	vectors    = repository + "/testdata/vectors"
)

// whole says that sweeps take every step, or as many as all of them can have within some
// minutes. Otherwise each takes a sample, another one in each run.
var whole = os.Getenv("RELSEAL_WHOLE") != ""

var seed = flag.Uint64("seed", rand.Uint64(), "the seed of the samples: a test that fails names its own")

// chance draws the sample of a test.
func chance(t *testing.T) *rand.Rand {
	t.Helper()
	t.Logf("repeat this sample with -seed %d", *seed)
	h := fnv.New64a()
	h.Write([]byte(t.Name()))
	return rand.New(rand.NewPCG(*seed, h.Sum64()))
}

// atMost is how many steps a sweep takes.
func atMost(sample, all int) int {
	if whole {
		return all
	}
	return sample
}

// drawn returns the names of a table in an order of chance, half of them unless whole.
func drawn[T any](t *testing.T, table map[string]T) []string {
	t.Helper()
	names := slices.Sorted(maps.Keys(table))
	chance(t).Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	return names[:atMost((len(names)+1)/2, len(names))]
}

// work is where everything that the tests share is made.
var work string

func TestMain(m *testing.M) {
	var err error
	if work, err = os.MkdirTemp("", "relseal-e2e-"); err == nil {
		work, err = filepath.EvalSymlinks(work) // so that paths compare
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Setenv("RELSEAL_STATE_DIR", filepath.Join(work, "state")) // and not that of whoever runs the tests
	code := m.Run()
	os.RemoveAll(work)
	os.Exit(code)
}

// relseal returns the program, built once.
func relseal(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: builds the program and cuts projects with it")
	}
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

var build = sync.OnceValues(func() (string, error) {
	bin := filepath.Join(work, "bin", "relseal")
	if runtime.GOOS == "windows" {
		bin += ".exe"
	}
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", bin, "./cmd/relseal")
	cmd.Dir = repository
	// Without cgo it needs no file but itself, which one of the tests is about.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return bin, nil
})

// A release is what relseal cut made of a project.
type release struct {
	project string
	commit  string   // empty outside git
	bundles []string // the two files, the audit bundle first
	public  string   // the key, as PEM
	ssh     string   // the same in OpenSSH's form
	secret  string
	said    cutReport
}

// cutReport is what relseal cut --json says.
type cutReport struct {
	Schema, Product, Version, Run, Outcome string

	Key            struct{ ID, File string }
	Audit, Release struct{ File, ID, Verdict string }
}

// quickstart returns the example, copied elsewhere, in a repository of its own if there
// is git, and cut once.
func quickstart(t *testing.T) release {
	t.Helper()
	bin := relseal(t)
	need(t, "sh") // as its README says
	quickOnce.Do(func() {
		dir, commit := filepath.Join(work, "quickstart"), ""
		if errQuick = copyProject(dir, repository+"/examples/quickstart"); errQuick != nil {
			return
		}
		if _, err := exec.LookPath("git"); err == nil {
			commit = commitAll(t, dir)
		}
		quick, errQuick = cutProject(bin, dir)
		quick.commit = commit
	})
	if errQuick != nil {
		t.Fatal(errQuick)
	}
	if quick.project == "" {
		t.Fatal("the quickstart was not cut: see the test that tried first")
	}
	return quick
}

var (
	quickOnce sync.Once
	quick     release
	errQuick  error
)

// copyProject leaves behind what an earlier cut may have made in place.
func copyProject(to, from string) error {
	made := map[string]bool{"dist": true, "out": true, ".relseal": true}
	return fs.WalkDir(os.DirFS(from), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case made[name]:
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		}
		data, err := os.ReadFile(filepath.Join(from, name))
		return errors.Join(err, os.WriteFile(filepath.Join(to, name), data, 0o644))
	})
}

// cutProject runs relseal cut --new-key in a project.
func cutProject(bin, project string, env ...string) (release, error) {
	cmd := exec.Command(bin, "cut", "--new-key", "--json", project)
	cmd.Env = append(quiet(), env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return release{}, fmt.Errorf("relseal cut: %w\n%s%s", err, out, stderr.String())
	}
	r := release{project: project}
	if err := json.Unmarshal(out, &r.said); err != nil {
		return r, fmt.Errorf("relseal cut --json: %w\n%s", err, out)
	}
	r.public = r.said.Key.File
	stem := strings.TrimSuffix(r.public, ".pub")
	r.ssh, r.secret = stem+".ssh.pub", stem+".key"
	r.bundles = []string{r.said.Audit.File, r.said.Release.File}
	return r, nil
}

// quiet is the environment without what would make git see a repository, or
// settings, that the test did not make.
func quiet() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "GIT_") {
			env = append(env, v)
		}
	}
	return append(env, "GIT_CEILING_DIRECTORIES="+filepath.Dir(work), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull)
}
