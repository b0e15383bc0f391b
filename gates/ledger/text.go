package ledger

import (
	"math/big"
	"time"

	"github.com/relseal/relseal/sign"
)

// stamp shows a time as decisions do: RFC 3339 with as many decimals as it takes.
func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.999Z") }

// seconds shows a length of time as decisions do: exactly.
func seconds(ms int64) string {
	r := big.NewRat(ms, 1000)
	digits, _ := r.FloatPrec()
	return r.FloatString(digits) + " s"
}

// short cuts a digest to what the eye can compare.
func short(d sign.Digest) string { return "sha256:" + d.Hex()[:12] + ".." }
