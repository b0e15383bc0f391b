package audit

import (
	"bytes"

	"github.com/relseal/relseal/sign"
)

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

// filled takes a name that is not empty.
func (c *cursor) filled(m *textMemo) string {
	b := c.name()
	c.bad = c.bad || len(b) == 0
	return *m.text(b)
}

// string takes a string, quotes and all, and returns it as it stands there.
func (c *cursor) string() []byte {
	if c.at == len(c.text) || c.text[c.at] != '"' {
		c.bad = true
		return nil
	}
	return c.value(2)
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

// status takes one of the statuses.
func (c *cursor) status() string {
	for _, s := range []string{StatusOK, StatusFailed, StatusAborted} {
		if c.skip(`"` + s + `"`) {
			return s
		}
	}
	c.bad = true
	return ""
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

// items takes the items themselves, at least one.
func (c *cursor) items() {
	c.want("[")
	for last := []byte(nil); !c.bad; {
		c.want(`{"hash":`)
		c.digest(new(sign.Digest))
		c.want(`,"uri":`)
		uri := c.name()
		c.bad = c.bad || bytes.Compare(last, uri) >= 0 // also if it is empty
		last = uri
		c.want("}")
		if !c.skip(",") {
			break
		}
	}
	c.want("]")
}
