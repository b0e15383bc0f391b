package audit

import "testing"

// TestReleasedBytes reads and writes a trail of 2026. The file never changes:
// what was signed then verifies for ever. Its key is the Ed25519 key whose seed
// is 32 bytes of 01.
func TestReleasedBytes(t *testing.T) {
	trail := read(t, "testdata/run-2026.jsonl")
	if trail != goodRun(t).String() {
		t.Error("the same events have other bytes now")
	}
	res := check(t, trail, nil)
	want(t, res, "")
	if res.K != 8 || !res.Closed {
		t.Errorf("summary %+v", res.Summary)
	}
}
