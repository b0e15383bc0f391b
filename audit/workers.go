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
	first := new(chunk)
	first.fill(lines, most, j.many())
	if workers == 1 || first.end != nil {
		return j.alone(first, lines, most)
	}
	return j.together(first, lines, most, workers)
}

// alone reads, examines and judges chunk after chunk, from c on.
func (j *judge) alone(c *chunk, lines *lineReader, most int) error {
	d := newDecoder(&j.o)
	for {
		c.examine(d)
		if j.chunk(c); j.over {
			return nil
		}
		if c.end != nil {
			return readError(c.end)
		}
		c.fill(lines, most, j.many())
	}
}

// A job is a chunk on its way through a worker.
type job struct {
	chunk
	done   chan struct{} // receives once the chunk was examined
	failed any           // what a worker has panicked with
}

// together has chunks examined by workers, and reads ahead while they are: they
// are judged in order by the goroutine that reads, so that a caller meets no
// other goroutine in its reader or in its functions.
func (j *judge) together(first *chunk, lines *lineReader, most, workers int) error {
	ahead := workers + 2 // one to be judged next and one to be filled, beside those in work
	work := make(chan *job, ahead)
	defer close(work)
	for range workers {
		go worker(work, newDecoder(&j.o))
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
			b.fill(lines, most, j.many())
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
		if j.chunk(&b.chunk); j.over {
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
