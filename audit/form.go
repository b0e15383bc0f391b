package audit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// A SchemaError reports a line of a format that this version does not know. It is
// reported instead of other faults of the line, which a later format may allow.
type SchemaError struct{ Want, Got string }

func (e *SchemaError) Error() string { return fmt.Sprintf("schema %+q, not %q", clip(e.Got), e.Want) }

// Marshal returns the line without its LF. It refuses what ParseHeader would.
func (h Header) Marshal() ([]byte, error) {
	if err := h.Genesis.check(); err != nil {
		return nil, err
	}
	return marshalLine(h)
}

// ParseHeader reads line 0, its LF removed. It looks at the form alone: whether
// H_0 and sig_0 are right is for [Check].
func ParseHeader(line []byte) (Header, error) { return parseHeader(line, false) }

// parseHeader is ParseHeader; plainly leaves out the short cuts of package canon.
func parseHeader(line []byte, plainly bool) (Header, error) {
	var h Header
	err := parseLine(line, &h, plainly)
	if err == nil {
		err = h.Genesis.check()
	}
	if err == nil {
		return h, nil
	}
	var peek struct {
		Genesis struct {
			Schema *string `json:"schema"`
		} `json:"genesis"`
	}
	if canon.Peek(line, &peek) == nil {
		if got := peek.Genesis.Schema; got != nil && *got != Schema {
			err = &SchemaError{Schema, *got}
		}
	}
	return Header{}, err
}

// Marshal returns the line without its LF. It refuses what ParseRecord would.
func (r Record) Marshal() ([]byte, error) {
	if err := r.E.check(); err != nil {
		return nil, err
	}
	return marshalLine(r)
}

// ParseRecord reads a line after the first, its LF removed. It looks at the form
// alone: whether the event is authentic is for [Check].
func ParseRecord(line []byte) (Record, error) { return parseRecord(line, false) }

// parseRecord is ParseRecord; plainly leaves out the short cuts of package canon.
func parseRecord(line []byte, plainly bool) (Record, error) {
	var r Record
	err := parseLine(line, &r, plainly)
	if err == nil {
		err = r.E.check()
	}
	if err == nil {
		return r, nil
	}
	var peek struct {
		E struct {
			Audit struct {
				Schema struct {
					Version *string `json:"version"`
				} `json:"schema"`
			} `json:"audit"`
		} `json:"e"`
	}
	if canon.Peek(line, &peek) == nil {
		if got := peek.E.Audit.Schema.Version; got != nil && *got != SchemaVersion {
			err = &SchemaError{SchemaVersion, *got}
		}
	}
	return Record{}, err
}

func marshalLine(v any) ([]byte, error) {
	line, err := canon.Marshal(v)
	if err == nil && len(line) > limits.Line {
		err = fmt.Errorf("a line of %d bytes: the limit is %d", len(line), limits.Line)
	}
	return line, err
}

func parseLine(line []byte, v any, plainly bool) error {
	if len(line) > limits.Line {
		return fmt.Errorf("a line of %d bytes: the limit is %d", len(line), limits.Line)
	}
	if plainly {
		return canon.UnmarshalPlainly(line, v)
	}
	return canon.Unmarshal(line, v)
}

// Every member of a line but the document has a fixed length, so the bytes that were
// hashed are found by position. The document need not be encoded again for that, and
// it works on a line whose document is damaged.
const (
	digestLen = len("sha256:") + 2*len(sign.Digest{})
	sigLen    = 88

	hAt        = len(`{"H_k":"`)
	eventAt    = hAt + digestLen + len(`","e":`)
	genesisAt  = hAt + digestLen + len(`","genesis":`)
	sigFromEnd = sigLen + len(`"}`)
	genesisEnd = sigFromEnd + len(`,"sig_0":"`)
	eventEnd   = sigFromEnd + len(`,"id_k":"","sig_k":"`) + digestLen
)

// eventBytes returns the canonical event inside a line that ParseRecord accepts.
func eventBytes(line []byte) []byte { return between(line, eventAt, eventEnd) }

// genesisBytes returns the canonical genesis inside a line that ParseHeader accepts.
func genesisBytes(line []byte) []byte { return between(line, genesisAt, genesisEnd) }

// between returns line without first bytes at its start and last bytes at its end, or
// nil if it is shorter than those.
func between(line []byte, first, last int) []byte {
	if len(line) < first+last {
		return nil
	}
	return line[first : len(line)-last]
}

// salvaged is the head and the signature of a damaged line, read at the positions
// where they should be; nil where there is none.
type salvaged struct {
	h      *sign.Digest
	sig    *sign.Signature
	signed sigState // of sig over h
}

func salvage(line []byte) (r salvaged) {
	if len(line) < hAt+digestLen+sigFromEnd {
		return r
	}
	if h, err := sign.ParseDigest(string(line[hAt : hAt+digestLen])); err == nil {
		r.h = &h
	}
	if sig, err := sign.ParseSignature(string(line[len(line)-sigFromEnd:][:sigLen])); err == nil {
		r.sig = &sig
	}
	return r
}

// clip shortens a text from outside for an error message.
func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "..."
	}
	return s
}

// check returns the first rule that a genesis in canonical form breaks.
func (g *Genesis) check() error {
	if g.Schema != Schema {
		return &SchemaError{Schema, g.Schema}
	}
	switch g.Purpose {
	case PurposeRun:
		if !isRunID(g.Run.ID) {
			return fmt.Errorf("run.id %+q: a run's is 32 lower-case hexadecimal digits", clip(g.Run.ID))
		}
		for _, m := range []struct {
			name string
			hash *sign.Digest
		}{
			{"EnvLock.fingerprint", g.EnvLock.Fingerprint},
			{"PipelineCard.hash", g.PipelineCard.Hash},
			{"ParamCard.hash", g.ParamCard.Hash},
		} {
			if m.hash == nil {
				return fmt.Errorf("%s is null; a run has one", m.name)
			}
		}
	case PurposeLedger:
		if err := checkName("run.id", g.Run.ID); err != nil {
			return err
		}
	default:
		return fmt.Errorf("purpose %+q is neither %q nor %q", clip(g.Purpose), PurposeRun, PurposeLedger)
	}
	if g.Product != "" {
		if err := checkName("product", g.Product); err != nil {
			return err
		}
	}
	if g.Continues != nil && g.Continues.K < 0 {
		return fmt.Errorf("continues.k is %d", g.Continues.K)
	}
	if g.Root != nil && g.Root.Version < 1 {
		return fmt.Errorf("root.version is %d", g.Root.Version)
	}
	if err := checkSet("delegation", g.Delegation); err != nil {
		return err
	}
	return checkSet("details", g.Details)
}

// check returns the first rule that an event in canonical form breaks. What depends
// on other lines, and whether items and seed are right, is judged elsewhere.
func (e *Event) check() error {
	if v := e.Audit.Schema.Version; v != SchemaVersion {
		return &SchemaError{SchemaVersion, v}
	}
	if e.K < 1 {
		return fmt.Errorf("k is %d; the first event is 1", e.K)
	}
	if !isAction(e.Action) {
		return fmt.Errorf("action %+q is not words of a-z joined by dots", clip(e.Action))
	}
	if e.Actor.Commit == nil && e.Actor.String() == "" {
		return errors.New("actor is missing")
	}
	if e.Path.Value != nil && !canon.Printable(*e.Path.Value) {
		return fmt.Errorf("path %+q has a character outside U+0020 to U+007E", clip(*e.Path.Value))
	}
	switch e.Status {
	case StatusOK, StatusFailed, StatusAborted:
	case "":
		// A verification claims the outcome of the run by this status.
		if e.Action == ActionRunEnd {
			return fmt.Errorf("%s has no status", ActionRunEnd)
		}
	default:
		return fmt.Errorf("status %+q is not %s, %s or %s", clip(e.Status), StatusOK, StatusFailed, StatusAborted)
	}
	for _, err := range []error{
		checkText("actor", e.Actor),
		checkText("path", e.Path),
		checkText("notes", e.Notes),
		checkText("error", e.Error),
		checkName("clock", e.Clock),
		checkName("run.id", e.Run.ID),
		checkItems("inputs", e.Inputs.Items),
		checkItems("outputs", e.Outputs.Items),
		checkSet("details", e.Details),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

func isRunID(s string) bool {
	return len(s) == 32 && strings.Trim(s, "0123456789abcdef") == ""
}

// isAction reports whether s is [a-z]+(\.[a-z_]+)*.
func isAction(s string) bool {
	for i, word := range strings.Split(s, ".") {
		letters := "abcdefghijklmnopqrstuvwxyz_"
		if i == 0 {
			letters = letters[:26]
		}
		if word == "" || strings.Trim(word, letters) != "" {
			return false
		}
	}
	return true
}

// isSeed reports whether s is an unsigned 64-bit number in its only spelling.
func isSeed(s string) bool {
	n, err := strconv.ParseUint(s, 10, 64)
	return err == nil && strconv.FormatUint(n, 10) == s
}

func checkName(member, s string) error {
	switch {
	case s == "":
		return fmt.Errorf("%s is empty", member)
	case !canon.Printable(s):
		return fmt.Errorf("%s %+q has a character outside U+0020 to U+007E", member, clip(s))
	}
	return nil
}

// checkText returns an error for a text that is not UTF-8.
func checkText(member string, t Text) error {
	if t.Value != nil && !utf8.ValidString(*t.Value) {
		return fmt.Errorf("%s %+q is not UTF-8", member, clip(*t.Value))
	}
	return nil
}

func checkItems(member string, items []Item) error {
	for i, it := range items {
		if err := checkName("uri", it.URI); err != nil {
			return fmt.Errorf("%s.items: %w", member, err)
		}
		if i > 0 && items[i-1].URI >= it.URI {
			return fmt.Errorf("%s.items: uri %+q is out of order or occurs twice", member, clip(it.URI))
		}
	}
	return nil
}

// checkSet returns an error for an optional member that is null: one without a value
// is left out.
func checkSet(member string, v canon.Value) error {
	if v.Kind() == 'n' {
		return fmt.Errorf("%s is null; leave it out", member)
	}
	return nil
}
