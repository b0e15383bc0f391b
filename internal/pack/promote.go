package pack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/release"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/verify"
)

// A Promoter writes the bundles of promotions; it is a [release.Sealer]. A bundle has
// its name only once Publish has given it: before that it is a temporary file beside it.
type Promoter struct {
	Source  string // the bundle that is promoted, verified by the caller
	File    string
	Replace bool
	Key     bundle.Sealer
	Known   verify.Options // whose signatures count beside the key's, and which artifacts the caller has

	Sealed Sealed // of the last call

	staged *durable.File
}

// Seal seals the ReleaseBundle of a promotion into a file beside p.File and verifies
// it. A p.File that an earlier call left is as good, if it is this bundle.
func (p *Promoter) Seal(ctx context.Context, o release.Promotion) (sign.Digest, error) {
	from := &walk{name: p.Source}
	defer from.Close()
	m, files, err := promoted(from, o, p.Key)
	if err != nil {
		return sign.Digest{}, err
	}
	// What would keep the bundle from its name is found before it is on record.
	if info, err := os.Stat(p.File); err == nil && info.IsDir() {
		return sign.Digest{}, &fs.PathError{Op: "create", Path: p.File, Err: errors.New("is a directory")}
	}
	var w io.Writer = io.Discard
	file := p.File
	p.staged, err = durable.Create(p.File, 0o644, p.Replace)
	there := errors.Is(err, fs.ErrExist)
	if err != nil && !there {
		return sign.Digest{}, err
	}
	if !there {
		w = p.staged
		if file, err = p.staged.Staged(); err != nil {
			return sign.Digest{}, err
		}
	}
	id, err := bundle.SealRelease(w, m, files, p.Key)
	if err != nil {
		return sign.Digest{}, err
	}
	known := p.Known
	known.Keys = either{sign.Only(p.Key.Public()), known.Keys}
	p.Sealed, err = check(ctx, file, known)
	p.Sealed.File, p.Sealed.ID = p.File, id
	if err == nil && there && (p.Sealed.Report.Bundle.ID == nil || *p.Sealed.Report.Bundle.ID != id) {
		return id, &fs.PathError{Op: "create", Path: p.File, Err: fs.ErrExist}
	}
	if err == nil && !p.Sealed.Report.Valid {
		err = unsound(p.Sealed)
	}
	return id, err
}

// Publish gives the bundle its name.
func (p *Promoter) Publish() error {
	if p.staged == nil {
		return nil // the file was there
	}
	return p.staged.Commit()
}

// Discard removes a bundle that was not published.
func (p *Promoter) Discard() {
	if p.staged != nil {
		p.staged.Discard()
	}
}

// promoted returns the manifest and the files of a promotion: what the source has,
// on the next channel, with the ledger beside the evidence.
func promoted(source *walk, o release.Promotion, s bundle.Sealer) (bundle.ReleaseManifest, []bundle.Content, error) {
	from, id, err := ReadRelease(source.name)
	if err != nil {
		return from, nil, err
	}
	if id != o.Source {
		return from, nil, fmt.Errorf("%s: changed after it was verified", source.name)
	}
	scores, err := canon.Marshal(o.Scores)
	if err != nil {
		return from, nil, err
	}
	ledger := bundle.LedgerRef(o.Ledger)
	m := bundle.ReleaseManifest{
		Product: from.Product, Version: from.Version, Channel: o.Channel, Commit: from.Commit, Artifacts: from.Artifacts, Cards: from.Cards,
		Gates: &o.Policy, Scores: scores, Decision: o.Decision,
		Windows:    &bundle.WindowRange{First: o.First, Last: o.Last, Count: o.Count},
		Provenance: bundle.Provenance{Audit: from.Provenance.Audit, Previous: &id, Ledger: &ledger, Head: &ledger},
		Verifier:   bundle.KeyRef{PKRef: s.Public().KeyID()},
	}
	evidence := map[string]bool{}
	for _, d := range m.Provenance.Audit {
		evidence[bundle.EvidencePath(d)] = true
	}
	files, err := lineage(source.name, id, from)
	if err != nil {
		return from, nil, err
	}
	files = append(files, bundle.Content{Path: bundle.LedgerPath, Role: bundle.RoleLedger, Size: o.Lines.Size, Hash: o.Lines.Hash, Open: o.Lines.Open})
	for _, f := range from.Files {
		if f.Role == bundle.RoleArtifact || f.Role == bundle.RoleLineage || f.Role == bundle.RoleEvidence && evidence[f.Path] {
			files = append(files, bundle.Content{
				Path: f.Path, Role: f.Role, Size: f.Size, Hash: f.Hash,
				Open: func() (io.ReadCloser, error) { return source.open(f.Path) },
			})
		}
	}
	return m, append(files, bundle.BytesContent(bundle.GuidePath, bundle.RoleGuide, m.Guide())), nil
}

// ReadAudit returns the manifest of an AuditBundle, which nobody has verified.
func ReadAudit(name string) (m bundle.AuditManifest, err error) {
	body, err := openInside(name, bundle.ManifestPath)
	if err != nil {
		return m, err
	}
	defer body.Close()
	data, err := io.ReadAll(body)
	if err != nil {
		return m, err
	}
	if m, err = bundle.ReadAuditManifest(data); err != nil {
		return m, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

// ReadRelease returns the manifest of a ReleaseBundle and its bundle.id; nothing is
// verified.
func ReadRelease(name string) (bundle.ReleaseManifest, sign.Digest, error) {
	body, err := openInside(name, bundle.ManifestPath)
	if err != nil {
		return bundle.ReleaseManifest{}, sign.Digest{}, err
	}
	defer body.Close()
	data, err := io.ReadAll(body)
	if err != nil {
		return bundle.ReleaseManifest{}, sign.Digest{}, err
	}
	if kind, _ := bundle.ManifestKind(data); kind == bundle.KindAudit {
		return bundle.ReleaseManifest{}, sign.Digest{}, fmt.Errorf("%s: is an AuditBundle, the record of a run; a ReleaseBundle is asked for, such as *.release.tar.zst", name)
	}
	m, err := bundle.ReadReleaseManifest(data)
	if err != nil {
		return m, sign.Digest{}, fmt.Errorf("%s: %w", name, err)
	}
	return m, sign.Sum(data), nil
}
