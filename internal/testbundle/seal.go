package testbundle

import (
	"sort"
	"strings"
)

// The predicate types of the two bundles.
const (
	AuditPredicate   = "https://github.com/relseal/relseal/audit-bundle/v1"
	ReleasePredicate = "https://github.com/relseal/relseal/release-bundle/v1"
)

var roles = map[string]string{
	"envlock.json": "envlock", "cards/pipeline.json": "pipeline", "cards/param.json": "params",
	"audit/trail.jsonl": "trail", "VERIFY.md": "guide", "evidence/ledger.jsonl": "ledger",
}

func role(path string) string {
	if r := roles[path]; r != "" {
		return r
	}
	if strings.HasPrefix(path, "evidence/from/") {
		return "lineage"
	}
	switch dir, _, _ := strings.Cut(path, "/"); dir {
	case "artifacts":
		return "artifact"
	case "evidence":
		return "evidence"
	case "audit":
		return "trail"
	}
	return ""
}

// Seal returns files with the manifest, its view and the signatures of key.
func Seal(manifest M, files Files, key Key, predicateType string) Files {
	out := files.Clone()
	if guide, ok := out["VERIFY.md"]; ok && guide == nil {
		out["VERIFY.md"] = Guide(manifest)
	}
	var list []M
	for path, data := range out {
		list = append(list, M{"path": path, "role": role(path), "hash": Digest(data), "size": len(data)})
	}
	sort.Slice(list, func(i, j int) bool { return list[i]["path"].(string) < list[j]["path"].(string) })
	if manifest["files"] == nil {
		manifest["files"] = list
	}
	out["manifest.json"] = Canon(manifest)
	out["SHA256SUMS"] = Sums(out)
	for name, data := range key.Signatures(out["manifest.json"], out["SHA256SUMS"], predicateType) {
		out["sig/"+name] = data
	}
	return out
}

// Sums returns SHA256SUMS for the files outside sig/.
func Sums(files Files) []byte {
	var lines []string
	for path, data := range files {
		if path != "SHA256SUMS" && !strings.HasPrefix(path, "sig/") {
			lines = append(lines, Digest(data)[7:]+"  "+path+"\n")
		}
	}
	sort.Slice(lines, func(i, j int) bool { return lines[i][64:] < lines[j][64:] })
	return []byte(strings.Join(lines, ""))
}

// Files returns the files of the run that its manifest lists.
func (r *Run) Files() Files {
	f := Files{
		"envlock.json": Canon(r.Lock), "cards/pipeline.json": Canon(r.Pipeline), "cards/param.json": Canon(r.Params),
		"audit/trail.jsonl": r.Trail(), "VERIFY.md": nil,
	}
	if r.Embed {
		for uri, content := range r.Outputs {
			f["artifacts/"+uri] = []byte(content)
		}
	}
	for path, data := range r.More {
		f[path] = data
	}
	return f
}

func (r *Run) artifacts() []M {
	list := []M{}
	for uri, content := range r.Outputs {
		list = append(list, M{"uri": uri, "hash": Digest([]byte(content)), "size": len(content)})
	}
	sort.Slice(list, func(i, j int) bool { return list[i]["uri"].(string) < list[j]["uri"].(string) })
	return list
}

// Seal returns the run's AuditBundle.
func (r *Run) Seal() Files {
	_, h0 := r.Head()
	lines := r.Lines()
	manifest := M{
		"schema": "relseal/audit-bundle/v1", "kind": "audit", "product": r.Product, "run": M{"id": r.ID}, "outcome": r.Outcome,
		"EnvLock": r.fingerprint(), "PipelineCard": r.pipeline(), "ParamCard": r.params(),
		"trails":    []M{{"path": "audit/trail.jsonl", "purpose": "run", "H_0": h0, "H_K": lines[len(lines)-1].H, "K": len(lines)}},
		"artifacts": r.artifacts(), "verifier": M{"pk_ref": r.Key.ID()},
	}
	files := r.Files()
	if r.Manifest != nil {
		r.Manifest(manifest)
	}
	return Seal(manifest, files, r.Key, AuditPredicate)
}

// Release returns a ReleaseBundle on canary over the run, sealed with key.
// change, if not nil, may change the manifest before it is signed.
func (r *Run) Release(key Key, change func(M)) Files {
	return r.ReleaseOver(r.Seal(), key, change)
}

// ReleaseOver is Release over other bytes of the run's AuditBundle.
func (r *Run) ReleaseOver(audit Files, key Key, change func(M)) Files {
	return r.release(audit, key, nil, change)
}

// ReleaseWith is Release with more files.
func (r *Run) ReleaseWith(key Key, more Files, change func(M)) Files {
	return r.release(r.Seal(), key, more, change)
}

func (r *Run) release(audit Files, key Key, more Files, change func(M)) Files {
	id := Digest(audit["manifest.json"])
	files := Files{
		"VERIFY.md":                             nil,
		"evidence/" + id[7:] + ".audit.tar.zst": Zstd(audit.Tar()),
	}
	for uri, content := range r.Outputs {
		files["artifacts/"+uri] = []byte(content)
	}
	for path, data := range more {
		files[path] = data
	}
	manifest := M{
		"schema": "relseal/release-bundle/v1", "kind": "release", "product": r.Product, "version": "1.0.0", "channel": "canary",
		"commit": "0123456789abcdef0123456789abcdef01234567", "artifacts": r.artifacts(),
		"cards": M{"pipeline": Digest(Canon(r.Pipeline)), "param": Digest(Canon(r.Params))},
		"gates": nil, "scores": nil, "windows": nil, "decision": nil,
		"provenance": M{"audit": []string{id}, "previous": nil, "ledger": nil, "head": nil},
		"verifier":   M{"pk_ref": key.ID()},
	}
	if change != nil {
		change(manifest)
	}
	return Seal(manifest, files, key, ReleasePredicate)
}
