package canon_test

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/limits"
)

// recognised are canonical documents, one of each thing that can be in one.
var recognised = []string{
	`null`, `true`, `false`, `""`, `{}`, `[]`, `0`, `7`, `-1`,
	`999999999999999`, `-999999999999999`,
	`[null,[],{},[[]],{"":[{}]}]`,
	`{"":0," ":1,"!":2,"A":3,"a":4,"aa":5,"ab":6,"b":7,"~":8}`,
	`{"a":{"b":1},"b":{"a":1}}`,
	`"\b\t\n\f\r\"\\/"`,
	`"\u0000\u0001\u0007\u000b\u000e\u000f\u0010\u0019\u001a\u001f"`,
	"\"\x7f\u0080é\u2028\ufeff\uffff𝄞\"",
	plain, line,
	strings.Repeat("[", limits.JSONDepth) + strings.Repeat("]", limits.JSONDepth),
	strings.Repeat(`{"a":`, limits.JSONDepth) + "1" + strings.Repeat("}", limits.JSONDepth),
	`"` + strings.Repeat("x", limits.JSONString) + `"`,
	`{"` + strings.Repeat("x", limits.JSONString) + `":0}`,
	`9007199254740991`, `-9007199254740991`, `-1234567890123456`,
	`{"\"":0}`, `{"\\":0}`, `{"\"":0,"#":1,"[":2,"\\":3,"\\\"":4,"]":5}`, `{"a\"":0,"a\"a":1,"aa":2}`,
	`"\n` + strings.Repeat("x", limits.JSONString-1) + `"`,
	`"\u0001` + strings.Repeat("x", limits.JSONString-1) + `"`,
	`{"\\` + strings.Repeat("x", limits.JSONString-1) + `":0}`,
}

// refusals are documents that are not canonical, each next to one that is.
var refusals = []string{
	``, ` `, `nul`, `nulll`, `True`, `"`, `"a`, `{`, `[`, `}`, `]`, `,`, `:`, `-`,
	` 0`, "0\n", `0 `, `0,`, `00`, `01`, `-0`, `-01`, `+1`, `.5`, `1.`, `1.5`, `1e5`, `1E5`, `--1`, `0x1`,
	`9007199254740992`, `-9007199254740992`, `9999999999999999`, `0123456789012345`, `1000000000000000000000`,
	`{"#":0,"\"":1}`, `{"\\":0,"[":1}`, `{"\"":0,"\"":1}`, `{"\"}`, `{"\`, `{"\\`, `{"\/":0}`, `{"\t":0}`,
	`"\n` + strings.Repeat("x", limits.JSONString) + `"`, `{"\\` + strings.Repeat("x", limits.JSONString) + `":0}`,
	`[,]`, `[1,]`, `[,1]`, `[1 ,2]`, `[1, 2]`, `[1}`, `[1`, `[1]]`, `[1][`, `[1 2]`, `{]`, `[}`,
	`{"a"}`, `{"a":}`, `{"a":1,}`, `{,"a":1}`, `{"a":1`, `{"a":1]`, `{"a":1}}`, `{"a" :1}`, `{"a": 1}`, `{a:1}`, `{1:1}`, `{"a",1}`, `{"a`, `{"a"`, `{"a":`,
	`{"b":0,"a":0}`, `{"a":0,"a":0}`, `{"aa":0,"a":0}`, `{"a":0,"A":0}`, `{"":0,"":0}`, `{"a":0,"b":0,"a":0}`, `{"a":0,"b":0,"b":0}`, `{"a":0,"c":0,"b":0}`, `{"a":{"c":0},"b":0,"ab":0}`,
	`{"é":0}`, "{\"\x7f\":0}", "{\"\n\":0}", `{"\n":0}`, `{"\u0061":0}`, `{"\/":0}`, "{\"\xff\":0}",
	`"\/"`, `"\u0008"`, `"\u0009"`, `"\u000a"`, `"\u000c"`, `"\u000d"`, `"\u000B"`, `"\u001F"`, `"\u0020"`, `"\u0022"`, `"\u005c"`, `"\u007f"`, `"\u00e9"`,
	`"\U0000"`, `"\x00"`, `"\a"`, `"\'"`, `"\`, `"\"`, `"\u`, `"\u000`, `"\u0000`, `"\u00"`, `"\u000g"`, `"\u00:0"`,
	`"\ud834\udd1e"`, `"\ud800"`, `"\udc00"`,
	"\"\x00\"", "\"\t\"", "\"\x1f\"", "\"\x80\"", "\"\xff\"", "\"\xc3\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"",
	"\ufeff0", "0\x00", "\xff",
	strings.Repeat("[", limits.JSONDepth+1) + strings.Repeat("]", limits.JSONDepth+1),
	strings.Repeat(`{"a":`, limits.JSONDepth) + "{}" + strings.Repeat("}", limits.JSONDepth),
	`"` + strings.Repeat("x", limits.JSONString+1) + `"`,
	`{"` + strings.Repeat("x", limits.JSONString+1) + `":0}`,
}

func TestRecognise(t *testing.T) {
	for _, group := range []struct {
		docs      []string
		canonical bool
	}{
		{recognised, true},
		{refusals, false},
	} {
		for _, doc := range group.docs {
			if got := canon.Recognise([]byte(doc)); got != group.canonical {
				t.Errorf("%.80q: recognised %t", doc, got)
			}
			if err := canon.SlowCheck([]byte(doc)); (err == nil) != group.canonical {
				t.Errorf("%.80q: the slow way says %v", doc, err)
			}
			if err := canon.Check([]byte(doc)); (err == nil) != group.canonical {
				t.Errorf("%.80q: Check says %v", doc, err)
			}
		}
	}
}

// inStep checks that the scanner recognises what is canonical and nothing else.
func inStep(t *testing.T, doc []byte) (recognised bool) {
	t.Helper()
	slow := canon.SlowCheck(doc)
	fast := canon.Recognise(doc)
	if fast != (slow == nil) {
		t.Errorf("%.200q: recognised %t, and the slow way says %v", doc, fast, slow)
	}
	return fast
}

func FuzzRecognise(f *testing.F) {
	addAll(f, recognised, refusals)
	f.Fuzz(func(t *testing.T, doc []byte) { inStep(t, doc) })
}

// Every byte of a document in turn takes every value, is left out and stands twice.
func TestRecogniseMutations(t *testing.T) {
	doc := []byte(`{"":[-10,"\u001f\n\\","é"],"a ":{"b":null,"c":[{},true]}}`)
	if !inStep(t, doc) {
		t.Fatal("not recognised as it is")
	}
	for i := range doc {
		for c := range 256 {
			in := bytes.Clone(doc)
			in[i] = byte(c)
			inStep(t, in)
		}
		inStep(t, doc[:i])
		inStep(t, append(bytes.Clone(doc[:i]), doc[i+1:]...))
		inStep(t, append(bytes.Clone(doc[:i+1]), doc[i:]...))
	}
}

// What the product reads takes the fast way: every document and every line of a
// trail in the bundles of the vectors that is canonical at all.
func TestRecogniseBundles(t *testing.T) {
	names, err := filepath.Glob("../testdata/vectors/*.tar.zst")
	if err != nil {
		t.Fatal(err)
	}
	var yes, no int
	count := func(doc []byte) {
		fast := canon.Recognise(doc)
		if slow := canon.SlowCheck(doc); fast != (slow == nil) {
			t.Errorf("recognised %t, but %v: %.200q", fast, slow, doc)
		}
		if fast {
			yes++
		} else {
			no++
		}
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		eachDocument(data, count)
	}
	if yes < 10*len(names) || no == 0 {
		t.Errorf("%d bundles with %d canonical documents and %d others: is something missing?", len(names), yes, no)
	}
}

// eachDocument calls visit for what can be read of a bundle, good or bad: its
// JSON files and lines and those of the bundles in it.
func eachDocument(bundle []byte, visit func(doc []byte)) {
	z, err := zstd.NewReader(bytes.NewReader(bundle), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return
	}
	defer z.Close()
	for r := tar.NewReader(z); ; {
		header, err := r.Next()
		if err != nil {
			return
		}
		data, _ := io.ReadAll(r)
		switch filepath.Ext(header.Name) {
		case ".json":
			visit(data)
		case ".jsonl":
			for text := range bytes.Lines(data) {
				visit(bytes.TrimSuffix(text, []byte("\n")))
			}
		case ".zst":
			eachDocument(data, visit)
		}
	}
}

// The fast way gives no part of its input away.
func TestCanonicalizeCopies(t *testing.T) {
	in := []byte(plain)
	out, err := canon.Canonicalize(in)
	clear(in)
	if string(out) != plain || err != nil {
		t.Errorf("%q, %v", out, err)
	}
}

func TestRecogniseAllocatesNothing(t *testing.T) {
	doc := []byte(line)
	if n := testing.AllocsPerRun(100, func() { _ = canon.Check(doc) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
