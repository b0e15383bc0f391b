package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	windowLength = 2 * time.Second
	askEvery     = 20 * time.Millisecond
	beatEvery    = 10 // questions
)

// A load asks a release and the baseline the same questions.
type load struct {
	name              string // of the windows
	release, baseline string // addresses
	client            http.Client
}

// measure sends a window every two seconds from start on, until ctx ends.
func (l *load) measure(ctx context.Context, channel string, start time.Time, to chan<- window) {
	defer close(to)
	l.client.Timeout = windowLength
	beat := start
	for n := 1; ctx.Err() == nil; n++ {
		end := start.Add(windowLength)
		s := l.watch(ctx, start, end, &beat)
		if ctx.Err() != nil {
			return
		}
		select {
		case to <- s.window(fmt.Sprintf("%s-%s-%d", l.name, channel, n), channel, start, end, beat):
		case <-ctx.Done():
		}
		start = end
	}
}

// watch takes samples from start to end. beat is when the release was last heard of.
func (l *load) watch(ctx context.Context, start, end time.Time, beat *time.Time) samples {
	var s samples
	time.Sleep(time.Until(start))
	for i := 0; ctx.Err() == nil && time.Now().Before(end); i++ {
		next := time.Now().Add(askEvery)
		s.clock(time.Now())
		if i%beatEvery == 0 {
			s.beats++
			if _, err := l.get(ctx, l.release, "/healthz"); err != nil {
				s.missed++
			} else {
				*beat = time.Now()
			}
		}
		l.ask(ctx, &s, float64(i)/64)
		time.Sleep(time.Until(next))
	}
	return s
}

// ask puts one question to both.
func (l *load) ask(ctx context.Context, s *samples, t float64) {
	path := "/wave?t=" + strconv.FormatFloat(t, 'g', -1, 64)
	want, err := l.number(ctx, l.baseline, path)
	if err != nil {
		return // no question was answered, so there is nothing to compare with
	}
	s.asked++
	got, err := l.number(ctx, l.release, path)
	if err != nil {
		s.dropped++
		return
	}
	s.want, s.got = append(s.want, want), append(s.got, got)
}

func (l *load) number(ctx context.Context, address, path string) (float64, error) {
	text, err := l.get(ctx, address, path)
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(text, 64)
}

func (l *load) get(ctx context.Context, address, path string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, "GET", "http://"+address+path, nil)
	if err != nil {
		return "", err
	}
	answer, err := l.client.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = &http.ProtocolError{ErrorString: answer.Status}
	}
	return strings.TrimSpace(string(body)), err
}
