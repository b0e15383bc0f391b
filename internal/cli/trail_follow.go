package cli

import (
	"context"
	"fmt"
	"time"
)

// pollEvery is how often a trail that is followed is looked at. Asking for its
// size costs microseconds, and works on every file system.
const pollEvery = 200 * time.Millisecond

// await returns when there may be more than the offset bytes that were read.
func (s *trailSource) await(ctx context.Context, offset int64) error {
	if s.idle != nil {
		if err := s.idle(); err != nil {
			return err
		}
	}
	for seen := s.size; ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pollEvery):
		}
		info, err := s.file.Stat()
		if err != nil {
			return err
		}
		switch s.size = info.Size(); {
		case s.size < offset:
			return fmt.Errorf("%s: was cut off at byte %d while it was followed", s.name, s.size)
		case s.size != seen:
			return nil
		}
	}
}
