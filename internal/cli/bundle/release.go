package bundle

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/gates/policyfile"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/pack"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/sign/wrap"
	"github.com/relseal/relseal/verify"
)

func releaseCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:  "release",
		Usage: "seal a release on canary over audit bundles",
		Description: `Verifies each audit bundle with the sealing key and those of --trust, seals a release
over them, and verifies what was written. Its artifacts are theirs; product and commit
are what their runs recorded. All must have run the same cards, and ended ok. Several
runs that made the same artifact are several witnesses.

Example:
  relseal bundle release --audit greetd.audit.tar.zst --version 1.0.0 --key release.key --out greetd.release.tar.zst
  relseal bundle release --audit a.audit.tar.zst --audit b.audit.tar.zst --trust ci.pub --version 1.0.0 --key release.key --out r.release.tar.zst`,
		Flags: append(ui.KeyFlags("seal with the private key in `F`"),
			&cli.StringSliceFlag{Name: "audit", Usage: "the release rests on the audit bundle in `F`; may be repeated"},
			&cli.StringFlag{Name: "version", Usage: "it is version `V`, semantic and without v"},
			&cli.StringFlag{Name: "channel", Usage: "on channel `C`: canary, and no other"},
			&cli.StringFlag{Name: "out", Usage: "write the bundle to `F`"},
			&cli.StringSliceFlag{Name: "trust", Usage: "trust the public key in `FILE`, or every *.pub of a directory, for audit bundles and the ledger; may be repeated"},
			&cli.StringFlag{Name: "artifacts", Usage: "look in `DIR` for artifacts that the audit bundles do not contain"},
			&cli.StringFlag{Name: "product", Usage: "refuse audit bundles of another product than `P`"},
			&cli.StringFlag{Name: "commit", Usage: "its source is commit `C`; for runs that recorded none"},
			&cli.StringFlag{Name: "gates", Usage: "the gate policy in `POLICY` decides about its promotion"},
			ui.HeadFlag(),
			ui.RootRefFlag(),
			&cli.BoolFlag{Name: "force", Usage: "overwrite the file of --out"},
			ui.JSONFlag(),
		),
		Action: func(c *cli.Context) error { return release(env, c) },
	}
}

func release(env *ui.Env, c *cli.Context) error {
	out, err := checkRelease(c)
	if err != nil {
		return err
	}
	r := pack.Release{Version: c.String("version"), Product: c.String("product"), Commit: ui.OrNull(c.String("commit"))}
	if r.Gates, err = releasePolicy(env, c.String("gates")); err != nil {
		return err
	}
	key, err := env.SigningKey(c)
	if err != nil {
		return err
	}
	ref, err := ui.RootRef(c, key, sign.RoleReleaseCanary)
	if err != nil {
		return err
	}
	r.Root = (*bundle.RootRef)(ref)
	known, err := ui.ReleaseOptions(c, key)
	if err != nil {
		return err
	}
	if err := settle(env, c, &r, known); err != nil {
		return err
	}
	chain, err := ui.NamedRoot(c)
	if err != nil {
		return err
	}
	if r.Head, err = ui.LedgerHead(c, r.Product, chain, known.Keys); err != nil {
		return err
	}
	sealed, err := pack.WriteCanary(c.Context, out, c.Bool("force"), r, wrap.New(key), known)
	if errors.Is(err, fs.ErrExist) {
		return ui.Exists(out)
	}
	if err != nil {
		return err
	}
	channel := bundle.Canary
	result := newSealedResult(bundle.KindRelease, sealed, key.Public().KeyID())
	result.Product, result.Version, result.Channel, result.Commit = r.Product, &r.Version, &channel, r.Commit
	return env.PrintDone(c, result, sealedText(fmt.Sprintf("%s %s (%s)", escape.Line(r.Product), r.Version, channel), result))
}

// checkRelease settles what the flags alone can settle, and returns the file to write.
func checkRelease(c *cli.Context) (string, error) {
	if err := ui.ExactArgs(c); err != nil {
		return "", err
	}
	switch channel := c.String("channel"); channel {
	case "", bundle.Canary:
	case bundle.Stable, bundle.LTS:
		return "", ui.UsageHint(fmt.Sprintf("relseal bundle release: a release starts on canary; %s is reached by promotion", channel),
			"leave --channel out, then relseal release promote judges the canary by its windows")
	default:
		return "", ui.UsageHint(fmt.Sprintf("relseal bundle release: unknown channel %q", channel), "leave --channel out: a release starts on canary")
	}
	if len(c.StringSlice("audit")) == 0 {
		return "", ui.UsageHint("relseal bundle release: --audit is missing", "relseal bundle audit makes one from a run")
	}
	v := c.String("version")
	if v == "" {
		return "", ui.UsageHint("relseal bundle release: --version is missing", "--version 1.0.0")
	}
	if err := bundle.CheckVersion(v); err != nil {
		return "", ui.UsageHint(fmt.Sprintf("relseal bundle release: --version %q: %v", v, err), "--version 1.0.0")
	}
	return ui.OutFile(c)
}

// releasePolicy reads a gate policy; nil if none is named.
func releasePolicy(env *ui.Env, file string) (*gates.Policy, error) {
	if file == "" {
		return nil, nil
	}
	name, data, err := env.ReadInput(file, limits.Document)
	if err != nil {
		return nil, err
	}
	policy, err := policyfile.Parse(name, data)
	return &policy, err
}

// settle verifies the audit bundles and fills in what the release takes from them.
func settle(env *ui.Env, c *cli.Context, r *pack.Release, known verify.Options) error {
	var list []pack.Evidence
	for _, file := range c.StringSlice("audit") {
		report, err := verify.File(c.Context, file, known)
		if report == nil {
			return err
		}
		if !report.Valid {
			a := ui.AnswerTo(report).(*ui.Answer)
			return &ui.Error{Code: a.Code, Err: fmt.Errorf("%s: the audit bundle does not verify\n%s", file, ui.FindingsOf(report)), Hint: a.Hint}
		}
		e, err := pack.ReadEvidence(file, known.Keys)
		if err != nil {
			return err
		}
		list = append(list, e)
	}
	return r.Settle(list)
}
