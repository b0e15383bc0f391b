package private

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/relseal/relseal/internal/hint"
)

// TestPBES2Files loads what openssl 3.0 wrote from one key under the passphrase
// "correct horse": openssl pkcs8 -topk8 with -v2 CIPHER, -v2prf and -scrypt.
func TestPBES2Files(t *testing.T) {
	files, err := filepath.Glob("testdata/pbes2/*.pem")
	if err != nil || len(files) != 6 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		path, asked := keyFile(t, must(os.ReadFile(file))), 0
		p, err := Load(path, func() ([]byte, error) { asked++; return []byte("correct horse"), nil })
		if err != nil || p.Public() != seeded(t, 1).Public() || asked != 1 {
			t.Errorf("%s: %v, %v, asked %d times", file, p, err, asked)
			continue
		}
		signs(t, file, p)
		for _, tt := range []struct {
			ask  func() ([]byte, error)
			want error
		}{{nil, ErrPassphrase}, {pass(""), ErrPassphrase}, {pass("correct horses"), ErrWrongPassphrase}} {
			if _, err := Load(path, tt.ask); !errors.Is(err, tt.want) {
				t.Errorf("%s: %v, want %v", file, err, tt.want)
			}
		}
	}
	// Other encryptions are refused before anybody types a passphrase.
	files, err = filepath.Glob("testdata/pbes2-refused/*.pem")
	if err != nil || len(files) != 2 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		path := keyFile(t, must(os.ReadFile(file)))
		_, err := Load(path, noPass(t))
		_, inspected := Inspect(path)
		for _, err := range []error{err, inspected} {
			if err == nil || !strings.Contains(err.Error(), "under an encryption that is not read") || hint.Of(err) != encryptAnewHint {
				t.Errorf("%s: %v, hint %q", file, err, hint.Of(err))
			}
		}
	}
}

// envelope is an encrypted key to be written; the zero fields are the usual ones.
type envelope struct {
	kdf     asn1.ObjectIdentifier
	params  []any // of the KDF: salt, *big.Int, OID of the HMAC
	cipher  asn1.ObjectIdentifier
	iv      []byte
	content []byte
	after   []byte // behind the octet string
}

func (e envelope) der(t testing.TB) []byte {
	t.Helper()
	var b cryptobyte.Builder
	seq := func(b *cryptobyte.Builder, f func(*cryptobyte.Builder)) { b.AddASN1(der.SEQUENCE, f) }
	seq(&b, func(b *cryptobyte.Builder) {
		seq(b, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidPBES2)
			seq(b, func(b *cryptobyte.Builder) {
				seq(b, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(e.kdf)
					seq(b, func(b *cryptobyte.Builder) {
						for _, p := range e.params {
							switch p := p.(type) {
							case []byte:
								b.AddASN1OctetString(p)
							case *big.Int:
								b.AddASN1BigInt(p)
							case asn1.ObjectIdentifier:
								seq(b, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(p); b.AddASN1NULL() })
							}
						}
					})
				})
				seq(b, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(e.cipher); b.AddASN1OctetString(e.iv) })
			})
		})
		b.AddASN1OctetString(e.content)
		b.AddBytes(e.after)
	})
	out, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var (
	oidAES256 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
	oidSHA256 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}
	salt      = []byte("saltsalt")
)

func num(n int64) *big.Int { return big.NewInt(n) }

// sealed returns plain encrypted under the passphrase "p" as the envelope says.
func (e envelope) sealed(t testing.TB, plain []byte) envelope {
	t.Helper()
	e.content = make([]byte, aes.BlockSize)
	l, err := parsePBES2(e.der(t))
	if err != nil {
		t.Fatal(err)
	}
	n := aes.BlockSize - len(plain)%aes.BlockSize
	padded := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(n)}, n)...)
	e.content = make([]byte, len(padded))
	key := must(l.derive([]byte("p")))
	cipher.NewCBCEncrypter(must(aes.NewCipher(key)), e.iv).CryptBlocks(e.content, padded)
	return e
}

func usual(params ...any) envelope {
	return envelope{kdf: oidPBKDF2, params: params, cipher: oidAES256, iv: make([]byte, 16), content: make([]byte, 64)}
}

func TestPBES2Refuses(t *testing.T) {
	p := seeded(t, 1)
	inside := must(x509.MarshalPKCS8PrivateKey(p.key))
	good := usual(salt, num(1), oidSHA256).sealed(t, inside)
	if got, err := openPBES2(good.der(t), pass("p")); err != nil || got.Public() != p.Public() {
		t.Fatalf("%v, %v", got, err)
	}
	for name, e := range map[string]envelope{
		"length of the key":       usual(salt, num(1), num(32), oidSHA256).sealed(t, inside),
		"no HMAC named":           usual(salt, num(1)).sealed(t, inside),
		"length, no HMAC":         usual(salt, num(1), num(32)).sealed(t, inside),
		"no salt":                 usual([]byte{}, num(1)).sealed(t, inside),
		"length of scrypt's key":  {kdf: oidScrypt, params: []any{salt, num(2), num(1), num(1), num(32)}, cipher: oidAES256, iv: make([]byte, 16)},
		"scrypt with several p's": {kdf: oidScrypt, params: []any{salt, num(16), num(8), num(4)}, cipher: oidAES256, iv: make([]byte, 16)},
	} {
		if got, err := openPBES2(e.sealed(t, inside).der(t), pass("p")); err != nil || got.Public() != p.Public() {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}

	huge := new(big.Int).Lsh(num(1), 200)
	scrypted := func(params ...any) envelope {
		e := usual(append([]any{salt}, params...)...)
		e.kdf = oidScrypt
		return e
	}
	with := func(f func(*envelope)) envelope { e := good; f(&e); return e }
	for name, tt := range map[string]struct {
		e    envelope
		want string
	}{
		"iterations, one too many": {usual(salt, num(maxIterations+1)), "10000001 iterations"},
		"iterations, a year":       {usual(salt, num(1<<62)), "more work"},
		"iterations, no integer":   {usual(salt, huge), "damaged"},
		"no iteration":             {usual(salt, num(0)), "damaged"},
		"iterations below zero":    {usual(salt, num(-5)), "damaged"},
		"scrypt, N":                {scrypted(num(1<<23), num(1), num(1)), "N=8388608, r=1, p=1"},
		"scrypt, r":                {scrypted(num(2), num(1<<22), num(1)), "more work"},
		"scrypt, p":                {scrypted(num(1<<14), num(8), num(1<<20)), "more work"},
		"scrypt, product wraps":    {scrypted(num(1<<22), num(1<<42), num(1<<62)), "more work"},
		"scrypt, N is huge":        {scrypted(num(1<<62), num(8), num(1)), "more work"},
		"scrypt, N no power":       {scrypted(num(1000), num(8), num(1)), "damaged"},
		"scrypt, N is one":         {scrypted(num(1), num(8), num(1)), "damaged"},
		"scrypt, N below zero":     {scrypted(num(-4), num(8), num(1)), "damaged"},
		"scrypt, r is zero":        {scrypted(num(2), num(0), num(1)), "damaged"},
		"scrypt, p below zero":     {scrypted(num(2), num(1), num(-1)), "damaged"},
		"scrypt, no integer":       {scrypted(num(2), huge, num(1)), "damaged"},
		"scrypt, more":             {scrypted(num(2), num(1), num(1), num(32), num(1)), "damaged"},
		"length of another key":    {usual(salt, num(1), num(16), oidSHA256), "damaged"},
		"HMAC unknown":             {usual(salt, num(1), asn1.ObjectIdentifier{1, 2, 3}), "not read"},
		"params missing":           {usual(), "damaged"},
		"params of another order":  {usual(num(1), salt), "damaged"},
		"params, more":             {usual(salt, num(1), oidSHA256, salt), "damaged"},
		"KDF unknown":              {with(func(e *envelope) { e.kdf = oidSHA256 }), "not read"},
		"cipher unknown":           {with(func(e *envelope) { e.cipher = oidSHA256 }), "not read"},
		"AES-256-GCM":              {with(func(e *envelope) { e.cipher = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 46} }), "not read"},
		"IV short":                 {with(func(e *envelope) { e.iv = e.iv[:15] }), "damaged"},
		"IV missing":               {with(func(e *envelope) { e.iv = nil }), "damaged"},
		"no content":               {with(func(e *envelope) { e.content = nil }), "damaged"},
		"half a block":             {with(func(e *envelope) { e.content = e.content[:56] }), "damaged"},
		"behind the content":       {with(func(e *envelope) { e.after = []byte{5, 0} }), "damaged"},
	} {
		_, err := openPBES2(tt.e.der(t), noPass(t))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want one with %q", name, err, tt.want)
			continue
		}
		oneLine(t, name, err)
		if strings.Contains(tt.want, "damaged") == (hint.Of(err) != "") {
			t.Errorf("%s: hint %q", name, hint.Of(err))
		}
	}
	if _, err := openPBES2(append(good.der(t), 0), noPass(t)); !errors.Is(err, errEncrypted) {
		t.Errorf("behind everything: %v", err)
	}
	// The limits themselves are within; nothing is derived to find that out.
	for _, e := range []envelope{usual(salt, num(maxIterations)), scrypted(num(1<<19), num(8), num(1)), scrypted(num(2), num(1), num(1<<21))} {
		if _, err := parsePBES2(e.der(t)); err != nil {
			t.Error(err)
		}
	}

	// The passphrase is right, and what it opens is no key of ours.
	rsaKey := must(rsa.GenerateKey(rand.Reader, 2048))
	for name, tt := range map[string]struct {
		plain []byte
		want  string
	}{
		"RSA":            {must(x509.MarshalPKCS8PrivateKey(rsaKey)), "an RSA key, not Ed25519"},
		"a sequence":     {[]byte{0x30, 0}, "damaged PKCS#8"},
		"more than that": {append([]byte{0x30, byte(len(inside))}, append(inside[2:], 5, 0)...), "more than the private key"},
		"no sequence":    {[]byte("hello"), ErrWrongPassphrase.Error()},
		"behind it":      {append(bytes.Clone(inside), 0), ErrWrongPassphrase.Error()},
		"nothing":        {nil, ErrWrongPassphrase.Error()},
	} {
		if _, err := openPBES2(good.sealed(t, tt.plain).der(t), pass("p")); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want one with %q", name, err, tt.want)
		}
	}
}

// TestPBES2EveryByte: a changed file never opens as the same key and never
// panics; each prefix is refused.
func TestPBES2EveryByte(t *testing.T) {
	p := seeded(t, 1)
	data := usual(salt, num(1), oidSHA256).sealed(t, must(x509.MarshalPKCS8PrivateKey(p.key))).der(t)
	for i := range data {
		for bit := range 8 {
			bad := bytes.Clone(data)
			bad[i] ^= 1 << bit
			if got, err := openPBES2(bad, pass("p")); err == nil && got.Public() == p.Public() {
				t.Errorf("byte %d, bit %d changed: the same key", i, bit)
			}
		}
		if _, err := openPBES2(data[:i], pass("p")); err == nil {
			t.Errorf("accepted when cut at %d", i)
		}
	}
}

func TestUnpad(t *testing.T) {
	for _, tt := range []struct {
		in, want string
		ok       bool
	}{
		{"a\x01", "a", true},
		{strings.Repeat("\x10", 16), "", true},
		{"fifteen bytes..\x01", "fifteen bytes..", true},
		{"0123456789ab\x04\x04\x04\x04", "0123456789ab", true},
		{"0123456789ab\x04\x05\x04\x04", "", false},
		{"0123456789abcde\x00", "", false},
		{strings.Repeat("\x11", 32), "", false},
	} {
		got, ok := unpad([]byte(tt.in))
		if ok != tt.ok || string(got) != tt.want {
			t.Errorf("%q: %q, %v", tt.in, got, ok)
		}
	}
}

// FuzzPBES2: whatever the bytes, no panic, and no work before it is bounded.
func FuzzPBES2(f *testing.F) {
	p := seeded(f, 1)
	f.Add(usual(salt, num(1), oidSHA256).sealed(f, must(x509.MarshalPKCS8PrivateKey(p.key))).der(f))
	f.Add(usual(salt, num(1), num(32)).der(f))
	e := usual(salt, num(2), num(1), num(1))
	e.kdf = oidScrypt
	f.Add(e.der(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := parsePBES2(data)
		if err != nil {
			return
		}
		if len(l.iv) != aes.BlockSize || len(l.content) == 0 || len(l.content)%aes.BlockSize != 0 {
			t.Errorf("IV of %d bytes, content of %d", len(l.iv), len(l.content))
		}
		cheap := locked{func([]byte) ([]byte, error) { return make([]byte, 32), nil }, l.iv, l.content}
		if plain, err := cheap.open(nil); err == nil {
			parsePKCS8(plain)
		}
	})
}
