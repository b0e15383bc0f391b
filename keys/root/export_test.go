package root_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/relseal/relseal/keys/root"
)

// cut takes n bytes, or fails.
func cut(t *testing.T, b *[]byte, n int) []byte {
	t.Helper()
	if len(*b) < n {
		t.Fatalf("ends %d bytes early", n-len(*b))
	}
	taken := (*b)[:n]
	*b = (*b)[n:]
	return taken
}

func cutString(t *testing.T, b *[]byte) []byte {
	t.Helper()
	return cut(t, b, int(binary.BigEndian.Uint32(cut(t, b, 4))))
}

// The revocation list, read by the fields of PROTOCOL.krl.
func TestKRL(t *testing.T) {
	next, err := started(t).Signed().Change(root.Change{Revoke: []root.Revocation{{public(t, "three"), at(t, "2026-06-01T00:00:00Z")}}})
	if err != nil {
		t.Fatal(err)
	}
	b := next.KRL()
	if string(cut(t, &b, 8)) != "SSHKRL\n\x00" || binary.BigEndian.Uint32(cut(t, &b, 4)) != 1 {
		t.Error("magic, or format version")
	}
	if v := binary.BigEndian.Uint64(cut(t, &b, 8)); v != 2 {
		t.Errorf("version %d", v)
	}
	if d := binary.BigEndian.Uint64(cut(t, &b, 8)); d != uint64(at(t, "2026-06-01T00:00:00Z").Unix()) {
		t.Errorf("date %d", d)
	}
	if f := binary.BigEndian.Uint64(cut(t, &b, 8)); f != 0 {
		t.Errorf("flags %d", f)
	}
	if r, c := cutString(t, &b), cutString(t, &b); len(r) != 0 || string(c) != "root version 2" {
		t.Errorf("reserved %q, comment %q", r, c)
	}
	if kind := cut(t, &b, 1)[0]; kind != 2 {
		t.Errorf("section %d", kind)
	}
	section := cutString(t, &b)
	if key := cutString(t, &section); string(key) != string(public(t, "three").SSH()) || len(section) != 0 || len(b) != 0 {
		t.Error("not the one revoked key, or more than it")
	}
}

func TestAllowedSigners(t *testing.T) {
	next, err := started(t).Signed().Change(root.Change{Revoke: []root.Revocation{{public(t, "three"), at(t, "2026-06-01T00:00:00Z")}}})
	if err != nil {
		t.Fatal(err)
	}
	text := string(next.AllowedSigners())
	want := `audit,release.stable namespaces="relseal-bundle",valid-after="20260101000000Z",valid-before="20300101000000Z" ` + string(public(t, "one").AuthorizedKey(""))
	if !strings.Contains(text, want) || strings.Count(text, "\n") != 2 || strings.Contains(text, string(public(t, "three").AuthorizedKey(""))) {
		t.Errorf("%s\nwant in it\n%s", text, want)
	}
	if files := next.PublicKeys(); len(files) != 3 || string(files["audit-"+public(t, "one").KeyID().Hex()[:12]+".pub"]) != string(public(t, "one").PEM()) {
		t.Errorf("%d key files", len(files))
	}
}
