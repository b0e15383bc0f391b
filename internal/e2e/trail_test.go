package e2e

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

// byHand follows a trail with sha256sum, xxd and openssl: every id, every head
// and every signature, from the genesis to the end that the manifest pins.
const byHand = `
signed() { # HEAD: the signature in s.bin is over its 32 bytes
	printf %s "$1" | xxd -r -p > h.bin
	openssl pkeyutl -verify -rawin -pubin -inkey release.pub -in h.bin -sigfile s.bin
}

head -n 1 audit/trail.jsonl > line.json
P=$(jq -cSj .genesis line.json | sha256sum | cut -c 1-64)
test "sha256:$P" = "$(jq -r .H_0 line.json)"
test "sha256:$P" = "$(jq -r '.trails[0].H_0' manifest.json)"
jq -rj .sig_0 line.json | base64 -d > s.bin
signed "$P"

K=0
while IFS= read -r line; do
	printf '%s\n' "$line" > line.json
	ID=$(jq -cSj .e line.json | sha256sum | cut -c 1-64)
	test "sha256:$ID" = "$(jq -r .id_k line.json)"
	H=$({ printf %s "$P"; printf %s "$ID"; } | xxd -r -p | sha256sum | cut -c 1-64)
	test "sha256:$H" = "$(jq -r .H_k line.json)"
	jq -rj .sig_k line.json | base64 -d > s.bin
	signed "$H"
	P=$H K=$((K + 1))
	test "$K" = "$(jq .e.k line.json)"
done < <(tail -n +2 audit/trail.jsonl)

test "$K" = "$(jq '.trails[0].K' manifest.json)"
test "sha256:$P" = "$(jq -r '.trails[0].H_K' manifest.json)"
echo "$K events"
`

// TestTrailByHand follows the trail of the run in both bundles.
func TestTrailByHand(t *testing.T) {
	need(t, "jq", "base64", "xxd", "sha256sum", "openssl", "tar", "zstd")
	q := quickstart(t)
	for _, file := range q.bundles {
		t.Run(kind(file), func(t *testing.T) {
			t.Parallel()
			dir := unpack(t, q, file)
			if kind(file) == "release" {
				if e := bash(t, dir, `mkdir in && tar --zstd -xf evidence/*.audit.tar.zst -C in && cp release.pub in`); e.code != 0 {
					t.Fatalf("exit %d\n%s", e.code, e)
				}
				dir = filepath.Join(dir, "in")
			}
			e := bash(t, dir, byHand)
			// Five steps with a start and an end, and the run's own three events.
			if e.code != 0 || !strings.HasSuffix(e.stdout, "\n13 events\n") {
				t.Fatalf("exit %d\n%s", e.code, e)
			}
			for _, name := range drawn(t, damages) {
				edit := damages[name]
				undo := rewrite(t, filepath.Join(dir, "audit", "trail.jsonl"), func(b []byte) []byte {
					return bytes.Join(edit(bytes.SplitAfter(b, []byte("\n"))), nil)
				})
				if e := bash(t, dir, byHand); e.code != 1 {
					t.Errorf("%s: exit %d, want 1\n%s", name, e.code, e)
				}
				undo()
			}
		})
	}
}

var damages = map[string]func(lines [][]byte) [][]byte{
	"an event edited": func(l [][]byte) [][]byte {
		l[3] = bytes.Replace(l[3], []byte(`"status":"ok"`), []byte(`"status":"no"`), 1)
		return l
	},
	"an event deleted":     func(l [][]byte) [][]byte { return append(l[:4], l[5:]...) },
	"two events swapped":   func(l [][]byte) [][]byte { l[4], l[5] = l[5], l[4]; return l },
	"the last event cut":   func(l [][]byte) [][]byte { return l[:len(l)-2] },
	"the genesis edited":   func(l [][]byte) [][]byte { l[0] = bytes.Replace(l[0], []byte("greetd"), []byte("greetz"), 1); return l },
	"a signature replaced": func(l [][]byte) [][]byte { return swapSignature(l) },
}

// swapSignature gives event 5 the signature of event 6.
func swapSignature(l [][]byte) [][]byte {
	sig := func(line []byte) []byte { return line[bytes.LastIndex(line, []byte(`"sig_k":`)):] }
	l[5] = append(bytes.TrimSuffix(l[5], sig(l[5])), sig(l[6])...)
	return l
}
