package run

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/relseal/relseal/internal/regular"
)

// environment returns the variables of a step: those that every program needs,
// those that the pipeline lists and its own, each over the ones before.
func environment(lookup func(string) (string, bool), listed []string, own map[string]string) map[string]string {
	env := map[string]string{"LANG": "C.UTF-8"}
	for _, name := range slices.Concat(basic, listed) {
		if value, ok := lookup(name); ok {
			env[name] = value
		}
	}
	maps.Copy(env, own)
	return env
}

func pairs(env map[string]string) []string {
	list := []string{} // nil would mean this process's own environment
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

// find returns the program that a step names: with a slash below dir, else in
// the step's PATH. Entries of PATH that are not absolute are passed over: what
// they find depends on who wrote to the project.
func find(name, dir, searchPath string) (string, error) {
	if filepath.IsAbs(name) {
		return exec.LookPath(name)
	}
	if strings.ContainsAny(name, `/`+string(filepath.Separator)) {
		return exec.LookPath(filepath.Join(dir, filepath.FromSlash(name)))
	}
	for _, d := range filepath.SplitList(searchPath) {
		if !filepath.IsAbs(d) {
			continue
		}
		p, err := exec.LookPath(filepath.Join(d, name))
		if err == nil {
			return p, nil
		}
		if regular.Failed(err) { // it may be the one
			return "", err
		}
	}
	return "", errors.New("not found in PATH")
}

// reason drops from a system error the name of the call and the path, which is
// named anyway or nobody's business.
func reason(err error) error {
	switch e := err.(type) {
	case *fs.PathError:
		return e.Err
	case *os.LinkError:
		return e.Err
	case *exec.Error:
		return reason(e.Err)
	}
	return err
}

// text returns err as an event tells it: one short line without a path of this
// machine.
func (r *runner) text(err error) string {
	s := strings.ToValidUTF8(err.Error(), "\uFFFD")
	for _, dir := range []string{r.LogDir, r.Dir} {
		if len(dir) > 1 {
			s = strings.ReplaceAll(s, dir, ".")
		}
	}
	s = strings.Join(strings.Fields(s), " ")
	const most = 1000
	if len(s) <= most {
		return s
	}
	cut := most
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}
