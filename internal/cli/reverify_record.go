package cli

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/clock"
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

// open starts the record beside the file of --out, or goes on with it. A key that
// nobody would count is refused before the work.
func (a *archive) open() error {
	key, err := a.env.signingKey(a.c)
	if err != nil {
		return err
	}
	authority, _ := a.o.Root.Walk(nil)
	if g, ok := authority.Grant(sign.RoleArchive, key.Public().KeyID()); !ok || g.Status != sign.Active {
		return &exitError{exitNoInput, fmt.Errorf("%s may not sign as %s by this root", key.Public().KeyID(), sign.RoleArchive), "relseal trust rotate ROOTS --add archive=FILE gives it the role"}
	}
	terms := reverify.Terms{Root: rootUseOf(a.o), At: a.c.String("at"), Strict: a.c.Bool("strict")}
	if name := a.c.String("ledger"); name != "" {
		file, err := ledgerFile(name)
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
	a.record, err = reverify.Open(a.c.String("out")+".part", terms, reverify.Writer{
		Signer: key, Clock: clock.System(), Producer: producer, Actor: "reverify"})
	return err
}

// rest takes over what the record has already and returns the files that are left. A result
// is taken over for the bytes that it is about and no others: whoever can put an older
// record in the place of this one must not answer for a file that was never read.
func (a *archive) rest(files []reverify.File) []reverify.File {
	last := map[string]reverify.Result{}
	for _, r := range a.record.Done() {
		last[r.File] = r
	}
	var left []reverify.File
	for _, f := range files {
		r, ok := last[f.Name]
		if ok && !a.c.IsSet("artifacts") && f.Same(a.c.Context, r) {
			a.results = append(a.results, r)
			continue
		}
		left = append(left, f)
	}
	a.recorded, a.resumed, a.total = last, len(a.results), len(files)
	return left
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
	sealed, err := pack.WriteAudit(a.c.Context, out, a.c.Bool("force") || a.sealedAs(out), pack.Run{Dir: a.record.Dir, Artifacts: ".", Details: details}, wrap.New(a.signer))
	if errors.Is(err, fs.ErrExist) {
		return exists(out)
	}
	if err != nil {
		return err
	}
	a.sealed = &sealedRecord{out, sealed.ID, a.signer.Public().KeyID()}
	return nil
}

// sealedAs reports whether file is the bundle of this record already: the one who
// sealed it was killed before the answer was given.
func (a *archive) sealedAs(file string) bool {
	m, err := pack.ReadAudit(file)
	return err == nil && m.Run.ID == a.record.Run()
}
