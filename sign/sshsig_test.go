package sign

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/relseal/relseal/internal/limits"
)

func TestSSHSIGRoundTrip(t *testing.T) {
	key, priv := seeded(4)
	// Namespaces of all lengths end the last line at every column.
	for n := 1; n <= 2*sshsigColumns; n++ {
		namespace := strings.Repeat("n", n)
		sig := Signature(ed25519.Sign(priv, SSHSIGMessage(namespace, []byte("manifest"))))
		armored := SSHSIG(key, namespace, sig)
		got, err := SSHSIGSignature(armored)
		if err != nil || got != sig {
			t.Errorf("namespace of %d: %v, %v", n, got, err)
		}
		lines := strings.Split(strings.TrimSuffix(string(armored), "\n"), "\n")
		for i, line := range lines[1 : len(lines)-1] {
			if last := i == len(lines)-3; len(line) == 0 || len(line) > 70 || !last && len(line) != 70 {
				t.Errorf("namespace of %d: line %d has %d columns", n, i, len(line))
			}
		}
	}
}

func TestSSHSIGEveryByte(t *testing.T) {
	key, priv := seeded(4)
	message := SSHSIGMessage(Namespace, []byte("manifest"))
	armored := SSHSIG(key, Namespace, Signature(ed25519.Sign(priv, message)))
	for i := range armored {
		for _, flip := range []byte{1, 0x20, 0x80} {
			bad := bytes.Clone(armored)
			bad[i] ^= flip
			sig, err := SSHSIGSignature(bad)
			if err == nil && bytes.Equal(SSHSIG(key, Namespace, sig), bad) && key.Verify(message, sig) {
				t.Errorf("byte %d changed to %q: unnoticed", i, bad[i])
			}
		}
		if _, err := SSHSIGSignature(armored[:i]); err == nil {
			t.Errorf("accepted when cut at %d", i)
		}
	}
}

func TestSSHSIGRefuses(t *testing.T) {
	key, priv := seeded(4)
	sig := Signature(ed25519.Sign(priv, SSHSIGMessage(Namespace, nil)))
	good := string(SSHSIG(key, Namespace, sig))
	str := func(parts ...string) string {
		var b []byte
		for _, p := range parts {
			b = appendSSH(b, []byte(p))
		}
		return string(b)
	}
	armor := func(blob string) string {
		text, out := base64.StdEncoding.EncodeToString([]byte(blob)), sshsigBegin
		for ; len(text) > 70; text = text[70:] {
			out += text[:70] + "\n"
		}
		return out + text + "\n" + sshsigEnd
	}
	head := func(version uint32) string {
		return string(binary.BigEndian.AppendUint32([]byte("SSHSIG"), version))
	}
	pub, made := string(key.SSH()), str("ssh-ed25519", string(sig[:]))
	weak := str("ssh-ed25519", string(make([]byte, 32)))
	if armor(head(1)+str(pub, Namespace, "", "sha512", made)) != good {
		t.Fatal("the test builds another form than SSHSIG")
	}
	tests := map[string]string{
		"empty":            "",
		"text before":      "x\n" + good,
		"text after":       good + "\n",
		"CRLF":             strings.ReplaceAll(good, "\n", "\r\n"),
		"no final newline": strings.TrimSuffix(good, "\n"),
		"64 columns":       rewrap(good, 64),
		"76 columns":       rewrap(good, 76),
		"two":              good + good,
		"version 2":        armor(head(2) + str(pub, Namespace, "", "sha512", made)),
		"version 0":        armor(head(0) + str(pub, Namespace, "", "sha512", made)),
		"sha256":           armor(head(1) + str(pub, Namespace, "", "sha256", made)),
		"reserved":         armor(head(1) + str(pub, Namespace, "x", "sha512", made)),
		"no namespace":     armor(head(1) + str(pub, "", "", "sha512", made)),
		"trailing data":    armor(head(1) + str(pub, Namespace, "", "sha512", made) + "x"),
		"trailing string":  armor(head(1) + str(pub, Namespace, "", "sha512", made, "")),
		"field missing":    armor(head(1) + str(pub, Namespace, "", "sha512")),
		"other magic":      armor("SSHSIH" + head(1)[6:] + str(pub, Namespace, "", "sha512", made)),
		"only magic":       armor("SSHSIG"),
		"huge length":      armor(head(1) + "\xff\xff\xff\xff" + pub),
		"weak key":         armor(head(1) + str(weak, Namespace, "", "sha512", made)),
		"31-byte key":      armor(head(1) + str(str("ssh-ed25519", string(make([]byte, 31))), Namespace, "", "sha512", made)),
		"other key":        armor(head(1) + str(str("ssh-ed448", string(key.Bytes())), Namespace, "", "sha512", made)),
		"other algorithm":  armor(head(1) + str(pub, Namespace, "", "sha512", str("ssh-ed448", string(sig[:])))),
		"63-byte":          armor(head(1) + str(pub, Namespace, "", "sha512", str("ssh-ed25519", string(sig[:63])))),
		"key inside key":   armor(head(1) + str(pub+str("x"), Namespace, "", "sha512", made)),
		"too long":         strings.Repeat("A", limits.Signature+1),
	}
	for name, text := range tests {
		if _, err := SSHSIGSignature([]byte(text)); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func rewrap(armored string, columns int) string {
	text := strings.TrimSuffix(strings.TrimPrefix(armored, sshsigBegin), sshsigEnd)
	text, out := strings.ReplaceAll(text, "\n", ""), sshsigBegin
	for ; len(text) > columns; text = text[columns:] {
		out += text[:columns] + "\n"
	}
	return out + text + "\n" + sshsigEnd
}

func TestAuthorizedKey(t *testing.T) {
	key, _ := seeded(5)
	bare := string(key.AuthorizedKey(""))
	if strings.Count(bare, " ") != 1 || strings.Count(bare, "\n") != 1 || !strings.HasSuffix(bare, "\n") {
		t.Errorf("without a comment: %q", bare)
	}
	for comment, want := range map[string]string{
		"release@example.test":     " release@example.test",
		"  spaced out  ":           " spaced out",
		"Freigabe für 2026":        " Freigabe für 2026",
		"a\nssh-ed25519 AAAA evil": " assh-ed25519 AAAA evil",
		"\r\n\t\x00":               "",
	} {
		if got := string(key.AuthorizedKey(comment)); got != strings.TrimSuffix(bare, "\n")+want+"\n" {
			t.Errorf("comment %q: %q", comment, got)
		}
	}
}
