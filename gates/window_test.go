package gates

import (
	"errors"
	"strings"
	"testing"

	"github.com/relseal/relseal/sign"
)

func TestParseWindow(t *testing.T) {
	w, err := ParseWindow([]byte(windowBytes))
	if err != nil {
		t.Fatal(err)
	}
	if w.ID != "w1" || w.Seq != 1 || w.Score != "0.97" || w.IncidentRate != "" || w.RTB != "NaN" || w.EndMS != 60_000 {
		t.Errorf("%+v", w)
	}
	again, err := w.Marshal()
	if err != nil || string(again) != windowBytes {
		t.Errorf("got  %s, %v\nwant %s", again, err, windowBytes)
	}
	w.N, w.K, w.LastBeatMS, w.Evidence, w.PSDKind, w.TBKind, w.TBUnit = Some(0), Some(0), Some(0), sign.Sum(nil), "rel_l1", "ratio", "1"
	w.Score, w.HBLag = `a"b\é`, "\n"
	full, err := w.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ParseWindow(full); err != nil || again != w {
		t.Errorf("%+v, %v", again, err)
	}
}

// A ledger holds one form of a window.
func TestParseWindowRefuses(t *testing.T) {
	for _, tt := range []struct{ old, new, want string }{
		{`"relseal/window/v1"`, `"relseal/window/v2"`, "schema: want relseal/window/v1, got"},
		{`"seq":1,`, "", "seq: is missing"},
		{`"seq":1`, `"seq":0`, "/seq: an optional member that is not set must be absent"},
		{`"seq":1`, `"seq":-1`, "seq: must count from 1, got -1"},
		{`"release":"sha256:4`, `"release":"sha256:X`, "release: want a bundle.id"},
		{`"score":"0.97"`, `"score":0`, "/score: a metric is text or null"},
		{`"score":"0.97"`, `"score":""`, "/score: unexpected JSON string"},
		{`"score":"0.97",`, ``, "/score: missing member"},
		{`"score"`, `"scoer"`, "/scoer: unknown member"},
		{`"channel":"canary"`, `"channel":"lts"`, `channel: want canary or stable or LTS, got "lts"`},
		{`"end_ms":60000`, `"end_ms":"60000"`, "/end_ms: unexpected JSON string"},
		{`"end_ms":60000`, `"end_ms":9007199254740991`, "end_ms: must be at most"},
		{`"id":"w1"`, `"id":""`, "id: is missing"},
		{`"id":"w1"`, `"id":"w\u00e9"`, "not in canonical form"},
		{`"id":"w1"`, `"id":"wé"`, "id: is not text of at most 200 characters"},
		{`"r_tb"`, `"n":1,"r_tb"`, "k: n and k go together"},
		{`"r_tb"`, `"n":null,"r_tb"`, "/n: an optional member that is not set must be absent"},
		{`"incident_rate":null`, `"incident_rate":null,"k":2,"n":1`, "k: n and k go together, with 0 <= k <= n"},
		{`"incident_rate":null`, `"incident_rate":null,"last_beat_ms":-1`, "last_beat_ms: must be at least 0 ms"},
		{`"r_tb"`, `"psd_kind":"l2","r_tb"`, "psd_kind: want rel_l1 or log_l2_db"},
		{`{"channel"`, ` {"channel"`, "not in canonical form"},
	} {
		doc := strings.Replace(windowBytes, tt.old, tt.new, 1)
		if doc == windowBytes {
			t.Errorf("%s is not there", tt.old)
		}
		if _, err := ParseWindow([]byte(doc)); !strings.Contains(errText(err), tt.want) {
			t.Errorf("%s: got %q, want %q", tt.new, errText(err), tt.want)
		}
	}
	if _, err := ParseWindow([]byte(`{"schema":"relseal/gates/v1"}`)); !errors.Is(err, ErrSchema) {
		t.Errorf("%v is not ErrSchema", err)
	}
}

func TestValue(t *testing.T) {
	for v, want := range map[Value]string{
		"0.97": "0.97", "+0.970": "0.97", "97e-2": "0.97", "-1e3": "-1000", "0": "0", "-0": "0", "00": "0",
		"": "none", "NaN": "none", "nan": "none", "+Inf": "none", "Infinity": "none", "fast": "none", "0x1p3": "none", "1_000": "none", "1,5": "none", "1/3": "none", " 1": "none",
		"1e40": "none", "1e-41": "none", "1e999999999999999999999": "none", "1e-999999999999999999999": "none",
	} {
		got := "none"
		if d, ok := v.Decimal(); ok {
			got = string(d)
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", v, got, want)
		}
	}
}

const jsonl = `
{"id":"w1","channel":"canary","start_ms":0,"end_ms":60000,"score":"0.97","delta_rep":1e-2,"delta_psd":0.010,"r_tb":null,"hb_lag":"NaN","n":200,"k":3}

  {"schema":"relseal/window/v1","channel":"canary","end_ms":"120000","start_ms":60000,"id":"w2","drop_rate":"","incident_rate":"fast","seq":null}  ` + "\r\n"

const table = "\ufeffid,channel,start_ms,end_ms,score,delta_rep,delta_psd,hb_lag,n,k,incident_rate\r\n" +
	"w1,canary,0,60000,0.97,1e-2,\"0.010\",NaN,200,3,\r\n\r\n" +
	"w2, canary ,60000,120000,,,,,,,fast"

// JSON lines and CSV say the same. What is written stays as it is written.
func TestReadWindows(t *testing.T) {
	for name, text := range map[string]string{"w.jsonl": jsonl, "w.csv": table} {
		got, err := ReadWindows(name, strings.NewReader(text))
		if err != nil || len(got) != 2 {
			t.Errorf("%s: %+v, %v", name, got, err)
			continue
		}
		want1 := Window{Schema: WindowSchema, ID: "w1", Channel: Canary, EndMS: 60_000, Score: "0.97", DeltaRep: "1e-2", DeltaPSD: "0.010", HBLag: "NaN", N: Some(200), K: Some(3)}
		want2 := Window{Schema: WindowSchema, ID: "w2", Channel: Canary, StartMS: 60_000, EndMS: 120_000, IncidentRate: "fast"}
		if got[0] != want1 || got[1] != want2 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for _, empty := range []string{"", "\n\n", "  \n", "id,channel,start_ms,end_ms\n"} {
		if got, err := ReadWindows("w", strings.NewReader(empty)); err != nil || len(got) != 0 {
			t.Errorf("%q: %v, %v", empty, got, err)
		}
	}
}

// Every fault names its line and its member.
func TestReadWindowsFaults(t *testing.T) {
	const head = "id,channel,start_ms,end_ms,score\n"
	const good = `{"id":"w1","channel":"canary","start_ms":0,"end_ms":1}`
	for _, tt := range []struct{ text, want string }{
		{good + "\n" + `{"id":"w2","channel":"canary","start_ms":0,"end_ms":1,"scoer":"1","hb_lag":true}`, "f:2: hb_lag: want a text or a number"},
		{good + "\n" + `{"id":"w2","channel":"canary","start_ms":0,"end_ms":1,"scoer":"1"}`, `f:2: scoer: unknown member (did you mean "score"?)`},
		{`{"channel":"lts","start_ms":0,"end_ms":1}` + "\n[]", "f:1: id: is missing\nf:1: channel: want canary or stable or LTS, got \"lts\" (did you mean \"LTS\"?)\nf:2: is not a JSON object (one object a line: jq -c '.[]')"},
		{"[\n", "f:1: is not JSON: unexpected end of JSON input (one object a line: jq -c '.[]')"},
		{`{"id":"w1"}`, "f:1: channel: is missing\nf:1: start_ms: is missing\nf:1: end_ms: is missing"},
		{`{"id":"w1","id":"w2","channel":"canary","start_ms":0,"end_ms":1}`, "f:1: id: is there twice"},
		{`{"id":"w1","channel":"canary","start_ms":0.5,"end_ms":9007199254740993}`, "f:1: end_ms: want an integer, got \"9007199254740993\"\nf:1: start_ms: want an integer, got \"0.5\""},
		{good + "\n\n{", "f:3: is not JSON: unexpected end of JSON input (one object a line: jq -c .)"},
		{good + " x", "f:1: is not JSON: invalid character 'x' after top-level value"},
		{"{\"id\":\"\xff\"}", "f:1: is not valid UTF-8"},
		{`{"id":{"a":[1]},"channel":[],"start_ms":0,"end_ms":1}`, "f:1: id: want a text or a number\nf:1: channel: want a text or a number"},
		{good + "\n{\"id\":\"" + strings.Repeat("a", 1<<20) + "\"}", "f:2: is longer than 1048576 bytes"},
		{`{"id":"w","channel":"canary","start_ms":0,"end_ms":1,"evidence":"sha256:0"}`, `f:1: evidence: a digest is "sha256:" and 64 hexadecimal digits`},
		{"id,channel,start,end_ms,id\n", "f:1: start: unknown column\nf:1: id: is there twice\nf:1: start_ms: has no column (the first line names the columns)"},
		{head + "w1,canary,0,1\n" + "w2,canary,0,1,1,1", "f:2: has 4 cells, the header has 5\nf:3: has 6 cells, the header has 5"},
		{head + "w1,canary,0,1,1\n,canary,,60,1", "f:3: id: is missing\nf:3: start_ms: is missing"},
		{head + "\"w\n1\",canary,0,1,1\nw2,canary,a,1,1", "f:2: id: is not text of at most 200 characters within U+0020 to U+007E\nf:4: start_ms: want an integer, got \"a\""},
		{head + "w1,canary,0,1,\"1", `f:2: is not CSV: extraneous or missing " in quoted-field`},
		{head + "w1,canary,0,1,\xff", "f:2: score: is not valid UTF-8"},
		{strings.Repeat("{}\n", 1000), "\nf:25: 100 faults; the rest of the file was not read"},
	} {
		got, err := ReadWindows("f", strings.NewReader(tt.text))
		if text := errText(err); got != nil || text != tt.want && !(tt.want[0] == '\n' && strings.HasSuffix(text, tt.want)) {
			t.Errorf("%.80q:\ngot  %s\nwant %s", tt.text, text, tt.want)
		}
	}
}

// A format that is given is not guessed.
func TestReadWindowsAs(t *testing.T) {
	for format, text := range map[Format]string{JSONL: jsonl, CSV: table} {
		if got, err := ReadWindowsAs(format, "w", strings.NewReader(text)); err != nil || len(got) != 2 {
			t.Errorf("%s: %+v, %v", format, got, err)
		}
	}
	for _, tt := range []struct {
		format Format
		text   string
		want   string
	}{
		{CSV, "{}\n", `w:1: ["{}"]: unknown column`},
		{JSONL, table, "w:1: is not JSON"},
		{"xml", "", `want jsonl or csv, got "xml"`},
	} {
		if _, err := ReadWindowsAs(tt.format, "w", strings.NewReader(tt.text)); !strings.HasPrefix(errText(err), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.format, err, tt.want)
		}
	}
}

type brokenReader struct{ text string }

func (r *brokenReader) Read(p []byte) (int, error) {
	if r.text == "" {
		return 0, errors.New("unplugged")
	}
	n := copy(p, r.text)
	r.text = r.text[n:]
	return n, nil
}

// What could be read before the medium failed is not the file.
func TestReadWindowsIO(t *testing.T) {
	for _, text := range []string{"", jsonl, table} {
		if got, err := ReadWindows("f", &brokenReader{text}); got != nil || errText(err) != "f: unplugged" {
			t.Errorf("%.20q: %v, %v", text, got, err)
		}
	}
}

// endless is a line that never ends.
type endless struct {
	head string
	n    int
}

func (e *endless) Read(b []byte) (int, error) {
	n := copy(b, e.head)
	e.head = e.head[n:]
	for i := n; i < len(b); i++ {
		b[i] = 'x'
	}
	e.n += len(b)
	return len(b), nil
}

// However long a line is, no more of it is read than one may have.
func TestEndlessLine(t *testing.T) {
	for name, head := range map[string]string{"JSON": `{"id":"`, "CSV": "id,channel,start_ms,end_ms\n", "CSV in quotes": "id,channel,start_ms,end_ms\n\"", "CSV header": "id,"} {
		in := &endless{head: head}
		_, err := ReadWindows("w", in)
		if err == nil || !strings.Contains(err.Error(), "longer than 1048576 bytes") {
			t.Errorf("%s: %v", name, err)
		}
		if in.n > 3<<20 {
			t.Errorf("%s: read %d bytes", name, in.n)
		}
	}
}
