package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/verify"
)

func verifyFileCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "check a file that you hold, or a bundle, with a public key, offline",
		ArgsUsage: "FILE...",
		Description: `Says of each FILE which artifact of which release it is: VERIFIED (exit 0), UNDECIDABLE
(1) or REJECT (2), also if it is none. The bundle that names it is looked for beside it,
or is the one of --bundle; of several that name it each is shown, and the worst answer
counts. The other artifacts of a release need not be there.
A FILE that is named *.audit.tar.zst or *.release.tar.zst, or a directory with a manifest,
is judged as by verify-bundle. What a run made and no release has is UNDECIDABLE.

Example:
  relseal verify greetd --key release.pub
  relseal verify greetd greetctl --bundle greetd-1.0.0.release.tar.zst --key release.pub
  relseal verify Downloads/greetd --root 1.root.json --for-install --at now --expect product=greetd`,
		Flags: append(ui.JudgeFlags(),
			&cli.StringSliceFlag{Name: "bundle", Usage: "look for the files in the bundle `B` alone; may be repeated"},
			ui.JSONFlag(),
		),
		Action: func(c *cli.Context) error { ui.Frugal(1); return runVerifyFile(env, c) },
	}
}

func runVerifyFile(env *ui.Env, c *cli.Context) error {
	if c.NArg() == 0 {
		return ui.ExactArgs(c, "FILE")
	}
	if err := ui.TrustGiven(c); err != nil {
		return err
	}
	o, err := ui.VerifyOptions(c)
	if err != nil {
		return err
	}
	q := inquiry{env: env, c: c, o: o, shelves: map[string][]candidate{}}
	for _, name := range c.Args().Slice() {
		if err := q.take(name); err != nil {
			return err
		}
	}
	if err := q.judge(); err != nil {
		return err
	}
	return q.print()
}

// An inquiry is about files that somebody has.
type inquiry struct {
	env     *ui.Env
	c       *cli.Context
	o       verify.Options
	files   []*heldFile
	shelves map[string][]candidate // the bundles of a directory, or of --bundle under ""
	failed  []error
}

// A heldFile is one FILE and what came out.
type heldFile struct {
	File    string          `json:"file"`
	Verdict *verify.Verdict `json:"verdict"` // null: it could not be judged
	Hash    *sign.Digest    `json:"hash"`    // null of a bundle
	Size    *int64          `json:"size"`
	Reason  string          `json:"reason"` // "" unless no bundle names it
	Error   string          `json:"error"`  // why it could not be judged
	In      []heldIn        `json:"bundles"`

	held verify.Held
}

// A heldIn is a bundle that names a file, or that the file is.
type heldIn struct {
	Bundle string         `json:"bundle"`
	URIs   []string       `json:"uris"`
	Report *verify.Report `json:"report"`

	id      sign.Digest // of the manifest that names the file
	release bool        // that is what the manifest is of
	label   string      // what it says that it is
}

// A candidate is a bundle that may name files.
type candidate struct {
	name     string
	manifest verify.UnverifiedManifest
	err      error // why it could not be asked
}

// take finds out what name is and which bundles are to be asked about it.
func (q *inquiry) take(name string) error {
	f := &heldFile{File: name, In: []heldIn{}}
	q.files = append(q.files, f)
	isBundle, err := q.isBundle(name)
	if err == nil && isBundle {
		f.In = append(f.In, heldIn{Bundle: name, URIs: []string{}})
		return nil
	}
	if err == nil {
		f.held, err = verify.Hold(q.c.Context, name)
	}
	if err == nil {
		f.Hash, f.Size = &f.held.Hash, &f.held.Size
		err = q.look(f)
	}
	if q.c.Context.Err() != nil {
		return q.c.Context.Err()
	}
	if err != nil {
		q.fail(f, err)
	}
	return nil
}

func (q *inquiry) fail(f *heldFile, err error) {
	f.Error = ui.PlainText(err)
	q.failed = append(q.failed, err)
}

// isBundle reports whether name is a bundle: a directory with a manifest, or a file that is
// named like one, damaged or not. What only begins like a bundle is a file as any other: a
// bundle takes further files under sig/ext/ from anybody, and with one of them the same
// bytes can be a program, too.
func (q *inquiry) isBundle(name string) (bool, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return false, err
	case !info.IsDir():
		return bundleName(name), nil
	}
	_, err = verify.Peek(name)
	if errors.Is(err, verify.ErrNoBundle) {
		return false, q.directory(name)
	}
	return err == nil, err
}

// directory says what to do about a directory that is no bundle.
func (q *inquiry) directory(name string) error {
	shelf, err := q.shelf(name)
	if err != nil {
		return err
	}
	tip := "relseal verify FILE names the file that you hold"
	if len(shelf) > 0 {
		tip = "relseal verify-bundle " + ui.ShellQuote(filepath.Clean(name)) + "/*.tar.zst"
	}
	return hint.With(fmt.Errorf("%s is a directory and no bundle; it holds %s", name, ui.Counted(len(shelf), "bundle")), tip)
}

func bundleName(name string) bool {
	return strings.HasSuffix(name, ".audit.tar.zst") || strings.HasSuffix(name, ".release.tar.zst")
}

// look finds the bundles that name f. Beside a release lies the AuditBundle that it embeds,
// which would say nothing more: it is asked if no release names the file, or if it is given.
// An AuditBundle alone shows that a run made the file, and not that it was released: whoever
// may sign runs could otherwise answer for those who may sign releases.
func (q *inquiry) look(f *heldFile) error {
	shelf, err := q.shelf(filepath.Dir(f.File))
	if err != nil {
		return err
	}
	for _, kind := range []string{bundle.KindRelease, bundle.KindAudit} {
		for _, b := range shelf {
			if uris := b.names(f.held); b.manifest.Kind == kind && len(uris) > 0 {
				f.In = append(f.In, heldIn{Bundle: b.name, URIs: uris, id: b.manifest.ID, release: kind == bundle.KindRelease, label: b.label()})
			}
		}
		if len(f.In) > 0 && !q.c.IsSet("bundle") {
			break
		}
	}
	if len(f.In) > 0 {
		if !slices.ContainsFunc(f.In, func(in heldIn) bool { return in.release }) {
			v := verify.Undecidable
			if q.o.Strict {
				v = verify.Reject
			}
			f.Verdict, f.Reason = &v, "made by a recorded run, and an artifact of no release here"
		}
		return nil
	}
	if len(shelf) == 0 {
		return hint.With(fmt.Errorf("%s: no bundle lies beside it", f.File), "--bundle B names one")
	}
	v := verify.Reject
	for _, b := range shelf {
		switch {
		case errors.Is(b.err, verify.ErrNoBundle):
			f.Reason += fmt.Sprintf("; %s cannot be read", b.name)
			if !q.o.Strict {
				v = verify.Undecidable
			}
		case b.err != nil:
			return b.err // the medium does not answer
		}
	}
	where := "beside it"
	if q.c.IsSet("bundle") {
		where = "named"
	}
	if uri, in := namesake(shelf, f.held.Name); uri != "" {
		f.Reason = fmt.Sprintf("; %s has an artifact %s with other bytes", in, escape.Word(uri)) + f.Reason
	}
	if _, err := verify.Peek(f.File); err == nil {
		f.Reason += "; it begins like a bundle, and relseal verify-bundle judges it as one"
	}
	f.Reason = fmt.Sprintf("no artifact of the %s %s", ui.Counted(len(shelf), "bundle"), where) + f.Reason
	f.Verdict = &v
	return nil
}

// shelf returns the bundles to ask about a file in dir: those of --bundle, or those of dir.
func (q *inquiry) shelf(dir string) ([]candidate, error) {
	var names []string
	if q.c.IsSet("bundle") {
		dir, names = "", q.c.StringSlice("bundle")
	}
	if shelf, ok := q.shelves[dir]; ok {
		return shelf, nil
	}
	if dir != "" {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			name := filepath.Join(dir, e.Name())
			if strings.HasSuffix(name, ".tar.zst") || strings.HasSuffix(name, ".tar") || unpackedBundle(name, e) {
				names = append(names, name)
			}
		}
	}
	shelf := []candidate{}
	for _, name := range names {
		if err := q.c.Context.Err(); err != nil {
			return nil, err
		}
		m, err := verify.Peek(name)
		if errors.Is(err, verify.ErrNoBundle) && dir != "" && !bundleName(name) {
			continue // some archive
		}
		if dir == "" && err != nil {
			return nil, hint.With(err, "--bundle names a bundle: a .tar.zst, a .tar or its unpacked directory")
		}
		shelf = append(shelf, candidate{name, m, err})
	}
	q.shelves[dir] = shelf
	return shelf, nil
}

// unpackedBundle reports whether a directory is an unpacked bundle, without reading more
// of it than that takes.
func unpackedBundle(name string, e os.DirEntry) bool {
	if !e.IsDir() {
		return false
	}
	_, err := os.Lstat(filepath.Join(name, bundle.ManifestPath))
	return err == nil
}

func (b candidate) names(f verify.Held) (uris []string) {
	for _, a := range b.manifest.Artifacts {
		if a.Hash == f.Hash && a.Size == f.Size {
			uris = append(uris, a.URI)
		}
	}
	return uris
}

func (b candidate) label() string {
	if b.manifest.Kind == bundle.KindRelease {
		return fmt.Sprintf("%s %s on channel %s", escape.Word(b.manifest.Product), escape.Word(b.manifest.Version), escape.Word(b.manifest.Channel))
	}
	return "a run of " + escape.Word(b.manifest.Product)
}

// namesake returns an artifact that is called like a file, and the bundle that names it.
func namesake(shelf []candidate, name string) (uri, in string) {
	for _, b := range shelf {
		for _, a := range b.manifest.Artifacts {
			if a.URI == name || strings.HasSuffix(a.URI, "/"+name) {
				return a.URI, b.name
			}
		}
	}
	return "", ""
}

// A question is a bundle, and whether it is asked about as a whole or about files.
type question struct {
	bundle string
	whole  bool
}

// judge verifies each bundle once, with all the files that it names.
func (q *inquiry) judge() error {
	held := map[question][]verify.Held{}
	var order []question
	for _, f := range q.files {
		for _, in := range f.In {
			ask := question{in.Bundle, f.Hash == nil}
			if !slices.Contains(order, ask) {
				order = append(order, ask)
			}
			if !ask.whole {
				held[ask] = append(held[ask], f.held)
			}
		}
	}
	bundles := make([]string, len(order))
	for i, ask := range order {
		bundles[i] = ask.bundle
	}
	if err := ui.Newest(q.c.Context, &q.o, bundles); err != nil {
		return err
	}
	reports, broken := map[question]*verify.Report{}, map[question]error{}
	for _, ask := range order {
		o := q.o
		o.Held = held[ask]
		reports[ask], broken[ask] = q.verify(q.c.Context, ask.bundle, o)
		if q.c.Context.Err() != nil {
			return q.c.Context.Err()
		}
	}
	for _, f := range q.files {
		for i, in := range f.In {
			ask := question{in.Bundle, f.Hash == nil}
			r, err := reports[ask], broken[ask]
			if err == nil && !ask.whole && (r.Bundle.ID == nil || *r.Bundle.ID != in.id) {
				err = fmt.Errorf("%s was replaced while it was being read", in.Bundle)
			}
			if err != nil {
				q.fail(f, err)
				f.In, f.Verdict = []heldIn{}, nil
				break
			}
			f.In[i].Report = r
			v := r.Verdict
			if f.Verdict != nil {
				v = f.Verdict.Worse(v)
			}
			f.Verdict = &v
		}
	}
	return nil
}

func (q *inquiry) verify(ctx context.Context, name string, o verify.Options) (*verify.Report, error) {
	o.Progress = new(verify.Progress)
	defer q.env.Watch(name, o.Progress)()
	r, err := verify.File(ctx, name, o)
	if r != nil {
		err = nil // any answer is one
	}
	return r, err
}

type inquiryResult struct {
	Schema  string          `json:"schema"`
	Verdict *verify.Verdict `json:"verdict"` // the worst, null if a file could not be judged
	Files   []*heldFile     `json:"files"`
}

func (q *inquiry) print() error {
	res := inquiryResult{Schema: "relseal/verify/v1", Files: q.files}
	worst := verify.Verified
	var last *verify.Report // of the worst
	var w strings.Builder
	shown := map[string]bool{}
	for _, f := range q.files {
		f.text(&w, shown, len(q.files) > 1)
		if f.Verdict == nil {
			continue
		}
		if v := worst.Worse(*f.Verdict); v != worst || last == nil && len(f.In) > 0 {
			worst, last = v, nil
			for _, in := range f.In {
				if in.Report.Verdict == v {
					last = in.Report
				}
			}
		}
	}
	if len(q.failed) == 0 {
		res.Verdict = &worst
	}
	if err := q.env.Print(q.c, res, w.String()); err != nil {
		return err
	}
	switch {
	case len(q.failed) > 0:
		return errors.Join(q.failed...)
	case worst == verify.Verified:
		return nil
	case last != nil:
		return ui.AnswerTo(last)
	case worst == verify.Undecidable:
		return &ui.Answer{Code: ui.ExitUndecidable}
	}
	return &ui.Answer{Code: ui.ExitReject}
}

// text writes the answer about a file: one line, and then each report, once, unless there
// are many files and it is good.
func (f *heldFile) text(w *strings.Builder, shown map[string]bool, many bool) {
	if f.Verdict == nil {
		return // its error says why
	}
	fmt.Fprintf(w, "%-11s  %s", *f.Verdict, escape.Line(f.File))
	switch {
	case f.Hash == nil:
		w.WriteString(", a bundle\n")
	case f.Reason != "":
		fmt.Fprintf(w, ": %s\n", escape.Line(f.Reason))
	default:
		w.WriteString("\n")
	}
	for _, in := range f.In {
		if f.Hash == nil {
			break
		}
		what := "it would be"
		if in.Report.Valid {
			what = "it is"
		}
		fmt.Fprintf(w, "  by %s %s %s of %s\n", escape.Line(in.Bundle), what, escape.Words(in.URIs), in.label)
	}
	for _, in := range f.In {
		if !shown[in.Bundle] && !(many && in.Report.Valid) {
			shown[in.Bundle] = true
			fmt.Fprintf(w, "\n%s\n", in.Report.Summary())
		}
	}
}
