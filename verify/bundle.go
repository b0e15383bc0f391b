package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// Options say what the caller trusts and has. Keys or a Root there must be: the zero
// Options are refused with [ErrNoTrust].
type Options struct {
	Keys      sign.Verifiers // whose signatures count
	Artifacts Artifacts      // artifacts that the bundle may not contain; nil: none
	Held      []Held         // the files that the caller asks about; none: the whole bundle
	Strict    bool           // what is UNDECIDABLE is REJECT
	Expect    Expect         // what the caller expects of a release
	Against   *Reference     // another copy, to find the members in which a damaged one differs

	// Root, if not nil, takes the place of Keys and says which key may sign what, and when.
	// If At is not the zero time, the roles of keys are judged as they were then. With
	// Install, a root that has expired at At is a reason to reject. Dates, if not nil, are
	// records about bundles by others.
	Root    Root
	At      time.Time
	Install bool
	Dates   Dates

	// Later, if not nil, is a ledger that the caller has. A release that was rolled back in
	// it is rejected, unless History says that the caller asks about a past release, or it
	// was rolled back after At and the caller does not ask with Install.
	Later   *Later
	History bool

	// Progress, if not nil, receives how far the check has come.
	Progress *Progress

	faulty *int64 // counts the lines of trails with a finding of the chain, also in the bundles inside this one
}

// Artifacts answers whether the caller has a file with this digest and size in bytes.
type Artifacts interface {
	Has(d sign.Digest, size int64) (bool, error)
}

// File verifies the bundle at name: a tar.zst, a tar or a directory. The error is nil only
// if the answer is VERIFIED. Of any other answer the report says everything, and the error
// is its [Report.Err]; where the check could not run there is an error and no report.
func File(ctx context.Context, name string, o Options) (*Report, error) {
	b, err := verifyFile(ctx, name, o)
	if err != nil {
		return nil, err
	}
	r := b.report()
	return r, r.Err()
}

// Reader verifies the bundle that r yields as a tar.zst or a tar. The report and the error
// are those of File.
func Reader(ctx context.Context, r io.Reader, o Options) (*Report, error) {
	if err := o.trust(); err != nil {
		return nil, err
	}
	b := newCheck(ctx, o, newCollector(), "")
	src := bundle.NewReader(r, b.container)
	defer src.Close()
	if err := b.read(src); err != nil {
		return nil, err
	}
	report := b.report()
	return report, report.Err()
}

// A check is the verification of one bundle, read once from front to back.
type check struct {
	ctx    context.Context
	o      Options
	c      *collector
	prefix string // where this bundle lies inside another; "" for the outermost
	within *check // that other bundle, or nil

	reading
	broken    bool            // the container ended early: files that are missing may stand behind that
	explained map[string]bool // files with a finding that rejects and says more than that their digest is wrong
	seen      map[string]content
	copies    map[sign.Digest]bool // the artifacts that the manifest lists as files: whether one was read
	small     map[string][]byte    // the bytes of the files that are parsed as a whole

	manifest    []byte
	id          sign.Digest
	kind        string
	audit       *bundle.AuditManifest
	release     *bundle.ReleaseManifest
	files       map[string]bundle.File
	key         sign.PublicKey // the sealing key, if it is trusted
	authority   sign.Authority // who may sign, if the caller has a root
	rootEndedAt string         // the copy of the root that does not lead on to the last version
	tally       tally          // of the keys that signed the manifest
	silent      bool           // the ledger that was given does not mention the release
	unseen      int            // artifacts whose bytes were not read, and that nobody asked about
	heldFiles   []HeldFile     // the files that the caller asks about, and which artifacts they are
	found       []Location     // where artifacts were found, if names count
	keyID       sign.KeyID

	lock      *envlock.Lock
	pipeline  *cards.Pipeline
	params    *cards.Params
	differing map[string]sign.Digest // of a run inside a release: the digests it recorded for artifacts that have others in the release
	trails    map[string]*trail
	evidence  map[string]*check // by path
	ledger    *ledgerCopy       // of a release
	lineage   map[sign.Digest]*ancestor
}

// content is the digest and size of a file as it was read.
type content struct {
	hash sign.Digest
	size int64
}

func newCheck(ctx context.Context, o Options, c *collector, prefix string) *check {
	if o.faulty == nil {
		o.faulty = new(int64)
	}
	return &check{
		ctx: ctx, o: o, c: c, prefix: prefix,
		explained: map[string]bool{},
		seen:      map[string]content{},
		copies:    map[sign.Digest]bool{},
		small:     map[string][]byte{},
		files:     map[string]bundle.File{},
		trails:    map[string]*trail{},
		evidence:  map[string]*check{},
		lineage:   map[sign.Digest]*ancestor{},
	}
}

func (b *check) nested() bool { return b.prefix != "" }

// add records a finding in its group.
func (b *check) add(group string, f Finding) {
	if f.Path != nil && f.Verdict == Reject {
		file, _, _ := strings.Cut(*f.Path, "!")
		b.explained[file] = true
	}
	if b.o.Strict && f.Verdict == Undecidable {
		f.Verdict = Reject
	}
	if f.K != nil && *f.K > 0 && f.Verdict == Reject && f.Code != finding.KeyUnknown && f.Path != nil && b.trails[*f.Path] != nil {
		b.fails(*f.Path, *f.K, *f.K)
	}
	b.c.add(group, at(b.prefix, f))
}

func (b *check) reporter(group string) func(Finding) {
	return func(f Finding) { b.add(group, f) }
}

// read reads every file of src and then judges the bundle as a whole.
func (b *check) read(src bundle.Source) error {
	b.c.ran(checkContainer)
	for {
		if err := b.ctx.Err(); err != nil {
			return err
		}
		e, err := src.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = b.entry(e)
		}
		if errors.Is(err, bundle.ErrBroken) {
			b.broken = true // the reader has reported it
			break
		}
		if err != nil {
			return err // reading failed, which says nothing about the bundle
		}
	}
	return b.judge()
}

// readByRole reads the content of a file as its role in the manifest says.
func (b *check) readByRole(e *bundle.Entry, body io.Reader) error {
	switch role := b.files[e.Path].Role; {
	case e.Path == bundle.ManifestPath:
		data, err := b.load(e, body, limits.Manifest)
		if err == nil && data != nil {
			b.readManifest(data)
		}
		return err
	case strings.HasPrefix(e.Path, bundle.SigExtDir):
		return nil
	case strings.HasPrefix(e.Path, "sig/"):
		return b.loadSmall(e, body, limits.Signature)
	case e.Path == bundle.SumsPath:
		return b.loadSmall(e, body, limits.View)
	case role == bundle.RoleEnvLock && e.Path == bundle.EnvLockPath:
		return b.loadSmall(e, body, limits.EnvLock)
	case role == bundle.RolePipeline && e.Path == bundle.PipelinePath, role == bundle.RoleParams && e.Path == bundle.ParamPath:
		return b.loadSmall(e, body, limits.Card)
	case role == bundle.RoleTrail && b.pins(e.Path):
		return b.readTrail(e.Path, body)
	case role == bundle.RoleLineage && b.carries(e.Path):
		return b.readLineage(e, body)
	case role == bundle.RoleLedger && b.promoted():
		return b.readLedger(e.Path, body)
	case role == bundle.RoleEvidence && b.release != nil && isAuditBundle(e.Path):
		b.awaitHashes() // the copies of artifacts in the release count for the bundles inside it
		return b.readEvidence(e.Path, body)
	}
	return nil
}

// load reads a whole file of at most limit bytes; nil if it is larger.
func (b *check) load(e *bundle.Entry, body io.Reader, limit int64) ([]byte, error) {
	if e.Size > limit {
		b.add(checkContainer, finding.New(finding.Limit, e.Path, fmt.Sprintf("has %d bytes; the limit is %d", e.Size, limit)))
		return nil, nil
	}
	data := make([]byte, e.Size)
	_, err := io.ReadFull(body, data)
	return data, err
}

// pins reports whether the manifest pins a trail at path. Others are not read, because a
// manifest may list a hundred thousand files in any role.
func (b *check) pins(path string) bool {
	return b.audit != nil && slices.ContainsFunc(b.audit.Trails, func(t bundle.Trail) bool { return t.Path == path })
}

// loadSmall reads a file that is parsed as a whole, later.
func (b *check) loadSmall(e *bundle.Entry, body io.Reader, limit int64) error {
	data, err := b.load(e, body, limit)
	if data != nil {
		b.small[e.Path] = data
	}
	return err
}

func (b *check) readManifest(data []byte) {
	b.c.ran(checkManifest)
	b.manifest, b.id = data, sign.Sum(data)
	kind, err := bundle.ManifestKind(data)
	if err == nil {
		b.kind = kind
		err = b.parseManifest(data)
	}
	b.addError(checkManifest, bundle.ManifestPath, err)
}

// parseManifest keeps what could be read even if the manifest breaks rules of its form, so
// that the other checks can run.
func (b *check) parseManifest(data []byte) error {
	var files []bundle.File
	var err error
	switch b.kind {
	case bundle.KindAudit:
		var m bundle.AuditManifest
		if m, err = bundle.ReadAuditManifest(data); m.Schema != "" {
			b.audit, b.keyID, files = &m, m.Verifier.PKRef, m.Files
		}
	case bundle.KindRelease:
		var m bundle.ReleaseManifest
		if m, err = bundle.ReadReleaseManifest(data); m.Schema != "" {
			b.release, b.keyID, files = &m, m.Verifier.PKRef, m.Files
		}
	}
	for _, f := range files {
		b.files[f.Path] = f
		if f.Role == bundle.RoleArtifact {
			b.copies[f.Hash] = false // not read yet
		}
	}
	b.expect()
	return err
}

// addError records the error of a parser about the file at path, each of its faults as a
// finding.
func (b *check) addError(group, path string, err error) {
	var faults bundle.Faults
	var one *bundle.Error
	switch {
	case err == nil:
	case errors.As(err, &faults):
		for _, f := range faults {
			b.add(group, f.Finding())
		}
	case errors.As(err, &one):
		b.add(group, one.Finding())
	default:
		b.add(group, finding.New(codeOf(err), path, err.Error()))
	}
}

// codeOf returns the code that err carries, else E_FORMAT.
func codeOf(err error) Code {
	if errors.Is(err, envlock.ErrSchema) || errors.Is(err, cards.ErrSchema) {
		return finding.SchemaMismatch
	}
	var coded interface{ FindingCode() Code }
	if errors.As(err, &coded) {
		return coded.FindingCode()
	}
	return finding.Format
}

// judge compares what was read with what the manifest says and what was signed.
func (b *check) judge() error {
	b.awaitHashes()
	if b.manifest == nil && !b.broken && !b.explained[bundle.ManifestPath] {
		b.add(checkManifest, finding.New(finding.FileMissing, bundle.ManifestPath, "the bundle has no manifest"))
	}
	var artifacts []bundle.Artifact
	switch {
	case b.audit != nil:
		b.judgeSignatures()
		b.judgeRun()
		artifacts = b.audit.Artifacts
	case b.release != nil:
		b.judgeSignatures()
		b.judgeRelease()
		artifacts = b.release.Artifacts
	default:
		return nil
	}
	if b.o.Expect != (Expect{}) && !b.nested() {
		b.judgeExpected()
	}
	b.judgeFiles() // last: a wrong digest is reported only if no other finding explains it
	b.locate()
	return b.judgeArtifacts(artifacts)
}
