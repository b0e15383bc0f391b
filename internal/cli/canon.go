package cli

import (
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/internal/yamldoc"
	"github.com/relseal/relseal/sign"
)

func canonCommand(env *environment) *cli.Command {
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
			&cli.BoolFlag{Name: "check", Usage: "print nothing; exit 2 unless the input is canonical already"},
			&cli.BoolFlag{Name: "json", Usage: "print {schema, digest, canonical} as JSON"},
		},
		Action: func(c *cli.Context) error {
			if err := exactArgs(c, "FILE"); err != nil {
				return err
			}
			return runCanon(env, c)
		},
	}
}

func runCanon(env *environment, c *cli.Context) error {
	if c.Bool("check") && c.Bool("yaml") {
		return usageError("relseal canon: --check and --yaml exclude each other: YAML has no canonical form of its own")
	}
	name, data, err := env.readInput(c.Args().First(), limits.Manifest)
	if err != nil {
		return err
	}
	if c.Bool("check") {
		if err := canon.Check(data); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
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
		_, err := env.stdout.Write(out)
		return err
	}
	return env.print(c, canonResult{"relseal/canon/v1", sign.Sum(out), canon.Value(out)}, "")
}

type canonResult struct {
	Schema    string      `json:"schema"`
	Digest    sign.Digest `json:"digest"`
	Canonical canon.Value `json:"canonical"`
}

// readInput reads a file, or standard input for "-", of at most limit bytes. It
// returns the name that errors carry.
func (env *environment) readInput(name string, limit int64) (string, []byte, error) {
	name, r, err := env.openInput(name)
	if err != nil {
		return name, nil, err
	}
	defer r.Close()
	data, err := regular.ReadAll(name, r, limit)
	return name, data, err
}

// openInput opens a file, a pipe that the shell made, or standard input for "-", to be
// read until the command is interrupted. It returns the name that errors carry.
func (env *environment) openInput(name string) (string, io.ReadCloser, error) {
	if name == "-" {
		return "standard input", io.NopCloser(regular.Until(env.ctx, env.stdin)), nil
	}
	r, err := regular.Stream(env.ctx, name)
	return name, r, err
}
