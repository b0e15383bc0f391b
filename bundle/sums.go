package bundle

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/relseal/relseal/sign"
)

// Sums returns SHA256SUMS: a line for manifest.json and for each of files,
// sorted by path, as sha256sum writes it and checks it.
func Sums(manifest []byte, files []File) []byte {
	type line struct {
		path string
		hash sign.Digest
	}
	lines := []line{{ManifestPath, sign.Sum(manifest)}}
	for _, f := range files {
		lines = append(lines, line{f.Path, f.Hash})
	}
	slices.SortFunc(lines, func(a, b line) int { return strings.Compare(a.path, b.path) })
	var out bytes.Buffer
	for _, l := range lines {
		fmt.Fprintf(&out, "%s  %s\n", l.hash.Hex(), l.path)
	}
	return out.Bytes()
}
