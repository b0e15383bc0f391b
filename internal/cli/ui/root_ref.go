package ui

import (
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/keys/root"
	"github.com/relseal/relseal/sign"
)

// RootRefFlag is that of commands that name the trust root in what they make. Nobody
// who verifies has to have one; who has an older version is told so.
func RootRefFlag() cli.Flag {
	return &cli.StringFlag{Name: "root", Usage: "name the version of the trust root in `FILE`, which lets the key do this"}
}

// NamedRoot returns the root of --root, nil if it is not given.
func NamedRoot(c *cli.Context) (*root.Chain, error) {
	if !c.IsSet("root") {
		return nil, nil
	}
	return keys.LoadRoot(c.String("root"), "")
}

// RootRef returns what names the root of --root, nil if it is not given. A key that
// it does not let sign in a role is refused before the work.
func RootRef(c *cli.Context, key sign.Signer, role string) (*audit.RootRef, error) {
	chain, err := NamedRoot(c)
	if chain == nil || err != nil {
		return nil, err
	}
	version, hash, err := chain.Ref(key.Public().KeyID(), role)
	if err != nil {
		return nil, GrantError(err)
	}
	return &audit.RootRef{Version: version, Hash: hash}, nil
}

// GrantError gives the refusal of a key its hint.
func GrantError(err error) error {
	if e, ok := errors.AsType[*root.GrantError](err); ok {
		return hint.With(err, "relseal trust rotate ROOTS --add "+e.Role+"=FILE gives it the role")
	}
	return err
}
