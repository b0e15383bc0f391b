package gates

import "io"

// A NumberedWindow is a window and the line that it stands in, from 1.
type NumberedWindow struct {
	Line   int
	Window Window
}

// A RefusedLine is a line that is no window, and why.
type RefusedLine struct {
	Line int // from 1
	Text string
}

// ReadNumbered is [ReadWindows] for those who go on after a line that is no
// window. The error is of reading.
func ReadNumbered(file string, r io.Reader) (windows []NumberedWindow, refused []RefusedLine, err error) {
	all, err := readWindows(file, r)
	if err != nil {
		return nil, nil, err
	}
	all.err() // puts them in order
	for i, w := range all.out {
		windows = append(windows, NumberedWindow{all.lines[i], w})
	}
	for _, f := range all.faults {
		line := f.Line
		f.File, f.Line = "", 0
		refused = append(refused, RefusedLine{line, f.String()})
	}
	return windows, refused, nil
}
