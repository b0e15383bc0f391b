package release

import (
	"fmt"
	"io"
	"slices"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// A KnownHead is where somebody remembers that a ledger stood. Nothing in a ledger
// shows that its end was not cut off; a head that is kept elsewhere shows it of every
// event up to that head. It is compared and not believed: one that is false can make
// a ledger be refused, and nothing else.
type KnownHead struct {
	H0     *sign.Digest // nil where only k and H_k are remembered
	K      int64
	HK     sign.Digest
	Source Source
}

// A Source is who remembers a head. Other kinds than those below, such as a
// checkpoint or a witness, are remembered in the same way.
type Source struct{ Kind, Name string }

// The kinds of sources.
const (
	KnownBundle = "bundle"   // a ReleaseBundle pins it
	KnownFile   = "head"     // a file with a head
	KnownWord   = "argument" // the caller's word
	KnownState  = "state"    // what this machine has seen
)

// Known returns h as something that s remembers.
func (h Head) Known(s Source) KnownHead { return KnownHead{&h.H0, h.K, h.HK, s} }

// HeadSchema names the form of a head in a file: one line of canonical JSON, and LF.
const HeadSchema = "relseal/head/v1"

type headFile struct {
	Schema string      `json:"schema"`
	H0     sign.Digest `json:"H_0"`
	K      int64       `json:"k"`
	HK     sign.Digest `json:"H_k"`
}

// MarshalHead returns h as a file.
func MarshalHead(h Head) ([]byte, error) {
	data, err := canon.Marshal(headFile{HeadSchema, h.H0, h.K, h.HK})
	return append(data, '\n'), err
}

// ParseHead reads what MarshalHead returns, and nothing else.
func ParseHead(data []byte) (Head, error) {
	line, whole := cutLF(data)
	if !whole {
		return Head{}, fmt.Errorf("not a head: no LF at the end")
	}
	var f headFile
	if err := canon.Unmarshal(line, &f); err != nil {
		return Head{}, fmt.Errorf("not a head: %w", err)
	}
	switch {
	case f.Schema != HeadSchema:
		return Head{}, fmt.Errorf("not a head: its schema is %q, not %s", f.Schema, HeadSchema)
	case f.K < 0 || f.H0.IsZero() || f.HK.IsZero() || f.K == 0 && f.HK != f.H0:
		return Head{}, fmt.Errorf("not a head: k is negative, or a digest is missing")
	}
	return Head{f.H0, f.K, f.HK}, nil
}

func cutLF(data []byte) ([]byte, bool) {
	n := len(data) - 1
	if n < 0 || data[n] != '\n' {
		return data, false
	}
	return data[:n], true
}

// ReadKnown is [Read] of a ledger of which heads are known. One that does not hold
// all of them is refused: E_LEDGER_OTHER, E_LEDGER_CUT.
func ReadKnown(r io.Reader, keys sign.Verifiers, known []KnownHead) (*View, error) {
	v := newView(known)
	if err := v.read(r, keys); err != nil {
		return nil, err
	}
	return v, v.hold(known)
}

// hold compares the ledger with the heads that are known of it.
func (v *View) hold(known []KnownHead) error {
	for _, h := range known {
		if refused := Holds(h, v.H0, v.K, v.marks[h.K].HK); refused != nil {
			return refused
		}
		if v.Known == nil || h.K > v.Known.K {
			v.Known = &h
		}
	}
	return nil
}

// Holds compares a ledger, with H_0, k of its last event and H_k at the number of h,
// with a head that is known of it. It returns nil if the ledger holds it.
func Holds(h KnownHead, h0 sign.Digest, k int64, at sign.Digest) *RefusedError {
	name := h.Source.Name
	switch {
	case h.H0 != nil && *h.H0 != h0:
		return &RefusedError{Code: finding.LedgerOther, Next: "relseal explain " + string(finding.LedgerOther),
			Text: fmt.Sprintf("%s knows another ledger: H_0 is %s there and %s here", name, *h.H0, h0)}
	case h.K > k:
		return &RefusedError{Code: finding.LedgerCut, Next: "relseal explain " + string(finding.LedgerCut),
			Text: fmt.Sprintf("the ledger ends with event %d; %s knows its event %d: the end was cut off", k, name, h.K)}
	case h.K == 0 && h.HK != h0, h.K > 0 && h.HK != at:
		return &RefusedError{Code: finding.LedgerOther, Next: "relseal explain " + string(finding.LedgerOther),
			Text: fmt.Sprintf("%s knows another event %d: H_%d is %s there and %s here", name, h.K, h.K, h.HK, at)}
	}
	return nil
}

// Highest returns the head of the highest event, nil of none.
func Highest(known []KnownHead) *KnownHead {
	if len(known) == 0 {
		return nil
	}
	h := slices.MaxFunc(known, func(a, b KnownHead) int { return int(min(max(a.K-b.K, -1), 1)) })
	return &h
}
