package testbundle

import (
	"bytes"
	"fmt"
	"sort"
)

// A Run is everything that an AuditBundle is made of. Its fields may be changed
// before it is sealed: that is how a dishonest holder of the key works.
type Run struct {
	Key      Key
	ID       string
	Product  string
	Lock     M
	Pipeline M
	Params   M
	Events   []M // without the members that Trail fills in
	Outcome  string
	Outputs  map[string]string // artifact uri to content
	Embed    bool
	Manifest func(M) // changes the manifest before it is signed

	More      Files // files beside the usual
	Continues M     // the head that the trail goes on from, if it does
}

// Demo returns the run of the examples and the vectors: three steps that build,
// rebuild and test a file.
func Demo(key Key, id string) *Run {
	r := &Run{
		Key: key, ID: id, Product: "demo", Outcome: "ok", Embed: true,
		Outputs: map[string]string{"out/demo": "a small artifact\n"},
		Lock: M{
			"schema": "relseal/envlock/v1",
			"env": M{
				"os":     M{"id": "debian", "version_id": "12"},
				"kernel": M{"release": "6.1.0", "machine": "x86_64"},
				"libc":   M{"name": "glibc", "version": "2.36"}, "compilers": M{"go.version": "go1.26.0"},
				"runtimes": M{}, "drivers": M{}, "firmware": M{"bios": nil}, "containers": M{},
				"hw": M{"cpus": "2"}, "backend": M{"kind": "cpu"}, "options": M{},
			},
			"locks":     []M{{"hash": Digest([]byte("module example.test/demo\n")), "path": "go.mod"}},
			"variables": M{"CGO_ENABLED": "0"},
		},
		Params: M{
			"schema": "relseal/params/v1", "card": M{"id": "demo-params", "author": "release@example.test"},
			"params": []M{
				{"name": "max_conns", "type": "integer", "unit": "1", "value": 256, "domain": []any{1, 4096}},
				{"name": "timeout", "type": "real", "unit": "s", "value": "2.5", "domain": []any{"0.1", "60"}},
			},
		},
	}
	step := func(id string, needs, inputs, outputs []string, more M) M {
		s := M{"id": id, "needs": needs, "run": []string{"./" + id + ".sh"}, "inputs": inputs, "outputs": outputs}
		for name, value := range more {
			s[name] = value
		}
		return s
	}
	none := []string{}
	r.Pipeline = M{
		"schema": "relseal/pipeline/v1", "card": M{"id": "demo-release", "author": "release@example.test"},
		"tools": []string{"go"}, "locks": []string{"go.mod"}, "env": []string{"CGO_ENABLED"},
		"rng": M{"family": "pcg32", "seed": "42"},
		"steps": []M{
			step("build", none, []string{"go.mod"}, []string{"out/demo"}, nil),
			step("rebuild", []string{"build"}, []string{"go.mod"}, []string{"out/again/demo"}, M{"same_as": "build"}),
			step("test", []string{"build"}, []string{"go.mod"}, none, M{"timeout_ms": 300000}),
		},
	}
	r.record()
	return r
}

// record writes the events of a run that went well.
func (r *Run) record() {
	source := map[string]string{"go.mod": "module example.test/demo\n"}
	made := map[string]map[string]string{
		"build":   {"out/demo": r.Outputs["out/demo"]},
		"rebuild": {"out/again/demo": r.Outputs["out/demo"]},
	}
	producer := Digest([]byte("relseal 0.1.0"))
	r.Events = []M{{"action": "run.start", "code": M{"hash": producer}, "details": M{"source": M{"commit": "0123456789abcdef0123456789abcdef01234567", "dirty": false}}}}
	for _, s := range r.Pipeline["steps"].([]M) {
		id, code := s["id"].(string), M{"hash": Digest(Canon(s))}
		r.Events = append(r.Events,
			M{"action": "step.start", "path": id, "code": code, "inputs": Items(source)},
			M{"action": "step.end", "path": id, "code": code, "inputs": Items(source), "outputs": Items(made[id]), "status": "ok",
				"TS": M{"snapshot": M{"makespan": "0.25"}}, "details": M{"exit_code": 0}})
	}
	r.Events = append(r.Events,
		M{"action": "run.end", "code": M{"hash": producer}, "outputs": Items(r.Outputs), "status": "ok", "TS": M{"snapshot": M{"makespan": "1"}}},
		M{"action": "trail.close", "code": M{"hash": producer}})
}

// Items returns a set of files by their content.
func Items(files map[string]string) M {
	list := []M{}
	for uri, content := range files {
		list = append(list, M{"hash": Digest([]byte(content)), "uri": uri})
	}
	sort.Slice(list, func(i, j int) bool { return list[i]["uri"].(string) < list[j]["uri"].(string) })
	items := M{"hash": Digest(Canon(list))}
	if len(list) > 0 {
		items["items"] = list
	}
	return items
}

func (r *Run) fingerprint() M { return M{"fingerprint": Digest(Canon(r.Lock))} }
func (r *Run) pipeline() M    { return M{"hash": Digest(Canon(r.Pipeline))} }
func (r *Run) params() M      { return M{"hash": Digest(Canon(r.Params))} }

// Genesis returns the genesis of the run's trail.
func (r *Run) Genesis() M {
	g := M{
		"schema": "relseal/trail/v1", "purpose": "run", "run": M{"id": r.ID}, "created": stamp(0), "product": r.Product,
		"EnvLock": r.fingerprint(), "PipelineCard": r.pipeline(), "ParamCard": r.params(), "verifier": M{"pk_ref": r.Key.ID()},
	}
	if r.Continues != nil {
		g["continues"] = r.Continues
	}
	return g
}

func stamp(k int) string { return fmt.Sprintf("2026-01-02T03:04:%02d.000000Z", k) }

// Event returns e_k: what the run says of it, and every member that it does not.
func (r *Run) Event(k int) M {
	e := M{
		"audit": M{"schema": M{"version": "1.0.0"}}, "k": k, "ts": stamp(k), "tau_mono_us": 1000000 * k, "clock": "demo",
		"actor": "release", "run": M{"id": r.ID},
		"EnvLock": r.fingerprint(), "PipelineCard": r.pipeline(), "ParamCard": r.params(), "rng": M{"seed": "42"},
		"inputs": Items(nil), "outputs": Items(nil), "path": nil, "TS": M{"snapshot": M{}},
		"verifier": M{"pk_ref": r.Key.ID()}, "notes": nil,
	}
	for name, value := range r.Events[k-1] {
		e[name] = value
	}
	return e
}

// A Line is one event as it stands in the trail.
type Line struct {
	Event M
	ID, H string
	Sig   string
}

func (l Line) bytes() []byte {
	return append(Canon(M{"H_k": l.H, "e": l.Event, "id_k": l.ID, "sig_k": l.Sig}), '\n')
}

// Head returns line 0 and H_0.
func (r *Run) Head() (line []byte, h0 string) {
	g := r.Genesis()
	h0 = Digest(Canon(g))
	return append(Canon(M{"H_0": h0, "genesis": g, "sig_0": r.Key.sign64(raw(h0))}), '\n'), h0
}

// Lines returns the events as a chain.
func (r *Run) Lines() []Line {
	_, h := r.Head()
	var lines []Line
	for k := 1; k <= len(r.Events); k++ {
		e := r.Event(k)
		id := Digest(Canon(e))
		h = Digest(append(raw(h), raw(id)...))
		lines = append(lines, Line{e, id, h, r.Key.sign64(raw(h))})
	}
	return lines
}

// Trail returns trail.jsonl.
func (r *Run) Trail() []byte {
	line, _ := r.Head()
	var b bytes.Buffer
	b.Write(line)
	for _, l := range r.Lines() {
		b.Write(l.bytes())
	}
	return b.Bytes()
}
