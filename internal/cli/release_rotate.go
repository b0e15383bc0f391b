package cli

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/internal/clock"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/sign"
)

func releaseRotateCommand(env *environment) *cli.Command {
	return &cli.Command{
		Name:      "rotate-key",
		Usage:     "hand the ledger over to another key",
		ArgsUsage: "LEDGER",
		Description: `With --to, the key that signs the ledger names the next one, and signs nothing in it any
more. With --accept, the next key takes the ledger: that comes first of all it does. The
two keys never need to be on one machine. Whoever verifies needs both public keys.

Example:
  relseal release rotate-key ledger --key 2026.key --to 2027.pub
  relseal release rotate-key ledger --key 2027.key --accept`,
		Flags: append(keyFlags("sign with the private key in `F`"),
			&cli.StringFlag{Name: "to", Usage: "hand the ledger over to the public key in `F`"},
			&cli.BoolFlag{Name: "accept", Usage: "take the ledger over"},
			&cli.StringFlag{Name: "notes", Usage: "record `TEXT` with it, such as why"},
			&cli.StringFlag{Name: "actor", Usage: "record `A` as who did it"},
			jsonFlag(),
		),
		Action: func(c *cli.Context) error { return releaseRotate(env, c) },
	}
}

func releaseRotate(env *environment, c *cli.Context) error {
	if err := exactArgs(c, "LEDGER"); err != nil {
		return err
	}
	if c.IsSet("to") == c.Bool("accept") {
		return usageErrorHint("relseal release rotate-key: one of --to and --accept is needed", "--to 2027.pub with the present key, then --accept with the next one")
	}
	file, err := ledgerFile(c.Args().First())
	if err != nil {
		return err
	}
	key, err := env.signingKey(c)
	if err != nil {
		return err
	}
	d := audit.Draft{Actor: audit.Txt(account(c)), Code: sign.Sum([]byte(producer))}
	if notes := c.String("notes"); notes != "" {
		d.Notes = audit.Txt(notes)
	}
	log, err := audit.Open(file, key, clock.System())
	if err != nil {
		return rotateError(err)
	}
	defer log.Close()
	result := rotateResult{Schema: "relseal/release-rotate/v1", Ledger: c.Args().First(), Action: audit.ActionKeyAccept, Key: key.Public().KeyID()}
	text := "has the ledger now: it alone signs what comes"
	if c.Bool("accept") {
		err = log.Accept(d)
	} else {
		var to sign.PublicKey
		if to, err = keys.LoadPublic(c.String("to")); err != nil {
			return err
		}
		result.Action, result.Key = audit.ActionKeyRotate, to.KeyID()
		text = "is the next key of the ledger: relseal release rotate-key --accept, with its private half, comes next"
		err = log.HandOver(d, to)
	}
	if err != nil {
		return rotateError(err)
	}
	result.K, result.HK = log.Head()
	return env.print(c, result, fmt.Sprintf("event %d  %s\n  %s %s\n", result.K, result.Action, result.Key, text))
}

type rotateResult struct {
	Schema string      `json:"schema"`
	Ledger string      `json:"ledger"`
	Action string      `json:"action"`
	Key    sign.KeyID  `json:"key"` // that signs from now on
	K      int64       `json:"k"`
	HK     sign.Digest `json:"H_k"`
}

func rotateError(err error) error {
	if e, ok := errors.AsType[*audit.KeyError](err); ok {
		return hint.With(err, "only "+e.Want.String()+" signs the ledger now")
	}
	return err
}
