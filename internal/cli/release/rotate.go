package release

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/sign"
)

func rotateCommand(env *ledgerEnv) *cli.Command {
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
		Flags: append(append(ui.KeyFlags("sign with the private key in `F`"), knownFlags()...),
			&cli.StringFlag{Name: "to", Usage: "hand the ledger over to the public key in `F`"},
			&cli.BoolFlag{Name: "accept", Usage: "take the ledger over"},
			&cli.StringFlag{Name: "notes", Usage: "record `TEXT` with it, such as why"},
			&cli.StringFlag{Name: "actor", Usage: "record `A` as who did it"},
			clockFlag(),
			ui.JSONFlag(),
		),
		Action: func(c *cli.Context) error { return rotate(env, c) },
	}
}

func rotate(env *ledgerEnv, c *cli.Context) error {
	if err := ui.ExactArgs(c, "LEDGER"); err != nil {
		return err
	}
	if c.IsSet("to") == c.Bool("accept") {
		return ui.UsageHint("relseal release rotate-key: one of --to and --accept is needed", "--to 2027.pub with the present key, then --accept with the next one")
	}
	l, key, err := env.openLedger(c, c.Args().First())
	if err != nil {
		return err
	}
	defer l.Close()
	result := rotateResult{Schema: "relseal/release-rotate/v1", Ledger: c.Args().First(), Action: audit.ActionKeyAccept, Key: key.Public().KeyID()}
	text := "has the ledger now: it alone signs what comes"
	if c.Bool("accept") {
		err = l.Accept(c.String("notes"))
	} else {
		var to sign.PublicKey
		if to, err = keys.LoadPublic(c.String("to")); err != nil {
			return err
		}
		result.Action, result.Key = audit.ActionKeyRotate, to.KeyID()
		text = "is the next key of the ledger: relseal release rotate-key --accept, with its private half, comes next"
		err = l.HandOver(to, c.String("notes"))
	}
	if err != nil {
		return err
	}
	head := l.Head()
	result.K, result.HK = head.K, head.HK
	var end string
	result.remembered, end = env.remembered()
	return env.PrintDone(c, result, fmt.Sprintf("event %d  %s\n  %s %s\n", result.K, result.Action, result.Key, text)+end)
}

type rotateResult struct {
	Schema string      `json:"schema"`
	Ledger string      `json:"ledger"`
	Action string      `json:"action"`
	Key    sign.KeyID  `json:"key"` // that signs from now on
	K      int64       `json:"k"`
	HK     sign.Digest `json:"H_k"`
	remembered
}
