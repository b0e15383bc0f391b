package ui

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
)

// maxPassphrase bounds what is read in search of the end of a passphrase.
const maxPassphrase = 64 << 10

// PassphraseFlags say where the passphrase of a private key is, for those who
// cannot type it. There is none that takes the passphrase itself: a command line
// is there for every user of the machine to read.
func PassphraseFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "passphrase-file", Usage: "read the passphrase of the key from `F`"},
		&cli.StringFlag{Name: "passphrase-fd", Usage: "read it from the file descriptor `N`, up to the end of the line"},
		&cli.StringFlag{Name: "passphrase-env", Usage: "take it from the variable `NAME`"},
	}
}

// PassphraseElsewhere is the hint where a passphrase is asked for and nobody can
// type it.
const PassphraseElsewhere = "run it on a terminal, or give --passphrase-file F, --passphrase-fd N or --passphrase-env NAME"

// PassphraseGiven reports whether a flag says where the passphrase is.
func PassphraseGiven(c *cli.Context) bool {
	return slices.ContainsFunc(PassphraseFlags(), func(f cli.Flag) bool { return c.IsSet(f.Names()[0]) })
}

// CheckPassphrase refuses more than one source, also where none is needed.
func CheckPassphrase(c *cli.Context) error {
	var given []string
	for _, f := range PassphraseFlags() {
		if name := f.Names()[0]; c.IsSet(name) {
			given = append(given, "--"+name)
		}
	}
	if len(given) > 1 {
		return UsageHint(fmt.Sprintf("%s: %s exclude each other", c.Command.HelpName, strings.Join(given, " and ")), c.Command.HelpName+" --help")
	}
	if fd := c.String("passphrase-fd"); fd != "" {
		if n, err := strconv.Atoi(fd); err != nil || n < 0 || n == 1 || n == 2 {
			return UsageHint(fmt.Sprintf("%s: --passphrase-fd %q is not the number of a file descriptor to read from", c.Command.HelpName, fd), "--passphrase-fd 3 3<secret")
		}
	}
	return nil
}

// passphraseFile returns what a file holds without the end of its last line. It
// may be a pipe.
func passphraseFile(ctx context.Context, name string) ([]byte, error) {
	f, err := regular.Stream(ctx, name)
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
	return &Error{ExitNoInput, fmt.Errorf("%s: %v", where, PlainCause(err)), ""}
}

// SigningKey opens the private key of --key in this process, which starts nothing of
// others while it has it.
func (env *Env) SigningKey(c *cli.Context) (sign.Signer, error) {
	return env.OpenKey(c, env.Keyring())
}

// KeyFlags are the flags of every command that signs.
func KeyFlags(usage string) []cli.Flag {
	return append([]cli.Flag{&cli.StringFlag{Name: "key", Usage: usage}}, PassphraseFlags()...)
}

// SigningFlags are on the commands that write.
func SigningFlags() []cli.Flag { return KeyFlags("sign with the private key in `F`") }
