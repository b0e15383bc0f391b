package cli

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/cireport"
	"github.com/relseal/relseal/internal/engine"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/verify"
)

func verifyCommand(env *environment) *cli.Command {
	return &cli.Command{
		Name:      "verify-bundle",
		Usage:     "check a bundle with a public key, offline",
		ArgsUsage: "BUNDLE...",
		Description: `Checks everything that a bundle claims and prints the answer: VERIFIED (exit 0),
UNDECIDABLE (1: something needed is missing) or REJECT (2: something is wrong).
BUNDLE is a .tar.zst, a .tar or the unpacked directory. No network is used, and
nothing in the bundle is trusted: only the keys that you name, or those that a trust
root names, for what it says and as long as it says.

Example:
  relseal verify-bundle greetd-1.0.0.release.tar.zst --key release.pub
  relseal verify-bundle dist/*.tar.zst --key old.pub --key new.pub --json | jq .verdict
  relseal verify-bundle dist/*.tar.zst --root 1.root.json --root-dir ROOTS --for-install --at now`,
		Flags: append(judgeFlags(),
			&cli.StringFlag{Name: "artifacts", Usage: "look in `DIR` for artifacts that the bundle does not contain; a file there that bears an artifact's name and is another rejects"},
			&cli.StringFlag{Name: "against", Usage: "say in which members a damaged document differs from `COPY`, another copy of the bundle or its run directory"},
			&cli.StringFlag{Name: "certificate", Usage: "write the report (the bytes of --json) to `FILE`"},
			&cli.StringFlag{Name: "summary", Usage: "write the text report to `FILE`"},
			&cli.StringFlag{Name: "junit", Usage: "write the results of all bundles to `FILE` as JUnit XML"},
			&cli.StringFlag{Name: "sarif", Usage: "write the findings of all bundles to `FILE` as SARIF 2.1.0"},
			&cli.BoolFlag{Name: "force", Usage: "overwrite these files"},
			jsonFlag(),
		),
		Action: func(c *cli.Context) error { frugal(1); return runVerify(env, c) },
	}
}

// judgeFlags say whom to trust, what to expect and how to judge.
func judgeFlags() []cli.Flag {
	return append(append([]cli.Flag{
		&cli.StringSliceFlag{Name: "key", Usage: "trust the public key in `FILE`, or every *.pub of a directory; may be repeated"},
	}, rootFlags()...),
		&cli.BoolFlag{Name: "for-install", Usage: "reject under a root that has expired at --at"},
		historyFlag(),
		&cli.StringFlag{Name: "expect", Usage: "reject unless each of `LIST` holds, as in product=P,version=V: product, version, channel, newer-than (a version or a bundle), outcome (ok), commit, source (clean)"},
		&cli.BoolFlag{Name: "strict", Usage: "reject what is undecidable"},
		plainFlag(),
	)
}

// historyFlag is for those who ask about a release of the past.
func historyFlag() cli.Flag {
	return &cli.BoolFlag{Name: "history", Usage: "a release that the ledger of --ledger rolled back is no reason to reject it"}
}

// plainFlag is for those who doubt the fast way, and to hold it against.
func plainFlag() cli.Flag {
	return &cli.BoolFlag{Name: "plain", Usage: "take no short cut in checking trails: the same report, several times as slow"}
}

func runVerify(env *environment, c *cli.Context) error {
	bundles := c.Args().Slice()
	if len(bundles) == 0 {
		return exactArgs(c, "BUNDLE")
	}
	if err := trustGiven(c); err != nil {
		return err
	}
	if len(bundles) > 1 && (c.IsSet("certificate") || c.IsSet("summary")) {
		return usageError("relseal verify-bundle: --certificate and --summary take one bundle")
	}
	if err := checkReportFiles(c); err != nil {
		return err
	}
	o, err := verifyOptions(c)
	if err != nil {
		return err
	}
	if err := newest(c.Context, &o, bundles); err != nil {
		return err
	}
	var results []cireport.Result
	worst := &verify.Report{Verdict: verify.Verified}
	var failed []error // a bundle that cannot be read does not keep the others from being checked
	for _, name := range bundles {
		o.Progress = new(verify.Progress)
		stop := env.watch(name, o.Progress)
		r, err := verify.File(c.Context, name, o)
		stop()
		if c.Context.Err() != nil {
			return c.Context.Err()
		}
		if r == nil {
			failed = append(failed, err)
			continue
		}
		results = append(results, cireport.Result{Name: name, Report: r})
		if r.Verdict != worst.Verdict && r.Verdict.Worse(worst.Verdict) == r.Verdict {
			worst = r
		}
	}
	if err := writeReportFiles(c, results); err != nil {
		return err
	}
	if err := env.printReports(c, results, len(bundles) > 1); err != nil {
		return err
	}
	if len(failed) > 0 {
		return errors.Join(failed...)
	}
	return answer(worst)
}

// findingsOf returns the part of a report that says why a bundle was refused. What
// it shows and does not show is for those who asked for the report.
func findingsOf(r *verify.Report) string {
	why := *r
	why.Claims, why.NonClaims = nil, nil
	return why.Summary()
}

// answer returns the error that carries the verdict of a report to the exit code.
func answer(r *verify.Report) error {
	a := &answerError{code: exitReject}
	switch r.Verdict {
	case verify.Verified:
		return nil
	case verify.Undecidable:
		a.code = exitUndecidable
	}
	if len(r.Diag.Findings) > 0 { // the worst comes first
		a.hint = fmt.Sprintf("relseal explain %s says what to do", r.Diag.Findings[0].Code)
	}
	return a
}

func verifyOptions(c *cli.Context) (verify.Options, error) {
	o := verify.Options{Strict: c.Bool("strict")}
	c.Context = engine.With(c.Context, engine.Options{Plain: c.Bool("plain")})
	var err error
	if c.IsSet("root") {
		err = rootOptions(c, &o)
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
			return e, usageErrorHint(fmt.Sprintf("--expect: %q is not one of %s", part, expectations), "")
		case *member != "":
			return e, usageError("--expect names " + name + " twice")
		default:
			*member = value
		}
	}
	if err := checkExpect(&e); err != nil {
		return e, err
	}
	if v, found := strings.CutPrefix(e.NewerThan, "v"); found && bundle.CheckVersion(v) == nil {
		return e, usageErrorHint("--expect newer-than="+e.NewerThan+": a version has the form 1.2.3, without v", "--expect newer-than="+v)
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

var commitForm = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// checkExpect refuses an expectation that nothing can meet: a slip of the keyboard must
// not look like a forgery.
func checkExpect(e *verify.Expect) error {
	e.Commit = strings.ToLower(e.Commit)
	bad := func(name, value, want, hint string) error {
		return usageErrorHint(fmt.Sprintf("--expect %s=%s: %s", name, value, want), hint)
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
		return bad("commit", e.Commit, "a commit has 40 or 64 hexadecimal digits", "git rev-parse "+shellQuote(e.Commit))
	case e.Source != "" && !slices.Contains([]string{verify.SourceClean, verify.SourceDirty, verify.SourceNone}, e.Source):
		return bad("source", e.Source, "there are clean, dirty and none", "")
	}
	return nil
}
