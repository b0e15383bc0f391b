package gates

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/relseal/relseal/internal/document"
)

// A CaseResult is what one conformance case showed.
type CaseResult struct {
	ID     string          `json:"id"`
	Kind   string          `json:"kind"`
	Status CaseStatus      `json:"status"`
	Fault  string          `json:"fault,omitempty"` // what differs, or why the case could not be run
	Got    json.RawMessage `json:"got,omitempty"`
}

// A CaseStatus is the outcome of a case. Only CasePass is one that passes.
type CaseStatus string

const (
	CasePass           CaseStatus = "pass"
	CaseFail           CaseStatus = "fail"
	CaseNotImplemented CaseStatus = "not_implemented" // a kind of GATES 3.4 to 3.6 that this version lacks
	CaseUnknownKind    CaseStatus = "unknown_kind"
)

// A caseKind turns the input of a case into what its expect describes.
type caseKind func(input []byte) (any, error)

var caseKinds = map[string]caseKind{
	"decide":         caseDecide,
	"sample_size":    caseSampleSize,
	"sample_size_ab": caseSampleSizeAB,
	"rollback_clock": caseRollbackClock,
}

// laterKinds are published and not implemented here.
var laterKinds = []string{
	"nm_one_sided", "nm_two_sided", "eb_lower", "eb_upper", "betting_log_e", "bern_cs", "bernoulli", "e_merge", "dynamic_tobs", "ramp", "dag",
}

// CaseKinds returns the kinds of cases that this implementation runs.
func CaseKinds() []string { return slices.Sorted(maps.Keys(caseKinds)) }

// caseFile is a file of cases, schema gate-cases/1. Other implementations run it
// too, so it is plain JSON and not canonical: statistics are binary64 numbers.
type caseFile struct {
	Schema     string            `json:"schema"`
	Comparison string            `json:"comparison"`
	Counts     map[string]int    `json:"counts"`
	GuardBand  float64           `json:"guard_band_log_e"`
	Tolerance  float64           `json:"tolerance"`
	Cases      []conformanceCase `json:"cases"`
}

type conformanceCase struct {
	ID     string          `json:"id"`
	Kind   string          `json:"kind"`
	Note   string          `json:"note"`
	Input  json.RawMessage `json:"input"`
	Expect json.RawMessage `json:"expect"`
}

// RunCases runs conformance cases, those of the given kinds or all, against this
// implementation and returns a result for each in the order of the file. data is
// a file of schema gate-cases/1, or the array of its cases alone. The error reports
// a file that cannot be relied on: another schema, a case without an id of its
// own, another number of cases than the file states; or it is an [UnknownKindError].
func RunCases(data []byte, kinds ...string) ([]CaseResult, error) {
	cases, err := readCases(data)
	if err != nil {
		return nil, err
	}
	for _, k := range kinds {
		has := slices.ContainsFunc(cases, func(c conformanceCase) bool { return c.Kind == k })
		if !has && caseKinds[k] == nil && !slices.Contains(laterKinds, k) {
			return nil, UnknownKindError(k)
		}
	}
	results := []CaseResult{}
	for _, c := range cases {
		if len(kinds) == 0 || slices.Contains(kinds, c.Kind) {
			results = append(results, c.run())
		}
	}
	return results, nil
}

// An UnknownKindError is a kind that was asked for and that neither the file nor any
// implementation of gate/1 has. Cases of a kind that the file alone has are unknown,
// and that is an answer.
type UnknownKindError string

func (e UnknownKindError) Error() string { return "unknown kind " + document.Quote(string(e)) }

func readCases(data []byte) ([]conformanceCase, error) {
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

func (c conformanceCase) run() CaseResult {
	r := CaseResult{ID: c.ID, Kind: c.Kind, Status: CaseFail}
	run, ok := caseKinds[c.Kind]
	if !ok {
		r.Status = CaseUnknownKind
		if slices.Contains(laterKinds, c.Kind) {
			r.Status = CaseNotImplemented
		}
		return r
	}
	got, err := run(c.Input)
	if err != nil {
		r.Fault = err.Error()
		return r
	}
	if r.Got, err = json.Marshal(got); err != nil {
		r.Fault = err.Error()
		return r
	}
	if r.Fault = compareExpected(c.Expect, r.Got); r.Fault == "" {
		r.Status = CasePass
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
