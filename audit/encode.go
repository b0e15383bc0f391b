package audit

import (
	"encoding/hex"
	"strconv"
	"time"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// An encoder writes the lines of events of the usual shape, several times as fast
// as package canon, which has to find out what an Event looks like. The decoder reads
// each line before it is signed. A line that the decoder does not accept is written
// by package canon, as are events with snapshots or commitments. A test compares the
// encoder with canon.Marshal.
type encoder struct {
	line []byte
	bad  bool
}

// unsigned returns the line of e without a signature and where in it the event
// stands; nil if e is not of the usual shape. It is valid until the next call.
func (c *encoder) unsigned(e *Event) (line []byte, start, end int) {
	c.bad = len(e.TimeSeries.Snapshot) > 0
	c.line = append(c.line[:0], `{"H_k":"`...)
	c.line = append(c.line, noDigest...)
	c.raw(`","e":`)
	start = len(c.line)
	c.event(e)
	end = len(c.line)
	c.raw(`,"id_k":"`)
	c.line = append(c.line, noDigest...)
	c.raw(`","sig_k":"`)
	c.line = append(c.line, noSignature...)
	c.raw(`"}`)
	if c.bad || len(c.line) > limits.Line {
		return nil, 0, 0
	}
	return c.line, start, end
}

// These stand in a line for the digests and the signature until those are known. They
// have the same length.
var (
	noDigest    = sign.Digest{}.String()
	noSignature = sign.Signature{}.String()
)

// fillDigests puts the digests into a line whose event ends at eventEnd.
func fillDigests(line []byte, eventEnd int, r *Record) {
	put := func(at int, d sign.Digest) { hex.Encode(line[at+len("sha256:"):], d[:]) }
	put(hAt, r.H)
	put(eventEnd+len(`,"id_k":"`), r.ID)
}

// fillSignature puts the signature into a line without its LF.
func fillSignature(line []byte, sig sign.Signature) {
	strictBase64.Encode(line[len(line)-sigFromEnd:], sig[:])
}

func (c *encoder) raw(s string) { c.line = append(c.line, s...) }

// event writes the members in canonical order.
func (c *encoder) event(e *Event) {
	c.raw(`{"EnvLock":{"fingerprint":`)
	c.digest(e.EnvLock.Fingerprint)
	c.raw(`},"ParamCard":{"hash":`)
	c.digest(e.ParamCard.Hash)
	c.raw(`},"PipelineCard":{"hash":`)
	c.digest(e.PipelineCard.Hash)
	c.raw(`},"TS":{"snapshot":{}},"action":`)
	c.string(e.Action)
	c.raw(`,"actor":`)
	c.text(e.Actor)
	c.raw(`,"audit":{"schema":{"version":`)
	c.string(e.Audit.Schema.Version)
	c.raw(`}},"clock":`)
	c.string(e.Clock)
	c.raw(`,"code":{"hash":`)
	c.digest(e.Code.Hash)
	c.raw("}")
	if e.Details != nil {
		// The details must be one whole value: they could end their member and begin
		// another one otherwise.
		c.bad = c.bad || len(e.Details) == 0 || canon.Prefix(e.Details, 2) != len(e.Details)
		c.raw(`,"details":`)
		c.line = append(c.line, e.Details...)
	}
	if !e.Error.IsZero() {
		c.raw(`,"error":`)
		c.text(e.Error)
	}
	c.raw(`,"inputs":`)
	c.items(&e.Inputs)
	c.raw(`,"k":`)
	c.line = strconv.AppendInt(c.line, e.K, 10)
	c.raw(`,"notes":`)
	c.text(e.Notes)
	c.raw(`,"outputs":`)
	c.items(&e.Outputs)
	c.raw(`,"path":`)
	c.text(e.Path)
	c.raw(`,"rng":{"seed":`)
	c.text(Text{Value: e.RNG.Seed})
	c.raw(`},"run":{"id":`)
	c.string(e.Run.ID)
	c.raw("}")
	if e.Status != "" {
		c.raw(`,"status":`)
		c.string(e.Status)
	}
	c.raw(`,"tau_mono_us":`)
	c.line = strconv.AppendInt(c.line, e.TauMonoUS, 10)
	c.raw(`,"ts":"`)
	c.line = e.TS.In(time.UTC).AppendFormat(c.line, timeLayout)
	c.raw(`","verifier":{"pk_ref":`)
	c.string(e.Verifier.PKRef.String())
	c.raw("}}")
}

// string writes a string. Nearly all have no characters that need an escape.
func (c *encoder) string(s string) {
	for i := range len(s) {
		if b := s[i]; b < 0x20 || b > 0x7e || b == '"' || b == '\\' {
			text, err := canon.Marshal(s)
			c.bad = c.bad || err != nil
			c.line = append(c.line, text...)
			return
		}
	}
	c.line = append(append(append(c.line, '"'), s...), '"')
}

func (c *encoder) text(t Text) {
	switch {
	case t.Commit != nil:
		c.bad = true
	case t.Value == nil:
		c.raw("null")
	default:
		c.string(*t.Value)
	}
}

func (c *encoder) digest(d *sign.Digest) {
	if d == nil {
		c.raw("null")
		return
	}
	c.raw(`"sha256:`)
	c.line = hex.AppendEncode(c.line, d[:])
	c.raw(`"`)
}

func (c *encoder) items(s *Items) {
	c.raw(`{"hash":`)
	c.digest(&s.Hash)
	for i := range s.Items {
		if i == 0 {
			c.raw(`,"items":[{"hash":`)
		} else {
			c.raw(`,{"hash":`)
		}
		c.digest(&s.Items[i].Hash)
		c.raw(`,"uri":`)
		c.string(s.Items[i].URI)
		c.raw("}")
	}
	if len(s.Items) > 0 {
		c.raw("]")
	}
	c.raw("}")
}
