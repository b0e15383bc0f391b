package cli

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/keys"
)

var update = flag.Bool("update", false, "write into the scripts what relseal prints, where they compare it as a whole")

// In a script, relseal is this test binary under another name. Its clock is ahead by
// $CLOCK_AHEAD, behind if that is negative, and says so of itself. agree FILE is trust
// sign by somebody who holds the first version of the same root, and has read FILE.
func TestMain(m *testing.M) {
	if os.Getenv("RELSEAL_TEST_FATAL") != "" {
		Main(context.Background(), []string{"relseal", "version"}, strings.NewReader(""), io.Discard, io.Discard)
		debug.SetMaxStack(1 << 20)
		os.Exit(endless(0))
	}
	testscript.Main(m, map[string]func(){
		"relseal": func() {
			if ahead, err := time.ParseDuration(os.Getenv("CLOCK_AHEAD")); err == nil {
				ui.SystemClock = func() audit.Clock { return wrongClock(ahead) }
			}
			p := Program{further: doubles}
			os.Exit(p.Main(context.Background(), os.Args, os.Stdin, os.Stdout, os.Stderr))
		},
		"relseal-ops": func() {
			p := Program{further: doubles, Drivers: map[string]ui.Driver{"double": drive}}
			os.Exit(p.Main(context.Background(), os.Args, os.Stdin, os.Stdout, os.Stderr))
		},
		"agree": func() {
			r, err := keys.ReadRoot(os.Args[1])
			if err != nil {
				panic(err)
			}
			args := append([]string{"relseal", "trust", "sign"}, os.Args[1:]...)
			if r.Version() > 1 {
				args = append(args, "--root", filepath.Join(filepath.Dir(os.Args[1]), "1.root.json"))
			}
			os.Exit(Main(context.Background(), append(args, "--hash", r.Hash().String()), os.Stdin, os.Stdout, os.Stderr))
		},
	})
}

// doubles are commands that need a driver: one that relseal-ops has, and one that it lacks.
func doubles(env *ui.Env) []*cli.Command {
	return []*cli.Command{
		{Name: "double", Hidden: true, Action: env.Driven("double"), Flags: []cli.Flag{&cli.IntFlag{Name: "code"}, ui.JSONFlag()}},
		{Name: "lacking", Hidden: true, Action: env.Driven("lacking"), Flags: []cli.Flag{ui.JSONFlag()}},
	}
}

// drive says what it was given, and ends as it is told.
func drive(env *ui.Env, c *cli.Context) error {
	in, err := io.ReadAll(env.Stdin)
	if err != nil {
		return err
	}
	fmt.Fprintf(env.Stdout, "driven: %q, read %q\n", c.Args().Slice(), in)
	env.Say("hint", "this is relseal-ops")
	if code := c.Int("code"); code != 0 {
		return &ui.Answer{Code: code}
	}
	return nil
}

type wrongClock time.Duration

func (c wrongClock) Now() (time.Time, int64, string) {
	return time.Now().Add(time.Duration(c)), 0, "00000000000000000000000000000000"
}

// TestScript runs the transcripts: what a user types, sees and gets. $VECTORS is
// the directory of the test vectors. Beside testscript's own commands there are
// those below; the condition [file:PATH] asks whether a file exists.
func TestScript(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the transcripts have the shell, the paths and the error texts of Unix")
	}
	vectors, err := filepath.Abs("../../testdata/vectors")
	if err != nil {
		t.Fatal(err)
	}
	deliverSignals()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("VECTORS", vectors)
			env.Setenv("RELSEAL_STATE_DIR", filepath.Join(env.WorkDir, ".state"))
			return nil
		},
		Condition: func(cond string) (bool, error) {
			name, ok := strings.CutPrefix(cond, "file:")
			if !ok {
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			_, err := os.Stat(name)
			return err == nil, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   command("exits CODE PROGRAM ARG...", exits),
			"json":    command("json FILE PATH VALUE", jsonValue),
			"mode":    command("mode OCTAL FILE...", mode),
			"flip":    command("flip FILE", flip),
			"unpack":  command("unpack BUNDLE DIR", unpack),
			"waitfor": command("waitfor FILE", waitFor),
			"gone":    command("gone FILE...", gone),
		},
	})
}

// deliverSignals lets signals reach the programs of the scripts where they do not
// reach this test: under nohup, or in the background of a shell, some are ignored,
// and a program starts with what its parent ignores. What is caught is not handed on.
func deliverSignals() {
	for _, s := range ui.Interrupts {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
}

// command makes a command of the scripts that has at least the arguments that its
// usage names, and cannot be negated.
func command(usage string, run func(*testscript.TestScript, []string)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		least := len(strings.Fields(usage)) - 1
		if strings.HasSuffix(usage, "ARG...") {
			least--
		}
		if neg || len(args) < least {
			ts.Fatalf("usage: %s", usage)
		}
		run(ts, args)
	}
}

// exits executes a program, which must exit with the code.
func exits(ts *testscript.TestScript, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// json compares a value inside a JSON file: a text as it is, anything else as
// compact JSON. The path is names and indices with dots between.
func jsonValue(ts *testscript.TestScript, args []string) {
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &v))
	for name := range strings.SplitSeq(args[1], ".") {
		switch at := v.(type) {
		case map[string]any:
			inner, ok := at[name]
			if !ok {
				ts.Fatalf("%s: no member %s", args[1], name)
			}
			v = inner
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(at) {
				ts.Fatalf("%s: no item %s of %d", args[1], name, len(at))
			}
			v = at[i]
		default:
			ts.Fatalf("%s: nothing is inside %v", args[1], v)
		}
	}
	got, ok := v.(string)
	if !ok {
		data, err := json.Marshal(v)
		ts.Check(err)
		got = string(data)
	}
	if got != args[2] {
		ts.Fatalf("%s is %s, want %s", args[1], got, args[2])
	}
}

// mode compares permissions.
func mode(ts *testscript.TestScript, args []string) {
	for _, file := range args[1:] {
		info, err := os.Stat(ts.MkAbs(file))
		ts.Check(err)
		if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
			ts.Fatalf("%s has mode %s, want %s", file, got, args[0])
		}
	}
}

// flip changes one bit in the middle of a file.
func flip(ts *testscript.TestScript, args []string) {
	file := ts.MkAbs(args[0])
	data, err := os.ReadFile(file)
	ts.Check(err)
	data[len(data)/2] ^= 1
	ts.Check(os.WriteFile(file, data, 0o644))
}

// unpack does what `tar --zstd -xf BUNDLE -C DIR` does, for which not
// every machine has the programs.
func unpack(ts *testscript.TestScript, args []string) {
	f, err := os.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer f.Close()
	z, err := zstd.NewReader(f)
	ts.Check(err)
	defer z.Close()
	r := tar.NewReader(z)
	for {
		h, err := r.Next()
		if err == io.EOF {
			return
		}
		ts.Check(err)
		name := filepath.Join(ts.MkAbs(args[1]), filepath.FromSlash(h.Name))
		ts.Check(os.MkdirAll(filepath.Dir(name), 0o755))
		data, err := io.ReadAll(r)
		ts.Check(err)
		ts.Check(os.WriteFile(name, data, 0o644))
	}
}

// waitFor waits until a file exists.
func waitFor(ts *testscript.TestScript, args []string) {
	for {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// gone holds that the processes whose numbers are in the files do not
// run. One that nobody has collected does not run: containers often have no init.
func gone(ts *testscript.TestScript, args []string) {
	for _, file := range args {
		pid := strings.TrimSpace(ts.ReadFile(file))
		state, err := exec.Command("ps", "-o", "stat=", "-p", pid).Output()
		if err == nil && !strings.HasPrefix(strings.TrimSpace(string(state)), "Z") {
			ts.Fatalf("process %s of %s is still there: %s", pid, file, state)
		}
	}
}
