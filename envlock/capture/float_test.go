package capture

import (
	"math"
	"math/big"
	"runtime"
	"testing"
)

// processor returns the arithmetic of one in another mode, computed exactly and
// then rounded.
func processor(mode big.RoundingMode, ftz, daz bool) arithmetic {
	flush := func(on bool, x float64) float64 {
		if on && math.Abs(x) < smallestNormal {
			return 0
		}
		return x
	}
	do := func(op func(z, x, y *big.Float) *big.Float) func(x, y float64) float64 {
		return func(x, y float64) float64 {
			z := new(big.Float).SetPrec(53).SetMode(mode)
			op(z, big.NewFloat(flush(daz, x)), big.NewFloat(flush(daz, y)))
			v, _ := z.Float64()
			return flush(ftz, v)
		}
	}
	return arithmetic{add: do((*big.Float).Add), mul: do((*big.Float).Mul)}
}

func TestFloatingPoint(t *testing.T) {
	for mode, want := range map[big.RoundingMode]string{
		big.ToNearestEven: "nearest", big.ToPositiveInf: "upward", big.ToNegativeInf: "downward", big.ToZero: "toward zero",
	} {
		for _, ftz := range []bool{false, true} {
			for _, daz := range []bool{false, true} {
				a := processor(mode, ftz, daz)
				if a.roundMode() != want || a.ftz() != ftz || a.daz() != daz {
					t.Errorf("measured %s, ftz %v, daz %v; want %s, %v, %v", a.roundMode(), a.ftz(), a.daz(), want, ftz, daz)
				}
			}
		}
	}
}

func TestFMA(t *testing.T) {
	fma := func(flags string) string {
		dir := t.TempDir()
		tree{"/proc/cpuinfo": "processor : 0\n" + flags}.write(t, dir)
		v, _ := (&machine{root: root(dir), linux: true}).fma()
		return show(v)
	}
	switch runtime.GOARCH {
	case "386", "amd64":
		for flags, want := range map[string]string{"flags : avx fma\n": "yes", "flags : avx fma4\n": "no", "": "null or absent"} {
			if got := fma(flags); got != want {
				t.Errorf("%q: %s, want %s", flags, got, want)
			}
		}
	case "arm64":
		if got := fma(""); got != "yes" {
			t.Errorf("arm64 has it, got %s", got)
		}
	default:
		t.Skip("what " + runtime.GOARCH + " has is not known to this test")
	}
}
