package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/keys"
)

func trustExportCommand(env *environment) *cli.Command {
	return &cli.Command{
		Name:      "export",
		Usage:     "write a root as allowed_signers, revocation list and key files",
		ArgsUsage: "ROOTS",
		Description: `Writes into the new directory DIR what other people's tools read of the newest signed
version: allowed_signers for ssh-keygen -Y verify -f, with the times in which a key may
sign and the roles as principals; revoked.krl for its -r; keys/ROLE-ID.pub for openssl
and --key. None of them knows thresholds, or what was signed before a revocation.

Example:
  relseal trust export ROOTS --out exported`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "out", Usage: "write the files into the new directory `DIR`"},
			jsonFlag(),
		},
		Action: func(c *cli.Context) error { return trustExport(env, c) },
	}
}

func trustExport(env *environment, c *cli.Context) error {
	if err := exactArgs(c, "ROOTS"); err != nil {
		return err
	}
	dir := c.String("out")
	if dir == "" {
		return usageErrorHint("relseal trust export: --out is missing", "--out DIR, a directory that does not exist yet")
	}
	roots, err := keys.OpenRoots(c.Args().First())
	if err != nil {
		return err
	}
	if roots.Chain == nil {
		return &exitError{exitUndecidable, errors.New("no version of the root is signed yet"), "relseal trust sign adds a signature"}
	}
	r := roots.Chain.Last()
	files := map[string][]byte{"allowed_signers": r.AllowedSigners(), "revoked.krl": r.KRL()}
	for name, pem := range r.PublicKeys() {
		files["keys/"+name] = pem
	}
	if err := writeNewDir(dir, files); err != nil {
		return err
	}
	names := sortedPaths(files)
	return env.print(c, struct {
		Schema  string   `json:"schema"`
		Version int64    `json:"version"`
		Dir     string   `json:"dir"`
		Files   []string `json:"files"`
	}{"relseal/trust-export/v1", r.Version(), dir, names},
		fmt.Sprintf("version %d of the root in %s:\n  %s\n", r.Version(), escape.Line(dir), strings.Join(names, "\n  ")))
}
