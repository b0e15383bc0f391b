package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestKillStorm kills commands just before each system call that changes something,
// one process for each. The same command then succeeds, or finds that the one that
// was killed has done its work; what was made verifies; nothing that was acknowledged
// is lost, and nothing temporary is left.
//
// RELSEAL_WHOLE=1 takes every call.
func TestKillStorm(t *testing.T) {
	bin := relseal(t)
	s := newStorm(t, bin)
	for _, c := range s.cases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			total := s.total(t, c)
			step := max(1, total/atMost(5, total))
			first := 1 + chance(t).IntN(step)
			killed := 0
			for n := first; n <= total; n += step {
				if s.kill(t, c, n) {
					killed++
				}
			}
			if killed == 0 {
				t.Error("no process was killed")
			}
			t.Logf("%d of %d calls that change something", killed, total)
		})
	}
}

// A storm is a directory in which every case starts.
type storm struct {
	bin, template string
}

// A stormCase is a command that is killed and given again.
type stormCase struct {
	name  string
	args  []string
	env   []string
	done  [][]string // commands that must succeed once it has done its work
	exits []int      // of the second call, beside 0, if the first has done its work
	// look is about what a killed process left; may be nil.
	look func(t *testing.T, dir string)
	// count holds that the first call, if it answered, is not lost; may be nil.
	count func(t *testing.T, dir string, acknowledged bool)
}

func newStorm(t *testing.T, bin string) *storm {
	t.Helper()
	need(t, "sh")
	s := &storm{bin, filepath.Join(t.TempDir(), "template")}
	files := map[string]string{
		"pipeline.yaml": "schema: relseal/pipeline/v1\ncard: {id: demo, author: release@example.test}\nsteps:\n  - {id: build, run: [sh, -c, echo demo >out/demo], outputs: [out/demo]}\n  - {id: list, needs: [build], run: [cat, out/demo], inputs: [out/demo], stdout: out/list}\n",
		"params.yaml":   "schema: relseal/params/v1\ncard: {id: demo, author: release@example.test}\nparams: []\n",
		"relseal.yaml":  "schema: relseal/config/v1\nproduct: demo\nversion: \"1.0.0\"\npipeline: pipeline.yaml\nparams: params.yaml\nartifacts: [out/demo]\nkey: {file: k.key, passphrase: none}\n",
	}
	for _, dir := range []string{"archive", "empty"} {
		if err := os.MkdirAll(filepath.Join(s.template, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(s.template, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range []string{
		"key generate --out k.key --no-passphrase",
		"key generate --out archive.key --no-passphrase",
		"trust init ROOTS --expires +2y --add root=k.pub --add audit=k.pub --add release.canary=k.pub --add archive=archive.pub",
		"trust sign ROOTS/1.root.json --key k.key --hash HASH",
		"envlock capture --out env.json",
		"run exec pipeline.yaml --params params.yaml --key k.key --out record --product demo --root ROOTS/1.root.json",
		"bundle audit record --key k.key --out archive/one.audit.tar.zst",
		"run wrap --key k.key --out second --product demo --root ROOTS/1.root.json -- true",
		"bundle audit second --key k.key --out archive/two.audit.tar.zst",
		"trail start told --envlock env.json --pipeline pipeline.yaml --params params.yaml --key k.key --product demo",
	} {
		if strings.Contains(line, "HASH") {
			shown, _ := s.run(s.template, nil, []string{"trust", "show", "ROOTS"}) // 1: nobody has signed it
			line = strings.Replace(line, "HASH", regexp.MustCompile("sha256:[0-9a-f]{64}").FindString(shown), 1)
		}
		if out, err := s.run(s.template, nil, strings.Fields(line)); err != nil {
			t.Fatalf("relseal %s: %v\n%s", line, err, out)
		}
	}
	return s
}

func (s *storm) cases() []stormCase {
	words := strings.Fields
	const trail = "trail start %s --envlock env.json --pipeline pipeline.yaml --params params.yaml --key k.key --product demo"
	return []stormCase{
		{
			name: "key generate", args: words("key generate --out new.key --no-passphrase"), exits: []int{73},
			done: [][]string{words("key check new.key"), words("key check new.pub"), words("key check new.ssh.pub")},
			look: func(t *testing.T, dir string) { onlyKeyIn(t, dir, "new.key") },
		},
		{
			name: "key generate with a passphrase", args: words("key generate --out new.key --passphrase-env PASS"), env: []string{"PASS=correct horse"}, exits: []int{73},
			done: [][]string{words("key check new.key --passphrase-env PASS"), words("key check new.pub"), words("key check new.ssh.pub")},
			look: func(t *testing.T, dir string) { onlyKeyIn(t, dir, "") },
		},
		{name: "trail start", args: words(fmt.Sprintf(trail, "new")), exits: []int{73}, done: [][]string{words("trail verify new --key k.pub")}},
		{name: "trail start in an empty directory", args: words(fmt.Sprintf(trail, "empty")), exits: []int{73}, done: [][]string{words("trail verify empty --key k.pub")}},
		{
			name: "trail append", args: words("trail append told --key k.key --action note --actor ci --path here"),
			done: [][]string{words("trail verify told --key k.pub")},
			count: func(t *testing.T, dir string, acknowledged bool) {
				data, err := os.ReadFile(filepath.Join(dir, "told/audit/trail.jsonl"))
				want := 3 // the genesis, run.start, and what the second call appended
				if acknowledged {
					want++
				}
				if n := bytes.Count(data, []byte("\n")); err != nil || n < want {
					t.Errorf("%d lines, at least %d are acknowledged (%v)", n, want, err)
				}
			},
		},
		{name: "release init", args: words("release init ledger --product demo --key k.key"), exits: []int{73}, done: [][]string{words("trail verify ledger --key k.pub")}},
		{name: "trust init", args: words("trust init NEW --expires +2y --add root=k.pub"), exits: []int{73}, done: [][]string{words("trust show NEW")}},
		{
			name: "run exec", args: words("run exec pipeline.yaml --params params.yaml --key k.key --out new --product demo"), exits: []int{73},
			done:  [][]string{words("trail verify new --key k.pub"), words("bundle audit new --key k.key --out new.tar.zst")},
			count: s.records,
		},
		{
			name: "run wrap", args: words("run wrap --key k.key --out new --product demo -- true"), exits: []int{73},
			done:  [][]string{words("trail verify new --key k.pub"), words("bundle audit new --key k.key --out new.tar.zst")},
			count: s.records,
		},
		{name: "bundle audit", args: words("bundle audit record --key k.key --out new.tar.zst"), exits: []int{73}, done: [][]string{words("verify-bundle new.tar.zst --key k.pub")}},
		{name: "bundle unpack", args: words("bundle unpack archive/one.audit.tar.zst --key k.pub --out new"), exits: []int{73}, done: [][]string{words("verify-bundle new --key k.pub")}},
		{
			name: "reverify", args: words("reverify archive --root ROOTS/1.root.json --key archive.key --out record.tar.zst"), exits: []int{73},
			done: [][]string{words("verify-bundle record.tar.zst --root ROOTS/1.root.json")},
			count: func(t *testing.T, dir string, _ bool) {
				if _, err := os.Lstat(filepath.Join(dir, "record.tar.zst.part")); err == nil {
					// It answered, and was killed when it had nothing left to do.
					if out, err := s.run(dir, nil, words("reverify archive --root ROOTS/1.root.json --key archive.key --out record.tar.zst")); err != nil {
						t.Errorf("once more: %v\n%s", err, out)
					}
				}
			},
		},
		{name: "cut", args: words("cut ."), exits: []int{73}, done: [][]string{words("verify-bundle dist/demo-1.0.0.release.tar.zst --key k.pub"), words("verify-bundle dist/demo-1.0.0.audit.tar.zst --key k.pub")}},
	}
}

// records holds that the record of a run that was killed is there still, signed up to
// where it was.
func (s *storm) records(t *testing.T, dir string, _ bool) {
	aside, _ := filepath.Glob(filepath.Join(dir, "new.killed-*"))
	for _, record := range aside {
		out, err := s.run(dir, nil, []string{"trail", "verify", record, "--key", "k.pub"})
		if code(err) > 1 { // 1: it is open
			t.Errorf("the record of the run that was killed: %v\n%s", err, out)
		}
	}
}

// onlyKeyIn holds that no file but one holds an unencrypted key.
func onlyKeyIn(t *testing.T, dir, only string) {
	t.Helper()
	known := map[string]bool{"k.key": true, "archive.key": true, only: true}
	filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || known[d.Name()] {
			return err
		}
		if data, err := os.ReadFile(name); err == nil && bytes.Contains(data, []byte("BEGIN PRIVATE KEY")) {
			t.Errorf("%s holds an unencrypted key", name)
		}
		return nil
	})
}

func (s *storm) command(dir string, env, args []string) *exec.Cmd {
	cmd := exec.Command(s.bin, args...)
	cmd.Dir = dir
	cmd.Env = append(quiet(), env...)
	return cmd
}

func (s *storm) run(dir string, env, args []string) (string, error) {
	out, err := s.command(dir, env, args).CombinedOutput()
	return string(out), err
}

// code returns the exit code behind an error, -1 for another.
func code(err error) int {
	if err == nil {
		return 0
	}
	if exit, ok := err.(*exec.ExitError); ok {
		return exit.ExitCode()
	}
	return -1
}

// fresh returns a new copy of the template.
func (s *storm) fresh(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "d")
	if err := os.CopyFS(dir, os.DirFS(s.template)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"k.key", "archive.key"} {
		if err := os.Chmod(filepath.Join(dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// total returns how many calls of a command change something.
func (s *storm) total(t *testing.T, c stormCase) int {
	t.Helper()
	cmd := s.command(s.fresh(t), c.env, c.args)
	calls, status, out := traced(t, cmd, 0)
	if status.ExitStatus() != 0 {
		t.Fatalf("relseal %s: %v\n%s", strings.Join(c.args, " "), status, out)
	}
	return calls
}

// kill kills a command before its n-th call and holds what TestKillStorm says. killed
// says whether it had so many.
func (s *storm) kill(t *testing.T, c stormCase, n int) (killed bool) {
	t.Helper()
	dir := s.fresh(t)
	_, status, out := traced(t, s.command(dir, c.env, c.args), n)
	killed = status.Signaled()
	acknowledged := strings.Contains(out, "\n")
	at := fmt.Sprintf("killed before call %d", n)
	if c.look != nil {
		c.look(t, dir)
	}
	verified := func(when string) {
		for _, check := range c.done {
			if said, err := s.run(dir, c.env, check); code(err) < 0 || code(err) > 1 { // 1: a trail is open
				t.Errorf("%s, %s: relseal %s: %v\n%s", at, when, strings.Join(check, " "), err, said)
			}
		}
	}
	said, err := s.run(dir, c.env, c.args)
	if code(err) != 0 && !slices.Contains(c.exits, code(err)) {
		t.Errorf("%s: the next call: %v\n%s", at, err, said)
		return killed
	}
	if c.count != nil {
		c.count(t, dir, acknowledged)
	}
	filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(d.Name(), ".relseal-") {
			t.Errorf("%s: %s is left", at, name)
		}
		return nil
	})
	verified(fmt.Sprintf("after exit %d", code(err)))
	return killed
}

// changing are the system calls that change a file or a directory, or say something.
var changing = map[uint64]bool{
	unix.SYS_WRITE: true, unix.SYS_PWRITE64: true, unix.SYS_FTRUNCATE: true, unix.SYS_FALLOCATE: true, unix.SYS_FSYNC: true, unix.SYS_FDATASYNC: true,
	unix.SYS_LINKAT: true, unix.SYS_RENAMEAT: true, unix.SYS_RENAMEAT2: true, unix.SYS_UNLINKAT: true, unix.SYS_MKDIRAT: true, unix.SYS_SYMLINKAT: true,
}

// traced runs a command and kills it before its n-th call that changes something; 0
// lets it end. It returns the number of these calls.
func traced(t *testing.T, cmd *exec.Cmd, n int) (calls int, status syscall.WaitStatus, out string) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.Stdout, cmd.Stderr = w, w
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	err = cmd.Start()
	w.Close()
	if err != nil {
		t.Skip("no process can be traced here:", err)
	}
	said := make(chan string)
	go func() {
		var b bytes.Buffer
		b.ReadFrom(r)
		said <- b.String()
	}()
	pid := cmd.Process.Pid
	defer cmd.Process.Release()
	if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil {
		t.Fatal(err)
	}
	const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACEEXEC | unix.PTRACE_O_EXITKILL
	if err := syscall.PtraceSetOptions(pid, options); err != nil {
		cmd.Process.Kill()
		t.Skip("no process can be traced here:", err)
	}
	syscall.PtraceSyscall(pid, 0)
	over := false
	for {
		var ws syscall.WaitStatus
		tid, err := syscall.Wait4(-1, &ws, unix.WALL|unix.WNOTHREAD, nil) // nobody else's processes
		if err == syscall.EINTR {
			continue
		}
		if err != nil { // nobody is left
			break
		}
		switch {
		case ws.Exited(), ws.Signaled():
			if tid == pid {
				status, over = ws, true
			}
			continue
		case !ws.Stopped():
			continue
		}
		signal := 0
		switch sig := ws.StopSignal(); {
		case sig == syscall.SIGTRAP|0x80:
			if !over && changes(pid, tid) {
				if calls++; calls == n {
					syscall.Kill(pid, syscall.SIGKILL)
				}
			}
		case sig == syscall.SIGTRAP, sig == syscall.SIGSTOP:
		default:
			signal = int(sig)
		}
		syscall.PtraceSyscall(tid, signal)
	}
	select {
	case out = <-said:
	case <-time.After(time.Minute):
		t.Error("a process that was started is still there")
	}
	return calls, status, out
}

// changes reports whether a thread of the process enters a call that changes something.
func changes(pid, tid int) bool {
	var info [88]byte // struct ptrace_syscall_info
	const getSyscallInfo = 0x420e
	got, _, errno := syscall.Syscall6(syscall.SYS_PTRACE, getSyscallInfo, uintptr(tid), uintptr(len(info)), uintptr(unsafe.Pointer(&info)), 0, 0)
	if errno != 0 || got < 32 || info[0] != 1 { // 1: entry
		return false
	}
	nr := binary.NativeEndian.Uint64(info[24:])
	opens := nr == unix.SYS_OPENAT && binary.NativeEndian.Uint64(info[48:])&(unix.O_CREAT|unix.O_TMPFILE&^unix.O_DIRECTORY) != 0
	if !opens && !changing[nr] {
		return false
	}
	_, err := os.Stat(fmt.Sprintf("/proc/%d/task/%d", pid, tid))
	return err == nil
}
