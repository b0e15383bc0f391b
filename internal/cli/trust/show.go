package trust

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/keys/root"
	"github.com/relseal/relseal/sign"
)

func showCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "print who may do what until when, and what changed",
		ArgsUsage: "ROOTS|FILE",
		Description: `Of a directory the newest version is shown, and what it changes; with --version N that
one. A version that lacks signatures is shown as such, exit 1; one that may not come
after the version that it is compared with, exit 2.

Example:
  relseal trust show ROOTS
  relseal trust show ROOTS --version 2 --names keys
  relseal trust show 3.root.json --previous 1.root.json`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "version", Usage: "show version `N`"},
			&cli.StringFlag{Name: "previous", Usage: "show what differs from the version in `F`"},
			&cli.StringFlag{Name: "names", Usage: "call keys by the names of the *.pub files in `DIR`"},
			ui.JSONFlag(),
		},
		Action: func(c *cli.Context) error { return show(env, c) },
	}
}

type shownKey struct {
	ID           sign.KeyID  `json:"id"`
	Status       sign.Status `json:"status"`
	NotBefore    *root.Time  `json:"not_before"` // null for a root key
	NotAfter     *root.Time  `json:"not_after"`
	RevokedSince *root.Time  `json:"revoked_since"`
}

type shownRole struct {
	Name      string     `json:"name"`
	Threshold int        `json:"threshold"`
	Keys      []shownKey `json:"keys"`
}

type shownRoot struct {
	Schema      string            `json:"schema"`
	Version     int64             `json:"version"`
	Hash        sign.Digest       `json:"hash"`
	Expires     root.Time         `json:"expires"`
	Complete    bool              `json:"complete"`
	Missing     []lack            `json:"missing"`
	Roles       []shownRole       `json:"roles"`
	Previous    *int64            `json:"previous"` // the version that differences are from
	Differences []root.Difference `json:"differences"`
	Breaks      *string           `json:"breaks"` // why it may not come after that version; null if it may
}

func show(env *ui.Env, c *cli.Context) error {
	if err := ui.ExactArgs(c, "ROOTS|FILE"); err != nil {
		return err
	}
	prev, r, err := shownVersions(c)
	if err != nil {
		return err
	}
	names, err := loadNames(c.String("names"))
	if err != nil {
		return err
	}
	var before *root.Root
	if prev != nil && prev.Version() == r.Version()-1 {
		before = prev
	}
	s, err := showing(prev, before, r)
	if err != nil {
		return err
	}
	if prev != nil {
		if err := r.Follows(prev); err != nil {
			text := err.Error()
			s.Breaks = &text
		}
	}
	switch err := env.Print(c, s, s.text(names)); {
	case err != nil:
		return err
	case s.Breaks != nil:
		return &ui.Answer{Code: ui.ExitReject, Hint: "do not sign it: relseal explain E_ROOT"}
	case !s.Complete:
		return &ui.Answer{Code: ui.ExitUndecidable, Hint: "relseal trust sign adds a signature"}
	}
	return nil
}

// showing returns what there is to show of r: what changed since prev, if that is not nil,
// and which signatures it lacks after before, the version before it, or alone.
func showing(prev, before, r *root.Root) (s shownRoot, err error) {
	s = shownRoot{Schema: "relseal/trust-show/v1", Version: r.Version(), Hash: r.Hash(), Expires: r.Signed().Expires, Roles: rolesOf(r), Differences: []root.Difference{}}
	if prev != nil {
		version := prev.Version()
		s.Previous, s.Differences = &version, root.Diff(prev, r)
	}
	s.Missing, err = lacksOf(before, r)
	s.Complete = len(s.Missing) == 0
	return s, err
}

// shownVersions returns the version to show and the one to compare it with.
func shownVersions(c *cli.Context) (prev, r *root.Root, err error) {
	name := c.Args().First()
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		roots, err := keys.OpenRoots(name)
		if err != nil {
			return nil, nil, err
		}
		prev, r = roots.Previous(), roots.Pending
		if r == nil {
			r = prev
			prev, _ = roots.Chain.At(r.Version() - 1)
		}
		if c.IsSet("version") {
			if _, ok := root.VersionOf(c.String("version") + ".root.json"); !ok {
				return nil, nil, ui.UsageHint(fmt.Sprintf("relseal trust show: --version %q is no number from 1 on", c.String("version")), "--version 1")
			}
			name = filepath.Join(name, c.String("version")+".root.json")
		} else if !c.IsSet("previous") {
			return prev, r, nil
		} else {
			name = filepath.Join(name, root.FileName(r.Version()))
		}
	}
	if r, err = keys.ReadRoot(name); err != nil {
		return nil, nil, err
	}
	if c.IsSet("previous") || r.Version() > 1 {
		prev, err = previousRoot(c, name, r)
		if err != nil && !c.IsSet("previous") {
			prev, err = nil, nil // one version alone can be shown, too
		}
	}
	return prev, r, err
}

func rolesOf(r *root.Root) []shownRole {
	s := r.Signed()
	held := shownRole{Name: root.RootRole, Threshold: s.Roles.Root.Threshold}
	for _, id := range s.Roles.Root.KeyIDs {
		key, _ := r.Key(id)
		held.Keys = append(held.Keys, shownKey{ID: key.KeyID(), Status: sign.Active})
	}
	roles := []shownRole{held}
	for _, name := range sign.Roles() {
		role, ok := s.Extension.Roles[name]
		if !ok {
			continue
		}
		shown := shownRole{Name: name, Threshold: role.Threshold}
		for _, g := range role.Keys {
			key, _ := r.Key(g.KeyID)
			shown.Keys = append(shown.Keys, shownKey{key.KeyID(), g.Status, &g.NotBefore, &g.NotAfter, g.RevokedSince})
		}
		slices.SortStableFunc(shown.Keys, func(a, b shownKey) int { return strings.Compare(string(a.Status), string(b.Status)) })
		roles = append(roles, shown)
	}
	return roles
}

func (s shownRoot) text(names keyNames) string {
	var w strings.Builder
	fmt.Fprintf(&w, "root version %d, expires %s\n  %s\n", s.Version, s.Expires, s.Hash)
	w.WriteString(missingText(s.Missing, names))
	for _, r := range s.Roles {
		active := 0
		for _, k := range r.Keys {
			if k.Status == sign.Active {
				active++
			}
		}
		fmt.Fprintf(&w, "%s: %d of %d must sign\n", r.Name, r.Threshold, active)
		for _, k := range r.Keys {
			fmt.Fprintf(&w, "  %-8s %s", k.Status, names.of(k.ID))
			if k.NotBefore != nil {
				fmt.Fprintf(&w, "  %s to %s", k.NotBefore, k.NotAfter)
			}
			if k.RevokedSince != nil {
				fmt.Fprintf(&w, ", not to be believed since %s", k.RevokedSince)
			}
			w.WriteByte('\n')
		}
	}
	if s.Previous != nil {
		fmt.Fprintf(&w, "changed since version %d:\n", *s.Previous)
		if len(s.Differences) == 0 {
			w.WriteString("  nothing\n")
		}
		w.WriteString(differencesText(s.Differences, names))
	}
	if s.Breaks != nil {
		fmt.Fprintf(&w, "breaks a rule: %s\n", *s.Breaks)
	}
	return w.String()
}

// keyNames are what the caller calls keys.
type keyNames map[sign.KeyID]string

func (n keyNames) of(id sign.KeyID) string {
	if name, ok := n[id]; ok {
		return fmt.Sprintf("%s (%s)", id, escape.Line(name))
	}
	return id.String()
}

func loadNames(dir string) (keyNames, error) {
	if dir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	names := keyNames{}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".pub")
		if !ok {
			continue
		}
		key, err := keys.LoadPublic(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		names[key.KeyID()] = strings.TrimSuffix(name, ".ssh")
	}
	return names, nil
}

// previousRoot returns the version that r is compared with: that of --previous, else the
// one before it, beside file. Neither needs trust: nothing is decided by it.
func previousRoot(c *cli.Context, file string, r *root.Root) (*root.Root, error) {
	name := c.String("previous")
	if name == "" {
		name = filepath.Join(filepath.Dir(file), root.FileName(r.Version()-1))
	}
	chain, err := keys.LoadRoot(name, "") // nothing is built on a version that is not signed
	if err != nil {
		return nil, err
	}
	return chain.First(), nil
}
