package trail

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"
	"unicode/utf8"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/testbundle"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/keys/private"
	"github.com/relseal/relseal/sign"
)

// TestFeed reads a stream that comes in pieces of any size.
func TestFeed(t *testing.T) {
	var text strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&text, "line %d %s\n", i, strings.Repeat("x", i%300))
	}
	text.WriteString("the last has no LF")
	for name, r := range map[string]io.Reader{
		"whole":  strings.NewReader(text.String()),
		"half":   iotest.HalfReader(strings.NewReader(text.String())),
		"at end": iotest.DataErrReader(strings.NewReader(text.String())),
		"bytes":  iotest.OneByteReader(strings.NewReader(text.String()[len(text.String())-5000:])),
	} {
		f := newFeed(t.Context(), r)
		var got strings.Builder
		for {
			more, err := f.wait()
			if err != nil {
				t.Fatal(err)
			}
			if !more {
				break
			}
			part, err := io.ReadAll(f)
			if err != nil {
				t.Fatal(err)
			}
			if part[len(part)-1] != '\n' && !strings.HasSuffix(text.String(), string(part)) {
				t.Fatalf("%s: a batch ends in the middle of a line", name)
			}
			got.Write(part)
		}
		if want := text.String(); got.String() != want[len(want)-got.Len():] || name != "bytes" && got.Len() != len(want) {
			t.Errorf("%s: read something else", name)
		}
	}
}

// TestFeedStops: the end of the context ends a wait for input that never comes.
func TestFeedStops(t *testing.T) {
	r, _ := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	f := newFeed(ctx, r)
	go cancel()
	if more, err := f.wait(); more || err != context.Canceled {
		t.Errorf("more %v, %v", more, err)
	}
	if n, err := f.Read(make([]byte, 1)); n != 0 || err != context.Canceled {
		t.Errorf("read %d, %v", n, err)
	}
}

// TestBackReader: backwards there are the lines that there are forwards.
func TestBackReader(t *testing.T) {
	long := strings.Repeat("x", limits.Line+1)
	for _, text := range []string{
		"", "\n", "\n\n", "a", "a\n", "a\nb", "\na\n\nb\n", long, long + "\n", "a\n" + long + "\nb\n",
		strings.Repeat("y", limits.Line) + "\n", strings.Repeat(strings.Repeat("z", 4095)+"\n", 3), strings.Repeat(strings.Repeat("z", 4096)+"\n", 3),
	} {
		var forward, backward []string
		lines := audit.NewLineReader(strings.NewReader(text))
		for {
			l, err := lines.Next()
			if err == io.EOF {
				break
			}
			line, err := l.Text()
			forward = append(forward, fmt.Sprint(string(line), l.LF(), l.Size(), err == nil))
		}
		back := backReader{r: strings.NewReader(text), end: int64(len(text))}
		for {
			l, err := back.next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			size := l.size
			if l.lf {
				size++
			}
			backward = append(backward, fmt.Sprint(string(l.text), l.lf, size, l.text != nil))
		}
		slices.Reverse(backward)
		if !slices.Equal(forward, backward) {
			t.Errorf("%d bytes: %d lines forwards, %d backwards, or other ones", len(text), len(forward), len(backward))
		}
	}
}

// TestTally: a trail cannot fill the memory with names.
func TestTally(t *testing.T) {
	var counts tally
	for i := range 100_000 {
		counts.add(fmt.Sprintf("%0100d", i))
	}
	counts.add(fmt.Sprintf("%0100d", 7))
	counts.add("")
	r := counts.result()
	if n := int64(len(r.Counts)); n != limits.MiB/100 || r.Others != 100_000-n {
		t.Errorf("%d names, %d others", n, r.Others)
	}
	if first := r.Counts[0]; first.Count != 2 || first.Name != fmt.Sprintf("%0100d", 7) {
		t.Errorf("first %+v", first)
	}
}

// hostileTexts are what somebody may write to be read by a terminal or a
// spreadsheet.
var hostileTexts = []string{
	"", " ", "=1+1", "+1", "-1", "@x", "'", "'=1", "\t=1", "\r=1", "\n=1", "＝1", "＋", "－", "＠", "a=b", `"`, `""`, `a"b,c`, "a\r\nb", "a;=1",
	"\x1b[2J\x1b]0;owned\a", "a\u202eb", "\u0085", "\u009b31m", "naïve", "日本語", "\ufeff", "\u2028", strings.Repeat("é", 300), `\x1b`, "\x00",
}

// TestEventRow: no text breaks a row, colours it or makes it wider.
func TestEventRow(t *testing.T) {
	for i, s := range hostileTexts {
		for _, k := range []int64{1, 99_999, 1 << 53} {
			e := Event{Doubtful: i%2 == 0}
			e.E.K, e.E.Action, e.E.Status = k, strings.Repeat("step.", 1+i%4)+"end", audit.StatusFailed
			e.E.Actor, e.E.Path, e.E.Error, e.E.Notes = audit.Txt(s), audit.Txt(s), audit.Txt(s), audit.Txt(s)
			text := row(e)
			if n := utf8.RuneCountInString(text); n > rowWidth {
				t.Errorf("%q: a text of %d characters", s, n)
			}
			if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) || strings.HasSuffix(text, " ") {
				t.Errorf("%q: %q", s, text)
			}
		}
	}
}

// TestCSV: every text comes back, and nothing is a formula, whatever a spreadsheet takes
// for the separator.
func TestCSV(t *testing.T) {
	var out bytes.Buffer
	sink := NewSink("csv", &out)
	for i, s := range hostileTexts {
		var e Event
		e.E.K, e.E.Action, e.E.Actor, e.E.Notes = int64(i)+1, "note", audit.Txt(s), audit.Txt(s)
		details, err := canon.Marshal(map[string]string{"text": escape.Text(s)})
		if err != nil {
			t.Fatal(err)
		}
		e.E.Details = details
		if err := sink.Event(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := sink.End(); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(out.String(), "\r\n") {
		t.Error("rows end in CRLF")
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(rows[0], csvColumns) || len(rows) != 1+len(hostileTexts) {
		t.Fatalf("%d rows, columns %q", len(rows), rows[0])
	}
	notes := slices.Index(csvColumns, "notes")
	added := regexp.MustCompile("(^|[;\t\n])'")
	for i, row := range rows[1:] {
		for _, cell := range row {
			for part := range strings.FieldsFuncSeq(cell, func(r rune) bool { return strings.ContainsRune(";\t\n", r) }) {
				if strings.ContainsAny(part[:1], "=+-@") {
					t.Errorf("a formula: %q", cell)
				}
			}
		}
		want := escape.Text(hostileTexts[i])
		if strings.HasPrefix(row[notes], "'\t") || strings.HasPrefix(row[notes], "'\n") {
			row[notes] = row[notes][1:]
		}
		if got := added.ReplaceAllString(row[notes], "$1"); got != want {
			t.Errorf("%q comes back as %q", want, got)
		}
	}
}

// TestStartUndone: a run that cannot be started leaves no directory.
func TestStartUndone(t *testing.T) {
	t.Chdir(t.TempDir())
	r := testbundle.Demo(testbundle.NewKey("release"), "000102030405060708090a0b0c0d0e0f")
	key, err := private.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	n := NewRun{EnvLock: testbundle.Canon(r.Lock), Pipeline: testbundle.Canon(r.Pipeline), Params: testbundle.Canon(r.Params)} // without an actor
	dir := filepath.Join("new", "run")
	if _, err := Start(dir, n, key, RunOptions{}); err == nil {
		t.Fatal("an event without an actor was recorded")
	}
	if entries, err := os.ReadDir("new"); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(dir, n, key, RunOptions{}); err == nil {
		t.Fatal("an event without an actor was recorded")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("left behind in a directory that was there: %v, %v", entries, err)
	}
	n.Actor = audit.Txt("me")
	s, err := Start(dir, n, key, RunOptions{})
	if err != nil || s.First.E.K != 1 {
		t.Errorf("with an actor: event %d, %v", s.First.E.K, err)
	}
}

// TestSource: the ways of reading yield the same events, a loop can be left, and a limit
// holds in all of them.
func TestSource(t *testing.T) {
	name := filepath.Join(t.TempDir(), "trail.jsonl")
	key := testbundle.NewKey("release")
	if err := os.WriteFile(name, testbundle.Demo(key, "000102030405060708090a0b0c0d0e0f").Trail(), 0o644); err != nil {
		t.Fatal(err)
	}
	pub := filepath.Join(filepath.Dir(name), "release.pub")
	if err := os.WriteFile(pub, key.PEM(), 0o644); err != nil {
		t.Fatal(err)
	}
	trusted, err := keys.LoadTrusted([]string{pub})
	if err != nil {
		t.Fatal(err)
	}
	var all []int64
	for _, known := range []sign.Verifiers{nil, trusted} {
		for way, read := range map[string]func(*Source, context.Context) iter.Seq2[Event, error]{
			"forward": (*Source).Forward, "follow": (*Source).Follow, "backward": (*Source).Backward, "brief": (*Source).Brief,
		} {
			for _, limit := range []int64{0, 2} {
				for _, leave := range []int{0, 1} {
					s, err := Open(name, Options{Keys: known, Limit: limit, Fault: func(f Fault) { t.Error(f.Text) }})
					if err != nil {
						t.Fatal(err)
					}
					var ks []int64
					for e, err := range read(s, t.Context()) {
						if err != nil {
							t.Fatal(err)
						}
						if ks = append(ks, e.E.K); len(ks) == leave {
							break
						}
					}
					s.Close()
					if way == "backward" && limit == 0 && leave == 0 {
						slices.Reverse(ks)
					}
					switch {
					case leave == 1:
						if len(ks) != 1 {
							t.Errorf("%s: %d events after the loop was left at the first", way, len(ks))
						}
					case limit == 2:
						if len(ks) != 2 {
							t.Errorf("%s: %d events, the limit is 2", way, len(ks))
						}
					case all == nil:
						all = ks
					case !slices.Equal(all, ks):
						t.Errorf("%s: events %v, others read %v", way, ks, all)
					}
				}
			}
		}
	}
	if len(all) < 3 {
		t.Errorf("only %d events", len(all))
	}
}
