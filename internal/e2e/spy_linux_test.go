package e2e

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/relseal/relseal/keys/private"
)

// TestStepFindsNoKey lets a build step look for the key that signs the record of its
// run, and for the passphrase: in the memory and the variables of every process of
// its user, as /proc shows them and with a debugger. The step runs as relseal does.
func TestStepFindsNoKey(t *testing.T) {
	p := newSpied(t)
	for _, tt := range []struct {
		name  string
		args  []string
		env   []string
		stdin string // what descriptor 3 holds
	}{
		{"exec, variable", []string{"run", "exec", "pipeline.yaml", "--params", "params.yaml", "--key", "release.key", "--out", "run1", "--passphrase-env", "PASS"}, []string{"PASS=" + p.passphrase}, ""},
		{"exec, descriptor", []string{"run", "exec", "pipeline.yaml", "--params", "params.yaml", "--key", "release.key", "--out", "run2", "--passphrase-fd", "3"}, nil, p.passphrase},
		{"wrap, variable", []string{"run", "wrap", "--key", "release.key", "--out", "run3", "--passphrase-env", "PASS", "--", p.program, "spy", "found.json", control}, []string{"PASS=" + p.passphrase}, ""},
		{"wrap, descriptor", []string{"run", "wrap", "--key", "release.key", "--out", "run4", "--passphrase-fd", "3", "--", p.program, "spy", "found.json", control}, nil, p.passphrase},
		{"cut, variable of relseal.yaml", []string{"cut", "."}, []string{"PASS=" + p.passphrase}, ""},
		{"cut, flag", []string{"cut", "--version", "1.0.1", "--passphrase-env", "OTHER", "."}, []string{"OTHER=" + p.passphrase, "PASS=" + p.passphrase}, ""},
		{"cut, new key", []string{"cut", "--version", "1.0.2", "--new-key", "new"}, []string{"PASS=" + p.passphrase}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			os.Remove(filepath.Join(p.dir, "found.json"))
			p.run(t, tt.args, tt.env, tt.stdin)
			p.check(t)
		})
	}
}

// A spied is a project whose one step is a spy, with a key.
type spied struct {
	dir, program, relseal string
	passphrase            string
	uid                   int // of relseal and the step
}

// control is in the memory of the process that starts steps: whoever cannot find it
// there finds nothing.
const control = "the-step-may-find-this-2f1c"

// masked hides what the spy looks for: it must not find its own list.
func masked(b []byte) []byte {
	out := bytes.Clone(b)
	for i := range out {
		out[i] ^= 0xa5
	}
	return out
}

func newSpied(t *testing.T) *spied {
	t.Helper()
	bin := relseal(t)
	p := &spied{passphrase: "correct horse 8f31e07b battery", uid: os.Getuid()}
	p.dir = filepath.Join(t.TempDir(), "project")
	p.program, p.relseal = filepath.Join(p.dir, "spy"), filepath.Join(p.dir, "relseal")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{p.dir, filepath.Join(p.dir, "new")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	copyFile(t, p.program, self)
	copyFile(t, p.relseal, bin)
	for _, name := range []string{p.program, p.relseal} {
		if err := os.Chmod(name, 0o755); err != nil {
			t.Fatal(err)
		}
	}

	seed := sha512.Sum512([]byte("a key that a step looks for"))
	key, err := private.Generate(bytes.NewReader(seed[:32]))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := private.WritePair(filepath.Join(p.dir, "release.key"), key, []byte(p.passphrase), "test"); err != nil {
		t.Fatal(err)
	}
	private := ed25519.NewKeyFromSeed(seed[:32])
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	expanded := sha512.Sum512(seed[:32])
	scalar := bytes.Clone(expanded[:32])
	scalar[0] &= 248
	scalar[31] = scalar[31]&127 | 64
	needles := map[string][]byte{
		"seed": seed[:32], "hash": expanded[:32], "scalar": scalar, "prefix": expanded[32:],
		"PEM":        []byte(base64.StdEncoding.EncodeToString(der)[:60]),
		"passphrase": []byte(p.passphrase), "control": []byte(control),
	}
	for name := range needles {
		needles[name] = masked(needles[name])
	}
	data, err := json.Marshal(needles)
	if err != nil {
		t.Fatal(err)
	}
	config := "schema: relseal/config/v1\nproduct: demo\nversion: \"1.0.0\"\npipeline: pipeline.yaml\nparams: params.yaml\nartifacts: [found.json]\nkey: {file: release.key, passphrase: \"env:PASS\"}\n"
	pipeline := fmt.Sprintf("schema: relseal/pipeline/v1\ncard: {id: %s, author: release@example.test}\nsteps:\n  - {id: build, run: [%q, spy, found.json], outputs: [found.json]}\n", control, p.program)
	params := "schema: relseal/params/v1\ncard: {id: demo, author: release@example.test}\nparams: []\n"
	for name, text := range map[string]string{"spy.needles": string(data), "relseal.yaml": config, "pipeline.yaml": pipeline, "params.yaml": params} {
		for _, dir := range []string{p.dir, filepath.Join(p.dir, "new")} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if p.uid == 0 {
		p.uid = 65534 // root reads everything
		for at := p.dir; at != filepath.Dir(os.TempDir()) && at != os.TempDir(); at = filepath.Dir(at) {
			if err := os.Chmod(at, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		err := filepath.Walk(p.dir, func(name string, _ os.FileInfo, err error) error {
			if err == nil {
				err = os.Lchown(name, p.uid, p.uid)
			}
			return err
		})
		if err != nil {
			t.Skip("the files cannot be given to another user, and root reads everything:", err)
		}
	}
	return p
}

// run runs relseal as the user of p.
func (p *spied) run(t *testing.T, args, env []string, third string) {
	t.Helper()
	cmd := exec.Command(p.relseal, args...)
	cmd.Dir = p.dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + p.dir}, env...)
	if p.uid != os.Getuid() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(p.uid), Gid: uint32(p.uid)}}
	}
	if third != "" {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		io.WriteString(w, third+"\n")
		w.Close()
		cmd.ExtraFiles = []*os.File{r}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		if os.Getuid() == 0 && strings.Contains(err.Error(), "operation not permitted") {
			t.Skip("no process can be started as another user, and root reads everything:", err)
		}
		t.Fatalf("relseal %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// check judges what the spy found.
func (p *spied) check(t *testing.T) {
	t.Helper()
	name := filepath.Join(p.dir, "found.json")
	if _, err := os.Stat(name); err != nil {
		name = filepath.Join(p.dir, "new", "found.json")
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var found []seen
	if err := json.Unmarshal(data, &found); err != nil {
		t.Fatal(err)
	}
	signers, parents := 0, 0
	for _, s := range found {
		for _, f := range s.Found {
			if !strings.HasPrefix(f, "control") {
				t.Errorf("in process %d (%s) the step found %s", s.PID, s.Command, f)
			}
		}
		switch {
		case strings.Contains(s.Command, ":signer"):
			signers++
			if s.Read > 0 || s.Attached {
				t.Errorf("the step read %d bytes of the signer, attached: %v", s.Read, s.Attached)
			}
			if !strings.Contains(s.Core, " 0 ") {
				t.Errorf("the signer may leave a core: %s", s.Core)
			}
		case s.Parent:
			parents++
			if s.Read == 0 {
				t.Logf("this system shows a step nothing of its parent: %v", s.Errors)
			} else if len(s.Found) == 0 {
				t.Errorf("the step read %d bytes of its parent and did not find what is there: it would find nothing", s.Read)
			}
		}
	}
	if signers != 1 || parents != 1 {
		t.Errorf("%d signers and %d parents among %d processes", signers, parents, len(found))
	}
}

// seen is what a spy saw of one process.
type seen struct {
	PID      int
	Command  string
	Parent   bool
	Read     int64 // bytes
	Attached bool
	Core     string // its limit
	Found    []string
	Errors   []string
}

// In a step, this test binary is the spy.
func init() {
	if len(os.Args) >= 3 && os.Args[1] == "spy" {
		if err := spy(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

func spy(out string) error {
	data, err := os.ReadFile("spy.needles")
	if err != nil {
		return err
	}
	var hidden map[string][]byte
	if err := json.Unmarshal(data, &hidden); err != nil {
		return err
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return err
	}
	all := []seen{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() || !ours(pid) {
			continue
		}
		command, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if bytes.Contains(command, []byte("e2e.test")) {
			continue // where nobody else can run relseal, the test itself is of this user, and knows all
		}
		s := seen{PID: pid, Command: strings.ReplaceAll(string(command), "\x00", " "), Parent: pid == os.Getppid()}
		s.look(hidden)
		all = append(all, s)
	}
	if data, err = json.Marshal(all); err != nil {
		return err
	}
	return os.WriteFile(out, data, 0o644)
}

// ours reports whether a process is of the spy's user.
func ours(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(status), "\nUid:\t")
	uid, _, _ := strings.Cut(rest, "\t")
	return uid == strconv.Itoa(os.Getuid())
}

// look reads what it can of a process, and with a debugger what it cannot.
func (s *seen) look(hidden map[string][]byte) {
	search := func(where string, data []byte) {
		s.Read += int64(len(data))
		for name, m := range hidden {
			if i := bytes.Index(data, masked(m)); i >= 0 {
				s.Found = append(s.Found, name+" in "+where)
			}
		}
	}
	failed := func(err error) {
		if err != nil {
			s.Errors = append(s.Errors, err.Error())
		}
	}
	if limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", s.PID)); err == nil {
		_, rest, _ := strings.Cut(string(limits), "Max core file size")
		s.Core, _, _ = strings.Cut(rest, "\n")
	}
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", s.PID))
	failed(err)
	search("environ", environ)
	memory := func(how string) {
		maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", s.PID))
		failed(err)
		mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", s.PID))
		failed(err)
		if err != nil {
			return
		}
		defer mem.Close()
		for line := range strings.Lines(string(maps)) {
			span, rights, _ := strings.Cut(line, " ")
			if !strings.HasPrefix(rights, "rw") { // what cannot be written is the program
				continue
			}
			from, to, _ := strings.Cut(span, "-")
			start, _ := strconv.ParseUint(from, 16, 64)
			end, _ := strconv.ParseUint(to, 16, 64)
			data := make([]byte, min(end-start, 256<<20))
			n, _ := mem.ReadAt(data, int64(start))
			search(how, data[:n])
		}
	}
	memory("memory")
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := syscall.PtraceAttach(s.PID); err != nil {
		failed(fmt.Errorf("attach: %w", err))
		return
	}
	s.Attached = true
	syscall.Wait4(s.PID, nil, 0, nil)
	if s.Read == 0 {
		memory("memory of the stopped process")
	}
	syscall.PtraceDetach(s.PID)
}
