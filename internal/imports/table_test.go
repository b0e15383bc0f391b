package imports

// Third-party modules. Each lives at the edge that its row gives it.
const (
	edwards  = "filippo.io/edwards25519"
	jsonv2   = "github.com/go-json-experiment/json"
	compress = "github.com/klauspost/compress"
	sigstore = "github.com/sigstore/sigstore"
	xcrypto  = "golang.org/x/crypto"
	xsys     = "golang.org/x/sys"
	yaml     = "gopkg.in/yaml.v3"
	urfave   = "github.com/urfave/cli/v2"
	xterm    = "golang.org/x/term"
)

// anything allows every package of the module, or every third-party module.
const anything = "*"

// A row says what the files of one package, tests apart, may import beside the
// standard library.
type row struct {
	own   []string // packages of this module, by their folder
	mods  []string // third-party modules, with every package in them
	never []string // stronger than the two above; standard packages too
}

// table has one row a package, by its folder, from the bottom up. A row may be
// there before its package is.
var table = map[string]row{
	"internal/limits":     {},
	"internal/lazyregexp": {},
	"finding":             {},
	"internal/hint":       {own: []string{"finding"}},
	"internal/imports":    {},
	"internal/regular":    {},
	"internal/escape":     {own: []string{"internal/lazyregexp"}},
	"internal/engine":     {},
	"internal/clock":      {mods: []string{xsys}},
	"internal/durable":    {own: []string{"internal/regular"}, mods: []string{xsys}},
	"canon":               {own: []string{"internal/limits"}, mods: []string{jsonv2}},
	// What every reader of a document needs, and YAML above it.
	"internal/document": {own: []string{"canon", "internal/limits"}},
	"internal/yamldoc":  {own: []string{"canon", "internal/document", "internal/limits", "internal/lazyregexp"}, mods: []string{yaml}},

	// crypto/x509 would bring a network stack with it.
	"sign":      {own: []string{"canon", "internal/limits"}, mods: []string{edwards}, never: []string{"crypto/x509"}},
	"sign/wrap": {own: []string{"sign"}},
	// What both packages of keys need of a key file; keys verifies, so it links nothing
	// that opens a private one.
	"internal/keyfile": {own: []string{"internal/hint", "internal/regular", "sign", "internal/lazyregexp"}, never: []string{"crypto/x509"}},
	"keys":             {own: []string{"internal/hint", "internal/keyfile", "keys/root", "sign"}, never: []string{"crypto/x509"}},
	"keys/private":     {own: []string{"internal/durable", "internal/hint", "internal/keyfile", "sign", "sign/bulk"}, mods: []string{sigstore, xcrypto}},

	// A root is read by everybody who verifies: no file, no network, no private key.
	"keys/root": {own: []string{"canon", "finding", "internal/limits", "sign"}, never: []string{"net", "os", "crypto/x509"}},

	"envlock":         {own: []string{"canon", "internal/limits", "sign"}},
	"envlock/capture": {own: []string{"envlock", "canon", "internal/hint", "internal/limits", "internal/regular", "sign", "internal/lazyregexp"}, mods: []string{xsys}},
	"cards":           {own: []string{"canon", "internal/document", "internal/limits", "sign", "internal/lazyregexp"}},
	"cards/cardfile":  {own: []string{"canon", "cards", "internal/document", "internal/yamldoc"}},
	// A decision is a function of a policy and of windows: no clock, no files, no network.
	"gates":            {own: []string{"canon", "internal/document", "internal/limits", "sign"}, never: []string{"io/fs", "net", "os"}},
	"gates/policyfile": {own: []string{"gates", "internal/document", "internal/yamldoc"}},
	"gates/ledger":     {own: []string{"canon", "gates", "internal/limits", "sign"}, never: []string{"io/fs", "net", "os"}},
	"gates/power":      {own: []string{"gates", "internal/limits"}, never: []string{"io/fs", "net", "os"}},
	// Cases of the semantics, for this implementation and for others.
	"internal/conformance": {own: []string{"canon", "gates", "gates/ledger", "gates/power", "internal/document", "internal/limits"}},
	"audit":                {own: []string{"canon", "internal/clock", "internal/durable", "finding", "internal/limits", "internal/regular", "sign", "sign/comb"}},
	"run":                  {own: []string{"audit", "cards", "envlock", "envlock/capture", "canon", "internal/regular", "sign"}, mods: []string{xsys}},
	// A bundle carries a trail as a file: what is in it is for verify to say.
	"bundle":  {own: []string{"gates", "canon", "internal/durable", "finding", "internal/limits", "internal/regular", "sign", "internal/lazyregexp"}, mods: []string{compress}},
	"release": {own: []string{"audit", "gates", "gates/ledger", "canon", "finding", "internal/limits", "internal/regular", "internal/seen", "sign"}},
	"verify":  {own: []string{"audit", "bundle", "cards", "envlock", "gates", "gates/ledger", "canon", "internal/engine", "internal/escape", "finding", "internal/limits", "internal/regular", "internal/seen", "sign", "internal/lazyregexp"}},
	// What release has read, verify need not read again.
	"internal/seen": {own: []string{"audit", "gates/ledger", "sign"}},

	// Trails as people use them: no YAML, no private key of its own.
	"trail": {own: []string{"audit", "bundle", "cards", "envlock", "canon", "internal/durable", "internal/escape", "finding", "gates/ledger", "internal/hint", "internal/limits", "internal/regular", "release", "sign", "verify"}},

	"internal/bench":       {own: []string{"audit", "canon", "internal/clock", "internal/naive", "internal/regular", "keys", "sign", "sign/comb"}, mods: []string{xsys}},
	"internal/countersign": {own: []string{"bundle", "finding", "internal/hint", "internal/limits", "internal/regular", "keys", "keys/root", "sign", "sign/wrap", "verify"}},
	// Where windows come from; it decides nothing.
	"internal/observe": {own: []string{"audit", "canon", "finding", "gates", "gates/ledger", "internal/escape", "internal/hint", "internal/regular", "sign", "trail"}},

	// Packing verifies what it wrote.
	"envlock/sbom": {own: []string{"envlock", "envlock/capture"}},
	// The fast way of package sign; nothing but verification of a trail uses it.
	"sign/comb": {own: []string{"sign"}, mods: []string{edwards}},
	// And its counterpart: nothing but a private key in this process uses it.
	"sign/bulk": {own: []string{"sign"}, mods: []string{edwards}},
	// Views of a report for CI systems.
	"internal/cireport": {own: []string{"internal/escape", "finding", "verify"}},
	// A drawing of numbers: it knows nothing of gates.
	"internal/chart": {},

	"internal/pack":  {own: []string{"audit", "bundle", "cards/cardfile", "envlock", "gates", "canon", "internal/durable", "finding", "internal/limits", "internal/regular", "release", "sign", "verify"}},
	"internal/known": {own: []string{"audit", "bundle", "internal/durable", "internal/hint", "internal/limits", "internal/pack", "internal/regular", "keys/root", "release", "sign"}},
	// What relseal verify and relseal-verify share.
	"internal/exit":     {own: []string{"canon", "internal/escape", "internal/hint", "internal/limits"}},
	"internal/inquiry":  {own: []string{"audit", "bundle", "internal/escape", "internal/exit", "internal/hint", "internal/lazyregexp", "internal/regular", "keys", "keys/root", "sign", "verify"}},
	"internal/reverify": {own: []string{"audit", "bundle", "cards", "cards/cardfile", "envlock", "canon", "internal/durable", "internal/engine", "finding", "internal/hint", "internal/regular", "internal/rundir", "sign", "verify"}},
	// The one way to a private key for whatever starts programs of others.
	"internal/signer": {own: []string{"internal/regular", "keys/private", "sign"}, mods: []string{xsys}},
	"internal/cut":    {own: []string{anything}, mods: []string{anything}, never: []string{module + "/internal/cli"}},
	// An oracle for tests: it shares no code with what it tests.
	"internal/testbundle": {mods: []string{compress}},
	"internal/testuser":   {own: []string{"internal/regular"}},
	"internal/recipes":    {},
	"internal/scaffold":   {own: []string{"bundle", "cards", "cards/cardfile", "gates", "gates/policyfile", "internal/durable", "internal/hint", "internal/regular", "internal/lazyregexp"}},
	// What a CI system says of the job; a function of its variables.
	"internal/ciinfo": {},
	"internal/rundir": {own: []string{"audit", "bundle", "cards", "envlock", "canon", "internal/ciinfo", "internal/durable", "finding", "internal/hint", "internal/limits", "internal/regular", "sign"}},
	"internal/docs":   {},
	// It is measured against, so it has the standard library alone.
	"internal/naive": {},
	"internal/e2e":   {},
	// What the commands share; it knows none of them.
	"internal/cli/ui":  {own: []string{anything}, mods: []string{urfave, xsys, xterm}},
	"internal/cli":     {own: []string{anything}, mods: []string{urfave}},
	"cmd/relseal-ops":  {own: []string{"internal/cli", "internal/cli/ui"}},
	"cmd/relseal":      {own: []string{"internal/cli"}},
	"web/verify/build": {},
	"web/verify/wasm":  {own: []string{"internal/escape", "keys", "sign", "verify"}, never: []string{"net", "os/exec"}},
	// It verifies and does nothing else.
	"cmd/relseal-verify": {own: []string{"canon", "internal/engine", "internal/escape", "internal/exit", "internal/hint", "internal/inquiry", "verify"}},
}

// nouns are the commands, a package each under internal/cli. None imports another: what
// several need is in internal/cli/ui, or in the room that owns it.
var nouns = []string{
	"bench", "bundle", "canon", "card", "cut", "envlock", "explain", "gate", "initcmd", "key",
	"release", "reverify", "run", "trail", "trust", "verify",
}

func init() {
	for _, n := range nouns {
		r := row{own: []string{anything}, mods: []string{urfave}}
		for _, other := range nouns {
			if other != n {
				r.never = append(r.never, module+"/internal/cli/"+other)
			}
		}
		table["internal/cli/"+n] = r
	}
}

// A ban holds for everything that a package reaches, not for its own imports alone.
type ban struct {
	from string
	what []string // import paths, with everything below them
	why  string
}

var bans = []ban{
	{"cmd/relseal-verify", offline, "the small program verifies and can do nothing else"},
	{"verify", offline, "a verifier opens no connection, starts no process and holds no private key"},
	{"keys", offline, "who verifies reads public keys, and nothing that opens a private one"},
	{"sign", offline, "everything that verifies imports sign"},
	{"gates", offline, "a decision is a function of a policy and of windows"},
	{"gates/ledger", offline, "what follows from a ledger is a function of its events"},
}

// offline is what verifying must not reach. Go's own copies under vendor/ have
// other paths and are not meant.
var offline = []string{
	"net", "os/exec", "os/user", "plugin", "crypto/tls", "crypto/x509",
	sigstore, xcrypto, yaml,
	module + "/keys/private", module + "/sign/bulk", module + "/sign/wrap", module + "/run", module + "/envlock/capture",
}
