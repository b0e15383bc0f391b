// Package rundir makes and reads run directories: what a run leaves behind.
//
//	envlock.json            the environment          ┐
//	cards/pipeline.json     the PipelineCard         │ the tree of an AuditBundle,
//	cards/param.json        the ParamCard            │ before it is sealed
//	audit/trail.jsonl       the signed record        ┘
//	logs/STEP.log           what each step printed; stays behind
//
//	.recording              there and locked while somebody records the run
//
// A run directory holds everything that the first line of its record pins, or it is
// not there. What a killed process leaves, [Vacate] puts aside.
package rundir

import (
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"

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

// Make makes the directory of p with its trail, in which first appends the first
// events. It appears whole or not at all.
func Make(p Plan, key sign.Signer, first func(*audit.Log) error) error {
	d, err := durable.NewDir(p.Dir)
	if err != nil {
		return err
	}
	defer d.Discard()
	if err := p.fill(d.Path(), key, first); err != nil {
		return err
	}
	return d.Commit()
}

// fill writes the documents and the trail into dir.
func (p Plan) fill(dir string, key sign.Signer, first func(*audit.Log) error) error {
	p.Dir = dir
	g, err := p.write()
	if err != nil {
		return err
	}
	log, err := audit.Create(File(dir, bundle.TrailPath), g, key, p.Clock)
	if err != nil {
		return err
	}
	return errors.Join(first(log), log.Close())
}

// Record makes the directory of p with its trail, lets do append the events, and
// closes the file. begun says whether an event was recorded: if not, nothing of
// the directory is left. While it goes on, the file [marker] in the directory is
// locked; it stays if the record got no end.
func Record(p Plan, key sign.Signer, do func(*audit.Log) error) (begun bool, err error) {
	p.Dir = filepath.Clean(p.Dir)
	d, err := durable.NewDir(p.Dir)
	if err != nil {
		return false, err
	}
	defer d.Discard()
	unlock, err := mark(d.Path())
	if err != nil {
		return false, err
	}
	defer func() { unlock() }()
	if err := p.fill(d.Path(), key, func(*audit.Log) error { return nil }); err != nil {
		return false, err
	}
	if runtime.GOOS == "windows" { // renames no directory with an open file in it
		unlock()
	}
	if err := d.Commit(); err != nil {
		return false, err
	}
	if runtime.GOOS == "windows" {
		if unlock, err = mark(p.Dir); err != nil {
			return false, errors.Join(err, durable.RemoveAll(p.Dir))
		}
	}
	log, err := audit.Open(File(p.Dir, bundle.TrailPath), key, p.Clock)
	if err != nil {
		return false, errors.Join(err, durable.RemoveAll(p.Dir))
	}
	err = do(log)
	k, _ := log.Head()
	log.Close() // every event was synced when it was appended
	if err != nil && k == 0 {
		durable.RemoveAll(p.Dir)
		return false, err
	}
	if err != nil { // the record has no end: the marker stays, and nobody holds its lock
		return true, hint.With(err, "the record of the run up to there is in "+p.Dir)
	}
	os.Remove(File(p.Dir, marker))
	return true, nil
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
