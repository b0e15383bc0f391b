package release

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/gates/policyfile"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

func registerCommand(env *ledgerEnv) *cli.Command {
	return &cli.Command{
		Name:      "register",
		Usage:     "put a gate policy into the ledger, before the windows that it judges",
		ArgsUsage: "LEDGER",
		Description: `The policy is YAML as people write it or canonical JSON. It judges every release whose
first window comes after it; a release whose bundle names a policy is judged by that one
alone. One that is registered after the windows began can roll back, and never promotes.

Example:
  relseal release register ledger --policy gates.yaml --key release.key`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "policy", Usage: "the gate policy in `F`"},
			ui.AccountFlag(),
			clockFlag(),
		}, append(ui.SigningFlags(), append(knownFlags(), ui.JSONFlag())...)...),
		Action: func(c *cli.Context) error {
			if err := ui.ExactArgs(c, "LEDGER"); err != nil {
				return err
			}
			if err := ui.Need(c, "policy", "key"); err != nil {
				return err
			}
			return env.register(c)
		},
	}
}

func (env *ledgerEnv) register(c *cli.Context) error {
	name, data, err := env.ReadInput(c.String("policy"), limits.Document)
	if err != nil {
		return err
	}
	var policy gates.Policy
	if canon.Check(data) == nil {
		if policy, err = gates.ReadPolicy(data); err != nil {
			err = fmt.Errorf("%s: %w", name, err)
		}
	} else {
		policy, err = policyfile.Parse(name, data)
	}
	if err != nil {
		return err
	}
	l, _, err := env.openLedger(c, c.Args().First())
	if err != nil {
		return err
	}
	defer l.Close()
	before := l.K
	r, err := l.Register(policy)
	if err != nil {
		return err
	}
	text := "registered"
	if l.K == before {
		text = "registered already"
	}
	known, end := env.remembered()
	return env.PrintDone(c, struct {
		Schema string      `json:"schema"`
		Policy sign.Digest `json:"policy"`
		K      int64       `json:"k"`
		New    bool        `json:"new"`
		remembered
	}{"relseal/release-register/v1", r.Digest, r.K, l.K != before, known},
		fmt.Sprintf("%s: policy %s, event %d at %s\n", text, r.Digest, r.K, ui.InstantText(r.TimeMS))+end)
}

func admitCommand(env *ledgerEnv) *cli.Command {
	return &cli.Command{
		Name:      "admit",
		Usage:     "record that a canary bundle came to its channel",
		ArgsUsage: "BUNDLE",
		Description: `Verifies BUNDLE with the public half of the key and with --trust, and records its id,
version and policy. From then on its windows count: admit the canary, then send it
traffic. A bundle that was admitted before stays as it is.

Example:
  relseal release admit greetd-1.0.0.release.tar.zst --ledger ledger --key release.key`,
		Flags: append([]cli.Flag{ledgerFlag()}, append(sourceFlags(), append(ui.SigningFlags(), append(knownFlags(), ui.JSONFlag())...)...)...),
		Action: func(c *cli.Context) error {
			if err := ui.ExactArgs(c, "BUNDLE"); err != nil {
				return err
			}
			if err := ui.Need(c, "ledger", "key"); err != nil {
				return err
			}
			return env.admit(c)
		},
	}
}

// sourceFlags say how a bundle is verified before a ledger takes note of it.
func sourceFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "trust", Usage: "trust the public key in `FILE`, or every *.pub of a directory, beside the signing key's own; may be repeated"},
		&cli.StringFlag{Name: "artifacts", Usage: "look in `DIR` for artifacts that the bundle does not contain"},
		ui.AccountFlag(),
		clockFlag(),
	}
}

func (env *ledgerEnv) admit(c *cli.Context) error {
	l, key, err := env.openLedger(c, c.String("ledger"), c.Args().First())
	if err != nil {
		return err
	}
	defer l.Close()
	known, err := ui.ReleaseOptions(c, key)
	if err != nil {
		return err
	}
	b, err := env.readBundle(c, c.Args().First(), known)
	if err != nil {
		return err
	}
	before := l.K
	r, err := l.Admit(b)
	if err != nil {
		return err
	}
	env.noPolicy(l, r)
	text := "admitted"
	if l.K == before {
		text = "admitted already"
	}
	mind, end := env.remembered()
	return env.PrintDone(c, struct {
		Schema  string      `json:"schema"`
		Release sign.Digest `json:"release"`
		Version string      `json:"version"`
		Channel string      `json:"channel"`
		SinceMS int64       `json:"since_ms"`
		K       int64       `json:"k"`
		New     bool        `json:"new"`
		remembered
	}{"relseal/release-admit/v1", r.Bundle, r.Version, r.Channel, r.SinceMS, r.K, l.K != before, mind},
		fmt.Sprintf("%s: %s on %s, event %d at %s\n  release  %s\n", text, r.Version, r.Channel, r.K, ui.InstantText(r.SinceMS), r.Bundle)+end)
}
