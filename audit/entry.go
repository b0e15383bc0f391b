package audit

import "github.com/relseal/relseal/sign"

// An entry is a line after the first and all that can be said of it whatever
// stands before it. Many can be examined at a time; judging them goes in order.
type entry struct {
	line rawLine
	parsed
	err error // why the line is no event; not asked of one that is too long
}

// A parsed line is a well-formed one with the digest of the event in it.
type parsed struct {
	Record
	id     sign.Digest
	signed verdict // of Sig over H

	// part says that E holds no more than the rules for chain and content ask for, and its
	// details, which stand in the line.
	// Instead of the items it has the digests of them that were recorded.
	part    bool
	in, out sign.Digest
}

// A verdict is what is known about a signature.
type verdict byte

const (
	untried verdict = iota
	holds
	fails
)

// parse decodes the line in full.
func (e *entry) parse(plainly bool) {
	if e.line.long() {
		return
	}
	if e.Record, e.err = parseRecord(e.line.text, plainly); e.err == nil {
		e.id = sign.Sum(eventBytes(e.line.text))
	}
}

// whole returns the record with everything in it.
func (e *entry) whole() Record {
	if !e.part {
		return e.Record
	}
	r, err := ParseRecord(e.line.text)
	if err != nil {
		panic("audit: a line that is no event was taken for one: " + err.Error())
	}
	return r
}

// inputs returns what the hash of the inputs must be.
func (p *parsed) inputs() *sign.Digest {
	if p.part {
		return &p.in
	}
	return itemsDigest(&p.E.Inputs)
}

// outputs returns what the hash of the outputs must be.
func (p *parsed) outputs() *sign.Digest {
	if p.part {
		return &p.out
	}
	return itemsDigest(&p.E.Outputs)
}
