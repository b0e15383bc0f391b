package bundle

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// vector is a row of testdata/archives/index.jsonl.
type vector struct {
	File   string `json:"file"`
	Expect string `json:"expect"` // accept, reject, either
	Bytes  int64  `json:"bytes"`
	Class  string `json:"cls"`
	Why    string `json:"why"`
}

// Nothing that is listed as hostile is accepted, or takes much memory.
// Rows that other readers accept are refused here as well, since none of them is
// canonical: their times are not zero, or they use an extension.
func TestArchives(t *testing.T) {
	dir := filepath.Join("..", "testdata", "archives")
	index, err := os.Open(filepath.Join(dir, "index.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer index.Close()
	rows := 0
	for lines := bufio.NewScanner(index); lines.Scan(); rows++ {
		var v vector
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		t.Run(v.File, func(t *testing.T) {
			if v.Expect != "accept" && v.Expect != "reject" && v.Expect != "either" {
				t.Fatalf("unknown expectation %q", v.Expect)
			}
			o := hostile(t, filepath.Join(dir, v.File))
			if v.Expect == "reject" && !o.rejected() {
				t.Errorf("%s: accepted: %v", v.Why, o)
			}
		})
	}
	if rows < 150 {
		t.Errorf("only %d vectors", rows)
	}
}

// The same tars with zero times and owners, so that nothing but what they are
// about stands between them and a reader.
func TestArchivesMadeCanonical(t *testing.T) {
	names, err := filepath.Glob(filepath.Join("..", "testdata", "archives", "*.tar"))
	if err != nil || len(names) < 90 {
		t.Fatal(names, err)
	}
	accepted := []string{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if o := readBytes(t, zeroed(data)); !o.rejected() {
			accepted = append(accepted, filepath.Base(name))
		}
	}
	// A setuid bit and a mode of zero are gone with the rest of what was zeroed.
	want := []string{"mode-0.tar", "mode-setuid.tar", "mtime-huge.tar", "name-home.tar", "name-win_trail_dot.tar", "ok-ustar.tar"}
	if !slices.Equal(accepted, want) {
		t.Errorf("accepted %q, want %q", accepted, want)
	}
}

// zeroed gives every header of a tar the mode, times, owners and devices of a
// canonical one, and the checksum that follows.
func zeroed(data []byte) []byte {
	data = bytes.Clone(data)
	for i := 0; i+512 <= len(data); i += 512 {
		h := block(data[i : i+512])
		if string(h[257:262]) != "ustar" {
			continue
		}
		want := header("", 0)
		for _, f := range fields {
			switch f.name {
			case "mode", "uid", "gid", "mtime", "user name", "group name", "device major", "device minor":
				copy(h[f.from:f.to], want[f.from:f.to])
			}
		}
		copy(h[148:], fmt.Sprintf("%06o\x00 ", checksum(h)))
		copy(data[i:], h[:])
	}
	return data
}

// The public collections hold tars of every kind but ours.
func TestPublicArchives(t *testing.T) {
	for _, pattern := range []string{"safearchive/*.tar", "tokio-tar/*.tar"} {
		files, err := filepath.Glob(filepath.Join("..", "testdata", "foreign", filepath.FromSlash(pattern)))
		if err != nil || len(files) == 0 {
			t.Errorf("%s: no vectors, %v", pattern, err)
		}
		for _, name := range files {
			t.Run(filepath.Base(name), func(t *testing.T) {
				if o := hostile(t, name); !o.rejected() {
					t.Errorf("accepted: %v", o)
				}
			})
		}
	}
}

// hostile reads a bundle under the limits that hold for every input.
func hostile(t *testing.T, name string) outcome {
	t.Helper()
	before := heapInUse()
	o := readName(t, name)
	runtime.GC()
	if after := heapInUse(); after > before+256<<20 {
		t.Errorf("holds %d MiB", (after-before)>>20)
	}
	for _, f := range o.findings {
		if !strings.HasPrefix(f, "REJECT ") {
			t.Errorf("finding %q does not reject", f)
		}
		for _, c := range f {
			if c < ' ' || c > '~' {
				t.Errorf("finding %q is not printable ASCII", f)
			}
		}
	}
	return o
}
