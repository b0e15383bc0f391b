package envlock

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/envlock/capture"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// envDrift is the code under which a drifted environment is reported.
const envDrift = "E_ENV_DRIFT"

type checked struct {
	Schema  string               `json:"schema"`
	Verdict finding.Verdict      `json:"verdict"`
	Code    *string              `json:"code"`
	Want    sign.Digest          `json:"want"`
	Got     *sign.Digest         `json:"got"`
	Drift   []envlock.Difference `json:"drift"`
	Unread  []capture.Unread     `json:"unread"`
	Unknown []capture.Unread     `json:"unknown"`
}

func check(env *ui.Env, c *cli.Context) error {
	if c.NArg() == 0 {
		return ui.ExactArgs(c, "F")
	}
	dir, err := optionalDir(c, 1)
	if err != nil {
		return err
	}
	name, want, err := readEnvLock(env, c.Args().First())
	if err != nil {
		return err
	}
	found, err := capture.Check(c.Context, want, capture.Request{Dir: dir, AllowSecrets: c.StringSlice("allow-secret")})
	if err != nil {
		return err
	}
	result := checked{
		Schema: "relseal/envlock-check/v1", Verdict: finding.Verified,
		Want: found.Want, Got: found.Got, Drift: found.Drift, Unread: found.Unread, Unknown: found.Unknown,
	}
	var answer error
	switch {
	case len(found.Drift) > 0:
		code := envDrift
		result.Verdict, result.Code = finding.Reject, &code
		answer = &ui.Answer{Code: ui.ExitReject, Hint: "relseal explain " + envDrift + " says what to do"}
	case len(found.Unread) > 0:
		result.Verdict = finding.Undecidable
		answer = &ui.Answer{Code: ui.ExitUndecidable}
	}
	if err := env.Print(c, result, checkText(name, result)); err != nil {
		return err
	}
	return answer
}

type diffed struct {
	Schema      string               `json:"schema"`
	Same        bool                 `json:"same"`
	A           sign.Digest          `json:"a"`
	B           sign.Digest          `json:"b"`
	Differences []envlock.Difference `json:"differences"`
}

func diff(env *ui.Env, c *cli.Context) error {
	if err := ui.ExactArgs(c, "A", "B"); err != nil {
		return err
	}
	var locks [2]envlock.Lock
	var prints [2]sign.Digest
	for i := range locks {
		_, l, err := readEnvLock(env, c.Args().Get(i))
		if err != nil {
			return err
		}
		locks[i] = l
		if prints[i], err = l.Fingerprint(); err != nil {
			return err
		}
	}
	result := diffed{
		Schema: "relseal/envlock-diff/v1", Same: prints[0] == prints[1], A: prints[0], B: prints[1],
		Differences: envlock.Diff(locks[0], locks[1]),
	}
	if err := env.Print(c, result, diffText(result)); err != nil {
		return err
	}
	if !result.Same {
		return &ui.Answer{Code: ui.ExitReject}
	}
	return nil
}

// readEnvLock reads an EnvLock from a file, or from standard input for "-", and
// returns what to call that.
func readEnvLock(env *ui.Env, file string) (string, envlock.Lock, error) {
	name, data, err := env.ReadInput(file, limits.EnvLock)
	if err != nil {
		return name, envlock.Lock{}, err
	}
	l, err := envlock.Parse(data)
	if err != nil {
		return name, l, &ui.Error{Code: ui.ExitNoInput, Err: fmt.Errorf("%s: %w", name, err), Hint: envLockHint(data, err)}
	}
	return name, l, nil
}

// envLockHint says what to do with data, which is no EnvLock.
func envLockHint(data []byte, err error) string {
	if errors.Is(err, envlock.ErrSchema) {
		return "relseal envlock capture --out F writes an EnvLock"
	}
	if canonical, err := canon.Canonicalize(data); err == nil {
		if _, err := envlock.Parse(canonical); err == nil { // indented, or with a line feed at the end
			return "relseal canon prints it as it must be, byte for byte"
		}
	}
	return ""
}
