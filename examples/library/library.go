// Package library is what a program does that imports relseal: it verifies a bundle that
// it fetches, keeps a trail of its own, and decides about a canary. Copy what you need.
package library

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/gates/policyfile"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/verify"
)

// Fetch verifies the bundle at url while it comes in. The error is nil only if it is
// VERIFIED and a release of product; nothing of it is kept.
func Fetch(ctx context.Context, url, product string, trusted sign.Verifiers) (*verify.Report, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, resp.Status)
	}
	return verify.Reader(ctx, resp.Body, verify.Options{Keys: trusted, Expect: verify.Expect{Product: product}})
}

// Record appends an event to the trail at path, which Start has made. When it returns
// without an error the event is signed and on disk.
func Record(path string, key sign.Signer, actor, action string) error {
	log, err := audit.Open(path, key, audit.SystemClock())
	if err != nil {
		return err
	}
	defer log.Close()
	_, err = log.Append(audit.Draft{Actor: audit.Txt(actor), Action: action})
	return err
}

// Start makes a trail for whatever id names.
func Start(path, id string, key sign.Signer) error {
	log, err := audit.Create(path, audit.Genesis{Purpose: audit.PurposeLedger, Run: audit.Run{ID: id}}, key, audit.SystemClock())
	if err != nil {
		return err
	}
	return log.Close()
}

// Actions reads a trail and returns who did what. It stops at the first event that key did
// not sign in its place.
func Actions(trail io.Reader, key sign.PublicKey) (list []string, err error) {
	for r, err := range audit.Events(trail, sign.Only(key)) {
		if err != nil {
			return list, err
		}
		list = append(list, r.E.Actor.String()+" "+r.E.Action)
	}
	return list, nil
}

// Decide says what a policy makes of the windows of a canary: the time is an argument, so
// that the same files give the same decision on every machine.
func Decide(policy []byte, windows io.Reader, sinceMS, nowMS int64) (gates.Decision, error) {
	p, err := policyfile.Parse("gates.yaml", policy)
	if err != nil {
		return gates.Decision{}, err
	}
	ws, err := gates.ReadWindows("windows.csv", windows)
	if err != nil {
		return gates.Decision{}, err
	}
	return gates.Decide(p, gates.Input{Channel: gates.Canary, SinceMS: sinceMS, NowMS: nowMS, Windows: ws})
}
