package gates

import (
	"strconv"
	"strings"

	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// Ledgers have windows by the hundred thousand, nearly all of them plain: texts of
// printable ASCII without escapes. Those are read and written here, some ten times as
// fast as by way of the general reader. What is not plain is left to that one, so it
// alone says what a window is and what is wrong with one.

// scanWindow reads the canonical form of a window. It is false for every text that may
// be none.
func scanWindow(data []byte) (w Window, ok bool) {
	s := scanner{rest: string(data)}
	if !s.skip("{") {
		return w, false
	}
	before, required := "", 0
	for more := true; more; more = s.skip(",") {
		name, ok := s.text()
		if !ok || name <= before || !s.skip(":") {
			return w, false
		}
		before = name
		switch at := plainMembers[name]; {
		case at == nil:
			return w, false
		case at.value != nil:
			required++
			if s.skip("null") {
				continue
			}
			text, ok := s.text()
			if !ok || text == "" {
				return w, false
			}
			*at.value(&w) = Value(text)
		case at.text != nil:
			text, ok := s.text()
			if !ok || text == "" || !at.text(&w, text) {
				return w, false
			}
			if name == "schema" || name == "id" || name == "channel" {
				required++
			}
		default:
			n, ok := s.number()
			if !ok {
				return w, false
			}
			at.number(&w, n)
			if name == "start_ms" || name == "end_ms" {
				required++
			}
		}
	}
	return w, s.rest == "}" && required == len(metrics)+5 && w.Seq > 0 && w.Schema == WindowSchema
}

// A plainMember sets a member from what stands for it.
type plainMember struct {
	value  func(*Window) *Value
	text   func(*Window, string) bool
	number func(*Window, int64)
}

var plainMembers = func() map[string]*plainMember {
	all := map[string]*plainMember{}
	for _, m := range metrics {
		all[m.name] = &plainMember{value: m.of}
	}
	for name, of := range textMembers {
		all[name] = &plainMember{text: func(w *Window, s string) bool { *of(w) = s; return true }}
	}
	all["evidence"] = &plainMember{text: func(w *Window, s string) bool {
		d, err := sign.ParseDigest(s)
		w.Evidence = d
		return err == nil && !d.IsZero()
	}}
	for name, set := range intMembers {
		all[name] = &plainMember{number: set}
	}
	return all
}()

// A scanner reads plain JSON: what it takes for a text or number is one.
type scanner struct{ rest string }

func (s *scanner) skip(text string) bool {
	rest, ok := strings.CutPrefix(s.rest, text)
	s.rest = rest
	return ok
}

func (s *scanner) text() (string, bool) {
	if !s.skip(`"`) {
		return "", false
	}
	n := strings.IndexByte(s.rest, '"')
	if n < 0 || n > limits.JSONString {
		return "", false
	}
	text := s.rest[:n]
	s.rest = s.rest[n+1:]
	return text, plain(text)
}

func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func (s *scanner) number() (int64, bool) {
	n := 0
	for n < len(s.rest) && n < 17 && '0' <= s.rest[n] && s.rest[n] <= '9' {
		n++
	}
	v, err := strconv.ParseInt(s.rest[:n], 10, 64)
	ok := err == nil && v <= limits.JSONInt && (n == 1 || s.rest[0] != '0')
	s.rest = s.rest[n:]
	return v, ok
}

// appendWindow appends the canonical form of w, if it is plain.
func appendWindow(b []byte, w *Window) ([]byte, bool) {
	text := func(name, s string) {
		b = append(append(append(append(b, name...), `":"`...), s...), `","`...)
	}
	ok := plain(w.ID) && plain(w.Release) && plain(w.Channel) && plain(w.PSDKind) && plain(w.TBKind) && plain(w.TBUnit) && plain(w.Schema)
	value := func(m *metric) {
		v := *m.of(w)
		if ok = ok && plain(string(v)); v == "" {
			b = append(append(b, m.name...), `":null,"`...)
			return
		}
		text(m.name, string(v))
	}
	number := func(name string, n int64) {
		b = append(strconv.AppendInt(append(append(b, name...), `":`...), n, 10), `,"`...)
	}
	some := func(name string, i Int) {
		if n, set := i.Get(); set {
			number(name, n)
		}
	}
	optional := func(name, s string) {
		if s != "" {
			text(name, s)
		}
	}
	b = append(b, `{"`...)
	text("channel", w.Channel)
	value(metricDeltaPSD)
	value(metricDeltaRep)
	value(metricDropRate)
	number("end_ms", w.EndMS)
	if !w.Evidence.IsZero() {
		text("evidence", w.Evidence.String())
	}
	value(metricHBLag)
	text("id", w.ID)
	value(metricIncident)
	some("k", w.K)
	some("last_beat_ms", w.LastBeatMS)
	some("n", w.N)
	optional("psd_kind", w.PSDKind)
	value(metricRTB)
	optional("release", w.Release)
	text("schema", w.Schema)
	value(metricScore)
	if w.Seq != 0 {
		number("seq", w.Seq)
	}
	number("start_ms", w.StartMS)
	optional("tb_kind", w.TBKind)
	optional("tb_unit", w.TBUnit)
	return append(b[:len(b)-2], '}'), ok
}
