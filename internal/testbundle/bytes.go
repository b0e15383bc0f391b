// Package testbundle makes bundles for tests, good ones and bad ones.
//
// It is written from docs/format.md with the standard library alone and shares
// no code with the packages that it tests: where the page, this package and the
// product disagree, a test fails. Everything is fixed, keys included, so that
// the vectors in testdata can be made again to the byte.
package testbundle

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"sort"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// M is a JSON object.
type M = map[string]any

// Canon returns the canonical form of v. Names are ASCII, numbers integers, so
// what encoding/json writes for maps is RFC 8785 but for the escapes of HTML.
func Canon(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// Digest returns the text form of a SHA-256.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func raw(digest string) []byte {
	b, err := hex.DecodeString(strings.TrimPrefix(digest, "sha256:"))
	if err != nil {
		panic(err)
	}
	return b
}

// A Key is an Ed25519 key made from a name.
type Key struct{ private ed25519.PrivateKey }

// NewKey returns the key whose seed is the SHA-256 of name. It protects nothing.
func NewKey(name string) Key {
	seed := sha256.Sum256([]byte("relseal test key " + name))
	return Key{ed25519.NewKeyFromSeed(seed[:])}
}

func (k Key) public() []byte { return k.private.Public().(ed25519.PublicKey) }

// Sign returns the 64 bytes of a signature.
func (k Key) Sign(message []byte) []byte { return ed25519.Sign(k.private, message) }

func (k Key) sign64(message []byte) string { return base64.StdEncoding.EncodeToString(k.Sign(message)) }

func sshString(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(p))), p...)
	}
	return b
}

func (k Key) ssh() []byte { return sshString([]byte("ssh-ed25519"), k.public()) }

// ID returns the key id.
func (k Key) ID() string {
	sum := sha256.Sum256(k.ssh())
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// HexID returns the name of the key's directory under sig/by/.
func (k Key) HexID() string {
	sum := sha256.Sum256(k.ssh())
	return hex.EncodeToString(sum[:])
}

func (k Key) spki() []byte {
	return append([]byte("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"), k.public()...)
}

// PEM returns the public key as openssl writes it.
func (k Key) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: k.spki()})
}

// Signatures returns the three signature files for a manifest, by name.
func (k Key) Signatures(manifest, sums []byte, predicateType string) Files {
	id := sha256.Sum256(manifest)
	statement := Canon(M{
		"_type":         "https://in-toto.io/Statement/v1",
		"predicateType": predicateType,
		"predicate":     M{"bundle": M{"id": Digest(manifest)}},
		"subject": []M{
			{"name": "manifest.json", "digest": M{"sha256": Digest(manifest)[7:]}},
			{"name": "SHA256SUMS", "digest": M{"sha256": Digest(sums)[7:]}},
		},
	})
	const payloadType = "application/vnd.in-toto+json"
	pae := fmt.Sprintf("DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(statement), statement)
	hint := sha256.Sum256(k.spki())
	wrapper := Canon(M{
		"mediaType":            "application/vnd.dev.sigstore.bundle.v0.3+json",
		"verificationMaterial": M{"publicKey": M{"hint": base64.StdEncoding.EncodeToString(hint[:])}},
		"dsseEnvelope": M{
			"payload":     base64.StdEncoding.EncodeToString(statement),
			"payloadType": payloadType,
			"signatures":  []M{{"keyid": k.ID(), "sig": k.sign64([]byte(pae))}},
		},
	})
	return Files{
		"bundle.id.sig":          k.Sign(id[:]),
		"manifest.sigstore.json": wrapper,
		"manifest.sshsig":        k.sshsig(manifest),
	}
}

func (k Key) sshsig(message []byte) []byte {
	const namespace, hash = "relseal-bundle", "sha512"
	sum := sha512.Sum512(message)
	signed := append([]byte("SSHSIG"), sshString([]byte(namespace), nil, []byte(hash), sum[:])...)
	sig := sshString([]byte("ssh-ed25519"), k.Sign(signed))
	blob := append([]byte("SSHSIG\x00\x00\x00\x01"), sshString(k.ssh(), []byte(namespace), nil, []byte(hash), sig)...)
	text := base64.StdEncoding.EncodeToString(blob)
	var b strings.Builder
	b.WriteString("-----BEGIN SSH SIGNATURE-----\n")
	for len(text) > 70 {
		b.WriteString(text[:70] + "\n")
		text = text[70:]
	}
	b.WriteString(text + "\n-----END SSH SIGNATURE-----\n")
	return []byte(b.String())
}

// Files are the files of a bundle by path.
type Files map[string][]byte

// Clone returns a copy whose files may be replaced.
func (f Files) Clone() Files {
	out := Files{}
	for path, data := range f {
		out[path] = data
	}
	return out
}

// Paths returns the paths in the order of the container.
func (f Files) Paths() []string {
	rank := func(path string) string {
		switch {
		case path == "manifest.json":
			return "0"
		case strings.HasPrefix(path, "sig/"):
			return "1" + path
		default:
			return "2" + path
		}
	}
	var paths []string
	for path := range f {
		paths = append(paths, path)
	}
	sort.Slice(paths, func(i, j int) bool { return rank(paths[i]) < rank(paths[j]) })
	return paths
}

// Tar returns the container.
func (f Files) Tar() []byte {
	var b bytes.Buffer
	for _, path := range f.Paths() {
		data := f[path]
		b.Write(Header(path, len(data)))
		b.Write(data)
		b.Write(make([]byte, (512-len(data)%512)%512))
	}
	b.Write(make([]byte, 1024))
	return b.Bytes()
}

// Header returns the 512 bytes before a file.
func Header(path string, size int) []byte {
	h := make([]byte, 512)
	copy(h, path)
	copy(h[100:], "0000644\x000000000\x000000000\x00")
	copy(h[124:], fmt.Sprintf("%011o\x00%011o\x00", size, 0))
	copy(h[148:], "        0")
	copy(h[257:], "ustar\x0000")
	copy(h[329:], "0000000\x000000000\x00")
	sum := 0
	for _, c := range h {
		sum += int(c)
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	return h
}

// Zstd returns tar as it is transported.
func Zstd(tar []byte) []byte {
	return encoder().EncodeAll(tar, nil)
}

// encoder is made once: that takes longer than to use it.
var encoder = sync.OnceValue(func() *zstd.Encoder {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20), zstd.WithEncoderCRC(true))
	if err != nil {
		panic(err)
	}
	return w
})
