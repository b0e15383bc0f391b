package trust

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
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

func signCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "sign",
		Usage:     "sign a version of the root with a root key",
		ArgsUsage: "FILE",
		Description: `Shows what FILE, which is N.root.json, changes in the root that you hold, and its hash;
asks; and adds your signature to it. --root is your own copy, of any version before,
from a place where nobody else writes: the way from there to N is walked, and what
breaks a rule of it is refused. Where nobody can be asked, --hash says what to sign.
The first version of a root builds on none: it is shown whole.

The holders do this one after the other, each on their own machine; no network is needed.

Example:
  relseal trust sign 2.root.json --key alice.key --root ~/my/1.root.json
  relseal trust sign 2.root.json --key alice.key --root ~/my/1.root.json --hash sha256:9f2c…`,
		Flags: append(ui.KeyFlags("sign with the private key in `F`, a root key"),
			&cli.StringFlag{Name: "root", Usage: "your own copy of the root, of a version before, is in `F`"},
			&cli.StringFlag{Name: "root-dir", Usage: "look in `DIR` for the versions between the two; beside FILE if not given"},
			&cli.StringFlag{Name: "hash", Usage: "do not ask: sign what has the hash `H`, and nothing else"},
			&cli.StringFlag{Name: "names", Usage: "call keys by the names of the *.pub files in `DIR`"},
			ui.JSONFlag(),
		),
		Action: func(c *cli.Context) error { return trustSign(env, c) },
	}
}

func trustSign(env *ui.Env, c *cli.Context) error {
	if err := ui.ExactArgs(c, "FILE"); err != nil {
		return err
	}
	file := c.Args().First()
	r, err := keys.ReadRoot(file)
	if err != nil {
		return err
	}
	h, err := holderOf(c, file, r)
	if err != nil {
		return err
	}
	names, err := loadNames(c.String("names"))
	if err != nil {
		return err
	}
	if err := agreed(env, c, h, r, names); err != nil {
		return err
	}
	key, err := env.SigningKey(c)
	if err != nil {
		return err
	}
	next, err := r.Sign(h.before, key)
	if err != nil {
		return err
	}
	data, err := next.Marshal()
	if err != nil {
		return err
	}
	// A signature more is all that changes: nothing that FILE says is lost.
	if err := durable.WriteFile(file, data, 0o644, true); err != nil {
		return err
	}
	m, err := newMadeResult("relseal/trust-sign/v1", file, h.before, next)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("signed %s with %s\n  %s\n%s", escape.Line(file), key.Public().KeyID(), m.Hash, missingText(m.Missing, names))
	if len(m.Missing) == 0 {
		text += fmt.Sprintf("version %d of the root is complete\n", m.Version)
	}
	return env.PrintDone(c, struct {
		madeResult
		Key sign.KeyID `json:"key"`
	}{m, key.Public().KeyID()}, text)
}

// A holder is what whoever signs a version has of the root already.
type holder struct {
	own    *root.Root // their own copy; nil for the first version
	before *root.Root // the version before, reached from there; nil for the first, and if their own is of the same number
}

// holderOf walks from the root of --root to the version before r, which stands in file.
// Nothing that came with file is believed; what breaks a rule is an error.
func holderOf(c *cli.Context, file string, r *root.Root) (h holder, err error) {
	if !c.IsSet("root") {
		if r.Version() > 1 {
			return h, ui.UsageHint("relseal trust sign: --root is missing: the root that you hold, against which the change is shown",
				"--root ~/my/1.root.json, your own copy and not one that came with the file")
		}
		_, err = root.Lacks(nil, r)
		return h, err
	}
	dir := c.String("root-dir")
	if dir == "" {
		dir = filepath.Dir(file)
	}
	chain, err := keys.LoadRoot(c.String("root"), "")
	if err != nil {
		return h, err
	}
	err = keys.GoOn(chain, dir, r.Version()-1)
	if _, breaks := errors.AsType[*root.Error](err); breaks {
		return h, &ui.Error{Code: ui.ExitReject, Err: err, Hint: "what is built on it is not signed"}
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = hint.With(err, "--root-dir DIR has the versions between your own and the one to sign")
	}
	if err != nil {
		return h, err
	}
	h.own = chain.First()
	if h.own.Version() < r.Version() {
		h.before = chain.Last()
	}
	if err := h.check(dir, r); err != nil {
		return h, hint.With(&ui.Error{Code: ui.ExitReject, Err: fmt.Errorf("%s: %w", file, err)}, "do not sign it; relseal trust show "+hint.Quote(file)+" shows what it says")
	}
	return h, nil
}

// check returns which rule r breaks as the version after h.before. That is so, too, if
// there is another one already that counts: the root would fork.
func (h holder) check(dir string, r *root.Root) error {
	last := h.before
	if last == nil {
		last = h.own
	}
	if err := r.Follows(last); err != nil {
		return err
	}
	if _, err := root.Lacks(h.before, r); err != nil || h.before == nil {
		return err
	}
	other, err := keys.ReadRoot(filepath.Join(dir, root.FileName(r.Version())))
	if err != nil || other.Hash() == r.Hash() || other.Follows(last) != nil {
		return nil // there is none that could count
	}
	if lacks, err := root.Lacks(last, other); err == nil && len(lacks) == 0 {
		return fmt.Errorf("there is a version %d already, which enough have signed: %s; the root would fork", r.Version(), other.Hash())
	}
	return nil
}

// agreed shows r against what the holder has and returns nil if it is to be signed.
func agreed(env *ui.Env, c *cli.Context, h holder, r *root.Root, names keyNames) error {
	s, err := showing(h.own, h.before, r)
	if err != nil {
		return err
	}
	var w strings.Builder
	w.WriteString(s.text(names))
	switch own := h.own; {
	case own == nil:
		w.WriteString("the first version of a root: it builds on nothing, and whoever holds these root keys is the team\n")
	case h.before != nil && h.before != own:
		fmt.Fprintf(&w, "of that by version %d itself:\n%s", r.Version(), differencesText(root.Diff(h.before, r), names))
	}
	for _, id := range r.Signers() {
		key, ok := r.Key(id)
		if !ok && h.before != nil {
			key, ok = h.before.Key(id)
		}
		if ok {
			fmt.Fprintf(&w, "signed by %s\n", names.of(key.KeyID()))
		}
	}
	fmt.Fprint(env.Stderr, w.String())
	if want := c.String("hash"); c.IsSet("hash") {
		if want != r.Hash().String() {
			return &ui.Error{Code: ui.ExitReject, Err: fmt.Errorf("the hash is %s, and not %s of --hash: nothing was signed", r.Hash(), want)}
		}
		return nil
	}
	yes, err := env.Confirm(c.Context, fmt.Sprintf("Sign version %d of the root?", r.Version()), "--hash "+r.Hash().String()+" signs this and nothing else, once you have read it")
	if err == nil && !yes {
		err = &ui.Error{Code: ui.ExitReject, Err: errors.New("nothing was signed")}
	}
	return err
}
