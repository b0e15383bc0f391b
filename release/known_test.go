package release

import (
	"bytes"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// A ledger is held against every head that is known of it, also where another process
// has put another one in its place while it was open.
func TestKnown(t *testing.T) {
	f, _ := canary(t, 3)
	head := f.Head()
	if head.K != 5 || head.HK != f.HK || head.H0 != f.H0 {
		t.Fatalf("%+v", head)
	}
	data, err := os.ReadFile(f.path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	other := sign.Sum([]byte("other"))
	source := Source{KnownWord, "somebody"}
	for _, c := range []struct {
		name  string
		lines int
		known KnownHead
		code  finding.Code
	}{
		{"the whole ledger", 6, head.Known(source), ""},
		{"its genesis", 1, Head{head.H0, 0, head.H0}.Known(source), ""},
		{"by number and head alone", 6, KnownHead{K: 5, HK: head.HK, Source: source}, ""},
		{"without its last event", 5, head.Known(source), finding.LedgerCut},
		{"without all events", 1, head.Known(source), finding.LedgerCut},
		{"with another genesis", 6, Head{other, 5, head.HK}.Known(source), finding.LedgerOther},
		{"with another event", 6, Head{head.H0, 5, other}.Known(source), finding.LedgerOther},
		{"with another event in the middle", 6, Head{head.H0, 2, head.HK}.Known(source), finding.LedgerOther},
		{"with another genesis, by the word of somebody", 6, KnownHead{K: 0, HK: other, Source: source}, finding.LedgerOther},
	} {
		os.Remove(f.path + audit.ResumeSuffix) // whoever cuts a ledger can remove what lies beside it
		if err := os.WriteFile(f.path, bytes.Join(lines[:c.lines], nil), 0o644); err != nil {
			t.Fatal(err)
		}
		o := f.options()
		o.Known = []KnownHead{c.known}
		l, err := Open(f.path, o)
		refused, _ := errors.AsType[*RefusedError](err)
		switch {
		case c.code == "" && (err != nil || l.Known.K != c.known.K):
			t.Errorf("%s: %v", c.name, err)
		case c.code != "" && (refused == nil || refused.Code != c.code || refused.Undecided):
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil {
			l.Close()
		}
	}

	// Cut while it is open: what is read again is held against the same heads.
	os.Remove(f.path + audit.ResumeSuffix)
	if err := os.WriteFile(f.path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	o := f.options()
	o.Known = []KnownHead{head.Known(source)}
	l, err := Open(f.path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.WriteFile(f.path, bytes.Join(lines[:4], nil), 0o644); err != nil {
		t.Fatal(err)
	}
	f.clock.at += time.Minute
	if _, err := l.Register(policy()); err == nil {
		if _, err = l.Admit(bundleOf("next", "canary")); err == nil {
			t.Error("appended to a ledger that was cut")
		}
	}
}

// What parses is what is written.
func FuzzParseHead(f *testing.F) {
	h := sign.Sum([]byte("x"))
	for _, head := range []Head{{h, 0, h}, {h, 7, sign.Sum([]byte("y"))}} {
		data, err := MarshalHead(head)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[:len(data)-1])
	}
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		head, err := ParseHead(data)
		if err != nil {
			return
		}
		if again, err := MarshalHead(head); err != nil || !bytes.Equal(again, data) {
			t.Errorf("%q is read as %+v, which is written as %q: %v", data, head, again, err)
		}
	})
}
