package bundle

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/keys/root"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/sign/wrap"
	"github.com/relseal/relseal/verify"
)

func signCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "sign",
		Usage:     "add a further signature to a sealed bundle",
		ArgsUsage: "BUNDLE",
		Description: `Verifies BUNDLE, and writes it to F with the three signature files of one more key. Its
id stays what it is. A bundle that only lacks signatures is signed; what is undecidable
otherwise is signed with --allow-undecidable, what is wrong never.

A key need never come to this machine: --payload writes the three messages to sign, and
--attach takes back what openssl pkeyutl -sign -rawin or ssh-keygen made of them.

Example:
  relseal bundle sign greetd.release.tar.zst --key bob.key --root 1.root.json --root-dir ROOTS --out signed.release.tar.zst
  relseal bundle sign greetd.release.tar.zst --trust release.pub --payload payload
  relseal bundle sign greetd.release.tar.zst --trust release.pub --attach payload --public bob.pub --out signed.release.tar.zst`,
		Flags: append(append(append(ui.KeyFlags("sign with the private key in `F`"),
			&cli.StringFlag{Name: "out", Usage: "write the bundle to `F`"},
			&cli.StringFlag{Name: "payload", Usage: "write what is to be signed elsewhere into the new directory `DIR`"},
			&cli.StringFlag{Name: "attach", Usage: "take the signatures that were made elsewhere from `DIR`"},
			&cli.StringFlag{Name: "public", Usage: "they are by the public key in `F`"},
			&cli.StringFlag{Name: "roots", Usage: "put the versions of the trust root in `DIR` into the bundle, for verifiers who have the first one alone"},
			&cli.StringSliceFlag{Name: "trust", Usage: "verify with the public key in `FILE`, or every *.pub of a directory; may be repeated"}),
			ui.RootFlags()...),
			&cli.BoolFlag{Name: "allow-undecidable", Usage: "sign a bundle that is UNDECIDABLE, too"},
			&cli.BoolFlag{Name: "force", Usage: "overwrite the file of --out"},
			ui.JSONFlag(),
		),
		Action: func(c *cli.Context) error { return bundleSign(env, c) },
	}
}

func bundleSign(env *ui.Env, c *cli.Context) error {
	if err := checkSign(c); err != nil {
		return err
	}
	o, err := signOptions(c)
	if err != nil {
		return err
	}
	name := c.Args().First()
	report, err := verify.File(c.Context, name, o)
	if report == nil {
		return err
	}
	if !signable(report, c.Bool("allow-undecidable")) {
		if err := env.Print(c, report, report.Summary()+"nothing was signed\n"); err != nil {
			return err
		}
		return ui.AnswerTo(report)
	}
	s, err := readSealed(name)
	if err != nil {
		return err
	}
	s.signers = report.Keys
	if s.id != *report.Bundle.ID {
		return fmt.Errorf("%s: the bundle changed after it was verified", name)
	}
	if dir := c.String("payload"); dir != "" {
		return writePayload(env, c, s, dir)
	}
	return addSignature(env, c, s, o)
}

// checkSign refuses flags that exclude each other or are missing.
func checkSign(c *cli.Context) error {
	if err := ui.ExactArgs(c, "BUNDLE"); err != nil {
		return err
	}
	ways := 0
	for _, name := range []string{"key", "payload", "attach"} {
		if c.IsSet(name) {
			ways++
		}
	}
	switch {
	case ways > 1:
		return ui.UsageHint("relseal bundle sign: --key, --payload and --attach exclude each other", "relseal bundle sign --help")
	case ways == 0 && !c.IsSet("roots"):
		return ui.UsageHint("relseal bundle sign: --key, --payload or --attach is missing", "--key bob.key")
	case c.IsSet("attach") != c.IsSet("public"):
		return ui.UsageHint("relseal bundle sign: --attach and --public go together", "--attach DIR --public bob.pub")
	case c.IsSet("root") == (len(c.StringSlice("trust")) > 0):
		return ui.UsageHint("relseal bundle sign: the bundle is verified first: give --trust or --root", "--trust release.pub, with a key from a channel that you trust")
	}
	if c.IsSet("payload") {
		return nil
	}
	_, err := ui.OutFile(c)
	return err
}

func signOptions(c *cli.Context) (verify.Options, error) {
	var o verify.Options
	if c.IsSet("root") {
		err := ui.RootOptions(c, &o)
		return o, err
	}
	trusted, err := keys.LoadTrusted(c.StringSlice("trust"))
	o.Keys = trusted
	return o, err
}

// signable reports whether nothing but signatures is missing.
func signable(r *verify.Report, undecidable bool) bool {
	if r.Bundle.ID == nil {
		return false
	}
	for _, f := range r.Diag.Findings {
		switch {
		case f.Code == finding.Threshold, f.Verdict == verify.Note:
		case f.Verdict == verify.Undecidable && undecidable:
		default:
			return false
		}
	}
	return true
}

// sealed is what signing needs of a bundle.
type sealed struct {
	name      string
	id        sign.Digest
	manifest  []byte
	sums      []byte
	predicate string
	role      string
	copies    map[string][]byte // of the root
	signers   []verify.KeyUse
}

func readSealed(name string) (sealed, error) {
	s := sealed{name: name, copies: map[string][]byte{}}
	src, err := bundle.Open(name, func(finding.Finding) {})
	if err != nil {
		return s, err
	}
	defer src.Close()
	for {
		e, err := src.Next()
		if errors.Is(err, io.EOF) || err == nil && e.Path != bundle.ManifestPath && !strings.HasPrefix(e.Path, "sig/") {
			return s, nil
		}
		if err != nil {
			return s, err
		}
		_, isRoot := root.VersionOf(e.Path)
		if e.Path != bundle.ManifestPath && !isRoot {
			continue
		}
		data, err := io.ReadAll(e.Body)
		if err != nil {
			return s, err
		}
		if isRoot {
			s.copies[e.Path] = data
		} else if err := s.read(data); err != nil {
			return s, err
		}
	}
}

func (s *sealed) read(manifest []byte) error {
	s.manifest, s.id = manifest, sign.Sum(manifest)
	kind, err := bundle.ManifestKind(manifest)
	if err != nil {
		return err
	}
	if kind == bundle.KindRelease {
		m, err := bundle.ReadReleaseManifest(manifest)
		s.sums, s.predicate, s.role = bundle.Sums(manifest, m.Files), bundle.ReleasePredicate, verify.SealRole(nil, &m)
		return err
	}
	m, err := bundle.ReadAuditManifest(manifest)
	s.sums, s.predicate, s.role = bundle.Sums(manifest, m.Files), bundle.AuditPredicate, verify.SealRole(&m, nil)
	return err
}

// mayCount refuses to add a signature that no reader would count: a second one by the
// same key, or one by a key without the role.
func (s sealed) mayCount(o verify.Options, key sign.PublicKey) error {
	for _, k := range s.signers {
		if k.ID == key.KeyID() && slices.ContainsFunc(k.Signed, func(file string) bool {
			return file == bundle.SigIDPath || strings.HasPrefix(file, bundle.SigByDir)
		}) {
			return hint.With(fmt.Errorf("%s has signed it already", k.ID), "a key counts once; relseal bundle show says who has signed")
		}
	}
	if o.Root == nil {
		return nil
	}
	authority, _ := o.Root.Walk(s.copies)
	if g, ok := authority.Grant(s.role, key.KeyID()); !ok || g.Status != sign.Active {
		return fmt.Errorf("%s may not sign as %s by this root", key.KeyID(), s.role)
	}
	return nil
}

// addSignature writes the bundle with one more signer, with versions of the root, or
// with both, and verifies what it wrote.
func addSignature(env *ui.Env, c *cli.Context, s sealed, o verify.Options) error {
	add, key, err := furtherFiles(env, c, s, o)
	if err != nil {
		return err
	}
	if dir := c.String("roots"); dir != "" {
		files, err := rootCopies(dir)
		if err != nil {
			return err
		}
		maps.Copy(add, files)
	}
	out := c.String("out")
	if _, err := bundle.WriteSealed(out, c.Bool("force"), func(w io.Writer) (sign.Digest, error) {
		return bundle.AddSigned(w, s.name, add)
	}); errors.Is(err, fs.ErrExist) {
		return ui.Exists(out)
	} else if err != nil {
		return err
	}
	if o.Root == nil && key != nil {
		o.Keys = withKey{o.Keys, *key}
	}
	report, err := verify.File(c.Context, out, o)
	if report == nil {
		return err
	}
	result := signedResult{Schema: "relseal/bundle-sign/v1", File: out, ID: s.id, Verdict: report.Verdict, Added: []string{}, Key: keyIDOf(key)}
	text := fmt.Sprintf("wrote %s\n  %s %s\n", escape.Line(out), report.Verdict, s.id)
	if key != nil {
		text += fmt.Sprintf("  signed by %s as %s\n", key.KeyID(), s.role)
	}
	for _, f := range report.Diag.Findings {
		if f.Code == finding.Threshold || key != nil && f.Path != nil && *f.Path == bundle.SigByDir+key.KeyID().Hex()+"/" {
			text += "  " + f.Text + "\n"
		}
	}
	result.Added = ui.SortedPaths(add)
	return env.PrintDone(c, result, text)
}

type signedResult struct {
	Schema  string         `json:"schema"`
	File    string         `json:"file"`
	ID      sign.Digest    `json:"id"`
	Key     *sign.KeyID    `json:"key"` // null with --roots alone
	Verdict verify.Verdict `json:"verdict"`
	Added   []string       `json:"added"`
}

// furtherFiles are the three files of the signer; none with --roots alone.
func furtherFiles(env *ui.Env, c *cli.Context, s sealed, o verify.Options) (map[string][]byte, *sign.PublicKey, error) {
	switch {
	case c.IsSet("key"):
		private, err := env.SigningKey(c)
		if err != nil {
			return nil, nil, err
		}
		key := private.Public()
		if err := s.mayCount(o, key); err != nil {
			return nil, nil, err
		}
		sig, sigstore, sshsig, err := wrap.New(private).Seal(s.manifest, s.sums, s.predicate)
		return bundle.Further(key.KeyID(), sig, sigstore, sshsig), &key, err
	case c.IsSet("attach"):
		key, err := keys.LoadPublic(c.String("public"))
		if err != nil {
			return nil, nil, err
		}
		if err := s.mayCount(o, key); err != nil {
			return nil, nil, err
		}
		files, err := s.attached(c.String("attach"), key)
		return files, &key, err
	}
	return map[string][]byte{}, nil, nil
}
