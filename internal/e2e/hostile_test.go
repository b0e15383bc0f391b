package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relseal/relseal/internal/testbundle"
)

// most is what a verification may take of memory, whatever it reads.
const most = 256 << 20

// hostile are bundles that are small as files and as large as the limits allow in
// one respect each.
var hostile = map[string]func() testbundle.Files{
	"manifest of 64 MiB": func() testbundle.Files {
		return manifest(list("artifacts", 400, 160<<10), nil)
	},
	"manifest of 100000 artifacts": func() testbundle.Files {
		return manifest(list("artifacts", 100_000, 500), nil)
	},
	"manifest of 100000 files": func() testbundle.Files {
		return manifest("", listed(100_000))
	},
	"100000 files": func() testbundle.Files {
		f := listed(99_990)
		return manifest("", f)
	},
	"signature files by the thousand": func() testbundle.Files {
		f := demo().Seal()
		f["sig/extra"] = nil
		for i := range 8000 {
			f[fmt.Sprintf("sig/by/%064x/manifest.sshsig", i)] = make([]byte, 64<<10)
		}
		return f
	},
	"files of small roles by the hundred": func() testbundle.Files {
		f := demo().Files()
		for i := range 120 {
			f[fmt.Sprintf("audit/%d.json", i)] = make([]byte, 4<<20)
		}
		return manifestRoles(f, func(path string) string {
			if strings.HasPrefix(path, "audit/") && path != "audit/trail.jsonl" {
				return "envlock"
			}
			return ""
		})
	},
	"lines of 1 MiB": func() testbundle.Files {
		f := demo().Seal()
		line := []byte(`{"H_k":"sha256:` + strings.Repeat("0", 64) + `","e":` + strings.Repeat(`[`, 1<<20-200))
		var trail bytes.Buffer
		trail.Write(f["audit/trail.jsonl"])
		for range 400 {
			trail.Write(line)
			trail.WriteByte('\n')
		}
		f["audit/trail.jsonl"] = trail.Bytes()
		return f
	},
	"events of 1 MiB": func() testbundle.Files {
		r := demo()
		details := M{}
		for i := range 100_000 {
			details[fmt.Sprint(i)] = 0
		}
		event := r.Events[1]
		event["action"], event["details"] = "note", details
		r.Events = r.Events[:1]
		for range 20 {
			r.Events = append(r.Events, event)
		}
		return r.Seal()
	},
	"300000 findings": func() testbundle.Files {
		f := demo().Seal()
		f["audit/trail.jsonl"] = append(f["audit/trail.jsonl"], bytes.Repeat([]byte("{}\n"), 300_000)...)
		return f
	},
	"runs with a manifest of 64 MiB each": func() testbundle.Files {
		in := testbundle.Zstd(manifest(list("artifacts", 400, 160<<10), nil).Tar())
		f := demo().Release(demo().Key, nil)
		for i := range 6 {
			f[fmt.Sprintf("evidence/%064x.audit.tar.zst", i)] = in
		}
		return resealed(f)
	},
	"outputs of steps that no card has": func() testbundle.Files {
		r := testbundle.Demo(testbundle.NewKey("other"), "000102030405060708090a0b0c0d0e0f") // whose chain holds
		made := map[string]string{}
		for i := range 8000 {
			made[fmt.Sprintf("%08d", i)] = ""
		}
		outputs := testbundle.Items(made)
		events := r.Events
		r.Events = r.Events[:1]
		for i := range 200 {
			step := M{}
			for name, value := range events[2] {
				step[name] = value
			}
			step["path"], step["outputs"] = fmt.Sprint("s", i), outputs
			r.Events = append(r.Events, step)
		}
		return r.Seal()
	},
	"zeros": func() testbundle.Files {
		f := demo().Seal()
		f["artifacts/out/demo"] = make([]byte, 500<<20)
		return f
	},
}

type M = testbundle.M

func demo() *testbundle.Run {
	return testbundle.Demo(testbundle.NewKey("release"), "000102030405060708090a0b0c0d0e0f")
}

// list is a member of a manifest with n elements of about size bytes.
func list(name string, n, size int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `"%s":[`, name)
	pad := strings.Repeat("x", size-130)
	if size > 60<<10 {
		pad = strings.Repeat(strings.Repeat("x", 60<<10), size/(60<<10))[:60<<10]
	}
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"hash":"sha256:%064x","size":1,"uri":"%08d%s"}`, i, i, pad)
	}
	return b.String() + "]"
}

func listed(n int) testbundle.Files {
	f := testbundle.Files{}
	for i := range n {
		f[fmt.Sprintf("artifacts/%090d", i)] = nil
	}
	return f
}

// manifest seals files with a member of the manifest replaced.
func manifest(member string, more testbundle.Files) testbundle.Files {
	r := demo()
	files := r.Files()
	for path, data := range more {
		files[path] = data
	}
	f := testbundle.Seal(sealed(r), files, r.Key, testbundle.AuditPredicate)
	if member != "" {
		name, _, _ := strings.Cut(member, ":")
		m := string(f["manifest.json"])
		from := strings.Index(m, name+":[")
		to := from + strings.Index(m[from:], "]") + 1
		f["manifest.json"] = []byte(m[:from] + member + m[to:])
	}
	return f
}

func sealed(r *testbundle.Run) (m M) {
	r.Manifest = func(made M) { m = made }
	r.Seal()
	delete(m, "files")
	return m
}

func manifestRoles(f testbundle.Files, role func(string) string) testbundle.Files {
	r := demo()
	out := testbundle.Seal(sealed(r), f, r.Key, testbundle.AuditPredicate)
	m := string(out["manifest.json"])
	for path := range f {
		if to := role(path); to != "" {
			m = strings.Replace(m, `"path":"`+path+`","role":""`, `"path":"`+path+`","role":"`+to+`"`, 1)
		}
	}
	out["manifest.json"] = []byte(m)
	return out
}

func resealed(f testbundle.Files) testbundle.Files {
	r := demo()
	files := testbundle.Files{}
	for path, data := range f {
		if !strings.HasPrefix(path, "sig/") && path != "manifest.json" && path != "SHA256SUMS" {
			files[path] = data
		}
	}
	var m M
	r.Release(r.Key, func(made M) { m = made })
	delete(m, "files")
	return testbundle.Seal(m, files, r.Key, testbundle.ReleasePredicate)
}

// TestHostileMemory: whatever a bundle is made to cost, it has a finding and the
// program stays within 256 MiB.
func TestHostileMemory(t *testing.T) {
	if makes(t, func(name string) testbundle.Files { return hostile[name]() }) {
		return
	}
	for _, name := range drawn(t, hostile) {
		t.Run(name, func(t *testing.T) {
			if e := verifyMade(t, "TestHostileMemory", name); e.code != 2 || !strings.Contains(e.stdout, "findings:\n") {
				t.Fatalf("exit %d: %.200s", e.code, e)
			}
		})
	}
}

// toMake is FILE=NAME for a process that a test starts to write an input.
const toMake = "RELSEAL_TEST_MAKE"

// makes reports whether this process was started to write an input, and writes it.
func makes(t *testing.T, input func(name string) testbundle.Files) bool {
	file, name, ok := strings.Cut(os.Getenv(toMake), "=")
	if !ok {
		return false
	}
	if err := os.WriteFile(file, testbundle.Zstd(input(name).Tar()), 0o644); err != nil {
		t.Fatal(err)
	}
	return true
}

// verifyMade verifies an input of a test, within the most memory. Another process makes
// it: what this one holds would count for those it starts.
func verifyMade(t *testing.T, test, name string) ended {
	file := filepath.Join(t.TempDir(), "b.tar.zst")
	maker := exec.Command(os.Args[0], "-test.run=^"+test+"$")
	maker.Env = append(os.Environ(), toMake+"="+file+"="+name)
	if out, err := maker.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(relseal(t), "verify-bundle", file, "--key", filepath.Join(vectors, "keys/release.pub"))
	e := run(t, cmd)
	peak := maxRSS(cmd.ProcessState)
	t.Logf("%d KiB: %d MiB in %v", info.Size()>>10, peak>>20, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	if peak > most {
		t.Errorf("took %d MiB", peak>>20)
	}
	return e
}
