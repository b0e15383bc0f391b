package ui

import (
	"cmp"
	"fmt"
	"os/user"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/document"
	"github.com/relseal/relseal/internal/inquiry"
	"github.com/relseal/relseal/keys/root"
)

// Suggest returns the hint for a name that is not among the known ones.
func Suggest(name string, known []string, otherwise string) string {
	for _, k := range known {
		if name != "" && strings.HasPrefix(k, name) {
			return fmt.Sprintf("did you mean %q?", k)
		}
	}
	return cmp.Or(document.Suggest(name, known), otherwise)
}

// ExactArgs refuses another number of arguments than the command takes.
func ExactArgs(c *cli.Context, names ...string) error {
	path := c.Command.HelpName
	switch n := c.NArg(); {
	case n < len(names) && names[n] == "DIR":
		return UsageHint(path+": DIR is missing", path+" . is for the current directory")
	case n < len(names):
		return UsageHint(fmt.Sprintf("%s: %s is missing", path, names[n]), path+" --help")
	case n > len(names):
		return UsageHint(fmt.Sprintf("%s: unexpected argument %q", path, c.Args().Get(len(names))), path+" --help")
	}
	return nil
}

// Need returns an error for the first flag that is not given.
func Need(c *cli.Context, flags ...string) error {
	for _, name := range flags {
		if !c.IsSet(name) {
			return UsageHint(fmt.Sprintf("%s: --%s is missing", c.Command.HelpName, name), c.Command.HelpName+" --help")
		}
	}
	return nil
}

// Account is the actor of events that relseal makes itself, unless --actor names
// another.
func Account(c *cli.Context) string {
	if c.IsSet("actor") {
		return c.String("actor")
	}
	if u, err := user.Current(); err == nil && canon.Printable(u.Username) {
		return u.Username
	}
	return "unknown"
}

// AccountFlag is on the commands that record who does something.
func AccountFlag() cli.Flag {
	return &cli.StringFlag{Name: "actor", Usage: "`A` did it, in place of the account"}
}

// TimeFlag reads a date, a time in RFC 3339, "now" or a time from now on, such as
// +2y or +90d; it is zero where there is none.
func TimeFlag(c *cli.Context, name string) (root.Time, error) {
	return inquiry.Time(c.Command.HelpName, name, c.String(name))
}

// AllowSecretFlag is on the commands that record variables, for those that only
// look like credentials.
func AllowSecretFlag(do string) cli.Flag {
	return &cli.StringSliceFlag{Name: "allow-secret", Usage: do + " the variable `NAME`, or STEP:NAME or STEP:NUMBER of a card, though it looks like a credential; may be repeated"}
}
