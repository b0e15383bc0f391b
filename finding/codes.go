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
	KeyRetired      Code = "E_KEY_RETIRED"
	KeyRevoked      Code = "E_KEY_REVOKED"
	Threshold       Code = "E_THRESHOLD"
	Root            Code = "E_ROOT"
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

	// What is remembered of a ledger, held against it.
	LedgerCut     Code = "E_LEDGER_CUT"
	LedgerOther   Code = "E_LEDGER_OTHER"
	LedgerUnknown Code = "E_LEDGER_UNKNOWN"

	// What a ledger that the caller has says of a bundle.
	RolledBack Code = "E_ROLLED_BACK"

	// What a gate decision says of its policy, its windows and its clock.
	PolicyLate       Code = "E_POLICY_LATE"
	RollbackDeadline Code = "E_ROLLBACK_DEADLINE"
	TimebaseSkew     Code = "E_TIMEBASE_SKEW"
	SampleSize       Code = "E_SAMPLE_SIZE"
	WindowConflict   Code = "E_WINDOW_CONFLICT"
	WindowOverlap    Code = "E_WINDOW_OVERLAP"
	WindowInvalid    Code = "E_WINDOW_INVALID"
	QueryCardinality Code = "E_QUERY_CARDINALITY"
	MetricMissing    Code = "METRIC_MISSING"
	MetricNonfinite  Code = "METRIC_NONFINITE"
	MetricKind       Code = "METRIC_KIND"
	MetricBlackout   Code = "METRIC_BLACKOUT"
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
	LedgerUnknown:   Undecidable,

	// A decision that took them into account is authentic; whether it follows is
	// for E_DECISION to say.
	RollbackDeadline: Note,
	TimebaseSkew:     Note,
	WindowConflict:   Note,
	WindowOverlap:    Note,
	WindowInvalid:    Note,
	QueryCardinality: Note,
	MetricMissing:    Note,
	MetricNonfinite:  Note,
	MetricKind:       Note,
	MetricBlackout:   Note,
}
