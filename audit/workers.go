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

// maxWorkers bounds the memory on large machines. One goroutine judges the lines in
// their order, and more workers than these would examine faster than it judges.
const maxWorkers = 16

// events judges all lines after the first. It returns the error of reading.
func (j *judge) events(lines *lineReader, maxLines int) error {
	workers := j.o.Workers
	if workers <= 0 {
		workers = min(runtime.GOMAXPROCS(0), maxWorkers)
	}
	return examineLines(lines, maxLines, workers, &j.o, j.batchVerifier, func(c *chunk) bool { j.chunk(c); return j.stopped })
}

// examineLines reads lines in chunks, lets workers examine them, and calls deliver with
// each chunk in order, until it returns true.
func examineLines(lines *lineReader, maxLines, workers int, o *CheckOptions, verifierOf func() *verifier, deliver func(*chunk) bool) error {
	first := new(chunk)
	first.fill(lines, maxLines, verifierOf())
	if workers == 1 || first.end != nil {
		return examineSerially(first, lines, maxLines, o, verifierOf, deliver)
	}
	return examineInParallel(first, lines, maxLines, workers, o, verifierOf, deliver)
}

// Brief parses the lines of a trail without checking more than their form. It calls each
// with every line and its number and, from line 1 on, with the event in it or the error
// of parsing it. The event has the members that [CheckOptions.Each] names. If each returns
// an error, reading ends.
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
	err = examineLines(lines, chunkLines, min(runtime.GOMAXPROCS(0), maxWorkers), &CheckOptions{Each: func(*Event) {}}, func() *verifier { return nil }, func(c *chunk) bool {
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

// examineSerially reads, examines and delivers one chunk after the other. c was read.
func examineSerially(c *chunk, lines *lineReader, maxLines int, o *CheckOptions, verifierOf func() *verifier, deliver func(*chunk) bool) error {
	d := newDecoder(o)
	for {
		c.examine(d)
		if deliver(c) {
			return nil
		}
		if c.end != nil {
			return readError(c.end)
		}
		c.fill(lines, maxLines, verifierOf())
	}
}

// A job is a chunk on its way through a worker.
type job struct {
	chunk
	done   chan struct{} // receives once the chunk was examined
	failed any           // what a worker has panicked with
}

// examineInParallel lets workers examine chunks and reads ahead meanwhile. The goroutine
// that reads also delivers the chunks in order, so that no other goroutine ever calls the
// caller's reader or functions.
func examineInParallel(first *chunk, lines *lineReader, maxLines, workers int, o *CheckOptions, verifierOf func() *verifier, deliver func(*chunk) bool) error {
	ahead := workers + 2 // one that is delivered and one that is filled, beside those of the workers
	work := make(chan *job, ahead)
	defer close(work)
	for range workers {
		go worker(work, newDecoder(o))
	}

	var queue, free []*job // queue: to be delivered, in order; free: delivered
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
				b = &job{chunk: first.emptyLike(), done: make(chan struct{}, 1)}
			}
			b.fill(lines, maxLines, verifierOf())
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
		if deliver(&b.chunk) {
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

// examineSafely keeps a panic for the goroutine of the caller, who may want to recover.
func (b *job) examineSafely(d *decoder) {
	defer func() {
		if v := recover(); v != nil {
			b.failed = fmt.Sprintf("%v\n\n%s", v, debug.Stack())
		}
	}()
	b.examine(d)
}

// readError returns err, or nil for io.EOF.
func readError(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// An entry is a line after the first with everything that can be found out about it
// without the other lines. Entries are examined in parallel and judged in order.
type entry struct {
	line rawLine
	parsed
	err error // why the line is no event; nil also for a line that is too long
}

// A parsed line is a well-formed one, with the digest of its event.
type parsed struct {
	Record
	id     sign.Digest
	signed sigState // of Sig over H

	// partial says that E has only the members that the rules of chain and content ask
	// for, and the details, which point into the line. Instead of the items there are
	// the digests that their hashes must have.
	partial             bool
	inDigest, outDigest sign.Digest
}

// A sigState is what is known about a signature.
type sigState byte

const (
	sigUntried sigState = iota
	sigGood
	sigBad
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

// fullRecord returns the record with all of its members.
func (e *entry) fullRecord() Record {
	if !e.partial {
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
	if p.partial {
		return &p.inDigest
	}
	return itemsDigest(&p.E.Inputs)
}

// outputs returns what the hash of the outputs must be.
func (p *parsed) outputs() *sign.Digest {
	if p.partial {
		return &p.outDigest
	}
	return itemsDigest(&p.E.Outputs)
}

// These are the most lines and bytes of a chunk: enough lines for package comb to share
// work between their signatures, and no more, because chunks are most of what checking a
// trail keeps in memory.
const (
	chunkLines = 128
	chunkText  = 1 * limits.MiB
)

// A chunk is several lines in a row, in one buffer.
type chunk struct {
	text     []byte
	entries  []entry
	end      error     // why there is no line after these: io.EOF, or the error of reading
	verifier *verifier // checks the signatures; nil if they cannot be checked yet
	trial    trial
}

// emptyLike returns an empty chunk with as much memory as c has come to need. If the new
// one grew step by step, it would leave twice as much garbage behind.
func (c *chunk) emptyLike() chunk {
	return chunk{text: make([]byte, 0, len(c.text)+len(c.text)/8), entries: make([]entry, 0, cap(c.entries))}
}

// fill replaces the lines of c by up to maxLines that it reads.
func (c *chunk) fill(lines *lineReader, maxLines int, v *verifier) {
	c.text, c.entries, c.end, c.verifier = c.text[:0], c.entries[:0], nil, v
	for len(c.entries) < maxLines && len(c.text) < chunkText {
		var line rawLine
		if c.text, line, c.end = lines.read(c.text); c.end != nil {
			break
		}
		c.entries = append(c.entries, entry{line: line})
	}
	// The buffer grows no more, so that the lines can point into it.
	rest := c.text
	for i := range c.entries {
		if line := &c.entries[i].line; !line.long() {
			line.text, rest = rest[:line.size:line.size], rest[line.size:]
		}
	}
}

// examine decodes the lines and checks their signatures: everything that can be done for
// a line without the others.
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
			c.entries[i].signed = sigUntried // it was checked with the key before key.rotate
		}
		j.entry(&c.entries[i])
	}
	if j.o.Judged != nil {
		j.o.Judged.Add(int64(len(c.entries)))
	}
}

// A verifier checks many signatures by one key at a time, before it is known which of
// them will matter. Several goroutines may use it.
type verifier struct {
	key   sign.PublicKey
	batch *comb.Verifier // nil: crypto/ed25519 alone
}

// batchVerifier returns the verifier for the lines that are read next. It is nil if the
// key is not trusted, or not known before the first event was judged.
func (j *judge) batchVerifier() *verifier {
	if !j.trust.known || j.trustFromEvent {
		return nil
	}
	if j.verifier == nil || j.verifier.key != j.trust.key {
		j.verifier = &verifier{key: j.trust.key}
		if !j.o.Plain && !j.o.oneByOne {
			j.verifier.batch = comb.New(j.trust.key)
		}
	}
	return j.verifier
}

// A trial is memory for checking the signatures of a chunk.
type trial struct {
	heads [][]byte
	sigs  []sign.Signature
	ok    []bool
}

// try checks the signatures of the entries.
func (v *verifier) try(entries []entry, t *trial) {
	if v.batch == nil {
		for i := range entries {
			if e := &entries[i]; e.isEvent() {
				e.setSig(v.key.Verify(e.H[:], e.Sig))
			}
		}
		return
	}
	t.heads, t.sigs, t.ok = t.heads[:0], t.sigs[:0], t.ok[:0]
	for i := range entries {
		if e := &entries[i]; e.isEvent() {
			t.heads, t.sigs, t.ok = append(t.heads, e.H[:]), append(t.sigs, e.Sig), append(t.ok, false)
		}
	}
	v.batch.Verify(t.heads, t.sigs, t.ok)
	n := 0
	for i := range entries {
		if e := &entries[i]; e.isEvent() {
			e.setSig(t.ok[n])
			n++
		}
	}
}

// event reports whether the line is an event.
func (e *entry) isEvent() bool { return e.err == nil && !e.line.long() }

func (e *entry) setSig(ok bool) {
	e.signed = sigBad
	if ok {
		e.signed = sigGood
	}
}
