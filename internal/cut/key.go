package cut

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/signer"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/sign"
)

// ErrKeyExists reports that a key was to be made where there is one.
var ErrKeyExists = fmt.Errorf("the key %w", fs.ErrExist)

// keyFile is the private key that seals: the one of --key, or the one that
// relseal.yaml names.
func (c *cut) keyFile() string {
	if c.KeyFile != "" {
		return c.KeyFile
	}
	return c.p.file(c.p.KeyFile)
}

// checkKey asks early whether there is a key, and with NewKey that there is none.
func (c *cut) checkKey() error {
	file := c.keyFile()
	_, err := os.Lstat(file)
	switch {
	case err == nil && c.NewKey:
		return fmt.Errorf("%s: %w", file, ErrKeyExists)
	case errors.Is(err, fs.ErrNotExist) && c.NewKey:
		return nil
	case errors.Is(err, fs.ErrNotExist) && c.KeyFile != "":
		return hint.With(err, "make it: relseal key generate --out "+file)
	case errors.Is(err, fs.ErrNotExist):
		return hint.With(err, "--new-key makes one there, --key F uses another")
	}
	return err
}

// writeKey writes a new key where relseal.yaml says.
func (c *cut) writeKey() error {
	dir, name := filepath.Split(c.keyFile())
	if err := durable.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := ignore(dir, "/"+name+"\n"); err != nil {
		return err
	}
	made, err := c.Keys.Save("relseal")
	c.made = append(c.made, made...)
	return err
}

// ignore tells git what not to take up from a directory, unless somebody has
// said that already.
func ignore(dir, patterns string) error {
	err := durable.WriteFile(filepath.Join(dir, ".gitignore"), []byte(patterns), 0o644, false)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// publicFile returns the file beside a private key that holds its public key, ""
// if there is none.
func publicFile(private string, key sign.PublicKey) string {
	file := strings.TrimSuffix(private, filepath.Ext(private)) + ".pub"
	if found, err := keys.LoadPublic(file); err != nil || found != key {
		return ""
	}
	return file
}

// keyRequest says which key, and where the caller or relseal.yaml says that its
// passphrase is.
func (c *cut) keyRequest() signer.Request {
	r := c.Passphrase
	r.File, r.New = c.keyFile(), c.NewKey
	if r.From != "" {
		return r
	}
	kind, name, _ := strings.Cut(c.p.Passphrase, ":")
	if kind == "none" && c.KeyFile != "" {
		kind = "prompt" // relseal.yaml speaks of another key
	}
	switch r.Name = name; kind {
	case "env":
		r.From = signer.Variable
	case "file":
		r.From = signer.File
		if !filepath.IsAbs(name) { // a secret may well lie outside of the project
			r.Name = c.p.file(name)
		}
	case "prompt":
		r.From, r.Elsewhere = signer.Terminal, c.Elsewhere+", or let passphrase in relseal.yaml be env:NAME or file:PATH"
		if c.NewKey {
			r.Elsewhere = c.Elsewhere + ", or let passphrase in relseal.yaml be env:NAME, file:PATH or none"
		}
	default:
		r.From, r.Elsewhere = signer.None, "write prompt, env:NAME or file:PATH there, or give --passphrase-file F, --passphrase-fd N or --passphrase-env NAME"
	}
	return r
}

// PassphraseVariable returns the variable of the environment in which the project
// has the passphrase of its key; "" if it is elsewhere.
func (p Project) PassphraseVariable() string {
	if kind, name, _ := strings.Cut(p.Passphrase, ":"); kind == "env" {
		return name
	}
	return ""
}
