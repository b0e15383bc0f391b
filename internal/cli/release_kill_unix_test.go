//go:build unix

package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/relseal/relseal/gates/ledger"
	"github.com/relseal/relseal/internal/pack"
	"github.com/relseal/relseal/release"
)

// TestPromoteKilled kills promote at many moments, most of them around the events that
// it writes. A bundle that has its name is on record; the next call finishes what was
// begun, to the same bytes; and after a rollback no bundle appears.
func TestPromoteKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: starts the program a hundred times")
	}
	k := newKilled(t)
	want, took := k.whole(t)
	moments := 6
	if os.Getenv("RELSEAL_WHOLE") != "" {
		moments = 60
	}
	for i := range moments {
		at := took * time.Duration(i) / time.Duration(moments)
		k.trial(t, fmt.Sprintf("after %d of %d", i, moments), want, func(string) { time.Sleep(at) })
		k.trial(t, "when the bundle has its name", want, func(ledger string) {
			until(func() bool {
				_, err := os.Stat(filepath.Join(filepath.Dir(ledger), "stable.release.tar.zst"))
				return err == nil
			})
		})
		for lines := 7; lines <= 8; lines++ {
			k.trial(t, fmt.Sprintf("when the ledger has %d lines, %d", lines, i), want, func(ledger string) {
				until(func() bool {
					data, _ := os.ReadFile(ledger)
					return bytes.Count(data, []byte("\n")) >= lines
				})
				time.Sleep(time.Duration(i) * 200 * time.Microsecond)
			})
		}
	}
}

// until waits for something that comes within seconds.
func until(there func() bool) {
	for end := time.Now().Add(10 * time.Second); !there() && time.Now().Before(end); {
	}
}

// killed is a project in which a canary may be promoted.
type killed struct {
	dir    string
	ledger []byte
}

func newKilled(t *testing.T) *killed {
	k := &killed{dir: t.TempDir()}
	unpackScript(t, "init_ci.txtar", k.dir, "gates.yaml", "start.sh", "windows.sh")
	cmd := exec.Command("sh", "-ec", "sh start.sh; sh windows.sh 1 3 | relseal release observe ledger --windows - --release canary.release.tar.zst --key release.key")
	cmd.Dir, cmd.Env = k.dir, append(os.Environ(), "RELSEAL_STATE_DIR="+filepath.Join(k.dir, "state"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var err error
	if k.ledger, err = os.ReadFile(filepath.Join(k.dir, "ledger", "audit", "trail.jsonl")); err != nil {
		t.Fatal(err)
	}
	return k
}

// unpackScript writes files of a transcript into a directory.
func unpackScript(t testing.TB, script, dir string, files ...string) {
	data, err := os.ReadFile(filepath.Join("testdata", "script", script))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		_, text, _ := strings.Cut(string(data), "-- "+name+" --\n")
		text, _, _ = strings.Cut(text, "\n-- ")
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// fresh copies the ledger of before the promotion.
func (k *killed) fresh(t *testing.T) (dir string) {
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ledger.jsonl"), k.ledger, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func (k *killed) command(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command("relseal", append([]string{"release"}, args...)...)
	cmd.Dir, cmd.Env = k.dir, append(os.Environ(), "RELSEAL_STATE_DIR="+filepath.Join(dir, "state"))
	return cmd
}

func (k *killed) promote(dir string) *exec.Cmd {
	return k.command(dir, "promote", "canary.release.tar.zst", "--ledger", filepath.Join(dir, "ledger.jsonl"), "--key", "release.key", "--out", filepath.Join(dir, "stable.release.tar.zst"))
}

// whole promotes without a kill. It returns how many lines the ledger has then, and
// how long that took.
func (k *killed) whole(t *testing.T) (lines int, took time.Duration) {
	dir, start := k.fresh(t), time.Now()
	if out, err := k.promote(dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	took = time.Since(start)
	data, err := os.ReadFile(filepath.Join(dir, "ledger.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(data, []byte("\n")), took
}

func (k *killed) trial(t *testing.T, name string, lines int, wait func(ledger string)) {
	dir := k.fresh(t)
	file, ledger := filepath.Join(dir, "stable.release.tar.zst"), filepath.Join(dir, "ledger.jsonl")
	cmd := k.promote(dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	wait(ledger)
	cmd.Process.Kill()
	cmd.Wait()

	sealed := k.sealed(t, name, ledger)
	_, id, err := pack.ReadRelease(file)
	switch {
	case err == nil && (sealed == nil || sealed.Bundle != id):
		t.Fatalf("%s: the bundle has its name and is not on record: %+v", name, sealed)
	case err != nil && !errors.Is(err, os.ErrNotExist):
		t.Fatalf("%s: half a bundle: %v", name, err)
	}
	there := err == nil

	// Rolled back meanwhile, nothing appears.
	undone := k.fresh(t)
	data, err := os.ReadFile(ledger)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(undone, "ledger.jsonl"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	back := "canary.release.tar.zst"
	if sealed != nil {
		back = sealed.Bundle.String()
	}
	if out, err := k.command(undone, "rollback", filepath.Join(undone, "ledger.jsonl"), "--release", back, "--reason", "drill", "--key", "release.key").CombinedOutput(); err != nil {
		t.Fatalf("%s: rollback: %v\n%s", name, err, out)
	}
	out, _ := k.promote(undone).CombinedOutput()
	if _, err := os.Stat(filepath.Join(undone, "stable.release.tar.zst")); err == nil {
		t.Fatalf("%s: a bundle after its rollback\n%s", name, out)
	}

	// And without a rollback the next call finishes it.
	if out, err := k.promote(dir).CombinedOutput(); err != nil {
		t.Fatalf("%s: the next call: %v\n%s", name, err, out)
	}
	again := k.sealed(t, name, ledger)
	_, id, err = pack.ReadRelease(file)
	if err != nil || again == nil || again.Bundle != id || sealed != nil && sealed.Bundle != id {
		t.Fatalf("%s: %v, on record %+v, before %+v (there: %v)", name, err, again, sealed, there)
	}
	if data, err := os.ReadFile(ledger); err != nil || bytes.Count(data, []byte("\n")) != lines {
		t.Fatalf("%s: the ledger has %d lines, not %d: %v", name, bytes.Count(data, []byte("\n")), lines, err)
	}
}

// sealed returns what the canary became, nil if that is not on record.
func (k *killed) sealed(t *testing.T, name, ledger string) *ledger.Release {
	f, err := os.Open(ledger)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	v, err := release.Read(f, nil)
	if err != nil || len(v.Faults) > 0 {
		t.Fatalf("%s: %v %v", name, err, v.Faults)
	}
	for _, r := range v.State.Releases() {
		if r.Move != nil {
			return r.Move.Sealed
		}
	}
	return nil
}
