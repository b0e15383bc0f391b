package trust

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/keys"
)

func exportCommand(env *ui.Env) *cli.Command {
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
			ui.JSONFlag(),
		},
		Action: func(c *cli.Context) error { return export(env, c) },
	}
}

func export(env *ui.Env, c *cli.Context) error {
	if err := ui.ExactArgs(c, "ROOTS"); err != nil {
		return err
	}
	dir := c.String("out")
	if dir == "" {
		return ui.UsageHint("relseal trust export: --out is missing", "--out DIR, a directory that does not exist yet")
	}
	roots, err := keys.OpenRoots(c.Args().First())
	if err != nil {
		return err
	}
	if roots.Chain == nil {
		return &ui.Error{Code: ui.ExitUndecidable, Err: errors.New("no version of the root is signed yet"), Hint: "relseal trust sign adds a signature"}
	}
	r := roots.Chain.Last()
	files := map[string][]byte{"allowed_signers": r.AllowedSigners(), "revoked.krl": r.KRL()}
	for name, pem := range r.PublicKeys() {
		files["keys/"+name] = pem
	}
	if err := ui.WriteNewDir(dir, files); err != nil {
		return err
	}
	names := ui.SortedPaths(files)
	return env.Print(c, struct {
		Schema  string   `json:"schema"`
		Version int64    `json:"version"`
		Dir     string   `json:"dir"`
		Files   []string `json:"files"`
	}{"relseal/trust-export/v1", r.Version(), dir, names},
		fmt.Sprintf("version %d of the root in %s:\n  %s\n", r.Version(), escape.Line(dir), strings.Join(names, "\n  ")))
}
