package docs

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/internal/document"
)

// A described document is one that has a table: a sample with every optional member,
// what the product reads it with, and the members about which the page says more
// than the forms of its tables can, in words.
type described struct {
	table  string
	sample string // JSON
	read   func(canonical string) error
	words  string
}

const (
	d1 = `"sha256:0000000000000000000000000000000000000000000000000000000000000000"`
	d2 = `"sha256:1111111111111111111111111111111111111111111111111111111111111111"`
	s1 = `"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="`
	k1 = `"SHA256:EzQIfzHHa4mJwLMaKv22LxW1PnVz6y/am2X1ywYun7I"`
)

var documents = []described{
	{
		table: "the genesis",
		sample: `{"schema":"relseal/trail/v1","purpose":"ledger","run":{"id":"x"},"created":"2026-01-02T03:04:05.000000Z","EnvLock":{"fingerprint":` + d1 + `},
			"PipelineCard":{"hash":null},"ParamCard":{"hash":` + d1 + `},"verifier":{"pk_ref":` + k1 + `},"product":"demo","continues":{"H_0":` + d1 + `,"H_k":` + d2 + `,"k":3},
			"delegation":[1],"root":{"hash":` + d1 + `,"version":2},"details":"x"}`,
		read: func(doc string) error {
			_, err := audit.ParseHeader([]byte(`{"H_0":` + d1 + `,"genesis":` + doc + `,"sig_0":` + s1 + `}`))
			return err
		},
		words: "purpose", // of a run more is asked
	}, {
		table: "the event",
		sample: `{"audit":{"schema":{"version":"1.0.0"}},"k":1,"ts":"2026-01-02T03:04:05.000000Z","tau_mono_us":5,"clock":"c","actor":"a","action":"step.end","run":{"id":"x"},
			"EnvLock":{"fingerprint":` + d1 + `},"PipelineCard":{"hash":` + d1 + `},"ParamCard":{"hash":null},"code":{"hash":` + d1 + `},"rng":{"seed":"42"},
			"inputs":{"hash":` + d1 + `,"items":[{"hash":` + d1 + `,"uri":"a"},{"hash":` + d2 + `,"uri":"b"}]},"outputs":{"hash":` + d1 + `,"items":[{"hash":` + d1 + `,"uri":"a"}]},
			"path":"build","TS":{"snapshot":{"makespan":"1.5"}},"verifier":{"pk_ref":` + k1 + `},"notes":{"commit":` + d1 + `},"status":"ok","error":"e","details":{"x":1}}`,
		read: func(doc string) error {
			_, err := audit.ParseRecord([]byte(`{"H_k":` + d1 + `,"e":` + doc + `,"id_k":` + d1 + `,"sig_k":` + s1 + `}`))
			return err
		},
	}, {
		table: "envlock",
		sample: `{"schema":"relseal/envlock/v1","env":{"os":{"id":"debian"},"kernel":{},"libc":{},"compilers":{},"runtimes":{},"drivers":{},"firmware":{"bios":null},"containers":{},
			"hw":{},"backend":{},"options":{}},"locks":[{"hash":` + d1 + `,"path":"a"},{"hash":` + d2 + `,"path":"b"}],"variables":{"A":"x","B":null}}`,
		read:  func(doc string) error { _, err := envlock.Parse([]byte(doc)); return err },
		words: "locks[].path",
	}, {
		table: "pipelinecard",
		sample: `{"schema":"relseal/pipeline/v1","card":{"author":"a","id":"i"},"tools":["go","sh"],"locks":["a","b"],"env":["A","B"],"rng":{"family":"pcg32","seed":"42"},
			"steps":[{"id":"a","needs":[],"run":["x"],"inputs":["a","b"],"outputs":["o/1","o/2"]},{"id":"b","needs":[],"run":["x"],"inputs":[],"outputs":[]},
			{"id":"c","needs":["a","b"],"run":["x","y"],"inputs":[],"outputs":["p/1"],"env":{"A":"x"},"stdout":"p/2","same_as":"a","timeout_ms":5}],"weights":{"env":"2"}}`,
		read: func(doc string) error { _, err := cards.ReadPipeline([]byte(doc)); return err },
		words: "card.author card.id tools[] locks[] steps[].env.* steps[].id steps[].needs[] steps[].inputs[] steps[].outputs[] steps[].run[] " +
			"steps[].stdout steps[].same_as steps steps[]# steps[].needs steps[].outputs steps[].run weights.*",
	}, {
		table: "paramcard",
		sample: `{"schema":"relseal/params/v1","card":{"author":"a","id":"i"},"params":[{"name":"a","type":"integer","unit":"s","value":2,"domain":[1,3]},
			{"name":"b","type":"real","unit":"1","value":"2.5","domain":["1","3"]},{"name":"c","type":"enum","unit":"1","value":"x","domain":["x","y"]},
			{"name":"d","type":"boolean","unit":"1","value":true,"domain":[]}],"weights":{"params":"2"}}`,
		read:  func(doc string) error { _, err := cards.ReadParams([]byte(doc)); return err },
		words: "card.author card.id params[].unit params[].value params[].domain params[].domain[] params[].domain[]# weights.*",
	}, {
		table: "policy",
		sample: `{"schema":"relseal/gates/v1","mode":"literal","r_canary":"0.05","T_obs_ms":5,"T_rollback_ms":0,"stale_max_ms":1,"W_min":3,"N_LTS":3,"gap_max_ms":0,"skew_max_ms":0,
			"max_undecidable":2,"tau_score":"0.95","gate_rep":"0.02","tau_psd":{"kind":"rel_l1","max":"0.05"},"tau_tb":{"kind":"rms","unit":"s","max":"0.001"},
			"tau_hb":"5","tau_drop":"0.01","tau_inc":"0.1","T_obs_max_ms":9,"plus":"point"}`,
		read:  func(doc string) error { _, err := gates.ReadPolicy([]byte(doc)); return err },
		words: "r_canary tau_score gate_rep tau_psd.max tau_tb.max tau_tb.kind tau_tb.unit tau_hb tau_drop tau_inc T_obs_max_ms",
	}, {
		table: "the window",
		sample: `{"schema":"relseal/window/v1","id":"w1","channel":"canary","start_ms":0,"end_ms":60000,"score":"0.97","delta_rep":"NaN","delta_psd":null,"r_tb":"1e-3","hb_lag":"+Inf",
			"drop_rate":"0","incident_rate":"fast","seq":3,"release":` + d1 + `,"n":9,"k":1,"last_beat_ms":5,"psd_kind":"rel_l1","tb_kind":"rms","tb_unit":"s","evidence":` + d2 + `}`,
		read: func(doc string) error {
			var w gates.Window
			if err := document.Unmarshal([]byte(doc), gates.WindowSchema, &w); err != nil {
				return err
			}
			return w.Check()
		},
		words: "n k evidence",
	}, {
		table: "the decision",
		sample: `{"schema":"relseal/decision/v1","semantics":"gate/1","policy":{"digest":` + d1 + `},"channel":"canary","since_ms":0,"now_ms":60000,
			"observed":{"count":1,"root":` + d1 + `,"start_ms":0,"end_ms":60000},"decision":"HOLD","reasons":["COVERAGE"],"alerts":["E_TIMEBASE_SKEW"],"evidence":["w1"],"coverage_ms":60000,
			"predicates":[{"name":"COVERAGE","statistic":"ms","value":"60000","op":">=","limit":"180000","met":false,"metric":"score","window":"w1"}],
			"triggers":[{"name":"TRIGGER:score","statistic":"value","value":"0.9","op":"<","limit":"0.95","met":true,"metric":"score","window":"w1"}],
			"windows":[],"release":"r","to":"stable","window":"w1","deadline_ms":5,"restart":{"window":"w1","reasons":["GAP"]},"next":{"windows":1,"earliest_ms":5,"window_ms":1,"after":"w1"}}`,
		read:  func(doc string) error { _, err := gates.ReadDecision([]byte(doc)); return err },
		words: "next.window_ms",
	}, {
		table: "auditbundle",
		sample: `{"schema":"relseal/audit-bundle/v1","kind":"audit","product":"demo","run":{"id":"00000000000000000000000000000000"},"outcome":"ok","EnvLock":{"fingerprint":` + d1 + `},
			"PipelineCard":{"hash":` + d1 + `},"ParamCard":{"hash":` + d1 + `},"trails":[{"H_0":` + d1 + `,"H_K":` + d2 + `,"K":2,"path":"audit/a","purpose":"run"},
			{"H_0":` + d1 + `,"H_K":` + d2 + `,"K":2,"path":"audit/b","purpose":"run"}],"artifacts":[{"hash":` + d1 + `,"size":1,"uri":"a"},{"hash":` + d2 + `,"size":1,"uri":"b"}],
			"files":[` + listed("VERIFY.md", "guide", "audit/a", "trail", "audit/b", "trail", "cards/param.json", "params", "cards/pipeline.json", "pipeline", "envlock.json", "envlock") + `],
			"verifier":{"pk_ref":` + k1 + `},"root":{"hash":` + d1 + `,"version":2},"details":{"x":1}}`,
		read:  func(doc string) error { _, err := bundle.ReadAuditManifest([]byte(doc)); return err },
		words: "trails trails[].path files files[].path files[].role files[].size",
	}, {
		table: "releasebundle",
		sample: `{"schema":"relseal/release-bundle/v1","kind":"release","product":"demo","version":"1.0.0","channel":"stable","commit":"c",
			"artifacts":[{"hash":` + d1 + `,"size":1,"uri":"a"},{"hash":` + d2 + `,"size":1,"uri":"b"}],"cards":{"param":` + d1 + `,"pipeline":` + d1 + `},"gates":GATES,
			"scores":{"x":1},"windows":{"first":2,"last":3,"count":1},"decision":{},"provenance":{"audit":[` + d1 + `,` + d2 + `],"head":{"H_0":` + d1 + `,"H_k":` + d2 + `,"k":9},"ledger":{"H_0":` + d1 + `,"H_k":` + d2 + `,"k":9},"previous":` + d2 + `},
			"files":[` + listed("VERIFY.md", "guide", "evidence/"+d1[8:72]+".audit.tar.zst", "evidence", "evidence/"+d2[8:72]+".audit.tar.zst", "evidence",
			"evidence/from/"+d2[8:72]+"/manifest.json", "lineage", "evidence/from/"+d2[8:72]+"/signatures.json", "lineage") + `],
			"verifier":{"pk_ref":` + k1 + `},"root":{"hash":` + d1 + `,"version":2},"details":{"x":1}}`,
		read: func(doc string) error { _, err := bundle.ReadReleaseManifest([]byte(doc)); return err },
		words: "version artifacts gates scores windows windows.first windows.last windows.count decision provenance.audit provenance.ledger " +
			"provenance.ledger.k provenance.ledger.H_0 provenance.ledger.H_k provenance.head provenance.head.k provenance.head.H_0 provenance.head.H_k provenance.previous files files[].path files[].role files[].size files[].hash " +
			"gates.r_canary gates.tau_score gates.gate_rep gates.tau_psd.max gates.tau_tb.max gates.tau_tb.kind gates.tau_tb.unit gates.tau_hb gates.tau_drop gates.tau_inc gates.T_obs_max_ms",
	},
}

// signatures is the document beside a carried manifest.
var signatures = described{
	table:  "signatures",
	sample: `{"schema":"relseal/signatures/v1","signatures":[{"keyid":` + k1 + `,"sig":` + s1 + `}]}`,
	read:   func(doc string) error { _, err := bundle.ReadSignatures("x", []byte(doc)); return err },
	words:  "signatures",
}

func init() { documents = append(documents, signatures) }

// listed returns entries of files for paths and roles.
func listed(pathsAndRoles ...string) string {
	var all []string
	for i := 0; i < len(pathsAndRoles); i += 2 {
		hash := d1
		if strings.HasSuffix(pathsAndRoles[i], "/manifest.json") {
			hash = d2
		}
		all = append(all, fmt.Sprintf(`{"hash":%s,"path":%q,"role":%q,"size":1}`, hash, pathsAndRoles[i], pathsAndRoles[i+1]))
	}
	return strings.Join(all, ",")
}

// others are values to stand in for any other.
var others = []string{
	`null`, `true`, `0`, `1`, `-1`, `7`, `9007199254740991`, `9007199254740992`, `1.5`, `1e2`, `""`, `"x"`, `"X"`, `"a b"`, `"0"`, `"-0"`, `"-1"`, `"1.5"`, `"1.50"`, `"01"`,
	`"18446744073709551615"`, `"18446744073709551616"`, `"é"`, `"a\u2028b"`, `"\u007f"`, `" x"`, `"x "`, `"../x"`, `"\u0000"`, `"1"`, `"ratio"`, `"run"`, `"ok"`, `"trail"`, `"a.b"`, `"a.B"`, `"A=B"`, `[]`, `[1]`, `["x"]`, `{}`, `{"x":1}`, `{"x":"y"}`,
	`{"commit":` + d1 + `}`, `{"commit":"x"}`, d1, d2, strings.ToUpper(d1), k1, `"` + k1[1:50] + `J"`, `"2026-01-02T03:04:05.000000Z"`, `"2026-01-02T03:04:05Z"`, `"2026-02-30T03:04:05.000000Z"`,
	`"2026-01-02T03:04:60.000000Z"`, `"2026-01-02T03:04:05.000000+00:00"`,
}

// Every member of every document takes each of many values, is left out, stands
// twice, changes places; every object gets a member more. The tables and the
// product accept the same, but for the members named in words, of which the
// product may refuse more.
func TestForms(t *testing.T) {
	f := form{shapes(t), isLeaf}
	policy := documents[slices.IndexFunc(documents, func(d described) bool { return d.table == "policy" })].sample
	for _, d := range documents {
		t.Run(d.table, func(t *testing.T) {
			sample := parse(t, strings.Replace(d.sample, "GATES", policy, 1))
			used, refused := map[string]bool{}, 0
			try := func(path, what string) {
				doc, ok := canonical(sample, 1)
				fault := ""
				if ok {
					v, good := readCanonical([]byte(doc))
					if fault = f.check(d.table, v); !good {
						fault = "not canonical"
					}
				}
				ours, theirs := ok && fault == "", d.read(doc)
				general := index.ReplaceAllString(path, "[]")
				for _, free := range []string{"steps[].env.", "weights."} {
					if strings.HasPrefix(general, free) {
						general = free + "*"
					}
				}
				switch {
				case ours == (theirs == nil):
					refused += map[bool]int{false: 1}[ours]
				case ours && slices.Contains(strings.Fields(d.words), general):
					used[general] = true
				case ours:
					t.Errorf("%s %s: the page accepts it, the product says %v", path, what, theirs)
				default:
					t.Errorf("%s %s: the product accepts it, the page has %s", path, what, fault)
				}
			}
			try("", "as it is")
			if refused > 0 {
				t.Fatal("the sample is refused")
			}
			everywhere(t, "", sample, try)
			for _, path := range strings.Fields(d.words) {
				if !used[path] {
					t.Errorf("of %s the tables say everything; no words are needed", path)
				}
			}
			t.Logf("%d values were refused", refused)
		})
	}
}

// order follows a path where it is the place in its array that was changed.
const order = "#"

var index = regexp.MustCompile(`\[[0-9]+\]`)

// everywhere changes one thing after the other inside v and calls try for each.
func everywhere(t *testing.T, path string, v any, try func(path, what string)) {
	switch v := v.(type) {
	case map[string]any:
		v["extra"] = json.Number("1")
		try(path+".extra", "added")
		delete(v, "extra")
		for _, name := range slices.Sorted(maps.Keys(v)) {
			was, at := v[name], strings.TrimPrefix(path+"."+name, ".")
			delete(v, name)
			try(at, "left out")
			for _, other := range others {
				v[name] = parse(t, other)
				try(at, "= "+other)
			}
			if s, ok := was.(string); ok && s != "" {
				v[name] = s + "\n"
				try(at, "followed by a line feed")
			}
			v[name] = was
			everywhere(t, at, was, try)
		}
	case []any:
		for i, was := range v {
			at := fmt.Sprintf("%s[%d]", path, i)
			for _, other := range others {
				v[i] = parse(t, other)
				try(at, "= "+other)
			}
			v[i] = was
			if i > 0 {
				before := v[i-1]
				v[i-1] = was
				try(at+order, "twice")
				v[i] = before
				try(at+order, "before the one before it")
				v[i-1], v[i] = before, was
			}
			everywhere(t, at, was, try)
		}
	}
}

func parse(t *testing.T, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// The classes of weights on the page are those that the product knows, which it
// lists when it meets another.
func TestWeights(t *testing.T) {
	for _, c := range []struct{ table, heading, header, row string }{
		{"pipelinecard", "PipelineCard", "what,rule", "`weights`"},
		{"paramcard", "ParamCard", memberHeader, "`weights.*` *optional*"},
	} {
		var classes []string
		for _, row := range rowsOf(t, c.heading, c.header) {
			if row[0] == c.row {
				for _, span := range spans(row[len(row)-1]) {
					classes = append(classes, expand(span)...)
				}
			}
		}
		d := documents[slices.IndexFunc(documents, func(d described) bool { return d.table == c.table })]
		v := parse(t, d.sample).(map[string]any)
		v["weights"] = map[string]any{"no such class": "1"}
		doc, _ := canonical(v, 1)
		err := d.read(doc)
		if err == nil {
			t.Fatalf("%s: every class is accepted", c.table)
		}
		_, known, _ := strings.Cut(err.Error(), "known: ")
		known, _, _ = strings.Cut(known, ")")
		slices.Sort(classes)
		if strings.Join(classes, ", ") != known {
			t.Errorf("%s: the page has the classes %q, the product knows %s", c.table, classes, known)
		}
	}
}
