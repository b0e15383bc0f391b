package canon_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/relseal/relseal/canon"
)

// member returns the value of a member, nil if there is none.
func member(data []byte, name string) []byte {
	for n, value := range canon.Members(data) {
		if string(n) == name {
			return value
		}
	}
	return nil
}

func TestMembers(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{`{}`, ``},
		{`{"a":1}`, `a 1;`},
		{`{"":"","a":{"b":[{"c":"}"}]},"b":[],"c":null,"d":-1}`, ` "";a {"b":[{"c":"}"}]};b [];c null;d -1;`},
		{`{"\"":0,"\\":"\\","a\"}":"\"},{\\\""}`, `\" 0;\\ "\\";a\"} "\"},{\\\"";`},
		{`[{"a":1}]`, ``},
		{`["a",1,"b",2]`, ``},
		{`"{"`, ``},
		{`0`, ``},
	} {
		if err := canon.Check([]byte(tt.in)); err != nil {
			t.Fatal(err)
		}
		got := ""
		for name, value := range canon.Members([]byte(tt.in)) {
			got += fmt.Sprintf("%s %s;", name, value)
		}
		if got != tt.want {
			t.Errorf("%s: %s\nwant %s", tt.in, got, tt.want)
		}
	}
}

func TestMembersStops(t *testing.T) {
	for name := range canon.Members([]byte(`{"a":1,"b":2}`)) {
		if string(name) != "a" {
			t.Errorf("goes on with %q", name)
		}
		break
	}
}

// Every cut of a line is walked without a failure, and only the whole has its
// last member.
func TestMembersOfDamage(t *testing.T) {
	for i := range line {
		if member([]byte(line[:i]), "sig_k") != nil {
			t.Errorf("the first %d bytes have a sig_k", i)
		}
	}
	if member([]byte(line), "sig_k") == nil {
		t.Error("the whole has none")
	}
}

func TestMembersAllocatesNothing(t *testing.T) {
	data := []byte(line)
	if n := testing.AllocsPerRun(100, func() { _ = member(data, "sig_k") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// What is found in a canonical object is what a parser that is not ours finds,
// and is the whole of it. Other data is no danger.
func FuzzMembers(f *testing.F) {
	addAll(f, recognised, refusals)
	f.Fuzz(func(t *testing.T, in []byte) {
		var want map[string]json.RawMessage
		n, again := 0, []byte("{")
		for name, value := range canon.Members(in) {
			if n++; n > 1 {
				again = append(again, ',')
			}
			again = fmt.Appendf(again, `"%s":%s`, name, value)
		}
		if canon.Check(in) != nil || in[0] != '{' {
			return
		}
		if again = append(again, '}'); !bytes.Equal(in, again) {
			t.Fatalf("%q has the members of %q", in, again)
		}
		if err := json.Unmarshal(in, &want); err != nil || n != len(want) {
			t.Fatalf("%q: %d members, want %d, %v", in, n, len(want), err)
		}
	})
}
