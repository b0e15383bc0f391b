package keys

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/keyfile"
	"github.com/relseal/relseal/sign"
)

const vectorDir = "../testdata/keys"

// policy is what relseal does where the vectors leave it to the reader. The
// lines end as they do because Git or an editor changed them, and that cannot
// hide anything; what stands before the key can.
var policy = map[string]string{
	"crlf.pem":         "accept", // every line end is CRLF
	"nonl.pem":         "accept", // no final newline
	"openssh.pub":      "accept", // the form ssh-keygen writes
	"leading-text.pem": "reject", // tools differ in which of two keys they then use
	"bom.pem":          "reject", // openssl refuses it too
}

type vectorRow struct {
	File, Expect, Why string
	RawHex            string `json:"raw_hex"`
}

func TestPublicVectors(t *testing.T) {
	index, err := os.ReadFile(filepath.Join(vectorDir, "index.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{"index.jsonl": true}
	for line := range strings.Lines(string(index)) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		var row vectorRow
		d := json.NewDecoder(strings.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&row); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		seen[row.File] = true
		want := row.Expect
		if want == "policy" {
			want = policy[row.File]
			delete(policy, row.File)
		}
		path := filepath.Join(vectorDir, row.File)
		key, err := LoadPublic(path)
		switch {
		case want == "accept" && err == nil:
			if row.RawHex != "" && hex.EncodeToString(key.Bytes()) != row.RawHex {
				t.Errorf("%s: key %x, want %s", row.File, key.Bytes(), row.RawHex)
			}
		case want == "reject" && err != nil:
			oneLine(t, row.File, err)
			if !key.IsZero() || !strings.HasPrefix(err.Error(), path+": ") {
				t.Errorf("%s: key %x, error %q", row.File, key.Bytes(), err)
			}
			if weak := strings.HasPrefix(row.File, "weak-"); errors.Is(err, sign.ErrWeakKey) != weak {
				t.Errorf("%s: %v", row.File, err)
			}
		default:
			t.Errorf("%s (%s): error %v, want %s", row.File, row.Why, err, want)
		}
	}
	if len(policy) != 0 {
		t.Errorf("no vector for the policies %v", policy)
	}
	files, err := os.ReadDir(vectorDir)
	if err != nil || len(files) < 30 {
		t.Fatalf("%d vectors (%v)", len(files), err)
	}
	for _, f := range files {
		if !seen[f.Name()] {
			t.Errorf("%s is not in the index", f.Name())
		}
	}
}

// sshLineOf returns an OpenSSH line with any type, name inside and key bytes.
func sshLineOf(kind, inner string, raw []byte) string {
	var wire []byte
	for _, s := range []string{inner, string(raw)} {
		wire = append(binary.BigEndian.AppendUint32(wire, uint32(len(s))), s...)
	}
	return kind + " " + base64.StdEncoding.EncodeToString(wire)
}

func TestParsePublicForms(t *testing.T) {
	key := seeded(t, 1).Public()
	pemText, line := string(key.PEM()), string(key.AuthorizedKey("release@example.test"))
	bare := strings.TrimSuffix(string(key.AuthorizedKey("")), "\n")
	accept := map[string]string{
		"PEM":                  pemText,
		"line":                 line,
		"line, no comment":     bare + "\n",
		"line, empty comment":  bare + " \n", // ssh-keygen -C ''
		"line, no newline":     bare,
		"line, CRLF":           bare + " c\r\n",
		"line, spaces":         bare + " made for  releases\n",
		"line, UTF-8":          bare + " Schlüssel\n",
		"line, looks like PEM": bare + " -----END\n",
	}
	for name, text := range accept {
		if got, err := ParsePublic([]byte(text)); err != nil || got != key {
			t.Errorf("%s: key %x, error %v", name, got.Bytes(), err)
		}
	}

	small := make([]byte, 32)
	reject := map[string]struct{ text, want string }{
		"two PEM blocks":       {pemText + pemText, "2 PEM blocks"},
		"PEM and line":         {pemText + line, "text after"},
		"line and PEM":         {line + pemText, "text before"},
		"two lines":            {line + line, "more than the one line"},
		"line, blank line":     {line + "\n", "more than the one line"},
		"line, comment before": {"# release\n" + line, "more than the one line"},
		"PEM, blank line":      {pemText + "\n", "text after"},
		"PEM, blank before":    {"\n" + pemText, "text before"},
		"PEM, space after":     {strings.TrimSuffix(pemText, "\n") + " \n", ""},
		"PEM, mixed line ends": {strings.Replace(pemText, "\n", "\r\n", 1), ""},
		"PEM, CR alone":        {strings.ReplaceAll(pemText, "\n", "\r"), ""},
		"PEM, NUL":             {pemText + "\x00", "text after"},
		"PEM, cut":             {pemText[:60], "damaged"},
		"PEM, wrapped":         {pemText[:40] + "\n" + pemText[40:], "not the PEM form"},
		"line, options":        {`cert-authority,restrict ` + line, "text before"},
		"allowed signer":       {"release@example.test " + line, "text before"},
		"known host":           {"host.example.test " + line, "text before"},
		"line, two spaces":     {strings.Replace(line, " ", "  ", 1), ""},
		"line, tab":            {strings.Replace(line, " ", "\t", 1), ""},
		"line, indented":       {" " + line, "text before"},
		"line, no padding":     {strings.Replace(bare, "AAAA", "AAA", 1), ""},
		"line, control":        {bare + " a\x1b[2J\n", "control"},
		"line, not UTF-8":      {bare + " \xff\n", "control"},
		"RSA line":             {"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC=", "ssh-rsa"},
		"ECDSA line":           {"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY= x", "ecdsa-sha2-nistp256"},
		"FIDO line":            {"sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t x", "FIDO"},
		"certificate line":     {"ssh-ed25519-cert-v01@openssh.com AAAA x", "certificate"},
		"RSA inside":           {sshLineOf("ssh-ed25519", "ssh-rsa", key.Bytes()), "ssh-rsa"},
		"31 bytes":             {sshLineOf("ssh-ed25519", "ssh-ed25519", key.Bytes()[:31]), "32 bytes"},
		"weak line":            {sshLineOf("ssh-ed25519", "ssh-ed25519", small), "E_KEY_WEAK"},
		"certificate":          {string(block("CERTIFICATE", []byte{1})), "CERTIFICATE"},
		"PKCS#1":               {string(block("RSA PUBLIC KEY", []byte{1})), "RSA key"},
		"SSH signature":        {string(block("SSH SIGNATURE", []byte{1})), "SSH SIGNATURE"},
		"UTF-16":               {"\xff\xfe-\x00", "byte order mark"},
		"too long":             {strings.Repeat("A", keyfile.MaxFile+1), "too long"},
		"nothing":              {"", "empty"},
		"newline":              {"\n", "no key"},
		"DER":                  {string(key.SPKI()), "no key"},
		"DER behind":           {string(block("PUBLIC KEY", append(key.SPKI(), 0))), "RFC 8410"},
		"private key":          {string(must(seeded(t, 1).PKCS8PEM())), "private key"},
	}
	for name, tt := range reject {
		got, err := ParsePublic([]byte(tt.text))
		if err == nil || !got.IsZero() || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: key %x, error %v, want one with %q", name, got.Bytes(), err, tt.want)
			continue
		}
		oneLine(t, name, err)
	}
	for _, name := range []string{"private key", "DER", "two PEM blocks", "RSA line", "certificate"} {
		if _, err := ParsePublic([]byte(reject[name].text)); hint.Of(err) == "" {
			t.Errorf("%s: no hint with %v", name, err)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestParsePublicEveryByte: no changed or shortened file yields the same key,
// save in the comment.
func TestParsePublicEveryByte(t *testing.T) {
	key := seeded(t, 2).Public()
	for _, text := range [][]byte{key.PEM(), key.AuthorizedKey("")} {
		for i := range text {
			for flip := 1; flip < 256; flip++ {
				bad := bytes.Clone(text)
				bad[i] ^= byte(flip)
				if got, err := ParsePublic(bad); err == nil && got == key && i < len(text)-1 {
					t.Errorf("byte %d changed to %q: the same key", i, bad[i])
				}
			}
			if _, err := ParsePublic(text[:i]); err == nil && i < len(text)-1 {
				t.Errorf("accepted when cut at %d", i)
			}
		}
	}
}

func TestLoadPublicPlaces(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "none.pub")
	if _, err := LoadPublic(missing); !errors.Is(err, fs.ErrNotExist) || strings.Count(err.Error(), missing) != 1 {
		t.Errorf("missing file: %v", err)
	}
	if _, err := LoadPublic(dir); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("directory: %v", err)
	}
	big := keyFile(t, make([]byte, keyfile.MaxFile+1))
	if _, err := LoadPublic(big); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("long file: %v", err)
	}
	_, err := LoadPublic(filepath.Join(dir, "a\nb.pub"))
	if err == nil {
		t.Fatal("a file that is not there loads")
	}
	oneLine(t, "line break in a name", err)
}

// FuzzParsePublic: what parses is the PEM or the line of its key, but for line
// ends and comment; and it never panics.
func FuzzParsePublic(f *testing.F) {
	key := seeded(f, 3).Public()
	f.Add(key.PEM())
	f.Add(key.AuthorizedKey("c"))
	f.Add(bytes.ReplaceAll(key.PEM(), []byte("\n"), []byte("\r\n")))
	f.Add([]byte("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----\n"))
	seeds, err := filepath.Glob("../testdata/keys/*")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range seeds {
		f.Add(must(os.ReadFile(name)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		key, err := ParsePublic(data)
		if err != nil {
			if !key.IsZero() {
				t.Errorf("a key beside the error %v", err)
			}
			return
		}
		text := strings.ReplaceAll(string(data), "\r\n", "\n")
		line := strings.TrimSuffix(string(key.AuthorizedKey("")), "\n")
		if strings.TrimSuffix(text, "\n")+"\n" != string(key.PEM()) && !strings.HasPrefix(text, line) {
			t.Errorf("key %x from %q", key.Bytes(), data)
		}
		if bytes.Count(data, []byte("\n")) > 3 {
			t.Errorf("%d lines hold one key: %q", bytes.Count(data, []byte("\n")), data)
		}
	})
}
