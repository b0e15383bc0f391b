package audit

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/relseal/relseal/internal/limits"
)

var errFault = errors.New("injected")

// A faultyDisk fails the operations that fail names: "write" before it lands,
// "write after" once it has landed, "write short" in the middle. Every call is
// counted, so that tests can find out whether it was made at all.
type faultyDisk struct {
	disk
	fail map[string]bool
	hits int
}

func (d *faultyDisk) op(name string, do func() error) error {
	if d.fail[name] {
		d.hits++
		return errFault
	}
	err := do()
	if err == nil && d.fail[name+" after"] {
		d.hits++
		return errFault
	}
	return err
}

func (d *faultyDisk) WriteAt(p []byte, off int64) (n int, err error) {
	if d.fail["write short"] {
		d.hits++
		return d.disk.WriteAt(p[:len(p)/2], off)
	}
	err = d.op("write", func() error {
		n, err = d.disk.WriteAt(p, off)
		return err
	})
	return n, err
}

func (d *faultyDisk) Sync() error { return d.op("sync", d.disk.Sync) }

func (d *faultyDisk) Truncate(size int64) error {
	return d.op("truncate", func() error { return d.disk.Truncate(size) })
}

// TestFaults lets every write fail, before and after it lands, then goes on,
// reopens and checks everything. What was acknowledged must be there. What was
// not may be there only if the log said that nobody knows.
func TestFaults(t *testing.T) {
	tests := []struct {
		fail   string // separated by commas
		sticky bool   // the log refuses to go on
		there  bool   // the event is in the file nonetheless
		torn   bool   // the next Open has something to clear up
	}{
		{fail: "write"},
		{fail: "write after"},
		{fail: "write short"},
		{fail: "sync", sticky: true},
		{fail: "sync after", sticky: true},
		{fail: "write,truncate", sticky: true},
		{fail: "write after,truncate", sticky: true, there: true},
		{fail: "write short,truncate", sticky: true, torn: true},
		{fail: "write short,truncate after", sticky: true},
		{fail: "write short,sync", sticky: true},
		{fail: "sync,truncate", sticky: true, there: true},
		{fail: "sync after,truncate", sticky: true, there: true},
	}
	for _, tt := range tests {
		t.Run(tt.fail, func(t *testing.T) {
			path, l := create(t, ledgerGenesis())
			d := &faultyDisk{disk: l.disk}
			l.disk = d
			acked := appendAll(t, l, []Draft{note("a"), note("b")})

			d.fail = map[string]bool{}
			for op := range strings.SplitSeq(tt.fail, ",") {
				d.fail[op] = true
			}
			_, err := l.Append(note("lost"))
			if err == nil || d.hits == 0 {
				t.Fatalf("appended: %v after %d faults", err, d.hits)
			}
			d.fail = nil
			if k, h := l.Head(); k != 2 || h != acked[1].H {
				t.Errorf("the head moved to %d", k)
			}
			r, err := l.Append(note("c"))
			if (err != nil) != tt.sticky {
				t.Errorf("next append: %v", err)
			}
			if err == nil {
				acked = append(acked, r)
			}
			l.Close()

			l, err = Open(path, alice, laterClock())
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			if (len(l.Torn()) != 0) != tt.torn {
				t.Errorf("torn: %v", l.Torn())
			}
			if tt.there {
				acked = append(acked, appendAll(t, l, []Draft{note("d")})[0])
			}
			acked = append(acked, appendAll(t, l, []Draft{note("e")})[0])

			res := check(t, read(t, path), bare)
			want(t, res, "")
			var texts []string
			byText := map[string]Record{}
			for _, r := range res.events {
				texts = append(texts, r.E.Notes.String())
				byText[r.E.Notes.String()] = r
			}
			for _, r := range acked {
				if byText[r.E.Notes.String()].H != r.H {
					t.Errorf("event %q was acknowledged and is not there: %q", r.E.Notes, texts)
				}
			}
			if _, there := byText["lost"]; there != tt.there {
				t.Errorf("the failed event: there %v; %q", there, texts)
			}
		})
	}
}

// TestCrash leaves every prefix of a line behind, as a crash in the middle of an
// append does, and opens the trail again.
func TestCrash(t *testing.T) {
	path, l := create(t, ledgerGenesis())
	appendAll(t, l, []Draft{note("a")})
	before, state := read(t, path), read(t, path+ResumeSuffix)
	appendAll(t, l, []Draft{note("b")})
	whole := read(t, path)
	l.Close()

	line := whole[len(before):]
	edge := block - len(before)%block
	for _, state := range []string{state, ""} { // what is beside the trail
		for n := 1; n <= len(line); n += 1 + n/7 {
			t.Run(fmt.Sprint(n), func(t *testing.T) { crash(t, path, before, line[:n], state) })
		}
		crash(t, path, before, line[:len(line)-2], state)
		crash(t, path, before, line[:len(line)-1], state)
		crash(t, path, before, strings.Repeat("\x00", len(line)), state)
		crash(t, path, before, line[:edge]+strings.Repeat("\x00", len(line)-edge), state)
	}
}

// crash opens a trail that ends in tail, and appends to it.
func crash(t *testing.T, path, before, tail, state string) {
	t.Helper()
	restore(t, path, before+tail, state)
	l, err := Open(path, alice, laterClock())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	torn := l.Torn()
	_, parse := ParseRecord([]byte(strings.TrimSuffix(tail, "\n")))
	switch {
	case parse == nil && strings.HasSuffix(tail, "\n"):
		if len(torn) != 0 {
			t.Errorf("a whole line is torn: %v", torn)
		}
	case len(torn) != 1 || torn[0].K != 2:
		t.Errorf("torn %v", torn)
	case parse == nil: // all but the LF
		if torn[0].Path != "" || read(t, path) != before+tail+"\n" {
			t.Errorf("a signed event was not kept: %v", torn)
		}
	default:
		if !strings.HasPrefix(torn[0].Path, path+".torn-2") || read(t, torn[0].Path) != tail {
			t.Errorf("set aside: %v", torn)
		}
		if read(t, path) != before {
			t.Error("the trail was not cut")
		}
	}
	k, _ := l.Head()
	if r := appendAll(t, l, []Draft{note("next")})[0]; r.E.K != k+1 {
		t.Errorf("event %d after %d", r.E.K, k)
	}
	want(t, check(t, read(t, path), bare), "")
}

// TestCrashOfAnother clears up after another process while the log is open.
func TestCrashOfAnother(t *testing.T) {
	path, l := create(t, ledgerGenesis())
	appendAll(t, l, []Draft{note("a")})
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.WriteString(`{"H_k":"sha256:`)
	appendAll(t, l, []Draft{note("b")})
	if torn := l.Torn(); len(torn) != 1 || read(t, torn[0].Path) != `{"H_k":"sha256:` {
		t.Errorf("torn %v", torn)
	}
	want(t, check(t, read(t, path), bare), "")
}

// TestClearUpFails: if the torn bytes cannot be saved they are not cut off.
func TestClearUpFails(t *testing.T) {
	for _, fail := range []string{"truncate", "sync", "truncate after", "write", "sync after"} {
		path, l := create(t, ledgerGenesis())
		appendAll(t, l, []Draft{note("a")})
		l.Close()
		tail := `{"H_k":`
		trail := read(t, path)
		if strings.HasPrefix(fail, "write") {
			trail, tail = strings.TrimSuffix(trail, "\n"), "" // to be completed
			os.Remove(path + ResumeSuffix)
		}
		if err := os.WriteFile(path, []byte(trail+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		d, err := openDisk(path, path)
		if err != nil {
			t.Fatal(err)
		}
		d = &faultyDisk{disk: d, fail: map[string]bool{fail: true}}
		if _, err := openLog(&Log{ctx: t.Context(), path: path, abs: path, disk: d, signer: alice, clock: newClock()}); !errors.Is(err, errFault) {
			t.Errorf("%s: %v", fail, err)
		}
		d.Close()
		if err := appendNotes(path, "b", 1); err != nil {
			t.Errorf("%s: %v", fail, err)
		}
		want(t, check(t, read(t, path), bare), "")
		if tail != "" && read(t, path+".torn-2") != tail {
			t.Errorf("%s: the torn bytes are lost", fail)
		}
		if _, err := os.Stat(path + ".torn-2-2"); err == nil {
			t.Errorf("%s: the same bytes were set aside twice", fail)
		}
	}
}

// TestCrashOfBatch zeroes blocks of a batch in every combination, as a crash of
// the machine does before the sync, with and without the last of its bytes. What is
// zero to the end is a hole; with bytes behind it nothing is touched.
func TestCrashOfBatch(t *testing.T) {
	const page = 2 * block
	path, l := create(t, ledgerGenesis())
	acked := appendAll(t, l, []Draft{note("a")})
	before, state := read(t, path), read(t, path+ResumeSuffix)
	if _, err := l.AppendAll([]Draft{note("b"), note("c"), note("d")}); err != nil {
		t.Fatal(err)
	}
	whole := read(t, path)
	l.Close()
	first := len(before) / page
	pages := (len(whole)-1)/page - first + 1
	if pages < 3 || pages > 10 {
		t.Fatalf("a batch of %d pages", pages)
	}
	cleared, refused := 0, 0
	for mask := range 1 << pages {
		for _, cut := range []int{0, 1, page / 2} {
			trail := []byte(whole[:len(whole)-cut])
			for i := len(before); i < len(trail); i++ {
				if mask>>(i/page-first)&1 == 1 {
					trail[i] = 0
				}
			}
			restore(t, path, string(trail), state)
			tail := trail[len(before):]
			hole := !bytes.Contains(bytes.TrimRight(tail, "\x00"), []byte{0})
			l, err := Open(path, alice, laterClock())
			if !hole {
				if _, ok := errors.AsType[*DamagedError](err); !ok || read(t, path) != string(trail) {
					t.Errorf("pages %b lost, %d bytes cut: %v", mask, cut, err)
				}
				refused++
				continue
			}
			cleared++
			if err != nil {
				t.Fatalf("pages %b lost, %d bytes cut: %v", mask, cut, err)
			}
			kept, _ := l.Head()
			for _, torn := range l.Torn() {
				if torn.Path != "" {
					if !strings.HasSuffix(string(tail), read(t, torn.Path)) {
						t.Errorf("pages %b lost, %d bytes cut: other bytes were set aside", mask, cut)
					}
					os.Remove(torn.Path)
				} else if torn.K != kept {
					t.Errorf("event %d was completed, %d is the last", torn.K, kept)
				}
			}
			next := appendAll(t, l, []Draft{note("next")})[0]
			l.Close()
			res := check(t, read(t, path), bare)
			want(t, res, "")
			if res.events[0].H != acked[0].H || next.E.K != kept+1 || mask&1 == 1 && kept != 1 {
				t.Errorf("pages %b lost, %d bytes cut: %d events kept", mask, cut, kept)
			}
		}
	}
	if cleared == 0 || refused == 0 {
		t.Errorf("%d cleared up, %d refused", cleared, refused)
	}
}

// restore writes a trail and the state beside it, "" for none.
func restore(t testing.TB, path, trail, state string) {
	t.Helper()
	err := os.WriteFile(path, []byte(trail), 0o644)
	if state == "" {
		os.Remove(path + ResumeSuffix)
	} else if err == nil {
		err = os.WriteFile(path+ResumeSuffix, []byte(state), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestAnyByte changes each byte near the end of what was acknowledged: to zero, to LF, to
// another byte; or it removes or doubles it. Whatever an append does then, no acknowledged
// event is lost except those whose bytes were changed.
func TestAnyByte(t *testing.T) {
	path, l := create(t, ledgerGenesis())
	recs, err := l.AppendAll([]Draft{note("a"), note("b"), note("c"), note("d")})
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	trail, state := read(t, path), read(t, path+ResumeSuffix)
	step, first := 9, rand.IntN(9)
	if os.Getenv("RELSEAL_WHOLE") != "" {
		step, first = 1, 0
	}
	for at := len(trail) - 1; at > len(trail)-2*len(trail)/len(recs); at-- {
		if at%step != first && at < len(trail)-9 {
			continue
		}
		for what, with := range map[string]string{"NUL": "\x00", "LF": "\n", "X": "X", "nothing": "", "twice": trail[at:at+1] + trail[at:at+1]} {
			if with == trail[at:at+1] {
				continue
			}
			for _, s := range []string{state, ""} {
				if s == "" && what == "nothing" && at == len(trail)-1 {
					continue // its LF alone: completed, as after a crash
				}
				bad := trail[:at] + with + trail[at+1:]
				restore(t, path, bad, s)
				l, err := OpenWith(t.Context(), path, alice, laterClock(), Options{Resume: true})
				if err == nil { // the damage is before the last line, or comes in front of it
					_, err = l.Append(note("next"))
					l.Close()
				}
				if got := read(t, path); !strings.HasPrefix(got, bad) {
					t.Fatalf("byte %d of %d, %s, with a state %v: bytes are gone: %v", at, len(trail), what, s != "", err)
				}
				if _, err := os.Stat(path + ".torn-4"); err == nil {
					t.Fatalf("byte %d of %d, %s: set aside", at, len(trail), what)
				}
			}
		}
	}
}

// TestHoleOfAnotherCause: zeros in places where no crash leaves them are damage, and the
// trail is not changed.
func TestHoleOfAnotherCause(t *testing.T) {
	path, l := create(t, ledgerGenesis())
	if _, err := l.AppendAll(many()); err != nil {
		t.Fatal(err)
	}
	l.Close()
	whole, state := read(t, path), read(t, path+ResumeSuffix)
	zero := func(from, to int) string {
		trail := []byte(whole)
		clear(trail[from:to])
		return string(trail)
	}
	genesis, n := strings.Index(whole, "\n"), len(whole)
	for what, bad := range map[string]string{
		"far from the end":            zero(genesis+100, genesis+110),
		"in the last line":            zero(n-100, n-90),
		"to the end":                  zero(n-100, n),
		"to the end from a block on":  zero(n/block*block, n),
		"more than an append":         whole + strings.Repeat("\x00", maxWrite+limits.Line+1),
		"another thing behind it all": whole + "\x00x",
		"not the start of a line":     whole + "{\"k\"",
	} {
		restore(t, path, bad, state)
		l, err := Open(path, alice, laterClock())
		_, damaged := errors.AsType[*DamagedError](err)
		_, lacks := errors.AsType[*AcknowledgedError](err)
		if !damaged && !lacks {
			t.Errorf("%s: opened: %v", what, err)
			l.Close()
		}
		if read(t, path) != bad {
			t.Errorf("%s: the trail was changed", what)
		}
	}
}
