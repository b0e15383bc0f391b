package verify

import (
	"context"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/sign"
)

// Held is a file that somebody has and asks about: is it what was released? Of a bundle
// with many artifacts the others need not be there.
type Held struct {
	Name string // the last segment of its path: a hint for messages and nothing else
	Hash sign.Digest
	Size int64 // in bytes
}

// Hold reads the file called name. It returns an error if that is no regular file or
// cannot be read.
func Hold(ctx context.Context, name string) (Held, error) {
	hash, size, err := hashNamed(ctx, name)
	if err != nil {
		return Held{}, err
	}
	return Held{filepath.Base(name), hash, size}, nil
}

func (h Held) is(d sign.Digest, size int64) bool { return h.Hash == d && h.Size == size }

func containsFile(held []Held, d sign.Digest, size int64) bool {
	return slices.ContainsFunc(held, func(h Held) bool { return h.is(d, size) })
}

// judgeHeld asks which artifacts the files in hand are. One that is none was not released
// with this bundle, whatever its name.
func (b *check) judgeHeld(artifacts []bundle.Artifact) {
	for _, h := range b.o.Held {
		as := HeldFile{h.Hash, h.Size, []string{}}
		namesake := -1
		for i, a := range artifacts {
			if h.is(a.Hash, a.Size) {
				as.URIs = append(as.URIs, a.URI)
			} else if path.Base(a.URI) == h.Name && namesake < 0 {
				namesake = i
			}
		}
		b.heldFiles = append(b.heldFiles, as)
		switch {
		case len(as.URIs) > 0:
		case namesake >= 0:
			a := artifacts[namesake]
			b.add(checkArtifacts, finding.New(finding.ArtifactHash, a.URI, "the file in hand has this name and other bytes").
				Differs(a.Hash.String(), h.Hash.String()))
		default:
			b.add(checkArtifacts, finding.New(finding.ArtifactHash, bundle.ManifestPath,
				fmt.Sprintf("the file in hand (%d bytes, %s) is none of its artifacts", h.Size, h.Hash)))
		}
	}
}

// A namer is Artifacts whose names count.
type namer interface {
	// named returns what bears each of the names, by name; a name that nothing bears is
	// left out.
	named(ctx context.Context, names []string) (map[string]bearer, error)
	// pathsByDigest returns the sorted paths of the files that have been hashed.
	pathsByDigest() map[sign.Digest][]string
}

// A bearer is what lies under the name of an artifact.
type bearer struct {
	hash sign.Digest
	kind string // what it is, if it is no regular file
}

// judgeNamed asks whether a file that the caller gave bears the name of an artifact and
// has other bytes: then another file lies where the artifact is thought to be, even if the
// artifact itself was found elsewhere.
func (b *check) judgeNamed(artifacts []bundle.Artifact) error {
	given, ok := b.o.Artifacts.(namer)
	if !ok {
		return nil
	}
	wanted := bearing(artifacts)
	names := slices.Sorted(maps.Keys(wanted))
	got, err := given.named(b.ctx, names)
	if err != nil {
		return err
	}
	for _, name := range names {
		f, there := got[name]
		first := wanted[name][0]
		switch {
		case !there:
		case f.kind != "":
			b.add(checkArtifacts, finding.New(finding.ArtifactHash, first.URI, fmt.Sprintf("what was given as %s is %s", name, f.kind)))
		case !slices.ContainsFunc(wanted[name], func(a bundle.Artifact) bool { return a.Hash == f.hash }):
			b.add(checkArtifacts, finding.New(finding.ArtifactHash, first.URI, fmt.Sprintf("the file that was given as %s has other bytes", name)).
				Differs(first.Hash.String(), f.hash.String()))
		}
	}
	copies, held := b.copyPaths(), given.pathsByDigest()
	for _, a := range artifacts {
		l := Location{URI: a.URI, Given: append([]string{}, held[a.Hash]...)}
		if p, ok := copies[a.Hash]; ok {
			l.Bundle = &p
		}
		b.found = append(b.found, l)
	}
	return nil
}

// bearing returns the names that a file of each artifact may bear: its uri, and the last
// segment of that as a download has it, unless this is the uri of another.
func bearing(artifacts []bundle.Artifact) map[string][]bundle.Artifact {
	wanted := map[string][]bundle.Artifact{}
	uris := map[string]bool{}
	for _, a := range artifacts {
		uris[a.URI] = true
		wanted[a.URI] = append(wanted[a.URI], a)
	}
	for _, a := range artifacts {
		if last := path.Base(a.URI); !uris[last] {
			wanted[last] = append(wanted[last], a)
		}
	}
	return wanted
}

// copyPaths returns where the bundle has copies of artifacts that were seen, the first of
// each by path.
func (b *check) copyPaths() map[sign.Digest]string {
	paths := map[sign.Digest]string{}
	for _, f := range b.files {
		if f.Role != bundle.RoleArtifact || !b.copies[f.Hash] || b.seen[f.Path].hash != f.Hash {
			continue
		}
		if first, ok := paths[f.Hash]; !ok || f.Path < first {
			paths[f.Hash] = f.Path
		}
	}
	return paths
}

// writeHeld writes into the summary which artifacts the files in hand are.
func (r *Report) writeHeld(w *strings.Builder) {
	for _, h := range r.Held {
		as := "none of its artifacts"
		if len(h.URIs) > 0 {
			as = "its artifact " + escape.Words(h.URIs)
		}
		fmt.Fprintf(w, "  the file in hand, %s, is %s\n", h.Hash, as)
	}
}

// locations says in the summary where artifacts were found.
func (r *Report) locations(w *strings.Builder) {
	const most = 20
	section(w, "artifacts", len(r.Artifacts))
	for i, l := range r.Artifacts {
		if i == most {
			fmt.Fprintf(w, "  and %d more\n", len(r.Artifacts)-most)
			return
		}
		var where []string
		if l.Bundle != nil {
			where = append(where, "in the bundle as "+*l.Bundle)
		}
		if len(l.Given) > 0 {
			where = append(where, "given as "+strings.Join(l.Given[:min(3, len(l.Given))], ", "))
		}
		if where == nil {
			where = []string{"not found"}
		}
		fmt.Fprintf(w, "  %s: %s\n", escape.Line(l.URI), escape.Line(strings.Join(where, "; ")))
	}
}
