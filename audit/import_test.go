package audit

import (
	"reflect"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
)

func TestImportDraft(t *testing.T) {
	hash := digest("a").String()
	for _, tt := range []struct {
		name, line string
		want       Draft
	}{
		{"least", `{"action":"note","actor":"ci"}`, Draft{Action: "note", Actor: Txt("ci")}},
		{"spelling", " {\t\"actor\" : \"c\\u0069\",\r\n\"action\":\"note\" } ", Draft{Action: "note", Actor: Txt("ci")}},
		{"null", `{"action":"note","actor":"ci","path":null,"notes":null,"details":null,"inputs":null,"TS":null,"status":null,"error":null}`,
			Draft{Action: "note", Actor: Txt("ci")}},
		{"all", `{"status":"failed","path":"build","notes":"naïve","error":"exit 1","actor":"ci","action":"step.end",` +
			`"inputs":{"items":[{"uri":"a","hash":"` + hash + `"}]},"outputs":{"items":[]},` +
			`"TS":{"snapshot":{"a":1,"b":1.50,"c":"+1e3","d":-0}},"details":{"b":[1,1.0,-2.50,1e2],"a":"1.50"}}`,
			Draft{Action: "step.end", Actor: Txt("ci"), Path: Txt("build"), Status: StatusFailed, Notes: Txt("naïve"), Error: Txt("exit 1"),
				Inputs: []Item{{*digest("a"), "a"}}, Outputs: []Item{},
				Snapshot: map[string]canon.Decimal{"a": "1", "b": "1.5", "c": "1000", "d": "0"},
				Details:  canon.Value(`{"a":"1.50","b":[1,"1","-2.5","100"]}`)}},
	} {
		got, err := ImportDraft([]byte(tt.line))
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", tt.name, err, got, tt.want)
		}
	}
}

func TestImportDraftRefuses(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{``, "no JSON value"},
		{`[]`, "want a JSON object"},
		{`"note"`, "want a JSON object"},
		{`{"action":"note"}`, "/actor: missing member"},
		{`{"actor":"ci"}`, "/action: missing member"},
		{`{"action":"note","actor":null}`, "/actor: missing member"},
		{`{"action":"note","actor":"ci","actor":"me"}`, "duplicate member name"},
		{`{"action":"note","actor":"ci","extra":1}`, "/extra: unknown member"},
		{`{"action":"note","actor":7}`, "/actor: unexpected JSON number"},
		{`{"action":"note","actor":"ci","ts":"2026-03-04T05:06:07Z"}`, "/ts: the log stamps the time; one from elsewhere goes into details"},
		{`{"action":"note","actor":"ci","k":1}`, "/k: the log stamps it; leave it out"},
		{`{"action":"note","actor":"ci","rng":null}`, "/rng: the log stamps it; leave it out"},
		{`{"action":"note","actor":"ci","inputs":{"items":[{"uri":"a"}]}}`, "/inputs/items/0/hash: missing member"},
		{`{"action":"note","actor":"ci","inputs":{"hash":"sha256:00","items":[]}}`, "/inputs/hash: unknown member"},
		{`{"action":"note","actor":"ci","TS":{"snapshot":{"a":"fast"}}}`, `/TS/snapshot/a: "fast" is not a decimal number`},
		{`{"action":"note","actor":"ci","TS":{"snapshot":{"a":true}}}`, "/TS/snapshot/a: want a decimal number"},
		{`{"action":"note","actor":"ci","status":""}`, "/status: is empty; leave it out"},
		{`{"action":"note","actor":"ci","details":{"a":1e400}}`, `byte 45: "1e400" needs more than 40 digits before or after the point`},
		{`{"action":"note","actor":"ci","details":{"a":01}}`, "byte 46"},
		// Errors name positions in the line as it was given.
		{`{"action":"note","actor":"ci","details":[1.5,1.50000000,x]}`, "byte 56"},
		{`{"action":"note","actor":"ci"} {}`, "byte 31: something follows the JSON value"},
	} {
		_, err := ImportDraft([]byte(tt.line))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s\n got %v\nwant %s", tt.line, err, tt.want)
		}
	}
}

// FuzzImportValue: what is imported is canonical and imports as itself, and a
// value that is canonical already is not changed.
func FuzzImportValue(f *testing.F) {
	for _, seed := range []string{`{"a":1.50,"b":[1e3,-0,"1.0\""]}`, `"\u00e9"`, `9007199254740993`, `-1.5`, `{"a":"\\\"1.5"}`, `1.5.5`, `-`, `"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := ImportValue(data)
		if err != nil {
			if canon.Check(data) == nil {
				t.Fatalf("refused: %v", err)
			}
			return
		}
		if err := canon.Check(v); err != nil {
			t.Fatal(err)
		}
		again, err := ImportValue(v)
		if err != nil || string(again) != string(v) {
			t.Fatalf("imports as %s, %v", again, err)
		}
		if canon.Check(data) == nil && string(v) != string(data) {
			t.Fatalf("changed to %s", v)
		}
	})
}

// FuzzImportUsual compares importUsual with importAny.
func FuzzImportUsual(f *testing.F) {
	for _, line := range usualImports {
		f.Add([]byte(line))
	}
	for _, seed := range []string{`{"actor":"a","action":"b","actor":"c"}`, `{"action":"b","actor":"\u0041"}`, `{"action":"a","actor":"b","details":1.5}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		got, ok := importUsual(line)
		if !ok {
			return
		}
		want, err := importAny(line)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("reads %+v, want %+v, %v", got, want, err)
		}
	})
}

var usualImports = []string{
	`{"action":"note","actor":"ci"}`,
	"\t{ \"actor\" : \"ci\",\r \"action\":\"note\" } \n",
	`{"actor": "naïve", "action": "step.progress", "notes": "six of seven", "path": "", "status": "ok", "error": "no"}`,
	`{"details":{"a":[1,{"b":"\n"}],"c":null},"action":"note","actor":"ci"}`,
}

func TestImportUsual(t *testing.T) {
	for _, line := range usualImports {
		if _, ok := importUsual([]byte(line)); !ok {
			t.Errorf("goes the slow way: %s", line)
		}
	}
}
