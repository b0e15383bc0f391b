package cut

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/pack"
	"github.com/relseal/relseal/sign/wrap"
	"github.com/relseal/relseal/verify"
)

// pack seals and verifies the bundles. They get their names when all of them are there:
// what lies in the output directory is of one cut.
func (c *cut) pack(ctx context.Context) error {
	record, release := c.bundleFile("audit"), c.bundleFile("release")
	if _, err := os.Lstat(release); err == nil && c.result.Outcome != audit.StatusOK {
		// An earlier release and its AuditBundle stay.
		c.result.Stays = release
		record = c.bundleFile(c.result.Run[:8] + ".audit")
	}
	done, err := c.markSealing(record, release)
	if err != nil {
		return err
	}
	defer done()
	aside := filepath.Join(c.out, ".sealing")
	d, err := durable.NewDir(aside)
	if err != nil {
		return inPlaceOf(aside, c.out, err)
	}
	defer d.Discard()
	c.phase("packing and verifying")
	if err := c.seal(ctx, d.Path()); err != nil {
		return inPlaceOf(d.Path(), c.out, err)
	}
	if c.result.Release == nil {
		return c.publish(d, c.result.Audit, record)
	}
	if c.Force {
		err = setAside(record, release, c.result.Run)
	}
	if err == nil {
		err = c.publish(d, c.result.Audit, record)
	}
	if err == nil {
		err = c.publish(d, c.result.Release, release)
	}
	settle(record, release, c.result.Run) // what it cannot, the next cut does
	return err
}

// inPlaceOf lets an error about what lies in one directory name another one.
func inPlaceOf(dir, other string, err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		e.Path = strings.Replace(e.Path, dir, other, 1)
	}
	return err
}

// publish gives a bundle its name.
func (c *cut) publish(d *durable.Dir, b *Bundle, file string) error {
	err := d.MoveOut(filepath.Base(b.File), file, c.Force)
	b.File = file
	return err
}

// seal writes the bundles into dir, and verifies them.
func (c *cut) seal(ctx context.Context, dir string) error {
	sealer := wrap.New(c.key)
	run := pack.Run{Dir: c.result.RunDir, Artifacts: c.Dir, Product: c.p.Product}
	record, err := pack.WriteAudit(ctx, filepath.Join(dir, filepath.Base(c.bundleFile("audit"))), false, run, sealer)
	if err != nil {
		return err
	}
	c.result.Audit = &record
	if c.result.Outcome != audit.StatusOK {
		return nil
	}
	release := pack.Release{
		Product: c.p.Product, Version: c.p.Version, Gates: c.p.Policy, Audit: []string{record.File},
		Root: (*bundle.RootRef)(c.root),
	}
	if release.Head, err = c.head(); err != nil {
		return err
	}
	if c.source.Commit != "" {
		release.Commit = &c.source.Commit
	}
	artifacts, err := c.artifacts()
	if err != nil {
		return err
	}
	sealed, err := pack.WriteCanary(ctx, filepath.Join(dir, filepath.Base(c.bundleFile("release"))), false, release, sealer, verify.Options{Artifacts: artifacts})
	if err != nil {
		return err
	}
	c.result.Release = &sealed
	return nil
}

// artifacts answers from the outputs of the pipeline.
func (c *cut) artifacts() (verify.Artifacts, error) {
	var files []string
	for _, s := range c.p.PipelineCard.Steps {
		for _, o := range s.AllOutputs() {
			files = append(files, c.p.file(o))
		}
	}
	return verify.Files(files)
}
