package audit

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/sign"
)

// Schema names the format of a trail; SchemaVersion that of its events.
const (
	Schema        = "relseal/trail/v1"
	SchemaVersion = "1.0.0"
)

// The purposes of a trail.
const (
	PurposeRun    = "run"    // one run; ends with run.end and trail.close
	PurposeLedger = "ledger" // a product's channel moves; never closes
)

// The actions of a run.
const (
	ActionRunStart   = "run.start"
	ActionStepStart  = "step.start"
	ActionStepEnd    = "step.end"
	ActionRunAbort   = "run.abort"
	ActionRunEnd     = "run.end"
	ActionTrailClose = "trail.close"
)

// The statuses of a step or a run.
const (
	StatusOK      = "ok"
	StatusFailed  = "failed"
	StatusAborted = "aborted"
)

// The types below carry the specification's dotted names as nested objects, so
// that they are jq paths: .e.EnvLock.fingerprint.
type (
	Fingerprint struct {
		Fingerprint *sign.Digest `json:"fingerprint"`
	}
	Hash struct {
		Hash *sign.Digest `json:"hash"`
	}
	Run struct {
		ID string `json:"id"` // for a run: 128 random bits in hexadecimal
	}
	Key struct {
		PKRef sign.KeyID `json:"pk_ref"`
	}
	SchemaRef struct {
		Schema struct {
			Version string `json:"version"`
		} `json:"schema"`
	}
	Seed struct {
		Seed *string `json:"seed"` // unsigned 64-bit, in decimal
	}
	Snapshot struct {
		Snapshot map[string]canon.Decimal `json:"snapshot"`
	}
)

// Genesis is the document of line 0. H_0 is its digest.
type Genesis struct {
	Schema       string      `json:"schema"`
	Purpose      string      `json:"purpose"`
	Run          Run         `json:"run"`
	Created      Time        `json:"created"`
	EnvLock      Fingerprint `json:"EnvLock"`
	PipelineCard Hash        `json:"PipelineCard"`
	ParamCard    Hash        `json:"ParamCard"`
	Verifier     Key         `json:"verifier"`

	Product    string      `json:"product,omitzero"`
	Continues  *Continues  `json:"continues,omitzero"`
	Delegation canon.Value `json:"delegation,omitzero"`
	Root       *RootRef    `json:"root,omitzero"`
	Details    canon.Value `json:"details,omitzero"`
}

// Continues names the event of another trail after which this one goes on.
type Continues struct {
	H0 sign.Digest `json:"H_0"`
	K  int64       `json:"k"`
	HK sign.Digest `json:"H_k"`
}

// RootRef names a version of a trust root.
type RootRef struct {
	Version int64       `json:"version"`
	Hash    sign.Digest `json:"hash"`
}

// Event is e_k, the document of line k. id_k is its digest.
type Event struct {
	Audit        SchemaRef   `json:"audit"`
	K            int64       `json:"k"`
	TS           Time        `json:"ts"`
	TauMonoUS    int64       `json:"tau_mono_us"` // microseconds, comparable within one Clock
	Clock        string      `json:"clock"`
	Actor        Text        `json:"actor"`
	Action       string      `json:"action"`
	Run          Run         `json:"run"`
	EnvLock      Fingerprint `json:"EnvLock"`
	PipelineCard Hash        `json:"PipelineCard"`
	ParamCard    Hash        `json:"ParamCard"`
	Code         Hash        `json:"code"`
	RNG          Seed        `json:"rng"`
	Inputs       Items       `json:"inputs"`
	Outputs      Items       `json:"outputs"`
	Path         Text        `json:"path"` // step id, or null
	TimeSeries   Snapshot    `json:"TS"`
	Verifier     Key         `json:"verifier"`
	Notes        Text        `json:"notes"`

	Status  string      `json:"status,omitzero"`
	Error   Text        `json:"error,omitzero"`
	Details canon.Value `json:"details,omitzero"`
}

// Items is a set of files: the digest of the canonical array of {hash,uri}
// sorted by uri, and the array itself where it is recorded.
type Items struct {
	Hash  sign.Digest `json:"hash"`
	Items []Item      `json:"items,omitempty"`
}

// Item is one file: its digest and its label.
type Item struct {
	Hash sign.Digest `json:"hash"`
	URI  string      `json:"uri"`
}

// Text is a text, null (the zero value), or a commitment to a value that may
// have to be erased one day: {"commit":D} with D = SHA-256(32 random bytes ‖
// canonical value). Readers accept commitments; nothing writes them yet.
type Text struct {
	Value  *string
	Commit *sign.Digest
}

// Txt returns s as a Text.
func Txt(s string) Text { return Text{Value: &s} }

// IsZero reports whether t is null.
func (t Text) IsZero() bool { return t == Text{} }

// String returns the text, a committed text's digest, or "".
func (t Text) String() string {
	switch {
	case t.Value != nil:
		return *t.Value
	case t.Commit != nil:
		return "commit " + t.Commit.String()
	default:
		return ""
	}
}

// Said returns the text, or "" where only a commitment to it is recorded.
func (t Text) Said() string {
	if t.Value == nil {
		return ""
	}
	return *t.Value
}

func (t Text) MarshalJSON() ([]byte, error) {
	if t.Commit != nil {
		return canon.Marshal(map[string]sign.Digest{"commit": *t.Commit})
	}
	return canon.Marshal(t.Value) // encoding/json would replace invalid UTF-8 in silence
}

func (t *Text) UnmarshalJSON(data []byte) error {
	var v Text
	switch {
	case string(data) == "null":
	case data[0] == '"':
		v.Value = new(string)
		if err := canon.Peek(data, v.Value); err != nil {
			return err
		}
	default:
		var c struct {
			Commit sign.Digest `json:"commit"`
		}
		if err := canon.Unmarshal(data, &c); err != nil {
			return fmt.Errorf("want a text, null or {\"commit\":digest}: %w", err)
		}
		v.Commit = &c.Commit
	}
	*t = v
	return nil
}

// Record is one line of a trail after the first: event k, its digest, the head
// of the chain after it and the signature of that head.
type Record struct {
	H   sign.Digest    `json:"H_k"`
	E   Event          `json:"e"`
	ID  sign.Digest    `json:"id_k"`
	Sig sign.Signature `json:"sig_k"`

	latest Time // see Time
}

// Time returns the greatest ts of this event and those before it, as [Check] read
// them. So a clock that was set back dates nothing before what is already on record.
// Of a record that was parsed alone, Time is the ts of its event.
func (r Record) Time() Time {
	if r.latest.After(r.E.TS.Time) {
		return r.latest
	}
	return r.E.TS
}

// Header is line 0 of a trail.
type Header struct {
	H0      sign.Digest    `json:"H_0"`
	Genesis Genesis        `json:"genesis"`
	Sig     sign.Signature `json:"sig_0"`
}

// ErrClosed reports an append to a trail whose last event is trail.close.
var ErrClosed = errors.New("the trail is closed")

func sortItems(items []Item) ([]Item, error) {
	sorted := slices.SortedFunc(slices.Values(items), func(a, b Item) int { return strings.Compare(a.URI, b.URI) })
	if sorted == nil {
		sorted = []Item{}
	}
	for i, it := range sorted {
		if it.URI == "" || !canon.Printable(it.URI) {
			return nil, fmt.Errorf("uri %+q is empty or has a character outside U+0020 to U+007E", it.URI)
		}
		if i > 0 && sorted[i-1].URI == it.URI {
			return nil, fmt.Errorf("uri %q occurs twice", it.URI)
		}
	}
	return sorted, nil
}

// NewRunID returns the run id for 16 random bytes.
func NewRunID(random [16]byte) string { return hex.EncodeToString(random[:]) }

var noItems = sign.Sum([]byte("[]"))

// NewItems sorts items by uri and returns them with their digest. A uri that
// occurs twice or is not printable is an error.
func NewItems(items []Item) (Items, error) {
	if len(items) == 0 {
		return Items{Hash: noItems, Items: []Item{}}, nil
	}
	sorted, err := sortItems(items)
	if err != nil {
		return Items{}, err
	}
	data, err := canon.Marshal(sorted)
	if err != nil {
		return Items{}, err
	}
	return Items{Hash: sign.Sum(data), Items: sorted}, nil
}

// Source is what run.start may record about the code in details.source.
type Source struct {
	Commit string // in lower case; "" if there is none
	Dirty  *bool  // whether files differed from it; nil where nobody looked
}

// Source returns what e records in details.source. It returns false if the member has
// another form than the format gives it, such as a commitment. A text that was recorded
// as the commit is returned even then.
func (e *Event) Source() (s Source, ok bool) {
	var details, source map[string]canon.Value
	if len(e.Details) == 0 || e.Details.Kind() != '{' || canon.Peek(e.Details, &details) != nil {
		return s, true
	}
	value, recorded := details["source"]
	if !recorded {
		return s, true
	}
	if value.Kind() != '{' || canon.Peek(value, &source) != nil {
		return s, false
	}
	ok = true
	if commit, some := source["commit"]; some {
		var text string
		known := commit.Kind() == '"' && canon.Peek(commit, &text) == nil
		s.Commit = strings.ToLower(text)
		ok = known && isCommit(s.Commit)
	}
	if dirty, some := source["dirty"]; some && (canon.Peek(dirty, &s.Dirty) != nil || s.Dirty == nil) {
		ok = false
	}
	return s, ok
}

// isCommit reports whether s is a commit: 40 or 64 hexadecimal digits.
func isCommit(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}

// A Draft is the part of an event that its producer writes. The log adds the rest
// while it has the lock on the file: number, time, clock, run, cards, environment
// and key.
type Draft struct {
	Actor    Text
	Action   string
	Code     sign.Digest // of the step's canonical definition, or of the producer's version
	Seed     *string
	Inputs   []Item
	Outputs  []Item
	Path     Text
	Snapshot map[string]canon.Decimal
	Notes    Text
	Status   string
	Error    Text
	Details  canon.Value
}
