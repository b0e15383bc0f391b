package reverify

import (
	"context"
	"crypto/sha256"
	"io"
	"os"
	"slices"
	"sync"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/engine"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/verify"
)

// A Result is what came out for one bundle.
type Result struct {
	File    string          `json:"file"`
	ID      *sign.Digest    `json:"id"`
	Kind    *string         `json:"kind"`
	Verdict *verify.Verdict `json:"verdict"` // null: it could not be read
	Code    *finding.Code   `json:"code"`    // of the worst finding, unless VERIFIED
	Report  *sign.Digest    `json:"report"`  // of the bytes of verify-bundle --json, without the newline
	Error   *string         `json:"error"`   // why it could not be read
	Bytes   *sign.Digest    `json:"bytes"`   // digest of the file that was verified, null of a directory

	Cause error `json:"-"` // of Error

	RolledBack bool `json:"rolled_back"` // by the ledger that was given: the release, or what it became
}

// Verify verifies files, so many at a time, and calls done with each result in the
// order of the files. It returns early with the context's error, or that of done.
func Verify(ctx context.Context, files []File, workers int, o verify.Options, done func(Result) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ctx = engine.With(ctx, engine.Options{Plain: engine.Of(ctx).Plain, Workers: 1}) // bundles are the unit of work, not lines
	results := make([]chan Result, len(files))
	for i := range results {
		results[i] = make(chan Result, 1)
	}
	next := make(chan int)
	var group sync.WaitGroup
	for range max(1, min(workers, len(files))) {
		group.Go(func() {
			for i := range next {
				results[i] <- one(ctx, files[i], o)
			}
		})
	}
	go func() {
		defer close(next)
		for i := range files {
			select {
			case next <- i:
			case <-ctx.Done():
				return
			}
		}
	}()
	defer group.Wait()
	defer cancel(nil)
	for i := range files {
		select {
		case r := <-results[i]:
			if err := context.Cause(ctx); err != nil {
				return err // r may be of a check that was broken off
			}
			if err := done(r); err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func one(ctx context.Context, f File, o verify.Options) Result {
	r := Result{File: f.Name}
	report, err := f.verify(ctx, o, &r)
	if report == nil {
		text := cause(err)
		r.Error, r.Cause = &text, err
		return r
	}
	r.ID, r.Kind, r.Verdict = report.Bundle.ID, report.Bundle.Kind, &report.Verdict
	r.RolledBack = slices.ContainsFunc(report.Diag.Findings, func(f verify.Finding) bool { return f.Code == finding.RolledBack })
	if !report.Valid && len(report.Diag.Findings) > 0 { // the worst comes first
		r.Code = &report.Diag.Findings[0].Code
	}
	if data, err := report.JSON(); err == nil {
		digest := sign.Sum(data)
		r.Report = &digest
	}
	return r
}

// verify verifies the file, or directory, and notes the digest of the bytes that it read.
func (f File) verify(ctx context.Context, o verify.Options, r *Result) (*verify.Report, error) {
	info, err := os.Stat(f.Path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return verify.File(ctx, f.Path, o)
	}
	file, err := regular.Open(f.Path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	sum := sha256.New()
	report, err := verify.Reader(ctx, io.TeeReader(file, sum), o)
	if report == nil {
		return nil, err
	}
	if _, err := io.Copy(sum, regular.Until(ctx, file)); err != nil { // what a broken container left unread
		return nil, err
	}
	r.Bytes = (*sign.Digest)(sum.Sum(nil))
	return report, nil
}

// Same reports whether the file still has the bytes that a result is about. A directory
// would have to be read as a whole to tell.
func (f File) Same(ctx context.Context, r Result) bool {
	if r.Bytes == nil || r.Verdict == nil {
		return false
	}
	file, err := regular.Open(f.Path)
	if err != nil {
		return false
	}
	defer file.Close()
	got, _, err := sign.SumReader(regular.Until(ctx, file))
	return err == nil && got == *r.Bytes
}
