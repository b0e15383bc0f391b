package yamldoc

import (
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// Kinds of plain scalars, as members and, for y and n alone, as list items.
func TestPlainScalars(t *testing.T) {
	const refused = Kind(-1)
	tests := map[Kind]string{
		Null:    "null",
		Bool:    "true false",
		Integer: "0 1 -1 42 9007199254740991 -9007199254740991",
		Text: "go a1 v1.10 1.10.x 10m 0s 500ms 1h30m 30days ./... . .. ... -o -trimpath -buildvcs=false out/greetd GOENV=off " +
			"http://localhost:8080/x 127.0.0.1:8080 a:b 10:75 1:60 sha256:00 e5 e-5 1e 0xg 08h truely nul yesterday NULLS oN yEs tRue " +
			"-- +x -. + 2001-12 2001-12-14-x 12-14 a=b == <<< $HOME a#b ~x .info 1/2 100% 1st",
		refused: "y Y yes Yes YES n N no No NO on On ON off Off OFF True TRUE False FALSE ~ Null NULL << = " +
			"-0 +1 +0 00 01 007 0777 08 09 0_7 1_000 _ 1__ 1,000 0b1 0B1 -0b1 0o17 0O17 0x1F 0X1f -0x1 0x_f " +
			"1. .5 1.5 2.50 -1.5 +1.5 1.10 1.2.3 1.0.0 1e3 1E3 1e+3 1e-3 12e03 .5e1 1_0.5 1.5_0 1.e5 " +
			".inf .Inf .INF -.inf +.INF .nan .NaN .NAN 1:30 12:30 12:30:45 190:20:30 1:30.5 -1:30 1_0:30 22:22 " +
			"2001-12-14 2001-1-1 0000-01-01 2001-12-14T21:59:43Z 2001-12-14t21:59:43.10-05:00 " +
			"9007199254740992 -9007199254740992 9007199254740993 18446744073709551616",
	}
	for want, words := range tests {
		for _, s := range strings.Fields(words) {
			if s == "..." || s == "_" {
				continue // not a plain scalar on its own; listed to say that it was thought of
			}
			d := Open("f", []byte("v: "+s+"\n"))
			switch v, err := d.root.child("v"), d.Err(); {
			case want == refused && err == nil:
				t.Errorf("%s: taken for kind %d", s, v.kind)
			case want == refused:
			case err != nil:
				t.Errorf("%s: %v", s, err)
			case v.kind != want || v.text != s:
				t.Errorf("%s: kind %d, text %q", s, v.kind, v.text)
			}
			for _, quoted := range []string{`"` + s + `"`, "'" + s + "'"} {
				d := Open("f", []byte("v: "+quoted+"\n"))
				if v := d.root.child("v"); d.Err() != nil || v.kind != Text || v.text != s {
					t.Errorf("%s: kind %d, %v", quoted, v.kind, d.Err())
				}
			}
		}
	}
	for _, s := range []string{"y", "Y", "n", "N"} {
		d := Open("f", []byte("v: ["+s+", x]\n"))
		if v := d.root.child("v"); d.Err() != nil || v.items[0].kind != Text {
			t.Errorf("[%s]: %v", s, d.Err())
		}
		if Open("f", []byte(s+": 1\n")).Err() == nil {
			t.Errorf("%s is taken for a name", s)
		}
	}
}

// What the two versions of YAML say, as it stands in the type repository of 1.1
// (bool, float, int, merge, null, timestamp, value) and in section 10.3.2 of 1.2.
var spec = regexp.MustCompile(`^(` + strings.Join([]string{
	`y|Y|yes|Yes|YES|n|N|no|No|NO`, `true|True|TRUE|false|False|FALSE`, `on|On|ON|off|Off|OFF`,
	`[-+]?([0-9][0-9_]*)?\.[0-9.]*([eE][-+][0-9]+)?`, `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*`, `[-+]?\.(inf|Inf|INF)`, `\.(nan|NaN|NAN)`,
	`[-+]?0b[0-1_]+`, `[-+]?0[0-7_]+`, `[-+]?(0|[1-9][0-9_]*)`, `[-+]?0x[0-9a-fA-F_]+`, `[-+]?[1-9][0-9_]*(:[0-5]?[0-9])+`,
	`<<`, `~|null|Null|NULL|`, `=`,
	`[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]`,
	`[0-9][0-9][0-9][0-9]-[0-9][0-9]?-[0-9][0-9]?([Tt]|[ \t]+)[0-9][0-9]?:[0-9][0-9]:[0-9][0-9](\.[0-9]*)?(([ \t]*)Z|[-+][0-9][0-9]?(:[0-9][0-9])?)?`,
	`[-+]?[0-9]+`, `0o[0-7]+`, `0x[0-9a-fA-F]+`, `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, `[-+]?(\.inf|\.Inf|\.INF)`, `\.nan|\.NaN|\.NAN`,
}, "|") + `)$`)

// Whatever a plain scalar is made of: what is text to us is text to both
// versions and to yaml.v3. Points without a digit are the exception, see forms.
func TestPlainAgreesWithVersions(t *testing.T) {
	alphabet := []string{"", "0", "1", "7", "9", "-", "+", ".", "_", ":", "e", "x", "o", "b", "T", "Z", " ", "inf", "2001", "y", "a"}
	texts := alphabet
	for range 3 {
		var longer []string
		for _, a := range texts {
			for _, b := range alphabet {
				longer = append(longer, a+b)
			}
		}
		texts = longer
	}
	for _, s := range texts {
		if p := readPlain(s); p.kind != Text || p.fault != "" || !strings.ContainsAny(s, "0123456789") && strings.Contains(s, ".") {
			continue
		}
		if spec.MatchString(s) {
			t.Errorf("%q matches a pattern", s)
		}
		if n := (yaml.Node{Kind: yaml.ScalarNode, Value: s}); n.ShortTag() != "!!str" {
			t.Errorf("%q is %s to yaml.v3", s, n.ShortTag())
		}
	}
}

func TestPlainHints(t *testing.T) {
	tests := map[string]string{
		"v: 1.10":       `f:1: v: 1.10 without quotes can be read as a floating-point number, which is not exact (quote it: "1.10")`,
		"v: yes":        `f:1: v: yes without quotes can be read as a boolean (write true, or quote it: "yes")`,
		"v: off":        `f:1: v: off without quotes can be read as a boolean (write false, or quote it: "off")`,
		"v: ~":          `f:1: v: ~ without quotes can be read as null (write null, or quote it: "~")`,
		"v: 010":        `f:1: v: 010 without quotes can be read as an octal number (quote it: "010")`,
		"v: 12:30":      `f:1: v: 12:30 without quotes can be read as a number in base 60 (quote it: "12:30")`,
		"v: 2001-12-14": `f:1: v: 2001-12-14 without quotes can be read as a date (quote it: "2001-12-14")`,
		"v: [1, 1.5]":   `f:1: v[1]: 1.5 without quotes can be read as a floating-point number, which is not exact (quote it: "1.5")`,
		"1: v":          `f:1: 1: the name 1 without quotes is not a text (quote it: "1")`,
		"on: v":         `f:1: on: the name on without quotes can be read as a boolean (write true, or quote it: "on")`,
		"v: 2001-12-14 1\u202e": `f:1: v: "2001-12-14 1\u202e" without quotes can be read as a date ` +
			"(quote it: \"2001-12-14 1\\u202e\")",
	}
	for text, want := range tests {
		if got := Open("f", []byte(text)).Err(); got == nil || got.Error() != want {
			t.Errorf("%s\n got %v\nwant %s", text, got, want)
		}
	}
}
