//go:build unix

package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/relseal/relseal/internal/cli"
)

const bare = "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(\"started\") }\n"

// BenchmarkStart compares the processor time of commands that have little to do with
// that of a Go program which prints one line, in turn: "x bare" is the median of the
// ratios within a round. "x bare+work" adds to the bare program what the command does
// after its start, measured by calling it a second time in one process.
//
//	go test ./cmd/relseal -run XXX -bench Start -benchtime 51x
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	program := filepath.Join(dir, "relseal")
	write(b, filepath.Join(dir, "bare.go"), bare)
	output(b, dir, "go", "build", "-o", "bare", "bare.go")
	output(b, ".", "go", "build", "-o", program, ".")
	write(b, filepath.Join(dir, "env.src"), `{"schema":"relseal/envlock/v1","locks":[],"variables":{},"env":{"os":{"name":"demo"},"kernel":{},"libc":{},"compilers":{},"runtimes":{},"drivers":{},"firmware":{},"containers":{},"hw":{},"backend":{},"options":{}}}`)
	write(b, filepath.Join(dir, "p.yaml"), "schema: relseal/pipeline/v1\ncard: {id: p, author: a}\nsteps: [{id: s, run: [make]}]\n")
	write(b, filepath.Join(dir, "q.yaml"), "schema: relseal/params/v1\ncard: {id: q, author: a}\nparams: []\n")
	write(b, filepath.Join(dir, "env.json"), output(b, dir, program, "canon", "env.src"))
	output(b, dir, program, "key", "generate", "--out", "k.key", "--no-passphrase")
	output(b, dir, program, "trail", "start", "run", "--envlock", "env.json", "--pipeline", "p.yaml", "--params", "q.yaml", "--key", "k.key")
	sample, err := filepath.Abs("../../testdata/frozen/2026-11-30")
	if err != nil {
		b.Fatal(err)
	}
	commands := map[string][]string{
		"version": {"version"},
		"help":    {"--help"},
		"verify":  {"verify-bundle", filepath.Join(sample, "demo.audit.tar.zst"), "--key", filepath.Join(sample, "release.pub")},
		"append":  {"trail", "append", filepath.Join(dir, "run"), "--key", filepath.Join(dir, "k.key"), "--action", "note", "--actor", "ci"},
	}
	for _, name := range []string{"version", "help", "verify", "append"} {
		args := append([]string{program}, commands[name]...)
		b.Run(name, func(b *testing.B) {
			here(b, args) // what is made at the first use is there from now on
			var toBare, toBoth, times []float64
			for b.Loop() {
				start := child(b, filepath.Join(dir, "bare"))
				whole := child(b, args...)
				work := here(b, args)
				toBare = append(toBare, float64(whole)/float64(start))
				toBoth = append(toBoth, float64(whole)/float64(start+work))
				times = append(times, float64(whole)/1e6)
			}
			b.ReportMetric(median(times), "CPU-ms")
			b.ReportMetric(median(toBare), "x-bare")
			b.ReportMetric(median(toBoth), "x-bare+work")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func write(b *testing.B, name, text string) {
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
}

func output(b *testing.B, dir string, args ...string) string {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("%s: %v", strings.Join(args, " "), err)
	}
	return string(out)
}

// child returns the processor time of a program, its start included.
func child(b *testing.B, args ...string) time.Duration {
	cmd := exec.Command(args[0], args[1:]...)
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%s: %v: %s", strings.Join(args, " "), err, out)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// here returns the processor time of a command in this process.
func here(b *testing.B, args []string) time.Duration {
	var stderr bytes.Buffer
	before := used(b)
	if code := cli.Main(b.Context(), args, strings.NewReader(""), io.Discard, &stderr); code != 0 {
		b.Fatalf("%s: exit code %d: %s", strings.Join(args, " "), code, &stderr)
	}
	return used(b) - before
}

func used(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}
