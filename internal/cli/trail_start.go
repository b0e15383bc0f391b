package cli

import (
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/cards/cardfile"
	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/clock"
	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

func trailStartCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "start",
		Usage:     "make a run directory and start its trail",
		ArgsUsage: "DIR",
		Description: `Makes DIR, which must be new or empty, with envlock.json, cards/pipeline.json,
cards/param.json and audit/trail.jsonl, whose genesis pins the other three by digest.
Event 1 is run.start. Cards are YAML as people write it or canonical JSON; the EnvLock
is canonical JSON.

Example:
  relseal trail start runs/1 --envlock env.json --pipeline p.yaml --params q.yaml --key F`,
		Flags: append(append([]cli.Flag{
			&cli.StringFlag{Name: "envlock", Usage: "the environment of the run: the EnvLock in `F`"},
			&cli.StringFlag{Name: "pipeline", Usage: "the PipelineCard in `F`"},
			&cli.StringFlag{Name: "params", Usage: "the ParamCard in `F`"},
		}, ui.SigningFlags()...),
			&cli.StringFlag{Name: "product", Usage: "the run makes product `P`"},
			&cli.StringFlag{Name: "run-id", Usage: "the run has this `ID` of 32 lower-case hexadecimal digits, in place of a random one"},
			ui.AccountFlag(),
			&cli.StringFlag{Name: "details", Usage: "details of run.start, such as {\"source\":{\"commit\":C,\"dirty\":false}}, as `JSON`"},
			ui.JSONFlag(),
		),
		Action: func(c *cli.Context) error {
			if err := ui.ExactArgs(c, "DIR"); err != nil {
				return err
			}
			if err := ui.Need(c, "envlock", "pipeline", "params", "key"); err != nil {
				return err
			}
			return trailStart(env, c)
		},
	}
}

// A trailBirth is everything that a new run directory holds.
type trailBirth struct {
	dir     string
	genesis audit.Genesis
	files   []birthFile
	first   audit.Draft
}

func trailStart(env *ui.Env, c *cli.Context) error {
	b := trailBirth{dir: c.Args().First()}
	if err := b.vacant(); err != nil {
		return err
	}
	if err := b.identify(c); err != nil {
		return err
	}
	if err := readTrailDocuments(env, c, &b); err != nil {
		return err
	}
	key, err := env.SigningKey(c)
	if err != nil {
		return err
	}
	h0, rec, err := b.write(key)
	if err != nil {
		return err
	}
	return env.PrintDone(c, struct {
		Schema string      `json:"schema"`
		Dir    string      `json:"dir"`
		Run    string      `json:"run"`
		Key    sign.KeyID  `json:"key"`
		H0     sign.Digest `json:"H_0"`
		K      int64       `json:"k"`
		HK     sign.Digest `json:"H_k"`
	}{"relseal/trail-start/v1", b.dir, rec.E.Run.ID, key.Public().KeyID(), h0, rec.E.K, rec.H},
		fmt.Sprintf("started run %s in %s\nthe last is event %d, H_k %s\n", rec.E.Run.ID, escape.Line(b.dir), rec.E.K, rec.H))
}

type birthFile struct {
	path string // in a bundle
	data []byte
}

// vacant refuses a directory that holds something: a run is never mixed with
// another.
func (b *trailBirth) vacant() error {
	_, err := durable.Vacant(b.dir)
	if errors.Is(err, durable.ErrNotEmpty) {
		return hint.With(err, "a run directory is new; choose another name")
	}
	return err
}

// identify settles what the flags say of the run.
func (b *trailBirth) identify(c *cli.Context) error {
	b.genesis = audit.Genesis{Purpose: audit.PurposeRun, Run: audit.Run{ID: c.String("run-id")}, Product: c.String("product")}
	switch id := b.genesis.Run.ID; {
	case id == "":
		var random [16]byte
		if _, err := rand.Read(random[:]); err != nil {
			return err
		}
		b.genesis.Run.ID = audit.NewRunID(random)
	case len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "":
		return ui.Usage(fmt.Sprintf("%s: --run-id %q is not 32 lower-case hexadecimal digits", c.Command.HelpName, id))
	}
	if !canon.Printable(b.genesis.Product) {
		return ui.Usage(fmt.Sprintf("%s: --product %+q has a character outside U+0020 to U+007E", c.Command.HelpName, b.genesis.Product))
	}
	b.first = audit.Draft{Action: audit.ActionRunStart, Actor: audit.Txt(ui.Account(c))}
	var err error
	b.first.Details, err = detailsFlag(c)
	return err
}

// readTrailDocuments reads what the genesis pins.
func readTrailDocuments(env *ui.Env, c *cli.Context, b *trailBirth) error {
	var card cards.Pipeline
	for _, d := range []struct {
		flag, path string
		limit      int64
		hash       **sign.Digest
		canonical  func(name string, data []byte) ([]byte, error)
	}{
		{"envlock", bundle.EnvLockPath, limits.EnvLock, &b.genesis.EnvLock.Fingerprint, func(name string, data []byte) ([]byte, error) {
			if _, err := envlock.Parse(data); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			return data, nil
		}},
		{"pipeline", bundle.PipelinePath, limits.Card, &b.genesis.PipelineCard.Hash, func(name string, data []byte) (_ []byte, err error) {
			card, err = readCard(name, data, cards.ReadPipeline, cardfile.Pipeline)
			if err != nil {
				return nil, err
			}
			return card.Marshal()
		}},
		{"params", bundle.ParamPath, limits.Card, &b.genesis.ParamCard.Hash, func(name string, data []byte) ([]byte, error) {
			p, err := readCard(name, data, cards.ReadParams, cardfile.Params)
			if err != nil {
				return nil, err
			}
			return p.Marshal()
		}},
	} {
		name, data, err := env.ReadInput(c.String(d.flag), d.limit)
		if err != nil {
			return err
		}
		if data, err = d.canonical(name, data); err != nil {
			return err
		}
		digest := sign.Sum(data)
		b.files, *d.hash = append(b.files, birthFile{d.path, data}), &digest
	}
	full, err := newTrailCard(card)
	if err != nil {
		return err
	}
	return full.complete(&b.first)
}

// readCard reads a card in its canonical form, or as people write it.
func readCard[T any](name string, data []byte, canonical func([]byte) (T, error), yaml func(string, []byte) (T, error)) (T, error) {
	if canon.Check(data) != nil {
		return yaml(name, data)
	}
	card, err := canonical(data)
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return card, err
}

// write makes the directory, which appears with the first event in its trail or not
// at all.
func (b *trailBirth) write(key sign.Signer) (h0 sign.Digest, rec audit.Record, err error) {
	err = durable.Fill(b.dir, bundle.TrailPath, func(dir string) error {
		for _, f := range b.files {
			file := filepath.Join(dir, filepath.FromSlash(f.path))
			if err := durable.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				return err
			}
			if err := durable.WriteFile(file, f.data, 0o644, false); err != nil {
				return err
			}
		}
		trail := filepath.Join(dir, filepath.FromSlash(bundle.TrailPath))
		if err := durable.MkdirAll(filepath.Dir(trail), 0o755); err != nil {
			return err
		}
		log, err := audit.Create(trail, b.genesis, key, clock.System())
		if err != nil {
			return err
		}
		rec, err = log.Append(b.first)
		h0 = log.H0()
		return errors.Join(err, log.Close())
	})
	return h0, rec, err
}
