package cut

import (
	"context"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/pack"
	"github.com/relseal/relseal/sign/wrap"
	"github.com/relseal/relseal/verify"
)

// pack seals and verifies the bundles.
func (c *cut) pack(ctx context.Context) error {
	done, err := c.markSealing()
	if err != nil {
		return err
	}
	defer done()
	sealer := wrap.New(c.key)
	c.phase("packing and verifying")
	run := pack.Run{Dir: c.result.RunDir, Artifacts: c.Dir, Product: c.p.Product}
	record, err := pack.WriteAudit(ctx, c.bundleFile("audit"), c.Force, run, sealer)
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
	sealed, err := pack.WriteCanary(ctx, c.bundleFile("release"), c.Force, release, sealer, verify.Options{Artifacts: artifacts})
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
