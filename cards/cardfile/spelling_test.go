package cardfile

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/sign"
)

// The hash is over what a card says: whatever comments, layout, quotes and order
// of members and of sets it is written with, it is the same.
func TestHashIsStable(t *testing.T) {
	random := rand.New(rand.NewPCG(8785, 1))
	spelled := map[string]bool{}
	for range 150 {
		p := randomPipeline(random)
		data, err := p.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			text := spellPipeline(random, data)
			spelled[text] = true
			q, err := Pipeline("p.yaml", []byte(text))
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if h, err := q.Hash(); err != nil || h != sign.Sum(data) {
				again, _ := q.Marshal()
				t.Fatalf("%s\nsays %s, %v\nnot  %s", text, again, err, data)
			}
		}
	}
	for range 150 {
		text := spell(random, spellParams(random, []byte(goodParamsJSON)))
		spelled[text] = true
		p, err := Params("p.yaml", []byte(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if h, err := p.Hash(); err != nil || h != sign.Sum([]byte(goodParamsJSON)) {
			t.Fatalf("%s\nsays another thing, %v", text, err)
		}
	}
	if len(spelled) < 580 {
		t.Errorf("only %d different texts", len(spelled))
	}
}

// words are texts that a step may be given; some look like something else.
var words = []string{
	"go", "build", "yes", "null", "~", "1.10", "010", "", " ", "- a", "a: b", "a #b", "#", "'", `"`, `\`, "*", "&a", "!t", "|", "é", "日本", "a\nb", "\t", "{}", "[x]", "%", "@", "true", "12:30", "<<", "=",
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

func some[T any](r *rand.Rand, most int, make func(int) T) []T {
	list := []T{}
	for i := range r.IntN(most + 1) {
		list = append(list, make(i))
	}
	return list
}

// randomPipeline returns a card in normal form.
func randomPipeline(r *rand.Rand) cards.Pipeline {
	p := cards.Pipeline{
		Schema: cards.PipelineSchema,
		Card:   cards.Identity{ID: fmt.Sprintf("card-%d", r.IntN(100)), Author: pick(r, []string{"release@example.test", "Zoë", "a: b # c", "'"})},
		Tools:  some(r, 3, func(i int) string { return fmt.Sprintf("tool%d", i) }),
		Locks:  some(r, 2, func(i int) string { return fmt.Sprintf("lock/%d", i) }),
		Env:    some(r, 2, func(i int) string { return fmt.Sprintf("VAR_%d", i) }),
	}
	if r.IntN(2) == 0 {
		p.RNG = &cards.RNG{Family: pick(r, cards.RNGFamilies), Seed: fmt.Sprint(r.Uint64())}
	}
	for i := range 1 + r.IntN(4) {
		s := cards.Step{
			ID:      fmt.Sprintf("s%d", i),
			Needs:   some(r, i, func(j int) string { return fmt.Sprintf("s%d", j) }),
			Run:     append([]string{"run"}, some(r, 4, func(int) string { return pick(r, words) })...),
			Inputs:  some(r, 3, func(j int) string { return fmt.Sprintf("src/%d*.go", j) }),
			Outputs: some(r, 2, func(j int) string { return fmt.Sprintf("out/%d/%d", i, j) }),
		}
		if r.IntN(3) == 0 {
			s.Env = map[string]string{"A": pick(r, words), "B": pick(r, words)}
		}
		if r.IntN(3) == 0 {
			s.Stdout = fmt.Sprintf("out/%d/log", i)
		}
		if r.IntN(3) == 0 {
			s.TimeoutMS = 1 + r.Int64N(1e9)
		}
		p.Steps = append(p.Steps, s)
	}
	if r.IntN(3) == 0 {
		p.Weights = cards.Weights{"steps.run": "2.5", "env": "0"}
	}
	return p.Normal()
}

// randomEdit returns p with one thing changed, or put another way that means the same.
func randomEdit(r *rand.Rand, p cards.Pipeline) cards.Pipeline {
	p.Steps = slices.Clone(p.Steps)
	i := r.IntN(len(p.Steps))
	s := &p.Steps[i]
	switch r.IntN(13) {
	case 0:
		p.Card.ID = fmt.Sprintf("card-%d", r.IntN(3))
	case 1:
		p.Tools = append([]string{"a"}, p.Tools...)
	case 2:
		p.RNG = nil
	case 3:
		p.RNG = &cards.RNG{Family: "pcg32", Seed: "1"}
	case 4:
		s.Run = append([]string{"run"}, pick(r, words))
	case 5:
		s.Inputs = append([]string{"more"}, s.Inputs...)
	case 6:
		s.Env = map[string]string{"A": pick(r, words)}
	case 7:
		s.Stdout = ""
	case 8:
		s.TimeoutMS = r.Int64N(2)
	case 9:
		p.Weights = nil
	case 10:
		p.Steps = append(p.Steps, cards.Step{ID: "extra", Run: []string{"x"}})
	case 11:
		slices.Reverse(p.Steps)
	case 12:
		p.Steps = p.Steps[:1]
	}
	return p.Normal()
}

// spellPipeline writes the canonical form of a card as YAML in one of many ways.
func spellPipeline(r *rand.Rand, canonical []byte) string {
	card := decode(canonical)
	for _, name := range []string{"tools", "locks", "env"} {
		spellSet(r, card, name)
	}
	if card["rng"] == nil && r.IntN(2) == 0 {
		delete(card, "rng")
	}
	for _, item := range card["steps"].([]any) {
		s := item.(map[string]any)
		for _, name := range []string{"needs", "inputs", "outputs"} {
			spellSet(r, s, name)
		}
		if ms, ok := s["timeout_ms"]; ok {
			delete(s, "timeout_ms")
			s["timeout"] = spellDuration(r, ms.(json.Number))
		}
		if s["stdout"] == nil && r.IntN(5) == 0 {
			s["stdout"] = nil
		}
	}
	return spell(r, card)
}

func spellParams(r *rand.Rand, canonical []byte) map[string]any {
	card := decode(canonical)
	list := card["params"].([]any)
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	for _, item := range list {
		p := item.(map[string]any)
		switch p["type"] {
		case cards.TypeEnum:
			spellSet(r, p, "domain")
		case cards.TypeReal:
			p["value"] = pick(r, []string{"2.5", "2.50", "+2.5", "25e-1", "0.25E1"})
			p["domain"] = []any{"0.1", pick(r, []any{json.Number("60"), "60", "6e1"})}
		}
		if len(p["domain"].([]any)) == 0 && r.IntN(2) == 0 {
			delete(p, "domain")
		}
	}
	return card
}

func decode(canonical []byte) map[string]any {
	d := json.NewDecoder(strings.NewReader(string(canonical)))
	d.UseNumber()
	var card map[string]any
	if err := d.Decode(&card); err != nil {
		panic(err)
	}
	return card
}

// spellSet puts a list whose order has no meaning into another order; an empty
// one may be left out.
func spellSet(r *rand.Rand, m map[string]any, name string) {
	list := m[name].([]any)
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	if len(list) > 0 {
		return
	}
	switch r.IntN(3) {
	case 0:
		delete(m, name)
	case 1:
		m[name] = nil
	}
}

func spellDuration(r *rand.Rand, ms json.Number) string {
	n, err := ms.Int64()
	if err != nil {
		panic(err)
	}
	if r.IntN(2) == 0 {
		return fmt.Sprintf("%dms", n)
	}
	return fmt.Sprintf("%dh%dm%ds%dms", n/3_600_000, n/60_000%60, n/1000%60, n%1000)
}

// spell writes a mapping as YAML.
func spell(r *rand.Rand, v map[string]any) string {
	w := &writer{r: r}
	w.members("", v)
	if r.IntN(8) == 0 {
		return strings.ReplaceAll(w.String(), "\n", "\r\n")
	}
	return w.String()
}

type writer struct {
	strings.Builder
	r *rand.Rand
}

// members writes a mapping in block style.
func (w *writer) members(indent string, m map[string]any) {
	names := slices.Sorted(maps.Keys(m))
	w.r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names {
		w.remark(indent)
		w.WriteString(indent + w.name(name) + ":")
		w.value(indent, m[name])
	}
}

// value writes what follows a name or a dash.
func (w *writer) value(indent string, v any) {
	deeper := indent + strings.Repeat(" ", 1+w.r.IntN(4))
	switch v := v.(type) {
	case map[string]any:
		if len(v) > 0 && w.r.IntN(2) == 0 {
			w.end()
			w.members(deeper, v)
			return
		}
	case []any:
		if len(v) > 0 && w.r.IntN(2) == 0 {
			w.end()
			for _, item := range v {
				w.remark(deeper)
				w.WriteString(deeper + "-")
				w.value(deeper, item)
			}
			return
		}
	}
	w.WriteString(strings.Repeat(" ", 1+w.r.IntN(3)) + w.flow(v))
	w.end()
}

func (w *writer) end() {
	if w.r.IntN(4) == 0 {
		w.WriteString(`  # "a": [b`)
	}
	w.WriteString("\n")
}

func (w *writer) remark(indent string) {
	switch w.r.IntN(6) {
	case 0:
		w.WriteString(indent + "# tools: [other]\n")
	case 1:
		w.WriteString("\n")
	}
}

// flow writes a value inside of one line.
func (w *writer) flow(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, w.name(name)+": "+w.flow(v[name]))
		}
		w.r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		var parts []string
		for _, item := range v {
			parts = append(parts, w.flow(item))
		}
		return "[" + strings.Join(parts, pick(w.r, []string{",", ", ", " ,  "})) + "]"
	case string:
		return w.text(v)
	case nil:
		return "null"
	default:
		return fmt.Sprint(v)
	}
}

func (w *writer) name(name string) string {
	return pick(w.r, []string{name, name, `"` + name + `"`, "'" + name + "'"})
}

var plainText = regexp.MustCompile(`^[a-z][a-z0-9]*[/.-][a-z0-9/.-]*[a-z0-9]$`)

func (w *writer) text(s string) string {
	double, err := canon.Marshal(s) // what JSON quotes, YAML reads
	if err != nil {
		panic(err)
	}
	forms := []string{string(double)}
	if canon.Printable(s) {
		forms = append(forms, "'"+strings.ReplaceAll(s, "'", "''")+"'")
	}
	if plainText.MatchString(s) {
		forms = append(forms, s)
	}
	return pick(w.r, forms)
}
