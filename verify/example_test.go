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
	os.Chdir("../testdata/vectors/keys")
	defer os.Chdir("../../../verify")
	err := check(context.Background(), "../good-lts.tar.zst")
	fmt.Println("error:", err)
	err = check(context.Background(), "../container-cut.tar.zst")
	fmt.Println("error:", err)
	// Output:
	// VERIFIED release bundle sha256:55e36c57c32f873661a3047994dd0713cd73bbbf18291104efb8841243edb463
	// error: <nil>
	// REJECT bundle without a readable manifest
	// error: REJECT: E_FORMAT: the zstd frame is truncated
}

// check returns nil only if file is a release of demo that holds.
func check(ctx context.Context, file string) error {
	trusted, err := keys.LoadTrusted([]string{"release.pub"}) // a key from a channel that you trust
	if err != nil {
		return err
	}
	report, err := verify.File(ctx, file, verify.Options{
		Keys:   trusted,
		Expect: verify.Expect{Product: "demo"},
	})
	if report != nil {
		fmt.Println(report.Verdict, report.Bundle) // report.Summary() says all that was found
	}
	return err // nil if the answer is VERIFIED, and only then
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
