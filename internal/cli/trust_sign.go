package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/keys/root"
	"github.com/relseal/relseal/sign"
)

func trustSignCommand(env *environment) *cli.Command {
	return &cli.Command{
		Name:      "sign",
		Usage:     "sign a version of the root with a root key",
		ArgsUsage: "FILE",
		Description: `Adds one signature to FILE, which is N.root.json, and prints what it changes and who
has still to sign. The version before it stands beside it, or --previous names it. The
holders do this one after the other, each on their own machine; no network is needed.

Example:
  relseal trust show 2.root.json --previous 1.root.json
  relseal trust sign 2.root.json --key alice.key`,
		Flags: append(keyFlags("sign with the private key in `F`, a root key"),
			&cli.StringFlag{Name: "previous", Usage: "the version before is in `F`; beside FILE if not given"},
			jsonFlag(),
		),
		Action: func(c *cli.Context) error { return trustSign(env, c) },
	}
}

func trustSign(env *environment, c *cli.Context) error {
	if err := exactArgs(c, "FILE"); err != nil {
		return err
	}
	file := c.Args().First()
	r, err := keys.ReadRoot(file)
	if err != nil {
		return err
	}
	prev, err := previousRoot(c, file, r)
	if err != nil {
		return err
	}
	key, err := env.signingKey(c)
	if err != nil {
		return err
	}
	next, err := r.Sign(prev, key)
	if err != nil {
		return err
	}
	data, err := next.Marshal()
	if err != nil {
		return err
	}
	// A signature more is all that changes: nothing that FILE says is lost.
	if err := durable.WriteFile(file, data, 0o644, true); err != nil {
		return err
	}
	m, err := newMadeResult("relseal/trust-sign/v1", file, prev, next)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("signed %s with %s\n%s%s", escaped(file), key.Public().KeyID(), differencesText(m.Differences, nil), missingText(m.Missing, nil))
	if len(m.Missing) == 0 {
		text += fmt.Sprintf("version %d of the root is complete\n", m.Version)
	}
	return env.print(c, struct {
		madeResult
		Key sign.KeyID `json:"key"`
	}{m, key.Public().KeyID()}, text)
}

// previousRoot returns the version that r comes after, nil for the first one.
func previousRoot(c *cli.Context, file string, r *root.Root) (*root.Root, error) {
	if r.Version() == 1 {
		return nil, nil
	}
	name := c.String("previous")
	if name == "" {
		name = filepath.Join(filepath.Dir(file), root.FileName(r.Version()-1))
	}
	chain, err := keys.LoadRoot(name, "") // nothing is built on a version that is not signed
	if errors.Is(err, fs.ErrNotExist) {
		err = hint.With(err, "--previous F names the version before, on which it builds")
	}
	if err != nil {
		return nil, err
	}
	return chain.First(), nil
}
