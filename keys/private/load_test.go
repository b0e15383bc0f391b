package private

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"golang.org/x/crypto/ssh"

	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/keyfile"
	"github.com/relseal/relseal/keys"
)

// sshPEM returns p as x/crypto writes it in OpenSSH's format.
func sshPEM(t testing.TB, key crypto.PrivateKey, passphrase string) []byte {
	t.Helper()
	b, err := ssh.MarshalPrivateKey(key, "release")
	if passphrase != "" {
		b, err = ssh.MarshalPrivateKeyWithPassphrase(key, "release", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(b)
}

func TestLoadPlain(t *testing.T) {
	p := seeded(t, 1)
	pkcs8 := must(p.PKCS8PEM())
	for name, data := range map[string][]byte{
		"PKCS#8":             pkcs8,
		"PKCS#8, CRLF":       bytes.ReplaceAll(pkcs8, []byte("\n"), []byte("\r\n")),
		"PKCS#8, no newline": bytes.TrimSuffix(pkcs8, []byte("\n")),
		"OpenSSH":            sshPEM(t, p.key, ""),
	} {
		for _, ask := range []func() ([]byte, error){nil, noPass(t)} {
			got, err := Load(keyFile(t, data), ask)
			if err != nil || got.Public() != p.Public() {
				t.Errorf("%s: %v, %v", name, got, err)
				continue
			}
			signs(t, name, got)
		}
	}
}

func TestLoadEncrypted(t *testing.T) {
	p := seeded(t, 1)
	sigstore := must(p.EncryptedPEM([]byte("correct horse")))
	cosign := bytes.ReplaceAll(sigstore, []byte("SIGSTORE"), []byte("COSIGN"))
	for name, data := range map[string][]byte{"sigstore": sigstore, "cosign": cosign, "OpenSSH": sshPEM(t, p.key, "correct horse")} {
		path, asked := keyFile(t, data), 0
		got, err := Load(path, func() ([]byte, error) { asked++; return []byte("correct horse"), nil })
		if err != nil || got.Public() != p.Public() || asked != 1 {
			t.Errorf("%s: %v, %v, asked %d times", name, got, err, asked)
			continue
		}
		signs(t, name, got)

		gone := errors.New("terminal gone")
		for fault, tt := range map[string]struct {
			ask  func() ([]byte, error)
			want error
		}{
			"none":   {nil, ErrPassphrase},
			"empty":  {pass(""), ErrPassphrase},
			"failed": {func() ([]byte, error) { return nil, gone }, gone},
			"wrong":  {pass("correct horses"), ErrWrongPassphrase},
		} {
			if name == "cosign" && fault == "wrong" {
				continue // the same code as sigstore's; each try of scrypt takes a while
			}
			_, err := Load(path, tt.ask)
			if !errors.Is(err, tt.want) {
				t.Errorf("%s, %s passphrase: %v, want %v", name, fault, err, tt.want)
				continue
			}
			oneLine(t, name, err)
			if strings.Count(err.Error(), path) != 1 {
				t.Errorf("%s, %s passphrase: %q does not name the file once", name, fault, err)
			}
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	p, other := seeded(t, 1), seeded(t, 2)
	pkcs8, openssh := must(p.PKCS8PEM()), sshPEM(t, p.key, "")
	der := must(x509.MarshalPKCS8PrivateKey(p.key))
	rsaKey := must(rsa.GenerateKey(rand.Reader, 2048))
	ecKey := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	x25519 := must(ecdh.X25519().GenerateKey(rand.Reader))
	kind := func(k any) []byte { return block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(k))) }

	// RFC 5958's version 2 with the public key of another pair behind the seed.
	v2 := append(bytes.Clone(der), append([]byte{0x81, 0x21, 0x00}, other.Public().Bytes()...)...)
	v2[1], v2[4] = v2[1]+35, 1

	// OpenSSH's format holds the public key three times; x/crypto compares none.
	swapped := func(from, to []byte, n int) []byte {
		b, _ := pem.Decode(openssh)
		return block("OPENSSH PRIVATE KEY", bytes.Replace(b.Bytes, from, to, n))
	}
	pub, otherPub := p.Public().Bytes(), other.Public().Bytes()
	inside := func() []byte {
		b, _ := pem.Decode(openssh)
		out := bytes.Clone(b.Bytes)
		copy(out[bytes.LastIndex(out, pub):], otherPub)
		return block("OPENSSH PRIVATE KEY", out)
	}
	cosignEC := must(cryptoutils.MarshalPrivateKeyToEncryptedDER(ecKey, cryptoutils.StaticPasswordFunc([]byte("p"))))

	for name, tt := range map[string]struct {
		data []byte
		want string
	}{
		"public PEM":            {p.Public().PEM(), "public key"},
		"public line":           {p.Public().AuthorizedKey("c"), "public key"},
		"RSA":                   {kind(rsaKey), "an RSA key, not Ed25519"},
		"ECDSA":                 {kind(ecKey), "an ECDSA key, not Ed25519"},
		"X25519":                {kind(x25519), "an X25519 key, not Ed25519"},
		"RSA, PKCS#1":           {block("RSA PRIVATE KEY", []byte{1}), "an RSA key, not Ed25519"},
		"ECDSA, SEC 1":          {block("EC PRIVATE KEY", []byte{1}), "an EC key, not Ed25519"},
		"RSA, OpenSSH":          {sshPEM(t, rsaKey, ""), `"ssh-rsa"`},
		"ECDSA, OpenSSH":        {sshPEM(t, ecKey, ""), `"ecdsa-sha2-nistp256"`},
		"RSA, OpenSSH, locked":  {sshPEM(t, rsaKey, "p"), `"ssh-rsa"`},
		"ECDSA, cosign":         {block("ENCRYPTED COSIGN PRIVATE KEY", cosignEC), "an ECDSA key, not Ed25519"},
		"encrypted PKCS#8":      {block("ENCRYPTED PRIVATE KEY", []byte{0x30, 0}), "damaged encrypted PKCS#8"},
		"sigstore, damaged":     {block("ENCRYPTED SIGSTORE PRIVATE KEY", []byte("{}")), "damaged"},
		"sigstore, not JSON":    {block("ENCRYPTED SIGSTORE PRIVATE KEY", der), "damaged"},
		"sigstore, costly":      {block("ENCRYPTED SIGSTORE PRIVATE KEY", []byte(`{"kdf":{"name":"scrypt","params":{"N":1073741824,"r":8,"p":1}},"cipher":{"name":"nacl/secretbox"}}`)), "damaged"},
		"legacy encryption":     {[]byte("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"), "headers"},
		"two keys":              {append(bytes.Clone(pkcs8), must(other.PKCS8PEM())...), "2 PEM blocks"},
		"pair in one file":      {append(bytes.Clone(pkcs8), p.Public().PEM()...), "2 PEM blocks"},
		"text after":            {append(bytes.Clone(pkcs8), "x\n"...), "text after"},
		"text before":           {append([]byte("Bag Attributes\n"), pkcs8...), "text before"},
		"DER behind the key":    {block("PRIVATE KEY", append(bytes.Clone(der), 0)), "more than the private key"},
		"PKCS#8 version 2":      {block("PRIVATE KEY", v2), "more than the private key"},
		"PKCS#8, 31 bytes":      {block("PRIVATE KEY", append(append([]byte{}, der[:15]...), der[17:]...)), "damaged PKCS#8"},
		"other public outside":  {swapped(pub, otherPub, 1), "outside"},
		"other public inside":   {inside(), "does not belong"},
		"OpenSSH, weak outside": {swapped(pub, make([]byte, 32), 1), "E_KEY_WEAK"},
		"OpenSSH, cut":          {block("OPENSSH PRIVATE KEY", []byte("openssh-key-v1\x00")), "damaged"},
		"OpenSSH, two keys":     {swapped([]byte("\x00\x00\x00\x01\x00\x00\x00\x33"), []byte("\x00\x00\x00\x02\x00\x00\x00\x33"), 1), "2 OpenSSH private keys"},
		"empty":                 {nil, "empty"},
		"raw seed":              {p.key.Seed(), "no key"},
	} {
		path := keyFile(t, tt.data)
		got, err := Load(path, pass("p"))
		if got != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, error %v, want one with %q", name, got, err, tt.want)
			continue
		}
		oneLine(t, name, err)
		if !strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("%s: %q does not begin with the file", name, err)
		}
	}
	if _, err := Load(keyFile(t, p.Public().PEM()), nil); !strings.Contains(hint.Of(err), "private key's file") {
		t.Errorf("a public key to sign with: hint %q", hint.Of(err))
	}
	if _, err := keys.LoadPublic(keyFile(t, pkcs8)); !strings.Contains(hint.Of(err), ".pub file") {
		t.Errorf("a private key to verify with: hint %q", hint.Of(err))
	}
}

// TestLoadEveryByte: a changed private key file never loads as the same
// key and never panics; each prefix is refused.
func TestLoadEveryByte(t *testing.T) {
	p := seeded(t, 3)
	for name, text := range map[string][]byte{"PKCS#8": must(p.PKCS8PEM()), "OpenSSH": sshPEM(t, p.key, "")} {
		load := func(data []byte) (*Key, error) {
			doc, err := keyfile.Scan(data)
			if err != nil {
				return nil, err
			}
			if !doc.Form.Private() {
				return nil, errors.New("public")
			}
			return open(doc, nil)
		}
		for i := range text[:len(text)-1] {
			for _, flip := range []byte{1, 2, 4, 0x20, 0x80} {
				bad := bytes.Clone(text)
				bad[i] ^= flip
				// OpenSSH's two check numbers and the comment are nobody's business.
				if got, err := load(bad); err == nil && name == "PKCS#8" && got.Public() == p.Public() {
					t.Errorf("%s: byte %d changed to %q: the same key", name, i, bad[i])
				}
			}
			if _, err := load(text[:i]); err == nil {
				t.Errorf("%s: accepted when cut at %d", name, i)
			}
		}
	}
}

func TestLoadMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "release.key")
	if _, err := Load(path, noPass(t)); !errors.Is(err, fs.ErrNotExist) || strings.Count(err.Error(), path) != 1 {
		t.Errorf("missing file: %v", err)
	}
	if _, err := Load(filepath.Dir(path), noPass(t)); err == nil || !strings.Contains(err.Error(), "directory") {
		t.Errorf("directory: %v", err)
	}
}

// The file that holds the passphrase is missing, not the key.
func TestLoadMissingPassphrase(t *testing.T) {
	path := keyFile(t, must(seeded(t, 1).EncryptedPEM([]byte("correct horse"))))
	secret := filepath.Join(t.TempDir(), "secret.txt")
	_, err := Load(path, func() ([]byte, error) { return os.ReadFile(secret) })
	if want := path + ": passphrase: open " + secret + ": "; !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v; want %s", err, want)
	}
}

// TestForeignPrivateKeys loads what ssh-keygen and openssl make.
func TestForeignPrivateKeys(t *testing.T) {
	t.Run("ssh-keygen", func(t *testing.T) {
		for name, secret := range map[string]string{"plain": "", "encrypted": "correct horse"} {
			path := filepath.Join(t.TempDir(), "key")
			command(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", secret, "-C", "release", "-f", path)
			p, err := Load(path, pass(secret))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			signs(t, name, p)
			public, err := keys.LoadPublic(path + ".pub")
			if err != nil || public != p.Public() {
				t.Errorf("%s: public key %v, %v", name, public.KeyID(), err)
			}
		}
	})
	t.Run("openssl", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "key")
		command(t, "openssl", "genpkey", "-algorithm", "ed25519", "-out", path)
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := Load(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		signs(t, "openssl", p)
		if public := command(t, "openssl", "pkey", "-in", path, "-pubout"); !bytes.Equal(public, p.Public().PEM()) {
			t.Errorf("public key %s, openssl's %s", p.Public().PEM(), public)
		}
		if own := must(os.ReadFile(path)); !bytes.Equal(own, must(p.PKCS8PEM())) {
			t.Errorf("PKCS8PEM differs from what openssl wrote")
		}
		for name, args := range map[string][]string{
			"pkey -aes256":   {"pkey", "-in", path, "-aes256"},
			"pkcs8 -v2":      {"pkcs8", "-topk8", "-in", path, "-v2", "aes-256-cbc"},
			"pkcs8 -scrypt":  {"pkcs8", "-topk8", "-in", path, "-scrypt"},
			"genpkey itself": {"genpkey", "-algorithm", "ed25519", "-aes-256-cbc"},
		} {
			locked := filepath.Join(t.TempDir(), "locked")
			passFlag := "-passout"
			if args[0] == "genpkey" {
				passFlag = "-pass"
			}
			command(t, "openssl", append(args, passFlag, "pass:correct horse", "-out", locked)...)
			if err := os.Chmod(locked, 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := Load(locked, pass("correct horse"))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			signs(t, name, got)
			if public := command(t, "openssl", "pkey", "-in", locked, "-passin", "pass:correct horse", "-pubout"); !bytes.Equal(public, got.Public().PEM()) {
				t.Errorf("%s: public key %s, openssl's %s", name, got.Public().PEM(), public)
			}
		}
	})
}

// FuzzScan: whatever the file, private forms are refused or read, without panic
// and without a passphrase.
func FuzzScan(f *testing.F) {
	p := seeded(f, 4)
	f.Add(must(p.PKCS8PEM()))
	f.Add(sshPEM(f, p.key, ""))
	f.Add(sshPEM(f, p.key, "x"))
	f.Add(block("ENCRYPTED SIGSTORE PRIVATE KEY", []byte(`{"kdf":{}}`)))
	f.Add(must(os.ReadFile("testdata/pbes2/scrypt.pem")))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := keyfile.Scan(data)
		if err != nil || !doc.Form.Private() {
			return
		}
		p, err := open(doc, nil)
		if err == nil && !bytes.Equal(ed25519.NewKeyFromSeed(p.key.Seed()), p.key) {
			t.Errorf("the halves of %v do not belong together", p)
		}
	})
}
