package docs

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A second is a verifier made of docs/format.md, the standard library and a
// decoder for zstd, without any code of ours: the forms of documents and the
// roles of files come from the tables of the page. It answers with a verdict, the
// codes of its findings and the failing events. What section 5 says outside its
// tables of members, the ranges of decimals and the outline of a manifest are
// left out.
type second struct {
	form  form
	roles map[string]string            // by kind and path, or its first folder
	keys  map[string]ed25519.PublicKey // that the caller trusts, by id
	have  map[string]bool              // files that the caller has, by digest

	rooted  *secondChain // if not nil it takes the place of keys
	now     time.Time    // that is asked about, if it is not zero
	install bool
	records []secondRecord // by which bundles are dated

	outer  *second // the bundle in which this one is evidence
	faulty *int    // lines of runs with a finding of the chain

	files    map[string][]byte
	m        any    // the manifest
	kind     string // audit or release
	signed   bool   // the sealing key is trusted and its signatures hold
	commits  []string
	failing  map[int64]bool
	findings []secondFinding
	signers  []ed25519.PublicKey // further ones who are known and whose three files hold
	began    time.Time           // of the sealing key's first event in a trail of its role
	latest   time.Time           // ts in what the bundle holds
	trails   []*secondTrail
	runs     []*secondTrail // those of the run

	history bool
	later   string // a ledger that the caller has

	page        string // of the format
	ancestors   []*secondAncestor
	evidenceEnd time.Time // the latest ts in evidence
}

// A secondFinding is one of a verdict: NOTE, UNDECIDABLE or REJECT.
type secondFinding struct{ code, verdict, path string }

func (s *second) find(when bool, code, verdict, path string) bool {
	if f := (secondFinding{code, verdict, path}); when && !slices.Contains(s.findings, f) {
		s.findings = append(s.findings, f)
	}
	return when
}

func (s *second) reject(when bool, code, path string) bool {
	return s.find(when, code, "REJECT", path)
}
func (s *second) leave(when bool, code, path string) { s.find(when, code, "UNDECIDABLE", path) }
func (s *second) note(when bool, code, path string)  { s.find(when, code, "NOTE", path) }

// rejects reports whether there is a finding that rejects at a path or below it.
func (s *second) rejects(path string) bool {
	return slices.ContainsFunc(s.findings, func(f secondFinding) bool {
		return f.verdict == "REJECT" && (f.path == path || strings.HasPrefix(f.path, path+"!"))
	})
}

func (s *second) verdict() string {
	worst := "VERIFIED"
	for _, f := range s.findings {
		if f.verdict == "REJECT" || f.verdict == "UNDECIDABLE" && worst == "VERIFIED" {
			worst = f.verdict
		}
	}
	return worst
}

// codes lists each code with each verdict that it has, sorted.
func (s *second) codes() []string {
	var all []string
	for _, f := range s.findings {
		all = append(all, f.code+" "+f.verdict)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

const manifestPath = "manifest.json"

// bundle verifies a container.
func (s *second) bundle(data []byte) {
	s.failing = map[int64]bool{}
	if s.faulty == nil {
		s.faulty = new(int)
	}
	files, ok := unpack(data)
	if s.files = files; s.reject(!ok, "E_FORMAT", "") {
		return
	}
	data, there := files[manifestPath]
	if s.reject(!there, "E_FILE_MISSING", manifestPath) {
		return
	}
	if s.m, ok = readCanonical(data); s.reject(!ok, "E_FORMAT", manifestPath) {
		return
	}
	s.kind = map[string]string{"relseal/audit-bundle/v1": "audit", "relseal/release-bundle/v1": "release"}[text(s.m, "schema")]
	if s.reject(s.kind == "", "E_SCHEMA_MISMATCH", manifestPath) || s.reject(s.form.check(s.kind+"bundle", s.m) != "", "E_FORMAT", manifestPath) {
		s.m = nil
		return
	}
	s.reject(!s.manifest(), "E_FORMAT", manifestPath)
	if s.rooted != nil && s.outer == nil {
		s.walk()
	}
	s.signatures()
	copies := s.listed()
	if s.kind == "audit" {
		s.run()
	} else {
		s.release(copies)
	}
	for _, a := range list(s.m, "artifacts") {
		hash := text(a, "hash")
		damaged := slices.ContainsFunc(list(s.m, "files"), func(f any) bool {
			return text(f, "role") == "artifact" && text(f, "hash") == hash && !s.intact(text(f, "path"))
		})
		s.leave(!copies[hash] && !s.have[hash] && !damaged, "E_ARTIFACT_MISSING", text(a, "uri"))
	}
	if s.rooted != nil {
		s.standing()
	}
	s.signedLineage()
	stands := s.sealStands() // whatever a ledger at hand leaves open
	s.whatBecame()
	s.pinned(stands)
}

const semverIDs = `(0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*)`

var semver = regexp.MustCompile(`^(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}(-` + semverIDs + `(\.` + semverIDs + `)*)?(\+[\dA-Za-z-]+(\.[\dA-Za-z-]+)*)?$`)

// manifest holds the manifest to the rules of section 7 that its table leaves.
func (s *second) manifest() bool {
	required, made := map[string]bool{"VERIFY.md": true}, map[string]bool{}
	for _, a := range list(s.m, "artifacts") {
		made["artifacts/"+text(a, "uri")+text(a, "hash")+fmt.Sprint(num(a, "size"))] = true
	}
	ok := false
	if s.kind == "audit" {
		required["envlock.json"], required["cards/pipeline.json"], required["cards/param.json"] = true, true, true
		for _, t := range list(s.m, "trails") {
			required[text(t, "path")] = true
			ok = ok || text(t, "purpose") == "run"
		}
	} else {
		canary, k := text(s.m, "channel") == "canary", num(s.m, "provenance.ledger.k")
		first, last := num(s.m, "windows.first"), num(s.m, "windows.last")
		ok = len(made) > 0 && len(list(s.m, "provenance.audit")) > 0
		ok = ok && len(text(s.m, "version")) <= 200 && semver.MatchString(text(s.m, "version"))
		for _, name := range []string{"scores", "decision", "windows", "provenance.previous", "provenance.ledger"} {
			ok = ok && (get(s.m, name) == nil) == canary
		}
		ok = ok && (canary || get(s.m, "gates") != nil && first <= last && last <= k && num(s.m, "windows.count") <= last-first+1)
		ok = ok && (k >= 1 || canary) && s.holdsHead(canary) && s.carriesLineage()
		for _, id := range list(s.m, "provenance.audit") {
			required["evidence/"+id.(string)[7:]+".audit.tar.zst"] = true
		}
	}
	paths := []string{"manifest.json", "SHA256SUMS", "sig/bundle.id.sig"}
	for _, f := range list(s.m, "files") {
		path, role := text(f, "path"), text(f, "role")
		dir, _, below := strings.Cut(path, "/")
		want := s.roles[s.kind+" "+fromPath.ReplaceAllString(path, "evidence/from/HEX/$2.json")]
		if want == "" && below && !strings.HasPrefix(path, "evidence/from/") {
			want = s.roles[s.kind+" "+dir+"/"]
		}
		only := role == "trail" || bundled.MatchString(path)
		ok = ok && role == want && (!only || required[path]) && num(f, "size") <= most(path) && !strings.HasPrefix(path, "sig/")
		s.reject(role == "artifact" && !made[path+text(f, "hash")+fmt.Sprint(num(f, "size"))], "E_FORMAT", path)
		delete(required, path)
		paths = append(paths, path)
	}
	return ok && len(required) == 0 && tidy(paths)
}

var bundled = regexp.MustCompile(`^evidence/[^/]*\.audit\.tar\.zst$`)

// signatures checks the three files of each signer: section 8. A key of the root
// without the role is tried, and does not count.
func (s *second) signatures() {
	sealer := text(s.m, "verifier.pk_ref")
	if s.key(s.role(), sealer) == nil {
		stranger := s.outer != nil && !s.knows(sealer)
		s.reject(!stranger, "E_KEY_UNKNOWN", manifestPath)
		s.leave(stranger, "E_KEY_UNKNOWN", manifestPath)
	}
	if key := s.anyKey(sealer); key != nil {
		s.signed = s.signer(key, "sig/")
	}
	seen := map[string]bool{}
	for _, path := range slices.Sorted(maps.Keys(s.files)) {
		by := further.FindStringSubmatch(path)
		if by == nil || seen[by[1]] {
			continue
		}
		seen[by[1]] = true
		raw, _ := hex.DecodeString(by[1])
		id, dir := "SHA256:"+base64.RawStdEncoding.EncodeToString(raw), "sig/by/"+by[1]+"/"
		key := s.anyKey(id)
		good := key != nil && s.signer(key, dir)
		other := s.key(s.role(), id) == nil
		s.note(key == nil || good && other, "E_KEY_UNKNOWN", dir)
		if good && !other {
			s.signers = append(s.signers, key)
		}
	}
}

// anyKey returns the key of an id, nil if it is trusted in no role.
func (s *second) anyKey(id string) ed25519.PublicKey {
	if s.rooted == nil {
		return s.keys[id]
	}
	for role := range s.rooted.last().roles {
		if key := s.rooted.last().key(role, id); key != nil {
			return key
		}
	}
	return nil
}

var further = regexp.MustCompile(`^sig/by/([0-9a-f]{64})/`)

// role is what the sealing key must have in a trust root.
func (s *second) role() string {
	switch {
	case s.kind == "release":
		return "release." + strings.ToLower(text(s.m, "channel"))
	case s.outer == nil && get(s.m, "details.record") == "reverify" && text(s.m, "product") == "archive" && len(list(s.m, "artifacts")) == 0:
		return "archive"
	}
	return "audit"
}

// key returns the key of an id, nil if it is not trusted in a role.
func (s *second) key(role, id string) ed25519.PublicKey {
	if s.rooted != nil {
		return s.rooted.last().key(role, id)
	}
	return s.keys[id]
}

// knows reports whether the root gives some role to a key.
func (s *second) knows(id string) bool { return s.rooted != nil && s.anyKey(id) != nil }

func (s *second) signer(key ed25519.PublicKey, dir string) bool {
	m, b64 := s.files["manifest.json"], base64.StdEncoding.EncodeToString
	id, sum := sha256.Sum256(m), sha512.Sum512(m)
	subject := func(name string, data []byte) any {
		return map[string]any{"name": name, "digest": map[string]any{"sha256": digest(data)[7:]}}
	}
	p, _ := canonical(map[string]any{
		"_type": "https://in-toto.io/Statement/v1", "predicateType": "https://github.com/relseal/relseal/" + s.kind + "-bundle/v1",
		"predicate": map[string]any{"bundle": map[string]any{"id": digest(m)}},
		"subject":   []any{subject("manifest.json", m), subject("SHA256SUMS", s.sums())},
	}, 1)
	pae := fmt.Sprintf("DSSEv1 28 application/vnd.in-toto+json %d %s", len(p), p)
	hint := sha256.Sum256(append([]byte("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"), key...))
	raw, z, ssh := s.files[dir+"bundle.id.sig"], string(s.files[dir+"manifest.sigstore.json"]), string(s.files[dir+"manifest.sshsig"])
	_, sig, _ := strings.Cut(z, `"sig":"`)
	sig, _, _ = strings.Cut(sig, `"`)
	wrapper := `{"dsseEnvelope":{"payload":"` + b64([]byte(p)) + `","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"` + keyID(key) +
		`","sig":"` + sig + `"}]},"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"` + b64(hint[:]) + `"}}}`

	const begin, end = "-----BEGIN SSH SIGNATURE-----\n", "-----END SSH SIGNATURE-----\n"
	blob, _ := base64.StdEncoding.DecodeString(strings.TrimSuffix(strings.TrimPrefix(ssh, begin), end))
	made := string(blob[max(0, len(blob)-64):])
	lines := regexp.MustCompile(`.{1,70}`).ReplaceAllString(b64([]byte("SSHSIG\x00\x00\x00\x01"+str(
		str("ssh-ed25519", string(key)), "relseal-bundle", "", "sha512", str("ssh-ed25519", made)))), "$0\n")
	signed := "SSHSIG" + str("relseal-bundle", "", "sha512", string(sum[:]))
	good := []bool{holds(key, id[:], b64(raw)), z == wrapper && holds(key, []byte(pae), sig), ssh == begin+lines+end && holds(key, []byte(signed), b64([]byte(made)))}
	var envelope any
	if json.Unmarshal([]byte(z), &envelope) == nil && !slices.Contains(good, true) {
		var statement any
		payload, _ := base64.StdEncoding.DecodeString(text(envelope, "dsseEnvelope.payload"))
		if json.Unmarshal(payload, &statement) == nil && s.reject(holds(key, hashed(text(statement, "predicate.bundle.id")), b64(raw)), "E_BUNDLE_ID", manifestPath) {
			return false
		}
	}
	for i, name := range []string{"bundle.id.sig", "manifest.sigstore.json", "manifest.sshsig"} {
		_, there := s.files[dir+name]
		s.reject(!there, "E_FILE_MISSING", dir+name)
		s.reject(there && !good[i], "E_SIG_BUNDLE", dir+name)
	}
	return !slices.Contains(good, false)
}

// intact reports whether a file has the digest that the manifest lists.
func (s *second) intact(path string) bool {
	return slices.ContainsFunc(list(s.m, "files"), func(f any) bool {
		return text(f, "path") == path && text(f, "hash") == digest(s.files[path])
	})
}

// sums returns what SHA256SUMS must be.
func (s *second) sums() []byte {
	lines := []string{digest(s.files["manifest.json"])[7:] + "  manifest.json\n"}
	for _, f := range list(s.m, "files") {
		lines = append(lines, text(f, "hash")[7:]+"  "+text(f, "path")+"\n")
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[64:], b[64:]) })
	return []byte(strings.Join(lines, ""))
}

var sigPath = regexp.MustCompile(`^sig/((by/[0-9a-f]{64}/)?(bundle\.id\.sig|manifest\.sigstore\.json|manifest\.sshsig)|root/[1-9]\d{0,8}\.root\.json|ext/.*)$`)

// listed returns the digests of the copies of artifacts.
func (s *second) listed() map[string]bool {
	copies := map[string]bool{}
	for _, f := range list(s.m, "files") {
		if text(f, "role") == "artifact" && s.intact(text(f, "path")) {
			copies[text(f, "hash")] = true
		}
	}
	return copies
}

// pinned compares the files with the manifest, after everything else: a file with
// another finding that rejects has none of its digest.
func (s *second) pinned(stands bool) {
	listed := map[string]bool{manifestPath: true, "SHA256SUMS": true}
	for _, f := range list(s.m, "files") {
		path := text(f, "path")
		data, there := s.files[path]
		listed[path] = true
		code := "E_FILE_HASH"
		if text(f, "role") == "artifact" {
			code = "E_ARTIFACT_HASH"
		}
		s.reject(!there && !s.rejects(path), "E_FILE_MISSING", path)
		s.reject(there && !s.rejects(path) && (digest(data) != text(f, "hash") || int64(len(data)) != num(f, "size")), code, path)
	}
	for path := range s.files {
		s.reject(!listed[path] && !sigPath.MatchString(path), "E_FILE_UNLISTED", path)
		s.note(strings.HasPrefix(path, "sig/ext/") || rootPath.MatchString(path) && !s.vouched(path), "E_FILE_UNLISTED", path)
	}
	sums, there := s.files["SHA256SUMS"]
	s.reject(!there, "E_FILE_MISSING", "SHA256SUMS")
	s.reject(there && !s.rejects(manifestPath) && !bytes.Equal(sums, s.sums()), "E_FILE_HASH", "SHA256SUMS")
	s.reject(stands && !s.rejects(manifestPath) && !s.rejects("VERIFY.md") && s.listedHash("VERIFY.md") != digest([]byte(s.guide())), "E_FILE_HASH", "VERIFY.md")
}

var hashes = map[string]string{"EnvLock.fingerprint": "envlock.json", "PipelineCard.hash": "cards/pipeline.json", "ParamCard.hash": "cards/param.json"}

var hashCodes = map[string]string{"EnvLock.fingerprint": "E_ENVLOCK", "PipelineCard.hash": "E_CARD", "ParamCard.hash": "E_CARD"}

// run checks what an AuditBundle says of its run.
func (s *second) run() {
	for name, path := range hashes {
		s.reject(s.listedHash(path) != text(s.m, name), hashCodes[name], path)
	}
	documents := map[string]any{}
	for shape, path := range map[string]string{"envlock": "envlock.json", "pipelinecard": "cards/pipeline.json", "paramcard": "cards/param.json"} {
		if data, there := s.files[path]; there && s.intact(path) {
			v, ok := readCanonical(data)
			schema := map[string]string{"envlock": "relseal/envlock/v1", "pipelinecard": "relseal/pipeline/v1", "paramcard": "relseal/params/v1"}[shape]
			other := ok && get(v, "schema") != schema
			s.reject(other, "E_SCHEMA_MISMATCH", path)
			if s.reject(!other && (!ok || s.form.check(shape, v) != ""), "E_FORMAT", path) || other {
				continue
			}
			documents[path] = v
		}
	}
	card, lock := documents["cards/pipeline.json"], documents["envlock.json"]
	if card != nil && lock != nil {
		recorded := map[any]bool{}
		for _, l := range list(lock, "locks") {
			recorded[get(l, "path")] = true
		}
		for _, l := range list(card, "locks") {
			s.note(!recorded[l], "E_ENVLOCK", "envlock.json")
		}
		variables, _ := get(lock, "variables").(map[string]any)
		for _, v := range list(card, "env") {
			_, there := variables[v.(string)]
			s.note(!there, "E_ENVLOCK", "envlock.json")
		}
	}
	whole, ended, outputs := true, false, map[string]map[string]bool{}
	for _, pin := range list(s.m, "trails") {
		data, there := s.files[text(pin, "path")]
		if !there {
			whole = false
			continue
		}
		t := &secondTrail{s: s, path: text(pin, "path"), role: s.role(), intact: true, faulty: s.faulty}
		if text(pin, "purpose") == "ledger" {
			t.role = "ledger"
		}
		t.inRun = text(pin, "purpose") == "run"
		s.trails = append(s.trails, t)
		t.read(string(data), pin)
		t.standing()
		if text(pin, "purpose") != "run" {
			continue
		}
		end := t.summary().end
		t.pin = pin
		s.runs = append(s.runs, t)
		for _, it := range list(end, "outputs.items") {
			if outputs[text(it, "uri")] == nil {
				outputs[text(it, "uri")] = map[string]bool{}
			}
			outputs[text(it, "uri")][text(it, "hash")] = true
		}
		ended = ended || end != nil
	}
	for _, t := range s.runs {
		goesOn := slices.ContainsFunc(s.runs, func(next *secondTrail) bool {
			return !next.wrong && sameEnd(get(next.genesis, "continues"), t.pin)
		})
		verdict := "UNDECIDABLE"
		if t.ledger() {
			verdict = "NOTE"
		}
		s.find(t.open && !goesOn, "E_TRAIL_OPEN", verdict, t.path)
		whole = whole && (t.summary().end != nil || t.closed || goesOn)
		if t.genesis != nil {
			s.reject(s.rooted != nil && s.role() == "archive" && slices.ContainsFunc(t.proven, isBuild), "E_KEY_UNKNOWN", t.path)
			s.crossCheck(t, card)
		}
	}
	s.parts()
	if !ended || !whole {
		return
	}
	for _, a := range list(s.m, "artifacts") {
		uri := text(a, "uri")
		s.reject(!outputs[uri][text(a, "hash")] || len(outputs[uri]) > 1, "E_ARTIFACT_HASH", uri)
		delete(outputs, uri)
	}
	s.reject(len(outputs) > 0, "E_ARTIFACT_HASH", "")
}

// isBuild reports whether an event records what no record of an archive has.
func isBuild(e any) bool {
	source := text(e, "details.source.commit") != "" || get(e, "details.source.dirty") != nil || !isSource(e)
	return text(e, "action") == "run.start" && source ||
		slices.Contains([]string{"run.start", "step.start", "step.end", "run.end"}, text(e, "action")) && text(e, "outputs.hash") != digest([]byte("[]"))
}

// listedHash returns what the manifest says that the digest of a file is.
func (s *second) listedHash(path string) string {
	for _, f := range list(s.m, "files") {
		if text(f, "path") == path {
			return text(f, "hash")
		}
	}
	return ""
}

// crossCheck holds one trail against manifest and card, which is nil if it is not
// to be compared.
func (s *second) crossCheck(t *secondTrail, card any) {
	whole := !t.rejected && !s.rejects(t.path)
	if !t.wrong {
		product := get(t.genesis, "product")
		t.fails(get(t.genesis, "run.id") != get(s.m, "run.id"), "E_RUN_ID", 0)
		t.fails(product != nil && product != get(s.m, "product"), "E_DATA_MISMATCH", 0)
		for name := range hashes {
			t.fails(get(t.genesis, name) != get(s.m, name), hashCodes[name], 0)
		}
	}
	run := t.summary()
	for _, c := range run.commits {
		s.commits = append(s.commits, strings.ToLower(c))
	}
	elsewhere, nameless, steps := false, run.nameless > 0, maps.Clone(run.steps)
	for _, other := range s.runs {
		more := other.summary()
		elsewhere, nameless = elsewhere || other != t && more.end != nil, nameless || more.nameless > 0
		for id, e := range more.steps {
			if steps[id] == nil {
				steps[id] = e
			}
		}
	}
	s.leave(run.unclear, "E_FORMAT", t.path)
	t.fails(whole && run.end == nil && t.closed && !elsewhere, "E_DATA_MISMATCH", 0)
	t.fails(run.end != nil && text(run.end, "status") != text(s.m, "outcome"), "E_DATA_MISMATCH", num(run.end, "k"))
	artifacts := map[string]bool{}
	for _, a := range list(s.m, "artifacts") {
		artifacts[text(a, "uri")] = true
	}
	changed := false
	for _, it := range list(run.end, "outputs.items") {
		uri := text(it, "uri")
		changed = changed || artifacts[uri] && run.made[uri] != "" && run.made[uri] != text(it, "hash")
	}
	// Last, since what follows asks whether there was a finding.
	defer t.fails(whole && changed, "E_DATA_MISMATCH", num(run.end, "k"))
	if card == nil {
		return
	}
	t.fails(len(t.proven) > 0 && get(t.proven[0], "rng.seed") != get(card, "rng.seed"), "E_SEED_INVALID", 0)
	s.leave(run.nameless > 0, "E_CARD", t.path)
	defined := map[string]any{}
	for _, step := range list(card, "steps") {
		defined[text(step, "id")] = step
	}
	for id, events := range run.events {
		for _, e := range events {
			if defined[id] == nil || get(e, "code.hash") != digestOf(defined[id]) {
				t.fails(true, "E_CARD", num(e, "k"))
				break
			}
		}
	}
	for id, e := range run.steps {
		start, k := run.starts[id], num(e, "k")
		if defined[id] != nil && start != nil && text(e, "status") == "ok" {
			t.fails(get(start, "inputs.hash") != get(e, "inputs.hash"), "E_DATA_MISMATCH", k)
		}
	}
	if text(s.m, "outcome") == "ok" && !t.rejected && !s.rejects(t.path) {
		for id, step := range defined {
			end, same := steps[id], text(step, "same_as")
			switch {
			case end == nil && nameless:
			case run.end == nil && run.steps[id] == nil && elsewhere:
			case text(end, "status") != "ok":
				t.fails(true, "E_DATA_MISMATCH", 0)
			case same != "" && steps[same] != nil && run.steps[id] != nil:
				digests := made(step, end)
				t.fails(slices.Contains(digests, "") || !slices.Equal(digests, made(defined[same], steps[same])), "E_NONDETERMINISM", num(end, "k"))
			}
		}
	}
}

// made returns the recorded digests of all outputs of a step.
func made(step, end any) (digests []string) {
	outputs := list(step, "outputs")
	if out := get(step, "stdout"); out != nil {
		outputs = append(slices.Clone(outputs), out)
	}
	for _, out := range outputs {
		hash := ""
		for _, it := range list(end, "outputs.items") {
			if get(it, "uri") == out {
				hash = text(it, "hash")
			}
		}
		digests = append(digests, hash)
	}
	return digests
}

// release checks a ReleaseBundle against the runs that it embeds.
func (s *second) release(copies map[string]bool) {
	made, pipelines, params, ids := map[string]bool{}, map[any]bool{}, map[any]bool{}, 0
	named := map[string]map[string]bool{} // digests by uri
	var runs []*second
	for _, f := range list(s.m, "files") {
		path := text(f, "path")
		data, there := s.files[path]
		if text(f, "role") != "evidence" || !strings.HasSuffix(path, ".audit.tar.zst") || strings.Count(path, "/") != 1 || s.outer != nil || !there {
			continue
		}
		in := s.nested(data, copies)
		for _, f := range in.findings {
			s.find(true, f.code, f.verdict, path+"!"+f.path)
		}
		if !bundled.MatchString(path) {
			continue // of none of provenance.audit
		}
		if s.reject(in.kind == "release", "E_SCHEMA_MISMATCH", path) || in.kind == "" || in.m == nil {
			continue
		}
		id := digest(in.files[manifestPath])
		if path != "evidence/"+id[7:]+".audit.tar.zst" {
			s.reject(in.signed, "E_BUNDLE_ID", path)
			continue
		}
		ids++
		s.reject(text(in.m, "outcome") != "ok", "E_DATA_MISMATCH", path)
		s.reject(get(in.m, "product") != get(s.m, "product"), "E_DATA_MISMATCH", path)
		for _, a := range list(in.m, "artifacts") {
			made[digestOf(a)] = true
			if named[text(a, "uri")] == nil {
				named[text(a, "uri")] = map[string]bool{}
			}
			named[text(a, "uri")][text(a, "hash")] = true
		}
		runs = append(runs, in)
		pipelines[get(in.m, "PipelineCard.hash")], params[get(in.m, "ParamCard.hash")] = true, true
		s.commits = append(s.commits, in.commits...)
	}
	if ids == len(list(s.m, "provenance.audit")) {
		for _, a := range list(s.m, "artifacts") {
			s.reject(!made[digestOf(a)] || len(named[text(a, "uri")]) > 1, "E_ARTIFACT_HASH", text(a, "uri"))
		}
		s.whole(runs)
		s.reject(!pipelines[get(s.m, "cards.pipeline")] || !params[get(s.m, "cards.param")], "E_CARD", manifestPath)
		for _, commit := range s.commits {
			s.reject(commit != get(s.m, "commit"), "E_DATA_MISMATCH", manifestPath)
		}
	}
	s.evidenceEnd = s.latest
	s.lineage()
	s.promotion()
}

// nested verifies evidence.
func (s *second) nested(data []byte, copies map[string]bool) *second {
	in := *s
	in.outer, in.files, in.m, in.kind, in.signed, in.commits, in.findings, in.signers, in.trails, in.runs = s, nil, nil, "", false, nil, nil, nil, nil, nil
	in.have = maps.Clone(copies)
	maps.Copy(in.have, s.have)
	in.began, in.latest = time.Time{}, time.Time{}
	in.bundle(data)
	maps.Copy(s.failing, in.failing)
	if in.latest.After(s.latest) {
		s.latest = in.latest
	}
	return &in
}
