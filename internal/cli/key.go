package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/sign"
)

func keyCommand(env *environment) *cli.Command {
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
  relseal key generate --out ci.key --no-passphrase`,
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "out", Usage: "write the private key to `F`"},
					&cli.BoolFlag{Name: "no-passphrase", Usage: "leave the private key unencrypted: whoever reads the file can sign"},
					jsonFlag(),
				},
				Action: func(c *cli.Context) error { return keyGenerate(env, c) },
			},
			{
				Name:      "show",
				Usage:     "print the id and the public forms of a key",
				ArgsUsage: "FILE",
				Description: `Works on public and private keys. An encrypted private key may not show its id;
the .pub file beside it does.

Example:
  relseal key show release.pub`,
				Flags:  []cli.Flag{jsonFlag()},
				Action: func(c *cli.Context) error { return keyShow(env, c) },
			},
			{
				Name:      "check",
				Usage:     "check a key file: form, weakness, permissions",
				ArgsUsage: "FILE",
				Description: `Exit 0: a good key. Exit 2: weak, malformed, or readable by others.

Example:
  relseal key check received.pub`,
				Flags:  []cli.Flag{jsonFlag()},
				Action: func(c *cli.Context) error { return keyCheck(env, c) },
			},
		},
	}
}

func keyGenerate(env *environment, c *cli.Context) error {
	if err := exactArgs(c); err != nil {
		return err
	}
	out := c.String("out")
	if out == "" {
		return usageErrorHint("relseal key generate: --out is missing", "relseal key generate --out release.key")
	}
	if _, err := os.Lstat(out); err == nil {
		return hint.With(fmt.Errorf("%s: %w", out, fs.ErrExist), "keys are never overwritten; choose another name")
	}
	var passphrase []byte
	if !c.Bool("no-passphrase") {
		var err error
		if passphrase, err = env.newPassphrase(c.Context); err != nil {
			return err
		}
	}
	key, err := keys.Generate(rand.Reader)
	if err != nil {
		return err
	}
	files, err := keys.WritePair(out, key, passphrase, "relseal")
	if err != nil {
		return &exitError{exitCantCreate, err, ""}
	}
	id := key.Public().KeyID()
	return env.print(c, struct {
		Schema string     `json:"schema"`
		ID     sign.KeyID `json:"id"`
		Files  []string   `json:"files"`
	}{"relseal/key/v1", id, files}, fmt.Sprintf("%s\nwrote %s\n", id, strings.Join(files, ", ")))
}

// newPassphrase asks twice on the terminal.
func (env *environment) newPassphrase(ctx context.Context) ([]byte, error) {
	const elsewhere = "run it on a terminal, or leave the key unencrypted with --no-passphrase"
	first, err := env.ask(ctx, "Passphrase for the new key: ", elsewhere)
	if err != nil {
		return nil, err
	}
	if len(first) == 0 {
		return nil, usageErrorHint("an empty passphrase protects nothing", "--no-passphrase leaves the key unencrypted on purpose")
	}
	second, err := env.ask(ctx, "The same again: ", elsewhere)
	if err == nil && string(first) != string(second) {
		err = usageError("the two passphrases differ")
	}
	return first, err
}

// ask reads a secret from the terminal. Nothing prompts where there is none:
// elsewhere is the hint for that case.
func (env *environment) ask(ctx context.Context, prompt, elsewhere string) ([]byte, error) {
	in, ok := env.stdin.(*os.File)
	if !ok || !terminal(in) {
		return nil, usageErrorHint("a passphrase is needed and standard input is not a terminal", elsewhere)
	}
	fd := int(in.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	fmt.Fprint(env.stderr, prompt)
	defer fmt.Fprintln(env.stderr)
	type line struct {
		secret []byte
		err    error
	}
	read := make(chan line, 1)
	go func() {
		secret, err := term.ReadPassword(fd)
		read <- line{secret, err}
	}()
	select {
	case l := <-read:
		return l.secret, l.err
	case <-ctx.Done(): // reading goes on until the end of the process; the echo must not stay off
		return nil, errors.Join(ctx.Err(), term.Restore(fd, before))
	}
}

// keyInfo is what key show and key check say.
type keyInfo struct {
	Schema string `json:"schema"`
	keys.Info
	PEM *string `json:"pem"`
	SSH *string `json:"ssh"`
	Hex *string `json:"hex"` // of the key id: a directory name under sig/by/
}

func inspect(c *cli.Context) (keyInfo, error) {
	if err := exactArgs(c, "FILE"); err != nil {
		return keyInfo{}, err
	}
	info, err := keys.Inspect(c.Args().First())
	out := keyInfo{Schema: "relseal/key-info/v1", Info: info}
	if key := info.Public; err == nil && !key.IsZero() {
		pem, ssh, hex := string(key.PEM()), string(key.AuthorizedKey(info.Comment)), key.KeyID().Hex()
		out.PEM, out.SSH, out.Hex = &pem, &ssh, &hex
	}
	return out, err
}

func keyShow(env *environment, c *cli.Context) error {
	info, err := inspect(c)
	if err != nil {
		return err
	}
	switch {
	case info.Weak:
		return fmt.Errorf("%s: %w", info.File, sign.ErrWeakKey)
	case info.ID == nil:
		return &exitError{exitUndecidable, fmt.Errorf("%s: the key is encrypted and does not show its id", info.File), "show the .pub file beside it"}
	}
	return env.print(c, info, fmt.Sprintf("%s\n%s%s", info.ID, *info.PEM, *info.SSH))
}

func keyCheck(env *environment, c *cli.Context) error {
	info, err := inspect(c)
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
		verdict = "exposed: others can read it; chmod 600 " + shellQuote(info.File)
	}
	text := fmt.Sprintf("%s: %s\n  form  %s\n  id    %s\n", info.File, verdict, info.Form, id)
	if info.Mode != nil {
		text += fmt.Sprintf("  mode  %s\n", *info.Mode)
	}
	if err := env.print(c, info, text); err != nil {
		return err
	}
	if info.Weak || info.Exposed {
		return &answerError{code: exitReject}
	}
	return nil
}
