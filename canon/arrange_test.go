package canon_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/limits"
)

// What arrange does not order would go the slow way, and nobody would notice.
func TestArrange(t *testing.T) {
	var r record
	if err := canon.Unmarshal([]byte(line), &r); err != nil {
		t.Fatal(err)
	}
	declared, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ in, want string }{
		{string(declared), line},
		{`{"b":1,"a":2}`, `{"a":2,"b":1}`},
		{`{"c":{"e":[{"z":1,"y":[]},{}],"d":{}},"b":"},{","":null}`, `{"":null,"b":"},{","c":{"d":{},"e":[{"y":[],"z":1},{}]}}`},
		{`[[{"b":[],"a":{}}],[],{"d":"\\","c":"\""}]`, `[[{"a":{},"b":[]}],[],{"c":"\"","d":"\\"}]`},
		{`{"aa":1,"a!":2,"a":3,"A":4," ":5}`, `{" ":5,"A":4,"a":3,"a!":2,"aa":1}`},
		{`"{"`, `"{"`},
		{`-12`, `-12`},
		{
			strings.Repeat(`{"b":`, limits.JSONDepth-1) + `{"d":0,"c":0}` + strings.Repeat(`,"a":0}`, limits.JSONDepth-1),
			strings.Repeat(`{"a":0,"b":`, limits.JSONDepth-1) + `{"c":0,"d":0}` + strings.Repeat(`}`, limits.JSONDepth-1),
		},
	} {
		in := []byte(tt.in)
		if got := canon.Arrange(in); string(got) != tt.want {
			t.Errorf("%s\nbecomes %s\nwant    %s", tt.in, got, tt.want)
		}
		if string(in) != tt.in {
			t.Errorf("%s: the input was changed", tt.in)
		}
		if !canon.Recognise([]byte(tt.want)) {
			t.Errorf("%s is not recognised", tt.want)
		}
	}
}

// Each level may cost a copy, so those that will be refused are left alone.
func TestArrangeDeep(t *testing.T) {
	for _, level := range [][2]string{{`{"b":`, `}`}, {`[`, `]`}} {
		for depth, want := range map[int]string{
			limits.JSONDepth - 1: `{"c":0,"d":0}`,
			limits.JSONDepth:     `{"d":0,"c":0}`,
		} {
			open, shut := strings.Repeat(level[0], depth), strings.Repeat(level[1], depth)
			if got := canon.Arrange([]byte(open + `{"d":0,"c":0}` + shut)); string(got) != open+want+shut {
				t.Errorf("inside %d: %s", depth, got)
			}
		}
	}
}
