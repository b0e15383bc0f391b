package docs

import "reflect"

// holdsHead asks where a release says that the ledger stood: on canary anywhere or
// nowhere, else where it was promoted.
func (s *second) holdsHead(canary bool) bool {
	head := get(s.m, "provenance.head")
	if !canary {
		return reflect.DeepEqual(head, get(s.m, "provenance.ledger"))
	}
	for path := range s.listedPaths() {
		if path == "evidence/ledger.jsonl" {
			return false
		}
	}
	if head == nil {
		return true
	}
	return num(head, "k") > 0 || num(head, "k") == 0 && text(head, "H_k") == text(head, "H_0")
}

// listedPaths are the paths of files in the manifest.
func (s *second) listedPaths() map[string]bool {
	all := map[string]bool{}
	for _, f := range list(s.m, "files") {
		all[text(f, "path")] = true
	}
	return all
}
