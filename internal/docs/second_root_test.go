package docs

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"filippo.io/edwards25519"
)

// Trust roots of the second verifier: section 13, up to which version counts.

// A secondRoot is one version.
type secondRoot struct {
	signed, signatures any
	body               string // the canonical form of signed
	version            int64
	keys               map[string]ed25519.PublicKey // by TUF's name
	roles              map[string]secondRole
}

// A secondRole is what a version says of a role of ours.
type secondRole struct {
	threshold int64
	grants    map[string]secondGrant // by key id
}

// A secondGrant is what a role says of a key.
type secondGrant struct {
	key                      ed25519.PublicKey
	notBefore, notAfter      time.Time
	status                   string
	revokedSince             time.Time
	before, after, since, id string // as they are written
}

func (r *secondRoot) hash() string { return digest([]byte(r.body)) }

// key returns the key of an id if it has a role.
func (r *secondRoot) key(role, id string) ed25519.PublicKey { return r.roles[role].grants[id].key }

// members reports whether v is an object with exactly these members.
func members(v any, names ...string) bool {
	m, ok := v.(map[string]any)
	return ok && slices.Equal(slices.Sorted(maps.Keys(m)), slices.Sorted(slices.Values(names)))
}

// weak reports whether 32 bytes are no key of section 2.
func weak(key []byte) bool {
	p, err := new(edwards25519.Point).SetBytes(key)
	if err != nil || !bytes.Equal(p.Bytes(), key) || p.Equal(edwards25519.NewIdentityPoint()) == 1 {
		return true
	}
	// [L]A = 0 as [L-1]A = -A: a scalar is below L.
	least, _ := edwards25519.NewScalar().SetCanonicalBytes(append([]byte{1}, make([]byte, 31)...))
	q := new(edwards25519.Point).ScalarMult(edwards25519.NewScalar().Negate(least), p)
	return q.Equal(new(edwards25519.Point).Negate(p)) != 1
}

var weakKeys sync.Map

func isWeak(key []byte) bool {
	if v, ok := weakKeys.Load(string(key)); ok {
		return v.(bool)
	}
	w := weak(key)
	weakKeys.Store(string(key), w)
	return w
}

var wholeSeconds = regexp.MustCompile(`^.{19}Z$`)

func wholeTime(v any) (time.Time, bool) {
	s, ok := v.(string)
	t, err := time.Parse("2006-01-02T15:04:05Z", s)
	return t, ok && err == nil && wholeSeconds.MatchString(s)
}

// names returns the elements of a sorted array of texts.
func sortedNames(v any) (out []string, ok bool) {
	l, ok := v.([]any)
	for i, e := range l {
		s, isText := e.(string)
		out = append(out, s)
		ok = ok && isText && (i == 0 || out[i-1] < s)
	}
	return out, ok
}

// readRoot reads one version; the code is "" if it is as it must be.
func readRoot(data []byte) (r *secondRoot, code string) {
	read := rootFiles.get(string(data), func() (f rootFile) {
		f.root, f.code = readRootFile(data)
		return f
	})
	return read.root, read.code
}

type rootFile struct {
	root *secondRoot
	code string
}

var rootFiles memo[rootFile]

func readRootFile(data []byte) (r *secondRoot, code string) {
	v, ok := readCanonical(data)
	ok = ok && len(data) <= 64<<10 && !slices.ContainsFunc(data, func(b byte) bool { return b < ' ' || b > '~' }) && !bytes.Contains(data, []byte(`\u`)) &&
		!regexp.MustCompile(`\\[bfnrt]`).Match(data) && members(v, "signatures", "signed")
	s := get(v, "signed")
	ok = ok && members(s, "_type", "spec_version", "consistent_snapshot", "version", "expires", "keys", "roles", "x-relseal-roles") &&
		get(s, "_type") == "root" && get(s, "spec_version") == "1.0.31" && get(s, "consistent_snapshot") == true
	_, expires := wholeTime(get(s, "expires"))
	r = &secondRoot{signed: s, signatures: get(v, "signatures"), version: num(s, "version"), keys: map[string]ed25519.PublicKey{}, roles: map[string]secondRole{}}
	r.body, _ = canonical(s, 1)
	ok = ok && expires && r.version >= 1 && r.version <= 999999999
	keys, isMap := get(s, "keys").(map[string]any)
	ok = ok && isMap
	anyWeak, used := false, map[string]bool{}
	for id, k := range keys {
		public, err := hex.DecodeString(text(k, "keyval.public"))
		ok = ok && err == nil && len(public) == 32 && id == digestOf(k)[7:] && members(k, "keytype", "keyval", "scheme") && members(get(k, "keyval"), "public") &&
			get(k, "keytype") == "ed25519" && get(k, "scheme") == "ed25519" && text(k, "keyval.public") == hex.EncodeToString(public)
		if !ok {
			return r, "E_ROOT"
		}
		anyWeak = anyWeak || isWeak(public)
		r.keys[id] = public
	}
	ok = ok && members(get(s, "roles"), "root", "snapshot", "targets", "timestamp")
	for _, name := range []string{"snapshot", "targets", "timestamp"} {
		nobody, _ := canonical(get(s, "roles."+name), 1)
		ok = ok && nobody == `{"keyids":[],"threshold":1}`
	}
	holders, sorted := sortedNames(get(s, "roles.root.keyids"))
	ok = ok && sorted && members(get(s, "roles.root"), "keyids", "threshold") && r.threshold() >= 1 && r.threshold() <= int64(len(holders))
	for _, id := range holders {
		ok = ok && r.keys[id] != nil
		used[id] = true
	}
	if anyWeak {
		return r, "E_KEY_WEAK"
	}
	if !ok || !r.readRoles(used) || !r.readSignatures() {
		return r, "E_ROOT"
	}
	return r, ""
}

func (r *secondRoot) threshold() int64 { return num(r.signed, "roles.root.threshold") }

func (r *secondRoot) holds(id string) bool {
	return slices.Contains(list(r.signed, "roles.root.keyids"), any(id))
}

var ourRoles = []string{"archive", "audit", "ledger", "release.canary", "release.lts", "release.stable"}

// readRoles reads the roles of ours.
func (r *secondRoot) readRoles(used map[string]bool) bool {
	x, _ := r.signed.(map[string]any)["x-relseal-roles"]
	roles, ok := get(x, "roles").(map[string]any)
	ok = ok && members(x, "schema", "roles") && get(x, "schema") == "relseal/roles/v1"
	listed := map[string][]string{}
	for name, v := range roles {
		role := secondRole{num(v, "threshold"), map[string]secondGrant{}}
		keys, isList := get(v, "keys").([]any)
		ok = ok && slices.Contains(ourRoles, name) && members(v, "keys", "threshold") && isList && len(keys) > 0
		active, last := int64(0), ""
		for _, g := range keys {
			id := text(g, "keyid")
			grant := secondGrant{key: r.keys[id], status: text(g, "status"), before: text(g, "not_before"), after: text(g, "not_after"), since: text(g, "revoked_since"), id: id}
			var before, after, revoked bool
			grant.notBefore, before = wholeTime(get(g, "not_before"))
			grant.notAfter, after = wholeTime(get(g, "not_after"))
			names := []string{"keyid", "not_before", "not_after", "status"}
			if grant.status == "revoked" {
				names = append(names, "revoked_since")
				grant.revokedSince, revoked = wholeTime(get(g, "revoked_since"))
				ok = ok && revoked && !r.holds(id)
			}
			ok = ok && members(g, names...) && before && after && !grant.notAfter.Before(grant.notBefore) && id > last && grant.key != nil &&
				slices.Contains([]string{"active", "retired", "revoked"}, grant.status)
			if grant.status == "active" {
				active++
			}
			listed[id] = append(listed[id], grant.status+grant.since)
			last = id
			used[id] = true
			if grant.key != nil {
				role.grants[keyID(grant.key)] = grant
			}
		}
		if active == 0 {
			active = int64(len(keys))
		}
		ok = ok && role.threshold >= 1 && role.threshold <= active && (name != "ledger" || role.threshold == 1)
		r.roles[name] = role
	}
	for _, says := range listed {
		for _, s := range says {
			ok = ok && (!strings.HasPrefix(s, "revoked") && !strings.HasPrefix(says[0], "revoked") || s == says[0])
		}
	}
	for id := range r.keys {
		ok = ok && used[id]
	}
	return ok
}

func (r *secondRoot) readSignatures() bool {
	sigs, ok := r.signatures.([]any)
	last := ""
	for _, s := range sigs {
		id, sig := text(s, "keyid"), text(s, "sig")
		b, err := hex.DecodeString(sig)
		ok = ok && members(s, "keyid", "sig") && id > last && err == nil && len(b) == 64 && hex.EncodeToString(b) == sig
		last = id
	}
	return ok
}

// good reports whether a signature of r by a key verifies.
func (r *secondRoot) good(s any, key ed25519.PublicKey) bool {
	sig, _ := hex.DecodeString(text(s, "sig"))
	return holds(key, []byte(r.body), base64.StdEncoding.EncodeToString(sig))
}

// endorsers returns how many root keys of r have signed it.
func (r *secondRoot) endorsers() (n int64) {
	for _, s := range r.signatures.([]any) {
		if id := text(s, "keyid"); r.holds(id) && r.good(s, r.keys[id]) {
			n++
		}
	}
	return n
}

// signedBy reports whether r has good signatures alone, by root keys of itself or of
// before, and of each as many as it asks for.
func (r *secondRoot) signedBy(before *secondRoot) bool {
	count := map[*secondRoot]int64{}
	for _, s := range r.signatures.([]any) {
		id, known := text(s, "keyid"), false
		for _, of := range slices.Compact([]*secondRoot{before, r}) {
			if of.holds(id) {
				if !known && !r.good(s, of.keys[id]) {
					return false
				}
				known = true
				count[of]++
			}
		}
		if !known {
			return false
		}
	}
	return count[before] >= before.threshold() && count[r] >= r.threshold()
}

// follows reports whether r may come after before.
func (r *secondRoot) follows(before *secondRoot) bool {
	if r.version != before.version+1 || !r.signedBy(before) {
		return false
	}
	rank := map[string]int{"active": 0, "retired": 1, "revoked": 2}
	for name, role := range before.roles {
		for id, was := range role.grants {
			is, ok := r.roles[name].grants[id]
			switch {
			case !ok, is.before != was.before, rank[is.status] < rank[was.status]:
				return false
			case is.notAfter.After(was.notAfter) && (is.status != "active" || was.status != "active"):
				return false
			case was.status == "revoked" && is.revokedSince.After(was.revokedSince):
				return false
			}
		}
	}
	return true
}

// A secondChain are the versions that count, from the pinned one on.
type secondChain struct {
	versions []*secondRoot
	findings []secondFinding
}

func (c *secondChain) last() *secondRoot { return c.versions[len(c.versions)-1] }

// at returns the version of a number, nil if it is none of the chain.
func (c *secondChain) at(version int64) *secondRoot {
	i := version - c.versions[0].version
	if i < 0 || i >= int64(len(c.versions)) {
		return nil
	}
	return c.versions[i]
}

// pinRoot starts a chain, or says what is wrong with the version that it starts with.
func pinRoot(data []byte) (*secondChain, string) {
	r, code := readRoot(data)
	if code == "" && r.endorsers() < r.threshold() {
		code = "E_ROOT"
	}
	if code != "" {
		return nil, code
	}
	return &secondChain{versions: []*secondRoot{r}}, ""
}

// add offers a version to the chain. number is what its name says, or 0.
func (c *secondChain) add(data []byte, path string, number int64) {
	if len(c.findings) > 0 {
		return // the walk has ended
	}
	r, code := readRoot(data)
	fault := func(code, verdict string) { c.findings = append(c.findings, secondFinding{code, verdict, path}) }
	first, next := c.versions[0].version, c.last().version+1
	if number == 0 {
		number = r.version
	}
	if number < first {
		return
	}
	switch {
	case number > next:
		fault("E_ROOT", "UNDECIDABLE")
	case code != "":
		fault(code, "REJECT")
	case r.version != number:
		fault("E_ROOT", "REJECT")
	case number < next:
		if r.body != c.at(number).body {
			fault("E_ROOT", "REJECT")
		}
	case !r.follows(c.last()):
		fault("E_ROOT", "REJECT")
	default:
		c.versions = append(c.versions, r)
	}
}

var rootPath = regexp.MustCompile(`^sig/root/([1-9][0-9]{0,8})\.root\.json$`)

// walk goes on with the copies of the root in the bundle.
func (s *second) walk() {
	chain := *s.rooted
	chain.versions = slices.Clone(chain.versions)
	chain.findings = slices.Clone(chain.findings)
	copies := map[int64]string{}
	for path := range s.files {
		if m := rootPath.FindStringSubmatch(path); m != nil {
			n, _ := json.Number(m[1]).Int64()
			copies[n] = path
		}
	}
	for _, n := range slices.Sorted(maps.Keys(copies)) {
		chain.add(s.files[copies[n]], copies[n], n)
	}
	for _, f := range chain.findings {
		s.find(true, f.code, f.verdict, f.path)
	}
	s.rooted = &chain
	if expires, _ := wholeTime(get(chain.last().signed, "expires")); !s.now.IsZero() && s.now.After(expires) {
		s.find(true, "E_ROOT", map[bool]string{true: "REJECT", false: "NOTE"}[s.install], "")
	}
}

// vouched reports whether the file at a path under sig/root/ is a version of the chain,
// all of it, or has a finding of the root.
func (s *second) vouched(path string) bool {
	if s.rooted == nil {
		return false
	}
	if slices.ContainsFunc(s.rooted.findings, func(f secondFinding) bool { return f.path == path }) {
		return true
	}
	r, code := readRoot(s.files[path])
	n, _ := json.Number(rootPath.FindStringSubmatch(path)[1]).Int64()
	own := s.rooted.at(n)
	if code != "" || own == nil || r.version != n || r.body != own.body {
		return false
	}
	if fmt.Sprint(r.signatures) == fmt.Sprint(own.signatures) {
		return true
	}
	for _, sig := range r.signatures.([]any) {
		id, good := text(sig, "keyid"), false
		for _, of := range []*secondRoot{s.rooted.at(n - 1), own} {
			good = good || of != nil && of.holds(id) && r.good(sig, of.keys[id])
		}
		if !good {
			return false
		}
	}
	return true
}

// reference checks that a document names a version of the chain by its hash.
func (s *second) reference(doc any, path string) {
	ref := get(doc, "root")
	if ref == nil {
		return
	}
	version := num(ref, "version")
	known := s.rooted.at(version)
	s.reject(known != nil && known.hash() != text(ref, "hash"), "E_ROOT", path)
	s.leave(version > s.rooted.last().version, "E_ROOT", path)
}

func (f secondFinding) String() string { return fmt.Sprint(f.code, " ", f.verdict, " ", f.path) }
