package capture

import (
	"runtime"
	"slices"

	"github.com/relseal/relseal/envlock"
)

// floatingPoint adds with which rounding a new process computes, whether it
// flushes subnormal results (ftz) and operands (daz) to zero, and whether the
// processor can multiply and add in one rounding (fma), by which libm and BLAS
// choose their code. The first three are measured in this process: they are what
// the system gives to every program, and not what a program makes of them, as
// one linked with -ffast-math does.
func (m *machine) floatingPoint(c envlock.Component) {
	a := arithmetic{
		add: func(x, y float64) float64 { return x + y },
		mul: func(x, y float64) float64 { return x * y },
	}
	c["round_mode"] = text(a.roundMode())
	c["ftz"] = text(onOff(a.ftz()))
	c["daz"] = text(onOff(a.daz()))
	if v, ok := m.fma(); ok {
		c["fma"] = v
	}
}

// arithmetic is that of the processor, or in tests of a processor in another
// mode. Being behind functions it also escapes the compiler, which computes
// constants as if rounding were to nearest.
type arithmetic struct {
	add, mul func(x, y float64) float64
}

// roundMode adds what is too small to matter, unless rounding is not to nearest.
func (a arithmetic) roundMode() string {
	const tiny = 0x1p-60
	switch {
	case a.add(1, tiny) > 1:
		return "upward"
	case a.add(-1, -tiny) < -1:
		return "downward"
	case a.add(1, -tiny) < 1:
		return "toward zero"
	default:
		return "nearest"
	}
}

const (
	smallestNormal = 0x1p-1022
	subnormal      = 0x1p-1023
)

func (a arithmetic) ftz() bool { return a.mul(smallestNormal, 0.5) == 0 }
func (a arithmetic) daz() bool { return a.mul(subnormal, 2) == 0 }

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// fma is part of most architectures; on x86 it is a flag of the CPU.
func (m *machine) fma() (v *string, known bool) {
	switch runtime.GOARCH {
	case "arm64", "ppc64", "ppc64le", "riscv64", "s390x", "loong64":
		return text("yes"), true
	case "386", "amd64":
		if !m.linux {
			return nil, false
		}
		flags := m.cpuinfo().flags
		switch {
		case flags == nil:
			return nil, true
		case slices.Contains(flags, "fma"):
			return text("yes"), true
		default:
			return text("no"), true
		}
	default:
		return nil, false
	}
}
