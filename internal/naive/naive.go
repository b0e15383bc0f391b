// Package naive verifies a trail the straightforward way: as somebody would who
// has read docs/format.md and has the standard library and an afternoon. Nothing
// relies on it. It is what the verifier of package audit is measured against, in
// the benchmarks and by `relseal bench verify`.
//
// It checks less: not that a line is canonical, nor what an event says beyond
// number, run and key; and it stops at the first fault.
package naive

import (
	"bufio"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

type event struct {
	K   int64 `json:"k"`
	Run struct {
		ID string `json:"id"`
	} `json:"run"`
	Verifier struct {
		PKRef string `json:"pk_ref"`
	} `json:"verifier"`
}

// Verify reads a trail and returns the number of events before the first fault.
func Verify(r io.Reader, key ed25519.PublicKey) (int64, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20+1)
	lines.Scan()
	var header struct {
		H0      string          `json:"H_0"`
		Genesis json.RawMessage `json:"genesis"`
		Sig     string          `json:"sig_0"`
	}
	if err := json.Unmarshal(lines.Bytes(), &header); err != nil {
		return 0, err
	}
	var first event
	if err := json.Unmarshal(header.Genesis, &first); err != nil {
		return 0, err
	}
	head := sha256.Sum256(header.Genesis)
	if text(head) != header.H0 || !signed(key, head, header.Sig) {
		return 0, errors.New("line 0 is not what was signed")
	}
	var k int64
	for lines.Scan() {
		var line struct {
			H   string          `json:"H_k"`
			E   json.RawMessage `json:"e"`
			ID  string          `json:"id_k"`
			Sig string          `json:"sig_k"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return k, err
		}
		var e event
		if err := json.Unmarshal(line.E, &e); err != nil {
			return k, err
		}
		id := sha256.Sum256(line.E)
		head = sha256.Sum256(append(head[:], id[:]...))
		switch {
		case e.K != k+1 || e.Run != first.Run || e.Verifier != first.Verifier:
			return k, fmt.Errorf("event %d is another", k+1)
		case text(id) != line.ID || text(head) != line.H:
			return k, fmt.Errorf("event %d is not in the chain", k+1)
		case !signed(key, head, line.Sig):
			return k, fmt.Errorf("event %d is not signed", k+1)
		}
		k++
	}
	return k, lines.Err()
}

func text(d [32]byte) string { return fmt.Sprintf("sha256:%x", d) }

func signed(key ed25519.PublicKey, head [32]byte, sig string) bool {
	raw, err := base64.StdEncoding.DecodeString(sig)
	return err == nil && ed25519.Verify(key, head[:], raw)
}
