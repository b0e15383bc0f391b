package cli

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/clock"
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
		items := slices.Index(rows[0], "inputs.items")
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
		if n := strings.Count(said, "\n"); n != 21 && n != 22 || !strings.Contains(said, "relseal: error: and 980 more\n") {
			t.Errorf("%s: %d lines\n%s", line, n, said)
		}
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
