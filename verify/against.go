package verify

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/limits"
)

// A Reference is another copy of what is verified: a bundle, or the run
// directory that it was packed from. It decides nothing. Where a document or an
// event is not the one that was signed, it tells in which members the two differ.
type Reference struct {
	files map[string][]byte
	room  int64             // bytes that may still be kept
	at    map[string]cursor // where the last event of a trail was that was looked up
}

// A cursor is a place in a trail: the first byte of the line of event k.
type cursor struct {
	k  int64
	at int
}

// A reference is a hint, and what it costs is bounded.
const (
	maxLocated  = 1000            // events of one trail whose members are compared
	maxKept     = 32 * limits.MiB // of a reference; what has no room is not compared
	maxCompared = limits.MiB      // bytes of a document: as JSON it may take forty times as much
)

// LoadReference reads the documents of a bundle or run directory, those of
// embedded bundles included. Nothing is verified.
func LoadReference(name string) (*Reference, error) {
	src, err := bundle.Open(name, func(Finding) {})
	if err != nil {
		return nil, err
	}
	defer src.Close()
	r := &Reference{files: map[string][]byte{}, room: maxKept, at: map[string]cursor{}}
	return r, r.load(src, "")
}

func (r *Reference) load(src bundle.Source, prefix string) error {
	for {
		e, err := src.Next()
		if errors.Is(err, io.EOF) || errors.Is(err, bundle.ErrBroken) {
			return nil // what could be read serves
		}
		if err != nil {
			return err
		}
		switch {
		case prefix == "" && strings.HasPrefix(e.Path, bundle.EvidenceDir) && strings.HasSuffix(e.Path, ".tar.zst"):
			err = r.load(bundle.NewReader(e.Body, func(Finding) {}), e.Path+"!")
		case isDocument(e.Path) && e.Size <= r.room:
			r.room -= e.Size
			r.files[prefix+e.Path], err = io.ReadAll(e.Body)
		}
		if err != nil && !errors.Is(err, bundle.ErrBroken) {
			return err
		}
	}
}

func isDocument(path string) bool {
	return strings.HasSuffix(path, ".json") && !strings.HasPrefix(path, "sig/") || strings.HasSuffix(path, ".jsonl")
}

// name returns what the reference's copy of a file of the bundle at prefix is called.
// An audit bundle or a run directory serves for the bundle inside a release too.
func (r *Reference) name(prefix, path string) string {
	if _, ok := r.files[prefix+"!"+path]; ok {
		return prefix + "!" + path
	}
	return path
}

// locate adds to the findings of this bundle the members that differ from the
// reference.
func (b *check) locate() {
	if b.o.Against == nil {
		return
	}
	for i := range b.c.findings {
		f := &b.c.findings[i]
		path, ok := b.own(f.Path)
		if !ok || len(f.Members) > 0 || f.Verdict == Note {
			continue
		}
		name := b.o.Against.name(b.prefix, path)
		ours, theirs := b.small[path], b.o.Against.files[name]
		if path == bundle.ManifestPath {
			ours = b.manifest
		}
		if t := b.trails[path]; t != nil && f.K != nil {
			ours, theirs = t.document(*f.K), b.o.Against.event(name, *f.K)
		}
		if ours != nil && theirs != nil && len(ours) <= maxCompared && len(theirs) <= maxCompared {
			f.Members = differences(theirs, ours)
		}
	}
}

// document returns an event that has a finding, or the genesis for 0.
func (t *trail) document(k int64) []byte {
	if k == 0 && t.summary.Genesis != nil {
		return marshal(t.summary.Genesis)
	}
	return t.doubtful[k]
}

// own returns the path of a finding inside this bundle, if it is of this one.
func (b *check) own(path *string) (string, bool) {
	if path == nil {
		return "", false
	}
	if b.prefix == "" {
		return *path, !strings.Contains(*path, "!")
	}
	return strings.CutPrefix(*path, b.prefix+"!")
}

// event returns the canonical event k of a trail, or the genesis for 0. Findings come
// in the order of events, so a trail is gone through once.
func (r *Reference) event(name string, k int64) []byte {
	trail, from := r.files[name], r.at[name]
	if k < from.k {
		from = cursor{}
	}
	for ; from.k < k; from.k++ {
		i := bytes.IndexByte(trail[from.at:], '\n')
		if i < 0 {
			return nil
		}
		from.at += i + 1
	}
	r.at[name] = from
	line, _, _ := bytes.Cut(trail[from.at:], []byte("\n"))
	if h, err := audit.ParseHeader(line); err == nil {
		return marshal(h.Genesis)
	}
	if r, err := audit.ParseRecord(line); err == nil {
		return marshal(r.E)
	}
	return nil
}

func marshal(v any) []byte {
	data, err := canon.Marshal(v)
	if err != nil {
		return nil
	}
	return data
}

// differences names the members in which two documents differ.
func differences(want, got []byte) []finding.Member {
	var a, b any
	if canon.Peek(want, &a) != nil || canon.Peek(got, &b) != nil {
		return nil
	}
	var out []finding.Member
	walk("", a, b, func(m finding.Member) {
		if len(out) < maxLocated {
			out = append(out, m)
		}
	})
	return out
}

func walk(path string, want, got any, report func(finding.Member)) {
	switch w := want.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			names := maps.Clone(w)
			maps.Copy(names, g)
			for _, name := range slices.Sorted(maps.Keys(names)) {
				walk(path+"."+name, member(w, name), member(g, name), report)
			}
			return
		}
	case []any:
		if g, ok := got.([]any); ok && len(g) == len(w) {
			for i := range w {
				walk(fmt.Sprintf("%s[%d]", path, i), w[i], g[i], report)
			}
			return
		}
	}
	a, b := show(want), show(got)
	if a != b {
		report(finding.Member{Name: shorten(strings.TrimPrefix(path, ".")), Want: shorten(a), Got: shorten(b)})
	}
}

// absent stands for a member that one of two objects does not have.
type absent struct{}

func member(m map[string]any, name string) any {
	if v, ok := m[name]; ok {
		return v
	}
	return absent{}
}

// show returns a value as canonical JSON, "absent" for a member that is not there.
func show(v any) string {
	if v == (absent{}) {
		return "absent"
	}
	return string(marshal(v))
}
