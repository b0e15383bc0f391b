package bundle

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/relseal/relseal/sign"
)

// auditInput returns what SealAudit is given: a manifest and files that fit it.
func auditInput() (AuditManifest, []Content) {
	m := goodAudit()
	var files []Content
	for _, f := range m.Files {
		data := []byte("content of " + f.Path + strings.Repeat("\n.", len(f.Path)*20))
		if f.Role == RoleArtifact {
			data = []byte("x") // as artifacts say
		}
		files = append(files, BytesContent(f.Path, f.Role, data))
	}
	m.Schema, m.Kind, m.Files, m.Verifier = "", "", nil, KeyRef{}
	return m, files
}

func sealAudit(t testing.TB) (sign.Digest, []byte) {
	t.Helper()
	m, files := auditInput()
	var b bytes.Buffer
	id, err := SealAudit(&b, m, files, newTestKey())
	if err != nil {
		t.Fatal(err)
	}
	return id, b.Bytes()
}

func decode(t testing.TB, packed []byte) []byte {
	t.Helper()
	dec, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	tar, err := dec.DecodeAll(packed, nil)
	if err != nil {
		t.Fatal(err)
	}
	return tar
}

func TestSealAudit(t *testing.T) {
	id, packed := sealAudit(t)
	got := readBytes(t, packed)
	if got.rejected() {
		t.Fatal(got)
	}
	want := []string{
		ManifestPath, SigIDPath, SigDSSEPath, SigSSHPath, SumsPath, GuidePath, "artifacts/out/a",
		TrailPath, ParamPath, PipelinePath, EnvLockPath,
	}
	if !slices.Equal(paths(got.files), want) {
		t.Errorf("files %q, want %q", paths(got.files), want)
	}
	manifest := []byte(got.files[0].data)
	if sign.Sum(manifest) != id {
		t.Errorf("bundle.id is %s, the manifest's digest %s", id, sign.Sum(manifest))
	}
	m, err := ReadAuditManifest(manifest)
	if err != nil {
		t.Fatal(err)
	}
	key := newTestKey().Public()
	if m.Verifier.PKRef != key.KeyID() {
		t.Errorf("sealed for %s", m.Verifier.PKRef)
	}
	if !key.Verify(id[:], sign.Signature([]byte(got.files[1].data))) {
		t.Error("the signature does not verify")
	}
	if got.files[4].data != string(Sums(manifest, m.Files)) {
		t.Errorf("SHA256SUMS is\n%s", got.files[4].data)
	}
	for _, f := range got.files[5:] {
		i := slices.IndexFunc(m.Files, func(l File) bool { return l.Path == f.path })
		if i < 0 || m.Files[i].Hash != sign.Sum([]byte(f.data)) || m.Files[i].Size != int64(len(f.data)) {
			t.Errorf("%s is not listed as it is", f.path)
		}
	}
	// The order in which files are given means nothing.
	in, files := auditInput()
	slices.Reverse(files)
	var again bytes.Buffer
	if _, err := SealAudit(&again, in, files, newTestKey()); err != nil || !bytes.Equal(again.Bytes(), packed) {
		t.Errorf("sealed again, it differs: %v", err)
	}
}

func TestSealRelease(t *testing.T) {
	m := goodRelease()
	files := []Content{
		BytesContent(GuidePath, RoleGuide, []byte("# Verify")),
		BytesContent("artifacts/out/a", RoleArtifact, []byte("x")),
		BytesContent(EvidencePath(m.Provenance.Audit[0]), RoleEvidence, []byte("an audit bundle")),
	}
	var b bytes.Buffer
	id, err := SealRelease(&b, m, files, newTestKey())
	if err != nil {
		t.Fatal(err)
	}
	got := readBytes(t, b.Bytes())
	if got.rejected() || len(got.files) != 8 {
		t.Fatal(got)
	}
	if back, err := ReadReleaseManifest([]byte(got.files[0].data)); err != nil || back.Version != m.Version || sign.Sum([]byte(got.files[0].data)) != id {
		t.Errorf("%+v, %v", back, err)
	}
	m.Provenance.Audit = nil
	if _, err := SealRelease(io.Discard, m, files, newTestKey()); err == nil || !strings.Contains(err.Error(), "provenance.audit") {
		t.Errorf("a release that rests on nothing: %v", err)
	}
}

// What other people's tools make of our bundle.
func TestOtherTools(t *testing.T) {
	_, packed := sealAudit(t)
	tar := decode(t, packed)
	names := strings.Join(paths(readBytes(t, packed).files), "\n") + "\n"

	t.Run("zstd", func(t *testing.T) { toolReads(t, packed, "zstd", "-tq") })
	t.Run("tar", func(t *testing.T) {
		gnuTar(t)
		if out := toolReads(t, tar, "tar", "-tf"); out != names {
			t.Errorf("tar lists\n%swant\n%s", out, names)
		}
	})
	t.Run("GNU tar writes the same", func(t *testing.T) {
		name := gnuTar(t)
		dir := dirOf(t, readBytes(t, packed).files...)
		args := []string{"--format=ustar", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0", "--mode=0644", "-b1", "-C", dir, "-cf", "-"}
		same, err := exec.Command(name, append(args, strings.Fields(names)...)...).Output()
		if err != nil || !bytes.Equal(same, tar) {
			t.Errorf("first difference at byte %d, %v", firstDifference(same, tar), err)
		}
	})
	t.Run("zstd writes what we read", func(t *testing.T) {
		for _, level := range []string{"-1", "-3", "-19"} {
			cmd := exec.Command("zstd", level, "-c")
			cmd.Stdin = bytes.NewReader(tar)
			out, err := cmd.Output()
			if errors.Is(err, exec.ErrNotFound) {
				t.Skip("zstd is not installed")
			}
			if got := readBytes(t, out); err != nil || got.rejected() {
				t.Errorf("zstd %s: %v, %v", level, got, err)
			}
		}
	})
	t.Run("sha256sum", func(t *testing.T) {
		if _, err := exec.LookPath("sha256sum"); err != nil {
			t.Skip("sha256sum is not installed")
		}
		cmd := exec.Command("sha256sum", "-c", "--strict", SumsPath)
		cmd.Dir = dirOf(t, readBytes(t, packed).files...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

func TestSealRefuses(t *testing.T) {
	for want, change := range map[string]func(*AuditManifest, *[]Content){
		"differs from": func(m *AuditManifest, f *[]Content) {
			*f = append(*f, BytesContent("artifacts/out/A", RoleArtifact, []byte("x")))
			m.Artifacts = append([]Artifact{{"out/A", sign.Sum([]byte("x")), 1}}, m.Artifacts...)
		},
		"occurs twice":                           func(m *AuditManifest, f *[]Content) { *f = append(*f, (*f)[0]) },
		`the path has a segment ".."`:            func(m *AuditManifest, f *[]Content) { (*f)[1].Path = "artifacts/../x" },
		"never listed":                           func(m *AuditManifest, f *[]Content) { (*f)[1].Path = SigIDPath },
		"is no copy of an artifact of that name": func(m *AuditManifest, f *[]Content) { m.Artifacts = nil },
		"envlock.json is not listed":             func(m *AuditManifest, f *[]Content) { *f = (*f)[:5] },
		"K is 0":                                 func(m *AuditManifest, f *[]Content) { m.Trails[0].K = 0 },
		"changed while it was being sealed":      func(m *AuditManifest, f *[]Content) { (*f)[5].Open = opens("other") },
		"more than":                              func(m *AuditManifest, f *[]Content) { (*f)[1].Open = opens("xx") },
		"0 bytes, before 1":                      func(m *AuditManifest, f *[]Content) { (*f)[1].Open = opens("") },
		"sha256:ca978112":                        func(m *AuditManifest, f *[]Content) { (*f)[1].Open = opens("a") },
		"artifacts/out/a: gone": func(m *AuditManifest, f *[]Content) {
			(*f)[1].Open = func() (io.ReadCloser, error) { return nil, errors.New("gone") }
		},
	} {
		m, files := auditInput()
		change(&m, &files)
		if _, err := SealAudit(io.Discard, m, files, newTestKey()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func opens(data string) func() (io.ReadCloser, error) { return BytesContent("", "", []byte(data)).Open }

// wrongKey signs with another key than it claims.
type wrongKey struct{ testKey }

func (k wrongKey) Public() sign.PublicKey {
	other := testKey{ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize))}
	return other.Public()
}

type brokenKey struct{ testKey }

func (brokenKey) Seal(_, _ []byte, _ string) (sign.Signature, []byte, []byte, error) {
	return sign.Signature{}, nil, nil, errors.New("the token was removed")
}

func TestSealSigner(t *testing.T) {
	m, files := auditInput()
	var b bytes.Buffer
	if _, err := SealAudit(&b, m, files, wrongKey{newTestKey()}); err == nil || !strings.Contains(err.Error(), "does not verify") {
		t.Errorf("another key: %v", err)
	}
	if _, err := SealAudit(&b, m, files, brokenKey{newTestKey()}); err == nil || !strings.Contains(err.Error(), "token was removed") {
		t.Errorf("no key: %v", err)
	}
	if b.Len() > 0 {
		t.Errorf("%d bytes were written without a signature", b.Len())
	}
}

// The steps of sealing happen in one order: everything is hashed and checked,
// then signed, then written, each once.
type recorder struct {
	testKey
	steps *[]string
}

func (r recorder) Seal(manifest, sums []byte, predicate string) (sign.Signature, []byte, []byte, error) {
	*r.steps = append(*r.steps, "seal")
	return r.testKey.Seal(manifest, sums, predicate)
}

func (r recorder) Write(p []byte) (int, error) {
	if (*r.steps)[len(*r.steps)-1] != "write" {
		*r.steps = append(*r.steps, "write")
	}
	return len(p), nil
}

func TestSealOnce(t *testing.T) {
	m, files := auditInput()
	r := recorder{newTestKey(), new([]string)}
	if _, err := SealAudit(r, m, files, r); err != nil {
		t.Fatal(err)
	}
	if want := []string{"seal", "write"}; !slices.Equal(*r.steps, want) {
		t.Errorf("steps %q, want %q", *r.steps, want)
	}
}

func TestSealFullDisk(t *testing.T) {
	_, packed := sealAudit(t)
	for _, n := range []int{0, 1, len(packed) / 2, len(packed) - 1} {
		m, files := auditInput()
		if _, err := SealAudit(&fullDisk{left: int64(n)}, m, files, newTestKey()); !errors.Is(err, errFull) {
			t.Errorf("room for %d of %d bytes: %v", n, len(packed), err)
		}
	}
}

func TestFileContent(t *testing.T) {
	dir := dirOf(t, file{"a", "hello"})
	name := filepath.Join(dir, "a")
	c, err := FileContent("artifacts/a", RoleArtifact, name)
	if err != nil || c.Hash != sign.Sum([]byte("hello")) || c.Size != 5 {
		t.Errorf("%+v, %v", c, err)
	}
	for i := range 2 {
		r, err := c.Open()
		if err != nil {
			t.Fatal(err)
		}
		if data, err := io.ReadAll(r); err != nil || string(data) != "hello" || r.Close() != nil {
			t.Errorf("opened for the %d. time: %q, %v", i+1, data, err)
		}
	}
	if _, err := FileContent("artifacts", RoleArtifact, dir); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a directory: %v", err)
	}
	if _, err := FileContent("b", RoleArtifact, filepath.Join(dir, "b")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestWriteSealed(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "x.audit.tar.zst")
	seal := func(w io.Writer) (sign.Digest, error) {
		m, files := auditInput()
		return SealAudit(w, m, files, newTestKey())
	}
	id, err := WriteSealed(name, false, seal)
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := sealAudit(t); id != want {
		t.Errorf("bundle.id is %s, want %s", id, want)
	}
	if got := readName(t, name); got.rejected() {
		t.Error(got)
	}
	if _, err := WriteSealed(name, false, seal); !errors.Is(err, fs.ErrExist) {
		t.Errorf("written twice: %v", err)
	}
	if _, err := WriteSealed(name, true, seal); err != nil {
		t.Error(err)
	}
	fails := errors.New("no")
	other := filepath.Join(dir, "other")
	if _, err := WriteSealed(other, false, func(w io.Writer) (sign.Digest, error) {
		_, err := w.Write([]byte("half"))
		return sign.Digest{}, errors.Join(err, fails)
	}); !errors.Is(err, fails) {
		t.Error(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
