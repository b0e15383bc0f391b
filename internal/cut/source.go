package cut

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/hint"
)

// Source is what version control says of the project.
type Source struct {
	Commit string   // "" outside version control, and before the first commit
	None   string   // why there is no commit
	Differ []string // files below the project that differ from the commit
}

// Dirty reports whether files below the project differ from the commit.
func (s Source) Dirty() bool { return len(s.Differ) > 0 }

// changes names the first of the files that differ.
func (s Source) changes() string {
	const most = 3
	if n := len(s.Differ); n > most {
		return fmt.Sprintf("%s and %d more", strings.Join(s.Differ[:most], ", "), n-most)
	}
	return strings.Join(s.Differ, ", ")
}

// readSource asks git. A project outside a repository, or a machine without
// git, has no commit; that is not an error. A repository that git refuses to
// read is one: it may hide changes.
//
// What a cut itself writes does not make a project dirty.
func readSource(ctx context.Context, p Project) (Source, error) {
	if _, err := exec.LookPath("git"); err != nil {
		return Source{None: "git is not installed"}, nil
	}
	inside, err := git(ctx, p.Dir, "rev-parse", "--is-inside-work-tree")
	switch {
	case err != nil && strings.Contains(err.Error(), "not a git repository"):
		return Source{None: "the project is in no git repository"}, nil
	case err != nil:
		return Source{}, err
	case inside != "true": // below .git, or a bare repository
		return Source{None: "the project is in no work tree of git"}, nil
	}
	s := Source{None: "the project has no commit"}
	if s.Commit, err = git(ctx, p.Dir, "rev-parse", "--verify", "--quiet", "HEAD^{commit}"); ctx.Err() != nil {
		return s, err
	}
	status, err := git(ctx, p.Dir, slices.Concat([]string{"status", "--porcelain", "--", "."}, except(p))...)
	for line := range strings.Lines(status) { // two letters and a space, and the file
		s.Differ = append(s.Differ, strings.TrimSuffix(line, "\n")[3:])
	}
	return s, err
}

// except returns git's pathspecs for what a cut writes.
func except(p Project) []string {
	specs := []string{":(exclude,literal).relseal"}
	if output := path.Clean(p.Output); output != "." {
		specs = append(specs, ":(exclude,literal)"+output)
	} else { // beside the sources, of which none may be left out
		specs = append(specs, ":(exclude,glob)"+p.Product+"-*.audit.tar.zst", ":(exclude,glob)"+p.Product+"-*.release.tar.zst")
	}
	for _, step := range p.PipelineCard.Steps {
		for _, o := range step.AllOutputs() {
			specs = append(specs, ":(exclude,literal)"+o)
		}
	}
	return specs
}

// check applies the rule of the configuration to a dirty tree.
func (s Source) check(rule string) error {
	if s.Dirty() && rule == "refuse" {
		return hint.With(errors.New("the project has changes that are not committed: "+s.changes()),
			"commit them, or set source: {dirty: record} in relseal.yaml to release them on the record")
	}
	return nil
}

// versionFromTag returns the version of the one version tag that the commit has.
func (s Source) versionFromTag(ctx context.Context, dir string) (string, error) {
	refuse := func(why string) (string, error) {
		next := "--version 1.2.3, or another version in " + ConfigName
		if s.Commit != "" {
			next = "git tag v1.2.3, or --version 1.2.3"
		}
		return "", hint.With(errors.New("version: git-tag, and "+why), next)
	}
	if s.Commit == "" {
		return refuse(s.None)
	}
	all, versions, err := tags(ctx, dir)
	switch {
	case err != nil:
		return "", err
	case len(all) == 0:
		return refuse("the commit has no tag")
	case len(versions) == 0:
		return refuse("no tag of the commit is a semantic version: " + strings.Join(all, ", "))
	case len(versions) > 1:
		return refuse("the commit has more than one version: " + strings.Join(versions, ", "))
	}
	return versions[0], nil
}

// tags returns the tags of the commit, and the versions that they name.
func tags(ctx context.Context, dir string) (all, versions []string, err error) {
	text, err := git(ctx, dir, "tag", "--points-at", "HEAD")
	all = strings.Fields(text)
	for _, tag := range all {
		if v := strings.TrimPrefix(tag, "v"); bundle.CheckVersion(v) == nil && !slices.Contains(versions, v) {
			versions = append(versions, v)
		}
	}
	return all, versions, err
}

// A GitError reports a question to git that has no answer.
type GitError struct {
	Command string
	Why     error
	Ran     bool // git itself said no; else it could not be started, or was ended
}

func (e *GitError) Error() string { return "git " + e.Command + ": " + e.Why.Error() }

func (e *GitError) Unwrap() error { return e.Why }

// git runs a command of git that changes nothing.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		line, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n")
		return "", hint.With(&GitError{args[0], errors.New(line), true}, "git -C "+dir+" status says more")
	}
	if err != nil {
		return "", &GitError{args[0], err, false}
	}
	return strings.TrimRight(stdout.String(), "\r\n"), nil
}
