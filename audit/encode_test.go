package audit

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/sign"
)

// TestEncoder writes events of all kinds both ways. What the encoder writes and
// the decoder takes must be what canon.Marshal writes.
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
		finish(line, to, &r)
		seal(line, r.Sig)
		if !d.shape(line, new(parsed)) {
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

// TestEncoderRefuses: what a draft holds cannot come out as another member.
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

// FuzzEncoder holds the lines of a log to what canon.Marshal writes and ParseRecord
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
		next, err := l.draw(d)
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
