package release

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/cut"
	"github.com/relseal/relseal/internal/exit"
	"github.com/relseal/relseal/internal/known"
	"github.com/relseal/relseal/release"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/trail"
	"github.com/relseal/relseal/verify"
)

// knownFlags are on the commands that read a ledger.
func knownFlags() []cli.Flag {
	return []cli.Flag{
		ui.KnownFlag(),
		&cli.BoolFlag{Name: "require-known", Usage: "refuse a ledger of which nothing is known"},
		headOutFlag(),
	}
}

func headOutFlag() cli.Flag {
	return &cli.StringFlag{Name: "head-out", Usage: "write to `F` where the ledger stands in the end, for --known of the next call"}
}

// A ledgerEnv is what a command of a ledger may touch, and what is known of that.
type ledgerEnv struct {
	*ui.Env
	memory memory
}

// A memory is what is known of the ledger of a command, and where it stands.
type memory struct {
	state   known.State
	heads   []release.KnownHead // what it is held against
	highest *release.KnownHead  // what it holds of that
	head    func() release.Head // where it stands, by a key that counts; nil if nobody looked
}

// recall gathers what is known of the ledger in a file before that is read for good:
// whoever appends meanwhile must not seem to have known too much. bundles are those
// that the command line names.
func (env *ledgerEnv) recall(c *cli.Context, file string, bundles ...string) error {
	g, h0, err := known.Genesis(file)
	if err != nil {
		return err
	}
	m := &env.memory
	take := func(heads []release.KnownHead, err error) error {
		m.heads = append(m.heads, heads...)
		return err
	}
	names, dirs, err := knownSources(c, g.Product, bundles)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := take(known.Parse(name)); err != nil {
			return err
		}
	}
	for _, dir := range dirs {
		err := take(known.Dir(dir, g.Product, h0, func(name string, why error) {
			env.Say("hint", fmt.Sprintf("%s: not looked at for what it knows of the ledger: %v", name, ui.PlainCause(why)))
		}))
		if err != nil {
			return err
		}
	}
	for _, name := range bundles {
		if heads, err := known.Bundle(name); err == nil { // else who needs the bundle says what is wrong
			take(heads, nil)
		}
	}
	if out := c.String("head-out"); out != "" {
		if err := apart(file, out); err != nil {
			return err
		}
		if info, err := os.Stat(filepath.Dir(out)); err != nil || !info.IsDir() {
			return &ui.Error{Code: ui.ExitCantCreate, Err: fmt.Errorf("%s: its directory is not there", out)}
		}
		switch h, err := known.File(out); {
		case err == nil:
			take([]release.KnownHead{h}, nil)
		case !errors.Is(err, fs.ErrNotExist):
			return &ui.Error{Code: ui.ExitCantCreate, Err: err, Hint: "--head-out takes the place of a head alone"}
		}
	}
	if m.state, err = known.System(); err != nil {
		env.Say("hint", fmt.Sprintf("nothing is kept of what this machine sees of the ledger: %v; %s names a directory", err, known.StateVariable))
	} else if err := apart(file, string(m.state)); err != nil {
		return err
	} else if h, err := m.state.Head(h0); err != nil {
		return err
	} else if h != nil {
		take([]release.KnownHead{*h}, nil)
	}
	if len(m.heads) == 0 && c.Bool("require-known") {
		return &release.RefusedError{Code: finding.LedgerUnknown, Text: "nothing is known of the ledger, and --require-known asks for it", Next: "--known names what knows it: a bundle, a file of --head-out, or k:H_k"}
	}
	return nil
}

// apart refuses a memory inside the directory of the ledger that it is about: whoever
// can cut that could make it forget.
func apart(ledger, name string) error {
	dir, ok := strings.CutSuffix(filepath.ToSlash(ledger), "/"+bundle.TrailPath)
	if !ok {
		return nil // a ledger that is a file
	}
	inside, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	top, err := filepath.Abs(filepath.FromSlash(dir))
	if err != nil {
		return err
	}
	within := func(top, inside string) bool {
		rel, err := filepath.Rel(top, inside)
		return err == nil && filepath.IsLocal(rel)
	}
	if within(top, inside) || within(followed(top), followed(inside)) {
		return ui.UsageHint(fmt.Sprintf("%s lies in the ledger's directory, and would be cut with it", name), "keep what is known of a ledger where whoever can write to the ledger cannot")
	}
	return nil
}

// followed returns the absolute path with the links in what there is of it followed.
func followed(path string) string {
	for there, rest := path, ""; ; there, rest = filepath.Dir(there), filepath.Join(filepath.Base(there), rest) {
		if real, err := filepath.EvalSymlinks(there); err == nil {
			return filepath.Join(real, rest)
		}
		if there == filepath.Dir(there) {
			return path
		}
	}
}

// knownSources returns what is to know the ledger of a product: what the command line
// names; else what relseal.yaml does; else the directories where bundles lie.
func knownSources(c *cli.Context, product string, bundles []string) (names, dirs []string, err error) {
	if c.IsSet("known") {
		return c.StringSlice("known"), nil, nil
	}
	config, err := cut.ReadConfig(".")
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, nil, err
	case product != "" && config.Product != product: // of something else
	case len(config.Known) > 0:
		return config.Known, nil, nil
	default:
		dirs = append(dirs, filepath.FromSlash(config.Output))
	}
	if out := c.String("out"); out != "" {
		bundles = append(bundles, out)
	}
	for _, name := range bundles {
		dirs = append(dirs, filepath.Dir(name))
	}
	return nil, distinct(dirs), nil
}

func distinct(names []string) (list []string) {
	seen := map[string]bool{}
	for _, name := range names {
		if abs, err := filepath.Abs(name); err == nil && !seen[abs] {
			seen[abs] = true
			list = append(list, name)
		}
	}
	return list
}

// remember keeps where the ledger of a command stands, whatever the command answered.
// What was recorded is recorded: an error says so.
func (env *ledgerEnv) remember(c *cli.Context, answer error) error {
	m := env.memory
	if m.head == nil {
		return answer
	}
	h := m.head()
	if m.state != "" {
		// The ledger is as it is now, also if the caller has given up.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Context), 10*time.Second)
		defer cancel()
		if err := m.state.Keep(ctx, h); err != nil {
			env.Say("hint", fmt.Sprintf("this machine keeps nothing of the ledger: %s; %s names another directory", exit.Text(err), known.StateVariable))
		}
	}
	out := c.String("head-out")
	if out == "" {
		return answer
	}
	err := known.Write(out, h)
	if err == nil {
		return answer
	}
	err = fmt.Errorf("the head could not be kept, and the ledger stands at event %d: what it says is done. %w", h.K, err)
	if a, ok := errors.AsType[*ui.Answer](answer); ok && a.Code == ui.ExitReject { // a rollback is more urgent
		env.Say("error", exit.Text(err))
		return answer
	}
	return err
}

// remembered is the part of a result that says what is known of the ledger.
type remembered struct {
	Known     *rememberedHead   `json:"known_head"` // the highest that is known and that the ledger holds; null if nothing is
	NonClaims []verify.NonClaim `json:"non_claims"`
}

type rememberedHead struct {
	K      int64       `json:"k"`
	HK     sign.Digest `json:"H_k"`
	Kind   string      `json:"kind"` // bundle, head, argument or state
	Source string      `json:"source"`
}

// remembered returns that part, and what people are told.
func (env *ledgerEnv) remembered() (remembered, string) {
	h := env.memory.highest
	non := []verify.NonClaim{trail.LedgerEnd(h)}
	if h == nil {
		return remembered{NonClaims: non}, non[0].Why + "\n"
	}
	return remembered{&rememberedHead{h.K, h.HK, h.Source.Kind, h.Source.Name}, non}, ""
}
