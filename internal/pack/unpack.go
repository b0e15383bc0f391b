package pack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/verify"
)

// An Unpacked says what was written.
type Unpacked struct {
	Files int
	Bytes int64
	Left  []string // left out: what nothing vouches for
}

// Unpack writes the files of the bundle called name into the directory dir, which
// must not exist and appears whole or not at all. The caller has verified the
// bundle with o; report is the answer.
//
// Between that and now the bundle may have changed, so that each file is hashed
// again as it is written, and must be what the manifest of the report pins. What
// the manifest cannot pin, its signatures, is verified once more in the new
// directory, which must give the same answer. Left out are files that nobody
// whom the caller trusts has signed: those of unknown signers and of later kinds, and
// copies of a trust root that are no version of it.
func Unpack(ctx context.Context, name, dir string, report *verify.Report, o verify.Options) (Unpacked, error) {
	fresh, err := newFreshDir(dir)
	if err != nil {
		return Unpacked{}, err
	}
	defer fresh.discard()
	u := unpacker{ctx: ctx, dir: fresh, id: *report.Bundle.ID, signed: map[string]bool{bundle.SumsPath: true}, rooted: report.Root != nil, strays: strays(report)}
	for _, key := range report.Keys {
		for _, path := range key.Signed {
			u.signed[path] = true
		}
	}
	if err := u.unpack(name); err != nil {
		return Unpacked{}, err
	}
	again, err := verify.File(ctx, fresh.Path(), o)
	if again == nil {
		return Unpacked{}, err
	}
	if again.Verdict != report.Verdict || again.Bundle.ID == nil || *again.Bundle.ID != u.id || len(strays(again)) > 0 {
		return Unpacked{}, errChanged(name)
	}
	return u.Unpacked, fresh.commit()
}

// strays are the copies of a trust root for which nothing vouches.
func strays(report *verify.Report) map[string]bool {
	paths := map[string]bool{}
	for _, f := range report.Diag.Findings {
		if f.Path != nil && strings.HasPrefix(*f.Path, bundle.SigRootDir) {
			paths[*f.Path] = true
		}
	}
	return paths
}

func errChanged(name string) error {
	return fmt.Errorf("%s: the bundle changed after it was verified", name)
}

type unpacker struct {
	Unpacked
	ctx    context.Context
	dir    *freshDir
	id     sign.Digest
	pinned map[string]bundle.File
	signed map[string]bool // files outside of the manifest that the verification vouches for
	rooted bool            // the copies of a trust root were checked, too
	strays map[string]bool // those of them that are none
}

func (u *unpacker) unpack(name string) error {
	rejected := false
	src, err := bundle.Open(name, func(f finding.Finding) { rejected = rejected || f.Verdict == finding.Reject })
	if err != nil {
		return err
	}
	defer src.Close()
	for {
		e, err := src.Next()
		switch {
		case rejected, errors.Is(err, bundle.ErrBroken):
			return errChanged(name)
		case errors.Is(err, io.EOF):
			return nil
		case err == nil:
			err = u.entry(e)
		}
		if errors.Is(err, errNotPinned) || errors.Is(err, bundle.ErrBroken) {
			return errChanged(name)
		}
		if err != nil {
			return err
		}
	}
}

// errNotPinned reports a file that is not the one that was verified.
var errNotPinned = errors.New("not the file that the manifest pins")

func (u *unpacker) entry(e *bundle.Entry) error {
	if e.Path == bundle.ManifestPath {
		return u.manifest(e)
	}
	want, listed := u.pinned[e.Path]
	if !listed && !u.signed[e.Path] && !(u.rooted && strings.HasPrefix(e.Path, bundle.SigRootDir) && !u.strays[e.Path]) {
		u.Left = append(u.Left, e.Path)
		return nil
	}
	got, err := u.write(e.Path, e.Body)
	if err == nil && listed && (got != want.Hash || e.Size != want.Size) {
		err = errNotPinned
	}
	return err
}

// manifest writes the manifest, if it is the one that was verified, and takes
// over what it pins.
func (u *unpacker) manifest(e *bundle.Entry) error {
	data, err := io.ReadAll(e.Body)
	if err != nil {
		return err
	}
	if sign.Sum(data) != u.id {
		return errNotPinned
	}
	files, err := listedFiles(data)
	if err != nil {
		return err
	}
	u.pinned = map[string]bundle.File{}
	for _, f := range files {
		u.pinned[f.Path] = f
	}
	_, err = u.write(e.Path, bytes.NewReader(data))
	return err
}

func listedFiles(manifest []byte) ([]bundle.File, error) {
	kind, err := bundle.ManifestKind(manifest)
	if err != nil {
		return nil, err
	}
	if kind == bundle.KindAudit {
		m, err := bundle.ReadAuditManifest(manifest)
		return m.Files, err
	}
	m, err := bundle.ReadReleaseManifest(manifest)
	return m.Files, err
}

// write copies one file into the directory and returns its digest.
func (u *unpacker) write(name string, body io.Reader) (sign.Digest, error) {
	if err := u.dir.root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return sign.Digest{}, err
	}
	f, err := u.dir.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return sign.Digest{}, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, h), regular.UntilDone(u.ctx, body))
	if err == nil {
		err = f.Sync()
	}
	u.Files++
	u.Bytes += n
	return sign.Digest(h.Sum(nil)), err
}
