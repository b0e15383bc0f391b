// Package release is the command release: moves between channels, on record.
package release

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/gates/ledger"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/inquiry"
	"github.com/relseal/relseal/internal/pack"
	"github.com/relseal/relseal/release"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/verify"
)

// Command returns the command.
func Command(e *ui.Env) *cli.Command {
	env := &ledgerEnv{Env: e}
	c := &cli.Command{
		Name:  "release",
		Usage: "move a release from canary to stable to LTS, or back",
		Description: `A ledger is the signed record of a product's moves between channels: which policy
holds, which bundle came where, every window that was measured of it. promote decides by
it, and packs it into the new bundle, so that anybody can make the decision again.

Nothing in a ledger shows that its end was not cut off. Every command but init holds it
against what is known of it: bundles, heads in files, what this machine has seen.

Example:
  relseal release init ledger --product greetd --key release.key
  relseal release register ledger --policy gates.yaml --key release.key
  relseal release admit greetd-1.0.0.release.tar.zst --ledger ledger --key release.key
  relseal release observe ledger --windows windows.jsonl --release greetd-1.0.0.release.tar.zst --key release.key
  relseal release promote greetd-1.0.0.release.tar.zst --ledger ledger --key release.key --out stable.release.tar.zst`,
		Subcommands: []*cli.Command{
			initCommand(env),
			registerCommand(env),
			admitCommand(env),
			observeCommand(env),
			statusCommand(env),
			promoteCommand(env),
			rollbackCommand(env),
			rotateCommand(env),
		},
	}
	for _, sub := range c.Subcommands {
		action := sub.Action
		sub.Action = func(c *cli.Context) error { return withCode(env.remember(c, action(c))) }
	}
	return c
}

// withCode gives an error of these commands its exit code and its hint. 1 and 2 are
// answers: a refusal is 66, or 1 where it is only that something is missing yet.
func withCode(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*ui.Answer](err); ok {
		return err
	}
	if e, ok := errors.AsType[*ui.Error](err); ok && e.Code != ui.ExitReject {
		return err
	}
	code := ui.ExitNoInput
	if r, ok := errors.AsType[*release.RefusedError](err); ok {
		err = hint.With(err, r.Next)
		if r.Undecided {
			code = ui.ExitUndecidable
		}
	} else if e, ok := errors.AsType[*audit.KeyError](err); ok {
		err = hint.With(err, "only "+e.Want.String()+" signs the ledger now")
	} else if _, ok := errors.AsType[*ui.Error](err); !ok {
		if c := ui.CodeOf(err); c != ui.ExitReject {
			return err
		}
	}
	return &ui.Error{Code: code, Err: err}
}

// ledgerFlag is on the commands whose argument is a bundle.
func ledgerFlag() cli.Flag {
	return &cli.StringFlag{Name: "ledger", Usage: "the product's ledger, `LEDGER`"}
}

// openLedger opens a ledger to write to it with the key of --key. One that does not
// hold what is known of it is refused; bundles are those that the command line names.
func (env *ledgerEnv) openLedger(c *cli.Context, arg string, bundles ...string) (*release.Ledger, sign.Signer, error) {
	file, err := inquiry.LedgerFile(arg)
	if err != nil {
		return nil, nil, err
	}
	key, err := env.SigningKey(c)
	if err != nil {
		return nil, nil, err
	}
	o, err := ledgerOptions(c, key)
	if err != nil {
		return nil, nil, err
	}
	if err := env.recall(c, file, bundles...); err != nil {
		return nil, nil, err
	}
	o.Known, o.Context, o.Waiting = env.memory.heads, c.Context, env.Waiting(file)
	l, err := release.Open(file, o)
	if err != nil {
		return nil, nil, err
	}
	env.memory.highest, env.memory.head = l.Known, l.Head
	for _, torn := range l.Torn() {
		env.Say("hint", ui.TornText(torn))
	}
	for _, f := range l.Faults {
		env.Say("error", fmt.Sprintf("%s: event %d: %v", arg, f.K, f))
	}
	return l, key, nil
}

// ledgerOptions returns who writes to a ledger.
func ledgerOptions(c *cli.Context, key sign.Signer) (release.Options, error) {
	o := release.Options{Signer: key, Clock: ui.SystemClock(), Producer: ui.Producer, Actor: ui.Account(c), Digest: c.IsSet("out")} // a bundle is to hold it
	if c.IsSet("now") {
		at, err := time.Parse(time.RFC3339, c.String("now"))
		if err != nil {
			return o, ui.UsageHint(fmt.Sprintf("%s: --now %q is no time", c.Command.HelpName, c.String("now")), "--now 2026-01-31T12:00:00Z")
		}
		o.NowMS = cmp.Or(at.UnixMilli(), 1) // 0 would be none; it is about that time
	}
	return o, nil
}

// clockFlag is on the commands that record a time, but for those that roll back.
func clockFlag() cli.Flag {
	return &cli.StringFlag{Name: "now", Usage: "it is about `T`, in RFC 3339: where the ledger has rested and nothing else speaks for the clock of this machine"}
}

// noPolicy says in time that nothing can judge a release: once it has a window, it
// is too late to register a policy for it.
func (env *ledgerEnv) noPolicy(l *release.Ledger, r *ledger.Release) {
	p := l.State.PolicyOf(r)
	switch {
	case p != nil && !p.Late(r):
	case r.Count > 0:
		env.Say("hint", "no policy was there before the first window: the release can go on only as a new canary")
	case r.Policy != nil:
		env.Say("hint", fmt.Sprintf("register its policy %s before its first window: relseal release register", *r.Policy))
	default:
		env.Say("hint", "register a policy before its first window: relseal release register")
	}
}

// readBundle verifies a ReleaseBundle and returns what a ledger needs of it.
func (env *ledgerEnv) readBundle(c *cli.Context, file string, known verify.Options) (release.Bundle, error) {
	report, err := verify.File(c.Context, file, known)
	if report == nil {
		return release.Bundle{}, err
	}
	if !report.Valid {
		a := ui.AnswerTo(report).(*ui.Answer)
		a.Hint = cmp.Or(ui.ShelfHint(file), a.Hint)
		err := fmt.Errorf("%s: the bundle does not verify\n%s", file, ui.FindingsOf(report))
		if a.Code == ui.ExitUndecidable {
			return release.Bundle{}, &ui.Error{Code: a.Code, Err: err, Hint: a.Hint}
		}
		return release.Bundle{}, &ui.Error{Code: ui.ExitNoInput, Err: err, Hint: a.Hint}
	}
	m, id, err := pack.ReadRelease(file)
	if err != nil {
		return release.Bundle{}, err
	}
	if report.Bundle.ID == nil || *report.Bundle.ID != id {
		return release.Bundle{}, fmt.Errorf("%s: changed while it was read", file)
	}
	b := release.Bundle{ID: id, Product: m.Product, Version: m.Version, Channel: m.Channel, Built: report.Built}
	if m.Gates != nil {
		data, err := m.Gates.Marshal()
		if err != nil {
			return b, err
		}
		digest := sign.Sum(data)
		b.Policy = &digest
	}
	return b, nil
}

// bundleID returns what names a bundle: its id, or the file that has it.
func bundleID(arg string) (sign.Digest, error) {
	if d, err := sign.ParseDigest(arg); err == nil {
		return d, nil
	}
	_, id, err := pack.ReadRelease(arg)
	if errors.Is(err, fs.ErrNotExist) {
		err = hint.With(err, "a release is named by its bundle.id, sha256:…, or by the file of its bundle; relseal release status prints the ids")
	}
	return id, err
}

// bundleFile returns what names a bundle if it is a file, and no id.
func bundleFile(arg string) []string {
	if _, err := sign.ParseDigest(arg); arg == "" || err == nil {
		return nil
	}
	return []string{arg}
}
