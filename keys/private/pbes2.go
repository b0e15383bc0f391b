package private

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/scrypt"

	"github.com/relseal/relseal/internal/hint"
)

// What the derivation of one key may cost. The file says how much work it is, and
// a hostile one would say years, or terabytes. These are some seconds and below
// 1 GiB; openssl's own defaults are 2048 iterations, and 2^17 for scrypt.
const (
	maxIterations = 10_000_000 // of PBKDF2
	maxScrypt     = 1 << 22    // N·r·p; scrypt takes 128·r·(N+p) bytes
)

var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidScrypt = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11} // RFC 7914

	// The pseudo-random functions of PBKDF2, HMAC with each of these (RFC 8018).
	hmacs = map[string]func() hash.Hash{
		"1.2.840.113549.2.7":  sha1.New, // what is meant where none is named
		"1.2.840.113549.2.8":  sha256.New224,
		"1.2.840.113549.2.9":  sha256.New,
		"1.2.840.113549.2.10": sha512.New384,
		"1.2.840.113549.2.11": sha512.New,
	}

	// The bytes of key that AES in CBC mode takes.
	aesCBC = map[string]int{
		"2.16.840.1.101.3.4.1.2":  16,
		"2.16.840.1.101.3.4.1.22": 24,
		"2.16.840.1.101.3.4.1.42": 32,
	}
)

var (
	errEncrypted   = errors.New("holds a damaged encrypted PKCS#8 key")
	errCostly      = errors.New("asks for more work to derive a key from the passphrase than is done here")
	errUnsupported = errors.New("holds a PKCS#8 key under an encryption that is not read")
)

const encryptAnewHint = "encrypt it anew: openssl pkcs8 -topk8 -v2 aes-256-cbc -in old.key -out new.key"

// A locked is a PKCS#8 key under PBES2 (RFC 8018), the one way in which openssl
// and most others encrypt it today: a key is derived from the passphrase, and AES
// in CBC mode encrypts with it.
//
// This is read here, and not by a module: crypto/x509 and x/crypto do not, and the
// one in use elsewhere panics on a damaged file, believes what a file says of the
// work, and takes GCM for CBC.
type locked struct {
	derive  func(passphrase []byte) ([]byte, error)
	iv      []byte
	content []byte
}

// openPBES2 decrypts an "ENCRYPTED PRIVATE KEY".
func openPBES2(data []byte, passphrase func() ([]byte, error)) (*Key, error) {
	l, err := parsePBES2(data)
	if err != nil {
		return nil, err // before anybody is asked for a passphrase
	}
	secret, err := ask(passphrase)
	if err != nil {
		return nil, err
	}
	plain, err := l.open(secret)
	if err != nil {
		return nil, err
	}
	return parsePKCS8(plain)
}

// parsePBES2 reads
//
//	SEQUENCE { SEQUENCE { OID pbes2, SEQUENCE { kdf, cipher } }, OCTET STRING }
//
// and nothing more. What it returns is not costlier than the limits.
func parsePBES2(data []byte) (locked, error) {
	var outer, scheme, params, kdf, encryption, content cryptobyte.String
	var id asn1.ObjectIdentifier
	in := cryptobyte.String(data)
	if !in.ReadASN1(&outer, der.SEQUENCE) || !in.Empty() ||
		!outer.ReadASN1(&scheme, der.SEQUENCE) || !outer.ReadASN1(&content, der.OCTET_STRING) || !outer.Empty() ||
		!scheme.ReadASN1ObjectIdentifier(&id) {
		return locked{}, errEncrypted
	}
	if !id.Equal(oidPBES2) {
		return locked{}, hint.With(errUnsupported, encryptAnewHint)
	}
	if !scheme.ReadASN1(&params, der.SEQUENCE) || !scheme.Empty() ||
		!params.ReadASN1(&kdf, der.SEQUENCE) || !params.ReadASN1(&encryption, der.SEQUENCE) || !params.Empty() {
		return locked{}, errEncrypted
	}
	iv, size, err := parseCipher(encryption)
	if err != nil {
		return locked{}, err
	}
	if len(content) == 0 || len(content)%aes.BlockSize != 0 {
		return locked{}, errEncrypted
	}
	derive, err := parseKDF(kdf, size)
	return locked{derive, iv, content}, err
}

func parseCipher(in cryptobyte.String) (iv []byte, size int, err error) {
	var id asn1.ObjectIdentifier
	if !in.ReadASN1ObjectIdentifier(&id) {
		return nil, 0, errEncrypted
	}
	size, ok := aesCBC[id.String()]
	if !ok {
		return nil, 0, hint.With(errUnsupported, encryptAnewHint)
	}
	if !in.ReadASN1Bytes(&iv, der.OCTET_STRING) || !in.Empty() || len(iv) != aes.BlockSize {
		return nil, 0, errEncrypted
	}
	return iv, size, nil
}

// parseKDF returns the function that derives a key of size bytes.
func parseKDF(in cryptobyte.String, size int) (func([]byte) ([]byte, error), error) {
	var id asn1.ObjectIdentifier
	var params cryptobyte.String
	if !in.ReadASN1ObjectIdentifier(&id) {
		return nil, errEncrypted
	}
	parse := parsePBKDF2
	switch {
	case id.Equal(oidScrypt):
		parse = parseScrypt
	case !id.Equal(oidPBKDF2):
		return nil, hint.With(errUnsupported, encryptAnewHint)
	}
	if !in.ReadASN1(&params, der.SEQUENCE) || !in.Empty() {
		return nil, errEncrypted
	}
	return parse(params, size)
}

// parsePBKDF2 reads a salt, the number of iterations, and possibly the length of
// the key and the HMAC.
func parsePBKDF2(in cryptobyte.String, size int) (func([]byte) ([]byte, error), error) {
	var salt, prf cryptobyte.String
	var iterations, length int64
	var named, hasLength bool
	if !in.ReadASN1(&salt, der.OCTET_STRING) || !in.ReadASN1Integer(&iterations) {
		return nil, errEncrypted
	}
	if hasLength = in.PeekASN1Tag(der.INTEGER); hasLength && (!in.ReadASN1Integer(&length) || length != int64(size)) {
		return nil, errEncrypted
	}
	h := sha1.New
	if !in.ReadOptionalASN1(&prf, &named, der.SEQUENCE) || !in.Empty() {
		return nil, errEncrypted
	}
	if named {
		var id asn1.ObjectIdentifier
		var null cryptobyte.String
		if !prf.ReadASN1ObjectIdentifier(&id) || !prf.Empty() && !prf.ReadASN1(&null, der.NULL) || !prf.Empty() || !null.Empty() {
			return nil, errEncrypted
		}
		if h = hmacs[id.String()]; h == nil {
			return nil, hint.With(errUnsupported, encryptAnewHint)
		}
	}
	switch {
	case iterations < 1:
		return nil, errEncrypted
	case iterations > maxIterations:
		return nil, hint.With(fmt.Errorf("%w: %d iterations of PBKDF2; at most %d", errCostly, iterations, maxIterations), encryptAnewHint)
	}
	return func(passphrase []byte) ([]byte, error) {
		return pbkdf2.Key(h, string(passphrase), salt, int(iterations), size)
	}, nil
}

// parseScrypt reads a salt, N, r, p and possibly the length of the key.
func parseScrypt(in cryptobyte.String, size int) (func([]byte) ([]byte, error), error) {
	var salt cryptobyte.String
	var n, r, p, length int64
	if !in.ReadASN1(&salt, der.OCTET_STRING) || !in.ReadASN1Integer(&n) || !in.ReadASN1Integer(&r) || !in.ReadASN1Integer(&p) ||
		in.PeekASN1Tag(der.INTEGER) && (!in.ReadASN1Integer(&length) || length != int64(size)) || !in.Empty() {
		return nil, errEncrypted
	}
	switch {
	case n < 2 || n&(n-1) != 0 || r < 1 || p < 1:
		return nil, errEncrypted
	case n > maxScrypt || r > maxScrypt/n || p > maxScrypt/n/r:
		return nil, hint.With(fmt.Errorf("%w: scrypt with N=%d, r=%d, p=%d; their product is at most %d", errCostly, n, r, p, maxScrypt), encryptAnewHint)
	}
	return func(passphrase []byte) ([]byte, error) {
		return scrypt.Key(passphrase, salt, int(n), int(r), int(p), size)
	}, nil
}

// open returns the PKCS#8 structure. Nothing authenticates it: that the passphrase
// is the right one shows in the padding and in a SEQUENCE that fills the rest,
// which chance gives once in tens of thousands of tries. What comes out then is
// no key.
func (l locked) open(passphrase []byte) ([]byte, error) {
	key, err := l.derive(passphrase)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errEncrypted, err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, len(l.content))
	cipher.NewCBCDecrypter(block, l.iv).CryptBlocks(plain, l.content)
	plain, ok := unpad(plain)
	var inside cryptobyte.String
	in := cryptobyte.String(plain)
	if !ok || !in.ReadASN1(&inside, der.SEQUENCE) || !in.Empty() {
		return nil, ErrWrongPassphrase
	}
	return plain, nil
}

// unpad removes the n bytes of value n, 1 to 16, that fill the last block.
func unpad(plain []byte) ([]byte, bool) {
	n := int(plain[len(plain)-1])
	if n < 1 || n > aes.BlockSize {
		return nil, false
	}
	rest := len(plain) - n
	for _, b := range plain[rest:] {
		if int(b) != n {
			return nil, false
		}
	}
	return plain[:rest], true
}
