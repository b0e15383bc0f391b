package finding_test

import (
	"fmt"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/keys"
)

// Scripts match on codes; people read what they mean.
func ExampleExplain() {
	f := finding.New(finding.TrailOpen, "audit/trail.jsonl", "the run has no trail.close").At(7)
	fmt.Println(f.Verdict, f.Code, *f.Path, *f.K)
	what, ok := finding.Explain(f.Code)
	fmt.Println(ok, what.Meaning)
	// Output:
	// UNDECIDABLE E_TRAIL_OPEN audit/trail.jsonl 7
	// true The trail of a run has no closing event: more may have happened.
}

// The worse of two answers counts.
func ExampleVerdict_Worse() {
	v := finding.Verified
	for _, f := range []finding.Finding{finding.New(finding.ArtifactMissing, "", ""), finding.New(finding.FileHash, "", "")} {
		v = v.Worse(f.Verdict)
		fmt.Println(v)
	}
	// Output:
	// UNDECIDABLE
	// REJECT
}

// What to do stands beside an error, and not in its text.
func ExampleHint() {
	_, err := keys.LoadTrusted([]string{"nowhere.pub"})
	fmt.Println(err)
	fmt.Println("hint:", finding.Hint(fmt.Errorf("start: %w", err)))
	// Output:
	// nowhere.pub: no such file or directory
	// hint: give the .pub file of the release key, or a directory of them
}
