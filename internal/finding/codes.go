package finding

// A Code names one kind of fault. Codes are stable: scripts match on them.
type Code string

const (
	Format          Code = "E_FORMAT"
	Limit           Code = "E_LIMIT"
	SchemaMismatch  Code = "E_SCHEMA_MISMATCH"
	FileMissing     Code = "E_FILE_MISSING"
	FileHash        Code = "E_FILE_HASH"
	FileUnlisted    Code = "E_FILE_UNLISTED"
	BundleID        Code = "E_BUNDLE_ID"
	SigBundle       Code = "E_SIG_BUNDLE"
	KeyUnknown      Code = "E_KEY_UNKNOWN"
	KeyWeak         Code = "E_KEY_WEAK"
	Genesis         Code = "E_GENESIS"
	EventID         Code = "E_EVENT_ID"
	ChainLink       Code = "E_CHAIN_LINK"
	SigEvent        Code = "E_SIG_EVENT"
	Sequence        Code = "E_SEQUENCE"
	RunID           Code = "E_RUN_ID"
	EnvLock         Code = "E_ENVLOCK"
	Card            Code = "E_CARD"
	ArtifactHash    Code = "E_ARTIFACT_HASH"
	ArtifactMissing Code = "E_ARTIFACT_MISSING"
	DataMismatch    Code = "E_DATA_MISMATCH"
	SeedInvalid     Code = "E_SEED_INVALID"
	Truncated       Code = "E_TRUNCATED"
	TrailOpen       Code = "E_TRAIL_OPEN"
	TimeOrder       Code = "E_TIME_ORDER"
	Decision        Code = "E_DECISION"
	EnvDrift        Code = "E_ENV_DRIFT"
	Nondeterminism  Code = "E_NONDETERMINISM"
)

// An Explanation says what a code means and what to do about it.
type Explanation struct {
	Code    Code
	Default Verdict
	Meaning string
	Causes  string
	Remedy  string
}

// Default returns the verdict of a finding with this code, unless the place
// where it is found says otherwise.
func (c Code) Default() Verdict {
	if v, ok := milder[c]; ok {
		return v
	}
	return Reject
}

// milder lists the codes whose default is not REJECT.
var milder = map[Code]Verdict{
	ArtifactMissing: Undecidable,
	TrailOpen:       Undecidable,
	TimeOrder:       Undecidable,
	EnvDrift:        Note,
}
