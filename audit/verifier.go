package audit

import (
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/sign/comb"
)

// A verifier checks signatures by one key, many at a time, before it is known
// whether they are needed. Several goroutines may use it.
type verifier struct {
	key  sign.PublicKey
	many *comb.Verifier // nil: crypto/ed25519 alone
}

// many returns what tries the signatures of what is read now, nil as long as it may turn
// out that another key signs.
func (j *judge) many() *verifier {
	if !j.trust.known || j.adopt {
		return nil
	}
	if j.verifier == nil || j.verifier.key != j.trust.key {
		j.verifier = &verifier{key: j.trust.key}
		if !j.o.Plain && !j.o.oneByOne {
			j.verifier.many = comb.New(j.trust.key)
		}
	}
	return j.verifier
}

// A trial is the memory for the signatures of a chunk.
type trial struct {
	heads [][]byte
	sigs  []sign.Signature
	ok    []bool
}

// try finds out which of the entries are signed.
func (v *verifier) try(entries []entry, t *trial) {
	if v.many == nil {
		for i := range entries {
			if e := &entries[i]; e.event() {
				e.set(v.key.Verify(e.H[:], e.Sig))
			}
		}
		return
	}
	t.heads, t.sigs, t.ok = t.heads[:0], t.sigs[:0], t.ok[:0]
	for i := range entries {
		if e := &entries[i]; e.event() {
			t.heads, t.sigs, t.ok = append(t.heads, e.H[:]), append(t.sigs, e.Sig), append(t.ok, false)
		}
	}
	v.many.Verify(t.heads, t.sigs, t.ok)
	n := 0
	for i := range entries {
		if e := &entries[i]; e.event() {
			e.set(t.ok[n])
			n++
		}
	}
}

// event reports whether the line is an event.
func (e *entry) event() bool { return e.err == nil && !e.line.long() }

func (e *entry) set(ok bool) {
	e.signed = fails
	if ok {
		e.signed = holds
	}
}
