package recipes

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// A workflow is what these tests read of one of GitHub Actions.
type workflow struct {
	On          struct{ Push struct{ Tags []string } }
	Permissions map[string]string
	Defaults    struct{ Run struct{ Shell string } }
	Jobs        map[string]struct{ Steps []step }
}

// A step is one of its single job.
type step struct {
	ID, Name, Uses, Run, If string
	Env                     map[string]string
	With                    map[string]any
}

// readWorkflow returns a workflow and the steps of its one job.
func readWorkflow(t *testing.T, file string) (workflow, []step) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var w workflow
	if err := yaml.Unmarshal(data, &w); err != nil || len(w.Jobs) != 1 {
		t.Fatalf("%s: %d jobs, %v", file, len(w.Jobs), err)
	}
	for _, job := range w.Jobs {
		return w, job.Steps
	}
	panic("unreachable")
}

// A runner executes the shell parts of a workflow as GitHub's does.
type runner struct {
	dir       string            // the workspace
	variables []string          // that GitHub sets
	values    map[string]string // of expressions
	skip      []string          // steps that are not run, by name
}

// A job is what its steps came to.
type job struct {
	steps    map[string]ended // those that were run, by name
	uploaded []string         // names of files, sorted
}

// run executes the steps in order. One that fails keeps those after it from running,
// unless their condition says otherwise.
func (r runner) run(t *testing.T, steps []step) job {
	t.Helper()
	j, ids := job{steps: map[string]ended{}}, map[string]bool{}
	failed := false
	for _, s := range steps {
		switch {
		case slices.Contains(r.skip, s.Name) || !wanted(t, s, failed, ids):
			continue
		case strings.HasPrefix(s.Uses, "actions/upload-artifact@"):
			files := r.upload(t, s)
			j.uploaded, failed = append(j.uploaded, files...), failed || files == nil
			continue
		case s.Run == "":
			continue
		}
		var env []string
		for _, name := range slices.Sorted(maps.Keys(s.Env)) {
			env = append(env, name+"="+r.expand(t, s.Env[name]))
		}
		script := filepath.Join(t.TempDir(), "script.sh")
		if err := os.WriteFile(script, []byte(s.Run), 0o600); err != nil {
			t.Fatal(err)
		}
		// What "shell: bash" stands for.
		e := execute(t, r.dir, append(env, r.variables...), "bash", "--noprofile", "--norc", "-eo", "pipefail", script)
		j.steps[s.Name], ids[s.ID] = e, true
		failed = failed || e.code != 0
	}
	slices.Sort(j.uploaded)
	return j
}

// upload returns the names of the files that a step uploads; nil if there is none,
// which fails the job.
func (r runner) upload(t *testing.T, s step) (names []string) {
	t.Helper()
	pattern, _ := s.With["path"].(string)
	if pattern == "" || s.With["if-no-files-found"] != "error" {
		t.Fatalf("%+v: uploads nothing, or does not fail where there is nothing", s.With)
	}
	files, err := filepath.Glob(filepath.Join(r.dir, filepath.FromSlash(pattern)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		names = append(names, filepath.Base(f))
	}
	return names
}

var condition = regexp.MustCompile(`^(always\(\)|!cancelled\(\))(?: && steps\.([a-z]+)\.outcome != 'skipped')?$`)

// wanted reports whether a step runs.
func wanted(t *testing.T, s step, failed bool, ran map[string]bool) bool {
	t.Helper()
	if s.If == "" {
		return !failed
	}
	m := condition.FindStringSubmatch(strings.Trim(s.If, "${} "))
	if m == nil {
		t.Fatalf("step %q: these tests do not know the condition %s", s.Name, s.If)
	}
	return m[2] == "" || ran[m[2]]
}

var expression = regexp.MustCompile(`\$\{\{\s*(.*?)\s*\}\}`)

// expand puts in the values of expressions.
func (r runner) expand(t *testing.T, text string) string {
	t.Helper()
	return expression.ReplaceAllStringFunc(text, func(e string) string {
		value, ok := r.values[expression.FindStringSubmatch(e)[1]]
		if !ok {
			t.Fatalf("these tests have no value for %s", e)
		}
		return value
	})
}
