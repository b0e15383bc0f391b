package pack

import (
	"context"
	"errors"
	"io"
	"path/filepath"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/verify"
)

// A Sealed is a bundle that was written to a file and verified from there, with
// the code that a third party runs.
type Sealed struct {
	File   string
	ID     sign.Digest
	Report *verify.Report

	Audit bundle.AuditManifest // of an AuditBundle
}

// WriteAudit seals the AuditBundle of a run into a file and verifies it with the
// sealing key and the artifacts of the run. The report of an open trail is
// UNDECIDABLE; any other bundle that does not verify is an error.
func WriteAudit(ctx context.Context, file string, replace bool, r Run, s bundle.Sealer) (Sealed, error) {
	var m bundle.AuditManifest
	id, err := bundle.WriteSealed(file, replace, func(w io.Writer) (sign.Digest, error) {
		var files []bundle.Content
		var err error
		if m, files, err = r.contents(s); err != nil {
			return sign.Digest{}, err
		}
		return bundle.SealAudit(w, m, files, s)
	})
	if err != nil {
		return Sealed{}, err
	}
	var made []string
	for _, a := range m.Artifacts {
		made = append(made, filepath.Join(r.Artifacts, filepath.FromSlash(a.URI)))
	}
	artifacts, err := verify.Files(made)
	if err != nil {
		return Sealed{}, err
	}
	sealed, err := check(ctx, file, verify.Options{Keys: sign.Only(s.Public()), Artifacts: artifacts})
	sealed.ID, sealed.Audit = id, m
	if err == nil && !sealed.Report.Valid && !(r.Open && sealed.Report.Verdict == verify.Undecidable) {
		err = unsound(sealed)
	}
	return sealed, err
}

// WriteCanary seals a ReleaseBundle on canary into a file and verifies it. known
// says whose signatures on the evidence count beside those of the sealing key,
// and which artifacts the caller has.
func WriteCanary(ctx context.Context, file string, replace bool, r Release, s bundle.Sealer, known verify.Options) (Sealed, error) {
	id, err := bundle.WriteSealed(file, replace, func(w io.Writer) (sign.Digest, error) { return Canary(w, r, s) })
	if err != nil {
		return Sealed{}, err
	}
	known.Keys = either{sign.Only(s.Public()), known.Keys}
	sealed, err := check(ctx, file, known)
	sealed.ID = id
	if err == nil && !sealed.Report.Valid {
		err = unsound(sealed)
	}
	return sealed, err
}

func check(ctx context.Context, file string, o verify.Options) (Sealed, error) {
	report, err := verify.File(ctx, file, o)
	if report != nil {
		err = nil // what the answer means is for the caller to say
	}
	return Sealed{File: file, Report: report}, err
}

// unsound is the error about a bundle of ours that does not verify.
func unsound(s Sealed) error {
	return errors.New(s.File + ": the bundle just written does not verify\n" + s.Report.Summary())
}

// either trusts the keys of both; b may be nil.
type either struct{ a, b sign.Verifiers }

func (e either) Verifier(id sign.KeyID) (sign.PublicKey, bool) {
	if key, ok := e.a.Verifier(id); ok || e.b == nil {
		return key, ok
	}
	return e.b.Verifier(id)
}
