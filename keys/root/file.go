package root

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/sign"
)

// The fixed members of every version.
const (
	Schema = "relseal/roles/v1"

	typeRoot    = "root"
	specVersion = "1.0.31" // of the TUF specification
	keyType     = "ed25519"
)

// MaxVersion is the highest number of a version.
const MaxVersion = 999_999_999

// A File is N.root.json as it is written.
type File struct {
	Signatures []Signature `json:"signatures"` // sorted by keyid
	Signed     Signed      `json:"signed"`
}

// A Signature is one of the canonical form of Signed.
type Signature struct {
	KeyID ID  `json:"keyid"`
	Sig   Sig `json:"sig"`
}

// Signed is what the holders of root keys sign: TUF's members and ours.
type Signed struct {
	Type               string     `json:"_type"`
	ConsistentSnapshot bool       `json:"consistent_snapshot"`
	Expires            Time       `json:"expires"`
	Keys               map[ID]Key `json:"keys"`
	Roles              TUFRoles   `json:"roles"`
	SpecVersion        string     `json:"spec_version"`
	Version            int64      `json:"version"`
	Extension          Extension  `json:"x-relseal-roles"`
}

// Key is a public key as TUF writes it.
type Key struct {
	Type   string `json:"keytype"`
	Value  KeyVal `json:"keyval"`
	Scheme string `json:"scheme"`
}

// KeyVal holds the 32 bytes of RFC 8032.
type KeyVal struct {
	Public Hex32 `json:"public"`
}

// TUFRoles are the four roles that TUF requires. Nobody holds the last three: a
// trust root publishes no TUF repository.
type TUFRoles struct {
	Root      TUFRole `json:"root"`
	Snapshot  TUFRole `json:"snapshot"`
	Targets   TUFRole `json:"targets"`
	Timestamp TUFRole `json:"timestamp"`
}

// TUFRole names keys and how many of them must sign.
type TUFRole struct {
	KeyIDs    []ID `json:"keyids"` // sorted
	Threshold int  `json:"threshold"`
}

// Extension is x-relseal-roles.
type Extension struct {
	Roles  map[string]Role `json:"roles"`
	Schema string          `json:"schema"`
}

// Role is one role: its keys, those of the past included, and how many of them
// must sign.
type Role struct {
	Keys      []Grant `json:"keys"` // sorted by keyid
	Threshold int     `json:"threshold"`
}

// Grant is what a role says of one key.
type Grant struct {
	KeyID        ID          `json:"keyid"`
	NotAfter     Time        `json:"not_after"`
	NotBefore    Time        `json:"not_before"`
	RevokedSince *Time       `json:"revoked_since,omitzero"` // of a revoked key, and of no other
	Status       sign.Status `json:"status"`
}

// An ID names a key as TUF does: SHA-256 of its canonical JSON, in hexadecimal.
type ID [sha256.Size]byte

// IDOf returns TUF's name of a key.
func IDOf(k sign.PublicKey) ID {
	data, err := canon.Marshal(keyOf(k))
	if err != nil {
		panic(err) // fixed members and hexadecimal digits
	}
	return sha256.Sum256(data)
}

func keyOf(k sign.PublicKey) Key {
	return Key{Type: keyType, Value: KeyVal{Hex32(k.Bytes())}, Scheme: keyType}
}

func (id ID) String() string { return hex.EncodeToString(id[:]) }

func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

func (id *ID) UnmarshalText(text []byte) error { return unhex(id[:], text) }

// Hex32 is 32 bytes in lower-case hexadecimal.
type Hex32 [32]byte

func (h Hex32) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h[:])), nil }

func (h *Hex32) UnmarshalText(text []byte) error { return unhex(h[:], text) }

// Sig is a signature in lower-case hexadecimal, as TUF writes it.
type Sig sign.Signature

func (s Sig) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(s[:])), nil }

func (s *Sig) UnmarshalText(text []byte) error { return unhex(s[:], text) }

func unhex(into, text []byte) error {
	if len(text) != 2*len(into) {
		return errors.New("another number of hexadecimal digits")
	}
	_, err := hex.Decode(into, text) // canonical form rules out upper case
	return err
}

// A Time is in UTC and has whole seconds, as TUF and OpenSSH have it.
type Time struct{ time.Time }

const timeLayout = "2006-01-02T15:04:05Z"

// At returns t without its fraction of a second.
func At(t time.Time) Time { return Time{t.UTC().Truncate(time.Second)} }

// ParseTime accepts exactly the text that String returns.
func ParseTime(s string) (Time, error) {
	t, err := time.Parse(timeLayout, s)
	if err != nil || (Time{t}).String() != s || t.Year() < 1970 {
		return Time{}, errors.New("a time of a root is as in 2026-01-02T03:04:05Z")
	}
	return Time{t}, nil
}

func (t Time) String() string { return t.UTC().Format(timeLayout) }

// MarshalJSON takes the place of that of time.Time, which would write fractions.
func (t Time) MarshalJSON() ([]byte, error) {
	if y := t.UTC().Year(); y < 1970 || y > 9999 {
		return nil, errors.New("a time of a root is from 1970 to 9999")
	}
	return []byte(`"` + t.String() + `"`), nil
}

func (t *Time) UnmarshalJSON(data []byte) (err error) {
	*t, err = ParseTime(strings.Trim(string(data), `"`))
	return err
}
