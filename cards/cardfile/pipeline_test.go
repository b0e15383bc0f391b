package cardfile

import (
	"errors"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/internal/document"
	"github.com/relseal/relseal/internal/yamldoc"
	"github.com/relseal/relseal/sign"
)

const goodPipeline = `schema: relseal/pipeline/v1
card: {id: greetd-release, author: release@example.test}
tools: [go]
locks: [go.mod]
env: [CGO_ENABLED, HTTPS_PROXY]
rng: {family: pcg32, seed: "42"}
steps:
  - id: build
    run: [go, build, -trimpath, -o, out/greetd, .]
    inputs: [go.mod, "*.go"]
    outputs: [out/greetd]
  - id: rebuild
    needs: [build]
    run: [./rebuild.sh, out/again/greetd]
    inputs: [go.mod, "*.go", rebuild.sh]
    outputs: [out/again/greetd]
    same_as: build
  - {id: test, run: [go, test, ./...], inputs: [go.mod, "*.go"], timeout: 5m}
  - id: sums
    needs: [rebuild]
    run: [sha256sum, out/greetd]
    inputs: [out/greetd]
    stdout: out/SUMS
    env: {LC_ALL: C, EMPTY: ""}
`

// These bytes are hashed and signed; they never change.
const goodPipelineJSON = `{"card":{"author":"release@example.test","id":"greetd-release"},"env":["CGO_ENABLED","HTTPS_PROXY"],"locks":["go.mod"],` +
	`"rng":{"family":"pcg32","seed":"42"},"schema":"relseal/pipeline/v1","steps":[` +
	`{"id":"build","inputs":["*.go","go.mod"],"needs":[],"outputs":["out/greetd"],"run":["go","build","-trimpath","-o","out/greetd","."]},` +
	`{"id":"rebuild","inputs":["*.go","go.mod","rebuild.sh"],"needs":["build"],"outputs":["out/again/greetd"],"run":["./rebuild.sh","out/again/greetd"],"same_as":"build"},` +
	`{"id":"test","inputs":["*.go","go.mod"],"needs":[],"outputs":[],"run":["go","test","./..."],"timeout_ms":300000},` +
	`{"env":{"EMPTY":"","LC_ALL":"C"},"id":"sums","inputs":["out/greetd"],"needs":["rebuild"],"outputs":[],"run":["sha256sum","out/greetd"],"stdout":"out/SUMS"}` +
	`],"tools":["go"]}`

func TestPipeline(t *testing.T) {
	p, err := Pipeline("p.yaml", []byte(goodPipeline))
	if err != nil {
		t.Fatal(err)
	}
	data, err := p.Marshal()
	if err != nil || string(data) != goodPipelineJSON {
		t.Errorf("got  %s, %v\nwant %s", data, err, goodPipelineJSON)
	}
	again, err := cards.ReadPipeline(data)
	if err != nil {
		t.Fatal(err)
	}
	if h, err := again.Hash(); err != nil || h != sign.Sum(data) {
		t.Errorf("hash %v, %v", h, err)
	}
}

// The hash is over what the card says, not over how it is written.
func TestPipelineHashIsStable(t *testing.T) {
	want := sign.Sum([]byte(goodPipelineJSON))
	edits := map[string]*strings.Replacer{
		"comments":       strings.NewReplacer("card:", "# who\ncard:", "tools: [go]", "tools: [go] # and nothing else"),
		"layout":         strings.NewReplacer("tools: [go]", "tools:\n  - go", "{family: pcg32, seed: \"42\"}", "\n  seed: '42'\n  family: \"pcg32\""),
		"line ends":      strings.NewReplacer("\n", "\r\n"),
		"member order":   strings.NewReplacer("id: greetd-release, author: release@example.test", "author: release@example.test, id: greetd-release"),
		"order of sets":  strings.NewReplacer(`[go.mod, "*.go"]`, `["*.go", go.mod]`, "[CGO_ENABLED, HTTPS_PROXY]", "[HTTPS_PROXY, CGO_ENABLED]"),
		"duration":       strings.NewReplacer("5m", "300s"),
		"empty optional": strings.NewReplacer("    needs: [build]\n", "    needs: [build]\n    env: {}\n", "timeout: 5m", "timeout: 5m, outputs: []"),
		"null optional":  strings.NewReplacer("timeout: 5m", "timeout: 5m, stdout: null, needs: null"),
	}
	for name, edit := range edits {
		text := edit.Replace(goodPipeline)
		p, err := Pipeline("p.yaml", []byte(text))
		if err != nil || text == goodPipeline {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, err := p.Hash(); err != nil || got != want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for name, edit := range map[string]*strings.Replacer{
		"order of steps": strings.NewReplacer("id: test", "id: first"),
		"arguments":      strings.NewReplacer("-trimpath, -o", "-o, -trimpath"),
		"seed":           strings.NewReplacer(`"42"`, `"43"`),
		"no rng":         strings.NewReplacer("rng: {family: pcg32, seed: \"42\"}\n", ""),
	} {
		p, err := Pipeline("p.yaml", []byte(edit.Replace(goodPipeline)))
		if got, e := p.Hash(); err != nil || e != nil || got == want {
			t.Errorf("%s: %v %v, hash unchanged: %v", name, err, e, got == want)
		}
	}
}

// A fault of meaning is found in YAML, with its line, and in canonical JSON.
func TestPipelineFaults(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"card id", "id: greetd-release", `id: " x"`, `2: card.id: " x" is not 1 to 128 characters`},
		{"card id outside ASCII", "id: greetd-release", "id: grüße", `2: card.id: "gr\u00fc\u00dfe" is not`},
		{"author in two lines", "author: release@example.test", `author: "a\nb"`, "2: card.author: is not one line"},
		{"author with direction marks", "author: release@example.test", `author: "a\u202Eb"`, "2: card.author: is not one line"},
		{"tool path", "tools: [go]", "tools: [go, ../go]", `3: tools[1]: "../go" has a segment ".."`},
		{"tool absolute", "tools: [go]", "tools: [/usr/bin/go]", `3: tools[0]: "/usr/bin/go" is absolute`},
		{"tool with arguments", "tools: [go]", "tools: [go version]", `3: tools[0]: "go version" is neither a program's name`},
		{"tool option", "tools: [go]", "tools: [-x]", `3: tools[0]: "-x" is neither`},
		{"tool dots", "tools: [go]", "tools: ['..']", `3: tools[0]: ".." is neither`},
		{"tool empty", "tools: [go]", "tools: ['']", `3: tools[0]: "" is neither`},
		{"tool twice", "tools: [go]", "tools: [go, gcc, go]", `3: tools[2]: "go" is listed twice`},
		{"lock pattern", "locks: [go.mod]", `locks: ["*.mod"]`, `4: locks[0]: "*.mod" is a pattern; name one file`},
		{"lock absolute", "locks: [go.mod]", "locks: [/go.mod]", `4: locks[0]: "/go.mod" is absolute`},
		{"env name", "env: [CGO_ENABLED,", "env: [CGO-ENABLED,", `5: env[0]: "CGO-ENABLED" is not a variable's name`},
		{"env twice", "HTTPS_PROXY]", "CGO_ENABLED]", `5: env[1]: "CGO_ENABLED" is listed twice`},
		{"rng family", "pcg32", "pgc32", `6: rng.family: want one of mt19937, pcg32, philox, system, threefry, xoshiro, got "pgc32" (did you mean "pcg32"?)`},
		{"seed negative", `"42"`, `"-1"`, `6: rng.seed: E_SEED_INVALID: "-1" is not an unsigned 64-bit number`},
		{"seed too large", `"42"`, `"18446744073709551616"`, "6: rng.seed: E_SEED_INVALID"},
		{"seed spelling", `"42"`, `"042"`, "6: rng.seed: E_SEED_INVALID"},
		{"step id", "id: test,", "id: Test,", `18: steps[2].id: "Test" is not 1 to 64`},
		{"step id twice", "id: test,", "id: build,", `18: steps[2].id: "build" is the id of steps[0] too`},
		{"run empty", "run: [go, test, ./...]", "run: []", "18: steps[2].run: is empty (name the program"},
		{"no program", "run: [go, test, ./...]", "run: ['', test]", "18: steps[2].run[0]: the program has no name"},
		{"NUL", "run: [go, test, ./...]", `run: [go, "a\0"]`, "18: steps[2].run[1]: holds a NUL byte"},
		{"need unknown", "needs: [build]", "needs: [biuld]", `13: steps[1].needs[0]: no step has the id "biuld" (did you mean "build"?)`},
		{"need twice", "needs: [build]", "needs: [build, build]", `13: steps[1].needs[1]: "build" is listed twice`},
		{"need itself", "needs: [rebuild]", "needs: [rebuild, sums]", "20: steps[3].needs: the steps need each other: sums -> sums"},
		{"cycle", "    run: [go, build", "    needs: [sums]\n    run: [go, build", "9: steps[0].needs: the steps need each other: build -> sums -> rebuild -> build"},
		{"input absolute", "rebuild.sh]", "/etc/passwd]", `15: steps[1].inputs[2]: "/etc/passwd" is absolute`},
		{"input above", "rebuild.sh]", "../x]", `15: steps[1].inputs[2]: "../x" has a segment ".."`},
		{"input inside out", "rebuild.sh]", "a/../../x]", `15: steps[1].inputs[2]: "a/../../x" has a segment ".."`},
		{"input not clean", "rebuild.sh]", "a//b]", `15: steps[1].inputs[2]: "a//b" is not clean; write a/b`},
		{"input dot", "rebuild.sh]", "./a]", `15: steps[1].inputs[2]: "./a" is not clean; write a`},
		{"input directory", "rebuild.sh]", "a/]", `15: steps[1].inputs[2]: "a/" is not clean; write a`},
		{"input project", "rebuild.sh]", "'.']", `15: steps[1].inputs[2]: "." is not clean`},
		{"input backslash", "rebuild.sh]", `'a\b']`, `15: steps[1].inputs[2]: "a\\b" has a backslash`},
		{"input drive", "rebuild.sh]", `'C:x']`, `15: steps[1].inputs[2]: "C:x" is absolute`},
		{"input outside ASCII", "rebuild.sh]", "straße]", `15: steps[1].inputs[2]: "stra\u00dfe" has a character outside`},
		{"input empty", "rebuild.sh]", "'']", `15: steps[1].inputs[2]: "" is empty`},
		{"input twice", "rebuild.sh]", "go.mod]", `15: steps[1].inputs[2]: "go.mod" is listed twice`},
		{"input **", "rebuild.sh]", `"**/*.c"]`, `15: steps[1].inputs[2]: "**/*.c" has **`},
		{"input pattern", "rebuild.sh]", `"[a"]`, `15: steps[1].inputs[2]: "[a" is not a well-formed pattern`},
		{"input too long", "rebuild.sh]", strings.Repeat("x", 1025) + "]", "is longer than 1024 bytes"},
		{"output absolute", "outputs: [out/greetd]", "outputs: [/greetd]", `11: steps[0].outputs[0]: "/greetd" is absolute`},
		{"output above", "outputs: [out/greetd]", "outputs: [../greetd]", `11: steps[0].outputs[0]: "../greetd" has a segment ".."`},
		{"output pattern", "outputs: [out/greetd]", `outputs: ["out/*"]`, `11: steps[0].outputs[0]: "out/*" is a pattern; outputs are named one by one`},
		{"output hidden", "outputs: [out/greetd]", "outputs: [out/.greetd]", `11: steps[0].outputs[0]: "out/.greetd" cannot be in a bundle (use A-Z`},
		{"output option", "outputs: [out/greetd]", "outputs: [out/-greetd]", `11: steps[0].outputs[0]: "out/-greetd" cannot be in a bundle`},
		{"output space", "outputs: [out/greetd]", "outputs: [out/the greetd]", `11: steps[0].outputs[0]: "out/the greetd" cannot be in a bundle`},
		{"output too long", "outputs: [out/greetd]", "outputs: [" + strings.Repeat("x", 91) + "]", "has 91 bytes; with artifacts/ before it a bundle takes 90"},
		{"output twice", "outputs: [out/again/greetd]", "outputs: [out/greetd]", `16: steps[1].outputs[0]: "out/greetd" is an output of step "build" too`},
		{"output twice in a step", "timeout: 5m", "outputs: [o, o]", `18: steps[2].outputs[1]: "o" is an output of this step already`},
		{"output in another case", "outputs: [out/again/greetd]", "outputs: [OUT/greetd]", `16: steps[1].outputs[0]: "OUT/greetd" and "out/greetd" of step "build" are one file`},
		{"output below another", "outputs: [out/again/greetd]", "outputs: [out/greetd/again]", `16: steps[1].outputs[0]: "out/greetd/again" is below "out/greetd", which is an output of step "build"`},
		{"stdout is an output", "stdout: out/SUMS", "stdout: out/SUMS\n    outputs: [out/SUMS]", `"out/SUMS" is an output of this step already`},
		{"stdout absolute", "stdout: out/SUMS", "stdout: /SUMS", `23: steps[3].stdout: "/SUMS" is absolute`},
		{"edge undeclared", "needs: [rebuild]", "needs: [test]", `22: steps[3].inputs[0]: takes in "out/greetd", an output of step "build", which this step does not need (edges are explicit: add "build" to needs)`},
		{"edge undeclared by pattern", "inputs: [out/greetd]", `inputs: ["out/*/*"]`, ""},
		{"edge of a pattern", "needs: [rebuild]\n    run: [sha256sum, out/greetd]\n    inputs: [out/greetd]", "needs: [build]\n    run: [x]\n    inputs: [\"out/*/*\"]",
			`22: steps[3].inputs[0]: takes in "out/again/greetd", an output of step "rebuild", which this step does not need`},
		{"edge backwards", `inputs: [go.mod, "*.go"]`, `inputs: [go.mod, "out/*/greetd"]`, `10: steps[0].inputs[1]: takes in "out/again/greetd", an output of step "rebuild", which comes after this one`},
		{"edge to itself", "inputs: [out/greetd]", `inputs: ["out/*"]`, `22: steps[3].inputs[0]: takes in "out/SUMS", an output of this step itself`},
		{"same_as unknown", "same_as: build", "same_as: bulid", `17: steps[1].same_as: no step has the id "bulid"`},
		{"same_as itself", "same_as: build", "same_as: rebuild", "17: steps[1].same_as: a step cannot be compared with itself"},
		{"same_as not before", "same_as: build", "same_as: test", `17: steps[1].same_as: step "test" does not come before this one (add "test" to needs)`},
		{"same_as without outputs", "    outputs: [out/again/greetd]\n", "", `16: steps[1].same_as: this step has 0 outputs, "build" has 1 output`},
		{"same_as with more", "outputs: [out/again/greetd]", "outputs: [out/again/greetd, out/again/x]", `17: steps[1].same_as: this step has 2 outputs, "build" has 1 output`},
		{"env of a step", "LC_ALL: C", "LC-ALL: C", `24: steps[3].env.LC-ALL: "LC-ALL" is not a variable's name`},
		{"NUL in env", "LC_ALL: C", `LC_ALL: "\0"`, "24: steps[3].env.LC_ALL: holds a NUL byte"},
		{"timeout too long", "timeout: 5m", "timeout: 366d", "18: steps[2].timeout: is not between 1 ms and 365 days"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if strings.Count(goodPipeline, test.old) == 0 {
				t.Fatalf("nothing like %q", test.old)
			}
			text := strings.Replace(goodPipeline, test.old, test.new, 1)
			_, err := Pipeline("p.yaml", []byte(text))
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var faults document.Faults
			if !errors.As(err, &faults) || len(faults) != 1 || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "p.yaml:") {
				t.Fatalf("got  %v\nwant p.yaml:%s", err, test.want)
			}

			doc := yamldoc.Open("p.yaml", []byte(text))
			data, err := canon.Marshal(readPipeline(doc, doc.Root()))
			if err != nil {
				t.Fatal(err)
			}
			_, err = cards.ReadPipeline(data)
			if !errors.As(err, &faults) || len(faults) != 1 || !strings.HasPrefix(faults[0].Text, faultText(t, test.want)) {
				t.Errorf("as JSON: %v", err)
			}
		})
	}
}

// faultText returns the text in "line: member: text (hint)", or what there is of it.
func faultText(t *testing.T, s string) string {
	t.Helper()
	if parts := strings.SplitN(s, ": ", 3); len(parts) == 3 && parts[0] != "" && parts[0][0] >= '0' && parts[0][0] <= '9' {
		s = parts[2]
	} else {
		return ""
	}
	s, _, _ = strings.Cut(s, " (")
	return s
}

// Faults that only YAML can have.
func TestPipelineYAMLFaults(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"seed as integer", `"42"`, "42", `p.yaml:6: rng.seed: want a text, got the integer 42 (quote it: "42")`},
		{"argument as integer", "run: [go, test, ./...]", "run: [sleep, 1]", `p.yaml:18: steps[2].run[1]: want a text, got the integer 1 (quote it: "1")`},
		{"argument as boolean", "run: [go, test, ./...]", "run: [echo, yes]", `p.yaml:18: steps[2].run[1]: yes without quotes can be read as a boolean (write true, or quote it: "yes")`},
		{"command as a text", "run: [go, test, ./...]", "run: go test", `p.yaml:18: steps[2].run: want a list of texts, got the text "go test"`},
		{"timeout without unit", "timeout: 5m", "timeout: 300", "p.yaml:18: steps[2].timeout: want a duration such as 30m, got the integer 300 (add the unit: 300s)"},
		{"timeout zero", "timeout: 5m", "timeout: 0s", "p.yaml:18: steps[2].timeout: 0 is not a time that a step can take (leave it out for no timeout)"},
		{"canonical name", "timeout: 5m", "timeout_ms: 5", "p.yaml:18: steps[2].timeout_ms: unknown member (did you mean \"timeout\"?)"},
		{"stdout empty", "stdout: out/SUMS", `stdout: ""`, "p.yaml:23: steps[3].stdout: is empty"},
		{"no steps", goodPipeline[strings.Index(goodPipeline, "steps:"):], "steps: []\n", "p.yaml:7: steps: a pipeline has at least one step"},
		{"steps missing", goodPipeline[strings.Index(goodPipeline, "steps:"):], "", "p.yaml:1: steps: is missing; want a list of mappings"},
		{"misspelt", "inputs: [out/greetd]", "input: [out/greetd]", `p.yaml:22: steps[3].input: unknown member (did you mean "inputs"?)`},
		{"another schema", "relseal/pipeline/v1", "relseal/params/v1", `p.yaml:1: schema: want relseal/pipeline/v1, got "relseal/params/v1"`},
		{"many at once", `author: release@example.test}
tools: [go]`, "autor: x}\ntools: [1.10]\nlocks: go.mod", "p.yaml:2: card.author: is missing; want a text\n" +
			"p.yaml:2: card.autor: unknown member (did you mean \"author\"?)\n" +
			"p.yaml:3: tools[0]: 1.10 without quotes can be read as a floating-point number, which is not exact (quote it: \"1.10\")\n" +
			"p.yaml:4: locks: want a list of texts, got the text \"go.mod\"\n" +
			"p.yaml:5: locks: is there twice, first on line 4"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := Pipeline("p.yaml", []byte(strings.Replace(goodPipeline, test.old, test.new, 1))); err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestReadPipelineRefuses(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"unsorted", `["*.go","go.mod"]`, `["go.mod","*.go"]`, "not sorted"},
		{"unsorted env", `["CGO_ENABLED","HTTPS_PROXY"]`, `["HTTPS_PROXY","CGO_ENABLED"]`, "not sorted"},
		{"null list", `"needs":[]`, `"needs":null`, "needs"},
		{"empty optional", `"needs":["build"]`, `"env":{},"needs":["build"]`, ""},
		{"zero timeout", `"timeout_ms":300000`, `"timeout_ms":0`, ""},
		{"negative timeout", `"timeout_ms":300000`, `"timeout_ms":-1`, "steps[2].timeout_ms: is not between"},
		{"YAML name", `"timeout_ms":300000`, `"timeout":"5m"`, "unknown member"},
		{"another schema", "relseal/pipeline/v1", "relseal/pipeline/v2", "schema: want relseal/pipeline/v1"},
		{"cycle", `"needs":[],"outputs":["out/greetd"]`, `"needs":["sums"],"outputs":["out/greetd"]`, "steps[0].needs: the steps need each other: build -> sums -> rebuild -> build"},
		{"two faults", `"seed":"42"`, `"seed":"x"`, "rng.seed: E_SEED_INVALID"},
		{"white space", `"tools":["go"]`, `"tools": ["go"]`, "canonical"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(goodPipelineJSON, test.old, test.new, 1)
			if _, err := cards.ReadPipeline([]byte(text)); err == nil || text == goodPipelineJSON || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v", err)
			}
		})
	}
	if _, err := cards.ReadPipeline([]byte(strings.Replace(goodPipelineJSON, "pipeline/v1", "params/v1", 1))); !errors.Is(err, cards.ErrSchema) {
		t.Errorf("%v is not ErrSchema", err)
	}
	p, err := cards.ReadPipeline([]byte(goodPipelineJSON))
	if err != nil {
		t.Fatal(err)
	}
	p.Steps[0].Inputs = []string{"b", "a"}
	if _, err := p.Marshal(); err == nil {
		t.Error("an unsorted list was marshalled")
	}
}
