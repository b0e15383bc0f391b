package power_test

import (
	"fmt"
	"strings"

	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/gates/power"
)

// A release is to pass that is 0.01 above tau_score, nine times in ten; one exactly at
// tau_score at most once in twenty.
func Example() {
	earlier, err := gates.ReadWindows("earlier.csv", strings.NewReader(`id,channel,start_ms,end_ms,score
a1,canary,1767000000000,1767000060000,0.974
a2,canary,1767000060000,1767000120000,0.981
a3,canary,1767000120000,1767000180000,0.969
a4,canary,1767000180000,1767000240000,0.977
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := power.Estimate(earlier, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	n, err := power.MinWindowsAlpha(s.S2, 0.01, 0.05, 0.1, s.Rho, 1)
	fmt.Println(n.W, err)
	// Output:
	// 3 <nil>
}

func ExampleMinWindows() {
	n, err := power.MinWindows(0.0004, 0.01, 0.1, 3)
	fmt.Println(n.W, err)
	n, err = power.MinWindowsAlpha(0.0004, 0.01, 0.05, 0.1, 0.5, 3)
	fmt.Println(n.W, err)
	// Output:
	// 7 <nil>
	// 103 <nil>
}
