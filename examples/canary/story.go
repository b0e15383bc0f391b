package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A story is told in a directory of its own.
type story struct {
	ctx      context.Context
	relseal  string
	dir      string
	home     string // of the example: where it was started
	baseline *server
}

func play(ctx context.Context, program, dir string) error {
	home, err := os.Getwd()
	if err != nil {
		return err
	}
	if program != "" {
		if program, err = exec.LookPath(program); err != nil {
			return err
		}
		if program, err = filepath.Abs(program); err != nil {
			return err
		}
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	s := &story{ctx: ctx, relseal: program, dir: dir, home: home}
	if program == "" {
		s.relseal = filepath.Join(dir, "relseal")
		build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", s.relseal, "./cmd/relseal")
		build.Dir = filepath.Join("..", "..")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("building relseal: %w\n%s", err, out)
		}
	}
	return s.tell()
}

func (s *story) tell() error {
	s.say("a key, a ledger, and the policy before anything is measured")
	for _, args := range [][]string{
		{"key", "generate", "--out", "release.key", "--no-passphrase"},
		{"release", "init", "ledger", "--product", "wave", "--key", "release.key"},
		{"release", "register", "ledger", "--policy", s.here("gates.yaml"), "--key", "release.key"},
	} {
		if _, err := s.must(args...); err != nil {
			return err
		}
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if s.baseline, err = s.start(self); err != nil { // version 1.0.0, which everybody has
		return err
	}
	defer s.baseline.stop()

	good, err := s.cut("1.1.0", "")
	if err != nil {
		return err
	}
	if err := s.climb(good, "canary", "stable", "LTS"); err != nil {
		return err
	}
	bad, err := s.cut("1.2.0", "drop")
	if err != nil {
		return err
	}
	if err := s.fall(bad); err != nil {
		return err
	}
	s.say("what anybody can check, with the public key alone")
	for _, name := range []string{"1.1.0-stable", "1.1.0-LTS"} {
		out, err := s.must("verify-bundle", name+".release.tar.zst", "--key", "release.pub")
		if err != nil {
			return err
		}
		first, _, _ := strings.Cut(out, "\n")
		fmt.Println("   ", first)
	}
	out, err := s.must("release", "status", "ledger", "--key", "release.pub")
	fmt.Print(out)
	return err
}

// cut builds a version as a recorded run and seals it on canary.
func (s *story) cut(version, fault string) (string, error) {
	s.say("version " + version + " is built, recorded and sealed on canary")
	flags := fmt.Sprintf("-X main.version=%s -X main.fault=%s", version, fault)
	bin, out := filepath.Join("out", "wave-"+version), version+"-canary.release.tar.zst"
	for _, args := range [][]string{
		{"run", "wrap", "--key", "release.key", "--out", "run-" + version, "--product", "wave", "--output", bin, "--",
			"go", "build", "-C", s.here("."), "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", filepath.Join(s.dir, bin), "."},
		{"bundle", "audit", "run-" + version, "--key", "release.key", "--out", version + ".audit.tar.zst"},
		{"bundle", "release", "--audit", version + ".audit.tar.zst", "--version", version, "--gates", s.here("gates.yaml"), "--key", "release.key", "--out", out},
		{"release", "admit", out, "--ledger", "ledger", "--key", "release.key"},
	} {
		if _, err := s.must(args...); err != nil {
			return "", err
		}
	}
	return version, nil
}

// climb takes a version up, one channel after the other.
func (s *story) climb(version string, channels ...string) error {
	server, err := s.start(filepath.Join(s.dir, "out", "wave-"+version))
	if err != nil {
		return err
	}
	defer server.stop()
	for i, from := range channels[:len(channels)-1] {
		s.say(fmt.Sprintf("version %s is watched on %s", version, from))
		r, err := s.decide(version, from, channels[i+1], server)
		if err != nil {
			return err
		}
		if r.Outcome != "PROMOTE" {
			return fmt.Errorf("version %s on %s: %s %v", version, from, r.Outcome, r.Unmet)
		}
		fmt.Printf("    PROMOTE: %s is %s\n", version, channels[i+1])
	}
	return nil
}

// fall watches a version that drops requests, and takes it back.
func (s *story) fall(version string) error {
	server, err := s.start(filepath.Join(s.dir, "out", "wave-"+version))
	if err != nil {
		return err
	}
	defer server.stop()
	s.say(fmt.Sprintf("version %s is watched on canary", version))
	r, err := s.decide(version, "canary", "stable", server)
	if err != nil {
		return err
	}
	if r.Outcome != "ROLLBACK" {
		return fmt.Errorf("version %s: %s %v", version, r.Outcome, r.Unmet)
	}
	fmt.Printf("    ROLLBACK: %s; back to %s\n", strings.Join(r.Unmet, ", "), r.ReturnTo)
	server.stop()
	out, err := s.must("release", "rollback", "ledger", "--done", "--release", version+"-canary.release.tar.zst", "--key", "release.key")
	fmt.Print("    ", strings.ReplaceAll(out, "\n", "\n    "), "\n")
	return err
}

// A result is what relseal release promote --json says.
type result struct {
	Outcome  string   `json:"outcome"`
	Unmet    []string `json:"unmet"`
	ReturnTo string   `json:"return_to"`
}

// patience is how many windows may pass: a machine that is busy with other things
// measures little.
const patience = 20

// decide records window after window and asks after each of them.
func (s *story) decide(version, from, to string, server *server) (result, error) {
	ctx, stop := context.WithCancel(s.ctx)
	defer stop()
	windows := make(chan window)
	l := &load{name: version, release: server.address, baseline: s.baseline.address}
	go l.measure(ctx, from, time.Now().Truncate(time.Millisecond).Add(2*time.Millisecond), windows)
	source, count := fmt.Sprintf("%s-%s.release.tar.zst", version, from), 1
	for w := range windows {
		line, err := json.Marshal(w)
		if err != nil {
			return result{}, err
		}
		if _, err := s.run(bytes.NewReader(line), "release", "observe", "ledger", "--windows", "-", "--release", source, "--key", "release.key"); err != nil {
			return result{}, err
		}
		out, err := s.run(nil, "release", "promote", source, "--ledger", "ledger", "--key", "release.key", "--out", fmt.Sprintf("%s-%s.release.tar.zst", version, to), "--json")
		var exit *exec.ExitError
		if err != nil && (!errors.As(err, &exit) || exit.ExitCode() > 2 || out == "") {
			return result{}, err
		}
		var r result
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			return r, err
		}
		fmt.Printf("    %s  drop_rate %s  delta_rep %s  score %s  %s %s\n", w.ID, w.DropRate, w.DeltaRep, w.Score, r.Outcome, strings.Join(r.Unmet, ", "))
		if r.Outcome == "PROMOTE" || r.Outcome == "ROLLBACK" || count == patience {
			return r, nil
		}
		count++
	}
	return result{}, s.ctx.Err()
}

// A server is one that runs.
type server struct {
	address string
	cmd     *exec.Cmd
}

// start runs a server on a free port and waits until it answers.
func (s *story) start(program string) (*server, error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := free.Addr().String()
	free.Close()
	cmd := exec.CommandContext(s.ctx, program, "serve", address)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if answer, err := http.Get("http://" + address + "/healthz"); err == nil {
			answer.Body.Close()
			return &server{address, cmd}, nil
		}
		if time.Now().After(deadline) {
			cmd.Process.Kill()
			return nil, fmt.Errorf("%s does not answer on %s", program, address)
		}
	}
}

func (s *server) stop() {
	s.cmd.Process.Kill()
	s.cmd.Wait()
}

func (s *story) say(what string) { fmt.Println(what) }

// here is a file of the example.
func (s *story) here(name string) string { return filepath.Join(s.home, name) }

func (s *story) must(args ...string) (string, error) { return s.run(nil, args...) }

// run runs relseal in the directory of the story.
func (s *story) run(stdin *bytes.Reader, args ...string) (string, error) {
	cmd := exec.CommandContext(s.ctx, s.relseal, args...)
	cmd.Dir = s.dir
	if stdin != nil {
		cmd.Stdin = stdin
	}
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("relseal %s: %w\n%s", strings.Join(args, " "), err, said.String())
	}
	return out.String(), nil
}
