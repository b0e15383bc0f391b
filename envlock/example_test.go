package envlock_test

import (
	"fmt"

	"github.com/relseal/relseal/envlock"
)

func ExampleDiff() {
	text := func(s string) *string { return &s }
	lock := func(kernel, gcc string) envlock.Lock {
		return envlock.Lock{
			Schema: envlock.Schema,
			Env: envlock.Components{
				Kernel:    envlock.Component{"release": text(kernel)},
				Compilers: envlock.Component{"gcc.version": text(gcc)},
			},
		}
	}
	released := lock("6.1.0-21-amd64", "gcc (Debian 12.2.0-14) 12.2.0")
	rebuilt := lock("6.1.0-21-amd64", "gcc (Debian 13.3.0-5) 13.3.0")
	for _, d := range envlock.Diff(released, rebuilt) {
		fmt.Println(d)
	}
	// Output:
	// compilers gcc.version: "gcc (Debian 12.2.0-14) 12.2.0" -> "gcc (Debian 13.3.0-5) 13.3.0"
}
