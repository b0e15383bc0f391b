package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"hash"

	"github.com/relseal/relseal/sign"
)

// A decoder reads lines. Nearly all events have the usual shape, and most of them
// are only checked. Of those the decoder reads the members that the rules ask for
// from their positions, instead of building a Record and encoding it again to see
// whether it is canonical.
//
// A line that differs from the usual shape in any byte is parsed by ParseRecord,
// which also finds out what is wrong with it. Most members are the same in all
// events, so the decoder remembers the text of some and their values; that changes
// the time it takes and not the result. A fuzz test compares it with ParseRecord.
type decoder struct {
	o *CheckOptions

	env, pipe, param, code digestMemo
	in, out                digestMemo // of inputs and outputs
	run, clock, seed, path textMemo
	actor                  textMemo
	action                 string
	keyText                string
	key                    sign.KeyID
	ids                    *prefixSum
	shared                 int // how many bytes from the start of the line the next events are likely to share
}

func newDecoder(o *CheckOptions) *decoder { return &decoder{o: o, ids: newPrefixSum()} }

// decode fills in the members of the line and the digest of its event.
func (d *decoder) decode(e *entry) {
	if e.line.long() || !d.o.Plain && d.decodeUsual(e.line.text, &e.parsed) && !d.o.wantsWhole(e.E.Action) && !changesKey(e.E.Action) {
		return
	}
	e.parsed = parsed{}
	e.parse(d.o.Plain)
}

// decodeUsual reads a line of the usual shape. If it returns true, ParseRecord accepts
// the line and returns the same for every member that is set here.
func (d *decoder) decodeUsual(text []byte, p *parsed) bool {
	c := cursor{text: text}
	c.want(`{"H_k":`)
	c.digest(&p.H)
	c.want(`,"e":`)
	start := c.at
	d.event(&c, p)
	end := c.at
	c.want(`,"id_k":`)
	c.digest(&p.ID)
	c.want(`,"sig_k":"`)
	c.signature(&p.Sig)
	c.want(`"}`)
	if c.bad || c.at != len(text) {
		return false
	}
	p.id, p.partial = d.ids.digest(text[start:end], d.shared-start, len(p.E.Action)), true
	return true
}

// event reads an event: its members in canonical order, each as Event.check demands.
func (d *decoder) event(c *cursor, p *parsed) {
	e := &p.E
	c.want(`{"EnvLock":{"fingerprint":`)
	e.EnvLock.Fingerprint = d.env.digest(c)
	c.want(`},"ParamCard":{"hash":`)
	e.ParamCard.Hash = d.param.digest(c)
	c.want(`},"PipelineCard":{"hash":`)
	e.PipelineCard.Hash = d.pipe.digest(c)
	c.want(`},"TS":{"snapshot":{}},"action":`)
	e.Action = d.actionName(c)
	c.want(`,"actor":`)
	e.Actor.Value = d.actorText(c)
	c.want(`,"audit":{"schema":{"version":"` + SchemaVersion + `"}},"clock":`)
	e.Clock = c.nonEmpty(&d.clock)
	c.want(`,"code":{"hash":`)
	d.code.digest(c)
	c.want("}")
	d.shared = c.at
	if c.skip(`,"details":`) {
		c.bad = c.bad || c.skip("null")
		e.Details = c.value(2)
	}
	if c.skip(`,"error":`) {
		c.quoted()
	}
	c.want(`,"inputs":`)
	e.Inputs.Hash, p.inDigest = d.in.items(c)
	c.want(`,"k":`)
	e.K = c.number()
	c.bad = c.bad || e.K < 1
	c.want(`,"notes":`)
	if !c.skip("null") {
		c.quoted()
	}
	c.want(`,"outputs":`)
	e.Outputs.Hash, p.outDigest = d.out.items(c)
	c.want(`,"path":`)
	if !c.skip("null") {
		e.Path.Value = d.path.intern(c.name())
	}
	c.want(`,"rng":{"seed":`)
	if !c.skip("null") {
		e.RNG.Seed = d.seed.intern(c.name())
	}
	c.want(`},"run":{"id":`)
	e.Run.ID = c.nonEmpty(&d.run)
	c.want("}")
	if c.skip(`,"status":`) {
		e.Status = c.status()
	} else if e.Action == ActionRunEnd {
		c.bad = true
	}
	c.want(`,"tau_mono_us":`)
	e.TauMonoUS = c.number()
	c.want(`,"ts":`)
	e.TS = c.time()
	c.want(`,"verifier":{"pk_ref":"`)
	e.Verifier.PKRef = d.keyID(c)
	c.want(`"}}`)
}

// A textMemo remembers the last text. If the same one comes again, it is not copied.
type textMemo struct{ last *string }

func (m *textMemo) intern(b []byte) *string {
	if m.last == nil || *m.last != string(b) {
		s := string(b)
		m.last = &s
	}
	return m.last
}

// actionName reads an action.
func (d *decoder) actionName(c *cursor) string {
	if b := c.name(); d.action == "" || d.action != string(b) {
		s := string(b)
		if c.bad = c.bad || !isAction(s); c.bad {
			return ""
		}
		d.action = s
	}
	return d.action
}

// actorText reads the actor, which is not empty. It returns the text only if
// CheckOptions.Each needs it; then the text must have no escapes.
func (d *decoder) actorText(c *cursor) *string {
	quoted := c.quoted()
	c.bad = c.bad || len(quoted) <= len(`""`)
	if d.o.Each == nil || c.bad {
		return nil
	}
	if c.bad = bytes.IndexByte(quoted, '\\') >= 0; c.bad {
		return nil
	}
	return d.actor.intern(quoted[1 : len(quoted)-1])
}

// A digestMemo remembers the last digest or null, and its text.
type digestMemo struct {
	raw  []byte
	last *sign.Digest
}

// digest reads a digest or null.
func (m *digestMemo) digest(c *cursor) *sign.Digest {
	if len(m.raw) > 0 && bytes.HasPrefix(c.rest(), m.raw) {
		c.at += len(m.raw)
		return m.last
	}
	start := c.at
	var v *sign.Digest
	if !c.skip("null") {
		v = new(sign.Digest)
		c.digest(v)
	}
	if !c.bad {
		m.raw, m.last = append(m.raw[:0], c.text[start:c.at]...), v
	}
	return v
}

// keyID reads a key id without its quotes.
func (d *decoder) keyID(c *cursor) sign.KeyID {
	if d.keyText != "" && c.skip(d.keyText) {
		return d.key
	}
	text := string(c.take(len(sign.KeyID{}.String())))
	id, err := sign.ParseKeyID(text)
	if c.bad = c.bad || err != nil; !c.bad {
		d.keyText, d.key = text, id
	}
	return id
}

// items reads the inputs or the outputs. It returns their hash, and what it must be
// by the items if those are recorded. Most events have none, and the same hash then.
func (m *digestMemo) items(c *cursor) (hash, want sign.Digest) {
	c.want(`{"hash":`)
	if h := m.digest(c); h != nil {
		hash = *h
	} else {
		c.bad = true
	}
	want = hash
	if c.skip(`,"items":`) {
		start := c.at
		c.items()
		want = sign.Sum(c.text[start:c.at])
	}
	c.want("}")
	return hash, want
}

// A prefixSum computes the SHA-256 of texts that begin with the same bytes. It keeps
// the state after the common blocks (package hash: a Hash of the standard library can
// be saved and restored) and hashes only the rest of each text. Half of an event is the
// same as in the one before it: the fingerprints and digests of its run.
//
// A kept state is used only for a text that begins with the bytes it was computed from.
type prefixSum struct {
	hash   hash.Hash
	states [8]prefixState // by the length of the action, which stands in the middle of that half
	sum    []byte
}

// A prefixState is the state of SHA-256 after text, a whole number of blocks.
type prefixState struct{ text, state []byte }

func newPrefixSum() *prefixSum { return &prefixSum{hash: sha256.New()} }

// digest returns the SHA-256 of text. The next text of the same kind is likely to begin
// with its first n bytes.
func (p *prefixSum) digest(text []byte, n, kind int) sign.Digest {
	n -= n % sha256.BlockSize
	b := &p.states[kind%len(p.states)]
	if !bytes.Equal(b.text, text[:n]) || !p.restore(b) {
		p.hash.Reset()
		p.hash.Write(text[:n])
		p.save(b, text[:n])
	}
	p.hash.Write(text[n:])
	p.sum = p.hash.Sum(p.sum[:0])
	return sign.Digest(p.sum)
}

func (p *prefixSum) save(b *prefixState, text []byte) {
	b.text = b.text[:0]
	if h, ok := p.hash.(encoding.BinaryAppender); ok {
		if state, err := h.AppendBinary(b.state[:0]); err == nil {
			b.text, b.state = append(b.text, text...), state
		}
	}
}

func (p *prefixSum) restore(b *prefixState) bool {
	h, ok := p.hash.(encoding.BinaryUnmarshaler)
	return ok && h.UnmarshalBinary(b.state) == nil
}
