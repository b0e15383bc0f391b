package cut

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/envlock/capture"
	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/pack"
	"github.com/relseal/relseal/internal/rundir"
	"github.com/relseal/relseal/internal/signer"
	"github.com/relseal/relseal/keys/root"
	"github.com/relseal/relseal/run"
	"github.com/relseal/relseal/sign"
)

// A Request says what to cut.
type Request struct {
	Dir      string // of relseal.yaml
	NewKey   bool   // make the key
	KeyFile  string // "": the one of relseal.yaml
	Version  string // "": the one of relseal.yaml
	Out      string // "": the one of relseal.yaml
	Force    bool   // overwrite bundles
	Producer string // name and version of the program that records

	Root *root.Chain // its last version is named in the trail and both bundles; may be nil

	// Head returns where the product's ledger stands, nil where there is none; may be nil.
	Head func(product string, key sign.PublicKey) (*bundle.LedgerRef, error)

	AllowSecrets []string // as in capture.Request

	Keys       signer.Keys     // opens or makes the key that seals
	Passphrase signer.Request  // where its passphrase comes from instead of what relseal.yaml says; From may be ""
	Elsewhere  string          // what to suggest where nobody can type it
	Phase      func(string)    // a phase of the cut begins; may be nil
	Hint       func(string)    // something that the user may not want; may be nil
	Step       func(run.Event) // a step starts or ended; may be nil
}

// A Result says what was cut. Release is nil unless the run ended well.
type Result struct {
	Product    string
	Version    string
	Run        string // run.id
	RunDir     string
	Outcome    string
	Failure    string // why the run did not end well
	Medium     error  // why, if a file that is there could not be read; else nil
	Log        string // of the step that failed; "" if it printed none
	Key        sign.KeyID
	KeyFile    string // of the private key
	PublicFile string // of the public key, as PEM or OpenSSH's line; "" if none is beside the private one
	Apart      string // where the artifacts lie that are too large to be in the bundles; "" if none is
	Audit      *Bundle
	Release    *Bundle
	Stays      string // the release of an earlier cut that stands under this version, where this one made none; else ""
}

// A Bundle is a sealed and verified bundle.
type Bundle = pack.Sealed

// Cut runs the project's pipeline, records it, packs the AuditBundle and, if the
// run ended well, a ReleaseBundle on canary, and verifies both with the code that
// a third party runs. A run that failed is a Result; an error says that the cut
// could not be made.
//
// What can be refused is refused before anything is made. Where the run cannot
// begin all the same, the key and the run directory that were made for it are
// removed.
func Cut(ctx context.Context, r Request) (Result, error) {
	p, err := Load(r.Dir)
	if err != nil {
		return Result{}, err
	}
	c := &cut{Request: r, p: p}
	if err := c.prepare(ctx); err != nil {
		return Result{}, err
	}
	release, err := c.lockProject(ctx)
	if err != nil {
		return Result{}, err
	}
	defer release()
	if err := c.run(ctx); err != nil {
		return c.result, err
	}
	// A cancelled run still gets its bundle: the record of what happened.
	if err := c.pack(context.WithoutCancel(ctx)); err != nil {
		return c.result, hint.With(err, "the record of the run is in "+c.result.RunDir)
	}
	return c.result, nil
}

// cut is one Cut under way.
type cut struct {
	Request
	p      Project
	source Source
	lock   rundir.Document
	key    sign.Signer
	root   *audit.RootRef
	out    string
	made   []string // files of a new key, to be removed if the run does not begin
	result Result
}

func (c *cut) phase(name string) {
	if c.Phase != nil {
		c.Phase(name)
	}
}

func (c *cut) hint(text string) {
	if c.Hint != nil {
		c.Hint(text)
	}
}

// prepare settles everything that can be refused, and makes nothing.
func (c *cut) prepare(ctx context.Context) error {
	if err := c.checkKey(); err != nil {
		return err
	}
	var err error
	if c.source, err = readSource(ctx, c.p); err != nil {
		return err
	}
	if err := c.source.check(c.p.Dirty); err != nil {
		return err
	}
	if c.source.Dirty() {
		c.hint("it is recorded that files differ from the commit: " + c.source.changes())
	}
	if err := c.settleVersion(ctx); err != nil {
		return err
	}
	c.out = c.Out
	if c.out == "" {
		c.out = c.p.file(c.p.Output)
	}
	durable.Sweep(c.out)
	c.sweep()
	if err := c.vacant(); err != nil {
		return err
	}
	c.phase("capturing the environment")
	if c.lock, err = capture.Capture(ctx, c.environment()); err != nil {
		return err
	}
	if c.key, err = c.Keys.Open(ctx, c.keyRequest()); err != nil {
		return err
	}
	if c.Root != nil {
		version, hash, err := c.Root.Ref(c.key.Public().KeyID(), sign.RoleAudit, sign.RoleReleaseCanary)
		if err != nil {
			return err
		}
		c.root = &audit.RootRef{Version: version, Hash: hash}
	}
	if _, err := c.head(); err != nil { // before the work; it is asked again when the release is sealed
		return err
	}
	return ctx.Err()
}

// vacant asks that bundles can be written, and that nothing is overwritten.
func (c *cut) vacant() error {
	for _, kind := range []string{"audit", "release"} {
		file := c.bundleFile(kind)
		if _, err := os.Lstat(file); err == nil && !c.Force {
			return hint.With(fmt.Errorf("%s: %w", file, fs.ErrExist), "--force overwrites it, --version or --out avoids it")
		}
		if err := durable.Replaceable(file); err != nil {
			return err
		}
	}
	if info, err := os.Stat(c.out); err != nil {
		return nil // it is made, before the run begins
	} else if !info.IsDir() {
		return durable.MkdirAll(c.out, 0o755) // which says so
	}
	f, err := durable.Create(c.bundleFile("audit"), 0o644, true)
	if err == nil {
		f.Discard()
	}
	return err
}

func (c *cut) head() (*bundle.LedgerRef, error) {
	if c.Head == nil {
		return nil, nil
	}
	return c.Head(c.p.Product, c.key.Public())
}

func (c *cut) settleVersion(ctx context.Context) error {
	configured := c.Version == ""
	if !configured {
		c.p.Version = c.Version
	}
	switch {
	case c.p.Version == VersionFromTag:
		version, err := c.source.versionFromTag(ctx, c.Dir)
		if err != nil {
			return err
		}
		c.p.Version = version
	case configured && c.source.Commit != "":
		_, versions, err := tags(ctx, c.Dir)
		if err != nil {
			return err
		}
		if len(versions) > 0 && !slices.Contains(versions, c.p.Version) {
			c.hint(fmt.Sprintf("the commit has the tag of version %s, and this is cut as %s of %s; version: git-tag there takes the tag", strings.Join(versions, ", "), c.p.Version, ConfigName))
		}
	}
	if err := bundle.CheckVersion(c.p.Version); err != nil {
		return fmt.Errorf("version %q: %w", c.p.Version, err)
	}
	return nil
}

func (c *cut) bundleFile(kind string) string {
	return filepath.Join(c.out, fmt.Sprintf("%s-%s.%s.tar.zst", c.p.Product, c.p.Version, kind))
}
