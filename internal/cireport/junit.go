// Package cireport writes verification reports in the forms that CI systems
// show: JUnit XML and SARIF 2.1.0. Both are views of verify.Report and add
// nothing to it.
package cireport

import (
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/verify"
)

// A Result is the report about one bundle and the name that the caller gave it.
type Result struct {
	Name   string
	Report *verify.Report
}

type testSuites struct {
	XMLName  xml.Name    `xml:"testsuites"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Suites   []testSuite `xml:"testsuite"`
}

type testSuite struct {
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Skipped  int        `xml:"skipped,attr"`
	Cases    []testCase `xml:"testcase"`
}

type testCase struct {
	Class   string    `xml:"classname,attr"`
	Name    string    `xml:"name,attr"`
	Failure *failure  `xml:"failure,omitempty"`
	Skipped *struct{} `xml:"skipped,omitempty"`
	Output  string    `xml:"system-out,omitempty"`
}

type failure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// JUnit returns one test suite a bundle. Its first case is the verdict, with
// every finding; the others are the groups of checks. UNDECIDABLE fails like
// REJECT: a CI system has no third answer.
func JUnit(results []Result) ([]byte, error) {
	all := testSuites{Name: "relseal verify-bundle"}
	for _, r := range results {
		s := suite(r)
		all.Tests += s.Tests
		all.Failures += s.Failures
		all.Skipped += s.Skipped
		all.Suites = append(all.Suites, s)
	}
	data, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return nil, err
	}
	return append([]byte(xml.Header), append(data, '\n')...), nil
}

func suite(r Result) testSuite {
	s := testSuite{Name: escape.Text(r.Name)}
	verdict := testCase{Class: s.Name, Name: "verdict", Output: escape.Text(r.Report.Summary())}
	if !r.Report.Valid {
		verdict.Failure = &failure{Message: string(r.Report.Verdict), Type: string(r.Report.Verdict), Text: findings(r.Report)}
	}
	s.Cases = append(s.Cases, verdict)
	for _, c := range r.Report.Diag.Checks {
		t := testCase{Class: s.Name, Name: c.Name}
		switch c.Status {
		case "pass":
		case "skipped":
			t.Skipped = &struct{}{}
			s.Skipped++
		default:
			t.Failure = &failure{Message: c.Status, Type: c.Status, Text: "see the findings of the verdict"}
		}
		s.Cases = append(s.Cases, t)
	}
	s.Tests = len(s.Cases)
	for _, t := range s.Cases {
		if t.Failure != nil {
			s.Failures++
		}
	}
	return s
}

func findings(r *verify.Report) string {
	var w strings.Builder
	for _, f := range r.Diag.Findings {
		fmt.Fprintf(&w, "%s %s%s: %s\n", f.Verdict, f.Code, place(f), f.Text)
	}
	return escape.Text(w.String())
}

func place(f verify.Finding) string {
	s := ""
	if f.Path != nil {
		s = " " + *f.Path
	}
	if f.K != nil {
		s += fmt.Sprintf(" event %d", *f.K)
	}
	return s
}
