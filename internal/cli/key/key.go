// Package key is the command key: key pairs made and shown.
package key

import (
	"crypto/rand"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/keys/private"
	"github.com/relseal/relseal/sign"
)

// Command returns the command.
func Command(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:  "key",
		Usage: "make, show and check Ed25519 keys",
		Description: `A key is three files: F (private), and beside it the public key for openssl and
relseal (.pub) and for ssh-keygen (.ssh.pub).

Example:
  relseal key generate --out release.key
  relseal key show release.pub`,
		Subcommands: []*cli.Command{
			{
				Name:  "generate",
				Usage: "make a key pair",
				Description: `Writes the private key to F, encrypted with a passphrase that is asked for on the
terminal, and beside it F with .pub and .ssh.pub for its extension. None of the
three is ever overwritten.

Example:
  relseal key generate --out release.key
  relseal key generate --out ci.key --passphrase-env RELSEAL_PASSPHRASE`,
				Flags: slices.Concat([]cli.Flag{
					&cli.StringFlag{Name: "out", Usage: "write the private key to `F`"},
					&cli.BoolFlag{Name: "no-passphrase", Usage: "leave the private key unencrypted: whoever reads the file can sign"},
				}, ui.PassphraseFlags(), []cli.Flag{ui.JSONFlag()}),
				Action: func(c *cli.Context) error { return generate(env, c) },
			},
			{
				Name:      "show",
				Usage:     "print the id and the public forms of a key",
				ArgsUsage: "FILE",
				Description: `Works on public and private keys. An encrypted private key may not show its id
without its passphrase; the .pub file beside it does.

Example:
  relseal key show release.pub
  relseal key show release.key --passphrase-env RELSEAL_PASSPHRASE`,
				Flags:  append(ui.PassphraseFlags(), ui.JSONFlag()),
				Action: func(c *cli.Context) error { return show(env, c) },
			},
			{
				Name:      "check",
				Usage:     "check a key file: form, weakness, permissions",
				ArgsUsage: "FILE",
				Description: `Exit 0: a good key. Exit 2: weak, malformed, or readable by others. With a passphrase
an encrypted key is opened, too.

Example:
  relseal key check received.pub`,
				Flags:  append(ui.PassphraseFlags(), ui.JSONFlag()),
				Action: func(c *cli.Context) error { return check(env, c) },
			},
		},
	}
}

func generate(env *ui.Env, c *cli.Context) error {
	if err := ui.ExactArgs(c); err != nil {
		return err
	}
	out := c.String("out")
	if out == "" {
		return ui.UsageHint("relseal key generate: --out is missing", "relseal key generate --out release.key")
	}
	durable.Sweep(filepath.Dir(out))
	if _, err := os.Lstat(out); err == nil {
		return hint.With(fmt.Errorf("%s: %w", out, fs.ErrExist), "keys are never overwritten; choose another name")
	}
	passphrase, err := env.NewPassphrase(c)
	if err != nil {
		return err
	}
	if err := env.Protect(); err != nil {
		return err
	}
	key, err := private.Generate(rand.Reader)
	if err != nil {
		return err
	}
	files, err := private.WritePair(out, key, passphrase, "relseal")
	if err != nil {
		return &ui.Error{Code: ui.ExitCantCreate, Err: err}
	}
	id := key.Public().KeyID()
	return env.PrintDone(c, struct {
		Schema string     `json:"schema"`
		ID     sign.KeyID `json:"id"`
		Files  []string   `json:"files"`
	}{"relseal/key/v1", id, files}, fmt.Sprintf("%s\nwrote %s\n", id, strings.Join(files, ", ")))
}

// keyInfo is what key show and key check say.
type keyInfo struct {
	Schema string `json:"schema"`
	private.Info
	PEM *string `json:"pem"`
	SSH *string `json:"ssh"`
	Hex *string `json:"hex"` // of the key id: a directory name under sig/by/
}

// inspect says of a key file what can be said with what is given.
func inspect(env *ui.Env, c *cli.Context) (keyInfo, error) {
	if err := ui.ExactArgs(c, "FILE"); err != nil {
		return keyInfo{}, err
	}
	if err := ui.CheckPassphrase(c); err != nil {
		return keyInfo{}, err
	}
	info, err := private.Inspect(c.Args().First())
	if err == nil && info.Encrypted && !info.Exposed && ui.PassphraseGiven(c) {
		var key *private.Key
		if key, err = private.Load(info.File, env.Passphrase(c)); err == nil {
			id := key.Public().KeyID()
			info.Public, info.ID = key.Public(), &id
		}
	}
	out := keyInfo{Schema: "relseal/key-info/v1", Info: info}
	if key := info.Public; err == nil && !key.IsZero() {
		pem, ssh, hex := string(key.PEM()), string(key.AuthorizedKey(info.Comment)), key.KeyID().Hex()
		out.PEM, out.SSH, out.Hex = &pem, &ssh, &hex
	}
	return out, err
}

func show(env *ui.Env, c *cli.Context) error {
	info, err := inspect(env, c)
	if err != nil {
		return err
	}
	switch {
	case info.Weak:
		return fmt.Errorf("%s: %w", info.File, sign.ErrWeakKey)
	case info.ID == nil:
		return &ui.Error{Code: ui.ExitUndecidable, Err: fmt.Errorf("%s: the key is encrypted and does not show its id", info.File), Hint: "show the .pub file beside it, or give --passphrase-file F, --passphrase-fd N or --passphrase-env NAME"}
	}
	return env.Print(c, info, fmt.Sprintf("%s\n%s%s", info.ID, *info.PEM, *info.SSH))
}

func check(env *ui.Env, c *cli.Context) error {
	info, err := inspect(env, c)
	if err != nil {
		return err
	}
	id := "hidden by the encryption"
	if info.ID != nil {
		id = info.ID.String()
	}
	verdict := "good"
	switch {
	case info.Weak:
		verdict = "weak: signatures can be forged for it, see relseal explain E_KEY_WEAK"
		id = "none"
	case info.Exposed:
		verdict = "exposed: others can read it; chmod 600 " + hint.Quote(info.File)
	}
	text := fmt.Sprintf("%s: %s\n  form  %s\n  id    %s\n", info.File, verdict, info.Form, id)
	if info.Mode != nil {
		text += fmt.Sprintf("  mode  %s\n", *info.Mode)
	}
	if err := env.Print(c, info, text); err != nil {
		return err
	}
	if info.Weak || info.Exposed {
		return &ui.Answer{Code: ui.ExitReject}
	}
	return nil
}
