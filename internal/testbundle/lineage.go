package testbundle

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"sort"
	"strings"
)

// Lineage returns what a promoted release holds of a bundle that it came from: its
// manifest and the raw signatures of those who signed it.
func Lineage(from Files) Files {
	manifest := from["manifest.json"]
	var m M
	if err := json.Unmarshal(manifest, &m); err != nil {
		panic(err)
	}
	verifier, _ := m["verifier"].(M)
	sealer, _ := verifier["pk_ref"].(string) // a manifest may say anything
	sigs := []M{}
	for path, data := range from {
		signer, ok := strings.CutSuffix(path, "/bundle.id.sig")
		if !ok {
			continue
		}
		id := sealer
		if name, further := strings.CutPrefix(signer, "sig/by/"); further {
			sum, err := hex.DecodeString(name)
			if err != nil {
				panic(err)
			}
			id = "SHA256:" + base64.RawStdEncoding.EncodeToString(sum)
		}
		sigs = append(sigs, M{"keyid": id, "sig": base64.StdEncoding.EncodeToString(data)})
	}
	sort.Slice(sigs, func(i, j int) bool { return sigs[i]["keyid"].(string) < sigs[j]["keyid"].(string) })
	dir := "evidence/from/" + Digest(manifest)[7:] + "/"
	return Files{dir + "manifest.json": manifest, dir + "signatures.json": Canon(M{"schema": "relseal/signatures/v1", "signatures": sigs})}
}
