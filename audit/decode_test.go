package audit

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// sameAsParse compares what d reads of a line with what ParseRecord returns, and reports
// whether the line has the usual shape.
func sameAsParse(t *testing.T, d *decoder, line []byte) bool {
	t.Helper()
	var p parsed
	if !d.decodeUsual(line, &p) {
		return false
	}
	r, err := ParseRecord(line)
	if err != nil {
		t.Fatalf("%s\npasses, ParseRecord says %v", line, err)
	}
	want := parsed{
		Record: r, id: sign.Sum(eventBytes(line)), partial: true,
		inDigest: *itemsDigest(&r.E.Inputs), outDigest: *itemsDigest(&r.E.Outputs),
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

// usual returns events of the usual shape with each thing that may be in one.
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

// TestUnusual edits lines in places where the decoder and ParseRecord could differ.
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
	// The last two bits of the text of a signature have no meaning: it has four spellings.
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" {
		i := strings.LastIndex(m.lines[2], "==")
		sameAsParse(t, d, []byte(m.lines[2][:i-1]+string(c)+m.lines[2][i:]))
	}
}

// TestShapeBytes changes every byte of a line, and joins two lines at every byte.
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
		d.decodeUsual([]byte(line), new(parsed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		warm := sameAsParse(t, d, line)
		if cold := sameAsParse(t, newDecoder(new(CheckOptions)), line); cold != warm {
			t.Errorf("%s\nusual shape %v, to a new decoder %v", line, warm, cold)
		}
	})
}

// TestPrefixSum: a sum does not depend on the texts before it, nor on what the caller says
// about common bytes.
func TestPrefixSum(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	p := newPrefixSum()
	text := make([]byte, 500)
	for i := range 20_000 {
		switch {
		case i%7 == 0:
			text = make([]byte, r.IntN(1000))
		case len(text) > 0:
			text = slices.Clone(text)
			text[r.IntN(len(text))]++
		}
		n := r.IntN(len(text) + 1)
		if i%3 != 0 {
			n = len(text) / 2
		}
		if got := p.digest(text, n, r.IntN(9)); got != sign.Sum(text) {
			t.Fatalf("text %d, of %d bytes, %d of them shared: %s", i, len(text), n, got)
		}
	}
}

// TestEncoder encodes events of all kinds. A line that the encoder writes and the decoder
// accepts must be what canon.Marshal writes.
func TestEncoder(t *testing.T) {
	m := usual(t)
	m.add([]Draft{
		{Actor: Txt("ci"), Action: "x", Notes: Txt("\x00\x1f\x7f\u2028é\U0001f600")},
		{Actor: Txt("ci"), Action: "x", Details: canon.Value(`"text"`), Error: Txt("a\\b")},
		{Actor: Txt("ci"), Action: "x", Details: canon.Value(`-12`), Inputs: []Item{{*digest("a"), `say (a)`}}},
	}, nil)
	var c encoder
	d := newDecoder(new(CheckOptions))
	took := 0
	for i, r := range m.recs {
		line, from, to := c.unsigned(&r.E)
		if line == nil {
			continue
		}
		r.ID = sign.Sum(line[from:to])
		fillDigests(line, to, &r)
		fillSignature(line, r.Sig)
		if !d.decodeUsual(line, new(parsed)) {
			t.Errorf("the decoder does not take\n%s", line)
		}
		if string(line) != m.lines[i+1] {
			t.Errorf("writes\n%s\nwant\n%s", line, m.lines[i+1])
		}
		took++
	}
	if want := len(m.recs) - 1; took != want { // one has a snapshot
		t.Errorf("%d events of %d are of the usual shape", took, want)
	}
}

// TestEncoderRefuses: no value of a draft can become another member of the event.
func TestEncoderRefuses(t *testing.T) {
	m := goodRun(t)
	var c encoder
	for what, edit := range map[string]func(*Event){
		"a member after the details": func(e *Event) { e.Details = canon.Value(`{},"error":"x"`) },
		"details in another order":   func(e *Event) { e.Details = canon.Value(`{"b":1,"a":2}`) },
		"details with white space":   func(e *Event) { e.Details = canon.Value(`{"b": 1}`) },
		"no details":                 func(e *Event) { e.Details = canon.Value(``) },
		"half of a value":            func(e *Event) { e.Details = canon.Value(`{"b":1`) },
		"no UTF-8":                   func(e *Event) { e.Notes = Txt("\xff") },
		"a commitment":               func(e *Event) { e.Actor = Text{Commit: digest("x")} },
		"a long line":                func(e *Event) { e.Notes = Txt(strings.Repeat("x", 1<<20)) },
	} {
		e := m.recs[0].E
		edit(&e)
		if line, _, _ := c.unsigned(&e); line != nil {
			t.Errorf("%s: writes\n%s", what, line)
		}
	}
}

// FuzzEncoder compares the lines of a log with what canon.Marshal writes and ParseRecord
// returns, whatever the draft says.
func FuzzEncoder(f *testing.F) {
	f.Add("ci", "a.note", "build", "a note", "", "", `{"a":1}`, "in/a")
	f.Add("é", "step.progress", "", "\"\\\n\x01", "ok", "broken", `[]`, "~")
	f.Add("", "", "\x7f", "\xff", "bad", "\u2028", `{},"error":"x"`, "é")
	f.Fuzz(func(t *testing.T, actor, action, path, notes, status, fault, details, uri string) {
		m := goodRun(t)
		l := &Log{clock: laterClock(), signer: alice, judge: newJudge(CheckOptions{Keys: trusted}), decoder: newDecoder(new(CheckOptions))}
		l.judge.header(rawLine{text: []byte(m.lines[0]), lf: true})
		l.judge.line(rawLine{text: []byte(m.lines[1]), lf: true})
		d := Draft{
			Actor: Txt(actor), Action: action, Seed: runDrafts()[0].Seed, Code: *digest("code"), Path: Txt(path), Notes: Txt(notes),
			Status: status, Error: Txt(fault), Details: canon.Value(details), Inputs: []Item{{*digest("in"), uri}},
		}
		next, err := l.prepare(d)
		if err != nil {
			return
		}
		r, err := ParseRecord(next.line)
		r.latest = next.record.latest
		if err != nil || !reflect.DeepEqual(r, next.record) {
			t.Fatalf("%s\nreads %+v, %v\nwant  %+v", next.line, r, err, next.record)
		}
		again, err := canon.Marshal(next.record)
		if err != nil || !bytes.Equal(again, next.line) {
			t.Fatalf("%s\nis written %s, %v", next.line, again, err)
		}
		if r.E.Actor.String() != actor || r.E.Notes.String() != notes || r.E.Error.String() != fault || r.E.Status != status {
			t.Fatalf("%s\ndoes not say what the draft says: %+v", next.line, d)
		}
	})
}
