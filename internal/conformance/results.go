package conformance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/relseal/relseal/internal/document"
	"github.com/relseal/relseal/internal/limits"
)

// Compare holds the results of another implementation against conformance
// cases, those of the given kinds or all: kinds that this implementation lacks as
// well. results is a line of JSON for each case, {"id":…,"got":…}, where got has
// the members of the case's expect. A case without a result fails.
func Compare(data, results []byte, kinds ...string) ([]Result, error) {
	cases, err := Read(data)
	if err != nil {
		return nil, err
	}
	got, err := readResults(results)
	if err != nil {
		return nil, err
	}
	for _, k := range kinds {
		if !slices.ContainsFunc(cases, func(c Case) bool { return c.Kind == k }) {
			return nil, fmt.Errorf("no case is of kind %s", document.Quote(k))
		}
	}
	out := []Result{}
	for _, c := range cases {
		result, given := got[c.ID]
		delete(got, c.ID)
		if len(kinds) > 0 && !slices.Contains(kinds, c.Kind) {
			continue
		}
		r := Result{ID: c.ID, Kind: c.Kind, Status: Fail, Fault: "there is no result", Got: result}
		if given {
			if r.Fault = compareExpected(c.Expect, result); r.Fault == "" {
				r.Status = Pass
			}
		}
		out = append(out, r)
	}
	for id := range got {
		return nil, fmt.Errorf("a result is for %s, which is no case", document.Quote(id))
	}
	return out, nil
}

func readResults(data []byte) (map[string]json.RawMessage, error) {
	results := map[string]json.RawMessage{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, limits.Line+1)
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		var r struct {
			ID  *string         `json:"id"`
			Got json.RawMessage `json:"got"`
		}
		err := json.Unmarshal(line, &r)
		switch {
		case err == nil && (r.ID == nil || r.Got == nil):
			err = errors.New("want the members id and got")
		case err == nil && results[*r.ID] != nil:
			err = fmt.Errorf("a second result for %s", document.Quote(*r.ID))
		}
		if err != nil {
			return nil, fmt.Errorf("results, line %d: %w", n, err)
		}
		results[*r.ID] = r.Got
	}
	return results, lines.Err()
}
