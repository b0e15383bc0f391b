package trust

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/keys/root"
	"github.com/relseal/relseal/sign"
)

func initCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "init",
		Usage:     "make the first version of a trust root, unsigned",
		ArgsUsage: "ROOTS",
		Description: `Writes ROOTS/1.root.json. It counts once as many holders of root keys have signed it
as --threshold root=N says; a threshold as high as their number means that nobody may
ever lose a key.

Example:
  relseal trust init ROOTS --add root=alice.pub --add root=bob.pub --add audit=ci.pub --add release.canary=ci.pub --expires 2030-01-01
  relseal trust init ROOTS --add root=alice.pub --add root=bob.pub --add root=carol.pub --threshold root=2 --add release.stable=a.pub --add release.stable=b.pub --threshold release.stable=2 --expires 2030-01-01`,
		Flags:  append(changeFlags(), ui.JSONFlag()),
		Action: func(c *cli.Context) error { return trustInit(env, c) },
	}
}

func rotateCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "rotate",
		Usage:     "make the next version: keys come and go, thresholds and expiry change",
		ArgsUsage: "ROOTS",
		Description: `Writes the next version into ROOTS, unsigned. It counts once it is signed by the
threshold of the version before and by its own. A retired key stays listed, and what
it signed until --from stays good.

Example:
  relseal trust rotate ROOTS --retire audit=old.pub --add audit=new.pub --from 2027-01-01
  relseal trust rotate ROOTS --retire bob.pub --add root=carol.pub --expires 2032-01-01`,
		Flags: append(changeFlags(),
			&cli.StringSliceFlag{Name: "retire", Usage: "take a role from a key, `ROLE=FILE`, or every role, FILE, from --from on; may be repeated"},
			ui.JSONFlag(),
		),
		Action: func(c *cli.Context) error { return rotate(env, c, nil) },
	}
}

func revokeCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "revoke",
		Usage:     "make the next version: a key may be in other hands",
		ArgsUsage: "ROOTS",
		Description: `Writes the next version into ROOTS, unsigned, in which the key has no role any more.
What it signed from --since on is rejected; what is older counts only as far as
something else than that key dates it. --since can be set earlier by a later version,
never later.

Example:
  relseal trust revoke ROOTS --key lost.pub --since 2027-03-01 --add audit=new.pub
  relseal trust revoke ROOTS --key lost.pub --since 2027-03-01T09:30:00Z --threshold release.stable=1`,
		Flags: append(changeFlags(),
			&cli.StringFlag{Name: "key", Usage: "revoke the public key in `FILE`"},
			&cli.StringFlag{Name: "since", Usage: "it may have been in other hands from `T` on"},
			&cli.StringSliceFlag{Name: "retire", Usage: "take a role from another key, `ROLE=FILE`, or every role, FILE; may be repeated"},
			ui.JSONFlag(),
		),
		Action: func(c *cli.Context) error { return trustRevoke(env, c) },
	}
}

func trustInit(env *ui.Env, c *cli.Context) error {
	if err := ui.ExactArgs(c, "ROOTS"); err != nil {
		return err
	}
	if !c.IsSet("expires") {
		return ui.UsageHint("relseal trust init: --expires is missing", "--expires 2030-01-01: until then somebody has to sign a new version")
	}
	ch, err := change(c, root.Time{})
	if err != nil {
		return err
	}
	r, err := root.Signed{}.Change(ch)
	if err != nil {
		return badChange(err)
	}
	dir := c.Args().First()
	if err := durable.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return made(env, c, dir, nil, r)
}

func trustRevoke(env *ui.Env, c *cli.Context) error {
	for _, name := range []string{"key", "since"} {
		if !c.IsSet(name) {
			return ui.UsageHint("relseal trust revoke: --"+name+" is missing", "relseal trust revoke --help")
		}
	}
	key, err := keys.LoadPublic(c.String("key"))
	if err != nil {
		return err
	}
	since, err := ui.TimeFlag(c, "since")
	if err != nil {
		return err
	}
	return rotate(env, c, []root.Revocation{{Key: key, Since: since}})
}

func rotate(env *ui.Env, c *cli.Context, revoke []root.Revocation) error {
	if err := ui.ExactArgs(c, "ROOTS"); err != nil {
		return err
	}
	roots, err := keys.OpenRoots(c.Args().First())
	if err != nil {
		return err
	}
	if roots.Pending != nil {
		return &ui.Error{Code: ui.ExitCantCreate, Err: fmt.Errorf("version %d of the root is not signed yet", roots.Pending.Version()),
			Hint: "finish it, relseal trust sign, or remove the file"}
	}
	last := roots.Chain.Last()
	ch, err := change(c, last.Signed().Expires)
	if err != nil {
		return err
	}
	ch.Revoke = revoke
	if len(ch.Add)+len(ch.Retire)+len(ch.Revoke)+len(ch.Thresholds) == 0 && ch.Expires.IsZero() {
		return ui.UsageHint(c.Command.HelpName+": nothing would change", "--add, --retire, --threshold or --expires")
	}
	r, err := last.Signed().Change(ch)
	if err != nil {
		return badChange(err)
	}
	return made(env, c, roots.Dir, last, r)
}

// badChange says what to do where a role would be left without keys enough, or a key
// without time.
func badChange(err error) error {
	switch text := err.Error(); {
	case strings.Contains(text, "nobody could sign"):
		return hint.With(err, "--add ROLE=FILE brings another key, --threshold ROLE=N asks for fewer")
	case strings.Contains(text, "not_after is before not_before"):
		return hint.With(err, "added keys may sign from --from until --until, or until the root expires: --expires sets that")
	}
	return err
}

// madeResult is what init, rotate, revoke and sign say.
type madeResult struct {
	Schema      string            `json:"schema"`
	File        string            `json:"file"`
	Version     int64             `json:"version"`
	Hash        sign.Digest       `json:"hash"`
	Expires     root.Time         `json:"expires"`
	Missing     []lack            `json:"missing"`
	Differences []root.Difference `json:"differences"`
}

// A lack is a threshold of root keys that is not reached.
type lack struct {
	Version int64        `json:"version"` // whose root keys
	Need    int          `json:"need"`
	By      []sign.KeyID `json:"by"` // any of these
}

func lacksOf(prev, r *root.Root) ([]lack, error) {
	list := []lack{}
	lacks, err := root.Lacks(prev, r)
	for _, l := range lacks {
		list = append(list, lack{l.Version, l.Need, l.Missing})
	}
	return list, err
}

func newMadeResult(schema, file string, prev, r *root.Root) (madeResult, error) {
	m := madeResult{Schema: schema, File: file, Version: r.Version(), Hash: r.Hash(), Expires: r.Signed().Expires, Differences: []root.Difference{}}
	var err error
	m.Missing, err = lacksOf(prev, r)
	if prev != nil {
		m.Differences = root.Diff(prev, r)
	}
	return m, err
}

// made writes a new version and says what it changes and who has to sign it.
func made(env *ui.Env, c *cli.Context, dir string, prev, r *root.Root) error {
	file, err := writeRoot(dir, r, false)
	if err != nil {
		return err
	}
	m, err := newMadeResult("relseal/trust-version/v1", file, prev, r)
	if err != nil {
		return err
	}
	return env.PrintDone(c, m, fmt.Sprintf("wrote %s\n%s%s", escape.Line(file), differencesText(m.Differences, nil), missingText(m.Missing, nil)))
}

func missingText(missing []lack, names keyNames) string {
	var w strings.Builder
	for _, l := range missing {
		fmt.Fprintf(&w, "missing: %s by root keys of version %d, of these:\n", ui.Counted(l.Need, "signature"), l.Version)
		for _, id := range l.By {
			fmt.Fprintf(&w, "  %s\n", names.of(id))
		}
	}
	return w.String()
}

func differencesText(list []root.Difference, names keyNames) string {
	var w strings.Builder
	for _, d := range list {
		where := "the root"
		if d.Role != "" {
			where = d.Role
		}
		if d.Key != nil {
			where += "  " + names.of(*d.Key)
		}
		switch {
		case d.Old == "":
			fmt.Fprintf(&w, "  + %s  %s: %s\n", where, d.What, d.New)
		case d.New == "":
			fmt.Fprintf(&w, "  - %s  %s: %s\n", where, d.What, d.Old)
		default:
			fmt.Fprintf(&w, "  ~ %s  %s: %s, was %s\n", where, d.What, d.New, d.Old)
		}
	}
	return w.String()
}
