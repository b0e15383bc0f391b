package clock

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

func TestBootName(t *testing.T) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil || shifted() {
		t.Skip("no boot id here")
	}
	sum := sha256.Sum256([]byte("relseal clock\n" + strings.TrimSpace(string(id))))
	if _, _, name := System().Now(); name != hex.EncodeToString(sum[:])[:32] {
		t.Errorf("name %s", name)
	}
}
