package sign

import (
	"bytes"
	"crypto/ed25519"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// tool returns a function that runs a program in dir and reports its output and
// whether it exited with 0.
func tool(t *testing.T, name, dir string) func(stdin []byte, args ...string) (string, bool) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed: its half of this test does not run", name)
	}
	return func(stdin []byte, args ...string) (string, bool) {
		cmd := exec.Command(path, args...)
		cmd.Dir, cmd.Stdin = dir, bytes.NewReader(stdin)
		out, err := cmd.CombinedOutput()
		return string(out), err == nil
	}
}

func write(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestAgainstSSHKeygen makes a key with ssh-keygen and holds that both sides
// name the key alike, sign alike and accept each other's signatures.
func TestAgainstSSHKeygen(t *testing.T) {
	dir := t.TempDir()
	run := tool(t, "ssh-keygen", dir)
	if out, ok := run(nil, "-q", "-t", "ed25519", "-N", "", "-C", "release@example.test", "-f", "key"); !ok {
		t.Skipf("ssh-keygen makes no Ed25519 key here: %s", out)
	}
	data, err := os.ReadFile(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := ssh.ParseRawPrivateKey(data)
	if err != nil {
		t.Fatal(err)
	}
	priv := *parsed.(*ed25519.PrivateKey)
	key, err := ParsePublicKey(priv.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}

	if line, err := os.ReadFile(filepath.Join(dir, "key.pub")); err != nil || !bytes.Equal(line, key.AuthorizedKey("release@example.test")) {
		t.Errorf("public line %q, want %q (%v)", key.AuthorizedKey("release@example.test"), line, err)
	}
	write(t, dir, "bare.pub", key.AuthorizedKey(""))
	for _, name := range []string{"key.pub", "bare.pub"} {
		if out, ok := run(nil, "-l", "-f", name); !ok || !strings.Contains(out, " "+key.KeyID().String()+" ") {
			t.Errorf("ssh-keygen -l -f %s: %q, want %s", name, out, key.KeyID())
		}
	}

	manifest := []byte(`{"schema":"relseal/release-bundle/v1"}`)
	write(t, dir, "manifest.json", manifest)
	if out, ok := run(nil, "-Y", "sign", "-f", "key", "-n", Namespace, "manifest.json"); !ok {
		t.Fatalf("ssh-keygen -Y sign: %s", out)
	}
	theirs, err := os.ReadFile(filepath.Join(dir, "manifest.json.sig"))
	if err != nil {
		t.Fatal(err)
	}
	ours := SSHSIG(key, Namespace, Signature(ed25519.Sign(priv, SSHSIGMessage(Namespace, manifest))))
	if !bytes.Equal(ours, theirs) {
		t.Errorf("ours:\n%s\nssh-keygen's:\n%s", ours, theirs)
	}

	write(t, dir, "manifest.sshsig", ours)
	write(t, dir, "allowed", append([]byte("release@example.test "), key.AuthorizedKey("")...))
	verify := func(message []byte, namespace string) bool {
		_, ok := run(message, "-Y", "verify", "-f", "allowed", "-I", "release@example.test", "-n", namespace, "-s", "manifest.sshsig")
		return ok
	}
	if !verify(manifest, Namespace) {
		t.Error("ssh-keygen -Y verify refuses our signature")
	}
	if verify(append(manifest, '\n'), Namespace) {
		t.Error("ssh-keygen -Y verify accepts another manifest")
	}
	if verify(manifest, "git") {
		t.Error("ssh-keygen -Y verify accepts another namespace")
	}
}

// TestAgainstOpenSSL makes a key with openssl and verifies with it what the
// documentation of the bundle tells people to verify with it.
func TestAgainstOpenSSL(t *testing.T) {
	dir := t.TempDir()
	run := tool(t, "openssl", dir)
	key, priv := seeded(7)
	write(t, dir, "release.pub", key.PEM())
	if out, ok := run(nil, "pkey", "-pubin", "-in", "release.pub", "-pubout"); !ok || out != string(key.PEM()) {
		t.Skipf("openssl cannot read Ed25519 keys or writes them otherwise: %q", out)
	}

	id := Sum([]byte("manifest"))
	statement, err := Statement([]byte("manifest"), []byte("sums"), testPredicate)
	if err != nil {
		t.Fatal(err)
	}
	for name, message := range map[string][]byte{
		"bundle id": id[:],
		"DSSE":      PAE(PayloadType, statement),
		"SSHSIG":    SSHSIGMessage(Namespace, []byte("manifest")),
	} {
		verify := func(message []byte) bool {
			write(t, dir, "message", message)
			_, ok := run(nil, "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", "release.pub", "-in", "message", "-sigfile", "sig")
			return ok
		}
		write(t, dir, "sig", ed25519.Sign(priv, message))
		if !verify(message) {
			t.Errorf("%s: openssl refuses our signature", name)
		}
		changed := bytes.Clone(message)
		changed[len(changed)-1] ^= 1
		if verify(changed) {
			t.Errorf("%s: openssl accepts a changed message", name)
		}
	}

	// The other way: openssl signs, and the signature is the one we would make.
	if out, ok := run(nil, "genpkey", "-algorithm", "ed25519", "-out", "other.key"); !ok {
		t.Fatalf("openssl genpkey: %s", out)
	}
	write(t, dir, "message", id[:])
	if out, ok := run(nil, "pkeyutl", "-sign", "-rawin", "-inkey", "other.key", "-in", "message", "-out", "other.sig"); !ok {
		t.Fatalf("openssl pkeyutl -sign: %s", out)
	}
	der, ok := run(nil, "pkey", "-in", "other.key", "-pubout", "-outform", "DER")
	if !ok {
		t.Fatalf("openssl pkey: %s", der)
	}
	other, err := ParsePublicKey([]byte(der)[len(der)-32:])
	if err != nil || string(other.SPKI()) != der {
		t.Fatalf("SPKI %x, want %x (%v)", other.SPKI(), der, err)
	}
	sig, err := os.ReadFile(filepath.Join(dir, "other.sig"))
	if err != nil || len(sig) != 64 || !other.Verify(id[:], Signature(sig)) {
		t.Errorf("openssl's signature %x does not verify (%v)", sig, err)
	}
}
