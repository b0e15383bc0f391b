// Package trust is the command trust: trust roots made, changed and signed.
package trust

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/keys/root"
	"github.com/relseal/relseal/sign"
)

// Command returns the command.
func Command(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:  "trust",
		Usage: "say who may sign what, until when, and change it",
		Description: `A trust root is a directory of files, 1.root.json, 2.root.json and so on, that the
holders of root keys sign. Whoever trusts one version finds every later one:
relseal verify-bundle --root 1.root.json --root-dir ROOTS.

The roles are audit, release.canary, release.stable, release.lts, ledger, archive, and
root for those who sign the root itself.

Example:
  relseal trust init ROOTS --add root=alice.pub --add root=bob.pub --threshold root=2 --add audit=ci.pub --expires 2030-01-01
  relseal trust sign ROOTS/1.root.json --key alice.key
  relseal trust show ROOTS`,
		Subcommands: []*cli.Command{
			initCommand(env),
			rotateCommand(env),
			revokeCommand(env),
			signCommand(env),
			showCommand(env),
			exportCommand(env),
		},
	}
}

func changeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "add", Usage: "give a role to the public key in a file, `ROLE=FILE`; may be repeated"},
		&cli.StringSliceFlag{Name: "threshold", Usage: "so many keys of a role must sign, `ROLE=N`; 1 if not given; may be repeated"},
		&cli.StringFlag{Name: "expires", Usage: "this version of the root is for installing until `T`"},
		&cli.StringFlag{Name: "from", Usage: "added keys may sign from `T` on, a date, a time in RFC 3339, or +2y from now; now if not given"},
		&cli.StringFlag{Name: "until", Usage: "added keys may sign until `T`; until the root expires if not given"},
	}
}

// change reads the flags of a command that makes a version. before is the expiry
// of the version before, zero for the first.
func change(c *cli.Context, before root.Time) (root.Change, error) {
	ch := root.Change{Thresholds: map[string]int{}}
	from, err := ui.TimeFlag(c, "from")
	if err != nil {
		return ch, err
	}
	until, retire := root.Time{}, from
	if from.IsZero() { // what was signed in this very second, by either key, is good
		from = root.At(time.Now())
		retire = root.Time{Time: from.Add(time.Second)}
	}
	if ch.Expires, err = ui.TimeFlag(c, "expires"); err != nil {
		return ch, err
	}
	if until, err = ui.TimeFlag(c, "until"); err != nil {
		return ch, err
	}
	for _, t := range []root.Time{ch.Expires, before} {
		if until.IsZero() {
			until = t
		}
	}
	for _, s := range c.StringSlice("add") {
		role, key, err := roleKey(c, "add", s)
		if err != nil {
			return ch, err
		}
		if role == "" {
			return ch, ui.UsageHint(fmt.Sprintf("%s: --add %q names no role", c.Command.HelpName, s), "--add audit="+hint.Quote(s))
		}
		ch.Add = append(ch.Add, root.Addition{Role: role, Key: key, NotBefore: from, NotAfter: until})
	}
	for _, s := range c.StringSlice("retire") {
		role, key, err := roleKey(c, "retire", s)
		if err != nil {
			return ch, err
		}
		ch.Retire = append(ch.Retire, root.Retirement{Role: role, Key: key, At: retire})
	}
	for _, s := range c.StringSlice("threshold") {
		role, n, _ := strings.Cut(s, "=")
		count, err := strconv.Atoi(n)
		if err != nil || !isRole(role) {
			return ch, ui.UsageHint(fmt.Sprintf("%s: --threshold %q is not ROLE=N", c.Command.HelpName, s), "the roles are "+strings.Join(roleNames(), ", "))
		}
		ch.Thresholds[role] = count
	}
	if c.IsSet("expires") && !ch.Expires.After(from.Time) {
		return ch, ui.UsageHint(fmt.Sprintf("%s: --expires %q is not after %s, from when on keys may sign", c.Command.HelpName, c.String("expires"), from.Format(time.RFC3339)),
			"--expires +2y; under a root that has expired nobody installs")
	}
	return ch, nil
}

func roleNames() []string { return append([]string{root.RootRole}, sign.Roles()...) }

func isRole(name string) bool { return slices.Contains(roleNames(), name) }

// roleKey reads ROLE=FILE, or FILE alone. A file whose name has a = of its own is
// not taken for a role.
func roleKey(c *cli.Context, flag, s string) (role string, key sign.PublicKey, err error) {
	file := s
	if before, after, ok := strings.Cut(s, "="); ok && isRole(before) {
		role, file = before, after
	} else if ok && !strings.ContainsAny(before, `/\.`) {
		return "", key, ui.UsageHint(fmt.Sprintf("%s: --%s: there is no role %q", c.Command.HelpName, flag, before), "the roles are "+strings.Join(roleNames(), ", "))
	}
	if file == "" {
		return "", key, ui.UsageHint(fmt.Sprintf("%s: --%s %q names no file", c.Command.HelpName, flag, s), "--"+flag+" audit=ci.pub")
	}
	key, err = keys.LoadPublic(file)
	return role, key, err
}

// writeRoot writes a version into the directory.
func writeRoot(dir string, r *root.Root, replace bool) (string, error) {
	file := filepath.Join(dir, root.FileName(r.Version()))
	data, err := r.Marshal()
	if err == nil {
		err = durable.WriteFile(file, data, 0o644, replace)
	}
	if errors.Is(err, fs.ErrExist) {
		err = hint.With(fmt.Errorf("%s: %w", file, fs.ErrExist), "a version that somebody may have signed is not overwritten: finish it, relseal trust sign, or remove the file")
	}
	return file, err
}
