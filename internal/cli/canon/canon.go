// Package canon is the command canon: the bytes that are hashed.
package canon

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/yamldoc"
	"github.com/relseal/relseal/sign"
)

// Command returns the command.
func Command(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "canon",
		Usage:     "print the canonical JSON of a document: the bytes that are hashed",
		ArgsUsage: "FILE|-",
		Description: `Reads one JSON value, or with --yaml what one YAML document says, and prints its
canonical form without a trailing newline, so that sha256sum of the output is the
digest. (A card is hashed with the members that its YAML leaves out.)

Example:
  curl -s http://localhost:8080/facts | relseal canon - | sha256sum
  relseal canon --yaml gates.yaml`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "yaml", Usage: "the input is YAML"},
			&cli.BoolFlag{Name: "check", Usage: "print nothing; exit 2 if the input is not canonical yet"},
			&cli.BoolFlag{Name: "json", Usage: "print {schema, digest, canonical} as JSON"},
		},
		Action: func(c *cli.Context) error {
			if err := ui.ExactArgs(c, "FILE"); err != nil {
				return err
			}
			return runCanon(env, c)
		},
	}
}

func runCanon(env *ui.Env, c *cli.Context) error {
	if c.Bool("check") && c.Bool("yaml") {
		return ui.Usage("relseal canon: --check and --yaml exclude each other: YAML has no canonical form of its own")
	}
	name, data, err := env.ReadInput(c.Args().First(), limits.Manifest)
	if err != nil {
		return err
	}
	if c.Bool("check") {
		if err = canon.Check(data); err == nil {
			return nil
		}
		err = fmt.Errorf("%s: %w", name, err)
		if errors.Is(err, canon.ErrNotCanonical) {
			err = &ui.Error{Code: ui.ExitReject, Err: err} // the answer to --check
		}
		return err
	}
	var out []byte
	if c.Bool("yaml") {
		out, err = yamldoc.Canonical(name, data)
	} else if out, err = canon.Canonicalize(data); err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	if err != nil {
		return err
	}
	if !c.Bool("json") { // the bytes themselves
		_, err := env.Stdout.Write(out)
		return err
	}
	return env.Print(c, result{"relseal/canon/v1", sign.Sum(out), canon.Value(out)}, "")
}

type result struct {
	Schema    string      `json:"schema"`
	Digest    sign.Digest `json:"digest"`
	Canonical canon.Value `json:"canonical"`
}
