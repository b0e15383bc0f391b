package docs

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/relseal/relseal/internal/testbundle"
)

// seal seals a run as far as what is left of it can be.
func seal(r *testbundle.Run) (f testbundle.Files, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return r.Seal(), nil
}

// A toldTrail is a trail with its first and its last head.
type toldTrail struct {
	text   []byte
	h0, hk string
}

// sealTrail returns the trail of a run over another genesis than its own.
func sealTrail(r *testbundle.Run, genesis testbundle.M) (sealed toldTrail) {
	sign := func(h string) string { return base64.StdEncoding.EncodeToString(r.Key.Sign(hashed(h))) }
	h0 := testbundle.Digest(testbundle.Canon(genesis))
	trail := append(testbundle.Canon(testbundle.M{"H_0": h0, "genesis": genesis, "sig_0": sign(h0)}), '\n')
	h := h0
	for k := range r.Events {
		e := r.Event(k + 1)
		id := testbundle.Digest(testbundle.Canon(e))
		h = testbundle.Digest(append(hashed(h), hashed(id)...))
		trail = append(append(trail, testbundle.Canon(testbundle.M{"H_k": h, "e": e, "id_k": id, "sig_k": sign(h)})...), '\n')
	}
	return toldTrail{trail, h0, h}
}

// sealOver seals a run over another genesis than its own.
func sealOver(r *testbundle.Run, genesis testbundle.M) testbundle.Files {
	trail := sealTrail(r, genesis)
	var manifest testbundle.M
	if err := json.Unmarshal(r.Seal()["manifest.json"], &manifest); err != nil {
		panic(err)
	}
	delete(manifest, "files")
	pin := manifest["trails"].([]any)[0].(map[string]any)
	pin["H_0"], pin["H_K"] = trail.h0, trail.hk
	files := r.Files()
	files[trailPath] = trail.text
	return testbundle.Seal(manifest, files, r.Key, testbundle.AuditPredicate)
}

// plain returns a copy of a document as encoding/json reads it.
func plain(doc testbundle.M) testbundle.M {
	var out testbundle.M
	d := json.NewDecoder(bytes.NewReader(testbundle.Canon(doc)))
	d.UseNumber()
	if err := d.Decode(&out); err != nil {
		panic(err)
	}
	return out
}

// alter changes one value somewhere in a document and tells what it did.
func alter(draw *rand.Rand, doc testbundle.M) string {
	copied := plain(doc)
	path := ""
	var at any = copied
	for {
		switch v := at.(type) {
		case map[string]any:
			names := slices.Sorted(maps.Keys(v))
			if len(names) == 0 || draw.IntN(12) == 0 {
				v["extra"] = value(draw, nil)
				maps.Copy(doc, copied)
				return path + ".extra added"
			}
			name := names[draw.IntN(len(names))]
			path += "." + name
			if deep(v[name]) && draw.IntN(8) > 0 {
				at = v[name]
				continue
			}
			if draw.IntN(6) == 0 {
				delete(v, name)
				delete(doc, name)
				path += " removed"
			} else {
				v[name] = value(draw, v[name])
				path += fmt.Sprintf(" = %v", v[name])
			}
		case []any:
			i := draw.IntN(len(v))
			path += fmt.Sprintf("[%d]", i)
			if deep(v[i]) && draw.IntN(8) > 0 {
				at = v[i]
				continue
			}
			if j := draw.IntN(len(v)); draw.IntN(3) == 0 {
				v[i], v[j] = v[j], v[i]
			} else {
				v[i] = value(draw, v[i])
				path += fmt.Sprintf(" = %v", v[i])
			}
		}
		maps.Copy(doc, copied)
		return path
	}
}

// deep reports whether there is something inside v.
func deep(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return true
	case []any:
		return len(v) > 0
	}
	return false
}

// value returns a value to stand where was was: another of its kind, or of
// another kind.
func value(draw *rand.Rand, was any) any {
	if s, ok := was.(string); ok && draw.IntN(2) == 0 {
		return []any{s + "x", strings.ToUpper(s), s + " ", s[:len(s)/2], " " + s}[draw.IntN(5)]
	}
	if n, ok := was.(json.Number); ok && draw.IntN(2) == 0 {
		i, _ := n.Int64()
		return []any{i + 1, i - 1, -i}[draw.IntN(3)]
	}
	return []any{
		nil, true, 0, 1, -1, 1 << 53, "", "x", "0", "-0", "1.50", "é", "a\tb\u2028<", []any{}, []any{"x"}, []any{"b", "a"}, testbundle.M{},
		testbundle.M{"commit": testbundle.Digest(nil)}, testbundle.Digest(nil), "ok", "failed", "2026-01-02T03:04:05.000000Z", "2026-02-30T03:04:05.000000Z",
	}[draw.IntN(23)]
}

// unseen is a promotion of a canary by a ledger that is not in the bundle.
func unseen(canary testbundle.Files) testbundle.Promotion {
	l := testbundle.NewLedger(releaseKey)
	for range 4 {
		l.Add(0, "note", testbundle.M{})
	}
	return testbundle.Promotion{Ledger: l, K: 4, Channel: "stable", From: []testbundle.Files{canary}, Policy: policy(),
		Decision: testbundle.M{}, Scores: testbundle.M{}, Windows: testbundle.M{"first": 1, "last": 3, "count": 3}, Without: true}
}

func policy() testbundle.M {
	return testbundle.M{
		"schema": "relseal/gates/v1", "mode": "literal", "r_canary": "0.05", "T_obs_ms": 1800000, "T_rollback_ms": 300000, "stale_max_ms": 120000,
		"W_min": 3, "N_LTS": 3, "gap_max_ms": 0, "skew_max_ms": 1000, "max_undecidable": 2, "tau_score": "0.95", "gate_rep": "0.02",
		"tau_psd": testbundle.M{"kind": "rel_l1", "max": "0.05"}, "tau_tb": testbundle.M{"kind": "rms", "unit": "s", "max": "0.001"},
		"tau_hb": "5", "tau_drop": "0.01", "tau_inc": "0.1",
	}
}
