package docs

import (
	"crypto/ed25519"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A secondTrail is the part of the second verifier that reads a trail: section 3
// and, of section 9, the trail.
type secondTrail struct {
	s       *second
	path    string // its place
	pin     any    // what the manifest says of it
	role    string // that its key must have in a trust root
	genesis any
	agreed  any // genesis or event that says what events must agree with
	signer  string
	key     ed25519.PublicKey // of the signer, nil if it is not trusted
	uses    []*secondUse
	events  []any // those without a finding of the chain
	proven  []any // of these, those whose link was computed
	heads   map[int64]string
	ends    map[int64]time.Time // the greatest ts up to an event

	at  place
	alt *place

	faulty *int // so many lines with a finding of the chain, this one's and others'

	unknown                       bool // a key that signs it is not trusted
	wrong                         bool // line 0 has a finding but E_KEY_UNKNOWN
	handed                        bool // the event before was key.rotate
	lost                          bool // the line before has a finding of the chain
	intact, closed, rejected, bad bool
	started, ended                bool
	open                          bool // nothing says whether the end was cut off
	inRun                         bool // unless another part of the run goes on from there, which is asked later
	steps                         map[string]string
	top                           int64 // the highest number so far
	ts                            time.Time
	clocks                        map[string][2]int64 // number and reading
}

// A place is a number and the head after it, "" if that is unknown.
type place struct {
	k          int64
	head       string
	unreadable int64 // so many lines before could not be read
}

// A secondUse is the time of a key of a trail: its first and its last event.
type secondUse struct {
	signer      string
	first, last time.Time
}

func (t *secondTrail) fault(code string, k int64) {
	t.s.reject(true, code, t.path)
	t.rejected, t.bad = true, true
	if k > 0 {
		t.s.failing[k] = true
	}
}

// fails notes a finding of the trail that is not of one line, at k or at none.
func (t *secondTrail) fails(when bool, code string, k int64) {
	if when {
		t.fault(code, k)
	}
}

func (t *secondTrail) read(data string, pin any) {
	lines := strings.SplitAfter(data, "\n")
	if lines = lines[:len(lines)-1]; !strings.HasSuffix(data, "\n") {
		lines = append(lines, data[strings.LastIndex(data, "\n")+1:])
	}
	t.steps, t.clocks = map[string]string{}, map[string][2]int64{}
	t.heads, t.ends = map[int64]string{}, map[int64]time.Time{}
	for n, line := range lines {
		t.bad = false
		whole := strings.TrimSuffix(line, "\n")
		if n == 0 {
			pinned := text(pin, "H_0")
			if num(pin, "K") < 1 {
				pinned = ""
			}
			if !t.first(whole, pinned) {
				return
			}
		} else {
			t.line(whole, n == len(lines)-1 && (whole == line || strings.Contains(line, "\x00")))
		}
		if whole == line && !t.bad {
			t.fault("E_TRUNCATED", t.at.k)
		}
		if *t.faulty > 20_000 {
			break
		}
	}
	k, want := t.at.k, num(pin, "K")
	if t.genesis == nil || want < 1 {
		return
	}
	verdict := "UNDECIDABLE"
	if text(t.genesis, "purpose") == "ledger" {
		verdict = "NOTE"
	}
	t.open = !t.closed && !t.bad && t.alt == nil && k >= want
	t.s.find(t.open && !t.inRun, "E_TRAIL_OPEN", verdict, t.path)
	t.fails(!t.wrong && get(t.genesis, "purpose") != get(pin, "purpose"), "E_GENESIS", 0)
	if !t.rejected && (k != want || t.at.head != text(pin, "H_K")) {
		code := "E_CHAIN_LINK"
		if k < want {
			code = "E_TRUNCATED"
		} else if k > want {
			code = "E_SEQUENCE"
		}
		for i := min(k, want); i <= max(k, want); i++ {
			if i > min(k, want) || k == want {
				t.fault(code, i)
			}
		}
	}
}

// parse reads a line that holds a document between its digests and signature.
func (t *secondTrail) parse(line, doc, shape string, digests ...string) (any, bool) {
	v, ok := readCanonical([]byte(line))
	m, _ := v.(map[string]any)
	ok = ok && len(line) <= 1<<20 && len(m) == len(digests)+1 && t.s.form.check(shape, m[doc]) == ""
	for i, name := range digests {
		kind := "digest"
		if i == len(digests)-1 {
			kind = "signature"
		}
		ok = ok && m[name] != nil && isLeaf(kind, m[name])
	}
	return v, ok
}

func (t *secondTrail) event(line string) secondLine {
	return lines.get(line, func() secondLine {
		v, ok := t.parse(line, "e", "the event", "H_k", "id_k", "sig_k")
		return secondLine{v, digestOf(get(v, "e")), ok && get(v, "e.actor") != "" && (text(v, "e.action") != "run.end" || get(v, "e.status") != nil)}
	})
}

// A secondLine is a line of a trail as it was read, and the digest of its event.
type secondLine struct {
	v  any
	id string
	ok bool
}

var lines memo[secondLine]

// cut returns what stands in a damaged line where H, document and signature should.
func cut(line string, before, after int) (h, doc, sig string) {
	if len(line) > 1<<20 || len(line) < before+after {
		return "", "", ""
	}
	h, sig = line[8:79], line[len(line)-90:len(line)-2]
	if !isLeaf("digest", h) {
		h = ""
	}
	return h, line[before : len(line)-after], sig
}

// first judges line 0. It returns false if nothing after it is to be read.
func (t *secondTrail) first(line, pinned string) bool {
	v, ok := t.parse(line, "genesis", "the genesis", "H_0", "sig_0")
	g := get(v, "genesis")
	if ok && text(g, "purpose") == "run" {
		for name := range hashes {
			ok = ok && get(g, name) != nil
		}
		ok = ok && leaves["digest"].MatchString("sha256:"+text(g, "run.id")+text(g, "run.id"))
	}
	if !ok {
		schema, other := get(g, "schema").(string)
		if other = other && schema != "relseal/trail/v1" && v != nil; other {
			t.wrongFirst("E_SCHEMA_MISMATCH", pinned)
			return false
		}
		t.wrongFirst(unreadable(line), pinned)
		if t.event(line).ok {
			t.line(line, false)
			return true
		}
		h, doc, _ := cut(line, 91, 100)
		if _, ok := readCanonical([]byte(doc)); ok && h == "" {
			h = digest([]byte(doc))
		}
		t.at.head = h
		return true
	}
	t.genesis = g
	id := digestOf(g)
	t.key = t.s.key(t.role, text(g, "verifier.pk_ref"))
	if id != text(v, "H_0") || pinned != "" && id != pinned || t.key != nil && !holds(t.key, hashed(id), text(v, "sig_0")) {
		t.wrongFirst("E_GENESIS", pinned)
	} else {
		t.agree(g)
		t.ts, _ = time.Parse(timeForm, text(g, "created"))
	}
	t.at.head = t.resume(text(v, "H_0"), id, text(v, "sig_0"))
	return true
}

// wrongFirst notes a finding of line 0. The chain may go on from the pinned H_0 too.
func (t *secondTrail) wrongFirst(code, pinned string) {
	t.fault(code, 0)
	t.wrong = true
	if t.intact = false; pinned != "" {
		t.alt = &place{head: pinned}
	}
}

func (t *secondTrail) agree(doc any) {
	t.agreed = doc
	t.signs(text(doc, "verifier.pk_ref"))
}

// signs makes a key the one that signs from here on.
func (t *secondTrail) signs(id string) {
	t.signer = id
	if t.key = t.s.key(t.role, id); t.key == nil {
		t.unknown = true
		open := (t.s.outer != nil || t.path == ledgerPath) && !t.s.knows(id)
		t.s.find(open, "E_KEY_UNKNOWN", "UNDECIDABLE", t.path)
		t.s.find(!open, "E_KEY_UNKNOWN", "REJECT", t.path)
		t.rejected = t.rejected || !open
	}
}

// unreadable returns the code of a line that is no event and no genesis.
func unreadable(line string) string {
	if len(line) > 1<<20 {
		return "E_LIMIT"
	}
	return "E_FORMAT"
}

// accepts reports whether a line is taken for the key.accept that belongs behind a
// key.rotate which was lost.
func (t *secondTrail) accepts(v any) bool {
	key := t.s.key(t.role, text(v, "e.verifier.pk_ref"))
	return t.lost && t.ledger() && text(v, "e.action") == "key.accept" && text(v, "e.verifier.pk_ref") != t.signer && key != nil &&
		holds(key, hashed(text(v, "H_k")), text(v, "sig_k"))
}

func (t *secondTrail) ledger() bool { return text(t.genesis, "purpose") == "ledger" }

// resume returns the head from which the chain goes on after a fault.
func (t *secondTrail) resume(recorded, computed, sig string) string {
	for _, h := range []string{recorded, computed} {
		if t.key != nil && h != "" && holds(t.key, hashed(h), sig) {
			return h
		}
	}
	return recorded
}

func (t *secondTrail) link(p place, id string) string {
	if p.head == "" {
		return ""
	}
	return digest(append(hashed(p.head), hashed(id)...))
}

// follows returns the first fault by which an event is not the next after p.
func (t *secondTrail) follows(p place, v any, id string) string {
	e, k := get(v, "e"), num(v, "e.k")
	switch {
	case id != text(v, "id_k"):
		return "E_EVENT_ID"
	case k != p.k+1 && !(k <= p.k && k > p.k+1-p.unreadable):
		return "E_SEQUENCE"
	case get(e, "run.id") != get(t.agreed, "run.id"):
		return "E_RUN_ID"
	case k == p.k+1 && p.head != "" && t.link(p, id) != text(v, "H_k"):
		return "E_CHAIN_LINK"
	case t.accepts(v):
	case text(e, "verifier.pk_ref") != t.signer, t.key != nil && !holds(t.key, hashed(text(v, "H_k")), text(v, "sig_k")):
		return "E_SIG_EVENT"
	}
	return ""
}

func (t *secondTrail) doubt(next place) {
	if t.alt == nil {
		was := t.at
		t.alt = &was
	}
	t.at, t.intact = next, false
}

// over counts a line with a finding of the chain, once for each 2 KiB begun.
func (t *secondTrail) over(line string) bool {
	*t.faulty += max(1, (min(len(line), 1<<20)+2047)/2048)
	return *t.faulty > 20_000
}

func (t *secondTrail) line(line string, mayBeTorn bool) {
	read := t.event(line)
	v := read.v
	if !read.ok {
		code := unreadable(line)
		_, plain := readCanonical([]byte(line))
		if version, said := get(v, "e.audit.schema.version").(string); said && version != "1.0.0" && code == "E_FORMAT" && plain {
			code = "E_SCHEMA_MISMATCH"
		}
		if t.lost = true; mayBeTorn {
			code = "E_TRUNCATED"
		} else if t.over(line) {
			code = "E_LIMIT"
		}
		t.fault(code, t.at.k+1)
		if code != "E_TRUNCATED" && *t.faulty <= 20_000 {
			h, doc, sig := cut(line, 85, 181)
			t.doubt(place{t.at.k + 1, t.resume(h, t.link(t.at, digest([]byte(doc))), sig), t.at.unreadable + 1})
		}
		return
	}
	e, k, id := get(v, "e"), num(v, "e.k"), read.id
	if t.agreed == nil && id == text(v, "id_k") {
		t.agree(e)
	}
	fault, here, before := t.follows(t.at, v, id), place{k: k, head: text(v, "H_k")}, t.at
	switch {
	case fault == "":
		t.at, t.alt = here, nil
	case (fault == "E_SEQUENCE" || fault == "E_CHAIN_LINK") && t.alt != nil && t.follows(*t.alt, v, id) == "":
		was := t.at
		before = *t.alt
		t.at, t.alt = here, &was
	default:
		at := k
		if fault == "E_EVENT_ID" {
			at = t.at.k + 1
		}
		if t.lost = true; t.over(line) {
			t.fault("E_LIMIT", at)
			return
		}
		t.fault(fault, at)
		next := t.at.k + 1
		if fault == "E_SEQUENCE" {
			next = k
		}
		t.doubt(place{k: next, head: t.resume(text(v, "H_k"), t.link(t.at, id), text(v, "sig_k"))})
		return
	}
	if t.ledger() && t.accepts(v) {
		t.signs(text(e, "verifier.pk_ref"))
		t.handed = true
	}
	t.lost = false
	t.content(e)
	t.times(e)
	t.used(e)
	t.events = append(t.events, e)
	if k == before.k+1 && before.head != "" {
		t.proven = append(t.proven, e)
		t.heads[k], t.ends[k] = t.at.head, t.uses[len(t.uses)-1].last
	}
}

// A secondRun is what the proven events say of a run.
type secondRun struct {
	end      any
	steps    map[string]any    // the last step.end by path
	starts   map[string]any    // the step.start just before it
	events   map[string][]any  // step.start and step.end by path, in order
	made     map[string]string // the last digest that a step.end recorded, by uri
	nameless int               // step.start and step.end of which the path is no text
	commits  []string
	unclear  bool // details.source of a run.start has another form
}

func (t *secondTrail) summary() secondRun {
	r := secondRun{events: map[string][]any{}, steps: map[string]any{}, starts: map[string]any{}, made: map[string]string{}}
	var started any
	for _, e := range t.proven {
		switch id, named := get(e, "path").(string); text(e, "action") {
		case "run.start":
			if c := text(e, "details.source.commit"); c != "" {
				r.commits = append(r.commits, c)
			}
			r.unclear = r.unclear || !isSource(e)
		case "step.start":
			if started = e; !named {
				r.nameless++
				continue
			}
			r.events[id] = append(r.events[id], e)
		case "step.end":
			if !named {
				r.nameless++
				continue
			}
			r.steps[id] = e
			r.events[id] = append(r.events[id], e)
			for _, it := range list(e, "outputs.items") {
				r.made[text(it, "uri")] = text(it, "hash")
			}
			delete(r.starts, id)
			if started != nil && get(started, "path") == id {
				r.starts[id] = started
			}
			started = nil
		case "run.end":
			r.end = e
		}
	}
	return r
}

// isSource reports whether details.source of an event, if there is one, has the form of
// the page.
func isSource(e any) bool {
	details, _ := get(e, "details").(map[string]any)
	value, recorded := details["source"]
	if !recorded {
		return true
	}
	source, ok := value.(map[string]any)
	if commit, some := source["commit"]; some {
		text, _ := commit.(string)
		ok = ok && commitForm.MatchString(text)
	}
	if dirty, some := source["dirty"]; some {
		_, is := dirty.(bool)
		ok = ok && is
	}
	return ok
}

var commitForm = regexp.MustCompile(`^([0-9a-fA-F]{40}|[0-9a-fA-F]{64})$`)

// content notes the findings of an event that can stand beside one another.
func (t *secondTrail) content(e any) {
	k, action := num(e, "k"), text(e, "action")
	closes, ledger := action == "trail.close", t.genesis != nil && text(t.genesis, "purpose") == "ledger"
	t.fails(t.closed || closes && ledger || !t.mayCome(e), "E_SEQUENCE", k)
	t.closed = t.closed || closes && !ledger
	for name := range hashes {
		t.fails(get(e, name) != get(t.agreed, name), hashCodes[name], k)
	}
	for _, set := range []string{"inputs", "outputs"} {
		items := get(e, set+".items")
		t.fails(items != nil && digestOf(items) != text(e, set+".hash"), "E_DATA_MISMATCH", k)
	}
	seed := get(e, "rng.seed")
	t.fails(seed != nil && !isLeaf("uint64", seed), "E_SEED_INVALID", k)
	first := e
	if len(t.events) > 0 {
		first = t.events[0]
	}
	t.fails(text(t.genesis, "purpose") == "run" && seed != get(first, "rng.seed"), "E_SEED_INVALID", k)
	if t.ledger() {
		t.handOver(e)
	}
}

// handOver follows the key of a ledger.
func (t *secondTrail) handOver(e any) {
	k, action := num(e, "k"), text(e, "action")
	t.fails(t.handed != (action == "key.accept"), "E_SEQUENCE", k)
	if t.handed = false; action != "key.rotate" {
		return
	}
	to := text(e, "details.to")
	if details, _ := get(e, "details").(map[string]any); len(details) != 1 || !isLeaf("key id", to) {
		t.fault("E_FORMAT", k)
		return
	}
	t.fails(to == t.signer || slices.ContainsFunc(t.uses, func(u *secondUse) bool { return u.signer == to }), "E_SEQUENCE", k)
	t.signs(to)
	t.handed = true
}

// used notes when the key that signed an event was used.
func (t *secondTrail) used(e any) {
	ts, _ := time.Parse(timeForm, text(e, "ts"))
	for _, u := range t.uses {
		if u.last.After(ts) {
			ts = u.last // what came before is on record already
		}
	}
	if ts.After(t.s.latest) {
		t.s.latest = ts
	}
	for _, u := range t.uses {
		if u.signer == text(e, "verifier.pk_ref") {
			u.last = ts
			return
		}
	}
	t.uses = append(t.uses, &secondUse{text(e, "verifier.pk_ref"), ts, ts})
}

// mayCome reports whether an event may come now, in a run that is intact.
func (t *secondTrail) mayCome(e any) bool {
	action, path := text(e, "action"), text(e, "path")
	_, named := get(e, "path").(string)
	part := get(t.genesis, "continues") != nil
	ok := (action == "run.start") != t.started || part && action != "run.start"
	switch state := t.steps[path]; action {
	case "step.start":
		ok = ok && !t.ended && (part || get(e, "path") != nil && (!named || state == ""))
	case "step.end":
		ok = ok && !t.ended && (part || get(e, "path") != nil && (!named || state == "step.start"))
	case "run.abort", "run.end":
		ok = ok && !t.ended
	case "trail.close":
		ok = ok && (part || t.ended)
	}
	if !t.intact || text(t.genesis, "purpose") != "run" {
		return true
	}
	t.started, t.ended = true, t.ended || action == "run.end"
	if named && strings.HasPrefix(action, "step.") {
		t.steps[path] = action
	}
	return ok
}

// times notes that a clock went back, and leaves open that it did by more than a
// second.
func (t *secondTrail) times(e any) {
	ts, _ := time.Parse(timeForm, text(e, "ts"))
	k, tau, clock := num(e, "k"), num(e, "tau_mono_us"), t.clocks[text(e, "clock")]
	mono, back := k > clock[0] && clock[0] > 0 && tau < clock[1], time.Duration(0)
	if k > t.top {
		if !t.ts.IsZero() && !mono {
			back = t.ts.Sub(ts)
		}
		t.top, t.ts = k, ts
	}
	if k > clock[0] {
		t.clocks[text(e, "clock")] = [2]int64{k, tau}
	}
	t.s.leave(mono || back > time.Second, "E_TIME_ORDER", t.path)
	t.s.note(back > 0 && back <= time.Second, "E_TIME_ORDER", t.path)
}
