package audit

import (
	"fmt"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// A SchemaError reports a line of a format that this version does not know. It
// goes before any other fault of the line: those may be the later format's.
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

// parseHeader is ParseHeader with or without short cuts.
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

// parseRecord is ParseRecord with or without short cuts.
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

// Every member of a line but the document has a fixed length, so the bytes that
// were hashed are found by position. That saves writing the document out once
// more, and works on a line whose document is damaged.
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

// between returns line without its first and last so many bytes, nil if it is shorter.
func between(line []byte, first, last int) []byte {
	if len(line) < first+last {
		return nil
	}
	return line[first : len(line)-last]
}

// remains are what can be read of a damaged line at the places where it should be.
type remains struct {
	h      *sign.Digest
	sig    *sign.Signature
	signed verdict // of sig over h
}

func salvage(line []byte) (r remains) {
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

// clip keeps error lines short when the input is not.
func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "..."
	}
	return s
}
