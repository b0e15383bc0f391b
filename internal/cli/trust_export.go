package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/hint"
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
	if _, err := os.Lstat(dir); err == nil {
		return hint.With(&exitError{exitCantCreate, fmt.Errorf("%s: %w", dir, fs.ErrExist), ""}, "name a directory that does not exist yet")
	}
	if err := durable.MkdirAll(filepath.Join(dir, "keys"), 0o755); err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(files))
	for _, name := range names {
		if err := durable.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), files[name], 0o644, false); err != nil {
			return err
		}
	}
	return env.print(c, struct {
		Schema  string   `json:"schema"`
		Version int64    `json:"version"`
		Dir     string   `json:"dir"`
		Files   []string `json:"files"`
	}{"relseal/trust-export/v1", r.Version(), dir, names},
		fmt.Sprintf("version %d of the root in %s:\n  %s\n", r.Version(), escaped(dir), strings.Join(names, "\n  ")))
}
