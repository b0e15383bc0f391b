package cut

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/sign"
)

// ErrKeyExists reports that a key was to be made where there is one.
var ErrKeyExists = fmt.Errorf("the key %w", fs.ErrExist)

// A CreateError reports a key that could not be written.
type CreateError struct{ Err error }

func (e *CreateError) Error() string { return e.Err.Error() }
func (e *CreateError) Unwrap() error { return e.Err }

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

// openKey returns the key that seals. With NewKey it is a new one, which is
// nowhere yet, with the passphrase to write it with; nil means unencrypted.
func (c *cut) openKey() (*keys.Private, []byte, error) {
	if !c.NewKey {
		key, err := keys.LoadPrivate(c.keyFile(), c.passphrase)
		return key, nil, err
	}
	var secret []byte
	if c.Passphrase != nil || c.p.Passphrase != "none" {
		var err error
		if secret, err = c.passphrase(); err != nil {
			return nil, nil, err
		}
		if len(secret) == 0 {
			return nil, nil, hint.With(errors.New("an empty passphrase protects nothing"), "passphrase: none leaves the key unencrypted on purpose")
		}
	}
	key, err := keys.Generate(rand.Reader)
	return key, secret, err
}

// writeKey writes a new key where relseal.yaml says.
func (c *cut) writeKey(secret []byte) error {
	dir, name := filepath.Split(c.keyFile())
	if err := durable.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := ignore(dir, "/"+name+"\n"); err != nil {
		return err
	}
	made, err := keys.WritePair(c.keyFile(), c.key, secret, "relseal")
	if err != nil {
		return &CreateError{err}
	}
	c.made = append(c.made, made...)
	return nil
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

// passphrase reads it from where the caller or relseal.yaml says it is.
func (c *cut) passphrase() ([]byte, error) {
	if c.Passphrase != nil {
		return c.Passphrase()
	}
	kind, name, _ := strings.Cut(c.p.Passphrase, ":")
	if kind == "none" && c.KeyFile != "" {
		kind = "prompt" // relseal.yaml speaks of another key
	}
	switch kind {
	case "env":
		value, ok := os.LookupEnv(name)
		if !ok {
			return nil, unset(name)
		}
		return []byte(value), nil
	case "file":
		if !filepath.IsAbs(name) { // a secret may well lie outside of the project
			name = c.p.file(name)
		}
		data, err := os.ReadFile(name)
		return bytes.TrimRight(data, "\r\n"), err
	case "prompt":
		if c.NewKey {
			return c.AskNew()
		}
		return c.Ask()
	default:
		return nil, hint.With(errors.New("the key is encrypted and relseal.yaml says passphrase: none"), "write prompt, env:NAME or file:PATH there, or give --passphrase-file F, --passphrase-fd N or --passphrase-env NAME")
	}
}

// unset is the error of a variable that holds nothing: a missing input.
type unset string

func (name unset) Error() string        { return fmt.Sprintf("the variable %s is not set", string(name)) }
func (name unset) Is(target error) bool { return target == fs.ErrNotExist }
