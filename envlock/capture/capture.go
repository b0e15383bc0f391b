// Package capture reads the environment of this machine into an EnvLock.
//
// What it records, by component:
//
//	os          system, architecture, id, version_id, pretty_name, variant_id, build_id;
//	            if asked for: packages, apk/NAME, dpkg/NAME, rpm/NAME
//	kernel      name, release, version, machine
//	libc        name, version, build, digest, loader, loader_digest
//	compilers   TOOL.file, TOOL.version, TOOL.digest, TOOL.script of a wrapper; go.GOOS, go.GOFLAGS, …;
//	            of tools that Go built TOOL.build.{go,path,module,version,revision,modified} and, if
//	            asked for, TOOL.mod/PATH
//	runtimes    the same of interpreters and runtimes
//	drivers     nvidia, amdgpu, i915, xe, habanalabs, neuron
//	firmware    bios_vendor, bios_version, product_name, microcode, gpu_bios
//	containers  cgroup, cpu_limit, memory_limit, kind, image, image_id, engine
//	hw          cpu_vendor, cpu_model, cpu_number, cpu_family, cpu_stepping, cpu_variant, cpu_flags,
//	            cpus, sockets, cores_per_socket, smt, numa_map, memory, gpus, accelerators, storage, nics
//	backend     kind; file, impl and digest of blas, lapack, dnn
//	options     capture, byte_order, page_size, threads, affinity, umask, aslr, timezone, round_mode,
//	            ftz, daz, fma, rng_family if it is declared, and those of a fixed list of variables that are set
//
// A fact that every machine of this kind has and that could not be read is null;
// one that this machine does not have is absent. Where the medium failed, or this
// process may open no more files, there is no answer but an error. Two captures of an unchanged
// machine are equal byte for byte, so nothing that changes by itself is
// recorded: no pid, load, free memory, uptime, clock frequency, host name,
// container id or order of PATH. Systems other than Linux give fewer facts.
//
// Values are one line of valid UTF-8 without control characters, white space
// collapsed; sizes are in bytes. Variables are recorded exactly.
package capture

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/internal/regular"
)

// A Request says what to capture besides the machine itself. Names that are
// listed twice count once.
type Request struct {
	Dir   string   // of the project; "": the current directory
	Tools []string // programs, by name, that PATH must find
	Locks []string // dependency lock files, relative to Dir, separated by "/"
	Env   []string // variables

	// Packages records every package of the system and every module in a tool. It
	// is off by default: any upgrade, of whatever it may be, would then be a
	// difference, and a fingerprint that is never the same again tells nothing.
	Packages bool

	// RNGFamily is what the pipeline declares, "" for nothing. The seed stays out:
	// it is an input of a run, and every event has it.
	RNGFamily string

	// Args are a command and its arguments, if one is recorded beside the EnvLock
	// and published with it.
	Args []string

	// Steps are what a PipelineCard says of its steps, which is published with it.
	Steps []Step

	// AllowSecrets are those that are recorded though they look like credentials:
	// variables and settings of the go command by name, arguments by number, what a
	// step has as STEP:NAME and STEP:NUMBER.
	AllowSecrets []string

	// Root is the directory that stands for "/" in tests; "" is the machine
	// itself. Facts are then read as on Linux, tools found below it, and nothing
	// is asked of the running system that a file does not say.
	Root string

	LookupEnv func(string) (string, bool) // nil: os.LookupEnv
}

// A Step is an argument vector and the variables that are set for it.
type Step struct {
	ID  string
	Run []string
	Env map[string]string
}

// Capture returns the environment. Missing tools and lock files, and variables
// and arguments that must not be recorded, are reported together, as [Problems]. Each declared
// tool is run once to ask its version, with the environment that a step would
// get, without standard input and for a limited time.
func Capture(ctx context.Context, r Request) (envlock.Lock, error) {
	lock, problems, err := gather(ctx, r, false)
	if err != nil {
		return envlock.Lock{}, err
	}
	if len(problems) > 0 {
		return envlock.Lock{}, problems.err()
	}
	if _, err := lock.Marshal(); err != nil {
		return envlock.Lock{}, err
	}
	return lock, nil
}

// gather returns what can be captured and what cannot. Unless goOn, it stops at
// the problems of names alone, before any tool is run.
func gather(ctx context.Context, r Request, goOn bool) (envlock.Lock, Problems, error) {
	m, err := newMachine(r)
	if err != nil {
		return envlock.Lock{}, nil, err
	}
	defer m.project.Close()
	var problems Problems
	tools := m.findTools(r.Tools, &problems)
	lock := envlock.Lock{
		Schema:    envlock.Schema,
		Locks:     readLocks(m.project, r.Locks, &problems),
		Variables: m.readVariables(r.Env, &problems),
	}
	m.checkArguments("", r.Args, &problems)
	for _, s := range r.Steps {
		m.checkStep(s, &problems)
	}
	for _, p := range problems {
		m.note(p.err)
	}
	if m.failed != nil {
		return envlock.Lock{}, nil, fmt.Errorf("envlock: %w", m.failed)
	}
	if len(problems) > 0 && !goOn {
		return envlock.Lock{}, problems, nil
	}
	lock.Env = envlock.Components{
		OS:         m.os(),
		Kernel:     m.kernel(),
		Libc:       m.libc(),
		Drivers:    m.drivers(),
		Firmware:   m.firmware(),
		Containers: m.containers(),
		HW:         m.hw(),
		Backend:    m.backend(),
		Options:    m.options(r),
	}
	if r.Packages {
		m.putPackages(ctx, lock.Env.OS)
	}
	lock.Env.Compilers, lock.Env.Runtimes = m.askTools(ctx, tools, &problems)
	if err := ctx.Err(); err != nil {
		return lock, problems, err
	}
	if m.failed != nil {
		return envlock.Lock{}, nil, fmt.Errorf("envlock: %w", m.failed)
	}
	return lock, problems, nil
}

// machine is where facts come from.
type machine struct {
	root         root
	linux        bool // facts are where Linux has them
	project      *os.Root
	env          []string // of the tools that are asked their version
	lookup       func(string) (string, bool)
	allowSecrets []string
	withPackages bool
	patience     time.Duration // with one such tool

	unread int   // how often something could not be read
	failed error // by the medium, the first time
}

func newMachine(r Request) (*machine, error) {
	m := &machine{
		linux:        r.Root != "" || runtime.GOOS == "linux",
		lookup:       r.LookupEnv,
		allowSecrets: r.AllowSecrets,
		withPackages: r.Packages,
		patience:     30 * time.Second,
	}
	if m.lookup == nil {
		m.lookup = os.LookupEnv
	}
	m.env = m.toolEnv(r.Env)
	if r.Root != "" {
		abs, err := filepath.Abs(r.Root) // tools run in another directory
		if err != nil {
			return nil, err
		}
		m.root = root(abs)
	}
	var err error
	if m.project, err = regular.OpenRoot(cmp.Or(r.Dir, ".")); err != nil {
		return nil, fmt.Errorf("envlock: the project's directory: %w", err)
	}
	return m, nil
}

// allowed reports whether a variable, setting or argument is to be recorded
// though it looks like a credential.
func (m *machine) allowed(name string) bool { return slices.Contains(m.allowSecrets, name) }

// sorted returns names in order, each once.
func sorted(names []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(names)))
}
