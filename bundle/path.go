package bundle

import (
	"fmt"
	"strings"

	"github.com/relseal/relseal/internal/limits"
)

// CheckPath returns nil if p may name a file of a bundle: at most 100 bytes,
// segments of [A-Za-z0-9_+@=~.-] between single slashes, none empty, none with a
// leading '.' or '-'. Such a path means the same to every tar, shell and file
// system, and can neither leave the directory it is unpacked in nor pass for an
// option.
func CheckPath(p string) error {
	if fault := pathFault(p); fault != "" {
		return fmt.Errorf("path %s: %s", quote(p), fault)
	}
	return nil
}

// pathFault says what is wrong with p, or "".
func pathFault(p string) string {
	switch {
	case p == "":
		return "the path is empty"
	case len(p) > limits.Path:
		return fmt.Sprintf("the path has %d bytes, the limit is %d", len(p), limits.Path)
	case p[0] == '/':
		return "the path is absolute"
	}
	for segment := range strings.SplitSeq(p, "/") {
		switch {
		case segment == "":
			return "the path has an empty segment"
		case segment == "..":
			return `the path has a segment ".."`
		case segment[0] == '.' || segment[0] == '-':
			return fmt.Sprintf("a segment of the path starts with %q", segment[0])
		}
		for i := range len(segment) {
			if !pathByte(segment[i]) {
				return "the path has a character outside A-Z a-z 0-9 _ + @ = ~ . -"
			}
		}
	}
	return ""
}

func pathByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("_+@=~.-", c) >= 0
}

// compare orders paths as a bundle does: manifest.json, then sig/ by path bytes,
// then the rest by path bytes.
func compare(a, b string) int {
	if d := group(a) - group(b); d != 0 {
		return d
	}
	return strings.Compare(a, b)
}

func group(p string) int {
	switch {
	case p == ManifestPath:
		return 0
	case strings.HasPrefix(p, sigDir):
		return 1
	default:
		return 2
	}
}

const sigDir = "sig/"

// sizeLimit returns the most bytes that the file at path may have.
func sizeLimit(p string) int64 {
	switch {
	case p == ManifestPath:
		return limits.Manifest
	case p == SumsPath || p == GuidePath:
		return limits.View
	case p == EnvLockPath:
		return limits.EnvLock
	case p == PipelinePath || p == ParamPath:
		return limits.Card
	case strings.HasPrefix(p, FromDir):
		if _, manifest, ok := FromID(p); ok && !manifest {
			return limits.Signature
		}
		return limits.Lineage
	case strings.HasPrefix(p, SigExtDir):
		return limits.SigExt
	case strings.HasPrefix(p, sigDir):
		return limits.Signature
	default:
		return limits.Member
	}
}
