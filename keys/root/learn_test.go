package root_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/relseal/relseal/keys/root"
)

// A drawing of what bundles bring: each is a set of copies by their number. The chain
// starts at 1; "2b" is another version 2 that both holders have signed, "3x" a version 3
// that one has.
func TestLearn(t *testing.T) {
	roles := M{"audit": role(1, grant("one", nil))}
	version := func(n int) M { return signed(n, roles) }
	files := map[string][]byte{
		"1": signBy(version(1), "alice", "bob"), "2": signBy(version(2), "alice", "bob"), "3": signBy(version(3), "alice", "bob"),
		"2b": signBy(set(version(2), "expires", "2033-01-01T00:00:00Z"), "alice", "bob"),
		"2x": signBy(set(version(2), "expires", "2034-01-01T00:00:00Z"), "alice"),
		"3x": signBy(version(3), "alice"), "4": signBy(version(4), "alice", "bob"),
	}
	for _, c := range []struct {
		bundles       [][]string
		last          int64
		missing, fork bool
	}{
		{[][]string{{"2", "3"}}, 3, false, false},
		{[][]string{{"3"}, {"2"}}, 3, true, false},
		{[][]string{{"2"}, {"3"}}, 3, false, false},
		{[][]string{{"4"}, {"2"}}, 2, true, false},
		{[][]string{{"2", "3x"}}, 2, false, false},
		{[][]string{{"2x"}, {"2"}}, 2, false, false},
		{[][]string{{"2"}, {"2x"}}, 2, false, false},
		{[][]string{{"1"}, {}}, 1, false, false},
		{[][]string{{"2"}, {"2b"}}, 2, false, true},
		{[][]string{{"2b"}, {"2", "3"}}, 2, true, true},
	} {
		chain, err := root.Pin(files["1"])
		if err != nil {
			t.Fatal(err)
		}
		missed := false
		for range 2 {
			for _, b := range c.bundles {
				copies := map[string][]byte{}
				for _, name := range b {
					copies["sig/root/"+name[:1]+".root.json"] = files[name]
				}
				missed = chain.Learn(copies) || missed
			}
		}
		_, last := chain.Versions()
		_, findings := chain.Walk(nil)
		if fork := len(findings) == 1 && findings[0].Verdict == "REJECT"; last != c.last && !c.fork || missed != c.missing && !c.fork || fork != c.fork {
			t.Errorf("%v: up to version %d, missing %t, %v; want %d, %t, a fork: %t", c.bundles, last, missed, findings, c.last, c.missing, c.fork)
		}
	}
	// Whatever the order, and however often: no byte that somebody else wrote does more than the holders' own.
	names := slices.Sorted(maps.Keys(files))
	chain, _ := root.Pin(files["1"])
	for _, name := range names {
		chain.Learn(map[string][]byte{"sig/root/" + name[:1] + ".root.json": append([]byte(" "), files[name]...)})
	}
	if _, last := chain.Versions(); last != 1 {
		t.Errorf("damaged copies lead to version %d", last)
	}
}

// Of versions to which there is no way nothing is read: a bundle may bring thousands.
func TestManyBeyondTheWay(t *testing.T) {
	data := signBy(signed(1, M{"audit": role(1, grant("one", nil))}), "alice", "bob")
	c, err := root.Pin(data)
	if err != nil {
		t.Fatal(err)
	}
	work := func(n int) float64 {
		copies := map[string][]byte{}
		for i := range n {
			copies[fmt.Sprintf("sig/root/%d.root.json", i+3)] = data
		}
		return testing.AllocsPerRun(2, func() {
			if !c.Learn(copies) || c.Has(3, data) {
				t.Fatal("a version beyond the way counts")
			}
		})
	}
	if cost := work(400); cost > 400*5 { // reading one takes hundreds
		t.Errorf("400 copies cost %.0f allocations", cost)
	}
}
