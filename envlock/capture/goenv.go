package capture

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/relseal/relseal/envlock"
)

// goAlways and goIfSet are the settings of the go command that change what it
// builds. Paths are left out, and so is where modules come from: go.sum holds
// those.
var (
	goAlways = []string{"GOVERSION", "GOOS", "GOARCH", "GOFLAGS", "GOTOOLCHAIN", "CGO_ENABLED"}
	goIfSet  = []string{
		"GO386", "GOAMD64", "GOARM", "GOARM64", "GOMIPS", "GOMIPS64", "GOPPC64", "GORISCV64", "GOWASM", // of GOARCH
		"GO111MODULE", "GODEBUG", "GOEXPERIMENT", "GOFIPS140",
		"CC", "CXX", "FC", "CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_CXXFLAGS", "CGO_FFLAGS", "CGO_LDFLAGS",
	}
)

// goEnv adds the settings as go.NAME. The go command also reads them from a file
// of the user's, so the variables alone would not tell.
func (m *machine) goEnv(ctx context.Context, t tool, c envlock.Component, problems *Problems) {
	for _, name := range goAlways {
		c[t.name+"."+name] = nil
	}
	out, _, err := m.ask(ctx, t, slices.Concat([]string{"env", "-json"}, goAlways, goIfSet)...)
	var values map[string]string
	if err != nil || json.Unmarshal(out, &values) != nil {
		return
	}
	for _, name := range goAlways {
		if v, ok := values[name]; ok {
			c[t.name+"."+name] = line(v)
		}
	}
	for _, name := range goIfSet {
		if v := values[name]; v != "" {
			c[t.name+"."+name] = line(v)
		}
	}
	for _, name := range slices.Concat(goAlways, goIfSet) {
		if what := secretValue(values[name]); what != "" && !m.allowed(name) {
			c[t.name+"."+name] = nil
			problems.add(KindTool, t.name, "its setting "+name+" looks like "+what, secretHint, ErrSecret)
		}
	}
}
