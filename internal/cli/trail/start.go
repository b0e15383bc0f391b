package trail

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/cards/cardfile"
	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/trail"
)

func startCommand(env *ui.Env) *cli.Command {
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

func trailStart(env *ui.Env, c *cli.Context) error {
	dir := c.Args().First()
	if err := ui.Vacant(dir); err != nil {
		return err
	}
	n := trail.NewRun{ID: c.String("run-id"), Product: c.String("product"), Actor: audit.Txt(ui.Account(c))}
	if n.ID != "" && (len(n.ID) != 32 || strings.Trim(n.ID, "0123456789abcdef") != "") {
		return ui.Usage(fmt.Sprintf("%s: --run-id %q is not 32 lower-case hexadecimal digits", c.Command.HelpName, n.ID))
	}
	if !canon.Printable(n.Product) {
		return ui.Usage(fmt.Sprintf("%s: --product %+q has a character outside U+0020 to U+007E", c.Command.HelpName, n.Product))
	}
	var err error
	if n.Details, err = detailsFlag(c); err != nil {
		return err
	}
	if err := readDocuments(env, c, &n); err != nil {
		return err
	}
	key, err := env.SigningKey(c)
	if err != nil {
		return err
	}
	s, err := trail.Start(dir, n, key, runOptions())
	if err != nil {
		return err
	}
	rec := s.First
	return env.PrintDone(c, struct {
		Schema string      `json:"schema"`
		Dir    string      `json:"dir"`
		Run    string      `json:"run"`
		Key    sign.KeyID  `json:"key"`
		H0     sign.Digest `json:"H_0"`
		K      int64       `json:"k"`
		HK     sign.Digest `json:"H_k"`
	}{"relseal/trail-start/v1", dir, rec.E.Run.ID, key.Public().KeyID(), s.H0, rec.E.K, rec.H},
		fmt.Sprintf("started run %s in %s\nthe last is event %d, H_k %s\n", rec.E.Run.ID, escape.Line(dir), rec.E.K, rec.H))
}

// readDocuments reads what the genesis pins, in its canonical form.
func readDocuments(env *ui.Env, c *cli.Context, n *trail.NewRun) error {
	for _, d := range []struct {
		flag      string
		limit     int64
		to        *[]byte
		canonical func(name string, data []byte) ([]byte, error)
	}{
		{"envlock", limits.EnvLock, &n.EnvLock, func(name string, data []byte) ([]byte, error) {
			if _, err := envlock.Parse(data); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			return data, nil
		}},
		{"pipeline", limits.Card, &n.Pipeline, func(name string, data []byte) ([]byte, error) {
			p, err := readCard(name, data, cards.ReadPipeline, cardfile.Pipeline)
			if err != nil {
				return nil, err
			}
			return p.Marshal()
		}},
		{"params", limits.Card, &n.Params, func(name string, data []byte) ([]byte, error) {
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
		if *d.to, err = d.canonical(name, data); err != nil {
			return err
		}
	}
	return nil
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
