package verify_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/verify"
)

const (
	release = "../testdata/vectors/good-release.tar.zst"
	pub     = "../testdata/vectors/keys/release.pub"
)

func ExampleFile() {
	trusted, err := keys.LoadTrusted([]string{pub}) // from a channel that you trust
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := verify.File(context.Background(), release, verify.Options{Keys: trusted})
	if err != nil {
		fmt.Println("do not install it:", err)
		return
	}
	fmt.Println(report.Verdict, report.Bundle)
	// Output:
	// VERIFIED release bundle sha256:d9f62abc819c326315eec0d95c7977349cd850cd8a2e19c10c15b61624a7bbbc
}

// What is wrong can be told from what could not be read.
func ExampleAnswerError() {
	trusted, err := keys.LoadTrusted([]string{pub})
	if err != nil {
		fmt.Println(err)
		return
	}
	damaged := "../testdata/vectors/artifact-missing.tar.zst"
	_, err = verify.File(context.Background(), damaged, verify.Options{Keys: trusted})
	answer, ok := errors.AsType[*verify.AnswerError](err)
	if !ok {
		fmt.Println("could not be judged:", err)
		return
	}
	what, _ := verify.Explain(answer.FindingCode())
	fmt.Println(answer.Verdict, answer.FindingCode())
	fmt.Println(what.Meaning)
	// Output:
	// UNDECIDABLE E_ARTIFACT_MISSING
	// An artifact is neither in the bundle nor among the files supplied.
}

// A downloaded file is what somebody released, or it is not.
func ExampleArtifact() {
	trusted, err := keys.LoadTrusted([]string{pub})
	if err != nil {
		fmt.Println(err)
		return
	}
	file, err := os.CreateTemp("", "demo")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.Remove(file.Name())
	file.WriteString("a small artifact\n")
	file.Close()

	r, err := verify.Artifact(context.Background(), file.Name(), release, verify.Options{Keys: trusted})
	if err != nil {
		fmt.Println("do not install it:", err)
		return
	}
	fmt.Println(r.URIs, "of", r.Product, r.Version, "on", r.Channel)
	// Output:
	// [out/demo] of demo 1.0.0 on canary
}
