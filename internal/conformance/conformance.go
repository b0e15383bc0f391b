// Package conformance holds implementations of the gate semantics gate/1 to cases: this
// one, or the results that another one wrote.
//
// A file of cases is plain JSON, so that whoever implements the semantics can run it
// without this code; testdata/gates/README.md describes its members. [Run] decides the
// cases with package gates, and [Compare] reads what another implementation answered.
package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/internal/document"
)

// A Result is what one conformance case showed.
type Result struct {
	ID     string          `json:"id"`
	Kind   string          `json:"kind"`
	Status Status          `json:"status"`
	Fault  string          `json:"fault,omitempty"` // what differs, or why the case could not be run
	Got    json.RawMessage `json:"got,omitempty"`
}

// A Status is the outcome of a case. Only Pass is one that passes.
type Status string

const (
	Pass           Status = "pass"
	Fail           Status = "fail"
	NotImplemented Status = "not_implemented" // a published kind that this version lacks
	UnknownKind    Status = "unknown_kind"
)

// A Decider decides as gates.Decide does.
type Decider func(gates.Policy, gates.Input) (gates.Decision, error)

// implemented turns the input of a case into what its expect describes, by kind.
var implemented = map[string]func(input []byte, decide Decider) (any, error){
	"decide":         caseDecide,
	"sample_size":    caseSampleSize,
	"sample_size_ab": caseSampleSizeAB,
	"rollback_clock": caseRollbackClock,
}

// laterKinds are published and not implemented here.
var laterKinds = []string{
	"nm_one_sided", "nm_two_sided", "eb_lower", "eb_upper", "betting_log_e", "bern_cs", "bernoulli", "e_merge", "dynamic_tobs", "ramp", "dag",
}

// Kinds returns the kinds of cases that this implementation runs.
func Kinds() []string { return slices.Sorted(maps.Keys(implemented)) }

// caseFile is a file of cases, schema gate-cases/1. Other implementations run it
// too, so it is plain JSON and not canonical: statistics are binary64 numbers.
type caseFile struct {
	Schema     string         `json:"schema"`
	Comparison string         `json:"comparison"`
	Counts     map[string]int `json:"counts"`
	GuardBand  float64        `json:"guard_band_log_e"`
	Tolerance  float64        `json:"tolerance"`
	Cases      []Case         `json:"cases"`
}

// A Case is an input and what an implementation must make of it.
type Case struct {
	ID     string          `json:"id"`
	Kind   string          `json:"kind"`
	Note   string          `json:"note"`
	Input  json.RawMessage `json:"input"`
	Expect json.RawMessage `json:"expect"`
}

// Run runs conformance cases, those of the given kinds or all, against this
// implementation and returns a result for each in the order of the file. data is
// a file of schema gate-cases/1, or the array of its cases alone. The error reports
// a file that cannot be relied on: another schema, a case without an id of its
// own, another number of cases than the file states; or it is an [UnknownKindError].
func Run(data []byte, kinds ...string) ([]Result, error) {
	cases, err := Read(data)
	if err != nil {
		return nil, err
	}
	for _, k := range kinds {
		has := slices.ContainsFunc(cases, func(c Case) bool { return c.Kind == k })
		if !has && implemented[k] == nil && !slices.Contains(laterKinds, k) {
			return nil, UnknownKindError(k)
		}
	}
	results := []Result{}
	for _, c := range cases {
		if len(kinds) == 0 || slices.Contains(kinds, c.Kind) {
			results = append(results, c.Run(gates.Decide))
		}
	}
	return results, nil
}

// An UnknownKindError is a kind that was asked for and that neither the file nor any
// implementation of gate/1 has. Cases of a kind that the file alone has are unknown,
// and that is an answer.
type UnknownKindError string

func (e UnknownKindError) Error() string { return "unknown kind " + document.Quote(string(e)) }

// Read reads a file of cases.
func Read(data []byte) ([]Case, error) {
	var f caseFile
	var err error
	if strings.HasPrefix(strings.TrimSpace(string(data[:min(len(data), 100)])), "[") {
		err = decodeStrict(data, &f.Cases)
	} else if err = decodeStrict(data, &f); err == nil && f.Schema != "gate-cases/1" {
		err = fmt.Errorf("schema: want gate-cases/1, got %s", document.Quote(f.Schema))
	}
	if err != nil {
		return nil, err
	}
	if n, ok := f.Counts["cases"]; ok && n != len(f.Cases) {
		return nil, fmt.Errorf("%d cases, the file says %d", len(f.Cases), n)
	}
	seen := map[string]bool{}
	for _, c := range f.Cases {
		if c.ID == "" || seen[c.ID] {
			return nil, fmt.Errorf("case %s: no id of its own", document.Quote(c.ID))
		}
		seen[c.ID] = true
	}
	if len(f.Cases) == 0 {
		return nil, fmt.Errorf("no cases")
	}
	return f.Cases, nil
}

// Run holds a decider to c; cases of another kind than decide do not ask it.
func (c Case) Run(decide Decider) Result {
	r := Result{ID: c.ID, Kind: c.Kind, Status: Fail}
	run, ok := implemented[c.Kind]
	if !ok {
		r.Status = UnknownKind
		if slices.Contains(laterKinds, c.Kind) {
			r.Status = NotImplemented
		}
		return r
	}
	got, err := run(c.Input, decide)
	if err != nil {
		r.Fault = err.Error()
		return r
	}
	if r.Got, err = json.Marshal(got); err != nil {
		r.Fault = err.Error()
		return r
	}
	if r.Fault = compareExpected(c.Expect, r.Got); r.Fault == "" {
		r.Status = Pass
	}
	return r
}

// decodeStrict refuses members that v does not have: an input that is not
// understood in full is no case that passed.
func decodeStrict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("malformed cases: %w", err)
	}
	if d.More() {
		return fmt.Errorf("malformed cases: something follows")
	}
	return nil
}
