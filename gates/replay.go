package gates

import (
	"fmt"
	"slices"

	"github.com/relseal/relseal/sign"
)

// A Replayed is what became of a recorded decision when it was made again.
type Replayed struct {
	// Missing says why it cannot be made again: another policy, other windows,
	// semantics that this version does not know. Then the rest is empty.
	Missing []string
	// Differences are the members of the record that do not follow.
	Differences []MemberDifference
	Decision    Decision // what follows
}

// A MemberDifference is one member of two documents, by its jq path; values are
// canonical JSON, or "absent".
type MemberDifference struct {
	Name     string `json:"name"`
	Recorded string `json:"recorded"`
	Follows  string `json:"follows"`
}

// Replay makes a recorded decision again, from the policy and the windows that it
// names by digest. ws may hold more: windows of other releases, and those that came
// after the decision, in the order of their arrival or later than its now.
func Replay(d Decision, p Policy, ws []Window) (Replayed, error) {
	var r Replayed
	if d.Semantics != Semantics {
		r.Missing = append(r.Missing, fmt.Sprintf("semantics: the record has %s, this version knows %s", quote(d.Semantics), Semantics))
	}
	data, err := p.Marshal()
	if err != nil {
		return Replayed{}, err
	}
	switch digest := sign.Sum(data); {
	case d.Policy.Digest == nil:
		r.Missing = append(r.Missing, "policy: the record names none")
	case *d.Policy.Digest != digest:
		r.Missing = append(r.Missing, fmt.Sprintf("policy: the record was made by %v, this one is %v", d.Policy.Digest, digest))
	}
	in := Input{Channel: d.Channel, Release: d.Release, SinceMS: d.SinceMS, NowMS: d.NowMS}
	again, found, err := d.sameWindows(p, in, ws)
	if err != nil {
		return Replayed{}, err
	}
	if !found {
		r.Missing = append(r.Missing, d.otherWindows(again, ws)...)
	}
	if len(r.Missing) > 0 {
		return r, nil
	}
	r.Decision = again
	r.Differences, err = compareDocuments(d, again)
	return r, err
}

// sameWindows decides over that part of ws which the record saw: all of it; as
// many as it saw, if the file has grown since; or those that had ended then. The
// root tells. If none is it, the decision is that over all.
func (d Decision) sameWindows(p Policy, in Input, ws []Window) (again Decision, found bool, err error) {
	j := &judge{rules: &gate1, p: p, in: in}
	arrived := slices.DeleteFunc(slices.Clone(ws), func(w Window) bool { return !j.counts(&w) })
	var ended []Window
	for _, w := range arrived {
		if w.EndMS <= d.NowMS {
			ended = append(ended, w)
		}
	}
	for i, part := range [][]Window{arrived, firstDistinct(arrived, d.Observed.Count), ended} {
		in.Windows = part
		got, err := Decide(p, in)
		if err != nil || got.Observed == d.Observed {
			return got, err == nil, err
		}
		if i == 0 {
			again = got
		}
	}
	return again, false, nil
}

// firstDistinct returns the shortest beginning of ws with n different windows.
func firstDistinct(ws []Window, n int64) []Window {
	seen := map[Window]bool{}
	for i, w := range ws {
		if int64(len(seen)) == n {
			return ws[:i]
		}
		seen[w] = true
	}
	return ws
}

// otherWindows says how the windows that there are differ from those of the record.
func (d Decision) otherWindows(got Decision, ws []Window) []string {
	why := []string{fmt.Sprintf("windows: the record saw %s with root %v, here are %s with root %v",
		plural(d.Observed.Count, "window"), d.Observed.Root, plural(got.Observed.Count, "window"), got.Observed.Root)}
	for _, want := range d.Windows {
		if slices.Contains(ws, want) {
			continue
		}
		i := slices.IndexFunc(ws, func(w Window) bool { return w.ID == want.ID && w.Channel == want.Channel && w.Release == want.Release })
		if i < 0 {
			why = append(why, fmt.Sprintf("window %s: is not there", safe(want.ID)))
			continue
		}
		differences, err := compareDocuments(want, ws[i])
		for _, m := range differences {
			why = append(why, fmt.Sprintf("window %s: %s: the record has %s, here is %s", safe(want.ID), m.Name, m.Recorded, m.Follows))
		}
		if err != nil {
			why = append(why, fmt.Sprintf("window %s: %v", safe(want.ID), err))
		}
		if len(why) > maxLines {
			return append(why[:maxLines], "and more")
		}
	}
	return why
}
