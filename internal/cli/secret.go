package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/keys"
)

// maxPassphrase bounds what is read in search of the end of a passphrase.
const maxPassphrase = 64 << 10

// passphraseFlags say where the passphrase of a private key is, for those who
// cannot type it. There is none that takes the passphrase itself: a command line
// is there for every user of the machine to read.
func passphraseFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "passphrase-file", Usage: "read the passphrase of the key from `F`"},
		&cli.StringFlag{Name: "passphrase-fd", Usage: "read it from the file descriptor `N`, up to the end of the line"},
		&cli.StringFlag{Name: "passphrase-env", Usage: "take it from the variable `NAME`"},
	}
}

// passphraseElsewhere is the hint where a passphrase is asked for and nobody can
// type it.
const passphraseElsewhere = "run it on a terminal, or give --passphrase-file F, --passphrase-fd N or --passphrase-env NAME"

// passphraseGiven reports whether a flag says where the passphrase is.
func passphraseGiven(c *cli.Context) bool {
	return slices.ContainsFunc(passphraseFlags(), func(f cli.Flag) bool { return c.IsSet(f.Names()[0]) })
}

// checkPassphrase refuses more than one source, also where none is needed.
func checkPassphrase(c *cli.Context) error {
	var given []string
	for _, f := range passphraseFlags() {
		if name := f.Names()[0]; c.IsSet(name) {
			given = append(given, "--"+name)
		}
	}
	if len(given) > 1 {
		return usageErrorHint(fmt.Sprintf("%s: %s exclude each other", c.Command.HelpName, strings.Join(given, " and ")), c.Command.HelpName+" --help")
	}
	if fd := c.String("passphrase-fd"); fd != "" {
		if n, err := strconv.Atoi(fd); err != nil || n < 0 || n == 1 || n == 2 {
			return usageErrorHint(fmt.Sprintf("%s: --passphrase-fd %q is not the number of a file descriptor to read from", c.Command.HelpName, fd), "--passphrase-fd 3 3<secret")
		}
	}
	return nil
}

// passphrase returns what asks for the passphrase of a private key: the file, the
// descriptor or the variable of the flags, else the terminal.
func (env *environment) passphrase(c *cli.Context) func() ([]byte, error) {
	return func() ([]byte, error) {
		if err := checkPassphrase(c); err != nil {
			return nil, err
		}
		switch {
		case c.IsSet("passphrase-file"):
			return passphraseFile(c.String("passphrase-file"))
		case c.IsSet("passphrase-fd"):
			return env.passphraseFD(c.String("passphrase-fd"))
		case c.IsSet("passphrase-env"):
			name := c.String("passphrase-env")
			value, ok := os.LookupEnv(name)
			if !ok {
				return nil, noPassphrase("the variable "+name, errors.New("not set"))
			}
			return []byte(value), nil
		}
		return env.ask(c.Context, "Passphrase: ", passphraseElsewhere)
	}
}

// passphraseFile returns what a file holds without the end of its last line. It
// may be a pipe.
func passphraseFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, noPassphrase(name, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPassphrase+1))
	if err == nil && len(data) > maxPassphrase {
		err = errTooLong
	}
	if err != nil {
		return nil, noPassphrase(name, err)
	}
	return bytes.TrimRight(data, "\r\n"), nil
}

var errTooLong = fmt.Errorf("more than %d KiB, too long for a passphrase", maxPassphrase>>10)

// passphraseFD reads one line, byte by byte: what follows on standard input is
// for others. Any other descriptor is closed, so that no process started later
// has it.
func (env *environment) passphraseFD(number string) ([]byte, error) {
	fd, err := strconv.Atoi(number)
	if err != nil {
		return nil, err
	}
	r := env.stdin
	if fd > 0 {
		f := os.NewFile(uintptr(fd), "fd "+number)
		if f == nil {
			return nil, noPassphrase("file descriptor "+number, fs.ErrInvalid)
		}
		r = f
	}
	var line []byte
	for one := make([]byte, 1); ; {
		n, err := r.Read(one)
		switch {
		case n > 0 && one[0] == '\n', err == io.EOF && len(line) > 0:
			if f, ok := r.(*os.File); ok && fd > 0 {
				f.Close()
			}
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

// closeUnread closes the descriptor of --passphrase-fd where nobody asked for the
// passphrase: a process started later must not have it all the same.
func closeUnread(c *cli.Context) {
	if fd, err := strconv.Atoi(c.String("passphrase-fd")); err == nil && fd > 2 {
		if f := os.NewFile(uintptr(fd), ""); f != nil {
			f.Close()
		}
	}
}

// noPassphrase is the error about a source that gives none. It wraps
// no fs.ErrNotExist: that would be about the file of the key.
func noPassphrase(where string, err error) error {
	return &exitError{exitNoInput, fmt.Errorf("%s: %v", where, plainCause(err)), ""}
}

// signingKey opens the private key of --key.
func (env *environment) signingKey(c *cli.Context) (*keys.Private, error) {
	file := c.String("key")
	if file == "" {
		return nil, usageErrorHint(c.Command.HelpName+": --key is missing", "--key release.key; relseal key generate makes one")
	}
	if err := checkPassphrase(c); err != nil {
		return nil, err
	}
	asked := false
	key, err := keys.LoadPrivate(file, func() ([]byte, error) {
		asked = true
		return env.passphrase(c)()
	})
	if !asked {
		closeUnread(c) // the key is not encrypted
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, hint.With(err, "make it: relseal key generate --out "+shellQuote(file))
	}
	return key, err
}

// keyFlags are the flags of every command that signs.
func keyFlags(usage string) []cli.Flag {
	return append([]cli.Flag{&cli.StringFlag{Name: "key", Usage: usage}}, passphraseFlags()...)
}
