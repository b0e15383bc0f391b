// Package rundir makes and reads run directories: what a run leaves behind.
//
//	envlock.json            the environment          ┐
//	cards/pipeline.json     the PipelineCard         │ the tree of an AuditBundle,
//	cards/param.json        the ParamCard            │ before it is sealed
//	audit/trail.jsonl       the signed record        ┘
//	logs/STEP.log           what each step printed; stays behind
//
// A run directory either holds a record that has begun, with everything that its
// first line pins, or it is not there.
package rundir

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/sign"
)

// A Plan is what a run is recorded under.
type Plan struct {
	Dir     string // of the run; it must not exist
	ID      string // run.id
	Product string // "" if none is named
	Root    *audit.RootRef

	EnvLock, Pipeline, Params Document

	Clock audit.Clock
}

// A Document is what a run directory holds beside the trail.
type Document interface{ Marshal() ([]byte, error) }

// NewID returns a run.id that no other run has.
func NewID() (string, error) {
	var random [16]byte
	_, err := io.ReadFull(rand.Reader, random[:])
	return audit.NewRunID(random), err
}

// File returns where the run directory dir holds the file that a bundle has at path.
func File(dir, path string) string { return filepath.Join(dir, filepath.FromSlash(path)) }

// Logs returns where the run directory dir holds what its steps printed.
func Logs(dir string) string { return filepath.Join(dir, "logs") }

// Record makes the directory of p with its trail, lets do append the events, and
// closes the file. begun says whether an event was recorded: if not, nothing of
// the directory is left.
func Record(p Plan, key sign.Signer, do func(*audit.Log) error) (begun bool, err error) {
	p.Dir = filepath.Clean(p.Dir)
	log, err := create(p, key)
	if err != nil {
		return false, err
	}
	err = do(log)
	k, _ := log.Head()
	log.Close() // every event was synced when it was appended
	switch {
	case err == nil:
		return true, nil
	case k == 0:
		os.RemoveAll(p.Dir)
		return false, err
	}
	return true, hint.With(err, "the record of the run up to there is in "+p.Dir)
}

// create makes the directory and the trail with its first line, or nothing.
func create(p Plan, key sign.Signer) (*audit.Log, error) {
	if err := mkdir(p.Dir); err != nil {
		return nil, err
	}
	g, err := p.write()
	if err == nil {
		var log *audit.Log
		if log, err = audit.Create(File(p.Dir, bundle.TrailPath), g, key, p.Clock); err == nil {
			return log, nil
		}
	}
	os.RemoveAll(p.Dir)
	return nil, err
}

// mkdir makes a directory that does not exist yet.
func mkdir(dir string) error {
	switch _, err := os.Lstat(dir); {
	case err == nil:
		return &fs.PathError{Op: "mkdir", Path: dir, Err: fs.ErrExist}
	case !errors.Is(err, fs.ErrNotExist): // a parent is no directory, say
		return &fs.PathError{Op: "mkdir", Path: dir, Err: errors.Unwrap(err)}
	}
	if err := durable.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	return os.Mkdir(dir, 0o755)
}

// write stores the documents and returns the genesis that pins them.
func (p Plan) write() (audit.Genesis, error) {
	g := audit.Genesis{Purpose: audit.PurposeRun, Run: audit.Run{ID: p.ID}, Product: p.Product, Root: p.Root}
	for _, d := range []struct {
		path string
		doc  Document
		hash **sign.Digest
	}{
		{bundle.EnvLockPath, p.EnvLock, &g.EnvLock.Fingerprint},
		{bundle.PipelinePath, p.Pipeline, &g.PipelineCard.Hash},
		{bundle.ParamPath, p.Params, &g.ParamCard.Hash},
	} {
		data, err := d.doc.Marshal()
		if err != nil {
			return g, err
		}
		file := File(p.Dir, d.path)
		if err := durable.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return g, err
		}
		if err := durable.WriteFile(file, data, 0o644, false); err != nil {
			return g, err
		}
		digest := sign.Sum(data)
		*d.hash = &digest
	}
	return g, durable.MkdirAll(filepath.Dir(File(p.Dir, bundle.TrailPath)), 0o755)
}
