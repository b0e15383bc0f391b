package cireport

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"unicode"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/verify"
)

// TestHostile: whatever stands in a name, a path, a text or a value is shown and not
// obeyed: no control or format character is in the file, none comes out of its escapes,
// and no message is a link.
func TestHostile(t *testing.T) {
	nasty := "[see](https://evil.test)\x1b[2J\x1b]8;;https://evil.test\a\u009b31m\u202e\u2066\u200b\x7f\x00]]><![CDATA[<b>&amp;\r\\"
	event := nasty
	f := verify.Finding{Code: finding.Format, Verdict: verify.Reject, Path: &nasty, Want: &nasty, Got: &nasty, Text: nasty, Proves: &finding.Proof{Event: event}}
	r := &verify.Report{Verdict: verify.Reject}
	r.Diag.Findings = []verify.Finding{f}
	r.Diag.Checks = []verify.CheckStatus{{Name: "container", Status: "fail"}}
	results := []Result{{nasty, r}}

	junit, err := JUnit(results)
	if err != nil {
		t.Fatal(err)
	}
	shown(t, "JUnit", junit)
	for d := xml.NewDecoder(bytes.NewReader(junit)); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, junit)
		}
		switch x := token.(type) {
		case xml.CharData:
			shown(t, "JUnit text", x)
		case xml.StartElement:
			if x.Name.Local == "b" {
				t.Error("JUnit: a text has become an element")
			}
			for _, a := range x.Attr {
				shown(t, "JUnit "+a.Name.Local, []byte(a.Value))
			}
		}
	}

	sarif, err := SARIF("1.0.0", results)
	if err != nil {
		t.Fatal(err)
	}
	shown(t, "SARIF", sarif)
	var doc any
	if err := json.Unmarshal(sarif, &doc); err != nil {
		t.Fatal(err)
	}
	var look func(name string, v any)
	look = func(name string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, inner := range v {
				look(k, inner)
			}
		case []any:
			for _, inner := range v {
				look(name, inner)
			}
		case string:
			shown(t, "SARIF "+name, []byte(v))
			if name == "text" && strings.Contains(strings.ReplaceAll(v, `\[`, ""), "[see]") {
				t.Errorf("SARIF: a message with a link: %q", v)
			}
			if name == "uri" && strings.ContainsAny(v, "<>[]\" ") {
				t.Errorf("SARIF: uri %q", v)
			}
		}
	}
	look("", doc)
}

func shown(t *testing.T, where string, text []byte) {
	t.Helper()
	if i := bytes.IndexFunc(text, func(c rune) bool { return !unicode.IsPrint(c) && c != '\n' }); i >= 0 {
		t.Errorf("%s: %q", where, text[max(0, i-30):min(len(text), i+10)])
	}
}
