package release

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/testbundle"
)

// A ledger with an event that does not follow is none to build on.
func TestWhole(t *testing.T) {
	l := testbundle.NewLedger(testbundle.NewKey("ledger"))
	l.Add(1, "note", testbundle.M{})
	l.Add(2, "rollback.done", testbundle.M{"rollback": 1, "ok": true, "reason": nil, "total_ms": nil})
	for k, want := range []string{"", "", "event 2 of the ledger does not follow"} {
		text, _, _ := l.Lines(k)
		v, err := Read(bytes.NewReader(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		err = v.Whole()
		refused, _ := errors.AsType[*RefusedError](err)
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || refused.Code != finding.DataMismatch) {
			t.Errorf("%d events: %v, want %q", k, err, want)
		}
	}
}
