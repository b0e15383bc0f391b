package gates

import (
	"io"

	"github.com/relseal/relseal/internal/yamldoc"
)

// A NumberedWindow is a window and the line that it stands in, from 1.
type NumberedWindow struct {
	Line   int
	Window Window
}

// ReadNumbered is [ReadWindows] for those who go on after a line that is no
// window: faults are those lines, nil if there are none. The error is of reading.
func ReadNumbered(file string, r io.Reader) (windows []NumberedWindow, faults yamldoc.Faults, err error) {
	all, err := readWindows(file, r)
	if err != nil {
		return nil, nil, err
	}
	all.err() // puts them in order
	for i, w := range all.out {
		windows = append(windows, NumberedWindow{all.lines[i], w})
	}
	return windows, all.faults, nil
}
