package trail

import (
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/sign"
)

// A NewRun says what a run directory is made from. The documents are in their canonical
// form; the genesis of the trail pins them by digest.
type NewRun struct {
	ID      string // 32 lower-case hexadecimal digits; "" for random ones
	Product string // may be ""

	EnvLock, Pipeline, Params []byte

	Actor   audit.Text  // who starts it
	Details canon.Value // of run.start; may be nil
}

// A Started is what the trail of a new run directory says first.
type Started struct {
	H0    sign.Digest
	First audit.Record // run.start
}

// Start makes a run directory, which appears with the first event in its trail or not at
// all. dir must not exist, or be empty.
func Start(dir string, n NewRun, key sign.Signer, o RunOptions) (s Started, err error) {
	g := audit.Genesis{Purpose: audit.PurposeRun, Run: audit.Run{ID: n.ID}, Product: n.Product}
	if n.ID == "" {
		var random [16]byte
		if _, err := rand.Read(random[:]); err != nil {
			return s, err
		}
		g.Run.ID = audit.NewRunID(random)
	}
	if _, err := envlock.Parse(n.EnvLock); err != nil {
		return s, fmt.Errorf("the EnvLock: %w", err)
	}
	pipeline, err := cards.ReadPipeline(n.Pipeline)
	if err != nil {
		return s, fmt.Errorf("the PipelineCard: %w", err)
	}
	if _, err := cards.ReadParams(n.Params); err != nil {
		return s, fmt.Errorf("the ParamCard: %w", err)
	}
	c, err := newCard(pipeline, o.Producer)
	if err != nil {
		return s, err
	}
	first := audit.Draft{Action: audit.ActionRunStart, Actor: n.Actor, Details: n.Details}
	if err := c.complete(&first); err != nil {
		return s, err
	}
	env, pipe, params := sign.Sum(n.EnvLock), sign.Sum(n.Pipeline), sign.Sum(n.Params)
	g.EnvLock.Fingerprint, g.PipelineCard.Hash, g.ParamCard.Hash = &env, &pipe, &params
	err = durable.Fill(dir, bundle.TrailPath, func(dir string) error {
		for path, data := range map[string][]byte{bundle.EnvLockPath: n.EnvLock, bundle.PipelinePath: n.Pipeline, bundle.ParamPath: n.Params} {
			file := filepath.Join(dir, filepath.FromSlash(path))
			if err := durable.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				return err
			}
			if err := durable.WriteFile(file, data, 0o644, false); err != nil {
				return err
			}
		}
		trail := filepath.Join(dir, filepath.FromSlash(bundle.TrailPath))
		if err := durable.MkdirAll(filepath.Dir(trail), 0o755); err != nil {
			return err
		}
		log, err := audit.Create(trail, g, key, o.clock())
		if err != nil {
			return err
		}
		s.First, err = log.Append(first)
		s.H0 = log.H0()
		return errors.Join(err, log.Close())
	})
	return s, err
}
