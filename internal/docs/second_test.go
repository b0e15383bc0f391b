package docs

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// A second is a verifier made of docs/format.md, the standard library and a
// decoder for zstd, without any code of ours: the forms of documents and the
// roles of files come from the tables of the page. It answers with a verdict and
// the failing events. What section 5 says outside its tables of members, the
// ranges of decimals and the outline of a manifest are left out.
type second struct {
	form   form
	roles  map[string]string            // by kind and path, or its first folder
	keys   map[string]ed25519.PublicKey // that the caller trusts, by id
	have   map[string]bool              // files that the caller has, by digest
	inside bool                         // the bundle is evidence in another
	faulty *int                         // lines of runs with a finding of the chain

	files   map[string][]byte
	m       any    // the manifest
	kind    string // audit or release
	signed  bool   // the sealing key is trusted and its signatures hold
	commits []string
	rejects bool
	open    bool
	failing map[int64]bool
}

func (s *second) reject(when bool) bool { s.rejects = s.rejects || when; return when }
func (s *second) leave(when bool)       { s.open = s.open || when }

func (s *second) verdict() string {
	switch {
	case s.rejects:
		return "REJECT"
	case s.open:
		return "UNDECIDABLE"
	}
	return "VERIFIED"
}

// bundle verifies a container.
func (s *second) bundle(data []byte) {
	s.failing = map[int64]bool{}
	if s.faulty == nil {
		s.faulty = new(int)
	}
	files, ok := unpack(data)
	if s.files = files; s.reject(!ok) {
		return
	}
	s.m, ok = readCanonical(files["manifest.json"])
	s.kind = text(s.m, "kind")
	if s.reject(!ok || s.form.check(s.kind+"bundle", s.m) != "" || !s.manifest()) {
		return
	}
	s.signatures()
	copies := s.pinned()
	if s.kind == "audit" {
		s.run()
	} else {
		s.release(copies)
	}
	for _, a := range list(s.m, "artifacts") {
		s.leave(!copies[text(a, "hash")] && !s.have[text(a, "hash")])
	}
}

const semverIDs = `(0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*)`

var semver = regexp.MustCompile(`^(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}(-` + semverIDs + `(\.` + semverIDs + `)*)?(\+[\dA-Za-z-]+(\.[\dA-Za-z-]+)*)?$`)

// manifest holds the manifest to the rules of section 7 that its table leaves.
func (s *second) manifest() bool {
	required, made := map[string]bool{"VERIFY.md": true}, map[string]bool{}
	for _, a := range list(s.m, "artifacts") {
		made[text(a, "hash")+fmt.Sprint(num(a, "size"))] = true
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
		for _, name := range []string{"scores", "decision", "windows", "provenance.previous"} {
			ok = ok && (get(s.m, name) == nil) == canary
		}
		ok = ok && (canary || get(s.m, "gates") != nil && first <= last && last <= k && num(s.m, "windows.count") <= last-first+1)
		ok = ok && (k >= 1 || canary && get(s.m, "provenance.ledger") == nil)
		for _, id := range list(s.m, "provenance.audit") {
			required["evidence/"+id.(string)[7:]+".audit.tar.zst"] = true
		}
	}
	paths := []string{"manifest.json", "SHA256SUMS", "sig/bundle.id.sig"}
	for _, f := range list(s.m, "files") {
		path, role := text(f, "path"), text(f, "role")
		dir, _, below := strings.Cut(path, "/")
		want := s.roles[s.kind+" "+path]
		if want == "" && below {
			want = s.roles[s.kind+" "+dir+"/"]
		}
		only := role == "trail" || bundled.MatchString(path)
		ok = ok && role == want && (!only || required[path]) && num(f, "size") <= most(path) &&
			!strings.HasPrefix(path, "sig/") && (role != "artifact" || made[text(f, "hash")+fmt.Sprint(num(f, "size"))])
		delete(required, path)
		paths = append(paths, path)
	}
	return ok && len(required) == 0 && tidy(paths)
}

var bundled = regexp.MustCompile(`^evidence/[^/]*\.audit\.tar\.zst$`)

// signatures checks the three files of each signer: section 8.
func (s *second) signatures() {
	key := s.keys[text(s.m, "verifier.pk_ref")]
	if key == nil {
		s.unknown()
	} else {
		s.signed = s.signer(key, "sig/")
	}
	for _, k := range s.keys {
		dir := fmt.Sprintf("sig/by/%x/", keyHash(k))
		if slices.ContainsFunc(slices.Collect(maps.Keys(s.files)), func(p string) bool { return strings.HasPrefix(p, dir) }) {
			s.signer(k, dir)
		}
	}
}

func (s *second) unknown() {
	s.reject(!s.inside)
	s.leave(s.inside)
}

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
	return !s.reject(!holds(key, id[:], b64(raw)) || z != wrapper || !holds(key, []byte(pae), sig) ||
		ssh != begin+lines+end || !holds(key, []byte(signed), b64([]byte(made))))
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

// pinned compares the files with the manifest and returns the digests of the
// copies of artifacts.
func (s *second) pinned() map[string]bool {
	copies, listed := map[string]bool{}, map[string]bool{"manifest.json": true, "SHA256SUMS": true}
	for _, f := range list(s.m, "files") {
		path, hash := text(f, "path"), text(f, "hash")
		data, ok := s.files[path]
		s.reject(!ok || digest(data) != hash || int64(len(data)) != num(f, "size"))
		listed[path] = true
		copies[hash] = copies[hash] || text(f, "role") == "artifact"
	}
	for path := range s.files {
		s.reject(!listed[path] && !sigPath.MatchString(path))
	}
	s.reject(!bytes.Equal(s.files["SHA256SUMS"], s.sums()))
	return copies
}

var hashes = map[string]string{"EnvLock.fingerprint": "envlock.json", "PipelineCard.hash": "cards/pipeline.json", "ParamCard.hash": "cards/param.json"}

// run checks what an AuditBundle says of its run.
func (s *second) run() {
	for name, path := range hashes {
		s.reject(digest(s.files[path]) != text(s.m, name))
	}
	for shape, path := range map[string]string{"envlock": "envlock.json", "pipelinecard": "cards/pipeline.json", "paramcard": "cards/param.json"} {
		v, ok := readCanonical(s.files[path])
		s.reject(!ok || s.form.check(shape, v) != "")
	}
	card, ok := readCanonical(s.files["cards/pipeline.json"])
	if !ok || s.form.check("pipelinecard", card) != "" || !s.intact("cards/pipeline.json") {
		card = nil
	}
	ended, outputs := true, map[string]string{}
	for _, pin := range list(s.m, "trails") {
		t := &secondTrail{s: s, intact: true, faulty: s.faulty}
		t.read(string(s.files[text(pin, "path")]), pin)
		if text(pin, "purpose") == "run" && t.genesis != nil {
			s.crossCheck(t, card)
		}
		end := t.summary().end
		for _, it := range list(end, "outputs.items") {
			outputs[text(it, "uri")] = text(it, "hash")
		}
		ended = ended && (end != nil || text(pin, "purpose") != "run")
	}
	artifacts := map[string]string{}
	for _, a := range list(s.m, "artifacts") {
		artifacts[text(a, "uri")] = text(a, "hash")
	}
	s.reject(ended && !maps.Equal(artifacts, outputs))
}

// crossCheck holds one trail against manifest and card, which is nil if it is not
// to be compared.
func (s *second) crossCheck(t *secondTrail, card any) {
	product := get(t.genesis, "product")
	whole := !t.rejected
	other := get(t.genesis, "run.id") != get(s.m, "run.id") || product != nil && product != get(s.m, "product")
	for name := range hashes {
		other = other || get(t.genesis, name) != get(s.m, name)
	}
	t.fails(other, 0)
	run := t.summary()
	for _, c := range run.commits {
		s.commits = append(s.commits, strings.ToLower(c))
	}
	t.fails(run.end == nil && t.closed, 0)
	t.fails(run.end != nil && text(run.end, "status") != text(s.m, "outcome"), num(run.end, "k"))
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
	defer t.fails(whole && changed, num(run.end, "k"))
	if card == nil {
		return
	}
	t.fails(len(t.proven) > 0 && get(t.proven[0], "rng.seed") != get(card, "rng.seed"), 0)
	s.leave(run.nameless > 0)
	defined := map[string]any{}
	for _, step := range list(card, "steps") {
		defined[text(step, "id")] = step
	}
	for id, e := range run.steps {
		start := run.starts[id]
		t.fails(defined[id] == nil || get(e, "code.hash") != digestOf(defined[id]), num(e, "k"))
		t.fails(defined[id] != nil && start != nil && text(e, "status") == "ok" &&
			(get(start, "code.hash") != get(e, "code.hash") || get(start, "inputs.hash") != get(e, "inputs.hash")), num(e, "k"))
	}
	if text(s.m, "outcome") == "ok" && !t.rejected {
		for id, step := range defined {
			end, same := run.steps[id], text(step, "same_as")
			switch {
			case end == nil && run.nameless > 0:
			case text(end, "status") != "ok":
				t.fails(true, 0)
			case same != "" && run.steps[same] != nil:
				digests := made(step, end)
				t.fails(slices.Contains(digests, "") || !slices.Equal(digests, made(defined[same], run.steps[same])), num(end, "k"))
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
	for _, f := range list(s.m, "files") {
		path := text(f, "path")
		if text(f, "role") != "evidence" || !strings.HasSuffix(path, ".audit.tar.zst") || strings.Count(path, "/") != 1 || s.inside {
			continue
		}
		have := maps.Clone(copies)
		maps.Copy(have, s.have)
		in := &second{form: s.form, roles: s.roles, keys: s.keys, have: have, inside: true, faulty: s.faulty}
		in.bundle(s.files[path])
		maps.Copy(s.failing, in.failing)
		s.reject(in.rejects)
		s.leave(in.open)
		if !bundled.MatchString(path) {
			continue // of none of provenance.audit
		}
		s.reject(in.kind != "audit")
		id := digest(in.files["manifest.json"])
		if path != "evidence/"+id[7:]+".audit.tar.zst" {
			s.reject(in.signed)
			continue
		}
		ids++
		s.reject(text(in.m, "outcome") != "ok" || get(in.m, "product") != get(s.m, "product"))
		for _, a := range list(in.m, "artifacts") {
			made[text(a, "hash")+fmt.Sprint(num(a, "size"))] = true
		}
		pipelines[get(in.m, "PipelineCard.hash")], params[get(in.m, "ParamCard.hash")] = true, true
		s.commits = append(s.commits, in.commits...)
	}
	if ids == len(list(s.m, "provenance.audit")) {
		for _, a := range list(s.m, "artifacts") {
			s.reject(!made[text(a, "hash")+fmt.Sprint(num(a, "size"))])
		}
		s.reject(!pipelines[get(s.m, "cards.pipeline")] || !params[get(s.m, "cards.param")])
		for _, commit := range s.commits {
			s.reject(commit != get(s.m, "commit"))
		}
	}
	s.promotion()
}
