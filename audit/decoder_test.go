package audit

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// sameAsParse holds what d reads of a line to ParseRecord, and reports whether
// the line is of the usual shape.
func sameAsParse(t *testing.T, d *decoder, line []byte) bool {
	t.Helper()
	var p parsed
	if !d.shape(line, &p) {
		return false
	}
	r, err := ParseRecord(line)
	if err != nil {
		t.Fatalf("%s\npasses, ParseRecord says %v", line, err)
	}
	want := parsed{
		Record: r, id: sign.Sum(eventBytes(line)), part: true,
		in: *itemsDigest(&r.E.Inputs), out: *itemsDigest(&r.E.Outputs),
	}
	e := &want.E
	if d.o.Each == nil {
		e.Actor = Text{}
	}
	e.Audit, e.Code, e.TimeSeries, e.Notes, e.Error = SchemaRef{}, Hash{}, Snapshot{}, Text{}, Text{}
	e.Inputs.Items, e.Outputs.Items = nil, nil
	if !reflect.DeepEqual(p, want) {
		t.Fatalf("%s\nreads %+v\nParseRecord %+v", line, p, want)
	}
	return true
}

// usual are events of the usual shape, one of each thing that may be in one.
func usual(t testing.TB) *maker {
	m := goodRun(t)
	drafts := []Draft{
		{Actor: Txt("ci"), Action: "operator.note", Notes: Txt("a \"quoted\" text,\nof two lines: naïve")},
		{Actor: Txt("é"), Action: "a.b_c", Details: canon.Value(`{"a":[1,{"b":null}],"b":{}}`), Status: StatusAborted, Error: Txt("")},
		{Actor: Txt("ci"), Action: "x", Path: Txt(""), Details: canon.Value(`[]`)},
		{Actor: Txt("ci"), Action: "x", Inputs: []Item{{*digest("a"), "!"}, {*digest("b"), "a b"}, {*digest("b"), "~"}}},
	}
	return m.add(drafts, nil)
}

func TestUsualShape(t *testing.T) {
	m := usual(t)
	d := newDecoder(new(CheckOptions))
	for range 2 { // the second time the decoder has seen it all
		for i, line := range m.lines[1:] {
			if got, want := sameAsParse(t, d, []byte(line)), len(m.recs[i].E.TimeSeries.Snapshot) == 0; got != want {
				t.Errorf("usual shape %v, want %v: %s", got, want, line)
			}
		}
	}
	for _, edit := range []func(*Event){
		func(e *Event) { e.Path = Text{Commit: digest("x")} },
		func(e *Event) { e.Notes = Text{Commit: digest("x")} },
		func(e *Event) { e.Error = Text{Commit: digest("x")} },
		func(e *Event) { e.TauMonoUS = -1 },
		func(e *Event) { e.Path = Txt(`\`) },
	} {
		line := m.must(canon.Marshal(edited(m, edit)))
		if _, err := ParseRecord([]byte(line)); err != nil || sameAsParse(t, d, []byte(line)) {
			t.Errorf("taken for usual, %v: %s", err, line)
		}
	}
}

func edited(m *maker, edit func(*Event)) Record {
	r := m.recs[1]
	edit(&r.E)
	return m.seal(m.recs[0].H, r.E, alice)
}

// TestUnusual edits the text of lines where the two ways could differ.
func TestUnusual(t *testing.T) {
	m := usual(t)
	d := newDecoder(new(CheckOptions))
	for _, tt := range [][2]string{
		{`"k":2,`, `"k":02,`}, {`"k":2,`, `"k":0,`}, {`"k":2,`, `"k":-2,`}, {`"k":2,`, `"k":2.0,`}, {`"k":2,`, `"k":,`},
		{`"k":2,`, `"k":1000000000000000,`}, {`"k":2,`, `"k":9007199254740991,`}, {`"k":2,`, `"k":9007199254740992,`}, {`"k":2,`, `"k":18446744073709551618,`},
		{`03-04T`, `02-29T`}, {`03-04T`, `02-30T`}, {`03-04T`, `13-04T`}, {`03-04T`, `00-04T`}, {`03-04T`, `03-00T`}, {`03-04T`, `03-32T`}, {`2026-03-04T`, `2024-02-29T`},
		{`2026-`, `0000-`}, {`2026-`, `9999-`}, {`T05:`, `T24:`}, {`T05:`, `t05:`}, {`:06:`, `:60:`}, {`:07.`, `:60.`}, {`:07.`, `:07,`},
		{`"notes":null`, `"notes":"\u0041"`}, {`"notes":null`, `"notes":"\/"`}, {`"notes":null`, "\"notes\":\"\xff\""}, {`"notes":null`, "\"notes\":\"\x01\""}, {`"notes":null`, `"notes":1`},
		{`"notes":null`, `"notes":"` + strings.Repeat("x", limits.JSONString) + `"`}, {`"notes":null`, `"notes":"` + strings.Repeat("x", limits.JSONString+1) + `"`},
		{`"actor":"ci"`, `"actor":""`}, {`"actor":"ci"`, `"actor":null`}, {`"actor":"ci"`, `"actor":{}`},
		{`"clock":"clock-a"`, `"clock":""`}, {`"clock":"clock-a"`, "\"clock\":\"\x7f\""}, {`"clock":"clock-a"`, `"clock":"a\"b"`},
		{`"code":{"hash":"sha256:`, `"code":{"hash":"sha256:A`}, {`"seed":"42"`, `"seed":""`}, {`"seed":"42"`, `"seed":42`}, {`"seed":"42"`, `"seed":null`},
		{`"run":{"id":"`, `"run":{"id":"é`}, {`"path":"build"`, `"path":"é"`}, {`"path":"build"`, `"path":"` + strings.Repeat("x", limits.JSONString+1) + `"`},
		{`step.start`, `run.end`}, {`step.start`, `Step`}, {`step.start`, `a..b`}, {`step.start`, ``}, {`"1.0.0"`, `"1.0.1"`},
		{`,"inputs"`, `,"details":null,"inputs"`}, {`,"inputs"`, `,"details":` + strings.Repeat("[", 62) + strings.Repeat("]", 62) + `,"inputs"`},
		{`,"inputs"`, `,"details":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `,"inputs"`},
		{`,"inputs"`, `,"error":null,"inputs"`}, {`,"inputs"`, `,"error":"","inputs"`}, {`,"inputs"`, `,"inputs2":1,"inputs"`},
		{`"uri":"a.go"`, `"uri":""`}, {`"uri":"a.go"`, `"uri":"b.go"`}, {`"uri":"a.go"`, `"uri":"c.go"`}, {`"items":[`, `"items":[],"x":[`},
		{`,"tau`, `,"status":"","tau`}, {`,"tau`, `,"status":"ok","tau`}, {`,"tau`, `,"status":"passed","tau`}, {`"tau_mono_us":`, `"tau_mono_us":-`},
		{`"TS":{"snapshot":{}}`, `"TS":{"snapshot":null}`}, {`"TS":{"snapshot":{}}`, `"TS":{"snapshot":{"a":"1.5"}}`}, {`SHA256:`, `sha256:`}, {`SHA256:`, `SHA256:A`},
		{`=="}`, `=="} `}, {`=="}`, `=="}{}`}, {`=="}`, `="}`}, {`=="}`, `=A"}`}, {`=="}`, "\r=\"}"}, {`"sig_k":"`, "\"sig_k\":\"\r"}, {`"sha256:`, `"SHA256:`},
	} {
		line := []byte(strings.Replace(m.lines[2], tt[0], tt[1], 1))
		if bytes.Equal(line, []byte(m.lines[2])) {
			t.Fatalf("%s is not in the line", tt[0])
		}
		sameAsParse(t, d, line)
	}
	// A signature whose last two bits say nothing has four spellings.
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" {
		i := strings.LastIndex(m.lines[2], "==")
		sameAsParse(t, d, []byte(m.lines[2][:i-1]+string(c)+m.lines[2][i:]))
	}
}

// TestShapeBytes changes one byte, and mixes two lines, at every place.
func TestShapeBytes(t *testing.T) {
	m := usual(t)
	for _, d := range []*decoder{newDecoder(new(CheckOptions)), newDecoder(&CheckOptions{Each: func(*Event) {}})} {
		shapeBytes(t, m, d)
	}
}

func shapeBytes(t *testing.T, m *maker, d *decoder) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, text := range m.lines[1:] {
		sameAsParse(t, d, []byte(text))
		for i := range text {
			line := []byte(text)
			line[i] = []byte{line[i] ^ 1, line[i] ^ 0x20, '"', '0', 0xff, line[i] - 1}[rng.IntN(6)]
			sameAsParse(t, d, line)
			sameAsParse(t, d, []byte(text[:i]))
			other := m.lines[1+rng.IntN(len(m.lines)-1)]
			sameAsParse(t, d, []byte(text[:i]+other[min(i, len(other)):]))
		}
	}
}

func FuzzShape(f *testing.F) {
	m := usual(f)
	for _, line := range m.lines[1:] {
		f.Add([]byte(line))
	}
	d := newDecoder(new(CheckOptions))
	for _, line := range m.lines[1:] {
		d.shape([]byte(line), new(parsed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		warm := sameAsParse(t, d, line)
		if cold := sameAsParse(t, newDecoder(new(CheckOptions)), line); cold != warm {
			t.Errorf("%s\nusual shape %v, to a new decoder %v", line, warm, cold)
		}
	})
}
