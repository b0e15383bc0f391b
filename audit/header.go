package audit

import (
	"github.com/relseal/relseal/internal/canon"
	"github.com/relseal/relseal/internal/finding"
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
	j.genesis = &g
	computed := sign.Sum(genesisBytes(line.text))

	var fault *finding.Finding
	if computed != h.H0 {
		f := finding.New(finding.Genesis, "", "H_0 is not the digest of the genesis").At(0).
			Differs(computed.String(), h.H0.String())
		fault = &f
		// An edited pk_ref is not worth a finding of its own.
		j.trust.lookUp(j.o.Keys, g.Verifier.PKRef)
	} else {
		j.bind(g.Run.ID, g.EnvLock, g.PipelineCard, g.ParamCard, g.Verifier.PKRef)
		if j.trust.known && !j.trust.signed(h.H0, h.Sig, untried) {
			f := finding.New(finding.Genesis, "", "sig_0 is not the key's signature of H_0").At(0)
			fault = &f
		}
	}
	j.h0, _ = j.trust.resume(remains{h: &h.H0, sig: &h.Sig}, &computed)
	j.chain.at = place{head: j.h0, known: true}
	if fault != nil {
		j.report(*fault)
		j.intact, j.adopt = false, true
	} else {
		j.times = times{ts: g.Created, some: true}
	}
	if !line.lf {
		j.truncated(0, "the last line has no LF")
	}
	return true
}

// badHeader judges a line 0 that is not one.
func (j *judge) badHeader(line rawLine, err error) (goOn bool) {
	f := badLine(line, err).At(0)
	j.intact, j.adopt = false, true
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
