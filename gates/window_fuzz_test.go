package gates

import (
	"strings"
	"testing"

	"github.com/relseal/relseal/sign"
)

// What is read can be recorded, and its record read back.
func FuzzReadWindows(f *testing.F) {
	f.Add(jsonl)
	f.Add(table)
	f.Add(`{"id":"w\u0031","channel":"canary","start_ms":0,"end_ms":1,"score":"\ud800","hb_lag":-0.0e+1}`)
	f.Add("id,channel,start_ms,end_ms,score\n\"w\"\"1\",LTS,0,1,\"\n\"")
	f.Fuzz(func(t *testing.T, text string) {
		ws, err := ReadWindows("f", strings.NewReader(text))
		if err != nil && ws != nil {
			t.Errorf("windows and %v", err)
		}
		for _, w := range ws {
			w.Seq, w.Release = 1, sign.Sum(nil).String()
			data, err := w.Marshal()
			if err != nil {
				t.Fatalf("%+v: %v", w, err)
			}
			if again, err := ParseWindow(data); err != nil || again != w {
				t.Fatalf("%s: %+v, %v", data, again, err)
			}
		}
	})
}

// What parses marshals back to the same bytes.
func FuzzParseWindow(f *testing.F) {
	f.Add([]byte(windowBytes))
	f.Add([]byte(strings.Replace(windowBytes, `"seq":1`, `"seq":2`, 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		w, err := ParseWindow(data)
		if err != nil {
			return
		}
		if again, err := w.Marshal(); err != nil || string(again) != string(data) {
			t.Errorf("%s, %v", again, err)
		}
	})
}
