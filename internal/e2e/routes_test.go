package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/relseal/relseal/internal/testbundle"
	"github.com/relseal/relseal/keys"
)

// A route is a way to verify a bundle without any program of ours. Its script is
// run inside the unpacked bundle, with the publisher's key in release.pub,
// release.ssh.pub and allowed_signers, and ends with 0.
type route struct {
	name   string
	tools  []string
	script string
	breaks []breakage
}

// A breakage is a change to one file after which the script ends otherwise.
type breakage struct {
	file string
	edit func([]byte) []byte
	code int
}

var routes = []route{
	{
		name:   "sha256sum",
		tools:  []string{"sha256sum"},
		script: `sha256sum -c --strict SHA256SUMS`,
		breaks: []breakage{
			{"manifest.json", flip, 1},
			{"VERIFY.md", flip, 1},
			{"artifacts/out/greetd", flip, 1},
			{"SHA256SUMS", func(b []byte) []byte { return b[1:] }, 1},
		},
	},
	{
		name:  "openssl",
		tools: []string{"openssl"},
		script: `openssl dgst -sha256 -binary manifest.json > id.bin
openssl pkeyutl -verify -rawin -pubin -inkey release.pub -in id.bin -sigfile sig/bundle.id.sig`,
		breaks: []breakage{
			{"manifest.json", flip, 1},
			{"manifest.json", addByte, 1},
			{"sig/bundle.id.sig", flip, 1},
			{"sig/bundle.id.sig", addByte, 1},
			{"release.pub", otherKey, 1},
		},
	},
	{
		// The last line is what binds the statement to this bundle.
		name:  "DSSE",
		tools: []string{"jq", "base64", "openssl", "sha256sum"},
		script: `jq -r .dsseEnvelope.payload sig/manifest.sigstore.json | base64 -d > p.bin; T=application/vnd.in-toto+json
{ printf 'DSSEv1 %d %s %d ' ${#T} "$T" $(stat -c %s p.bin); cat p.bin; } > pae.bin
jq -rj '.dsseEnvelope.signatures[0].sig' sig/manifest.sigstore.json | base64 -d > s.bin
openssl pkeyutl -verify -rawin -pubin -inkey release.pub -in pae.bin -sigfile s.bin
jq -r '.subject[] | .digest.sha256 + "  " + .name' p.bin | sha256sum -c --strict`,
		breaks: []breakage{
			{"sig/manifest.sigstore.json", inEnvelope("payload"), 1},
			{"sig/manifest.sigstore.json", inEnvelope("sig"), 1},
			{"release.pub", otherKey, 1},
			{"manifest.json", flip, 1},
			{"SHA256SUMS", flip, 1},
		},
	},
	{
		name:   "ssh-keygen",
		tools:  []string{"ssh-keygen"},
		script: `ssh-keygen -Y verify -f allowed_signers -I release@example.test -n relseal-bundle -s sig/manifest.sshsig < manifest.json`,
		breaks: []breakage{
			{"manifest.json", flip, 255},
			{"manifest.json", addByte, 255},
			{"sig/manifest.sshsig", inSSHSIG, 255},
			{"allowed_signers", otherSigner, 255},
		},
	},
	{
		name:  "cosign",
		tools: []string{"cosign", "jq", "openssl"},
		script: `cosign verify-blob-attestation --key release.pub --bundle sig/manifest.sigstore.json --insecure-ignore-tlog=true \
   --type "https://github.com/relseal/relseal/$(jq -r .kind manifest.json)-bundle/v1" manifest.json
openssl dgst -sha256 -binary manifest.json > id.bin
cosign verify-blob --key release.pub --signature sig/bundle.id.sig --insecure-ignore-tlog=true id.bin`,
		breaks: []breakage{
			{"manifest.json", func(b []byte) []byte { return bytes.Replace(b, []byte("greetd"), []byte("greetz"), 1) }, 1},
			{"sig/manifest.sigstore.json", inEnvelope("payload"), 1},
			{"sig/manifest.sigstore.json", inEnvelope("sig"), 1},
			{"sig/bundle.id.sig", flip, 1},
			{"release.pub", otherKey, 1},
		},
	},
	{
		name:  "node",
		tools: []string{"node", "openssl"},
		script: `openssl dgst -sha256 -binary manifest.json > id.bin
node -e "const c=require('crypto'),f=require('fs');process.exit(c.verify(null,f.readFileSync('id.bin'),c.createPublicKey(f.readFileSync('release.pub')),f.readFileSync('sig/bundle.id.sig'))?0:1)"`,
		breaks: []breakage{
			{"manifest.json", flip, 1},
			{"sig/bundle.id.sig", flip, 1},
			{"release.pub", otherKey, 1},
		},
	},
}

// TestRoutes verifies the quickstart's bundles with each tool, and shows to each
// what it must refuse.
func TestRoutes(t *testing.T) {
	q := quickstart(t)
	for _, file := range q.bundles {
		for _, r := range routes {
			t.Run(kind(file)+"/"+r.name, func(t *testing.T) {
				t.Parallel()
				need(t, append(r.tools, "tar", "zstd")...)
				if strings.Contains(r.script, "stat -c") && runtime.GOOS != "linux" {
					t.Skip("stat -c is GNU's spelling")
				}
				dir := unpack(t, q, file)
				if e := bash(t, dir, r.script); e.code != 0 {
					t.Fatalf("exit %d, want 0\n%s", e.code, e)
				}
				for _, b := range r.breaks {
					undo := rewrite(t, filepath.Join(dir, b.file), b.edit)
					if e := bash(t, dir, r.script); e.code != b.code {
						t.Errorf("exit %d after a change in %s, want %d\n%s", e.code, b.file, b.code, e)
					}
					undo()
				}
			})
		}
	}
}

// The id that relseal gives to a key is the one of ssh-keygen.
func TestKeyID(t *testing.T) {
	need(t, "ssh-keygen")
	q := quickstart(t)
	e := bash(t, filepath.Dir(q.ssh), `ssh-keygen -l -f release.ssh.pub`)
	if f := strings.Fields(e.stdout); e.code != 0 || len(f) < 2 || f[1] != q.said.Key.ID {
		t.Errorf("ssh-keygen -l: exit %d, %q, want %s", e.code, e, q.said.Key.ID)
	}
}

// unpack does what a reader without relseal does first, and puts the key there.
func unpack(t *testing.T, q release, file string) string {
	t.Helper()
	need(t, "tar", "zstd")
	work := t.TempDir()
	copyFile(t, filepath.Join(work, "quickstart.tar.zst"), file)
	if e := bash(t, work, `mkdir b && tar --zstd -xf quickstart.tar.zst -C b`); e.code != 0 {
		t.Fatalf("tar: exit %d\n%s", e.code, e)
	}
	dir := filepath.Join(work, "b")
	copyFile(t, dir, q.public)
	copyFile(t, dir, q.ssh)
	line, err := os.ReadFile(q.ssh)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "allowed_signers"), append([]byte("release@example.test "), line...), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// kind is what the name of a bundle's file says of it.
func kind(file string) string {
	name := strings.TrimSuffix(filepath.Base(file), ".tar.zst")
	return name[strings.LastIndexByte(name, '.')+1:]
}

func addByte(b []byte) []byte { return append(b, '\n') }

// otherKey replaces the key by one that signed nothing.
func otherKey([]byte) []byte { return testbundle.NewKey("other").PEM() }

func otherSigner([]byte) []byte {
	key, err := keys.ParsePublic(otherKey(nil))
	if err != nil {
		panic(err)
	}
	return append([]byte("release@example.test "), key.AuthorizedKey("")...)
}

// inEnvelope changes one bit of what is base64 in a DSSE envelope, so that the
// JSON around it stays what it was.
func inEnvelope(member string) func([]byte) []byte {
	return func(file []byte) []byte {
		_, rest, ok := strings.Cut(string(file), `"`+member+`":"`)
		text, _, _ := strings.Cut(rest, `"`)
		data, err := base64.StdEncoding.DecodeString(text)
		if !ok || err != nil {
			panic(member + " is not in the envelope: " + string(file))
		}
		changed := base64.StdEncoding.EncodeToString(flip(data))
		file = []byte(strings.Replace(string(file), text, changed, 1))
		if !json.Valid(file) {
			panic("not JSON: " + string(file))
		}
		return file
	}
}

// inSSHSIG changes one bit of the signature, which the block ends with.
func inSSHSIG(file []byte) []byte {
	block, _ := pem.Decode(file)
	block.Bytes[len(block.Bytes)-32] ^= 1
	return pem.EncodeToMemory(block)
}
