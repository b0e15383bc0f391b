package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/limits"
)

// TestWorkers damages a trail of several chunks, at 40 places, and checks it by
// any number of workers, with and without package comb.
func TestWorkers(t *testing.T) {
	trail, err := io.ReadAll(newStream(t, 3000))
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(7, 8))
	for range 40 {
		trail[rng.IntN(len(trail))] ^= 1
	}
	say := func(o CheckOptions) (said []string, s Summary) {
		o.Keys = trusted
		o.Report = func(f finding.Finding) { said = append(said, fmt.Sprintf("%s@%d", f.Code, *f.K)) }
		o.Event = func(r Record) { said = append(said, "event "+itoa(r.E.K)) }
		o.EventActions = []string{ActionRunStart}
		o.Doubtful = func(r Record) { said = append(said, "doubtful "+itoa(r.E.K)) }
		s, err := Check(bytes.NewReader(trail), o)
		if err != nil {
			t.Fatal(err)
		}
		return said, s
	}
	want, sum := say(CheckOptions{Plain: true, Workers: 1})
	if n := len(strings.Fields(strings.Join(want, " "))); n < 40 || sum.FailingCount < 20 {
		t.Fatalf("only %v", want)
	}
	for workers := range 6 {
		for _, plain := range []bool{false, true} {
			got, other := say(CheckOptions{Plain: plain, Workers: workers})
			if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(other, sum) {
				t.Errorf("%d workers, plain %v: %v, %+v\nwant %v, %+v", workers, plain, got, other, want, sum)
			}
		}
	}
}

// TestWorkerPanic holds a worker to keeping what it panics with for the caller of
// Check, who may recover it: a goroutine that panics ends the process.
func TestWorkerPanic(t *testing.T) {
	work := make(chan *job, 1)
	b := &job{done: make(chan struct{}, 1)}
	b.entries = make([]entry, 1)
	work <- b
	close(work)
	worker(work, nil) // a decoder that is none
	<-b.done
	if v := fmt.Sprint(b.failed); !strings.Contains(v, "nil pointer") || !strings.Contains(v, "decode") {
		t.Errorf("failed with %s", v)
	}
}

// TestBrief: what is read in brief is what ParseRecord reads, line by line.
func TestBrief(t *testing.T) {
	m := goodRun(t)
	lines := append([]string{}, m.lines...)
	quoted := m.recs[2]
	quoted.E.Actor = Txt("a \"quoted\" name, näme")
	lines = append(lines, m.must(canon.Marshal(quoted)), "x", "", strings.Repeat("x", limits.Line+1), m.lines[2])
	n := int64(0)
	var each []string
	of := func(e *Event) string {
		return fmt.Sprint(e.K, e.TS, e.Actor, e.Action, e.Path, e.Status)
	}
	if err := Brief(strings.NewReader(strings.Join(lines, "\n")), func(number int64, l Line, e *Event, err error) error {
		if number != n {
			t.Errorf("line %d after %d", number, n-1)
		}
		n++
		if number == 0 {
			return nil
		}
		r, want := ParseRecord([]byte(lines[number]))
		if (err == nil) != (want == nil) || err == nil && of(e) != of(&r.E) {
			t.Errorf("line %d: %v, want %v", number, err, want)
		}
		return nil
	}); err != nil || n != int64(len(lines)) {
		t.Errorf("%d lines, %v", n, err)
	}
	if _, err := Check(strings.NewReader(m.String()), CheckOptions{Keys: trusted, Each: func(e *Event) { each = append(each, of(e)) }}); err != nil {
		t.Fatal(err)
	}
	for i, r := range m.recs {
		if i >= len(each) || each[i] != of(&r.E) {
			t.Fatalf("%q", each)
		}
	}
	stop := errors.New("enough")
	if err := Brief(strings.NewReader(m.String()), func(int64, Line, *Event, error) error { return stop }); err != stop {
		t.Error(err)
	}
}
