package pack

import (
	"fmt"
	"slices"
	"strings"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/sign"
)

// Evidence is what an AuditBundle says that a release over it must say, too.
type Evidence struct {
	File    string
	ID      sign.Digest
	Product string
	Outcome string
	Commits []string // that its runs recorded as their source, in lower case
}

// ReadEvidence reads an AuditBundle that the caller has verified with keys.
func ReadEvidence(name string, keys sign.Verifiers) (Evidence, error) {
	in, err := readAudit(name)
	if err != nil {
		return Evidence{}, err
	}
	e := Evidence{File: name, ID: in.id, Product: in.manifest.Product, Outcome: in.manifest.Outcome}
	for _, t := range in.manifest.Trails {
		if t.Purpose != audit.PurposeRun {
			continue
		}
		body, err := openInside(name, t.Path)
		if err != nil {
			return Evidence{}, err
		}
		_, err = audit.Check(body, audit.CheckOptions{Keys: keys, EventActions: []string{audit.ActionRunStart}, Event: func(r audit.Record) {
			if s, _ := r.E.Source(); s.Commit != "" {
				e.Commits = append(e.Commits, s.Commit)
			}
		}})
		body.Close()
		if err != nil {
			return Evidence{}, err
		}
	}
	return e, nil
}

// Settle fills in product and commit from the evidence where they are not given,
// and returns an error where the release could not rest on it.
func (r *Release) Settle(list []Evidence) error {
	for i, e := range list {
		if slices.ContainsFunc(list[:i], func(earlier Evidence) bool { return earlier.ID == e.ID }) {
			return fmt.Errorf("%s: the same audit bundle is given twice", e.File)
		}
		if e.Outcome != audit.StatusOK {
			return fmt.Errorf("%s: a release cannot rest on a run whose outcome is %s", e.File, e.Outcome)
		}
		if r.Product == "" {
			r.Product = e.Product
		}
		if e.Product != r.Product {
			return fmt.Errorf("%s: the run is of product %q, not of %q", e.File, e.Product, r.Product)
		}
		for _, commit := range e.Commits {
			if r.Commit == nil || strings.EqualFold(*r.Commit, commit) {
				r.Commit = &commit
			}
			if commit != *r.Commit {
				return fmt.Errorf("%s: its source was commit %s, not %s", e.File, commit, *r.Commit)
			}
		}
		r.Audit = append(r.Audit, e.File)
	}
	return nil
}
