// Package pack turns what a run left behind into sealed bundles: a run
// directory into an AuditBundle, AuditBundles into a ReleaseBundle.
package pack

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/verify"
)

// A Run is what a run left behind.
type Run struct {
	Dir       string      // has the tree of an AuditBundle: envlock.json, cards/pipeline.json, cards/param.json, audit/trail.jsonl
	Files     Files       // those that are not in Dir
	Artifacts string      // the directory that artifact uris are relative to
	Product   string      // "": the one that the run names
	Details   canon.Value // of the manifest; nil if it has none
	Open      bool        // take a trail that is not closed, too: the record of a run that crashed
}

var (
	// ErrOpen reports a trail without trail.close, or one that ends in the middle
	// of a line.
	ErrOpen = errors.New("the run has not ended")

	// ErrNoProduct reports that neither the caller nor the run names a product.
	ErrNoProduct = errors.New("the run names no product")
)

// Audit seals the AuditBundle of a run and returns its bundle.id. Packing the
// same run twice writes the same bytes. An artifact of at most limits.Embed
// bytes is copied into the bundle; every artifact must still be the one that the
// run recorded.
func Audit(w io.Writer, r Run, s bundle.Sealer) (sign.Digest, error) {
	m, files, err := r.contents(s)
	if err != nil {
		return sign.Digest{}, err
	}
	return bundle.SealAudit(w, m, files, s)
}

// contents returns what the AuditBundle of the run will hold.
func (r Run) contents(s bundle.Sealer) (m bundle.AuditManifest, files []bundle.Content, err error) {
	trail, err := r.readTrail(s)
	if err != nil {
		return m, nil, err
	}
	g := trail.Genesis
	m = bundle.AuditManifest{
		Run:          bundle.RunRef{ID: g.Run.ID},
		Outcome:      trail.outcome,
		EnvLock:      bundle.FingerprintRef{Fingerprint: *g.EnvLock.Fingerprint},
		PipelineCard: bundle.HashRef{Hash: *g.PipelineCard.Hash},
		ParamCard:    bundle.HashRef{Hash: *g.ParamCard.Hash},
		Root:         (*bundle.RootRef)(g.Root), // the run was recorded under it, and so is it sealed
		Details:      r.Details,
		Verifier:     bundle.KeyRef{PKRef: s.Public().KeyID()},
		Trails:       []bundle.Trail{{Path: bundle.TrailPath, Purpose: g.Purpose, H0: trail.H0, HK: trail.HK, K: trail.K}},
	}
	if m.Product, err = r.product(g); err != nil {
		return m, nil, err
	}
	if files, err = r.documents(g); err != nil {
		return m, nil, err
	}
	record, err := bundle.FileContent(bundle.TrailPath, bundle.RoleTrail, r.file(bundle.TrailPath))
	if err != nil {
		return m, nil, err
	}
	files = append(files, record)
	for _, item := range trail.outputs {
		a, copied, err := artifact(r.Artifacts, item)
		if err != nil {
			return m, nil, err
		}
		m.Artifacts = append(m.Artifacts, a)
		files = append(files, copied...)
	}
	return m, append(files, bundle.BytesContent(bundle.GuidePath, bundle.RoleGuide, m.Guide())), nil
}

func (r Run) product(g *audit.Genesis) (string, error) {
	switch {
	case r.Product != "" && g.Product != "" && r.Product != g.Product:
		return "", fmt.Errorf("the run is of product %q, not of %q", g.Product, r.Product)
	case r.Product == "" && g.Product == "":
		return "", ErrNoProduct
	}
	return cmp.Or(r.Product, g.Product), nil
}

// artifact compares an output with the file of its name and returns its entry
// in the manifest and, if it is small enough, its copy.
func artifact(dir string, item audit.Item) (bundle.Artifact, []bundle.Content, error) {
	root, err := regular.OpenRoot(dir)
	if err != nil {
		return bundle.Artifact{}, nil, err
	}
	defer root.Close()
	f, err := regular.OpenIn(root, filepath.FromSlash(item.URI))
	if err != nil {
		return bundle.Artifact{}, nil, fmt.Errorf("artifact %s: %w", item.URI, cause(err))
	}
	defer f.Close()
	hash, size, err := sign.SumReader(f)
	if err != nil {
		return bundle.Artifact{}, nil, err
	}
	if hash != item.Hash {
		return bundle.Artifact{}, nil, fmt.Errorf("artifact %s changed after the run: it is %s, the run recorded %s", item.URI, hash, item.Hash)
	}
	a := bundle.Artifact{URI: item.URI, Hash: hash, Size: size}
	path := bundle.ArtifactDir + item.URI
	if size > limits.Embed || bundle.CheckPath(path) != nil {
		return a, nil, nil
	}
	c, err := bundle.FileContent(path, bundle.RoleArtifact, filepath.Join(dir, filepath.FromSlash(item.URI)))
	return a, []bundle.Content{c}, err
}

// runTrail is what a run's trail says, after it was checked.
type runTrail struct {
	audit.Summary
	outcome string
	outputs []audit.Item
}

// readTrail checks the trail of a run with the key that will seal it.
func (r Run) readTrail(s bundle.Sealer) (runTrail, error) {
	name := r.file(bundle.TrailPath)
	f, err := regular.Open(name)
	if err != nil {
		return runTrail{}, err
	}
	defer f.Close()
	// Before the work of an hour, not after it.
	if info, err := f.Stat(); err == nil && info.Size() > limits.Member {
		return runTrail{}, fmt.Errorf("%s: has %d bytes, and a file of a bundle at most %d; relseal trail verify checks it where it is",
			name, info.Size(), int64(limits.Member))
	}
	t := runTrail{outcome: audit.StatusAborted} // unless run.end says otherwise
	var faults []error
	torn := false
	t.Summary, err = audit.Check(f, audit.CheckOptions{
		Path: name,
		Keys: sign.Only(s.Public()),
		Bare: true, // what a crash left is told from what somebody damaged
		Report: func(f verify.Finding) {
			torn = torn || f.Code == finding.Truncated
			if f.Code == finding.KeyUnknown {
				faults = append(faults, fmt.Errorf("%s: the run was recorded with key %s, which is not the one that seals", name, *f.Got))
			} else if f.Verdict == verify.Reject {
				faults = append(faults, fmt.Errorf("%s: %w", name, f.Err()))
			}
		},
		EventActions: []string{audit.ActionRunEnd},
		Event: func(r audit.Record) {
			if r.E.Action == audit.ActionRunEnd {
				t.outcome, t.outputs = r.E.Status, r.E.Outputs.Items
			}
		},
	})
	switch {
	case err != nil:
		return t, err
	case len(faults) > 0:
		return t, errors.Join(faults...)
	case t.Genesis.Purpose != audit.PurposeRun:
		return t, fmt.Errorf("%s: an audit bundle holds a run, not a %s", name, t.Genesis.Purpose)
	case t.K == 0:
		return t, fmt.Errorf("%s: the trail has no event", name)
	case torn, !t.Closed && !r.Open:
		return t, fmt.Errorf("%s: %w", name, ErrOpen)
	}
	return t, nil
}

func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
