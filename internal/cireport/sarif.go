package cireport

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/verify"
)

// object is a JSON object of SARIF, whose names are fixed by OASIS SARIF 2.1.0.
type object = map[string]any

const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// SARIF returns one run with a rule for each code and a result for each finding.
// A finding in a trail points to the line of its event.
func SARIF(version string, results []Result) ([]byte, error) {
	rules, index := rules()
	list := []object{}
	for _, r := range results {
		for _, f := range r.Report.Diag.Findings {
			list = append(list, result(r.Name, f, index[f.Code]))
		}
	}
	return json.MarshalIndent(object{
		"$schema": sarifSchema,
		"version": "2.1.0",
		"runs": []object{{
			"tool": object{"driver": object{
				"name": "relseal", "version": version, "semanticVersion": version,
				"informationUri": "https://github.com/relseal/relseal", "rules": rules,
			}},
			"columnKind": "utf16CodeUnits",
			"results":    list,
		}},
	}, "", "  ")
}

func rules() (list []object, index map[finding.Code]int) {
	index = map[finding.Code]int{}
	for i, code := range finding.Codes() {
		e, _ := finding.Explain(code)
		index[code] = i
		list = append(list, object{
			"id":                   string(code),
			"shortDescription":     object{"text": e.Meaning},
			"fullDescription":      object{"text": e.Meaning + " " + e.Causes},
			"help":                 object{"text": e.Remedy},
			"defaultConfiguration": object{"level": level(e.Default)},
		})
	}
	return list, index
}

func level(v verify.Verdict) string {
	switch v {
	case verify.Reject:
		return "error"
	case verify.Undecidable:
		return "warning"
	default:
		return "note"
	}
}

func result(bundle string, f verify.Finding, rule int) object {
	text := f.Text
	if f.Want != nil && f.Got != nil {
		text += " (want " + *f.Want + ", got " + *f.Got + ")"
	}
	if f.Proves != nil {
		text += ": " + f.Proves.Event
	}
	physical := object{"artifactLocation": object{"uri": uri(bundle, f.Path)}}
	if f.K != nil && *f.K >= 0 {
		physical["region"] = object{"startLine": *f.K + 1} // line 1 of the file is the genesis, k = 0
	}
	return object{
		"ruleId":    string(f.Code),
		"ruleIndex": rule,
		"level":     level(f.Verdict),
		"kind":      "fail",
		"message":   object{"text": escape.Message(text)},
		"locations": []object{{"physicalLocation": physical}},
	}
}

// uri writes the name of the bundle and the place inside it as a URI reference.
func uri(bundle string, path *string) string {
	name := strings.ReplaceAll(bundle, `\`, "/")
	if path != nil {
		name += "!/" + *path
	}
	return (&url.URL{Path: name}).EscapedPath()
}
