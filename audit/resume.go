package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
)

// ResumeSchema names the format of a resume state; ResumeSuffix is what its file has
// behind the name of the trail.
const (
	ResumeSchema = "relseal/trail-resume/v1"
	ResumeSuffix = ".resume"
)

// A resumeState is what a log writes beside a trail once events are on disk: how far
// the trail was acknowledged, and what is needed to append the next event without
// reading the whole trail. It is signed with the key of the log, and only a log with the
// same key uses it. So whoever can forge one could append events as well.
//
// It proves nothing about the events: a verification reads all of them.
type resumeState struct {
	Schema   string      `json:"schema"`
	H0       sign.Digest `json:"H_0"`
	K        int64       `json:"k"`
	HK       sign.Digest `json:"H_k"`
	Size     int64       `json:"size"` // bytes of the trail up to and with line k
	Last     int64       `json:"last"` // of them in line k, its LF included
	Latest   Time        `json:"latest"`
	Verifier Key         `json:"verifier"` // the key that signs the next event

	Closed  bool         `json:"closed"`
	Ended   bool         `json:"ended"` // there was a run.end
	Seed    *string      `json:"seed"`  // of the first event
	Rotated bool         `json:"rotated"`
	Past    []sign.KeyID `json:"past"` // the keys that signed before

	// Steps are the steps that have started, by the digest of their ids. The value is where
	// the line of step.start is, or null if the step has ended.
	Steps map[string]*lineAt `json:"steps"`
}

// A lineAt is where the line of an event is.
type lineAt struct {
	At   int64       `json:"at"`
	Size int64       `json:"size"` // its LF not counted
	ID   sign.Digest `json:"id_k"`
}

// resumeFile is the content of the file: one line.
type resumeFile struct {
	Sig   sign.Signature `json:"sig"`
	State resumeState    `json:"state"`
}

// digest returns what is signed. No other signature of the same key can be taken for it:
// the other documents whose digests are signed have another schema, and a head of the
// chain is the digest of 64 bytes.
func (s *resumeState) digest() (sign.Digest, error) {
	data, err := canon.Marshal(s)
	return sign.Sum(data), err
}

// parseResume returns the state in data if key has signed it for the trail of h0, else
// nil. A file without a valid state is treated as if it were not there.
func parseResume(data []byte, key sign.PublicKey, h0 sign.Digest) *resumeState {
	var f resumeFile
	line, lf := bytes.CutSuffix(data, []byte("\n"))
	if !lf || canon.Unmarshal(line, &f) != nil {
		return nil
	}
	s := &f.State
	d, err := s.digest()
	if err != nil || s.Schema != ResumeSchema || s.H0 != h0 || s.Verifier.PKRef != key.KeyID() || !key.Verify(d[:], f.Sig) {
		return nil
	}
	return s
}

// loadState reads the state beside the trail whose H_0 is h0. It returns an error if the
// file is there and cannot be read, for lack of permission or because the disk fails: the
// state may say that the trail lacks events.
func (l *Log) loadState(h0 sign.Digest) (*resumeState, error) {
	name := l.abs + ResumeSuffix
	var data []byte
	f, err := regular.OpenSelf(name)
	if err == nil {
		defer f.Close()
		data, err = regular.ReadAll(name, f, maxResume)
	}
	switch {
	case err == nil:
		return parseResume(data, l.signer.Public(), h0), nil
	case errors.Is(err, fs.ErrPermission) || regular.Failed(err):
		return nil, err
	}
	return nil, nil
}

// maxResume bounds the file of a state, which is enough for some ten thousand steps. For a
// run with more steps no state is written.
const maxResume = 2 * limits.MiB

// saveState writes the state. If that fails nothing is reported: the next log reads more
// of the trail, as it has to after a crash of the machine. Only a file that this log has
// made is written to, because the name may be that of a link that somebody else made.
func (l *Log) saveState() {
	name := l.abs + ResumeSuffix
	data, err := l.marshalState()
	if err != nil || len(data) > maxResume {
		os.Remove(name)
		return
	}
	if !l.owns(name) {
		l.closeState()
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return
		}
		if l.stateFile, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644); err != nil {
			l.stateFile = nil
			return
		}
	}
	// A state that is not written whole has no valid signature.
	if _, err := l.stateFile.WriteAt(data, 0); err == nil {
		l.stateFile.Truncate(int64(len(data)))
	}
}

// owns reports whether name is still the file that this log has made.
func (l *Log) owns(name string) bool {
	if l.stateFile == nil {
		return false
	}
	there, err := os.Lstat(name)
	ours, err2 := l.stateFile.Stat()
	return err == nil && err2 == nil && os.SameFile(there, ours)
}

func (l *Log) closeState() {
	if l.stateFile != nil {
		l.stateFile.Close()
		l.stateFile = nil
	}
}

func (l *Log) marshalState() ([]byte, error) {
	j := l.judge
	s := resumeState{
		Schema: ResumeSchema, H0: j.h0, K: j.chain.at.k, HK: j.chain.at.head,
		Size: l.size, Last: l.lastSize, Latest: NewTime(l.latest.Time), Verifier: Key{j.trust.ref},
		Closed: j.closed, Ended: j.order.ended, Seed: j.seed,
		Rotated: j.keys.rotated, Past: append([]sign.KeyID{}, j.keys.earlier...),
		Steps: map[string]*lineAt{},
	}
	for id, ended := range j.order.steps {
		var at *lineAt
		if !ended {
			open, ok := l.openSteps[id]
			if !ok {
				return nil, errUnfinished
			}
			at = &open
		}
		s.Steps[id.String()] = at
	}
	f := resumeFile{State: s}
	d, err := s.digest()
	if err == nil {
		f.Sig, err = l.signer.Sign(d[:])
	}
	if err != nil {
		return nil, err
	}
	data, err := canon.Marshal(f)
	return append(data, '\n'), err
}

// resume continues from the state s, if the trail has the last line of s where s says. If
// it has not, resume changes nothing, and the whole trail is read.
func (l *Log) resume(s *resumeState, size int64) error {
	if s.K < 0 || s.Size > size || s.Last < 2 || s.Last > s.Size || s.Last > limits.Line+1 {
		return nil
	}
	from := max(0, s.Size-s.Last-1) // the LF before the line as well
	text := make([]byte, s.Size-from)
	if _, err := l.disk.ReadAt(text, from); err != nil && err != io.EOF {
		return err
	}
	before, line := text[:int64(len(text))-s.Last], text[int64(len(text))-s.Last:]
	line, lf := bytes.CutSuffix(line, []byte("\n"))
	if !lf || bytes.IndexByte(line, '\n') >= 0 || s.K > 0 && string(before) != "\n" || s.K == 0 && len(before) > 0 {
		return nil
	}
	steps := make(map[sign.Digest]bool, len(s.Steps))
	open := map[sign.Digest]lineAt{}
	for name, at := range s.Steps {
		id, err := sign.ParseDigest(name)
		if err != nil {
			return nil
		}
		if steps[id] = at == nil; at != nil {
			open[id] = *at
		}
	}
	var last Time
	if s.K > 0 {
		r, err := ParseRecord(line)
		if err != nil || r.E.K != s.K || r.H != s.HK || sign.Sum(eventBytes(line)) != r.ID {
			return nil
		}
		// After key.rotate the next key is another than the one that signed this line.
		if r.E.Verifier.PKRef == s.Verifier.PKRef && !l.signer.Public().Verify(r.H[:], r.Sig) {
			return nil
		}
		last = r.E.TS
	} else if s.HK != s.H0 {
		return nil
	}

	j := l.judge
	j.chain.at = place{k: s.K, head: s.HK, known: true}
	if s.K > 0 {
		j.times = times{k: s.K, ts: last, set: true}
		j.seed, j.seeded = s.Seed, true
		from, latest := s.Latest, s.Latest
		j.first, j.latestTS = &from, &latest
	}
	j.closed = s.Closed
	j.order = order{continued: j.order.continued, started: s.K > 0, ended: s.Ended, steps: steps}
	j.keys.rotated, j.keys.earlier = s.Rotated, slices.Clone(s.Past)
	if j.trust.ref != s.Verifier.PKRef {
		j.trust.key, j.trust.known = sign.PublicKey{}, false
		j.trust.lookUp(j.o.Keys, s.Verifier.PKRef)
	}
	l.size, l.lastSize, l.latest, l.openSteps = s.Size, s.Last, s.Latest, maps.Clone(open)
	return nil
}

// An AcknowledgedError reports that events are missing, or others stand in their place,
// although the resume state beside the trail says that they were on disk.
type AcknowledgedError struct {
	Path string
	K    int64       // the last event that was acknowledged
	HK   sign.Digest // the head after it
	At   int64       // the event after which the trail ends or has other events

	closed bool // it was trail.close
}

func (e *AcknowledgedError) Error() string {
	return fmt.Sprintf("%s: event %d, H_k %s, was acknowledged, says the resume state beside it; the trail has what follows event %d no more, or something else in its place", e.Path, e.K, e.HK, e.At)
}

// trackLine updates the latest time and the open steps with the event of a line that is
// on disk or about to be written.
func (l *Log) trackLine(p *parsed, at, size int64) {
	e := &p.E
	if l.latest.IsZero() || e.TS.After(l.latest.Time) {
		l.latest = e.TS
	}
	step, named := stepOf(e)
	switch {
	case !named:
	case e.Action == ActionStepStart:
		if l.openSteps == nil {
			l.openSteps = map[sign.Digest]lineAt{}
		}
		l.openSteps[step] = lineAt{at, size, p.id}
	case e.Action == ActionStepEnd:
		delete(l.openSteps, step)
	}
}

// OpenStep returns the step.start of a step, if it has started and not ended by now.
func (l *Log) OpenStep(id string) (r Record, found bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	err = l.withLock(func() error {
		at, ok := l.openSteps[sign.Sum([]byte(id))]
		if !ok {
			return nil
		}
		if at.Size < 1 || at.Size > limits.Line || at.At < 1 {
			return fmt.Errorf("%s: the step.start of step %s is not where it was", l.path, clip(id))
		}
		line := make([]byte, at.Size)
		if _, err := l.disk.ReadAt(line, at.At); err != nil {
			return err
		}
		if r, err = ParseRecord(line); err == nil && sign.Sum(eventBytes(line)) != at.ID {
			err = errors.New("it was changed")
		}
		if err != nil {
			return &DamagedError{Path: l.path, Finding: finding.New(finding.Format, "", err.Error())}
		}
		found = true
		return nil
	})
	return r, found, err
}
