package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relseal/relseal/internal/cli"
)

// The small program says what relseal verify says, and ends with its code.
func TestSame(t *testing.T) {
	vectors, err := filepath.Abs("../../testdata/vectors")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	for name, from := range map[string]string{
		"good.release.tar.zst": "good-release.tar.zst", "missing.audit.tar.zst": "artifact-missing.tar.zst", "cut.release.tar.zst": "container-cut.tar.zst",
		"release.pub": "keys/release.pub", "other.pub": "keys/other.pub",
	} {
		data, err := os.ReadFile(filepath.Join(vectors, from))
		if err == nil {
			err = os.WriteFile(name, data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"demo": "a small artifact\n", "evil": "another\n"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		args string
		code int
	}{
		{"good.release.tar.zst --key release.pub", 0},
		{"--key release.pub --strict -- good.release.tar.zst", 0},
		{"good.release.tar.zst --key=release.pub --plain --expect product=demo,version=1.0.0", 0},
		{"good.release.tar.zst --key release.pub --expect version=2.0.0", 2},
		{"good.release.tar.zst --key other.pub", 2},
		{"missing.audit.tar.zst --key release.pub", 1},
		{"missing.audit.tar.zst --key release.pub --strict", 2},
		{"cut.release.tar.zst --key release.pub", 2},
		{"demo evil --key release.pub --bundle good.release.tar.zst", 2},
		{"demo --key release.pub --key other.pub --bundle good.release.tar.zst", 0},
		{"nowhere --key release.pub", 66},
		{"demo --key nowhere.pub", 66},
		{"demo", 64},
		{"--key release.pub", 64},
		{"demo --key release.pub --root 1.root.json", 64},
		{"demo --key release.pub --at now", 64},
		{"demo --key", 64},
		{"demo --key release.pub --expect product=a --expect product=b", 64},
		{"demo --key release.pub --expect nonsense", 64},
		{"demo --key release.pub --keys x", 64},
		{". --key release.pub", 66},
	} {
		for _, more := range []string{"", "--json "} {
			args := strings.Fields(more + tt.args)
			var ours, theirs, said, told strings.Builder
			code := run(context.Background(), args, &ours, &said)
			want := cli.Main(context.Background(), append([]string{"relseal", "verify"}, args...), strings.NewReader(""), &theirs, &told)
			if code != want || code != tt.code {
				t.Errorf("%s: exit %d, relseal %d, want %d\n%s", args, code, want, tt.code, said.String())
			}
			if code <= 2 && ours.String() != theirs.String() {
				t.Errorf("%s: printed\n%s\nrelseal\n%s", args, ours.String(), theirs.String())
			}
			if code > 2 && (said.Len() == 0 || (more != "") != strings.Contains(ours.String(), "schema")) {
				t.Errorf("%s: printed %q and said %q", args, ours.String(), said.String())
			}
		}
	}
}

func TestHelp(t *testing.T) {
	var out, said strings.Builder
	if code := run(context.Background(), []string{"x", "--help"}, &out, &said); code != 0 || out.String() != help || said.Len() > 0 {
		t.Errorf("exit %d, %q, %q", code, out.String(), said.String())
	}
}
