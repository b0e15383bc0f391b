package envlock

import (
	"fmt"
	"slices"
	"testing"

	"github.com/relseal/relseal/sign"
)

func TestDiff(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Lock)
		want   []string
	}{
		{"nothing", func(*Lock) {}, nil},
		{"changed", func(l *Lock) { l.Env.OS["id"] = text("fedora") }, []string{`os id: "debian" -> "fedora"`}},
		{"added", func(l *Lock) { l.Env.Options = Component{"TZ": text("UTC")} }, []string{`options TZ: added "UTC"`}},
		{"added as null", func(l *Lock) { l.Env.Libc = Component{"version": nil} }, []string{`libc version: added null`}},
		{"removed", func(l *Lock) { l.Env.Kernel = nil }, []string{`kernel release: removed "6.1.0"`}},
		{"null removed", func(l *Lock) { delete(l.Env.Firmware, "bios_version") }, []string{`firmware bios_version: removed null`}},
		{"null to text", func(l *Lock) { l.Env.Firmware["bios_version"] = text("") }, []string{`firmware bios_version: null -> ""`}},
		{"lock file", func(l *Lock) { l.Locks[0].Hash = sign.Digest{} },
			[]string{fmt.Sprintf("locks go.sum: %q -> %q", sign.Sum([]byte("sum")), sign.Digest{})}},
		{"lock file gone", func(l *Lock) { l.Locks = l.Locks[1:] }, []string{fmt.Sprintf("locks go.sum: removed %q", sign.Sum([]byte("sum")))}},
		{"variable unset", func(l *Lock) { l.Variables["CGO_ENABLED"] = nil }, []string{`variables CGO_ENABLED: "0" -> null`}},
		{"escapes stay off the terminal", func(l *Lock) { l.Variables["CC"] = text("\x1b[31m") }, []string{`variables CC: null -> "\x1b[31m"`}},
		{"several, in the order of the specification", func(l *Lock) {
			l.Variables["B"] = nil
			l.Variables["A"] = nil
			l.Env.OS["version_id"] = text("13")
			l.Env.Options = Component{"TZ": nil}
			l.Env.OS["id"] = nil
			l.Env.Libc = Component{"name": nil}
		}, []string{`os id: "debian" -> null`, `os version_id: "12" -> "13"`, `libc name: added null`, `options TZ: added null`,
			`variables A: added null`, `variables B: added null`}},
	}
	for _, tt := range tests {
		a, b := sample(), sample()
		tt.change(&b)
		diffs := Diff(a, b)
		var got []string
		for _, d := range diffs {
			got = append(got, d.String())
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		if same := string(canonical(t, a)) == string(canonical(t, b)); same != (len(diffs) == 0) {
			t.Errorf("%s: bytes equal is %v, but there are %d differences", tt.name, same, len(diffs))
		}
		// The way back names the same facts, old and new exchanged.
		for i, d := range Diff(b, a) {
			if d.Component != diffs[i].Component || d.Fact != diffs[i].Fact || quote(d.Old) != quote(diffs[i].New) || quote(d.New) != quote(diffs[i].Old) {
				t.Errorf("%s: back %v, there %v", tt.name, d, diffs[i])
			}
		}
	}
}

func TestComponentOrder(t *testing.T) {
	want := []string{"os", "kernel", "libc", "compilers", "runtimes", "drivers", "firmware", "containers", "hw", "backend", "options"}
	var got []string
	for name := range (Components{}).All() {
		got = append(got, name)
	}
	if !slices.Equal(got, want) {
		t.Errorf("components %v, want %v", got, want)
	}
	for range (Components{}).All() {
		break // a caller may stop early
	}
}
