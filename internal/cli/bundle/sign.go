package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/countersign"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/verify"
)

func signCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "sign",
		Usage:     "add a further signature to a sealed bundle",
		ArgsUsage: "BUNDLE",
		Description: `Verifies BUNDLE, and writes it to F with the three signature files of one more key. Its
id stays what it is. A bundle that only lacks signatures is signed; what is undecidable
otherwise is signed with --allow-undecidable, what is wrong never.

A key need never come to this machine: --payload writes the three messages to sign, and
--attach takes back what openssl pkeyutl -sign -rawin or ssh-keygen made of them.

Example:
  relseal bundle sign greetd.release.tar.zst --key bob.key --root 1.root.json --root-dir ROOTS --out signed.release.tar.zst
  relseal bundle sign greetd.release.tar.zst --trust release.pub --payload payload
  relseal bundle sign greetd.release.tar.zst --trust release.pub --attach payload --public bob.pub --out signed.release.tar.zst`,
		Flags: append(append(append(ui.KeyFlags("sign with the private key in `F`"),
			&cli.StringFlag{Name: "out", Usage: "write the bundle to `F`"},
			&cli.StringFlag{Name: "payload", Usage: "write what is to be signed elsewhere into the new directory `DIR`"},
			&cli.StringFlag{Name: "attach", Usage: "take the signatures that were made elsewhere from `DIR`"},
			&cli.StringFlag{Name: "public", Usage: "they are by the public key in `F`"},
			&cli.StringFlag{Name: "roots", Usage: "put the versions of the trust root in `DIR` into the bundle, for verifiers who have the first one alone"},
			&cli.StringSliceFlag{Name: "trust", Usage: "verify with the public key in `FILE`, or every *.pub of a directory; may be repeated"}),
			ui.RootFlags()...),
			&cli.BoolFlag{Name: "allow-undecidable", Usage: "sign a bundle that is UNDECIDABLE, too"},
			&cli.BoolFlag{Name: "force", Usage: "overwrite the file of --out"},
			ui.JSONFlag(),
		),
		Action: func(c *cli.Context) error { return bundleSign(env, c) },
	}
}

func bundleSign(env *ui.Env, c *cli.Context) error {
	if err := checkSign(c); err != nil {
		return err
	}
	o, err := signOptions(c)
	if err != nil {
		return err
	}
	name := c.Args().First()
	report, err := verify.File(c.Context, name, o)
	if report == nil {
		return err
	}
	if !countersign.Signable(report, c.Bool("allow-undecidable")) {
		if err := env.Print(c, report, report.Summary()+"nothing was signed\n"); err != nil {
			return err
		}
		return ui.AnswerTo(report)
	}
	s, err := countersign.Open(name, report.Keys)
	if err != nil {
		return err
	}
	if s.ID != *report.Bundle.ID {
		return fmt.Errorf("%s: the bundle changed after it was verified", name)
	}
	if dir := c.String("payload"); dir != "" {
		return writePayload(env, c, s, dir)
	}
	return addSignature(env, c, s, o)
}

// checkSign refuses flags that exclude each other or are missing.
func checkSign(c *cli.Context) error {
	if err := ui.ExactArgs(c, "BUNDLE"); err != nil {
		return err
	}
	ways := 0
	for _, name := range []string{"key", "payload", "attach"} {
		if c.IsSet(name) {
			ways++
		}
	}
	switch {
	case ways > 1:
		return ui.UsageHint("relseal bundle sign: --key, --payload and --attach exclude each other", "relseal bundle sign --help")
	case ways == 0 && !c.IsSet("roots"):
		return ui.UsageHint("relseal bundle sign: --key, --payload or --attach is missing", "--key bob.key")
	case c.IsSet("attach") != c.IsSet("public"):
		return ui.UsageHint("relseal bundle sign: --attach and --public go together", "--attach DIR --public bob.pub")
	case c.IsSet("root") == (len(c.StringSlice("trust")) > 0):
		return ui.UsageHint("relseal bundle sign: the bundle is verified first: give --trust or --root", "--trust release.pub, with a key from a channel that you trust")
	}
	if c.IsSet("payload") {
		return nil
	}
	_, err := ui.OutFile(c)
	return err
}

func signOptions(c *cli.Context) (verify.Options, error) {
	var o verify.Options
	if c.IsSet("root") {
		err := ui.RootOptions(c, &o)
		return o, err
	}
	trusted, err := keys.LoadTrusted(c.StringSlice("trust"))
	o.Keys = trusted
	return o, err
}

// addSignature writes the bundle with one more signer, with versions of the root, or
// with both, and verifies what it wrote.
func addSignature(env *ui.Env, c *cli.Context, s countersign.Bundle, o verify.Options) error {
	add, key, err := furtherFiles(env, c, s, o)
	if err != nil {
		return err
	}
	if dir := c.String("roots"); dir != "" {
		files, err := countersign.RootCopies(dir)
		if err != nil {
			return err
		}
		maps.Copy(add, files)
	}
	out := c.String("out")
	report, err := s.Write(c.Context, out, c.Bool("force"), add, o, key)
	if errors.Is(err, fs.ErrExist) {
		return ui.Exists(out)
	}
	if err != nil {
		return err
	}
	result := signedResult{Schema: "relseal/bundle-sign/v1", File: out, ID: s.ID, Verdict: report.Verdict, Added: []string{}, Key: keyIDOf(key)}
	text := fmt.Sprintf("wrote %s\n  %s %s\n", escape.Line(out), report.Verdict, s.ID)
	if key != nil {
		text += fmt.Sprintf("  signed by %s as %s\n", key.KeyID(), s.Role)
	}
	for _, f := range report.Diag.Findings {
		if f.Code == finding.Threshold || key != nil && f.Path != nil && *f.Path == bundle.SigByDir+key.KeyID().Hex()+"/" {
			text += "  " + f.Text + "\n"
		}
	}
	result.Added = ui.SortedPaths(add)
	return env.PrintDone(c, result, text)
}

type signedResult struct {
	Schema  string         `json:"schema"`
	File    string         `json:"file"`
	ID      sign.Digest    `json:"id"`
	Key     *sign.KeyID    `json:"key"` // null with --roots alone
	Verdict verify.Verdict `json:"verdict"`
	Added   []string       `json:"added"`
}

// furtherFiles are the three files of the signer; none with --roots alone.
func furtherFiles(env *ui.Env, c *cli.Context, s countersign.Bundle, o verify.Options) (map[string][]byte, *sign.PublicKey, error) {
	switch {
	case c.IsSet("key"):
		private, err := env.SigningKey(c)
		if err != nil {
			return nil, nil, err
		}
		key := private.Public()
		if err := s.MayCount(o, key); err != nil {
			return nil, nil, err
		}
		files, err := s.Seal(private)
		return files, &key, err
	case c.IsSet("attach"):
		key, err := keys.LoadPublic(c.String("public"))
		if err != nil {
			return nil, nil, err
		}
		if err := s.MayCount(o, key); err != nil {
			return nil, nil, err
		}
		files, err := s.Attached(c.String("attach"), key)
		return files, &key, err
	}
	return map[string][]byte{}, nil, nil
}
