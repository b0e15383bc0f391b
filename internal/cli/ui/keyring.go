package ui

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/signer"
	"github.com/relseal/relseal/keys/private"
	"github.com/relseal/relseal/sign"
)

// A keyring opens and makes private keys in this process. It implements
// [signer.Keys].
type keyring struct {
	env    *Env
	lookup func(name string) (value []byte, ok bool)    // a variable
	line   func(number string) (r io.Reader, err error) // a descriptor to read a line from

	asked  bool   // a descriptor was read, or tried
	file   string // of a new key
	key    *private.Key
	secret []byte // to write it with
}

// Keyring returns the one of a command that starts nothing of others.
func (env *Env) Keyring() *keyring {
	return &keyring{
		env: env,
		lookup: func(name string) ([]byte, bool) {
			value, ok := os.LookupEnv(name)
			return []byte(value), ok
		},
		line: env.descriptor,
	}
}

// Open implements [signer.Keys].
func (k *keyring) Open(ctx context.Context, r signer.Request) (sign.Signer, error) {
	if err := k.env.Protect(); err != nil {
		return nil, err
	}
	if !r.New {
		key, err := private.Load(r.File, func() ([]byte, error) { return k.passphrase(ctx, r) })
		if err != nil {
			return nil, err
		}
		return key, nil
	}
	if r.From != signer.None {
		secret, err := k.passphrase(ctx, r)
		if err != nil {
			return nil, err
		}
		if len(secret) == 0 {
			return nil, hint.With(errors.New("an empty passphrase protects nothing"), "passphrase: none leaves the key unencrypted on purpose")
		}
		k.secret = secret
	}
	key, err := private.Generate(rand.Reader)
	if err != nil {
		return nil, err
	}
	k.file, k.key = r.File, key
	return key, nil
}

// Save implements [signer.Keys].
func (k *keyring) Save(comment string) ([]string, error) {
	files, err := private.WritePair(k.file, k.key, k.secret, comment)
	if err != nil {
		return nil, &Error{ExitCantCreate, err, ""}
	}
	return files, nil
}

// passphrase reads it from where the request says.
func (k *keyring) passphrase(ctx context.Context, r signer.Request) ([]byte, error) {
	switch r.From {
	case signer.File:
		return passphraseFile(ctx, r.Name)
	case signer.Descriptor:
		return k.passphraseFD(r.Name)
	case signer.Variable:
		value, ok := k.lookup(r.Name)
		if !ok {
			return nil, &Error{ExitNoInput, fmt.Errorf("the variable %s is not set", r.Name), ""}
		}
		return value, nil
	case signer.Terminal:
		if r.New {
			return k.env.askTwice(ctx, r.Elsewhere)
		}
		return k.env.ask(ctx, "Passphrase: ", r.Elsewhere)
	}
	return nil, hint.With(errors.New("the key is encrypted and relseal.yaml says passphrase: none"), r.Elsewhere)
}

// passphraseFD reads one line, byte by byte: what follows on standard input is
// for others. Any other descriptor is closed, so that no process started later
// has it.
func (k *keyring) passphraseFD(number string) ([]byte, error) {
	k.asked = true
	r, err := k.line(number)
	if err != nil {
		return nil, noPassphrase("file descriptor "+number, err)
	}
	if f, ok := r.(*os.File); ok && number != "0" {
		defer f.Close()
	}
	var line []byte
	for one := make([]byte, 1); ; {
		n, err := r.Read(one)
		switch {
		case n > 0 && one[0] == '\n', err == io.EOF && len(line) > 0:
			return bytes.TrimSuffix(line, []byte("\r")), nil
		case n > 0 && len(line) == maxPassphrase:
			err = errTooLong
		case n > 0:
			line = append(line, one[0])
		case err == io.EOF:
			err = errors.New("nothing to read")
		}
		if err != nil {
			return nil, noPassphrase("file descriptor "+number, err)
		}
	}
}

// descriptor returns an open file of this process by its number.
func (env *Env) descriptor(number string) (io.Reader, error) {
	fd, err := strconv.Atoi(number)
	if err != nil {
		return nil, err
	}
	if fd == 0 {
		return env.Stdin, nil
	}
	if f := os.NewFile(uintptr(fd), "fd "+number); f != nil {
		return f, nil
	}
	return nil, fs.ErrInvalid
}

// From says in a request where the flags take the passphrase from; the terminal, if
// none says it.
func From(c *cli.Context, r signer.Request) signer.Request {
	r.From, r.Elsewhere = signer.Terminal, PassphraseElsewhere
	for flag, source := range map[string]signer.Source{"file": signer.File, "fd": signer.Descriptor, "env": signer.Variable} {
		if name := "passphrase-" + flag; c.IsSet(name) {
			r.From, r.Name = source, c.String(name)
		}
	}
	return r
}

// Apart puts the private key of a command that starts programs of others into a
// process of its own, before anything else is done: this one is begun anew without
// the variables that hold its passphrase, the one of --passphrase-env and those of
// the given names. stop ends that process.
func (env *Env) Apart(c *cli.Context, names ...string) (k signer.Keys, stop func(), err error) {
	if !env.Own { // called by another program, which has no place to give up
		return env.Keyring(), func() {}, nil
	}
	client, err := signer.Adopt()
	if client == nil && err == nil {
		secret, e := strconv.Atoi(c.String("passphrase-fd"))
		if e != nil {
			secret = -1
		}
		names = append(names, c.String("passphrase-env"))
		client, err = signer.Start(slices.DeleteFunc(names, func(name string) bool { return name == "" }), secret, func() error {
			env.Release() // what it has caught would not be known in the process begun anew
			return env.Ctx.Err()
		})
	}
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return env.Keyring(), func() {}, nil
	case errors.Is(err, context.Canceled):
		return nil, nil, err
	case err != nil:
		code := ExitInternal
		if _, ok := errors.AsType[syscall.Errno](err); ok { // the system has nothing left for one
			code = ExitIO
		}
		return nil, nil, &Error{code, fmt.Errorf("no process for the private key: %w", err), ""}
	}
	return client, client.Close, nil
}

// OpenKey opens the private key of --key with k.
func (env *Env) OpenKey(c *cli.Context, k signer.Keys) (sign.Signer, error) {
	file := c.String("key")
	if file == "" {
		return nil, UsageHint(c.Command.HelpName+": --key is missing", "--key release.key; relseal key generate makes one")
	}
	if err := CheckPassphrase(c); err != nil {
		return nil, err
	}
	key, err := k.Open(c.Context, From(c, signer.Request{File: file}))
	if own, ok := k.(*keyring); ok && !own.asked {
		closeUnread(c) // the key is not encrypted
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, hint.With(err, "make it: relseal key generate --out "+hint.Quote(file))
	}
	return key, err
}

// Passphrase returns what asks for the passphrase of a private key: the file, the
// descriptor or the variable of the flags, else the terminal.
func (env *Env) Passphrase(c *cli.Context) func() ([]byte, error) {
	return func() ([]byte, error) {
		if err := errors.Join(CheckPassphrase(c), env.Protect()); err != nil {
			return nil, err
		}
		return env.Keyring().passphrase(c.Context, From(c, signer.Request{}))
	}
}

// Protect keeps what this process is about to read from others of the same user.
func (env *Env) Protect() error {
	if !env.Own {
		return nil
	}
	if err := signer.Protect(); err != nil {
		return &Error{ExitInternal, err, ""}
	}
	return nil
}

// RunSigner is the other process of apart.
func RunSigner(env *Env, args []string) int {
	conn, err := signer.Conn(args)
	if err != nil {
		return env.Finish(context.Background(), Usage(err.Error()))
	}
	// Ctrl-C reaches this process too. It ends when the one that it signs for does,
	// which may have an end of the run to sign still.
	signal.Ignore(Interrupts...)
	protected := signer.Protect()
	err = signer.Service{
		Keys: func(g signer.Given) signer.Keys {
			if protected != nil {
				return noKeys{protected}
			}
			return &keyring{
				env:    env,
				lookup: func(name string) ([]byte, bool) { v, ok := g.Variables[name]; return v, ok },
				line: func(number string) (io.Reader, error) {
					if number == "0" {
						return env.Stdin, nil
					}
					if !g.Descriptor {
						return nil, syscall.EBADF
					}
					return signer.Secret(), nil
				},
			}
		},
		Describe: func(err error) (int, string, string) { return classify(context.Background(), err) },
	}.Serve(conn)
	if err != nil {
		return ExitInternal // the other process says what is wrong
	}
	return ExitOK
}

// noKeys is a keyring that must not read any key.
type noKeys struct{ err error }

func (r noKeys) Open(context.Context, signer.Request) (sign.Signer, error) {
	return nil, &Error{ExitInternal, r.err, ""}
}

func (r noKeys) Save(string) ([]string, error) { return nil, r.err }
