package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"hash"

	"github.com/relseal/relseal/sign"
)

// A decoder reads lines. Nearly all events have the usual shape, and of most of
// them nobody wants to know more than whether they are right: for those it
// takes what the rules ask for from where it stands, instead of building a
// Record and encoding it again to see whether it is canonical.
//
// Whatever is not of the usual shape, to the byte, goes the slow way, through
// ParseRecord, which also has the last word on what is wrong. What the decoder
// remembers is text of earlier lines and what it means, since most members are
// the same in all events; it makes no difference to what is read. A fuzz test
// holds the two ways together.
type decoder struct {
	o *CheckOptions

	env, pipe, param, code digestMemo
	in, out                digestMemo // of sets
	run, clock, seed, path textMemo
	actor                  textMemo
	action                 string
	keyText                string
	key                    sign.KeyID
	ids                    *prefixSum
	shared                 int // so many bytes up to here many events of a run have in common
}

func newDecoder(o *CheckOptions) *decoder { return &decoder{o: o, ids: newPrefixSum()} }

// decode fills in what the line says, and its digest.
func (d *decoder) decode(e *entry) {
	if e.line.long() || !d.o.Plain && d.shape(e.line.text, &e.parsed) && !d.o.whole(e.E.Action) && !turns(e.E.Action) {
		return
	}
	e.parsed = parsed{}
	e.parse(d.o.Plain)
}

// shape reads a line of the usual shape. If it returns true, ParseRecord accepts
// the line and returns the same for every member that is set here.
func (d *decoder) shape(text []byte, p *parsed) bool {
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
	p.id, p.part = d.ids.of(text[start:end], d.shared-start, len(p.E.Action)), true
	return true
}

// event takes an event: its members in canonical order, as check would have them.
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
	e.Clock = c.filled(&d.clock)
	c.want(`,"code":{"hash":`)
	d.code.digest(c)
	c.want("}")
	d.shared = c.at
	if c.skip(`,"details":`) {
		c.bad = c.bad || c.skip("null")
		e.Details = c.value(2)
	}
	if c.skip(`,"error":`) {
		c.string()
	}
	c.want(`,"inputs":`)
	e.Inputs.Hash, p.in = d.in.items(c)
	c.want(`,"k":`)
	e.K = c.number()
	c.bad = c.bad || e.K < 1
	c.want(`,"notes":`)
	if !c.skip("null") {
		c.string()
	}
	c.want(`,"outputs":`)
	e.Outputs.Hash, p.out = d.out.items(c)
	c.want(`,"path":`)
	if !c.skip("null") {
		e.Path.Value = d.path.text(c.name())
	}
	c.want(`,"rng":{"seed":`)
	if !c.skip("null") {
		e.RNG.Seed = d.seed.text(c.name())
	}
	c.want(`},"run":{"id":`)
	e.Run.ID = c.filled(&d.run)
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

// A textMemo remembers a text, so that the same one again is not copied again.
type textMemo struct{ last *string }

func (m *textMemo) text(b []byte) *string {
	if m.last == nil || *m.last != string(b) {
		s := string(b)
		m.last = &s
	}
	return m.last
}

// actionName takes an action.
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

// actorText takes the actor, which is not empty, and returns it if somebody asks for
// it: then it must have no escapes.
func (d *decoder) actorText(c *cursor) *string {
	quoted := c.string()
	c.bad = c.bad || len(quoted) <= len(`""`)
	if d.o.Each == nil || c.bad {
		return nil
	}
	if c.bad = bytes.IndexByte(quoted, '\\') >= 0; c.bad {
		return nil
	}
	return d.actor.text(quoted[1 : len(quoted)-1])
}

// A digestMemo remembers the text of a digest or null.
type digestMemo struct {
	raw  []byte
	last *sign.Digest
}

// digest takes a digest or null.
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

// keyID takes the text of a key id, without quotes.
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

// items takes a set of items. It returns its hash and what that must be. Often
// all are of the empty set.
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

// A prefixSum computes SHA-256 of texts that begin alike: the state after the
// common blocks is kept (package hash: a Hash of the standard library can be saved
// and restored), so that of each text only the rest is hashed. Half of an event is
// the same from one to the next: the fingerprints and digests of its run.
//
// A state is used for the bytes alone that it was computed from.
type prefixSum struct {
	hash  hash.Hash
	begun [8]begunSum // by length of the action, which is in the middle of that half
	sum   []byte
}

// A begunSum is the state of SHA-256 after text, a whole number of blocks.
type begunSum struct{ text, state []byte }

func newPrefixSum() *prefixSum { return &prefixSum{hash: sha256.New()} }

// of returns the SHA-256 of text. Its first n bytes are likely to come again with
// another text of this kind.
func (p *prefixSum) of(text []byte, n, kind int) sign.Digest {
	n -= n % sha256.BlockSize
	b := &p.begun[kind%len(p.begun)]
	if !bytes.Equal(b.text, text[:n]) || !p.restore(b) {
		p.hash.Reset()
		p.hash.Write(text[:n])
		p.save(b, text[:n])
	}
	p.hash.Write(text[n:])
	p.sum = p.hash.Sum(p.sum[:0])
	return sign.Digest(p.sum)
}

func (p *prefixSum) save(b *begunSum, text []byte) {
	b.text = b.text[:0]
	if h, ok := p.hash.(encoding.BinaryAppender); ok {
		if state, err := h.AppendBinary(b.state[:0]); err == nil {
			b.text, b.state = append(b.text, text...), state
		}
	}
}

func (p *prefixSum) restore(b *begunSum) bool {
	h, ok := p.hash.(encoding.BinaryUnmarshaler)
	return ok && h.UnmarshalBinary(b.state) == nil
}
