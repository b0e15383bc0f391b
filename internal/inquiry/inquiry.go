// Package inquiry asks about files that somebody has: which artifact of which release is
// each, and what do the bundles say that name it? It is what relseal verify and
// relseal-verify do, flags and printing apart.
package inquiry

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/exit"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/verify"
)

// An Inquiry is about files that somebody has.
type Inquiry struct {
	Options verify.Options
	Bundles []string // to look in for the files, instead of those beside them

	// Watch, if not nil, is told of each bundle that is verified, and stop when that is done.
	Watch func(name string, p *verify.Progress) (stop func())

	ctx     context.Context
	files   []*heldFile
	shelves map[string][]candidate // the bundles of a directory, or of Bundles under ""
	failed  []error
}

// Ask answers about the files with these names.
func (q *Inquiry) Ask(ctx context.Context, names []string) (*Result, error) {
	q.ctx, q.files, q.failed, q.shelves = ctx, nil, nil, map[string][]candidate{}
	for _, name := range names {
		if err := q.take(name); err != nil {
			return nil, err
		}
	}
	if err := q.judge(); err != nil {
		return nil, err
	}
	return q.result(), nil
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
func (q *Inquiry) take(name string) error {
	f := &heldFile{File: name, In: []heldIn{}}
	q.files = append(q.files, f)
	isBundle, err := q.isBundle(name)
	if err == nil && isBundle {
		f.In = append(f.In, heldIn{Bundle: name, URIs: []string{}})
		return nil
	}
	if err == nil {
		f.held, err = verify.Hold(q.ctx, name)
	}
	if err == nil {
		f.Hash, f.Size = &f.held.Hash, &f.held.Size
		err = q.look(f)
	}
	if q.ctx.Err() != nil {
		return q.ctx.Err()
	}
	if err != nil {
		q.fail(f, err)
	}
	return nil
}

func (q *Inquiry) fail(f *heldFile, err error) {
	f.Error = exit.Text(err)
	q.failed = append(q.failed, err)
}

// isBundle reports whether name is a bundle: a directory with a manifest, or a file that is
// named like one, damaged or not. What only begins like a bundle is a file as any other: a
// bundle takes further files under sig/ext/ from anybody, and with one of them the same
// bytes can be a program, too.
func (q *Inquiry) isBundle(name string) (bool, error) {
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
func (q *Inquiry) directory(name string) error {
	shelf, err := q.shelf(name)
	if err != nil {
		return err
	}
	tip := "relseal verify FILE names the file that you hold"
	if len(shelf) > 0 {
		tip = "relseal verify-bundle " + hint.Quote(filepath.Clean(name)) + "/*.tar.zst"
	}
	return hint.With(fmt.Errorf("%s is a directory and no bundle; it holds %s", name, count(len(shelf), "bundle")), tip)
}

func bundleName(name string) bool {
	return strings.HasSuffix(name, ".audit.tar.zst") || strings.HasSuffix(name, ".release.tar.zst")
}

// look finds the bundles that name f. Beside a release lies the AuditBundle that it embeds,
// which would say nothing more: it is asked if no release names the file, or if it is given.
// An AuditBundle alone shows that a run made the file, and not that it was released: whoever
// may sign runs could otherwise answer for those who may sign releases.
func (q *Inquiry) look(f *heldFile) error {
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
		if len(f.In) > 0 && q.Bundles == nil {
			break
		}
	}
	if len(f.In) > 0 {
		if !slices.ContainsFunc(f.In, func(in heldIn) bool { return in.release }) {
			for _, b := range shelf {
				if b.err != nil && !errors.Is(b.err, verify.ErrNoBundle) {
					return b.err // the medium does not answer, and this may be the release
				}
			}
			v := verify.Undecidable
			if q.Options.Strict {
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
			if !q.Options.Strict {
				v = verify.Undecidable
			}
		case b.err != nil:
			return b.err // the medium does not answer
		}
	}
	where := "beside it"
	if q.Bundles != nil {
		where = "named"
	}
	if uri, in := namesake(shelf, f.held.Name); uri != "" {
		f.Reason = fmt.Sprintf("; %s has an artifact %s with other bytes", in, escape.Word(uri)) + f.Reason
	}
	if _, err := verify.Peek(f.File); err == nil {
		f.Reason += "; it begins like a bundle, and relseal verify-bundle judges it as one"
	}
	f.Reason = fmt.Sprintf("no artifact of the %s %s", count(len(shelf), "bundle"), where) + f.Reason
	f.Verdict = &v
	return nil
}

// shelf returns the bundles to ask about a file in dir: those of --bundle, or those of dir.
func (q *Inquiry) shelf(dir string) ([]candidate, error) {
	var names []string
	if q.Bundles != nil {
		dir, names = "", q.Bundles
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
		if err := q.ctx.Err(); err != nil {
			return nil, err
		}
		m, err := verify.Peek(name)
		if errors.Is(err, verify.ErrNoBundle) && dir != "" && !bundleName(name) {
			continue // some archive
		}
		if _, special := errors.AsType[*regular.KindError](err); special && dir != "" {
			continue // a FIFO, say
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
func (q *Inquiry) judge() error {
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
	if err := Newest(q.ctx, &q.Options, bundles); err != nil {
		return err
	}
	reports, broken := map[question]*verify.Report{}, map[question]error{}
	for _, ask := range order {
		o := q.Options
		o.Held = held[ask]
		reports[ask], broken[ask] = q.verify(q.ctx, ask.bundle, o)
		if q.ctx.Err() != nil {
			return q.ctx.Err()
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

func (q *Inquiry) verify(ctx context.Context, name string, o verify.Options) (*verify.Report, error) {
	o.Progress = new(verify.Progress)
	if q.Watch != nil {
		defer q.Watch(name, o.Progress)()
	}
	r, err := verify.File(ctx, name, o)
	if r != nil {
		err = nil // any answer is one
	}
	return r, err
}

// A Result is the answer about all files; as JSON it is relseal/verify/v1.
type Result struct {
	Schema  string          `json:"schema"`
	Verdict *verify.Verdict `json:"verdict"` // the worst, null if a file could not be judged
	Files   []*heldFile     `json:"files"`

	// Worst is the worst verdict of the files that were judged, and Report one that says so,
	// nil if none does. Failed is why others could not be judged.
	Worst  verify.Verdict `json:"-"`
	Report *verify.Report `json:"-"`
	Failed error          `json:"-"`
}

func (q *Inquiry) result() *Result {
	r := &Result{Schema: "relseal/verify/v1", Files: q.files, Worst: verify.Verified, Failed: errors.Join(q.failed...)}
	for _, f := range q.files {
		if f.Verdict == nil {
			continue
		}
		if v := r.Worst.Worse(*f.Verdict); v != r.Worst || r.Report == nil && len(f.In) > 0 {
			r.Worst, r.Report = v, nil
			for _, in := range f.In {
				if in.Report.Verdict == v {
					r.Report = in.Report
				}
			}
		}
	}
	if r.Failed == nil {
		r.Verdict = &r.Worst
	}
	return r
}

// Text returns the answer for people.
func (r *Result) Text() string {
	var w strings.Builder
	shown := map[string]bool{}
	for _, f := range r.Files {
		f.text(&w, shown, len(r.Files) > 1)
	}
	return w.String()
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

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
