package audit

import (
	"encoding/base64"

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

// signature takes the text of a signature, without quotes.
func (c *cursor) signature(s *sign.Signature) {
	var raw [sigLen / 4 * 3]byte
	n, err := strictBase64.Decode(raw[:], c.take(sigLen))
	c.bad = c.bad || err != nil || n != len(s) // shorter if it has line breaks, which Strict skips
	copy(s[:], raw[:])
}

var strictBase64 = base64.StdEncoding.Strict()

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
