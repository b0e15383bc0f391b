package audit

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
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
