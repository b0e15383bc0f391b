package cardfile

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/cards"
)

// line is a difference as the tables below write it.
func line(d cards.Difference) string {
	return fmt.Sprintf("%s (%s, impact %s): %s -> %s", d.Member, d.Class, d.Impact, d.Old, d.New)
}

// unknownClass are weights whose fault names every class that there is.
var unknownClass = cards.Weights{"none of them": "1"}

// classes returns the classes of members that err says are known.
func classes(t *testing.T, err error) []string {
	t.Helper()
	_, known, found := strings.Cut(err.Error(), "(known: card.")
	known, _, closed := strings.Cut("card."+known, ")")
	if !found || !closed {
		t.Fatalf("no classes in: %v", err)
	}
	return strings.Split(known, ", ")
}

func lines(c cards.Comparison) string {
	var out []string
	for _, d := range c.Differences {
		out = append(out, line(d))
	}
	return strings.Join(out, "\n")
}

// Every member that a card has, changed on its own: the tables below cover each
// class of members.
func TestComparePipelines(t *testing.T) {
	const build = `{"id":"build","inputs":["*.go","go.mod"],"needs":[],"outputs":["out/greetd"],"run":["go","build","-trimpath","-o","out/greetd","."]}`
	tests := []struct{ old, new, want string }{
		{"id: greetd-release", "id: greetd", `card.id (card.id, impact 0.1): "greetd-release" -> "greetd"`},
		{"author: release@", "author: ops@", `card.author (card.author, impact 0.1): "release@example.test" -> "ops@example.test"`},
		{"tools: [go]", "tools: [go, cc]", `tools (tools, impact 0.5): ["go"] -> ["cc","go"]`},
		{"locks: [go.mod]\n", "", `locks (locks, impact 0.5): ["go.mod"] -> []`},
		{"[CGO_ENABLED, HTTPS_PROXY]", "[CGO_ENABLED]", `env (env, impact 1): ["CGO_ENABLED","HTTPS_PROXY"] -> ["CGO_ENABLED"]`},
		{"pcg32", "philox", `rng.family (rng, impact 1): "pcg32" -> "philox"`},
		{`"42"`, `"43"`, `rng.seed (rng, impact 1): "42" -> "43"`},
		{`rng: {family: pcg32, seed: "42"}`, "", `rng (rng, impact 1): {"family":"pcg32","seed":"42"} -> null`},
		{"needs: [rebuild]", "needs: [rebuild, test]", `steps[sums].needs (steps.needs, impact 1): ["rebuild"] -> ["rebuild","test"]`},
		{"-trimpath, -o", "-o", `steps[build].run (steps.run, impact 1): ["go","build","-trimpath","-o","out/greetd","."] -> ["go","build","-o","out/greetd","."]`},
		{"rebuild.sh]", "rebuild.sh, go.sum]", `steps[rebuild].inputs (steps.inputs, impact 1): ["*.go","go.mod","rebuild.sh"] -> ["*.go","go.mod","go.sum","rebuild.sh"]`},
		{"timeout: 5m", "timeout: 5m, outputs: [log]", `steps[test].outputs (steps.outputs, impact 1): [] -> ["log"]`},
		{`EMPTY: ""`, `EMPTY: " "`, `steps[sums].env.EMPTY (steps.env, impact 1): "" -> " "`},
		{`LC_ALL: C, `, "", `steps[sums].env.LC_ALL (steps.env, impact 1): "C" -> null`},
		{"stdout: out/SUMS", "stdout: out/sums", `steps[sums].stdout (steps.stdout, impact 1): "out/SUMS" -> "out/sums"`},
		{"stdout: out/SUMS", "", `steps[sums].stdout (steps.stdout, impact 1): "out/SUMS" -> null`},
		{"    same_as: build\n", "", `steps[rebuild].same_as (steps.same_as, impact 0.5): "build" -> null`},
		{"timeout: 5m", "timeout: 6m", `steps[test].timeout_ms (steps.timeout, impact 0.5): 300000 -> 360000`},
		{"id: test,", "id: check,", `steps[test] (steps, impact 1): {"id":"test","inputs":["*.go","go.mod"],"needs":[],"outputs":[],"run":["go","test","./..."],"timeout_ms":300000} -> null
steps[check] (steps, impact 1): null -> {"id":"check","inputs":["*.go","go.mod"],"needs":[],"outputs":[],"run":["go","test","./..."],"timeout_ms":300000}`},
		{"steps:\n", "steps:\n  - {id: first, run: [make]}\n", `steps[first] (steps, impact 1): null -> {"id":"first","inputs":[],"needs":[],"outputs":[],"run":["make"]}`},
		{"    env: {LC_ALL: C, EMPTY: \"\"}\n", "    env: {LC_ALL: C, EMPTY: \"\"}\nweights: {env: \"2\"}\n", `weights (weights, impact 0.1): null -> {"env":"2"}`},
	}
	covered := map[string]bool{}
	old, err := Pipeline("a.yaml", []byte(goodPipeline))
	if err != nil {
		t.Fatal(err)
	}
	check := func(now cards.Pipeline, want string) {
		t.Helper()
		c, err := cards.ComparePipelines(old, now)
		if err != nil || lines(c) != want {
			t.Errorf("got  %s, %v\nwant %s", lines(c), err, want)
		}
		for _, d := range c.Differences {
			covered[d.Class] = true
		}
	}
	check(old, "")
	for _, test := range tests {
		text := strings.Replace(goodPipeline, test.old, test.new, 1)
		now, err := Pipeline("b.yaml", []byte(text))
		if err != nil || text == goodPipeline {
			t.Fatalf("%q: %v", test.new, err)
		}
		check(now, test.want)
	}
	now := old
	now.Steps = []cards.Step{old.Steps[2], old.Steps[0], old.Steps[1], old.Steps[3]}
	check(now, `steps.order (steps.order, impact 0.5): ["build","rebuild","test","sums"] -> ["test","build","rebuild","sums"]`)
	if got, want := slices.Sorted(maps.Keys(covered)), classes(t, cards.Pipeline{Weights: unknownClass}.Check()); !slices.Equal(got, want) {
		t.Errorf("covered %v\nof      %v", got, want)
	}
	if string(canonicalStep(t, old.Steps[0])) != build {
		t.Errorf("the card was changed: %s", canonicalStep(t, old.Steps[0]))
	}
}

func canonicalStep(t *testing.T, s cards.Step) canon.Value {
	t.Helper()
	data, err := canon.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestCompareParams(t *testing.T) {
	tests := []struct{ old, new, want string }{
		{"id: greetd-params", "id: greetd", `card.id (card.id, impact 0.1): "greetd-params" -> "greetd"`},
		{"author: release@", "author: ops@", `card.author (card.author, impact 0.1): "release@example.test" -> "ops@example.test"`},
		{"value: 256", "value: 4096", `params[max_conns].value (params.value, impact 0.937729): 256 -> 4096`},
		{`"2.50"`, `"3.5"`, `params[timeout].value (params.value, impact 0.016694): "2.5" -> "3.5"`},
		{`"-18446744073709551616"`, `1`, `params[offset].value (params.value, impact 1): "-18446744073709551616" -> 1`},
		{`"-18446744073709551616"`, `"-9223372036854775808"`, `params[offset].value (params.value, impact 0.5): "-18446744073709551616" -> "-9223372036854775808"`},
		{"value: safe", "value: fast", `params[mode].value (params.value, impact 1): "safe" -> "fast"`},
		{"value: false", "value: true", `params[verbose].value (params.value, impact 1): false -> true`},
		{`value: ""`, `value: hello`, `params[banner].value (params.value, impact 1): "" -> "hello"`},
		{"unit: s", "unit: ms", `params[timeout].unit (params.unit, impact 1): "s" -> "ms"`},
		{"[safe, fast]", "[safe, fast, slow]", `params[mode].domain (params.domain, impact 0.5): ["fast","safe"] -> ["fast","safe","slow"]`},
		{"[1, 4096]", "[1, 8192]", `params[max_conns].domain (params.domain, impact 0.5): [1,4096] -> [1,8192]`},
		{"value: 256, type: integer", "value: 256, type: real", "params[max_conns].type (params.type, impact 1): \"integer\" -> \"real\"\n" +
			"params[max_conns].value (params.value, impact 1): 256 -> \"256\"\n" +
			`params[max_conns].domain (params.domain, impact 0.5): [1,4096] -> ["1","4096"]`},
		{"name: verbose", "name: debug", `params[debug] (params, impact 1): null -> {"domain":[],"name":"debug","type":"boolean","unit":"1","value":false}
params[verbose] (params, impact 1): {"domain":[],"name":"verbose","type":"boolean","unit":"1","value":false} -> null`},
		{"card:", "weights: {params.value: \"0.5\"}\ncard:", `weights (weights, impact 0.1): null -> {"params.value":"0.5"}`},
		// Over both domains together; without one of them, of the value.
		{"value: 256, type: integer, unit: \"1\", domain: [1, 4096]", "value: 512, type: integer, unit: \"1\", domain: [0, 1024]",
			"params[max_conns].value (params.value, impact 0.0625): 256 -> 512\nparams[max_conns].domain (params.domain, impact 0.5): [1,4096] -> [0,1024]"},
		{"value: 256, type: integer, unit: \"1\", domain: [1, 4096]", "value: 512, type: integer, unit: \"1\"",
			"params[max_conns].value (params.value, impact 0.5): 256 -> 512\nparams[max_conns].domain (params.domain, impact 0.5): [1,4096] -> []"},
	}
	covered := map[string]bool{}
	old, err := Params("a.yaml", []byte(goodParams))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		text := strings.Replace(goodParams, test.old, test.new, 1)
		now, err := Params("b.yaml", []byte(text))
		if err != nil || text == goodParams {
			t.Fatalf("%q: %v", test.new, err)
		}
		c, err := cards.CompareParams(old, now)
		if err != nil || lines(c) != test.want {
			t.Errorf("got  %s, %v\nwant %s", lines(c), err, test.want)
		}
		for _, d := range c.Differences {
			covered[d.Class] = true
		}
	}
	if got, want := slices.Sorted(maps.Keys(covered)), classes(t, cards.Params{Weights: unknownClass}.Check()); !slices.Equal(got, want) {
		t.Errorf("covered %v\nof      %v", got, want)
	}
}

// The index is the weighted mean of the impacts (S32-18).
func TestRiskIndex(t *testing.T) {
	edit := strings.NewReplacer("-trimpath, ", "", "timeout: 5m", "timeout: 6m", "author: release@", "author: ops@").Replace
	for weights, want := range map[string]canon.Decimal{
		"": "0.533333", // (1 + 0.5 + 0.1) / 3
		`{steps.run: "2", steps.timeout: "1", card.author: "0"}`:     "0.833333", // (2·1 + 1·0.5) / 3
		`{steps.run: "0", steps.timeout: "0", card.author: "0"}`:     "0",
		`{steps.run: "0.001", steps.timeout: "0", card.author: "0"}`: "1",
		`{tools: "100"}`: "0.533333", // nothing of the class differs
	} {
		if weights != "" {
			weights = "weights: " + weights + "\n"
		}
		a, err := Pipeline("a.yaml", []byte(goodPipeline+weights))
		if err != nil {
			t.Fatal(err)
		}
		b, err := Pipeline("b.yaml", []byte(edit(goodPipeline)+weights))
		if err != nil {
			t.Fatal(err)
		}
		c, err := cards.ComparePipelines(a, b)
		if err != nil || c.RiskIndex != want {
			t.Errorf("%s: %s, %v; want %s", weights, c.RiskIndex, err, want)
		}
		if same, err := cards.ComparePipelines(a, a); err != nil || same.RiskIndex != "0" || len(same.Differences) > 0 {
			t.Errorf("%s with itself: %v, %v", weights, same, err)
		}
	}
}

// A change cannot talk down its own risk: the weights are those of the card that
// it leaves.
func TestRiskIndexIsOfTheOldWeights(t *testing.T) {
	a, err := Pipeline("a.yaml", []byte(goodPipeline))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Pipeline("b.yaml", []byte(strings.Replace(goodPipeline, "-trimpath, ", "", 1)+"weights: {steps.run: \"0\"}\n"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := cards.ComparePipelines(a, b)
	if err != nil || c.RiskIndex != "0.55" { // (1 + 0.1) / 2
		t.Errorf("%s, %v\n%s", c.RiskIndex, err, lines(c))
	}
	back, err := cards.ComparePipelines(b, a)
	if err != nil || back.RiskIndex != "0.1" { // (0·1 + 1·0.1) / 1
		t.Errorf("%s, %v\n%s", back.RiskIndex, err, lines(back))
	}
}

// Cards differ iff their hashes do; and what changes on the way back is what
// changes on the way there.
func TestCompareAgreesWithHash(t *testing.T) {
	random := rand.New(rand.NewPCG(32, 18))
	same, different := 0, 0
	for range 400 {
		a := randomPipeline(random)
		b := a
		if random.IntN(4) > 0 {
			b = randomEdit(random, a)
		}
		there, err := cards.ComparePipelines(a, b)
		if err != nil {
			t.Fatal(err)
		}
		back, err := cards.ComparePipelines(b, a)
		if err != nil {
			t.Fatal(err)
		}
		h, err := a.Hash()
		if err != nil {
			t.Fatal(err)
		}
		g, err := b.Hash()
		if err != nil {
			t.Fatal(err)
		}
		if (h == g) != (len(there.Differences) == 0) {
			t.Errorf("the same hash: %v\n%s", h == g, lines(there))
		}
		if h == g {
			same++
		} else {
			different++
		}
		var mirrored []string
		for _, d := range back.Differences {
			d.Old, d.New = d.New, d.Old
			mirrored = append(mirrored, line(d))
		}
		got := strings.Split(lines(there), "\n")
		slices.Sort(got)
		slices.Sort(mirrored)
		if strings.Join(got, "\n") != strings.Join(mirrored, "\n") {
			t.Errorf("there:\n%s\nback:\n%s", strings.Join(got, "\n"), strings.Join(mirrored, "\n"))
		}
		if r := there.RiskIndex.Rat(); r.Sign() < 0 || r.Cmp(canon.Decimal("1").Rat()) > 0 {
			t.Errorf("index %s", there.RiskIndex)
		}
	}
	if same < 50 || different < 100 {
		t.Errorf("%d pairs are the same, %d differ", same, different)
	}
}
