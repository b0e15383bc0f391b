package capture

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/sign"
)

// A Comparison is what became of an environment. With neither Drift nor Unread it
// is the same, and so are Want and Got.
type Comparison struct {
	Want sign.Digest  // fingerprint of the EnvLock
	Got  *sign.Digest // fingerprint of the machine now; nil if something of it cannot be captured

	Drift   []envlock.Difference // facts that changed, came or went
	Unread  []Unread             // facts of which nobody can say whether they changed
	Unknown []Unread             // facts that were null and are: as little known as before
}

// An Unread is a fact that could not be compared, and why.
type Unread struct {
	Component string `json:"component"`
	Fact      string `json:"fact"`
	Text      string `json:"text"`
}

// Check captures the environment again, as [Again] says, and compares it with
// want. That something is gone, such as a tool or a lock file, is a difference;
// that it is there and cannot be read leaves the answer open. Of r only Dir, Root,
// LookupEnv and AllowSecrets are used: what a stranger's EnvLock names is not shown
// unless the caller says so.
func Check(ctx context.Context, want envlock.Lock, r Request) (Comparison, error) {
	var c Comparison
	var err error
	if c.Want, err = want.Fingerprint(); err != nil {
		return c, err
	}
	again := Again(want)
	again.Dir, again.Root, again.LookupEnv, again.AllowSecrets = r.Dir, r.Root, r.LookupEnv, r.AllowSecrets
	got, problems, err := gather(ctx, again, true)
	if err != nil {
		return c, err
	}
	if len(problems) == 0 {
		fingerprint, err := got.Fingerprint()
		if err != nil {
			return c, err
		}
		c.Got = &fingerprint
	}
	c.compare(want, got, problems)
	return c, nil
}

func (c *Comparison) compare(want, got envlock.Lock, problems Problems) {
	j := judge{want: want, got: got, gone: map[place]bool{}, open: map[place]bool{}}
	for _, p := range problems {
		at := placeOf(p)
		if errors.Is(p, fs.ErrNotExist) {
			j.gone[at] = true // its facts differ
			continue
		}
		j.open[at] = true
		text := p.Text
		if errors.Is(p, ErrSecret) {
			text += "; --allow-secret with its name compares it all the same"
		}
		c.Unread = append(c.Unread, Unread{at.component, at.name, text})
	}
	// What else is known of a tool follows from its file and from its answer.
	for component, facts := range map[string]envlock.Component{"compilers": got.Env.Compilers, "runtimes": got.Env.Runtimes} {
		for fact, v := range facts {
			for _, of := range []string{".digest", ".GOVERSION"} {
				if tool, ok := strings.CutSuffix(fact, of); ok && v == nil {
					j.open[place{component, tool}] = true
				}
			}
		}
	}
	for _, d := range envlock.Diff(want, got) {
		switch v, why := j.judge(d); v {
		case differs:
			c.Drift = append(c.Drift, d)
		case unread:
			c.Unread = append(c.Unread, Unread{d.Component, d.Fact, why})
		}
	}
	now := maps.Collect(got.Env.All())
	for component, facts := range want.Env.All() {
		for _, fact := range slices.Sorted(maps.Keys(facts)) {
			if v, ok := now[component][fact]; ok && v == nil && facts[fact] == nil {
				c.Unknown = append(c.Unknown, Unread{component, fact, "could be read neither then nor now"})
			}
		}
	}
}
