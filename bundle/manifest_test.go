package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/sign"
)

func goodAudit() AuditManifest {
	hash := sign.Sum([]byte("x"))
	return AuditManifest{
		Schema: AuditSchema, Kind: KindAudit, Product: "greetd", Outcome: "ok",
		Run:          RunRef{strings.Repeat("0a", 16)},
		EnvLock:      FingerprintRef{hash},
		PipelineCard: HashRef{hash},
		ParamCard:    HashRef{hash},
		Trails:       []Trail{{Path: TrailPath, Purpose: "run", H0: hash, HK: hash, K: 3}},
		Artifacts:    []Artifact{{URI: "out/a", Hash: hash, Size: 1}, {URI: "out/b c", Hash: hash, Size: 1}},
		Files: []File{
			{GuidePath, RoleGuide, hash, 10},
			{"artifacts/out/a", RoleArtifact, hash, 1},
			{TrailPath, RoleTrail, hash, 10},
			{ParamPath, RoleParams, hash, 10},
			{PipelinePath, RolePipeline, hash, 10},
			{EnvLockPath, RoleEnvLock, hash, 10},
		},
		Verifier: KeyRef{newTestKey().Public().KeyID()},
	}
}

func goodPolicy() *gates.Policy {
	return &gates.Policy{
		Schema: gates.Schema, Mode: "literal", RCanary: "0.05", TObsMS: 1_800_000, TRollbackMS: 300_000, StaleMaxMS: 120_000,
		WMin: 3, NLTS: 3, SkewMaxMS: 1000, MaxUndecidable: 2, TauScore: "0.95", GateRep: "0.02",
		TauPSD: gates.PSDLimit{Kind: "rel_l1", Max: "0.05"}, TauTB: gates.TBLimit{Kind: "rms", Max: "0.001", Unit: "s"},
		TauHB: "5", TauDrop: "0.01", TauInc: "0.1",
	}
}

func goodRelease() ReleaseManifest {
	hash := sign.Sum([]byte("x"))
	commit := strings.Repeat("c", 40)
	return ReleaseManifest{
		Schema: ReleaseSchema, Kind: KindRelease, Product: "greetd", Version: "1.0.0", Channel: Canary, Commit: &commit,
		Artifacts:  []Artifact{{URI: "out/a", Hash: hash, Size: 1}},
		Cards:      CardRefs{hash, hash},
		Gates:      goodPolicy(),
		Provenance: Provenance{Audit: []sign.Digest{hash}},
		Files: []File{
			{GuidePath, RoleGuide, hash, 10},
			{"artifacts/out/a", RoleArtifact, hash, 1},
			{EvidencePath(hash), RoleEvidence, hash, 1000},
		},
		Verifier: KeyRef{newTestKey().Public().KeyID()},
	}
}

func goodStable() ReleaseManifest {
	m := goodRelease()
	previous := sign.Sum([]byte("canary"))
	m.Channel = Stable
	m.Scores, m.Decision = canon.Value(`{"score":"0.97"}`), canon.Value(`{"promote":true}`)
	m.Windows = &WindowRange{First: 2, Last: 9, Count: 3}
	m.Provenance.Previous = &previous
	m.Provenance.Ledger = &LedgerRef{H0: previous, K: 10, HK: previous}
	m.Provenance.Head = m.Provenance.Ledger
	m.Files = append(m.Files, from(previous)...)
	m.Files = append(m.Files, File{LedgerPath, RoleLedger, previous, 100})
	return m
}

// from is the lineage's part of one bundle.
func from(id sign.Digest) []File {
	return []File{{FromPath(id), RoleLineage, id, 1000}, {FromSignaturesPath(id), RoleLineage, sign.Sum(id[:]), 200}}
}

func goodLTS() ReleaseManifest {
	m := goodStable()
	m.Channel = LTS
	m.Files = append(m.Files, from(sign.Sum([]byte("stable")))...)
	slices.SortFunc(m.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return m
}

func TestGoodManifests(t *testing.T) {
	check := func(name string, m any, faults Faults, read func([]byte) (any, error), kind string) {
		if len(faults) > 0 {
			t.Errorf("%s: %v", name, faults)
		}
		data, err := canon.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ManifestKind(data); err != nil || got != kind {
			t.Errorf("%s: kind %q, %v", name, got, err)
		}
		back, err := read(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if again, err := canon.Marshal(back); err != nil || !bytes.Equal(again, data) {
			t.Errorf("%s: read and written again, it differs", name)
		}
	}
	audit := func(data []byte) (any, error) { return ReadAuditManifest(data) }
	release := func(data []byte) (any, error) { return ReadReleaseManifest(data) }

	a, b := goodAudit(), goodAudit()
	check("audit", a, a.Check(), audit, KindAudit)
	b.Artifacts, b.Files = []Artifact{}, slices.Delete(b.Files, 1, 2)
	b.Root, b.Details = &RootRef{Version: 1}, canon.Value(`{"ci":{"job":7}}`)
	check("audit without artifacts", b, b.Check(), audit, KindAudit)

	r, s, lts, bare := goodRelease(), goodStable(), goodLTS(), goodRelease()
	check("canary", r, r.Check(), release, KindRelease)
	check("stable", s, s.Check(), release, KindRelease)
	check("LTS", lts, lts.Check(), release, KindRelease)
	bare.Gates, bare.Commit, bare.Version = nil, nil, "0.0.0-rc.1+linux-amd64.05"
	check("canary without gates and commit", bare, bare.Check(), release, KindRelease)
}

// A rule is broken in one place, and the fault says where.
func TestAuditFaults(t *testing.T) {
	other := sign.Sum([]byte("y"))
	for want, break_ := range map[string]func(*AuditManifest){
		`kind is "release", want audit`:              func(m *AuditManifest) { m.Kind = "release" },
		`product: ""`:                                func(m *AuditManifest) { m.Product = "" },
		`product: "a\nb"`:                            func(m *AuditManifest) { m.Product = "a\nb" },
		`run.id: "7"`:                                func(m *AuditManifest) { m.Run.ID = "7" },
		`outcome: "OK"`:                              func(m *AuditManifest) { m.Outcome = "OK" },
		`trails: none is of a run`:                   func(m *AuditManifest) { m.Trails[0].Purpose = "ledger" },
		`trails[0]: K is 0`:                          func(m *AuditManifest) { m.Trails[0].K = 0 },
		`trails[0]: purpose "x"`:                     func(m *AuditManifest) { m.Trails[0].Purpose = "x" },
		`trails[0]: "audit/b"`:                       func(m *AuditManifest) { m.Trails[0].Path = "audit/b" },
		`is not listed in trails`:                    func(m *AuditManifest) { m.Trails = nil },
		`trails[1]: "audit/trail.jsonl" is not sort`: func(m *AuditManifest) { m.Trails = append(m.Trails, m.Trails[0]) },
		`artifacts[0].uri: ""`:                       func(m *AuditManifest) { m.Artifacts[0].URI = "" },
		`artifacts[1].uri: "\x1b"`:                   func(m *AuditManifest) { m.Artifacts[1].URI = "\x1b" },
		`artifacts[1].uri: "out/a" is not sorted`:    func(m *AuditManifest) { m.Artifacts[1].URI = "out/a" },
		`artifacts[0].size is negative`:              func(m *AuditManifest) { m.Artifacts[0].Size = -1 },
		`files[1]: "artifacts/out/a" is no copy of`:  func(m *AuditManifest) { m.Files[1].Hash = other },
		`files[1]: "../a": the path has a segment`:   func(m *AuditManifest) { m.Files[1].Path = "../a" },
		`files[1]: "artifacts/../../a"`:              func(m *AuditManifest) { m.Files[1].Path = "artifacts/../../a" },
		`files[1]: "sig/x" is never listed`:          func(m *AuditManifest) { m.Files[1].Path = "sig/x" },
		`files[0]: "SHA256SUMS" is never listed`:     func(m *AuditManifest) { m.Files[0].Path = "SHA256SUMS" },
		`files[1]: "manifest.json" is never listed`:  func(m *AuditManifest) { m.Files[1].Path = "manifest.json" },
		`files[0]: "Manifest.json": the path differ`: func(m *AuditManifest) { m.Files[0].Path = "Manifest.json" },
		`files[0]: "SIG/a": the directory SIG diffe`: func(m *AuditManifest) { m.Files[0].Path = "SIG/a" },
		`files[1]: "sig": the path is a file, and t`: func(m *AuditManifest) { m.Files[1].Path = "sig" },
		`files[2]: "artifacts/out/A": the path diff`: func(m *AuditManifest) { m.Files[2].Path = "artifacts/out/A" },
		`files[2]: "artifacts/out/a" is not sorted`:  func(m *AuditManifest) { m.Files[2].Path = "artifacts/out/a" },
		`files[1]: "audit/a" cannot have the role`:   func(m *AuditManifest) { m.Files[1].Path = "audit/a" },
		`files[0]: "VERIFY.md" cannot have the role`: func(m *AuditManifest) { m.Files[0].Role = RoleArtifact },
		`files[1]: "artifacts/out/a" cannot have th`: func(m *AuditManifest) { m.Files[1].Role = "x" },
		`files[1]: "evidence/a" cannot have the rol`: func(m *AuditManifest) { m.Files[1] = File{"evidence/a", RoleEvidence, other, 1} },
		`files[1]: the size is negative`:             func(m *AuditManifest) { m.Files[1].Size = -1 },
		`files: envlock.json is not listed`:          func(m *AuditManifest) { m.Files = m.Files[:5] },
		`files: cards/param.json is not listed`:      func(m *AuditManifest) { m.Files = slices.Delete(m.Files, 3, 4) },
		`files: cards/pipeline.json is not listed`:   func(m *AuditManifest) { m.Files = slices.Delete(m.Files, 4, 5) },
		`files: VERIFY.md is not listed`:             func(m *AuditManifest) { m.Files = m.Files[1:] },
		`trails[0]: "audit/trail.jsonl" is not list`: func(m *AuditManifest) { m.Files = slices.Delete(m.Files, 2, 3) },
		`root.version is below 1`:                    func(m *AuditManifest) { m.Root = &RootRef{} },
		`details is not an object`:                   func(m *AuditManifest) { m.Details = canon.Value(`null`) },
	} {
		m := goodAudit()
		break_(&m)
		wantFault(t, m.Check(), finding.Format, want)
		data, err := canon.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := ReadAuditManifest(data); err == nil || back.Schema == "" {
			t.Errorf("%s: read as %+v, %v", want, back, err)
		}
		if _, err := SealAudit(new(bytes.Buffer), withoutFiles(m), contents(m.Files), newTestKey()); err == nil && !strings.HasPrefix(want, "kind") &&
			!strings.Contains(want, "sorted") && !strings.Contains(want, "size") && !strings.Contains(want, "copy of") {
			t.Errorf("%s: sealed", want)
		}
	}
}

func withoutFiles(m AuditManifest) AuditManifest {
	m.Files = nil
	return m
}

// contents makes contents whose hash is that of "x", as the good manifests say.
func contents(files []File) []Content {
	var out []Content
	for _, f := range files {
		out = append(out, BytesContent(f.Path, f.Role, []byte("x")))
	}
	return out
}

func TestReleaseFaults(t *testing.T) {
	good := goodRelease()
	other := sign.Sum([]byte("y"))
	for want, break_ := range map[string]func(*ReleaseManifest){
		`kind is ""`:                                 func(m *ReleaseManifest) { m.Kind = "" },
		`product: ""`:                                func(m *ReleaseManifest) { m.Product = "" },
		`version: "v1.0.0"`:                          func(m *ReleaseManifest) { m.Version = "v1.0.0" },
		`version: "1.0"`:                             func(m *ReleaseManifest) { m.Version = "1.0" },
		`version: "1.0.0-01"`:                        func(m *ReleaseManifest) { m.Version = "1.0.0-01" },
		`version: "1.0.0\n"`:                         func(m *ReleaseManifest) { m.Version = "1.0.0\n" },
		`channel: "lts"`:                             func(m *ReleaseManifest) { m.Channel = "lts" },
		`commit: ""`:                                 func(m *ReleaseManifest) { m.Commit = new(string) },
		`artifacts: a release has at least one`:      func(m *ReleaseManifest) { m.Artifacts = nil },
		`gates is null on "stable"`:                  func(m *ReleaseManifest) { m.Gates = nil },
		`scores is null on "stable"`:                 func(m *ReleaseManifest) { m.Scores = nil },
		`scores is not an object`:                    func(m *ReleaseManifest) { m.Scores = canon.Value(`"1"`) },
		`decision is null on "stable"`:               func(m *ReleaseManifest) { m.Decision = canon.Value(`null`) },
		`windows is null on "stable"`:                func(m *ReleaseManifest) { m.Windows = nil },
		`windows: 0 to 9 is not a range`:             func(m *ReleaseManifest) { m.Windows.First = 0 },
		`windows: 9 do not fit into the events 2 to`: func(m *ReleaseManifest) { m.Windows.Count = 9 },
		`windows: the last is event 11, the ledger`:  func(m *ReleaseManifest) { m.Windows.Last = 11 },
		`provenance.previous is null on "stable"`:    func(m *ReleaseManifest) { m.Provenance.Previous = nil },
		`provenance.ledger is null on "stable"`:      func(m *ReleaseManifest) { m.Provenance.Ledger = nil },
		`scores is not null on canary`:               func(m *ReleaseManifest) { m.Channel = Canary },
		`windows is not null on canary`:              func(m *ReleaseManifest) { m.Channel = Canary },
		`decision is not null on canary`:             func(m *ReleaseManifest) { m.Channel = Canary },
		`provenance.previous is not null on canary`:  func(m *ReleaseManifest) { m.Channel = Canary },
		`provenance.ledger: k is below 1`:            func(m *ReleaseManifest) { m.Provenance.Ledger.K = 0 },
		`provenance.audit: a release rests on`:       func(m *ReleaseManifest) { m.Provenance.Audit = nil },
		`is not listed in provenance.audit`:          func(m *ReleaseManifest) { m.Provenance.Audit = nil },
		`provenance.audit[1]: ` + good.Cards.Param.String() + ` is not sorted`: func(m *ReleaseManifest) {
			m.Provenance.Audit = []sign.Digest{sign.Sum([]byte("x")), sign.Sum([]byte("x"))} // another one is sorted by chance
		},
		`is not listed in files as evidence`:         func(m *ReleaseManifest) { m.Files = slices.Delete(m.Files, 2, 3) },
		`files: VERIFY.md is not listed`:             func(m *ReleaseManifest) { m.Files = m.Files[1:] },
		`files[5]: "evidence/ledger.jsonl" cannot h`: func(m *ReleaseManifest) { m.Files[5].Role = RoleEvidence },
		`manifest.json" cannot have the role "evid`:  func(m *ReleaseManifest) { m.Files[3].Role = RoleEvidence },
		`has another digest than its path says`:      func(m *ReleaseManifest) { m.Files[3].Hash = other },
		`without its manifest or its signatures`:     func(m *ReleaseManifest) { m.Files = slices.Delete(m.Files, 4, 5) },
		`files: the release came from 1, and 0 are`:  func(m *ReleaseManifest) { m.Files = slices.Delete(m.Files, 3, 5) },
		`files: the release came from 2, and 1 are`:  func(m *ReleaseManifest) { m.Channel = LTS },
		`files: the release came from 0, and 1 are`:  func(m *ReleaseManifest) { m.Channel = Canary },
		`files: ` + FromPath(other) + ` is not`:      func(m *ReleaseManifest) { m.Provenance.Previous = &other },
		`provenance.ledger is not null on canary`:    func(m *ReleaseManifest) { m.Channel = Canary },
		`provenance.head is not provenance.ledger`:   func(m *ReleaseManifest) { m.Provenance.Head = nil },
		`provenance.head: k is below 0`:              func(m *ReleaseManifest) { m.Provenance.Head = &LedgerRef{K: -1} },
		`provenance.head: H_k of event 0 is not`:     func(m *ReleaseManifest) { m.Provenance.Head = &LedgerRef{H0: other} },
		`files[1]: "audit/trail.jsonl" cannot have`:  func(m *ReleaseManifest) { m.Files[1] = File{TrailPath, RoleTrail, other, 1} },
		`details is not an object`:                   func(m *ReleaseManifest) { m.Details = canon.Value(`[]`) },
	} {
		m := goodStable()
		break_(&m)
		wantFault(t, m.Check(), finding.Format, want)
	}
}

func wantFault(t *testing.T, faults Faults, code finding.Code, text string) {
	t.Helper()
	for _, f := range faults {
		if strings.HasPrefix(f.Text, text) || strings.Contains(f.Text, text) {
			if f.Code != code || f.Path != ManifestPath && f.Path != "artifacts/out/a" || faults.err() == nil {
				t.Errorf("%q has code %s and path %q", f.Text, f.Code, f.Path)
			}
			return
		}
	}
	t.Errorf("no fault %q among %d: %v", text, len(faults), faults)
}

func TestManifestLimits(t *testing.T) {
	m := goodAudit()
	m.Files[5].Size = 4<<20 + 1
	wantFault(t, m.Check(), finding.Limit, `files[5]: "envlock.json" has 4194305 bytes`)
	m = goodAudit()
	for i := range 100_000 {
		m.Files = append(m.Files, File{Path: fmt.Sprintf("x%06d", i)})
	}
	wantFault(t, m.Check(), finding.Limit, "files: 100006, the limit is 100000")
	if _, err := ManifestKind(make([]byte, 64<<20+1)); err == nil || err.(Faults).FindingCode() != finding.Limit {
		t.Errorf("a manifest above 64 MiB: %v", err)
	}
}

func TestManifestSchema(t *testing.T) {
	for _, c := range []struct {
		data string
		code finding.Code
		text string
	}{
		{``, finding.Format, "no JSON value"},
		{`{`, finding.Format, "ends in the middle"},
		{`[]`, finding.Format, "not a JSON object"},
		{`{"schema":1}`, finding.Format, "schema is not a text"},
		{`{}`, finding.SchemaMismatch, "names no schema"},
		{`{"schema":null}`, finding.Format, "schema is not a text"},
		{`{"schema":"relseal/trail/v1"}`, finding.SchemaMismatch, `schema is "relseal/trail/v1", want relseal/audit-bundle/v1`},
		{`{"new":true,"schema":"relseal/audit-bundle/v2"}`, finding.SchemaMismatch, "v2"},
		{`{"schema":"relseal/release-bundle/v1"}`, finding.SchemaMismatch, "want relseal/audit-bundle/v1"},
		{`{"schema":"relseal/audit-bundle/v1"}`, finding.Format, ""},
		{`{"schema":"\u001b[2J"}`, finding.SchemaMismatch, `"\x1b[2J"`},
	} {
		_, err := ReadAuditManifest([]byte(c.data))
		var faults Faults
		if !errors.As(err, &faults) || faults.FindingCode() != c.code || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, want %s with %q", c.data, err, c.code, c.text)
		}
	}
	good, err := canon.Marshal(goodAudit())
	if err != nil {
		t.Fatal(err)
	}
	text := string(good)
	for _, bad := range []string{
		text + "\n", " " + text, text + text,
		strings.Replace(text, `"kind"`, `"Kind"`, 1),
		strings.Replace(text, `"schema"`, `"Schema"`, 1),
		strings.Replace(text, `{"EnvLock"`, `{"A":1,"EnvLock"`, 1),
		strings.Replace(text, `"outcome":"ok"`, `"outcome":"ok","outcome":"ok"`, 1),
		strings.Replace(text, `"outcome":"ok"`, `"outcome":"\u006fk"`, 1),
		strings.Replace(text, `"outcome":"ok",`, ``, 1),
		strings.Replace(text, `"K":3`, `"K":3.0`, 1),
		strings.Replace(text, `"sha256:`, `"sha512:`, 1),
	} {
		if m, err := ReadAuditManifest([]byte(bad)); err == nil || m.Schema != "" {
			t.Errorf("read %.80s…: %v", bad, err)
		}
	}
}

// Any byte changed gives another document or none, never the same one.
func TestManifestMutations(t *testing.T) {
	good, err := canon.Marshal(goodAudit())
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		for _, flip := range []byte{1, 0x20} {
			bad := bytes.Clone(good)
			bad[i] ^= flip
			m, err := ReadAuditManifest(bad)
			if err != nil {
				continue
			}
			if again, err := canon.Marshal(m); err != nil || !bytes.Equal(again, bad) {
				t.Errorf("byte %d: read, and written differently", i)
			}
		}
		if _, err := ReadAuditManifest(good[:i]); err == nil {
			t.Errorf("the first %d bytes were read", i)
		}
	}
}

func TestSums(t *testing.T) {
	got := string(Sums([]byte("{}"), []File{{Path: "z", Hash: sign.Sum(nil)}, {Path: "VERIFY.md", Hash: sign.Sum(nil)}}))
	want := "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  VERIFY.md\n" +
		"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a  manifest.json\n" +
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  z\n"
	if got != want {
		t.Errorf("SHA256SUMS is\n%swant\n%s", got, want)
	}
}

// Manifests that are small as bytes and large in memory are found out before
// they are parsed.
func TestManifestBombs(t *testing.T) {
	const size = 32 << 20
	fill := func(head, unit, tail string) []byte {
		return append(append([]byte(head), bytes.Repeat([]byte(unit), size/len(unit))...), tail...)
	}
	const schema = `,"schema":"relseal/audit-bundle/v1"}`
	names := []byte(`{"files":[{`)
	for i := 0; len(names) < size; i++ {
		names = fmt.Appendf(names, `"%x":0,`, i)
	}
	for name, data := range map[string][]byte{
		"empty files":      fill(`{"files":[`, `{},`, `{}]`+schema),
		"empty artifacts":  fill(`{"artifacts":[`, `{},`, `{}]`+schema),
		"names in a file":  append(names, `"x":0}]`+schema...),
		"details":          fill(`{"details":{"x":[`, `0,`, `0]}`+schema),
		"depth":            fill(`{"details":`, `[`, schema),
		"null digests":     fill(`{"provenance":{"audit":[`, `null,`, `null]}`+schema),
		"a name":           fill(`{"`, `x`, `":0`+schema),
		"a product":        fill(`{"product":"`, `x`, `"`+schema),
		"a trail's path":   fill(`{"trails":[{"path":"`, `x`, `"}]`+schema),
		"escaped quotes":   fill(`{"product":"`, `\"`, `"`+schema),
		"unfinished":       fill(`{"schema":"relseal/audit-bundle/v1","files":[{`, `"a":0,`, ``),
		"two documents":    fill(`{"schema":"relseal/audit-bundle/v1"}{"files":[`, `{},`, `{}]}`),
		"members":          fill(`{`, `"a":0,`, `"b":0`+schema),
		"above every size": make([]byte, 64<<20+1),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := ReadAuditManifest(data)
		runtime.ReadMemStats(&after)
		var faults Faults
		if !errors.As(err, &faults) {
			t.Errorf("%s: %v", name, err)
		}
		if n := (after.TotalAlloc - before.TotalAlloc) >> 20; n > 64 {
			t.Errorf("%s: %d MiB, %v", name, n, err)
		}
	}
}

// The largest manifest that anybody needs can be read.
func TestLargestManifest(t *testing.T) {
	if testing.Short() {
		t.Skip("100,000 files")
	}
	m := goodAudit()
	m.Files = slices.DeleteFunc(m.Files, func(f File) bool { return f.Role == RoleArtifact })
	m.Artifacts = nil
	long := strings.Repeat("x", 60)
	for i := range 100_000 - 5 - len(m.Files) {
		path := fmt.Sprintf("artifacts/%s/%06d", long, i)
		m.Files = append(m.Files, File{path, RoleArtifact, sign.Sum([]byte(path)), int64(i)})
		m.Artifacts = append(m.Artifacts, Artifact{path[len(ArtifactDir):], sign.Sum([]byte(path)), int64(i)})
	}
	slices.SortFunc(m.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	data, err := canon.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ReadAuditManifest(data); err != nil {
		t.Error(err)
	}
}

func FuzzAuditManifest(f *testing.F) {
	good, err := canon.Marshal(goodAudit())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"schema":"relseal/audit-bundle/v1"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ReadAuditManifest(data)
		if m.Schema == "" {
			if err == nil {
				t.Error("no manifest and no error")
			}
			return
		}
		if again, err := canon.Marshal(m); err != nil || !bytes.Equal(again, data) {
			t.Errorf("written again as %s, %v", again, err)
		}
	})
}

func FuzzReleaseManifest(f *testing.F) {
	for _, m := range []ReleaseManifest{goodRelease(), goodStable()} {
		good, err := canon.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(good)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ReadReleaseManifest(data)
		if m.Schema == "" {
			if err == nil {
				t.Error("no manifest and no error")
			}
			return
		}
		if again, err := canon.Marshal(m); err != nil || !bytes.Equal(again, data) {
			t.Errorf("written again as %s, %v", again, err)
		}
	})
}
