package audit

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/limits"
)

// ImportDraft reads an event as other programs write it: one JSON object with
// action and actor and optionally path, status, error, notes, inputs.items,
// outputs.items, TS.snapshot and details, nested as in an event. It may be spelled in
// any way that JSON allows, and a member that is null is left out. Members that the log
// adds itself are refused.
//
// A value of TS.snapshot may be a number or text, in any spelling of a decimal
// number. For details see [ImportValue].
func ImportDraft(line []byte) (Draft, error) {
	if d, ok := importUsual(line); ok {
		return d, nil
	}
	return importAny(line)
}

// importAny is ImportDraft for every line.
func importAny(line []byte) (Draft, error) {
	data, err := ImportValue(line)
	if err != nil {
		return Draft{}, err
	}
	if data, err = pruneDraft(data); err != nil {
		return Draft{}, err
	}
	var form draftForm
	if err := canon.Unmarshal(data, &form); err != nil {
		return Draft{}, err
	}
	d := Draft{
		Action:  form.Action,
		Actor:   Txt(form.Actor),
		Path:    Text{Value: form.Path},
		Error:   Text{Value: form.Error},
		Notes:   Text{Value: form.Notes},
		Inputs:  form.Inputs.Items,
		Outputs: form.Outputs.Items,
		Details: form.Details,
	}
	if form.Status != nil {
		if d.Status = *form.Status; d.Status == "" {
			return Draft{}, errors.New("/status: is empty; leave it out")
		}
	}
	d.Snapshot, err = importSnapshot(form.TimeSeries.Snapshot)
	return d, err
}

type draftForm struct {
	Action string `json:"action"`
	Actor  string `json:"actor"`

	Path       *string      `json:"path,omitzero"`
	Status     *string      `json:"status,omitzero"`
	Error      *string      `json:"error,omitzero"`
	Notes      *string      `json:"notes,omitzero"`
	Inputs     itemsForm    `json:"inputs,omitzero"`
	Outputs    itemsForm    `json:"outputs,omitzero"`
	TimeSeries snapshotForm `json:"TS,omitzero"`
	Details    canon.Value  `json:"details,omitzero"`
}

type itemsForm struct {
	Items []Item `json:"items"`
}

func (f itemsForm) IsZero() bool { return f.Items == nil }

type snapshotForm struct {
	Snapshot map[string]canon.Value `json:"snapshot"`
}

func (f snapshotForm) IsZero() bool { return f.Snapshot == nil }

// stampedMembers are the members of an event that no draft has.
var stampedMembers = []string{
	"audit", "k", "ts", "tau_mono_us", "clock", "run", "EnvLock", "PipelineCard", "ParamCard", "code", "rng", "verifier",
}

// pruneDraft drops the members that are null. For a member that the log adds itself, it
// returns an error that says so, because many programs write a time of their own.
func pruneDraft(data []byte) ([]byte, error) {
	if canon.Value(data).Kind() != '{' {
		return nil, errors.New("want a JSON object")
	}
	var members map[string]canon.Value
	if err := canon.Peek(data, &members); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		switch {
		case name == "ts":
			return nil, errors.New("/ts: the log stamps the time; one from elsewhere goes into details")
		case slices.Contains(stampedMembers, name):
			return nil, fmt.Errorf("/%s: the log stamps it; leave it out", name)
		}
	}
	maps.DeleteFunc(members, func(_ string, v canon.Value) bool { return v.Kind() == 'n' })
	return canon.Marshal(members)
}

func importSnapshot(values map[string]canon.Value) (map[string]canon.Decimal, error) {
	var snapshot map[string]canon.Decimal
	for _, name := range slices.Sorted(maps.Keys(values)) {
		v := values[name]
		text := string(v)
		switch v.Kind() {
		case '0':
		case '"':
			if err := canon.Peek(v, &text); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("/TS/snapshot/%s: want a decimal number", clip(name))
		}
		d, err := canon.ImportDecimal(text)
		if err != nil {
			return nil, fmt.Errorf("/TS/snapshot/%s: %w", clip(name), err)
		}
		if snapshot == nil {
			snapshot = map[string]canon.Decimal{}
		}
		snapshot[name] = d
	}
	return snapshot, nil
}

// ImportValue returns the canonical form of the one JSON value in data, however
// it is spelled. An integer within ±(2^53−1) stays a number. Every other number,
// 1.0 and 1e3 among them, becomes the text of its decimal: 1.50 is "1.5". So the
// numbers of one program keep one type whatever their values are.
func ImportValue(data []byte) (canon.Value, error) {
	imported, err := eachNumber(data, func(number string) (string, error) {
		d, err := canon.ImportDecimal(number)
		return `"` + string(d) + `"`, err
	})
	if err != nil {
		return nil, err
	}
	out, err := canon.Canonicalize(imported)
	if err == nil {
		return out, nil
	}
	// The error must name a position in data. So numbers are replaced by others of the
	// same length, and the same fault is found again.
	masked, _ := eachNumber(data, func(number string) (string, error) {
		return "0" + strings.Repeat(" ", len(number)-1), nil
	})
	if _, fault := canon.Canonicalize(masked); fault != nil {
		err = fault
	}
	return nil, err
}

// eachNumber returns data with every number replaced that canonical JSON does not
// allow. It reports no other fault: if data is no JSON, neither is what it returns.
func eachNumber(data []byte, replace func(string) (string, error)) ([]byte, error) {
	var out []byte
	done := 0 // bytes of data that are in out
	for i := 0; i < len(data); {
		switch c := data[i]; {
		case c == '"':
			i = afterString(data, i)
		case c == '-' || '0' <= c && c <= '9':
			rest := bytes.TrimLeft(data[i:], "0123456789+-.eE")
			number := data[i : len(data)-len(rest)]
			if canon.Value(number).IsValid() && canon.Check(number) != nil {
				text, err := replace(string(number))
				if err != nil {
					return nil, fmt.Errorf("byte %d: %w", i, err)
				}
				out = append(append(out, data[done:i]...), text...)
				done = i + len(number)
			}
			i += len(number)
		default:
			i++
		}
	}
	if done == 0 {
		return data, nil
	}
	return append(out, data[done:]...), nil
}

// afterString returns the index after the string that starts at data[i].
func afterString(data []byte, i int) int {
	for i++; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(data)
}

// importUsual is ImportDraft for the lines that most programs write: a flat object
// of texts without escapes, and details that are canonical already. For any other line it
// returns false, and importAny reads it.
func importUsual(line []byte) (d Draft, ok bool) {
	c := cursor{text: line}
	c.spaces()
	c.want("{")
	seen := 0
	for {
		c.spaces()
		name := c.name()
		c.spaces()
		c.want(":")
		c.spaces()
		bit := 0
		switch string(name) {
		case "action":
			bit, d.Action = 1, c.plainText()
		case "actor":
			bit, d.Actor = 2, Txt(c.plainText())
		case "path":
			bit, d.Path = 4, Txt(c.plainText())
		case "status":
			bit, d.Status = 8, c.plainText()
			c.bad = c.bad || d.Status == ""
		case "error":
			bit, d.Error = 16, Txt(c.plainText())
		case "notes":
			bit, d.Notes = 32, Txt(c.plainText())
		case "details":
			c.bad = c.bad || c.skip("null")
			bit, d.Details = 64, canon.Value(c.value(1))
		}
		if c.bad || bit == 0 || seen&bit != 0 {
			return Draft{}, false
		}
		seen |= bit
		if c.spaces(); !c.skip(",") {
			break
		}
	}
	c.want("}")
	c.spaces()
	if c.bad || c.at != len(line) || seen&3 != 3 {
		return Draft{}, false
	}
	d.Details = append(canon.Value(nil), d.Details...)
	return d, true
}

// spaces moves past white space.
func (c *cursor) spaces() {
	for c.at < len(c.text) {
		switch c.text[c.at] {
		case ' ', '\t', '\r', '\n':
			c.at++
		default:
			return
		}
	}
}

// plainText reads a text without escapes.
func (c *cursor) plainText() string {
	c.want(`"`)
	rest, n := c.rest(), 0
	for n < len(rest) && rest[n] >= 0x20 && rest[n] != '"' && rest[n] != '\\' {
		n++
	}
	if n > limits.JSONString || !utf8.Valid(rest[:n]) {
		c.bad = true
	}
	s := string(c.take(n))
	c.want(`"`)
	return s
}
