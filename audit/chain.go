// Package audit keeps a signed hash chain of events.
//
// A trail is lines of canonical JSON, LF after each. Line 0 holds the genesis,
// line k event k:
//
//	H_0   = SHA-256(canonical genesis)
//	id_k  = SHA-256(canonical e_k)
//	H_k   = SHA-256(H_{k-1} || id_k), raw 32-byte values
//	sig_k = Ed25519(sk, the 32 raw bytes of H_k)
//
// The rule is S32-30 of the specification. A trail is closed iff its last event
// is trail.close.
//
// [Create] and [Open] return a [Log], whose Append signs an event and returns when it is on
// disk. [Events] reads a trail and checks it on the way; [Check] says everything that is
// wrong with one. A log of anything that goes on for ever is of [PurposeLedger].
package audit

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/sign"
)

// Link returns H_k for H_{k-1} and id_k.
func Link(prev, id sign.Digest) sign.Digest {
	var both [2 * len(sign.Digest{})]byte
	copy(both[copy(both[:], prev[:]):], id[:])
	return sign.Sum(both[:])
}

// Time is a point in time in UTC with microseconds. As text it is RFC 3339 with
// exactly six decimals and Z.
type Time struct{ time.Time }

const timeLayout = "2006-01-02T15:04:05.000000Z"

// NewTime returns t in UTC, cut to microseconds.
func NewTime(t time.Time) Time { return Time{t.UTC().Truncate(time.Microsecond)} }

func (t Time) String() string { return t.UTC().Format(timeLayout) }

func (t Time) MarshalJSON() ([]byte, error) { return []byte(`"` + t.String() + `"`), nil }

func (t *Time) UnmarshalJSON(data []byte) error {
	s := strings.Trim(string(data), `"`)
	v, err := time.Parse(timeLayout, s)
	if err != nil || len(data) != len(s)+2 || (Time{v}).String() != s {
		return fmt.Errorf("want a time as %s", timeLayout)
	}
	*t = Time{v.UTC()}
	return nil
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
