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
	"github.com/relseal/relseal/sign"
)

// TestReleasedBytes reads and writes a trail of 2026. The file never changes:
// what was signed then verifies for ever. Its key is the Ed25519 key whose seed
// is 32 bytes of 01.
func TestReleasedBytes(t *testing.T) {
	trail := read(t, "testdata/run-2026.jsonl")
	if trail != goodRun(t).String() {
		t.Error("the same events have other bytes now")
	}
	res := check(t, trail, nil)
	want(t, res, "")
	if res.K != 8 || !res.Closed {
		t.Errorf("summary %+v", res.Summary)
	}
}

// TestChecker: a Checker reports the same as Check, whatever is wrong with the trail.
func TestChecker(t *testing.T) {
	good := goodRun(t)
	lines := strings.SplitAfter(good.String(), "\n")
	trails := map[string]string{"good": good.String(), "empty": "", "another schema": strings.Replace(good.String(), Schema, "relseal/trail/v9", 1)}
	for i := range lines[:len(lines)-1] {
		trails["without "+lines[i][:20]+itoa(int64(i))] = strings.Join(append(append([]string{}, lines[:i]...), lines[i+1:]...), "")
		trails["damaged "+itoa(int64(i))] = strings.Replace(good.String(), lines[i], strings.Replace(lines[i], `"ci"`, `"me"`, 1), 1)
		trails["cut "+itoa(int64(i))] = strings.Join(lines[:i], "") + lines[i][:len(lines[i])/2]
	}
	for name, trail := range trails {
		var found []finding.Finding
		var events []Record
		c := NewChecker(CheckOptions{
			Path: "audit/trail.jsonl", Keys: trusted,
			Report: func(f finding.Finding) { found = append(found, f) },
			Event:  func(r Record) { events = append(events, r) },
		})
		r := NewLineReader(strings.NewReader(trail))
		for {
			l, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			c.Add(l)
		}
		sum := c.End()
		want := check(t, trail, nil)
		if !reflect.DeepEqual(sum, want.Summary) || !reflect.DeepEqual(found, want.found) || !reflect.DeepEqual(events, want.events) {
			t.Errorf("%s: %+v\n%v\nwant %+v\n%v", name, sum, found, want.Summary, want.found)
		}
		if !reflect.DeepEqual(c.Key(), want.Key) {
			t.Errorf("%s: key %v", name, c.Key())
		}
	}
}

// After a loop was left, nothing more is yielded and little more is read.
func TestEventsLeft(t *testing.T) {
	trail := []byte(newMaker(t, ledgerGenesis(), nil).add(make([]Draft, 4000), func(e *Event) { e.Actor, e.Action = Txt("svc"), "gate.tick" }).String())
	in := &countingReader{r: bytes.NewReader(trail)}
	n := 0
	for _, err := range Events(in, sign.Only(alice.pub)) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 2 {
			break
		}
	}
	if n != 2 || in.n >= len(trail) {
		t.Errorf("%d events, %d of %d bytes", n, in.n, len(trail))
	}
}

func TestEventsOfNobody(t *testing.T) {
	trail := []byte(newMaker(t, ledgerGenesis(), nil).String())
	for name, keys := range map[string]sign.Verifiers{"nil": nil, "another": sign.Only(mallory.pub), "no key": sign.Only(sign.PublicKey{})} {
		for r, err := range Events(bytes.NewReader(trail), keys) {
			if e, ok := errors.AsType[*DamagedError](err); !ok || e.FindingCode() != "E_KEY_UNKNOWN" {
				t.Errorf("%s: first %v, %v", name, r.E.K, err)
			}
			break
		}
	}
}

type countingReader struct {
	r io.Reader
	n int
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

// beyond stands behind a trail and fails the test if it is read.
type beyond struct{ t *testing.T }

func (b beyond) Read([]byte) (int, error) {
	b.t.Error("the trail was read to its end")
	return 0, io.EOF
}

// Reading ends at the line with a finding of the chain that is one too many, whether
// or not these lines can be parsed.
func TestFaultyLines(t *testing.T) {
	m := goodRun(t)
	rest := strings.Repeat("x\n", chunkText) // of which some is read ahead
	for what, line := range map[string]string{"unreadable": "x\n", "repeated": m.lines[1] + "\n"} {
		for _, workers := range []int{1, 2} {
			var codes []finding.Code
			var last int64
			n := new(int64)
			*n = limits.Faulty - 100 // of other trails
			s, err := Check(io.MultiReader(strings.NewReader(m.lines[0]+"\n"+m.lines[1]+"\n"+strings.Repeat(line, 101)+strings.Repeat(rest, 12)), beyond{t}), CheckOptions{
				Keys: sign.Only(m.signer.Public()), Workers: workers, Faulty: n,
				Report: func(f finding.Finding) { codes, last = append(codes, f.Code), *f.K },
			})
			if err != nil || len(codes) != 101 || codes[99] == finding.Limit || codes[100] != finding.Limit || s.Closed {
				t.Errorf("%s, %d workers: %d findings, the last %v at %d, %+v, %v", what, workers, len(codes), codes[len(codes)-1], last, s, err)
			}
			if want := int64(102); what == "unreadable" && (last != want || s.FailingCount != 101) {
				t.Errorf("E_LIMIT at %d, want %d; %d failing events", last, want, s.FailingCount)
			}
		}
	}
}

// A long line counts as many times as it is expensive to read.
func TestFaultyLong(t *testing.T) {
	m := goodRun(t)
	for _, n := range []int{limits.Line, limits.Line + 1, limits.FaultyPart, limits.FaultyPart + 1, 0} {
		line := strings.Repeat(" ", n) + "\n"
		each := (min(n, limits.Line) + limits.FaultyPart - 1) / limits.FaultyPart
		allowed := 5 / max(1, each)
		if each > 5 {
			allowed = 1
		}
		count := new(int64)
		*count = limits.Faulty - int64(max(5, each))
		var codes []finding.Code
		_, err := Check(strings.NewReader(m.lines[0]+"\n"+strings.Repeat(line, 10)), CheckOptions{
			Keys: sign.Only(m.signer.Public()), Faulty: count, Report: func(f finding.Finding) { codes = append(codes, f.Code) },
		})
		if err != nil || len(codes) != allowed+1 || codes[allowed] != finding.Limit {
			t.Errorf("of lines of %d bytes %d were judged, want %d: %v, %v", n, len(codes)-1, allowed, codes, err)
		}
	}
}

// Each kind of thing that a judge remembers has a limit. At the limit, events about things
// that it remembers already are still accepted.
func TestTrailLimits(t *testing.T) {
	number := func(i int) sign.Digest { return sign.Digest{byte(i), byte(i >> 8), byte(i >> 16), 1} }
	j := newJudge(CheckOptions{})
	j.genesis = &Genesis{Purpose: PurposeRun}
	j.order.steps, j.times.tau = map[sign.Digest]bool{}, map[sign.Digest]*tick{}
	for i := range limits.Steps - 1 {
		j.order.steps[number(i)] = false
	}
	for i := range limits.Clocks - 1 {
		j.times.tau[number(i)] = &tick{}
	}
	step := func(id, clock string) *Event { return &Event{Action: ActionStepStart, Path: Txt(id), Clock: clock} }
	last := step("last", "last")
	if f := j.limitFault(last); f != "" {
		t.Fatal(f)
	}
	j.order.add(last)
	j.times.add(last)
	j.times.name, j.times.last = "", nil
	for _, tc := range []struct {
		e    *Event
		want string
	}{
		{step("last", "last"), ""},
		{step("more", "last"), "more than 100000 steps start"},
		{step("last", "more"), "more than 100000 clocks"},
		{&Event{Action: "note", Clock: "last"}, ""},
	} {
		if got := j.limitFault(tc.e); got != tc.want {
			t.Errorf("%s %s: %q, want %q", tc.e.Path, tc.e.Clock, got, tc.want)
		}
	}
	j.genesis.Purpose = PurposeLedger
	turn := &Event{Action: ActionKeyRotate, Clock: "last"}
	j.keys.earlier = make([]sign.KeyID, limits.Rotations-1)
	if f := j.limitFault(turn); f != "" {
		t.Error(f)
	}
	j.keys.earlier = append(j.keys.earlier, sign.KeyID{})
	if f := j.limitFault(turn); f != "handed over more than 1000 times" {
		t.Errorf("%q", f)
	}
}

// After a limit nothing is read, and that is one finding.
func TestTrailLimitEnds(t *testing.T) {
	var found []finding.Finding
	j := newJudge(CheckOptions{Report: func(f finding.Finding) { found = append(found, f) }})
	for i, line := range goodRun(t).lines {
		raw := rawLine{text: []byte(line), size: int64(len(line)), lf: true}
		if i == 0 {
			j.header(raw)
			j.times.tau = map[sign.Digest]*tick{}
			for i := range limits.Clocks {
				j.times.tau[sign.Digest{byte(i), byte(i >> 8), byte(i >> 16), 1}] = &tick{}
			}
		} else {
			j.line(raw)
		}
	}
	var limited int
	for _, f := range found {
		if f.Code == finding.Limit && strings.HasSuffix(f.Text, "clocks: from here on nothing is read") && *f.K == 1 {
			limited++
		}
	}
	if !j.stopped || limited != 1 || j.chain.at.k != 1 {
		t.Errorf("%v, at event %d", found, j.chain.at.k)
	}
}

// TestWorkers damages a trail of several chunks at 40 places. The findings are the same
// with any number of workers, with and without package comb.
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

// TestWorkerPanic: the panic of a worker reaches the caller of Check, who may recover. In
// the goroutine of the worker it would end the process.
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

// TestBrief: Brief returns for each line what ParseRecord returns, as far as it decodes.
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
