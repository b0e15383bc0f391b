package reverify

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/clock"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/inquiry"
	"github.com/relseal/relseal/internal/pack"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/internal/reverify"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/sign/wrap"
	"github.com/relseal/relseal/verify"
)

// sealedRecord is the AuditBundle of a record.
type sealedRecord struct {
	File string      `json:"file"`
	ID   sign.Digest `json:"id"`
	Key  sign.KeyID  `json:"key"`
}

// open reads the record beside the file of --out that was broken off, if there is one. A
// key that nobody would count is refused before the work.
func (a *archive) open() error {
	key, err := a.env.SigningKey(a.c)
	if err != nil {
		return err
	}
	authority, _ := a.o.Root.Walk(nil)
	if g, ok := authority.Grant(sign.RoleArchive, key.Public().KeyID()); !ok || g.Status != sign.Active {
		return &ui.Error{Code: ui.ExitNoInput, Err: fmt.Errorf("%s may not sign as %s by this root", key.Public().KeyID(), sign.RoleArchive), Hint: "relseal trust rotate ROOTS --add archive=FILE gives it the role"}
	}
	terms := reverify.Terms{Root: rootUseOf(a.o), Strict: a.c.Bool("strict")}
	if at := a.o.At; !at.IsZero() {
		terms.At = at.UTC().Format(time.RFC3339Nano)
	}
	if name := a.c.String("ledger"); name != "" {
		file, err := inquiry.LedgerFile(name)
		if err != nil {
			return err
		}
		f, err := regular.Open(file)
		if err != nil {
			return err
		}
		digest, _, err := sign.SumReader(f)
		f.Close()
		if err != nil {
			return err
		}
		terms.Ledger = &digest
	}
	a.signer = key
	out := a.c.String("out")
	a.record, err = reverify.Open(out+".part", terms, reverify.Writer{
		Signer: key, Clock: clock.System(), Producer: ui.Producer, Actor: "reverify"})
	if err != nil {
		return err
	}
	a.replace = a.c.Bool("force") || a.sealedAs(out)
	if _, err := os.Lstat(out); err == nil && !a.replace {
		return ui.Exists(out)
	}
	return nil
}

// rest takes over what a record that was broken off has already and returns the files that
// are left. A result is taken over for the bytes that it is about and no others: whoever
// can put an older record in the place of this one must not answer for a file that was
// never read. What it says of files that are not there does not get into this record.
func (a *archive) rest(files []reverify.File) ([]reverify.File, error) {
	done := a.record.Done()
	var left []reverify.File
	there := 0 // results about files that may still be what they were
	for _, f := range files {
		r, ok := done[f.Name]
		same := ok && f.Same(a.c.Context, r)
		if same || ok && r.Bytes == nil {
			there++
		}
		if same && !a.c.IsSet("artifacts") {
			a.results = append(a.results, r)
			continue
		}
		left = append(left, f)
	}
	if err := a.c.Context.Err(); err != nil {
		return nil, err // the answers of Same are none
	}
	a.resumed, a.total = len(a.results), len(files)
	fault := a.record.Fault()
	if n := len(done) - there; n > 0 {
		fault = fmt.Errorf("says of %s what is not so now", ui.Counted(n, "file"))
	}
	aside, err := a.record.Begin(a.results, fault != nil)
	if aside != "" {
		a.env.Say("hint", fmt.Sprintf("%s: %s; it is %s now, and what it does not answer is verified again", escape.Line(a.record.Dir), escape.Line(fault.Error()), escape.Line(aside)))
	}
	return left, err
}

// seal ends the record and makes its bundle.
func (a *archive) seal() error {
	if err := a.record.Finish(a.skipped); err != nil {
		return err
	}
	details, err := canon.Marshal(map[string]string{"record": verify.Record})
	if err != nil {
		return err
	}
	out := a.c.String("out")
	sealed, err := pack.WriteAudit(a.c.Context, out, a.replace, pack.Run{Dir: a.record.Dir, Artifacts: ".", Details: details}, wrap.New(a.signer))
	if errors.Is(err, fs.ErrExist) {
		return ui.Exists(out)
	}
	if err != nil {
		return err
	}
	a.sealed = &sealedRecord{out, sealed.ID, a.signer.Public().KeyID()}
	return nil
}

// sealedAs reports whether file is the bundle of the record that was broken off: the one
// who sealed it was killed before the answer was given.
func (a *archive) sealedAs(file string) bool {
	m, err := pack.ReadAudit(file)
	return err == nil && m.Run.ID == a.record.Before()
}
