package cli

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"
	"unicode/utf8"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/clock"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/pack"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/keys/private"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/sign/wrap"
	"github.com/relseal/relseal/verify"
)

// trailDocuments are what a run starts from.
var trailDocuments = map[string]string{
	"p.yaml": `schema: relseal/pipeline/v1
card: {id: demo, author: release@example.test}
rng: {family: pcg32, seed: "42"}
steps:
  - {id: build, run: [sh, build.sh], inputs: [main.txt], outputs: [demo]}
  - {id: test, needs: [build], run: [sh, test.sh]}
`,
	"q.yaml": "schema: relseal/params/v1\ncard: {id: demo, author: release@example.test}\nparams: []\n",
	"env.json": `{"env":{"backend":{},"compilers":{},"containers":{},"drivers":{},"firmware":{},"hw":{},"kernel":{},"libc":{},` +
		`"options":{},"os":{"name":"demo"},"runtimes":{}},"locks":[],"schema":"relseal/envlock/v1","variables":{}}`,
	"main.txt": "hello\n",
}

// inTrailDir makes a directory with the documents and a key, and goes there.
func inTrailDir(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range trailDocuments {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	relseal(t, 0, "key generate --out k.key --no-passphrase")
}

// relseal runs a command line, which must exit with the code, and returns what it
// said on stdout and stderr.
func relseal(t *testing.T, code int, line string) (stdout, stderr string) {
	t.Helper()
	return relsealWith(t, code, line, strings.NewReader(""))
}

func relsealWith(t *testing.T, code int, line string, stdin io.Reader) (string, string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if got := Main(context.Background(), append([]string{"relseal"}, strings.Fields(line)...), stdin, &stdout, &stderr); got != code {
		t.Fatalf("relseal %s: exit code %d, want %d\n%s%s", line, got, code, stdout.String(), stderr.String())
	}
	return stdout.String(), stderr.String()
}

const startRun = "trail start run --envlock env.json --pipeline p.yaml --params q.yaml --key k.key --product demo"

// TestTrailByScript records a run with ten lines of shell and nothing but trail
// append --from, seals it, and verifies the bundle: a chain that another program
// made is worth as much as one of cut.
func TestTrailByScript(t *testing.T) {
	for _, tool := range []string{"sh", "sha256sum"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("the script needs it: ", err)
		}
	}
	inTrailDir(t)
	const script = "relseal " + startRun + `
item() { printf '{"items":[{"uri":"%s","hash":"sha256:%s"}]}' "$1" "$(sha256sum <"$1" | cut -c1-64)"; }
event() { printf '{"actor":"build.sh","action":"%s"%s}\n' "$1" "$2" | relseal trail append run --key k.key --from -; }
event step.start ',"path":"build","inputs":'"$(item main.txt)"
cp main.txt demo
event step.end ',"path":"build","status":"ok","outputs":'"$(item demo)"',"TS":{"snapshot":{"makespan":0.50}}'
event step.start ',"path":"test"'
event step.end ',"path":"test","status":"ok"'
event run.end ',"status":"ok","outputs":'"$(item demo)"
event trail.close ''
`
	if out, err := exec.Command("sh", "-ec", script).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, _ := relseal(t, 0, "trail verify run --key k.pub"); !strings.Contains(out, "VERIFIED") || !strings.Contains(out, "7 events") {
		t.Errorf("the trail: %s", out)
	}

	key, err := private.Load("k.key", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = bundle.WriteSealed("demo.audit.tar.zst", false, func(w io.Writer) (sign.Digest, error) {
		return pack.Audit(w, pack.Run{Dir: "run", Artifacts: ".", Product: "demo"}, wrap.New(key))
	})
	if err != nil {
		t.Fatal(err)
	}
	report, err := verify.File(t.Context(), "demo.audit.tar.zst", verify.Options{Keys: keys.NewTrusted(key.Public())})
	if err != nil {
		t.Fatalf("%v\n%s", err, report.Summary())
	}
	for _, want := range []string{"run.outcome: ok", "one unbroken signed chain of 7 events"} {
		if !strings.Contains(report.Summary(), want) {
			t.Errorf("the bundle does not claim %q\n%s", want, report.Summary())
		}
	}
}

// TestTrailClosedByHand does the same with trail close, for every outcome.
func TestTrailClosedByHand(t *testing.T) {
	for _, outcome := range []string{"ok", "failed", "aborted"} {
		t.Run(outcome, func(t *testing.T) {
			inTrailDir(t)
			relseal(t, 0, startRun)
			for _, line := range []string{"start --path build --input main.txt", "end --path build --status ok --output main.txt", "start --path test", "end --path test --status " + outcome} {
				relseal(t, 0, "trail append run --key k.key --actor me --action step."+line)
			}
			output := ""
			if outcome == "ok" {
				output = " --output main.txt"
			}
			relseal(t, 0, "trail close run --key k.key --status "+outcome+output)
			key, err := private.Load("k.key", nil)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if _, err := pack.Audit(&out, pack.Run{Dir: "run", Artifacts: ".", Product: "demo"}, wrap.New(key)); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile("b.tar.zst", out.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			said, _ := relseal(t, 0, "verify-bundle b.tar.zst --key k.pub")
			if !strings.Contains(said, "run.outcome: "+outcome) {
				t.Error(said)
			}
		})
	}
}

// TestTrailStepInputs: the end of a step says what it started with, wherever its
// start was recorded, and cannot say anything else.
func TestTrailStepInputs(t *testing.T) {
	start := `{"action":"step.start","actor":"ci","path":"build","inputs":{"items":[{"uri":"a","hash":"` + sign.Sum([]byte("a")).String() + `"}]}}` + "\n"
	other := strings.Replace(start, sign.Sum([]byte("a")).String(), sign.Sum([]byte("b")).String(), 1)
	end := `{"action":"step.end","actor":"ci","path":"build","status":"ok"}` + "\n"
	const appendFrom = "trail append run --key k.key --from -"
	for name, record := range map[string]func(){
		"one stream": func() { relsealWith(t, 0, appendFrom, strings.NewReader(start+end)) },
		"two streams": func() {
			relsealWith(t, 0, appendFrom, strings.NewReader(start))
			relsealWith(t, 0, appendFrom, strings.NewReader(end))
		},
		"one event each": func() {
			relsealWith(t, 0, appendFrom, strings.NewReader(start))
			relseal(t, 0, "trail append run --key k.key --action step.end --actor ci --path build --status ok")
		},
		"start refused": func() { relsealWith(t, ui.ExitNoInput, appendFrom+" --keep-going", strings.NewReader(start+other+end)) },
	} {
		inTrailDir(t)
		relseal(t, 0, startRun)
		record()
		out, _ := relseal(t, 0, "trail export run --action step --format csv")
		rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
		if err != nil || len(rows) != 3 {
			t.Fatalf("%s: %d rows, %v", name, len(rows), err)
		}
		items := slices.Index(csvColumns, "inputs.items")
		if rows[1][items] == "" || rows[1][items] != rows[2][items] {
			t.Errorf("%s: started with %s, ended with %s", name, rows[1][items], rows[2][items])
		}
	}

	inTrailDir(t)
	relseal(t, 0, startRun)
	relsealWith(t, 0, appendFrom, strings.NewReader(start))
	_, said := relseal(t, ui.ExitNoInput, "trail append run --key k.key --action step.end --actor ci --path build --status ok --input main.txt")
	if said != "relseal: error: run: step build ended with other inputs than it started; leave them out\n" {
		t.Error(said)
	}
	relseal(t, 0, "trail append run --key k.key --action step.end --actor ci --path build --status failed --input main.txt")
}

// TestTrailStream: an event of a stream is in the trail before the next one
// comes. Whoever reads along sees what happens, not what happened.
func TestTrailStream(t *testing.T) {
	inTrailDir(t)
	relseal(t, 0, startRun)
	stdin, producer := io.Pipe()
	done := make(chan string)
	go func() {
		out, _ := relsealWith(t, 0, "trail append run --key k.key --from -", stdin)
		done <- out
	}()
	for i := range 5 {
		fmt.Fprintf(producer, `{"action":"note","actor":"ci","notes":"number %d"}`+"\n", i)
		for trail := ""; !strings.Contains(trail, fmt.Sprintf("number %d", i)); {
			data, err := os.ReadFile("run/audit/trail.jsonl")
			if err != nil {
				t.Fatal(err)
			}
			trail = string(data)
		}
	}
	producer.Close()
	if out := <-done; !strings.HasPrefix(out, "appended 5 events; the last is event 6, H_k sha256:") {
		t.Error(out)
	}
}

// TestTrailStreamFails: what came before an error of reading is in the trail, and
// acknowledged.
func TestTrailStreamFails(t *testing.T) {
	inTrailDir(t)
	relseal(t, 0, startRun)
	in := io.MultiReader(strings.NewReader(`{"action":"note","actor":"ci"}`+"\n"+`{"action":`), iotest.ErrReader(io.ErrClosedPipe))
	out, said := relsealWith(t, ui.ExitIO, "trail append run --key k.key --from -", in)
	if !strings.HasPrefix(out, "appended 1 event; the last is event 2,") || said != "relseal: error: standard input: io: read/write on closed pipe\n" {
		t.Errorf("%s%s", out, said)
	}
}

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

// TestTrailLongLine: a line above the limit is a fault like another.
func TestTrailLongLine(t *testing.T) {
	inTrailDir(t)
	relseal(t, 0, startRun)
	relseal(t, 0, "trail append run --key k.key --action note --actor ci")
	trail, err := os.ReadFile("run/audit/trail.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(trail), "\n")
	text := lines[0] + lines[1] + strings.Repeat("x", 3*limits.Line) + "\n" + lines[2]
	if err := os.WriteFile("long.jsonl", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for line, code := range map[string]int{
		"trail show long.jsonl": ui.ExitNoInput, "trail show long.jsonl --reverse": ui.ExitNoInput,
		"trail show long.jsonl --key k.pub": ui.ExitReject, "trail export long.jsonl": ui.ExitNoInput,
	} {
		out, said := relseal(t, code, line)
		if strings.Count(out, "\n") != 2 || !strings.Contains(said, "a line of 3145728 bytes: the limit is 1048576") {
			t.Errorf("%s\n%s%s", line, out, said)
		}
	}
}

// TestTrailManyFaults: a trail of rubbish is not answered with as many lines.
func TestTrailManyFaults(t *testing.T) {
	inTrailDir(t)
	relseal(t, 0, startRun)
	trail, err := os.ReadFile("run/audit/trail.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("many.jsonl", append(trail, strings.Repeat("rubbish\n", 1000)...), 0o644); err != nil {
		t.Fatal(err)
	}
	for line, code := range map[string]int{
		"trail show many.jsonl": ui.ExitNoInput, "trail show many.jsonl --reverse": ui.ExitNoInput, "trail stats many.jsonl --key k.pub": ui.ExitReject,
	} {
		_, said := relseal(t, code, line)
		said, _ = strings.CutSuffix(said, "relseal: hint: relseal explain E_FORMAT says what to do\n")
		said, _ = strings.CutPrefix(said, "relseal: hint: nothing was verified; --key release.pub checks the chain\n")
		if n := strings.Count(said, "\n"); n != shownFaults+1 && n != shownFaults+2 || !strings.Contains(said, "relseal: error: and 980 more\n") {
			t.Errorf("%s: %d lines\n%s", line, n, said)
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
			e := trailEvent{doubtful: i%2 == 0}
			e.E.K, e.E.Action, e.E.Status = k, strings.Repeat("step.", 1+i%4)+"end", audit.StatusFailed
			e.E.Actor, e.E.Path, e.E.Error, e.E.Notes = audit.Txt(s), audit.Txt(s), audit.Txt(s), audit.Txt(s)
			row := eventRow(e)
			if n := utf8.RuneCountInString(row); n > rowWidth {
				t.Errorf("%q: a row of %d characters", s, n)
			}
			if strings.ContainsFunc(row, func(r rune) bool { return !unicode.IsPrint(r) }) || strings.HasSuffix(row, " ") {
				t.Errorf("%q: %q", s, row)
			}
		}
	}
}

// TestCSV reads the cells back with other code: nothing is lost, and no cell
// begins with what a spreadsheet computes.
func TestCSV(t *testing.T) {
	inTrailDir(t)
	relseal(t, 0, startRun)
	var drafts strings.Builder
	for _, s := range hostileTexts {
		if s == "" {
			continue
		}
		data, err := audit.ImportValue(fmt.Appendf(nil, `{"action":"note","actor":%[1]s,"notes":%[1]s,"details":{"text":%[1]s}}`, quoteJSON(s)))
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		fmt.Fprintf(&drafts, "%s\n", data)
	}
	relsealWith(t, 0, "trail append run --key k.key --from -", strings.NewReader(drafts.String()))
	out, _ := relseal(t, 0, "trail export run --format csv")
	if !strings.HasSuffix(out, "\r\n") {
		t.Error("rows end in CRLF")
	}
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(rows[0], csvColumns) || len(rows) != 1+len(hostileTexts) {
		t.Fatalf("%d rows, columns %q", len(rows), rows[0])
	}
	notes := slices.Index(csvColumns, "notes")
	added := regexp.MustCompile("(^|[;\t\n])'")
	for i, row := range rows[2:] {
		for _, cell := range row {
			for part := range strings.FieldsFuncSeq(cell, func(r rune) bool { return strings.ContainsRune(";\t\n", r) }) {
				if strings.ContainsAny(part[:1], "=+-@") {
					t.Errorf("a formula: %q", cell)
				}
			}
		}
		want := escape.Text(hostileTexts[i+1])
		if strings.HasPrefix(row[notes], "'\t") || strings.HasPrefix(row[notes], "'\n") {
			row[notes] = row[notes][1:]
		}
		if got := added.ReplaceAllString(row[notes], "$1"); got != want {
			t.Errorf("%q comes back as %q", want, got)
		}
	}
}

// quoteJSON spells s in JSON with every character escaped.
func quoteJSON(s string) string {
	var w strings.Builder
	for _, r := range s {
		fmt.Fprintf(&w, `\u%04x`, r)
	}
	return `"` + w.String() + `"`
}

// TestTrailStartUndone: a run that cannot be started leaves no directory.
func TestTrailStartUndone(t *testing.T) {
	inTrailDir(t)
	b := trailBirth{dir: filepath.Join("new", "run"), files: []birthFile{{bundle.EnvLockPath, []byte("x")}, {bundle.PipelinePath, []byte("y")}}}
	b.first = audit.Draft{Action: audit.ActionRunStart} // without an actor
	key, err := private.Load("k.key", nil)
	if err != nil {
		t.Fatal(err)
	}
	digest := sign.Sum(nil)
	b.genesis = audit.Genesis{Purpose: audit.PurposeRun, Run: audit.Run{ID: audit.NewRunID([16]byte{1})}}
	b.genesis.EnvLock.Fingerprint, b.genesis.PipelineCard.Hash, b.genesis.ParamCard.Hash = &digest, &digest, &digest
	if _, _, err := b.write(key); err == nil {
		t.Fatal("an event without an actor was recorded")
	}
	if entries, err := os.ReadDir("new"); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if err := os.Mkdir(b.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.write(key); err == nil {
		t.Fatal("an event without an actor was recorded")
	}
	if entries, err := os.ReadDir(b.dir); err != nil || len(entries) != 0 {
		t.Errorf("left behind in a directory that was there: %v, %v", entries, err)
	}
}

// TestTrailLedger: a ledger never closes, so that it goes on is no fault of it,
// and nothing is said of what follows. Only a run is written to by these commands.
func TestTrailLedger(t *testing.T) {
	inTrailDir(t)
	key, err := private.Load("k.key", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll("ledger/audit", 0o755); err != nil {
		t.Fatal(err)
	}
	log, err := audit.Create("ledger/audit/trail.jsonl", audit.Genesis{Purpose: audit.PurposeLedger, Run: audit.Run{ID: "demo-releases"}}, key, clock.System())
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if out, _ := relseal(t, 0, "trail verify ledger --key k.pub"); !strings.Contains(out, "VERIFIED  ledger demo-releases, 0 events") || !strings.Contains(out, "the genesis was signed by") {
		t.Error(out)
	}
	if _, err := log.Append(audit.Draft{Action: "promote", Actor: audit.Txt("ci")}); err != nil {
		t.Fatal(err)
	}
	out, _ := relseal(t, 0, "trail verify ledger --key k.pub")
	if !strings.Contains(out, "events 1 to 1 are one unbroken chain") || !strings.Contains(out, "nothing shows whether events followed") || strings.Contains(out, "no event is missing") {
		t.Error(out)
	}
	if _, said := relseal(t, ui.ExitNoInput, "trail append ledger --key k.key --action note --actor ci"); said != "relseal: error: ledger: holds a ledger, not a run\n" {
		t.Error(said)
	}
}
