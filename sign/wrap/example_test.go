package wrap_test

import (
	"bytes"
	"fmt"
	"log"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/keys/private"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/sign/wrap"
)

// The SSHSIG of a manifest is what ssh-keygen -Y sign writes.
func ExampleSealer_Seal() {
	key, err := private.Generate(nil)
	if err != nil {
		log.Fatal(err)
	}
	manifest := []byte(`{"kind":"audit"}`)
	id, _, sshsig, err := wrap.New(key).Seal(manifest, bundle.Sums(manifest, nil), bundle.AuditPredicate)
	if err != nil {
		log.Fatal(err)
	}
	digest := sign.Sum(manifest)
	fmt.Println(key.Public().Verify(digest[:], id))
	sig, err := sign.SSHSIGSignature(sshsig)
	fmt.Println(key.Public().Verify(sign.SSHSIGMessage(sign.Namespace, manifest), sig), err)
	fmt.Println(bytes.HasPrefix(sshsig, []byte("-----BEGIN SSH SIGNATURE-----\n")))
	// Output:
	// true
	// true <nil>
	// true
}
