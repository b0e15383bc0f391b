package audit

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"

	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/sign/comb"
)

// maxWorkers bounds the memory on large machines: judging goes in order, and no
// more than this many keep it waiting.
const maxWorkers = 16

// events judges all lines after the first. It returns the error of reading.
func (j *judge) events(lines *lineReader, most int) error {
	workers := j.o.Workers
	if workers <= 0 {
		workers = min(runtime.GOMAXPROCS(0), maxWorkers)
	}
	return inChunks(lines, most, workers, &j.o, j.many, func(c *chunk) bool { j.chunk(c); return j.over })
}

// inChunks reads lines in chunks, examines them with so many workers, and gives them to
// take in their order, until it returns true.
func inChunks(lines *lineReader, most, workers int, o *CheckOptions, many func() *verifier, take func(*chunk) bool) error {
	first := new(chunk)
	first.fill(lines, most, many())
	if workers == 1 || first.end != nil {
		return inTurn(first, lines, most, o, many, take)
	}
	return atOnce(first, lines, most, workers, o, many, take)
}

// Brief reads the lines of a trail by their form alone and calls each with the number of
// the line and, from line 1 on, the event in it or why there is none. The event is as
// that of [CheckOptions.Each]. An error of each ends the reading.
func Brief(r io.Reader, each func(number int64, l Line, e *Event, err error) error) error {
	lines := newLineReader(r)
	first, err := lines.next()
	if err == nil {
		err = each(0, Line{first}, nil, nil)
	}
	if err != nil {
		return readError(err)
	}
	number := int64(0)
	var fault error
	err = inChunks(lines, chunkLines, min(runtime.GOMAXPROCS(0), maxWorkers), &CheckOptions{Each: func(*Event) {}}, func() *verifier { return nil }, func(c *chunk) bool {
		for i := range c.entries {
			e := &c.entries[i]
			number++
			why := e.err
			if e.line.long() {
				_, why = Line{e.line}.Text()
			}
			if fault = each(number, Line{e.line}, &e.E, why); fault != nil {
				return true
			}
		}
		return false
	})
	if fault != nil {
		return fault
	}
	return err
}

// inTurn reads, examines and gives on chunk after chunk, from c on.
func inTurn(c *chunk, lines *lineReader, most int, o *CheckOptions, many func() *verifier, take func(*chunk) bool) error {
	d := newDecoder(o)
	for {
		c.examine(d)
		if take(c) {
			return nil
		}
		if c.end != nil {
			return readError(c.end)
		}
		c.fill(lines, most, many())
	}
}

// A job is a chunk on its way through a worker.
type job struct {
	chunk
	done   chan struct{} // receives once the chunk was examined
	failed any           // what a worker has panicked with
}

// atOnce has chunks examined by workers, and reads ahead while they are: they
// are judged in order by the goroutine that reads, so that a caller meets no
// other goroutine in its reader or in its functions.
func atOnce(first *chunk, lines *lineReader, most, workers int, o *CheckOptions, many func() *verifier, take func(*chunk) bool) error {
	ahead := workers + 2 // one to be judged next and one to be filled, beside those in work
	work := make(chan *job, ahead)
	defer close(work)
	for range workers {
		go worker(work, newDecoder(o))
	}

	var queue, free []*job // in order; judged
	put := func(b *job) {
		queue = append(queue, b)
		work <- b
	}
	b := &job{chunk: *first, done: make(chan struct{}, 1)}
	put(b)
	for end := first.end; end == nil || len(queue) > 0; {
		if end == nil && len(queue) < ahead {
			if len(free) > 0 {
				b = free[len(free)-1]
				free = free[:len(free)-1]
			} else {
				b = &job{chunk: first.like(), done: make(chan struct{}, 1)}
			}
			b.fill(lines, most, many())
			end = b.end
			put(b)
			continue
		}
		b = queue[0]
		queue = slices.Delete(queue, 0, 1)
		<-b.done
		if b.failed != nil {
			panic(b.failed)
		}
		if take(&b.chunk) {
			return nil
		}
		if b.end != nil {
			return readError(b.end)
		}
		free = append(free, b)
	}
	return nil
}

// worker examines chunks until there are no more.
func worker(work <-chan *job, d *decoder) {
	for b := range work {
		b.examineSafely(d)
		b.done <- struct{}{}
	}
}

// examineSafely hands a panic over to the caller of Check, who may want to recover.
func (b *job) examineSafely(d *decoder) {
	defer func() {
		if v := recover(); v != nil {
			b.failed = fmt.Sprintf("%v\n\n%s", v, debug.Stack())
		}
	}()
	b.examine(d)
}

func readError(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

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

// A verifier checks signatures by one key, many at a time, before it is known
// whether they are needed. Several goroutines may use it.
type verifier struct {
	key  sign.PublicKey
	many *comb.Verifier // nil: crypto/ed25519 alone
}

// many returns what tries the signatures of what is read now, nil as long as it may turn
// out that another key signs.
func (j *judge) many() *verifier {
	if !j.trust.known || j.adopt {
		return nil
	}
	if j.verifier == nil || j.verifier.key != j.trust.key {
		j.verifier = &verifier{key: j.trust.key}
		if !j.o.Plain && !j.o.oneByOne {
			j.verifier.many = comb.New(j.trust.key)
		}
	}
	return j.verifier
}

// A trial is the memory for the signatures of a chunk.
type trial struct {
	heads [][]byte
	sigs  []sign.Signature
	ok    []bool
}

// try finds out which of the entries are signed.
func (v *verifier) try(entries []entry, t *trial) {
	if v.many == nil {
		for i := range entries {
			if e := &entries[i]; e.event() {
				e.set(v.key.Verify(e.H[:], e.Sig))
			}
		}
		return
	}
	t.heads, t.sigs, t.ok = t.heads[:0], t.sigs[:0], t.ok[:0]
	for i := range entries {
		if e := &entries[i]; e.event() {
			t.heads, t.sigs, t.ok = append(t.heads, e.H[:]), append(t.sigs, e.Sig), append(t.ok, false)
		}
	}
	v.many.Verify(t.heads, t.sigs, t.ok)
	n := 0
	for i := range entries {
		if e := &entries[i]; e.event() {
			e.set(t.ok[n])
			n++
		}
	}
}

// event reports whether the line is an event.
func (e *entry) event() bool { return e.err == nil && !e.line.long() }

func (e *entry) set(ok bool) {
	e.signed = fails
	if ok {
		e.signed = holds
	}
}
