package audit

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/relseal/relseal/canon"
)

// ImportDraft reads an event as other programs write it: one JSON object with
// action and actor and, where there is something to say, path, status, error,
// notes, inputs.items, outputs.items, TS.snapshot and details, nested as in an
// event. It may be spelled in any way that JSON allows; a member that is null is
// as good as left out. What the log stamps is refused.
//
// A value of TS.snapshot may be a number or text, in any spelling of a decimal
// number. For details see [ImportValue].
func ImportDraft(line []byte) (Draft, error) {
	if d, ok := importUsual(line); ok {
		return d, nil
	}
	return importAny(line)
}

// importAny is ImportDraft of any line.
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

// pruneDraft drops the members that are null. What is stamped it names as that:
// many a program has a time of its own.
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
