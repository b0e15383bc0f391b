package root_test

import (
	"bytes"
	"crypto/ed25519"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relseal/relseal/internal/testbundle"
	"github.com/relseal/relseal/keys/root"
	"github.com/relseal/relseal/sign"
)

// A holder signs with one of the test keys.
type holder struct {
	key    testbundle.Key
	public sign.PublicKey
}

func public(t *testing.T, name string) sign.PublicKey {
	t.Helper()
	k, err := sign.ParsePublicKey(ed25519.PublicKey(rawKey(name)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func hold(t *testing.T, name string) holder { return holder{key(name), public(t, name)} }

func (h holder) Public() sign.PublicKey { return h.public }

func (h holder) Sign(m []byte) (sign.Signature, error) { return sign.Signature(h.key.Sign(m)), nil }

func at(t *testing.T, s string) root.Time {
	t.Helper()
	v, err := root.ParseTime(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// started is version 1 as Change makes it: the same bytes as by hand.
func started(t *testing.T) *root.Root {
	t.Helper()
	add := func(role, name string) root.Addition {
		return root.Addition{Role: role, Key: public(t, name), NotBefore: at(t, "2026-01-01T00:00:00Z"), NotAfter: at(t, "2030-01-01T00:00:00Z")}
	}
	r, err := root.Signed{}.Change(root.Change{
		Expires: at(t, "2031-01-01T00:00:00Z"),
		Add: []root.Addition{add(root.RootRole, "bob"), add(root.RootRole, "alice"), add(sign.RoleAudit, "one"),
			add(sign.RoleReleaseStable, "one"), add(sign.RoleReleaseStable, "two"), add(sign.RoleReleaseStable, "three")},
		Thresholds: map[string]int{root.RootRole: 2, sign.RoleReleaseStable: 2},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func bothSign(t *testing.T, prev, r *root.Root, names ...string) []byte {
	t.Helper()
	for _, n := range names {
		var err error
		if r, err = r.Sign(prev, hold(t, n)); err != nil {
			t.Fatal(err)
		}
	}
	data, err := r.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestChangeMakesWhatTheListMakes(t *testing.T) {
	if got := bothSign(t, nil, started(t), "bob", "alice"); !bytes.Equal(got, pinned) {
		t.Errorf("got\n%s\nwant\n%s", got, pinned)
	}
}

func TestRotateAndRevoke(t *testing.T) {
	first := started(t)
	next, err := first.Signed().Change(root.Change{
		Retire: []root.Retirement{{sign.RoleAudit, public(t, "one"), at(t, "2027-01-01T00:00:00Z")}},
		Revoke: []root.Revocation{{public(t, "three"), at(t, "2026-06-01T00:00:00Z")}},
		Add:    []root.Addition{{sign.RoleAudit, public(t, "four"), at(t, "2027-01-01T00:00:00Z"), at(t, "2031-01-01T00:00:00Z")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	chain, err := root.Pin(bothSign(t, nil, first, "alice", "bob"))
	if err != nil {
		t.Fatal(err)
	}
	if err := chain.Add(bothSign(t, first, next, "alice", "bob")); err != nil {
		t.Fatal(err)
	}
	g, ok := chain.Grant(sign.RoleAudit, public(t, "one").KeyID())
	if !ok || g.Status != sign.Retired || g.NotAfter != at(t, "2027-01-01T00:00:00Z").Time {
		t.Errorf("the retired key: %+v", g)
	}
	if g, _ := chain.Grant(sign.RoleReleaseStable, public(t, "three").KeyID()); g.Status != sign.Revoked || g.RevokedSince != at(t, "2026-06-01T00:00:00Z").Time {
		t.Errorf("the revoked key: %+v", g)
	}
	if _, ok := chain.Verifier(public(t, "alice").KeyID()); ok {
		t.Error("a root key may sign bundles")
	}
	if len(root.Diff(first, next)) != 7 { // one: 2, four: 3, three: 2
		t.Errorf("differences: %+v", root.Diff(first, next))
	}
}

func TestChangeRefuses(t *testing.T) {
	s := started(t).Signed()
	later := at(t, "2027-01-01T00:00:00Z")
	for _, c := range []struct {
		what string
		c    root.Change
	}{
		{"is not active in it", root.Change{Retire: []root.Retirement{{sign.RoleLedger, public(t, "one"), later}}}},
		{"has no role", root.Change{Revoke: []root.Revocation{{public(t, "four"), later}}}},
		{"has it already", root.Change{Add: []root.Addition{{sign.RoleAudit, public(t, "one"), later, later}}}},
		{"nobody could sign", root.Change{Revoke: []root.Revocation{{public(t, "one"), later}, {public(t, "two"), later}}}},
		{"nobody could sign", root.Change{Retire: []root.Retirement{{root.RootRole, public(t, "bob"), later}}}},
		{"role audit: the threshold is 1, of 0: nobody could sign", root.Change{Retire: []root.Retirement{{sign.RoleAudit, public(t, "one"), later}}}},
		{"nobody has it", root.Change{Thresholds: map[string]int{sign.RoleLedger: 1}}},
		{"there is no role", root.Change{Add: []root.Addition{{"release.beta", public(t, "one"), later, later}}}},
	} {
		if _, err := s.Change(c.c); err == nil || !strings.Contains(err.Error(), c.what) {
			t.Errorf("%+v: %v, want %q", c.c, err, c.what)
		}
	}
}

func TestSignRefuses(t *testing.T) {
	first := started(t)
	if _, err := first.Sign(nil, hold(t, "carol")); err == nil || !strings.Contains(err.Error(), "is no root key") {
		t.Errorf("signed by nobody's key: %v", err)
	}
	once, err := first.Sign(nil, hold(t, "alice"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := once.Sign(nil, hold(t, "alice")); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("signed twice: %v", err)
	}
}

// TestKeygen asks ssh-keygen about the exported files.
func TestKeygen(t *testing.T) {
	tool, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("ssh-keygen is not installed")
	}
	first := started(t)
	next, err := first.Signed().Change(root.Change{Revoke: []root.Revocation{{public(t, "three"), at(t, "2026-06-01T00:00:00Z")}}})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	krl, none := write("krl", next.KRL()), write("none", first.KRL())
	for name, gone := range map[string]bool{"one": false, "three": true} {
		pub := write(name, public(t, name).AuthorizedKey(""))
		if err := exec.Command(tool, "-Q", "-f", krl, pub).Run(); (err != nil) != gone {
			t.Errorf("ssh-keygen -Q of %s: %v", name, err)
		}
		if out, err := exec.Command(tool, "-Q", "-f", none, pub).CombinedOutput(); err != nil {
			t.Errorf("ssh-keygen -Q of an empty list: %v\n%s", err, out)
		}
	}

	message := []byte("a manifest")
	now, then := write("now", next.AllowedSigners()), write("then", first.AllowedSigners())
	for _, c := range []struct {
		signer, role, signers, at, krl string
		ok                             bool
	}{
		{"one", "audit", now, "20270101Z", krl, true},
		{"one", "release.stable", now, "20270101Z", krl, true},
		{"one", "ledger", now, "20270101Z", krl, false},
		{"one", "audit", now, "20251231Z", krl, false},
		{"one", "audit", now, "20300102Z", krl, false},
		{"three", "release.stable", then, "20270101Z", none, true},
		{"three", "release.stable", then, "20270101Z", krl, false},
		{"three", "release.stable", now, "20270101Z", none, false},
	} {
		sig := write("sig", sign.SSHSIG(public(t, c.signer), sign.Namespace, sign.Signature(key(c.signer).Sign(sign.SSHSIGMessage(sign.Namespace, message)))))
		cmd := exec.Command(tool, "-Y", "verify", "-f", c.signers, "-I", c.role, "-n", sign.Namespace, "-s", sig, "-r", c.krl, "-O", "verify-time="+c.at)
		cmd.Stdin = bytes.NewReader(message)
		if out, err := cmd.CombinedOutput(); (err == nil) != c.ok {
			t.Errorf("%+v: %v\n%s", c, err, out)
		}
	}
}
