// Package limits holds every size and count that the formats fix. They are
// part of the format: a writer refuses what a reader would.
package limits

const (
	KiB = 1 << 10
	MiB = 1 << 20
	GiB = 1 << 30

	JSONDepth  = 64             // nesting of objects and arrays
	JSONString = 64 * KiB       // bytes of one decoded string or member name
	JSONInt    = 1<<53 - 1      // largest magnitude of a JSON number
	Line       = 1 * MiB        // one line of a trail, its LF not counted
	Document   = 64 * KiB       // a card, policy or configuration as people write it
	EnvLock    = 4 * MiB        // envlock.json
	Card       = 1 * MiB        // a card or policy in canonical form
	Manifest   = 64 * MiB       // manifest.json
	Lineage    = 16 * MiB       // a manifest that a promoted release came from
	Members    = 64             // members of a manifest; see package bundle for why these are counted
	Trails     = 64             // trails of one bundle
	Element    = 256 * KiB      // one element of a manifest's files, artifacts or trails
	Provenance = 8 * MiB        // a manifest's provenance: a digest for each of the files
	Decision   = 4 * MiB        // a manifest's decision, with the windows that it rests on: 10,000 of them
	Policies   = 10_000         // registrations in a ledger
	Releases   = 100_000        // bundles that came to a channel in a ledger
	Amiss      = 10_000         // events of a ledger that do not follow from those before them: each is kept until it is known what it is about
	Windows    = 1 << 20        // windows of one release in a ledger
	WindowText = 64 * MiB       // their ids and values together
	Name       = 200            // bytes of a window's id, and of a version in a ledger
	Value      = 100            // bytes of one value of a window: a decimal that decides anything has at most 86
	Steps      = 100_000        // steps that start in a trail: five times what a card of 1 MiB can have
	Clocks     = 100_000        // clocks of a trail: one for each boot and host
	Rotations  = 1_000          // keys that a ledger was handed over to
	Triggers   = 1_000          // triggers that a decision lists
	Blackout   = 10_000         // max_undecidable of a policy: a decision holds so many windows
	Details    = 1 * MiB        // any other member of a manifest
	Signature  = 64 * KiB       // one file under sig/, sig/ext/ apart
	SigAll     = 16 * MiB       // everything else under sig/ together: they are kept until all are there
	SigExt     = 1 * MiB        // everything under sig/ext/ together
	View       = 16 * MiB       // SHA256SUMS, VERIFY.md
	Files      = 100_000        // files of one bundle
	Path       = 100            // bytes of a path inside a bundle
	Member     = 8*GiB - 1      // bytes of one file inside a bundle: ustar's eleven octal digits
	ZstdWindow = 8 * MiB        // window of the zstd frame around a bundle
	ExpandFree = 512 * MiB      // unpacked bytes that any frame may have;
	Expand     = 1024           // above that, at most so many for each packed byte
	Embed      = 64 * MiB       // an artifact up to this size is copied into its bundle
	Findings   = 10_000         // findings kept per code; the totals are always exact
	Faulty     = 20_000         // lines that break the chain of a trail: each may cost two signatures, and packs to a few bits;
	FaultyPart = 2 * KiB        // a line counts once for each part begun: a MiB of short members takes a tenth of a second to read
	Bundle     = int64(1) << 40 // bytes of an unpacked bundle, unless the caller says otherwise
)
