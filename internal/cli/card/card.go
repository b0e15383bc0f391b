// Package card is the command card: cards and policies read and compared.
package card

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/sign"
)

// Command returns the command.
func Command(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:  "card",
		Usage: "start, check, hash and compare cards",
		Description: `A PipelineCard says what a run executes, a ParamCard which parameters the release
ships with. People write YAML; a record holds the digest of the canonical JSON of
what it says. FILE is either; what it is, its schema tells.

Example:
  relseal card lint cards/pipeline.yaml cards/params.yaml gates.yaml
  relseal card diff old/pipeline.yaml cards/pipeline.yaml`,
		Subcommands: []*cli.Command{
			{
				Name:      "new",
				Usage:     "print a commented card to start from",
				ArgsUsage: "pipeline|params",
				Description: `Prints the card, or writes it to the file of --out, which must not exist. relseal init
writes both cards and what belongs to them.

Example:
  relseal card new pipeline --out cards/pipeline.yaml`,
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "out", Usage: "write the card to `F`"},
					ui.JSONFlag(),
				},
				Action: func(c *cli.Context) error { return cardNew(env, c) },
			},
			{
				Name:      "lint",
				Usage:     "report all faults of cards and gate policies",
				ArgsUsage: "FILE...",
				Description: `Prints every fault of every file, each with its line and member, as FILE:LINE:
MEMBER: FAULT. Exit 0: none has a fault. Exit 2: one has.

Example:
  relseal card lint cards/pipeline.yaml cards/params.yaml gates.yaml
  relseal card lint cards/*.yaml --json`,
				Flags:  []cli.Flag{ui.JSONFlag()},
				Action: func(c *cli.Context) error { return lint(env, c) },
			},
			{
				Name:      "hash",
				Usage:     "print the digest that records hold of a card",
				ArgsUsage: "FILE...",
				Description: `The digest is that of the canonical JSON of what the card says: comments, layout,
quotes and the order of members do not change it. It is PipelineCard.hash or
ParamCard.hash of a record, or the digest of a gate policy.

Example:
  relseal card hash cards/pipeline.yaml cards/params.yaml`,
				Flags:  []cli.Flag{ui.JSONFlag()},
				Action: func(c *cli.Context) error { return hash(env, c) },
			},
			{
				Name:      "diff",
				Usage:     "name what differs between two cards, and how much it may change",
				ArgsUsage: "A B",
				Description: `Names each member that differs with what it was in A and is in B, and its impact
from 0 to 1. The risk index (S32-18) is their mean, weighted by the weights of A.
Exit 0: the same. Exit 2: they differ.

Example:
  relseal card diff old/pipeline.yaml cards/pipeline.yaml
  relseal card diff bundle/cards/param.json cards/params.yaml --json`,
				Flags:  []cli.Flag{ui.JSONFlag()},
				Action: func(c *cli.Context) error { return diff(env, c) },
			},
		},
	}
}

type hashed struct {
	File   string      `json:"file"`
	Kind   cardKind    `json:"kind"`
	Digest sign.Digest `json:"digest"`
}

func hash(env *ui.Env, c *cli.Context) error {
	if c.NArg() == 0 {
		return ui.ExactArgs(c, "FILE")
	}
	result := struct {
		Schema string   `json:"schema"`
		Files  []hashed `json:"files"`
	}{Schema: "relseal/card-hash/v1"}
	var text strings.Builder
	for _, file := range c.Args().Slice() {
		d, err := readCardFile(env, file)
		if err != nil {
			return err
		}
		result.Files = append(result.Files, hashed{file, d.kind, d.digest})
		fmt.Fprintf(&text, "%s  %s\n", d.digest, file)
	}
	return env.Print(c, result, text.String())
}
