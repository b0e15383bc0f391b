package pack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// Contents is what a bundle says of itself. Nothing of it is verified.
type Contents struct {
	ID       sign.Digest   `json:"id"`
	Kind     string        `json:"kind"`
	Product  string        `json:"product"`
	Version  *string       `json:"version"`  // of a release
	Channel  *string       `json:"channel"`  // of a release
	Commit   *string       `json:"commit"`   // of a release
	Run      *string       `json:"run"`      // of an audit bundle
	Outcome  *string       `json:"outcome"`  // of an audit bundle
	Signers  []Signer      `json:"signers"`  // the sealing key first
	Evidence []sign.Digest `json:"evidence"` // the audit bundles that a release rests on

	Trails    []bundle.Trail    `json:"trails"`
	Artifacts []bundle.Artifact `json:"artifacts"`
	Files     []Listed          `json:"files"`   // that are there, in their order
	Missing   []string          `json:"missing"` // that the manifest lists and that are not there
	Findings  []finding.Finding `json:"findings"`
}

// A Signer is a key whose signatures the bundle claims to hold.
type Signer struct {
	ID    sign.KeyID `json:"id"`
	Seals bool       `json:"seals"` // the manifest names it; others may sign later
}

// A Listed is a file of the bundle.
type Listed struct {
	Path string  `json:"path"`
	Size int64   `json:"size"` // bytes
	Role *string `json:"role"` // nil: the manifest does not list it
}

// ReadContents lists the bundle called name. What is wrong with its form is among
// the findings; an error means that it has no manifest that can be read.
func ReadContents(ctx context.Context, name string) (Contents, error) {
	l := lister{Contents: Contents{
		Signers: []Signer{}, Evidence: []sign.Digest{}, Trails: []bundle.Trail{}, Artifacts: []bundle.Artifact{},
		Files: []Listed{}, Missing: []string{}, Findings: []finding.Finding{},
	}, roles: map[string]*string{}, seen: map[string]bool{}}
	src, err := bundle.Open(name, l.report)
	if err != nil {
		return l.Contents, err
	}
	defer src.Close()
	if err := l.read(ctx, src); err != nil {
		return l.Contents, err
	}
	if l.Kind == "" {
		why := "it has no " + bundle.ManifestPath
		if len(l.Findings) > 0 {
			why = l.Findings[0].Text
		}
		return l.Contents, fmt.Errorf("%s: not a bundle: %s", name, why)
	}
	for _, f := range l.listed {
		if !l.seen[f.Path] {
			l.Missing = append(l.Missing, f.Path)
		}
	}
	return l.Contents, nil
}

// A lister takes in the files of a bundle, in their order.
type lister struct {
	Contents
	listed []bundle.File
	roles  map[string]*string
	seen   map[string]bool
}

func (l *lister) report(f finding.Finding) { l.Findings = append(l.Findings, f) }

func (l *lister) read(ctx context.Context, src bundle.Source) error {
	for ctx.Err() == nil {
		e, err := src.Next()
		if err == nil && e.Path == bundle.ManifestPath {
			err = l.manifest(e.Body)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, bundle.ErrBroken) {
			return nil
		}
		if err != nil {
			return err
		}
		l.seen[e.Path] = true
		l.Files = append(l.Files, Listed{e.Path, e.Size, l.roles[e.Path]})
		l.signer(e.Path)
	}
	return ctx.Err()
}

// manifest takes over what the manifest says, also where it breaks rules of form.
func (l *lister) manifest(body io.Reader) error {
	data, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	kind, err := bundle.ManifestKind(data)
	if err == nil && kind == bundle.KindAudit {
		var m bundle.AuditManifest
		if m, err = bundle.ReadAuditManifest(data); m.Schema != "" {
			l.audit(m)
		}
	} else if err == nil {
		var m bundle.ReleaseManifest
		if m, err = bundle.ReadReleaseManifest(data); m.Schema != "" {
			l.release(m)
		}
	}
	l.ID = sign.Sum(data)
	var faults bundle.Faults
	if errors.As(err, &faults) {
		for _, f := range faults {
			l.report(f.Finding())
		}
	}
	for _, f := range l.listed {
		l.roles[f.Path] = &f.Role
	}
	return nil
}

func (l *lister) audit(m bundle.AuditManifest) {
	l.Kind, l.Product, l.Run, l.Outcome = bundle.KindAudit, m.Product, &m.Run.ID, &m.Outcome
	l.Trails = append(l.Trails, m.Trails...)
	l.Artifacts = append(l.Artifacts, m.Artifacts...)
	l.Signers = append(l.Signers, Signer{m.Verifier.PKRef, true})
	l.listed = m.Files
}

func (l *lister) release(m bundle.ReleaseManifest) {
	l.Kind, l.Product, l.Version, l.Channel, l.Commit = bundle.KindRelease, m.Product, &m.Version, &m.Channel, m.Commit
	l.Evidence = append(l.Evidence, m.Provenance.Audit...)
	l.Artifacts = append(l.Artifacts, m.Artifacts...)
	l.Signers = append(l.Signers, Signer{m.Verifier.PKRef, true})
	l.listed = m.Files
}

// signer takes note of a further signer.
func (l *lister) signer(path string) {
	rest, ok := strings.CutPrefix(path, bundle.SigByDir)
	if !ok {
		return
	}
	name, _, _ := strings.Cut(rest, "/")
	id, err := sign.ParseDigest("sha256:" + name)
	s, n := Signer{ID: sign.KeyID(id)}, len(l.Signers)
	if err == nil && (n == 0 || l.Signers[n-1] != s) { // the files of one come one after the other
		l.Signers = append(l.Signers, s)
	}
}
