package ui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/engine"
	"github.com/relseal/relseal/internal/lazyregexp"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/verify"
)

// JudgeFlags say whom to trust, what to expect and how to judge.
func JudgeFlags() []cli.Flag {
	return append(append([]cli.Flag{
		&cli.StringSliceFlag{Name: "key", Usage: "trust the public key in `FILE`, or every *.pub of a directory; may be repeated"},
	}, RootFlags()...),
		&cli.BoolFlag{Name: "for-install", Usage: "reject under a root that has expired at --at"},
		HistoryFlag(),
		&cli.StringFlag{Name: "expect", Usage: "reject unless each of `LIST` holds, as in product=P,version=V: product, version, channel, newer-than (a version or a bundle), outcome (ok), commit, source (clean)"},
		&cli.BoolFlag{Name: "strict", Usage: "reject what is undecidable"},
		PlainFlag(),
	)
}

// VerifyOptions reads those flags.
func VerifyOptions(c *cli.Context) (verify.Options, error) {
	o := verify.Options{Strict: c.Bool("strict")}
	c.Context = engine.With(c.Context, engine.Options{Plain: c.Bool("plain")})
	var err error
	if c.IsSet("root") {
		err = RootOptions(c, &o)
	} else {
		var trusted *keys.Trusted
		if trusted, err = keys.LoadTrusted(c.StringSlice("key")); err == nil {
			o.Keys = trusted
			o.Later, _, err = givenLedger(c.String("ledger"), trusted, nil)
		}
	}
	if err != nil {
		return o, err
	}
	// An archive holds what was shipped, also what was taken back since.
	o.History = c.Bool("history") || c.Command.Name == "reverify"
	if dir := c.String("artifacts"); dir != "" {
		open := verify.NamedDir
		if c.Command.Name == "reverify" {
			open = verify.Dir // of an archive with many versions the same name has many bytes
		}
		if o.Artifacts, err = open(dir); err != nil {
			return o, err
		}
	}
	if name := c.String("against"); name != "" {
		if o.Against, err = verify.LoadReference(name); err != nil {
			return o, err
		}
	}
	o.Expect, err = parseExpect(c.String("expect"))
	return o, err
}

// expectations is what --expect takes.
const expectations = "product=P, version=V, channel=C, newer-than=V, outcome=ok|failed|aborted, commit=HEX, source=clean|dirty|none"

// parseExpect reads product=P,version=V and so on.
func parseExpect(s string) (verify.Expect, error) {
	var e verify.Expect
	members := map[string]*string{"product": &e.Product, "version": &e.Version, "channel": &e.Channel, "newer-than": &e.NewerThan,
		"outcome": &e.Outcome, "commit": &e.Commit, "source": &e.Source}
	for part := range strings.SplitSeq(s, ",") {
		name, value, _ := strings.Cut(part, "=")
		switch member := members[name]; {
		case s == "":
			return e, nil
		case member == nil || value == "":
			return e, UsageHint(fmt.Sprintf("--expect: %q is not one of %s", part, expectations), "")
		case *member != "":
			return e, Usage("--expect names " + name + " twice")
		default:
			*member = value
		}
	}
	if err := checkExpect(&e); err != nil {
		return e, err
	}
	if v, found := strings.CutPrefix(e.NewerThan, "v"); found && bundle.CheckVersion(v) == nil {
		return e, UsageHint("--expect newer-than="+e.NewerThan+": a version has the form 1.2.3, without v", "--expect newer-than="+v)
	}
	if e.NewerThan != "" && bundle.CheckVersion(e.NewerThan) != nil {
		version, err := verify.VersionOf(e.NewerThan)
		if err != nil {
			return e, fmt.Errorf("--expect newer-than: %w", err)
		}
		e.NewerThan = version
	}
	return e, nil
}

var commitForm = lazyregexp.New(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// checkExpect refuses an expectation that nothing can meet: a slip of the keyboard must
// not look like a forgery.
func checkExpect(e *verify.Expect) error {
	e.Commit = strings.ToLower(e.Commit)
	bad := func(name, value, want, hint string) error {
		return UsageHint(fmt.Sprintf("--expect %s=%s: %s", name, value, want), hint)
	}
	switch {
	case e.Version != "" && bundle.CheckVersion(e.Version) != nil:
		tip := ""
		if v := strings.TrimPrefix(e.Version, "v"); bundle.CheckVersion(v) == nil {
			tip = "--expect version=" + v
		}
		return bad("version", e.Version, "a version has the form 1.2.3, without v", tip)
	case e.Channel != "" && !slices.Contains([]string{bundle.Canary, bundle.Stable, bundle.LTS}, e.Channel):
		return bad("channel", e.Channel, "there are canary, stable and LTS", "")
	case e.Outcome != "" && !slices.Contains([]string{audit.StatusOK, audit.StatusFailed, audit.StatusAborted}, e.Outcome):
		return bad("outcome", e.Outcome, "there are ok, failed and aborted", "")
	case e.Commit != "" && !commitForm.MatchString(e.Commit):
		return bad("commit", e.Commit, "a commit has 40 or 64 hexadecimal digits", "git rev-parse "+ShellQuote(e.Commit))
	case e.Source != "" && !slices.Contains([]string{verify.SourceClean, verify.SourceDirty, verify.SourceNone}, e.Source):
		return bad("source", e.Source, "there are clean, dirty and none", "")
	}
	return nil
}
