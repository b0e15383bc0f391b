// Package reverify is the command reverify: an archive verified again.
package reverify

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/engine"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/inquiry"
	"github.com/relseal/relseal/internal/reverify"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/verify"
)

// Command returns the command.
func Command(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "reverify",
		Usage:     "verify an archive of bundles again, and record it",
		ArgsUsage: "DIR...",
		Description: `Verifies every bundle below DIR under a trust root, many at a time, and prints one table:
*.audit.tar.zst, *.release.tar.zst, and what begins with a manifest under another name
or as a directory. Everything else there is named as not judged, which is exit 1, unless
--ignore leaves it out. The exit code is that of the worst. With --out the
answers are recorded in an AuditBundle, signed with a key of role archive: one event a
bundle, so that the record can itself be verified later. What is interrupted goes on
where it was when the same command is given again.

Example:
  relseal reverify archive --root 1.root.json --root-dir ROOTS
  relseal reverify archive --root 1.root.json --root-dir ROOTS --key archive.key --out 2027.audit.tar.zst`,
		Flags: append(append(append(ui.RootFlags(),
			&cli.BoolFlag{Name: "strict", Usage: "reject what is undecidable"},
			&cli.StringFlag{Name: "artifacts", Usage: "look in `DIR` for artifacts that bundles do not contain"},
			&cli.StringFlag{Name: "out", Usage: "write the record to `F`"}),
			ui.KeyFlags("sign the record with the private key in `F`")...),
			&cli.StringSliceFlag{Name: "ignore", Usage: "leave out files and directories whose name matches `PATTERN`, such as '*.md'; may be repeated"},
			&cli.StringFlag{Name: "jobs", Usage: "verify `N` bundles at a time; one a processor if not given"},
			&cli.BoolFlag{Name: "force", Usage: "overwrite the file of --out"},
			ui.JSONFlag(),
		),
		Action: func(c *cli.Context) error { return runReverify(env, c) },
	}
}

func runReverify(env *ui.Env, c *cli.Context) error {
	if c.NArg() == 0 {
		return ui.ExactArgs(c, "DIR")
	}
	jobs, err := checkReverify(c)
	if err != nil {
		return err
	}
	o, err := ui.VerifyOptions(c)
	if err != nil {
		return err
	}
	found, err := reverify.Find(c.Args().Slice(), ignored(c))
	if err != nil {
		return err
	}
	files := found.Bundles
	if len(files) == 0 {
		return &ui.Error{Code: ui.ExitNoInput, Err: errors.New("no bundle found below " + strings.Join(c.Args().Slice(), ", ")), Hint: "a bundle begins with manifest.json, as a .tar.zst, a .tar or a directory"}
	}
	paths := make([]string, len(files))
	for i, f := range files {
		paths[i] = f.Path
	}
	if err := inquiry.Newest(c.Context, &o, paths); err != nil {
		return err
	}
	a := archive{env: env, c: c, o: o, total: len(files), skipped: append([]reverify.Skipped{}, found.Skipped...)}
	if c.IsSet("out") {
		if err := a.open(); err != nil {
			return err
		}
		if files, err = a.rest(files); err != nil {
			return err
		}
	}
	engine.Frugal(jobs)
	ui.Roomy()
	err = reverify.Verify(c.Context, files, jobs, o, a.take)
	progressEnd(env)
	if a.record != nil && err != nil {
		return a.interrupted(err)
	}
	if err != nil {
		return err
	}
	if a.record != nil {
		if err := a.seal(); err != nil {
			return err
		}
	}
	if err = a.print(); a.record != nil {
		// Whoever has the answer needs the way there no more.
		return errors.Join(err, durable.RemoveAll(a.record.Dir))
	}
	return err
}

// ignored returns what of an archive is not asked about: what --ignore says, and the files
// that the command line names for another purpose.
func ignored(c *cli.Context) func(string) bool {
	own := map[string]bool{}
	for _, flag := range []string{"root", "ledger", "key", "out", "passphrase-file"} {
		if name := c.String(flag); name != "" {
			own[absolute(name)] = true
		}
	}
	part := "" // the record that is being written, and what stands beside it
	if out := c.String("out"); out != "" {
		part = filepath.Join(absolute(filepath.Dir(out)), filepath.Base(out)+".part")
	}
	roots := ""
	if dir := c.String("root-dir"); dir != "" {
		roots = absolute(dir)
	}
	return func(path string) bool {
		name := filepath.Base(path)
		for _, pattern := range c.StringSlice("ignore") {
			if ok, _ := filepath.Match(pattern, name); ok {
				return true
			}
		}
		at := absolute(path)
		return own[at] || part != "" && (at == part || strings.HasPrefix(at, part+".")) || roots != "" && filepath.Dir(at) == roots && strings.HasSuffix(name, ".root.json")
	}
}

// absolute returns one name for a file, however it was called; links are followed as far
// as there are files.
func absolute(name string) string {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	if abs, err := filepath.Abs(name); err == nil {
		return abs
	}
	return name
}

// checkReverify refuses flags that exclude each other or are missing.
func checkReverify(c *cli.Context) (jobs int, err error) {
	switch {
	case !c.IsSet("root"):
		return 0, ui.UsageHint("relseal reverify: --root is missing", "--root 1.root.json, from a channel that you trust")
	case c.IsSet("key") != c.IsSet("out"):
		return 0, ui.UsageHint("relseal reverify: --key and --out go together", "--key archive.key --out 2027.audit.tar.zst records the answers")
	}
	if jobs = runtime.GOMAXPROCS(0); c.IsSet("jobs") {
		if jobs, err = strconv.Atoi(c.String("jobs")); err != nil || jobs < 1 {
			return 0, ui.UsageHint(fmt.Sprintf("relseal reverify: --jobs %q is no number from 1 on", c.String("jobs")), "")
		}
	}
	for _, pattern := range c.StringSlice("ignore") {
		if _, err := filepath.Match(pattern, ""); err != nil {
			return 0, ui.Usage(fmt.Sprintf("relseal reverify: --ignore %q is no pattern", pattern))
		}
	}
	if c.IsSet("out") {
		durable.Sweep(filepath.Dir(c.String("out")))
		if _, part := os.Lstat(c.String("out") + ".part"); part != nil { // else it may be of a call that was killed before it said so
			_, err = ui.OutFile(c)
		}
	}
	return jobs, err
}

// An archive is being verified.
type archive struct {
	env     *ui.Env
	c       *cli.Context
	o       verify.Options
	total   int
	results []reverify.Result
	skipped []reverify.Skipped
	record  *reverify.Record // nil without --out
	signer  sign.Signer
	sealed  *sealedRecord
	shown   time.Time

	replace bool // the file of --out
	resumed int  // results that were taken over from a record that was broken off
}

// take takes in one result.
func (a *archive) take(r reverify.Result) error {
	a.results = append(a.results, r)
	if now := time.Now(); now.Sub(a.shown) > 100*time.Millisecond {
		a.shown = now
		progress(a.env, "%d of %d bundles verified", len(a.results), a.total)
	}
	if a.record == nil {
		return nil
	}
	return a.record.Add(r)
}

// progress overwrites the last line of a terminal; a pipe stays silent.
func progress(env *ui.Env, format string, args ...any) {
	if f, ok := env.Stderr.(*os.File); ok && ui.Terminal(f) {
		fmt.Fprint(f, "\r\x1b[K"+escape.Text(fmt.Sprintf(format, args...)))
	}
}

func progressEnd(env *ui.Env) { progress(env, "") }

// unread counts what could not be read, and says how to exit then: where the medium
// failed, trying again may help.
func (a *archive) unread() (code, n int) {
	code = ui.ExitNoInput
	take := func(cause error) {
		if cause == nil {
			return
		}
		if n++; ui.CodeOf(cause) == ui.ExitIO {
			code = ui.ExitIO
		}
	}
	for _, r := range a.results {
		if r.Verdict == nil && r.Cause == nil { // as a record has it
			n++
		}
		take(r.Cause)
	}
	for _, s := range a.skipped {
		take(s.Cause)
	}
	return code, n
}

type archiveResult struct {
	Schema  string             `json:"schema"`
	Verdict verify.Verdict     `json:"verdict"`
	Root    verify.RootUse     `json:"root"`
	Counts  archiveCounts      `json:"counts"`
	Bundles []reverify.Result  `json:"bundles"`
	Skipped []reverify.Skipped `json:"not_judged"`
	Record  *sealedRecord      `json:"record"`
}

type archiveCounts struct {
	Verified    int `json:"verified"`
	Undecidable int `json:"undecidable"`
	Rejected    int `json:"rejected"`
	Unreadable  int `json:"unreadable"`
	NotJudged   int `json:"not_judged"`
	Resumed     int `json:"resumed"`
}

// print prints the table and returns the error that carries the worst answer.
func (a *archive) print() error {
	res := archiveResult{Schema: "relseal/reverify/v1", Verdict: verify.Verified, Root: rootUseOf(a.o), Bundles: a.results, Skipped: a.skipped, Record: a.sealed}
	res.Counts.NotJudged, res.Counts.Resumed = len(a.skipped), a.resumed
	if len(a.skipped) > 0 {
		res.Verdict = verify.Undecidable
	}
	var w strings.Builder
	for _, r := range a.results {
		verdict, why := "unreadable", ""
		switch {
		case r.Verdict == nil:
			res.Counts.Unreadable++
			why = "  " + *r.Error
		default:
			verdict = string(*r.Verdict)
			res.Verdict = res.Verdict.Worse(*r.Verdict)
			res.Counts.add(*r.Verdict)
			if r.Code != nil {
				why = "  " + string(*r.Code)
			}
			if r.RolledBack {
				why += "  rolled back"
			}
		}
		fmt.Fprintf(&w, "%-11s  %s%s\n", verdict, r.File, why)
	}
	for _, f := range a.skipped {
		fmt.Fprintf(&w, "%-11s  %s  %s\n", "not judged", f.Name, f.Why)
	}
	n := res.Counts
	fmt.Fprintf(&w, "%s: %d VERIFIED, %d UNDECIDABLE, %d REJECT, %d unreadable; by version %d of the root\n",
		ui.Counted(a.total, "bundle"), n.Verified, n.Undecidable, n.Rejected, n.Unreadable, res.Root.Version)
	if n.Resumed > 0 {
		fmt.Fprintf(&w, "taken over from a record that was broken off, for the same bytes: %d\n", n.Resumed)
	}
	if n.NotJudged > 0 {
		fmt.Fprintf(&w, "not judged: %d\n", n.NotJudged)
	}
	if s := a.sealed; s != nil {
		fmt.Fprintf(&w, "recorded in %s\n  %s\n", escape.Line(s.File), s.ID)
	}
	if err := a.env.Print(a.c, res, w.String()); err != nil {
		return err
	}
	switch code, unread := a.unread(); {
	case unread > 0 && unread == n.Unreadable:
		return &ui.Error{Code: code, Err: fmt.Errorf("%s could not be read", ui.Counted(n.Unreadable, "bundle"))}
	case unread > 0:
		return &ui.Error{Code: code, Err: fmt.Errorf("%d of what is there could not be read", unread)}
	case res.Verdict == verify.Reject:
		return &ui.Answer{Code: ui.ExitReject}
	case n.NotJudged > 0 && n.Undecidable == 0:
		return &ui.Answer{Code: ui.ExitUndecidable, Hint: "--ignore PATTERN leaves out what is no bundle and need not be one"}
	case res.Verdict == verify.Undecidable:
		return &ui.Answer{Code: ui.ExitUndecidable}
	}
	return nil
}

func (n *archiveCounts) add(v verify.Verdict) {
	switch v {
	case verify.Verified:
		n.Verified++
	case verify.Undecidable:
		n.Undecidable++
	default:
		n.Rejected++
	}
}

// rootUseOf returns the version that the caller's own copies lead to.
func rootUseOf(o verify.Options) verify.RootUse {
	authority, _ := o.Root.Walk(nil)
	var u verify.RootUse
	u.Pinned, u.Version = authority.Versions()
	u.Hash, _ = authority.Hash(u.Version)
	return u
}

func (a *archive) interrupted(err error) error {
	closed := a.record.Close()
	if a.c.Context.Err() == nil {
		return errors.Join(err, closed)
	}
	return &ui.Error{Code: ui.ExitInterrupted, Err: fmt.Errorf("interrupted after %d of %d bundles", len(a.results), a.total),
		Hint: "the same command goes on from there; what is recorded so far is in " + hint.Quote(a.record.Dir)}
}
