package audit

import (
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// header judges line 0. It returns false if nothing after it can be understood.
func (j *judge) header(line rawLine) (goOn bool) {
	var h Header
	var err error
	if !line.long() {
		h, err = parseHeader(line.text, j.o.Plain)
	}
	if line.long() || err != nil {
		return j.badHeader(line, err)
	}
	g := h.Genesis
	j.genesis, j.order.part = &g, g.Continues != nil
	computed := sign.Sum(genesisBytes(line.text))

	fault := j.genesisFault(&h, computed)
	j.h0, _ = j.trust.resume(remains{h: &h.H0, sig: &h.Sig}, &computed)
	if fault != nil {
		j.report(*fault)
		j.doubtGenesis()
	} else {
		j.times = times{ts: g.Created, some: true}
	}
	j.chain.at = place{head: j.h0, known: true}
	if !line.lf {
		j.truncated(0, "the last line has no LF")
	}
	return true
}

// genesisFault returns what is wrong with a line 0 that can be read, or nil.
func (j *judge) genesisFault(h *Header, computed sign.Digest) *finding.Finding {
	fault := func(f finding.Finding) *finding.Finding { return &f }
	g, pin := &h.Genesis, j.o.Pinned
	if computed == h.H0 && (pin == nil || h.H0 == *pin) {
		j.bind(g.Run.ID, g.EnvLock, g.PipelineCard, g.ParamCard, g.Verifier.PKRef)
	} else {
		// The key of a genesis that is not the right one is not worth a finding.
		j.trust.lookUp(j.o.Keys, g.Verifier.PKRef)
	}
	switch {
	case computed != h.H0:
		return fault(finding.New(finding.Genesis, "", "H_0 is not the digest of the genesis").At(0).
			Differs(computed.String(), h.H0.String()))
	case j.trust.known && !j.trust.signed(h.H0, h.Sig, untried):
		return fault(finding.New(finding.Genesis, "", "sig_0 is not the key's signature of H_0").At(0))
	case pin != nil && h.H0 != *pin:
		return fault(finding.New(finding.Genesis, "", "another genesis than the manifest pins: H_0 differs").At(0).
			Differs(pin.String(), h.H0.String()))
	default:
		return nil
	}
}

// doubtGenesis goes on after a line 0 that has a finding.
func (j *judge) doubtGenesis() {
	j.intact, j.adopt = false, true
	if pin := j.o.Pinned; pin != nil {
		j.chain.alt, j.chain.forked = place{head: *pin, known: true}, true
	}
}

// badHeader judges a line 0 that is not one.
func (j *judge) badHeader(line rawLine, err error) (goOn bool) {
	f := badLine(line, err).At(0)
	j.doubtGenesis()
	if f.Code == finding.SchemaMismatch {
		j.report(f)
		return false
	}
	if _, err := ParseRecord(line.text); err == nil {
		// The genesis was cut off. The event is judged as one.
		f.Text = "the trail starts with an event, not with its genesis"
		j.report(f)
		j.line(line)
		return true
	}
	j.report(f)

	// No key is known yet that could say which of the two heads is right.
	g := genesisBytes(line.text)
	switch rest := salvage(line.text); {
	case rest.h != nil:
		j.h0 = *rest.h
	case g != nil && canon.Check(g) == nil:
		j.h0 = sign.Sum(g)
	default:
		return true
	}
	j.chain.at = place{head: j.h0, known: true}
	return true
}
