package verify

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// judgeSignatures checks the three files of the sealing key and those of each
// further signer.
func (b *check) judgeSignatures() {
	b.c.ran(checkSignature)
	b.trust()
	q := newQuorum(b)
	key, known := b.o.Keys.Verifier(b.keyID)
	if q.unknown = !known; !known {
		f := finding.New(finding.KeyUnknown, bundle.ManifestPath, fmt.Sprintf("signed by %s, which is not among the trusted keys", b.keyID))
		if b.nested() {
			f = f.As(Undecidable)
		}
		b.add(checkSignature, f)
	} else {
		b.key = key
		q.addSealer(key, b.judgeSigner(key, "sig/"))
	}
	for _, dir := range b.furtherSigners() {
		var id sign.KeyID
		if !hexKeyID(strings.TrimSuffix(strings.TrimPrefix(dir, bundle.SigByDir), "/"), &id) {
			continue // judgeFiles reports it as unlisted
		}
		if key, known := b.o.Keys.Verifier(id); known {
			q.addSigner(key, dir, b.judgeSigner(key, dir))
		} else {
			b.add(checkSignature, finding.New(finding.KeyUnknown, dir,
				fmt.Sprintf("further signer %s is not among the trusted keys; ignored", id)).As(Note))
		}
	}
	q.judge()
	b.tally = q.tally()
	if b.authority != nil {
		b.judgeRootRefs()
		b.judgeTrailKeys()
		if !b.nested() {
			b.judgeAt()
		}
	}
}

// furtherSigners returns the directories under sig/by/, sorted.
func (b *check) furtherSigners() []string {
	dirs := map[string]bool{}
	for path := range b.small {
		if rest, ok := strings.CutPrefix(path, bundle.SigByDir); ok {
			if name, _, ok := strings.Cut(rest, "/"); ok {
				dirs[bundle.SigByDir+name+"/"] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(dirs))
}

// judgeSigner rebuilds the three files that key would have written to dir and
// compares. Nothing in them is believed but the signature itself. It reports whether
// all three hold.
func (b *check) judgeSigner(key sign.PublicKey, dir string) bool {
	sums := bundle.Sums(b.manifest, b.listed())
	statement, err := sign.Statement(b.manifest, sums, b.predicateType())
	if err != nil {
		b.add(checkSignature, finding.New(finding.Format, bundle.ManifestPath, err.Error()))
		return false
	}
	faults := []*Finding{
		b.judgeRaw(key, dir),
		b.judgeSigstore(key, dir, statement),
		b.judgeSSHSIG(key, dir),
	}
	bad := 0
	for _, f := range faults {
		if f != nil {
			bad++
		}
	}
	// All three at once have one cause, and where the signatures agree on
	// another manifest, that cause is known.
	if other, ok := b.signedID(key, dir); ok && other != b.id && bad == len(faults) {
		b.add(checkSignature, finding.New(finding.BundleID, bundle.ManifestPath,
			"the manifest is not the one that was signed").Differs(other.String(), b.id.String()))
		return false
	}
	for _, f := range faults {
		if f != nil {
			b.add(checkSignature, *f)
		}
	}
	return bad == 0
}

func (b *check) predicateType() string {
	if b.release != nil {
		return bundle.ReleasePredicate
	}
	return bundle.AuditPredicate
}

func (b *check) listed() []bundle.File {
	if b.release != nil {
		return b.release.Files
	}
	return b.audit.Files
}

// sigFile returns a signature file, or the finding that it is not there.
func (b *check) sigFile(path string) ([]byte, *Finding) {
	data, ok := b.small[path]
	if ok || b.broken || b.explained[path] {
		return data, nil
	}
	f := finding.New(finding.FileMissing, path, "a required signature file is missing")
	return nil, &f
}

func (b *check) judgeRaw(key sign.PublicKey, dir string) *Finding {
	path := dir + strings.TrimPrefix(bundle.SigIDPath, "sig/")
	data, missing := b.sigFile(path)
	if data == nil {
		return missing
	}
	if len(data) != len(sign.Signature{}) {
		f := finding.New(finding.SigBundle, path, fmt.Sprintf("has %d bytes, not the 64 of a signature", len(data)))
		return &f
	}
	if !key.Verify(b.id[:], sign.Signature(data)) {
		f := finding.New(finding.SigBundle, path, fmt.Sprintf("not a signature of bundle.id by %s", key.KeyID()))
		return &f
	}
	b.signed(key, path)
	return nil
}

func (b *check) judgeSigstore(key sign.PublicKey, dir string, statement []byte) *Finding {
	path := dir + strings.TrimPrefix(bundle.SigDSSEPath, "sig/")
	data, missing := b.sigFile(path)
	if data == nil {
		return missing
	}
	sig, err := sign.SigstoreSignature(data)
	if err != nil {
		f := finding.New(finding.SigBundle, path, err.Error())
		return &f
	}
	again, err := sign.SigstoreBundle(key, statement, sig)
	if err != nil || !bytes.Equal(again, data) {
		f := finding.New(finding.SigBundle, path, "not the Sigstore bundle of this manifest and key")
		return &f
	}
	if !key.Verify(sign.PAE(sign.PayloadType, statement), sig) {
		f := finding.New(finding.SigBundle, path, fmt.Sprintf("the DSSE signature is not by %s", key.KeyID()))
		return &f
	}
	b.signed(key, path)
	return nil
}

func (b *check) judgeSSHSIG(key sign.PublicKey, dir string) *Finding {
	path := dir + strings.TrimPrefix(bundle.SigSSHPath, "sig/")
	data, missing := b.sigFile(path)
	if data == nil {
		return missing
	}
	sig, err := sign.SSHSIGSignature(data)
	if err != nil {
		f := finding.New(finding.SigBundle, path, err.Error())
		return &f
	}
	if !bytes.Equal(sign.SSHSIG(key, sign.Namespace, sig), data) {
		f := finding.New(finding.SigBundle, path, "not an SSH signature file of this key as ssh-keygen writes it")
		return &f
	}
	if !key.Verify(sign.SSHSIGMessage(sign.Namespace, b.manifest), sig) {
		f := finding.New(finding.SigBundle, path, fmt.Sprintf("not a signature of the manifest by %s", key.KeyID()))
		return &f
	}
	b.signed(key, path)
	return nil
}

func (b *check) signed(key sign.PublicKey, path string) {
	if b.prefix != "" {
		path = b.prefix + "!" + path
	}
	b.c.used(key.KeyID(), path)
}

// signedID returns the bundle.id that the signatures in dir were made for: the
// one that the statement names, if the raw signature holds for it.
func (b *check) signedID(key sign.PublicKey, dir string) (sign.Digest, bool) {
	raw := b.small[dir+strings.TrimPrefix(bundle.SigIDPath, "sig/")]
	id, err := sign.SigstoreBundleID(b.small[dir+strings.TrimPrefix(bundle.SigDSSEPath, "sig/")])
	if err != nil || len(raw) != len(sign.Signature{}) {
		return sign.Digest{}, false
	}
	return id, key.Verify(id[:], sign.Signature(raw))
}

// hexKeyID reads the name of a directory under sig/by/.
func hexKeyID(s string, id *sign.KeyID) bool {
	d, err := sign.ParseDigest("sha256:" + s)
	if err != nil {
		return false
	}
	*id = sign.KeyID(d)
	return true
}
