package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"
)

// NewPassphrase returns the passphrase to write a key with, nil for none.
func (env *Env) NewPassphrase(c *cli.Context) (secret []byte, err error) {
	if err := CheckPassphrase(c); err != nil {
		return nil, err
	}
	given := PassphraseGiven(c)
	switch {
	case c.Bool("no-passphrase") && given:
		return nil, UsageHint("relseal key generate: --no-passphrase and a passphrase exclude each other", "relseal key generate --help")
	case c.Bool("no-passphrase"):
		return nil, nil
	case given:
		secret, err = env.Passphrase(c)()
	default:
		secret, err = env.askTwice(c.Context, PassphraseElsewhere+"; --no-passphrase leaves the key unencrypted")
	}
	if err == nil && len(secret) == 0 {
		err = UsageHint("an empty passphrase protects nothing", "--no-passphrase leaves the key unencrypted on purpose")
	}
	return secret, err
}

// askTwice asks for a new passphrase: nobody sees what is typed.
func (env *Env) askTwice(ctx context.Context, elsewhere string) ([]byte, error) {
	first, err := env.ask(ctx, "Passphrase for the new key: ", elsewhere)
	if err != nil || len(first) == 0 {
		return nil, err
	}
	second, err := env.ask(ctx, "The same again: ", elsewhere)
	if err == nil && string(first) != string(second) {
		err = Usage("the two passphrases differ")
	}
	return first, err
}

// Confirm asks a question on the terminal and reports whether the answer is yes. Where
// there is none, elsewhere is the hint.
func (env *Env) Confirm(ctx context.Context, question, elsewhere string) (bool, error) {
	in, ok := env.Stdin.(*os.File)
	if !ok || !Terminal(in) {
		return false, UsageHint("nobody can be asked: standard input is not a terminal", elsewhere)
	}
	fmt.Fprint(env.Stderr, question+" (yes or no) ")
	type line struct {
		text []byte
		err  error
	}
	read := make(chan line, 1)
	go func() { // a byte at a time: what is typed after it may be a passphrase
		var l line
		b := make([]byte, 1)
		for l.err == nil && len(l.text) < 100 {
			var n int
			if n, l.err = in.Read(b); n == 1 && b[0] == '\n' {
				break
			}
			l.text = append(l.text, b[:n]...)
		}
		read <- l
	}()
	select {
	case l := <-read:
		if l.err != nil && !errors.Is(l.err, io.EOF) {
			return false, l.err
		}
		return strings.TrimSpace(string(l.text)) == "yes", nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// ask reads a secret from the terminal. Nothing prompts where there is none:
// elsewhere is the hint for that case.
func (env *Env) ask(ctx context.Context, prompt, elsewhere string) ([]byte, error) {
	in, ok := env.Stdin.(*os.File)
	if !ok || !Terminal(in) {
		return nil, UsageHint("a passphrase is needed and standard input is not a terminal", elsewhere)
	}
	before, err := hush(in)
	if err != nil {
		return nil, err
	}
	fmt.Fprint(env.Stderr, prompt)
	defer fmt.Fprintln(env.Stderr)
	type line struct {
		secret []byte
		err    error
	}
	read := make(chan line, 1)
	go func() {
		secret, err := readSecret(in)
		read <- line{secret, err}
	}()
	show := func() error { return term.Restore(int(in.Fd()), before) }
	select {
	case l := <-read:
		if err := show(); err != nil {
			return nil, err
		}
		if errors.Is(l.err, io.EOF) { // Ctrl-D, or nobody is there any more
			l.err = Usage("no passphrase was typed")
		}
		return l.secret, l.err
	case <-ctx.Done(): // reading goes on until the end of the process; the echo must not stay off
		return nil, errors.Join(ctx.Err(), show())
	}
}
