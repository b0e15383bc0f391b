// Package known gathers what is remembered of a ledger, and keeps it.
//
// Nothing in a ledger shows that its end was not cut off. What was sealed or noted
// elsewhere shows it of every event up to there: a ReleaseBundle pins the head that
// the ledger had, a file can hold one, and this machine notes the highest that it has
// seen outside of the ledger's directory, see [State].
//
// What is remembered is compared and not believed, so no signature of it is looked at.
package known

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/pack"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/release"
	"github.com/relseal/relseal/sign"
)

// Parse reads what a person wrote who knows a head: the file of a bundle or of a head,
// a directory of bundles, or k:H_k. Each must know one, or be a directory.
func Parse(arg string) ([]release.KnownHead, error) {
	if h, err := word(arg); err == nil {
		return []release.KnownHead{h}, nil
	}
	info, err := os.Stat(arg)
	switch {
	case err != nil:
		return nil, hint.With(err, "a known head is a bundle, a file of --head-out, or k:H_k such as 12:sha256:…")
	case info.IsDir():
		return below(arg, func(bundle.ReleaseManifest) bool { return true }, func(string, error) {})
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: not a regular file", arg)
	}
	if h, err := File(arg); err == nil {
		return []release.KnownHead{h}, nil
	} else if !errors.Is(err, errNoHead) {
		return nil, err
	}
	m, _, err := pack.ReadRelease(arg)
	if err != nil {
		return nil, fmt.Errorf("%w; nor is it a file with a head", err)
	}
	heads := pinned(m, arg)
	if len(heads) == 0 {
		return nil, fmt.Errorf("%s: the bundle pins no head of a ledger", arg)
	}
	return heads, nil
}

// word parses k:H_k.
func word(arg string) (release.KnownHead, error) {
	number, digest, _ := strings.Cut(arg, ":")
	k, err := strconv.ParseInt(number, 10, 64)
	if err != nil || k < 0 || strconv.FormatInt(k, 10) != number {
		return release.KnownHead{}, errors.New("not k:H_k")
	}
	hk, err := sign.ParseDigest(digest)
	return release.KnownHead{K: k, HK: hk, Source: release.Source{Kind: release.KnownWord, Name: arg}}, err
}

// errNoHead reports a file that is something else than a head.
var errNoHead = errors.New("not a head")

// maxHead is more than a head has bytes.
const maxHead = 1 << 10

// File reads a file with a head.
func File(name string) (release.KnownHead, error) {
	h, err := readHead(name)
	return h.Known(release.Source{Kind: release.KnownFile, Name: name}), err
}

func readHead(name string) (release.Head, error) {
	f, err := regular.Open(name)
	if err != nil {
		return release.Head{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxHead))
	if err != nil {
		return release.Head{}, err
	}
	if !bytes.HasPrefix(data, []byte("{")) {
		return release.Head{}, errNoHead
	}
	h, err := release.ParseHead(data)
	if err != nil {
		return h, fmt.Errorf("%s: %w", name, err)
	}
	return h, nil
}

// Bundle returns the heads that the bundle in a file pins; it may be none.
func Bundle(name string) ([]release.KnownHead, error) {
	m, _, err := pack.ReadRelease(name)
	if err != nil {
		return nil, err
	}
	return pinned(m, name), nil
}

func pinned(m bundle.ReleaseManifest, name string) (heads []release.KnownHead) {
	for _, ref := range []*bundle.LedgerRef{m.Provenance.Head, m.Provenance.Ledger} {
		if ref != nil {
			heads = append(heads, release.Head(*ref).Known(release.Source{Kind: release.KnownBundle, Name: name}))
		}
	}
	if len(heads) == 2 && *heads[0].H0 == *heads[1].H0 && heads[0].K == heads[1].K && heads[0].HK == heads[1].HK {
		heads = heads[:1]
	}
	return heads
}

// Dir returns what the bundles in a directory know of a ledger of the product; of a
// ledger of no product, what they know of h0. A directory that is not there knows
// nothing. What cannot be read is told to skipped.
func Dir(dir, product string, h0 sign.Digest, skipped func(name string, why error)) ([]release.KnownHead, error) {
	heads, err := below(dir, func(m bundle.ReleaseManifest) bool {
		return m.Product == product || product == "" && m.Provenance.Head != nil && m.Provenance.Head.H0 == h0
	}, skipped)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return heads, err
}

func below(dir string, wanted func(bundle.ReleaseManifest) bool, skipped func(string, error)) ([]release.KnownHead, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var heads []release.KnownHead
	for _, e := range entries {
		if !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), ".release.tar.zst") {
			continue
		}
		name := filepath.Join(dir, e.Name())
		m, _, err := pack.ReadRelease(name)
		switch {
		case err != nil:
			skipped(name, err)
		case wanted(m):
			heads = append(heads, pinned(m, name)...)
		}
	}
	return heads, nil
}
