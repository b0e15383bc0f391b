package private

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relseal/relseal/internal/keyfile"
)

func TestInspect(t *testing.T) {
	p := seeded(t, 1)
	id := p.Public().KeyID()
	weak := must(os.ReadFile(filepath.Join("../../testdata/keys", "weak-08.pem")))
	for name, tt := range map[string]struct {
		data []byte
		want Info
		id   bool
	}{
		"PEM":                {p.Public().PEM(), Info{Form: string(keyfile.PKIX)}, true},
		"line":               {p.Public().AuthorizedKey("release 2026"), Info{Form: string(keyfile.OpenSSHPublic), Comment: "release 2026"}, true},
		"PKCS#8":             {must(p.PKCS8PEM()), Info{Form: string(keyfile.PKCS8), Private: true}, true},
		"sigstore":           {must(p.EncryptedPEM([]byte("p"))), Info{Form: string(keyfile.SigstorePrivate), Private: true, Encrypted: true}, false},
		"OpenSSH":            {sshPEM(t, p.key, ""), Info{Form: string(keyfile.OpenSSHPrivate), Private: true}, true},
		"OpenSSH, encrypted": {sshPEM(t, p.key, "p"), Info{Form: string(keyfile.OpenSSHPrivate), Private: true, Encrypted: true}, true},
		"encrypted PKCS#8":   {must(os.ReadFile("testdata/pbes2/aes-256-cbc.pem")), Info{Form: string(keyfile.EncryptedPKCS8), Private: true, Encrypted: true}, false},
		"weak":               {weak, Info{Form: string(keyfile.PKIX), Weak: true}, false},
	} {
		path := keyFile(t, tt.data)
		got, err := Inspect(path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if tt.id != (got.ID != nil && *got.ID == id && got.Public == p.Public()) {
			t.Errorf("%s: id %v, public %v", name, got.ID, got.Public.KeyID())
		}
		if modes && (got.Mode == nil || *got.Mode != "0600") {
			t.Errorf("%s: mode %v", name, got.Mode)
		}
		tt.want.File, tt.want.ID, tt.want.Mode, tt.want.Public = path, got.ID, got.Mode, got.Public
		if got != tt.want {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
		if data, err := json.Marshal(got); err != nil || strings.Contains(string(data), "Public") {
			t.Errorf("%s: JSON %s (%v)", name, data, err)
		}
	}
	for name, data := range map[string][]byte{"empty": nil, "text": []byte("hello\n"), "RSA": must(os.ReadFile(filepath.Join("../../testdata/keys", "rsa.pem"))), "damaged": block("ENCRYPTED PRIVATE KEY", []byte{0x30, 0})} {
		if info, err := Inspect(keyFile(t, data)); err == nil || info != (Info{}) {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
	}
	if _, err := Inspect(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a missing file is inspected")
	}
}
