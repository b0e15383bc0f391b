package rundir

import (
	"os/user"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/ciinfo"
)

// Start is what run.start says in its details.
type Start struct {
	Version string       `json:"version,omitzero"` // of the product that the run makes
	Source  *Source      `json:"source,omitzero"`
	CI      *ciinfo.Info `json:"ci,omitzero"`
	Wrapped bool         `json:"wrapped,omitzero"` // the command had the environment of its caller, of which the EnvLock holds a part
}

// Source is what version control says of the project.
type Source struct {
	Commit string `json:"commit"`
	Dirty  *bool  `json:"dirty,omitzero"` // files differ from the commit; nil: nobody looked
}

// OfCI returns the start of a run in a CI job; nil is for one outside of CI.
func OfCI(job *ciinfo.Info) Start {
	s := Start{CI: job}
	if job != nil && job.Commit != nil {
		s.Source = &Source{Commit: *job.Commit}
	}
	return s
}

// Details returns s as the details of run.start; nil if it says nothing.
func (s Start) Details() (canon.Value, error) {
	if s == (Start{}) {
		return nil, nil
	}
	return canon.Marshal(s)
}

// Account returns the account that this process runs as.
func Account() string {
	if u, err := user.Current(); err == nil && u.Username != "" && canon.Printable(u.Username) {
		return u.Username
	}
	return "unknown"
}
