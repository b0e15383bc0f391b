package inquiry

import (
	"fmt"
	"slices"
	"strings"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/exit"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/lazyregexp"
	"github.com/relseal/relseal/verify"
)

// expectations is what --expect takes.
const expectations = "product=P, version=V, channel=C, newer-than=V, outcome=ok|failed|aborted, commit=HEX, source=clean|dirty|none"

// ParseExpect reads product=P,version=V and so on.
func ParseExpect(s string) (verify.Expect, error) {
	var e verify.Expect
	members := map[string]*string{"product": &e.Product, "version": &e.Version, "channel": &e.Channel, "newer-than": &e.NewerThan,
		"outcome": &e.Outcome, "commit": &e.Commit, "source": &e.Source}
	for part := range strings.SplitSeq(s, ",") {
		name, value, _ := strings.Cut(part, "=")
		switch member := members[name]; {
		case s == "":
			return e, nil
		case member == nil || value == "":
			return e, exit.Usage(fmt.Sprintf("--expect: %q is not one of %s", part, expectations), "")
		case *member != "":
			return e, exit.Usage("--expect names "+name+" twice", "")
		default:
			*member = value
		}
	}
	if err := checkExpect(&e); err != nil {
		return e, err
	}
	if v, found := strings.CutPrefix(e.NewerThan, "v"); found && bundle.CheckVersion(v) == nil {
		return e, exit.Usage("--expect newer-than="+e.NewerThan+": a version has the form 1.2.3, without v", "--expect newer-than="+v)
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
		return exit.Usage(fmt.Sprintf("--expect %s=%s: %s", name, value, want), hint)
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
		return bad("commit", e.Commit, "a commit has 40 or 64 hexadecimal digits", "git rev-parse "+hint.Quote(e.Commit))
	case e.Source != "" && !slices.Contains([]string{verify.SourceClean, verify.SourceDirty, verify.SourceNone}, e.Source):
		return bad("source", e.Source, "there are clean, dirty and none", "")
	}
	return nil
}
