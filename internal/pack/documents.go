package pack

import (
	"cmp"
	"fmt"
	"path/filepath"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/cards/cardfile"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
)

// Files says where the parts of a run are; "" is its place in the run directory.
// A card may also be the YAML that people wrote.
type Files struct{ Trail, EnvLock, Pipeline, Params string }

// file returns where the run has what its bundle will have at path.
func (r Run) file(path string) string {
	named := map[string]string{
		bundle.TrailPath:    r.Files.Trail,
		bundle.EnvLockPath:  r.Files.EnvLock,
		bundle.PipelinePath: r.Files.Pipeline,
		bundle.ParamPath:    r.Files.Params,
	}
	return cmp.Or(named[path], filepath.Join(r.Dir, filepath.FromSlash(path)))
}

// documents returns the three documents that the genesis pins, each as it pins it.
func (r Run) documents(g *audit.Genesis) (files []bundle.Content, err error) {
	for _, d := range []struct {
		what, path, role string
		want             *sign.Digest
		limit            int64
		canonical        func(name string, yaml []byte) ([]byte, error) // nil: people do not write it
	}{
		{"EnvLock", bundle.EnvLockPath, bundle.RoleEnvLock, g.EnvLock.Fingerprint, limits.EnvLock, nil},
		{"PipelineCard", bundle.PipelinePath, bundle.RolePipeline, g.PipelineCard.Hash, limits.Card, canonicalPipeline},
		{"ParamCard", bundle.ParamPath, bundle.RoleParams, g.ParamCard.Hash, limits.Card, canonicalParams},
	} {
		name := r.file(d.path)
		data, err := regular.ReadFile(name, d.limit)
		if err != nil {
			return nil, err
		}
		got := sign.Sum(data)
		if got != *d.want && d.canonical != nil {
			if again, err := d.canonical(name, data); err == nil {
				data, got = again, sign.Sum(again)
			}
		}
		if got != *d.want {
			return nil, fmt.Errorf("%s: not the %s of the run: it is %s, the run recorded %s", name, d.what, got, *d.want)
		}
		files = append(files, bundle.BytesContent(d.path, d.role, data))
	}
	return files, nil
}

func canonicalPipeline(name string, yaml []byte) ([]byte, error) {
	card, err := cardfile.Pipeline(name, yaml)
	if err != nil {
		return nil, err
	}
	return card.Marshal()
}

func canonicalParams(name string, yaml []byte) ([]byte, error) {
	card, err := cardfile.Params(name, yaml)
	if err != nil {
		return nil, err
	}
	return card.Marshal()
}
