package cardfile

import (
	"errors"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/internal/document"
	"github.com/relseal/relseal/internal/yamldoc"
	"github.com/relseal/relseal/sign"
)

const goodParams = `schema: relseal/params/v1
card: {id: greetd-params, author: release@example.test}
params:
  - {name: max_conns, value: 256, type: integer, unit: "1", domain: [1, 4096]}
  - {name: timeout, value: "2.50", type: real, unit: s, domain: ["0.1", 60]}
  - {name: mode, value: safe, type: enum, unit: "1", domain: [safe, fast]}
  - {name: offset, value: "-18446744073709551616", type: integer, unit: "1"}
  - {name: verbose, value: false, type: boolean, unit: "1"}
  - {name: banner, value: "", type: text, unit: "1", domain: []}
`

// These bytes are hashed and signed; they never change.
const goodParamsJSON = `{"card":{"author":"release@example.test","id":"greetd-params"},"params":[` +
	`{"domain":[],"name":"banner","type":"text","unit":"1","value":""},` +
	`{"domain":[1,4096],"name":"max_conns","type":"integer","unit":"1","value":256},` +
	`{"domain":["fast","safe"],"name":"mode","type":"enum","unit":"1","value":"safe"},` +
	`{"domain":[],"name":"offset","type":"integer","unit":"1","value":"-18446744073709551616"},` +
	`{"domain":["0.1","60"],"name":"timeout","type":"real","unit":"s","value":"2.5"},` +
	`{"domain":[],"name":"verbose","type":"boolean","unit":"1","value":false}],"schema":"relseal/params/v1"}`

func TestParams(t *testing.T) {
	p, err := Params("p.yaml", []byte(goodParams))
	if err != nil {
		t.Fatal(err)
	}
	data, err := p.Marshal()
	if err != nil || string(data) != goodParamsJSON {
		t.Errorf("got  %s, %v\nwant %s", data, err, goodParamsJSON)
	}
	again, err := cards.ReadParams(data)
	if err != nil {
		t.Fatal(err)
	}
	if h, err := again.Hash(); err != nil || h != sign.Sum(data) {
		t.Errorf("hash %v, %v", h, err)
	}
	if p, err := Params("p.yaml", []byte("schema: relseal/params/v1\ncard: {id: x, author: a}\nparams: []\n")); err != nil || len(p.Params) != 0 {
		t.Errorf("%v, %v", p, err)
	}
	other := strings.NewReplacer("2.50", "25e-1", "60]", `"+60.0"]`, "[safe, fast]", "[fast, safe]").Replace(goodParams)
	if q, err := Params("p.yaml", []byte(other)); err != nil {
		t.Error(err)
	} else if h, _ := q.Hash(); h != sign.Sum(data) {
		t.Error("the hash depends on spelling")
	}
}

func TestParamFaults(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"name", "name: mode", "name: 'a mode'", `6: params[2].name: "a mode" is not 1 to 64`},
		{"name twice", "name: mode", "name: timeout", `6: params[2].name: "timeout" is the name of params[1] too`},
		{"type", "type: enum", "type: enumm", `6: params[2].type: want one of integer, real, enum, boolean, text, got "enumm" (did you mean "enum"?)`},
		{"unit", "unit: s", "unit: ' s'", `5: params[1].unit: " s" is not a unit`},
		{"unit of a boolean", `type: boolean, unit: "1"`, "type: boolean, unit: s", `8: params[4].unit: a boolean cannot have the unit "s" (write "1")`},
		{"unit of an enum", `type: enum, unit: "1"`, "type: enum, unit: s", `6: params[2].unit: an enum cannot have the unit "s" (write "1")`},
		{"text for integer", "value: 256", "value: many", `4: params[0].value: want an integer, got the text "many"`},
		{"quoted integer", "value: 256", `value: "256"`, "4: params[0].value: want an integer, got a text (write 256 without quotes)"},
		{"fraction for integer", "value: 256", `value: "2.5"`, `4: params[0].value: want an integer, got the text "2.5"`},
		{"boolean for integer", "value: 256", "value: true", "4: params[0].value: want an integer, got true"},
		{"integer below", "value: 256", "value: 0", "4: params[0].value: 0 is outside the domain from 1 to 4096"},
		{"integer above", "value: 256", "value: 4097", "4: params[0].value: 4097 is outside the domain from 1 to 4096"},
		{"large integer above", "value: 256", `value: "9007199254740992"`, "4: params[0].value: 9007199254740992 is outside the domain from 1 to 4096"},
		{"text for real", `value: "2.50"`, "value: long", `5: params[1].value: want a decimal, got the text "long"`},
		{"boolean for real", `value: "2.50"`, "value: true", "5: params[1].value: want a decimal, got true"},
		{"too many digits", `value: "2.50"`, `value: "0.` + strings.Repeat("1", 41) + `"`, "5: params[1].value: want a decimal, got the text"},
		{"real below", `value: "2.50"`, `value: "0.09999999999999999999"`, "5: params[1].value: 0.09999999999999999999 is outside the domain from 0.1 to 60"},
		{"real above", `value: "2.50"`, `value: "60.00000000000000000001"`, "5: params[1].value: 60.00000000000000000001 is outside the domain from 0.1 to 60"},
		{"domain upside down", "domain: [1, 4096]", "domain: [4096, 1]", "4: params[0].domain: the least value 4096 is above the greatest 1"},
		{"domain of one", "domain: [1, 4096]", "domain: [1]", "4: params[0].domain: want [min, max], got a list of 1"},
		{"domain of three", "domain: [1, 4096]", "domain: [1, 2, 3]", "4: params[0].domain: want [min, max], got a list of 3"},
		{"domain of another type", "domain: [1, 4096]", `domain: [1, "2.5"]`, `4: params[0].domain[1]: want an integer, got the text "2.5"`},
		{"domain of a boolean", `type: boolean, unit: "1"`, `type: boolean, unit: "1", domain: [false, true]`, "8: params[4].domain: a boolean has no domain"},
		{"domain of a text", "domain: []", "domain: ['', x]", "9: params[5].domain: a text has no domain (leave it out, or make it an enum)"},
		{"enum without domain", ", domain: [safe, fast]", "", "6: params[2].domain: an enum lists its values (domain: [fast, safe])"},
		{"enum value", "value: safe", "value: sfae", `6: params[2].value: "sfae" is not in the domain (did you mean "safe"?)`},
		{"enum value no text", "value: safe", "value: 1", `6: params[2].value: want a text, got 1 (quote it: "1")`},
		{"enum twice", "domain: [safe, fast]", "domain: [safe, fast, safe]", `6: params[2].domain[2]: the text "safe" is listed twice`},
		{"enum of integers", "domain: [safe, fast]", "domain: [safe, 2]", `6: params[2].domain[1]: want a text, got 2 (quote it: "2")`},
		{"text for boolean", "value: false", "value: 'false'", `8: params[4].value: want true or false, got the text "false"`},
		{"integer for text", `value: "", type`, "value: 5, type", `9: params[5].value: want a text, got 5 (quote it: "5")`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if strings.Count(goodParams, test.old) == 0 {
				t.Fatalf("nothing like %q", test.old)
			}
			text := strings.Replace(goodParams, test.old, test.new, 1)
			_, err := Params("p.yaml", []byte(text))
			var faults document.Faults
			if !errors.As(err, &faults) || len(faults) != 1 || !strings.HasPrefix(err.Error(), "p.yaml:"+test.want) {
				t.Fatalf("got  %v\nwant p.yaml:%s", err, test.want)
			}

			doc := yamldoc.Open("p.yaml", []byte(text))
			data, err := canon.Marshal(readParams(doc.Root()))
			if err != nil {
				t.Fatal(err)
			}
			_, err = cards.ReadParams(data)
			if !errors.As(err, &faults) || len(faults) != 1 || !strings.HasPrefix(faults[0].Text, faultText(t, test.want)) {
				t.Errorf("as JSON: %v", err)
			}
		})
	}
}

func TestParamsYAMLFaults(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"bare float", `value: "2.50"`, "value: 2.50", `p.yaml:5: params[1].value: 2.50 without quotes can be read as a floating-point number, which is not exact (quote it: "2.50")`},
		{"bare float in a domain", `"0.1", 60`, "0.1, 60", `p.yaml:5: params[1].domain[0]: 0.1 without quotes can be read as a floating-point number, which is not exact (quote it: "0.1")`},
		{"bare large integer", `"-18446744073709551616"`, "-18446744073709551616", "p.yaml:7: params[3].value: -18446744073709551616 is beyond ±(2^53-1), where numbers are not exact (quote it: \"-18446744073709551616\")"},
		{"bare unit", `type: integer, unit: "1", d`, "type: integer, unit: 1, d", `p.yaml:4: params[0].unit: want a text, got the integer 1 (quote it: "1")`},
		{"no unit", "unit: s, ", "", "p.yaml:5: params[1].unit: is missing; want a text"},
		{"no value", "value: 256, ", "", "p.yaml:4: params[0].value: is missing; want a text, a number or a boolean"},
		{"null", "value: 256", "value: null", "p.yaml:4: params[0].value: want a text, a number or a boolean, got null"},
		{"list", "value: 256", "value: [256]", "p.yaml:4: params[0].value: want a text, a number or a boolean, got a list"},
		{"yes", "value: false", "value: no", `p.yaml:8: params[4].value: no without quotes can be read as a boolean (write false, or quote it: "no")`},
		{"unknown", "unit: s", "unit: s, default: 3", "p.yaml:5: params[1].default: unknown member (known: name, type, unit, value, domain)"},
		{"params missing", goodParams[strings.Index(goodParams, "params:\n"):], "", "p.yaml:1: params: is missing; want a list of mappings"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := Params("p.yaml", []byte(strings.Replace(goodParams, test.old, test.new, 1))); err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestReadParamsRefuses(t *testing.T) {
	tests := []struct{ name, old, new string }{
		{"unsorted", `"name":"banner"`, `"name":"zebra"`},
		{"enum unsorted", `["fast","safe"]`, `["safe","fast"]`},
		{"null domain", `"domain":[],"name":"banner"`, `"domain":null,"name":"banner"`},
		{"real as a number", `"value":"2.5"`, `"value":2`},
		{"real not canonical", `"value":"2.5"`, `"value":"2.50"`},
		{"integer as a text", `"value":256`, `"value":"256"`},
		{"large integer not canonical", `"-18446744073709551616"`, `"-18446744073709551616.0"`},
		{"object", `"value":false`, `"value":{}`},
		{"null", `"value":false`, `"value":null`},
		{"null text", `"value":""`, `"value":null`},
		{"object in an enum", `["fast","safe"]`, `["fast","safe",{}]`},
		{"schema", "params/v1", "params/v2"},
	}
	for _, test := range tests {
		text := strings.Replace(goodParamsJSON, test.old, test.new, 1)
		if _, err := cards.ReadParams([]byte(text)); err == nil || text == goodParamsJSON {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
