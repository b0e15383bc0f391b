package audit

import "github.com/relseal/relseal/internal/limits"

// A chunk is enough lines for package comb to share what signatures can share, and
// no more: chunks are what checking a trail keeps in memory. Of long lines it is
// fewer.
const (
	chunkLines = 128
	chunkText  = 1 * limits.MiB
)

// A chunk is a row of lines in the memory that they were read into.
type chunk struct {
	text     []byte
	entries  []entry
	end      error     // why there is no line after these: io.EOF, or the error of reading
	verifier *verifier // what to try signatures with; nil: not yet
	trial    trial
}

// like returns an empty chunk with the memory that c has turned out to need:
// growing to it again would leave twice as much behind.
func (c *chunk) like() chunk {
	return chunk{text: make([]byte, 0, len(c.text)+len(c.text)/8), entries: make([]entry, 0, cap(c.entries))}
}

// fill reads up to most lines in place of those that c had.
func (c *chunk) fill(lines *lineReader, most int, v *verifier) {
	c.text, c.entries, c.end, c.verifier = c.text[:0], c.entries[:0], nil, v
	for len(c.entries) < most && len(c.text) < chunkText {
		var line rawLine
		if c.text, line, c.end = lines.read(c.text); c.end != nil {
			break
		}
		c.entries = append(c.entries, entry{line: line})
	}
	// From here on the text stays where it is.
	rest := c.text
	for i := range c.entries {
		if line := &c.entries[i].line; !line.long() {
			line.text, rest = rest[:line.size:line.size], rest[line.size:]
		}
	}
}

// examine does what needs no other line, and nothing that needs another.
func (c *chunk) examine(d *decoder) {
	for i := range c.entries {
		d.decode(&c.entries[i])
	}
	if c.verifier != nil {
		c.verifier.try(c.entries, &c.trial)
	}
}

// chunk judges the lines of an examined chunk.
func (j *judge) chunk(c *chunk) {
	for i := range c.entries {
		if c.verifier != nil && c.verifier.key != j.trust.key {
			c.entries[i].signed = untried // with the key of before key.rotate
		}
		j.entry(&c.entries[i])
	}
	if j.o.Judged != nil {
		j.o.Judged.Add(int64(len(c.entries)))
	}
}
