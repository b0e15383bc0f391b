// Mleval evaluates a new implementation of a small learned model against its
// reference. The model predicts a noisy resonance from its own past; the new
// implementation computes with 8-bit weights and integers.
//
//	mleval ref -seed N              predictions of the reference, as CSV
//	mleval new -seed N              those of the new implementation
//	mleval report REF.csv NEW.csv   delta_rep, a number
//
// Everything is a function of the seed: the same seed gives the same bytes, on
// every machine.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "mleval: error:", err)
		}
		os.Exit(1)
	}
}

var errUsage = errors.New("want ref -seed N, new -seed N, or report REF.csv NEW.csv")

// run is main with its surroundings as arguments.
func run(args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return errUsage
	}
	switch args[0] {
	case "ref":
		return evaluate(args, stdout, stderr, predictReference, streamRefClock)
	case "new":
		return evaluate(args, stdout, stderr, predictQuantized, streamNewClock)
	case "report":
		if len(args) != 3 {
			return errUsage
		}
		delta, err := report(args[1], args[2])
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(stdout, decimal(delta))
		return err
	}
	return errUsage
}

// evaluate learns the model and writes what predict makes of it.
func evaluate(args []string, stdout, stderr io.Writer, predict func([order]float64, []float64) []float64, clock stream) error {
	flags := flag.NewFlagSet("mleval "+args[0], flag.ContinueOnError)
	flags.SetOutput(stderr)
	text := flags.String("seed", "", "`seed`, that of the PipelineCard")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return errUsage
	}
	seed, err := parseSeed(*text)
	if err != nil {
		return err
	}
	x := signal(seed)
	ts, tau := stamps(seed, clock)
	return writeSeries(stdout, ts, tau, predict(fit(x[:train]), x))
}
