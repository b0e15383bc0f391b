package main

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
)

// header names the columns: wall time and monotonic time in seconds, and the
// prediction.
var header = []string{"ts", "tau_mono", "y"}

// writeSeries writes a series as CSV.
func writeSeries(w io.Writer, ts, tau [samples]int64, y []float64) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s,%s,%s\n", header[0], header[1], header[2])
	for n, v := range y {
		fmt.Fprintf(b, "%s,%s,%s\n", fixed(ts[n], 6), fixed(tau[n], 6), decimal(v))
	}
	return b.Flush() // reports what failed before, too
}

// decimal writes v with nine digits after the point, and never as -0.
func decimal(v float64) string { return fixed(int64(math.Round(v*1e9)), 9) }

// fixed writes v / 10^digits.
func fixed(v int64, digits int) string {
	sign := ""
	if v < 0 {
		sign, v = "-", -v
	}
	s := fmt.Sprintf("%0*d", digits+1, v)
	return sign + s[:len(s)-digits] + "." + s[len(s)-digits:]
}

// readSeries returns two columns of a CSV: the monotonic times as they are
// written, and the predictions.
func readSeries(r io.Reader) (tau []string, y []float64, err error) {
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return nil, nil, err
	}
	for i, row := range rows {
		if i == 0 {
			if len(row) != len(header) || row[0] != header[0] || row[1] != header[1] || row[2] != header[2] {
				return nil, nil, fmt.Errorf("columns %q, want %q", row, header)
			}
			continue
		}
		v, err := strconv.ParseFloat(row[2], 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, nil, fmt.Errorf("line %d: y is %q", i+1, row[2])
		}
		tau, y = append(tau, row[1]), append(y, v)
	}
	return tau, y, nil
}
