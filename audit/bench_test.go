package audit

import (
	"strings"
	"testing"
)

// BenchmarkCheck counts an event as one operation.
func BenchmarkCheck(b *testing.B) {
	drafts := make([]Draft, 1000)
	for i := range drafts {
		drafts[i] = note("a note of usual length, such as a tool would write")
	}
	trail := newMaker(b, ledgerGenesis(), nil).add(drafts, nil).String()
	b.SetBytes(int64(len(trail)) / int64(len(drafts)))
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += len(drafts) {
		sum, err := Check(strings.NewReader(trail), CheckOptions{Keys: trusted, Bare: true})
		if err != nil || sum.K != int64(len(drafts)) || sum.Key == nil {
			b.Fatal(sum, err)
		}
	}
}
