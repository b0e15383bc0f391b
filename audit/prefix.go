package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"hash"

	"github.com/relseal/relseal/sign"
)

// A prefixSum computes SHA-256 of texts that begin alike: the state after the
// common blocks is kept (package hash: a Hash of the standard library can be saved
// and restored), so that of each text only the rest is hashed. Half of an event is
// the same from one to the next: the fingerprints and digests of its run.
//
// A state is used for the bytes alone that it was computed from.
type prefixSum struct {
	hash  hash.Hash
	begun [8]begunSum // by length of the action, which is in the middle of that half
	sum   []byte
}

// A begunSum is the state of SHA-256 after text, a whole number of blocks.
type begunSum struct{ text, state []byte }

func newPrefixSum() *prefixSum { return &prefixSum{hash: sha256.New()} }

// of returns the SHA-256 of text. Its first n bytes are likely to come again with
// another text of this kind.
func (p *prefixSum) of(text []byte, n, kind int) sign.Digest {
	n -= n % sha256.BlockSize
	b := &p.begun[kind%len(p.begun)]
	if !bytes.Equal(b.text, text[:n]) || !p.restore(b) {
		p.hash.Reset()
		p.hash.Write(text[:n])
		p.save(b, text[:n])
	}
	p.hash.Write(text[n:])
	p.sum = p.hash.Sum(p.sum[:0])
	return sign.Digest(p.sum)
}

func (p *prefixSum) save(b *begunSum, text []byte) {
	b.text = b.text[:0]
	if h, ok := p.hash.(encoding.BinaryAppender); ok {
		if state, err := h.AppendBinary(b.state[:0]); err == nil {
			b.text, b.state = append(b.text, text...), state
		}
	}
}

func (p *prefixSum) restore(b *begunSum) bool {
	h, ok := p.hash.(encoding.BinaryUnmarshaler)
	return ok && h.UnmarshalBinary(b.state) == nil
}
