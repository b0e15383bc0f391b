package inquiry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/exit"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/keys/root"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/verify"
)

// Terms are whom to trust, what to expect and how to judge, as a command line says it. What
// is "" was not said.
type Terms struct {
	Command string // for errors: relseal verify

	Keys    []string // files and directories
	Root    string   // instead of them
	RootDir string
	Ledger  string
	At      string
	Install bool

	History bool
	Strict  bool
	Expect  string

	Artifacts string // a directory
	AnyName   bool   // whose files match whatever their names are
	Against   string
}

// Check refuses terms that name nobody to trust, or both ways.
func (t Terms) Check() error {
	if t.History && t.Ledger == "" && !t.AnyName { // of an archive nothing is asked but history
		return exit.Usage(t.Command+": --history without --ledger", "--ledger LEDGER, which says what became of releases")
	}
	if t.Root == "" {
		if len(t.Keys) == 0 {
			return exit.Usage(t.Command+": no key given; trust comes from you alone", "--key release.pub, with a key from a channel that you trust")
		}
		for _, f := range []struct {
			name string
			set  bool
		}{{"root-dir", t.RootDir != ""}, {"at", t.At != ""}, {"for-install", t.Install}} {
			if f.set {
				return exit.Usage(fmt.Sprintf("%s: --%s without --root", t.Command, f.name), "--root 1.root.json, from a channel that you trust")
			}
		}
		return nil
	}
	if len(t.Keys) > 0 {
		return exit.Usage(t.Command+": --key and --root exclude each other", "a root says which keys to trust, and for what")
	}
	if t.Install && t.At == "" {
		return exit.Usage(t.Command+": --for-install without --at", "--at now takes the clock of this machine")
	}
	return nil
}

// Options reads what the terms name.
func (t Terms) Options() (o verify.Options, err error) {
	if t.Root != "" {
		err = t.ReadRoot(&o)
	} else {
		var trusted *keys.Trusted
		if trusted, err = keys.LoadTrusted(t.Keys); err == nil {
			o.Keys = trusted
			o.Later, _, err = givenLedger(t.Ledger, trusted, nil)
		}
	}
	if err != nil {
		return o, err
	}
	o.Strict, o.History = t.Strict, t.History
	if t.Artifacts != "" {
		if info, err := os.Stat(t.Artifacts); err == nil && !info.IsDir() {
			return o, exit.Usage(fmt.Sprintf("%s: --artifacts %s is not a directory", t.Command, t.Artifacts), "--artifacts "+hint.Quote(filepath.Dir(t.Artifacts))+" looks for the artifacts there")
		}
		open := verify.NamedDir
		if t.AnyName {
			open = verify.Dir
		}
		if o.Artifacts, err = open(t.Artifacts); err != nil {
			return o, err
		}
	}
	if t.Against != "" {
		if o.Against, err = verify.LoadReference(t.Against); err != nil {
			return o, err
		}
	}
	o.Expect, err = ParseExpect(t.Expect)
	return o, err
}

// ReadRoot reads the root, and what the terms say of it, into o.
func (t Terms) ReadRoot(o *verify.Options) error {
	chain, err := keys.LoadRoot(t.Root, t.RootDir)
	if e, ok := errors.AsType[*root.Error](err); ok {
		return hint.With(err, "relseal explain "+string(e.FindingCode()))
	}
	if err != nil {
		return err
	}
	o.Root, o.Install = chain, t.Install
	at, err := Time(t.Command, "at", t.At)
	if err != nil {
		return err
	}
	o.At = at.Time
	if t.At == "now" {
		o.At = time.Now() // with its fraction: what was rolled back in this second is not later
	}
	authority, findings := chain.Walk(nil)
	for _, f := range findings {
		if f.Verdict == verify.Reject {
			return hint.With(fmt.Errorf("%s: %w", t.RootDir, f.Err()), "relseal trust show "+hint.Quote(t.RootDir))
		}
	}
	if walked, ok := authority.(*root.Chain); ok && len(findings) == 0 {
		o.Root = walked // so that each bundle of many need not go the same way again
	}
	o.Later, o.Dates, err = givenLedger(t.Ledger, verify.LedgerKeys(authority), authority)
	return err
}

// Time reads the value s of a flag: a date, a time in RFC 3339, "now" or a time from now
// on, such as +2y or +90d; the zero time of "".
func Time(command, flag, s string) (root.Time, error) {
	if s == "" {
		return root.Time{}, nil
	}
	if s == "now" {
		return root.At(time.Now()), nil
	}
	if n, err := strconv.Atoi(s[:len(s)-1]); err == nil && s[0] == '+' && n <= 1000 {
		switch s[len(s)-1] {
		case 'y':
			return root.At(time.Now().AddDate(n, 0, 0)), nil
		case 'd':
			return root.At(time.Now().AddDate(0, 0, n)), nil
		}
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return root.At(t), nil
		}
	}
	return root.Time{}, exit.Usage(fmt.Sprintf("%s: --%s %q is no time", command, flag, s), "2030-01-01, 2030-01-01T12:00:00Z, now, +2y or +90d")
}

// LedgerFile returns the trail of a ledger: a file, or that of its directory.
func LedgerFile(name string) (string, error) {
	info, err := os.Stat(name)
	if err == nil && info.IsDir() {
		name = filepath.Join(name, filepath.FromSlash(bundle.TrailPath))
		_, err = os.Stat(name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = hint.With(err, "relseal release init makes a ledger")
	}
	return name, err
}

// givenLedger reads the ledger of --ledger, if it is given; without an authority it dates
// nothing.
func givenLedger(name string, keys sign.Verifiers, authority sign.Authority) (*verify.Later, verify.Dates, error) {
	if name == "" {
		return nil, nil, nil
	}
	file, err := LedgerFile(name)
	if err != nil {
		return nil, nil, err
	}
	f, err := regular.Open(file)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	var dates verify.Dates
	if authority != nil {
		if dates, err = verify.ReadDatings(f, authority); err != nil {
			return nil, nil, ofLedger(name, err)
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return nil, nil, err
		}
	}
	later, err := verify.ReadLater(f, keys)
	return later, dates, ofLedger(name, err)
}

func ofLedger(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

// Newest makes the bundles of one call be judged by the newest version of the root that
// any of them brings: what one of them shows to be revoked is so for the others. A bundle
// that cannot be read, or brings what does not follow, is judged for that in its turn.
func Newest(ctx context.Context, o *verify.Options, bundles []string) error {
	chain, ok := o.Root.(*root.Chain)
	if !ok || len(bundles) < 2 {
		return nil
	}
	for more := true; more; {
		_, before := chain.Versions()
		more = false
		for _, name := range bundles {
			if err := ctx.Err(); err != nil {
				return err
			}
			if copies, err := verify.RootCopies(name); err == nil {
				more = chain.Learn(copies) || more
			}
		}
		if _, last := chain.Versions(); last == before {
			return nil
		}
	}
	return nil
}
