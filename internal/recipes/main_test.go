package recipes

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

const repository = "../.."

// work is where everything that the tests share is made.
var work string

func TestMain(m *testing.M) {
	var err error
	if work, err = os.MkdirTemp("", "relseal-recipes-"); err == nil {
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

// relseal returns the directory of the program, built once.
func relseal(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: builds the program and releases projects with it")
	}
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(bin)
}

var build = sync.OnceValues(func() (string, error) {
	bin := filepath.Join(work, "bin", "relseal")
	if runtime.GOOS == "windows" {
		bin += ".exe"
	}
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", bin, "./cmd/relseal")
	cmd.Dir = repository
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return bin, nil
})

// need skips a test where a program of other people is absent.
func need(t *testing.T, tools ...string) {
	t.Helper()
	for _, name := range tools {
		if !installed(name) {
			t.Skipf("%s is not installed", name)
		}
	}
}

func installed(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}

// An ended process.
type ended struct {
	code           int
	stdout, stderr string
}

func (e ended) String() string { return e.stdout + e.stderr }

// execute runs a program in dir, with relseal on its PATH and the variables over
// those of machine. Only a program that cannot be started, or dies of a signal,
// fails the test.
func execute(t *testing.T, dir string, variables []string, program string, args ...string) ended {
	t.Helper()
	bin := relseal(t)
	if program == "relseal" { // which exec.Command looks for on the PATH of the test
		program = filepath.Join(bin, program)
	}
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = dir, append(machine(bin), variables...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() < 0) {
		t.Fatalf("%s: %v\n%s%s", cmd, err, stdout.String(), stderr.String())
	}
	return ended{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// must is execute for what has to end well; it returns standard output.
func must(t *testing.T, dir string, variables []string, program string, args ...string) string {
	t.Helper()
	e := execute(t, dir, variables, program, args...)
	if e.code != 0 {
		t.Fatalf("exit %d of %s %q\n%s", e.code, program, args, e)
	}
	return e.stdout
}

// machine is the environment that a test starts from: what programs need to run,
// and nothing of the repository, the CI system or the settings around the test.
func machine(bin string) []string {
	env := []string{
		"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"),
		"GIT_CEILING_DIRECTORIES=" + filepath.Dir(work), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull,
	}
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		switch name {
		case "HOME", "TMPDIR", "GOCACHE", "GOPATH", "GOMODCACHE", "GOPROXY", "GOTOOLCHAIN", // go
			"SystemRoot", "USERPROFILE", "LOCALAPPDATA", "TEMP", "TMP", "PATHEXT": // Windows
			env = append(env, v)
		}
	}
	return env
}
