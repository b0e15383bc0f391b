package verify

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/lazyregexp"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// judgeFiles compares every file with its entry in the manifest, and the
// manifest with the files. A file whose own format says where it was damaged
// has that finding; its digest is not a second one.
func (b *check) judgeFiles() {
	b.c.ran(checkFiles)
	for _, f := range b.listed() {
		got, ok := b.seen[f.Path]
		switch {
		case !ok && (b.broken || b.explained[f.Path]):
		case !ok:
			b.add(checkFiles, finding.New(finding.FileMissing, f.Path, "listed in the manifest and not in the bundle"))
		case got.hash != f.Hash && b.explained[f.Path]:
			b.c.failed(checkFiles)
		case got.hash != f.Hash && f.Role == bundle.RoleArtifact:
			b.add(checkArtifacts, finding.New(finding.ArtifactHash, f.Path,
				"the copy is not the artifact that the manifest pins").Differs(f.Hash.String(), got.hash.String()))
		case got.hash != f.Hash:
			b.add(checkFiles, finding.New(finding.FileHash, f.Path,
				"not the file that the manifest pins").Differs(f.Hash.String(), got.hash.String()))
		case got.size != f.Size:
			b.add(checkFiles, finding.New(finding.FileHash, f.Path, "the manifest states another size").
				Differs(fmt.Sprint(f.Size), fmt.Sprint(got.size)))
		}
	}
	b.judgeSums()
	b.judgeGuide()
	b.judgeUnlisted()
}

// judgeSums rebuilds SHA256SUMS. It is a view of the manifest: when the
// manifest is not the signed one, that is the cause and has its own finding.
func (b *check) judgeSums() {
	data, ok := b.small[bundle.SumsPath]
	switch {
	case !ok && (b.broken || b.explained[bundle.SumsPath]):
	case !ok:
		b.add(checkFiles, finding.New(finding.FileMissing, bundle.SumsPath, "a required file is missing"))
	case !bytes.Equal(data, bundle.Sums(b.manifest, b.listed())) && !b.explained[bundle.ManifestPath]:
		b.add(checkFiles, finding.New(finding.FileHash, bundle.SumsPath, "not the list that follows from the manifest"))
	}
}

// judgeGuide asks whether VERIFY.md is what a writer writes for this manifest. People do
// what it says, and whoever holds any key that seals could write something else there.
func (b *check) judgeGuide() {
	f, listed := b.files[bundle.GuidePath]
	if !listed || b.explained[bundle.GuidePath] || b.explained[bundle.ManifestPath] || !b.c.passed(checkSignature) {
		return // of a manifest that nobody vouches for nothing follows
	}
	var guide []byte
	if b.release != nil {
		guide = b.release.Guide()
	} else {
		guide = b.audit.Guide()
	}
	if hash := sign.Sum(guide); f.Hash != hash {
		b.add(checkFiles, finding.New(finding.FileHash, bundle.GuidePath, "not the guide that follows from the manifest").Differs(hash.String(), f.Hash.String()))
	}
}

// sigPath is every path under sig/ that a bundle may have, sig/ext/ apart.
var sigPath = lazyregexp.New(`^sig/(by/[0-9a-f]{64}/)?(bundle\.id\.sig|manifest\.sigstore\.json|manifest\.sshsig)$|^sig/root/[1-9][0-9]{0,8}\.root\.json$`)

func (b *check) judgeUnlisted() {
	var ext int64
	for _, path := range slices.Sorted(maps.Keys(b.seen)) {
		if strings.HasPrefix(path, bundle.SigRootDir) && sigPath.MatchString(path) {
			b.judgeRootCopy(path)
			continue
		}
		if _, listed := b.files[path]; listed || path == bundle.ManifestPath || path == bundle.SumsPath || sigPath.MatchString(path) {
			continue
		}
		if strings.HasPrefix(path, bundle.SigExtDir) {
			ext += b.seen[path].size
			b.add(checkFiles, finding.New(finding.FileUnlisted, path, "evidence of a kind that this version does not judge").As(Note))
			continue
		}
		b.add(checkFiles, finding.New(finding.FileUnlisted, path, "in the bundle and not listed in the manifest"))
	}
	if ext > limits.SigExt {
		b.add(checkFiles, finding.New(finding.Limit, bundle.SigExtDir, fmt.Sprintf("has %d bytes in all; the limit is %d", ext, limits.SigExt)))
	}
}

// uncovered counts the files under sig/ that are no signature which verified and no
// version of the root: nothing says whose bytes they are.
func (b *check) uncovered() (n int) {
	for path := range b.seen {
		if strings.HasPrefix(path, "sig/") && !b.c.verified(path) && !b.isRootCopy(path) {
			n++
		}
	}
	return n
}

// pinned returns a file of the bundle if its bytes are those that the manifest
// pins: only then is it worth looking inside.
func (b *check) pinned(path string) ([]byte, bool) {
	data, ok := b.small[path]
	got, seen := b.seen[path]
	return data, ok && seen && got.hash == b.files[path].Hash
}
