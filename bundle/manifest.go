package bundle

import (
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/sign"
)

// The schemas, kinds and predicate types of the two bundles.
const (
	AuditSchema   = "relseal/audit-bundle/v1"
	ReleaseSchema = "relseal/release-bundle/v1"

	KindAudit   = "audit"
	KindRelease = "release"

	AuditPredicate   = "https://github.com/relseal/relseal/audit-bundle/v1"
	ReleasePredicate = "https://github.com/relseal/relseal/release-bundle/v1"
)

// The channels of a release.
const (
	Canary = "canary"
	Stable = "stable"
	LTS    = "LTS"
)

// The paths that every bundle, or every bundle of a kind, has.
const (
	ManifestPath = "manifest.json"
	SumsPath     = "SHA256SUMS"
	GuidePath    = "VERIFY.md"
	EnvLockPath  = "envlock.json"
	PipelinePath = "cards/pipeline.json"
	ParamPath    = "cards/param.json"
	TrailPath    = "audit/trail.jsonl"

	SigIDPath   = "sig/bundle.id.sig"
	SigDSSEPath = "sig/manifest.sigstore.json"
	SigSSHPath  = "sig/manifest.sshsig"

	ArtifactDir = "artifacts/"
	EvidenceDir = "evidence/"
	SigExtDir   = "sig/ext/"
	SigByDir    = "sig/by/"
	SigRootDir  = "sig/root/"
)

// The roles of the files that a manifest lists.
const (
	RoleEnvLock  = "envlock"
	RolePipeline = "pipeline"
	RoleParams   = "params"
	RoleTrail    = "trail"
	RoleArtifact = "artifact"
	RoleEvidence = "evidence"
	RoleLedger   = "ledger"
	RoleGuide    = "guide"
	RoleLineage  = "lineage"
)

type (
	// File is one file of the bundle, as its manifest lists it.
	File struct {
		Path string      `json:"path"`
		Role string      `json:"role"`
		Hash sign.Digest `json:"hash"`
		Size int64       `json:"size"` // bytes
	}
	// Artifact is one output of the run; a copy at artifacts/<uri> is optional.
	Artifact struct {
		URI  string      `json:"uri"` // a label, never opened
		Hash sign.Digest `json:"hash"`
		Size int64       `json:"size"` // bytes
	}
	// Trail pins a trail of the bundle: its first and its last head.
	Trail struct {
		Path    string      `json:"path"`
		Purpose string      `json:"purpose"`
		H0      sign.Digest `json:"H_0"`
		HK      sign.Digest `json:"H_K"`
		K       int64       `json:"K"` // number of events, at least 1
	}
	// RunRef, DigestRef and so on carry the specification's dotted names.
	RunRef struct {
		ID string `json:"id"`
	}
	FingerprintRef struct {
		Fingerprint sign.Digest `json:"fingerprint"`
	}
	HashRef struct {
		Hash sign.Digest `json:"hash"`
	}
	KeyRef struct {
		PKRef sign.KeyID `json:"pk_ref"`
	}
	// RootRef names a version of a trust root.
	RootRef struct {
		Version int64       `json:"version"`
		Hash    sign.Digest `json:"hash"`
	}
)

// AuditManifest pins everything about one run. Its digest is bundle.id.
type AuditManifest struct {
	Schema       string         `json:"schema"`
	Kind         string         `json:"kind"`
	Product      string         `json:"product"`
	Run          RunRef         `json:"run"`
	Outcome      string         `json:"outcome"` // ok, failed or aborted
	EnvLock      FingerprintRef `json:"EnvLock"`
	PipelineCard HashRef        `json:"PipelineCard"`
	ParamCard    HashRef        `json:"ParamCard"`
	Trails       []Trail        `json:"trails"`
	Artifacts    []Artifact     `json:"artifacts"` // sorted by uri
	Files        []File         `json:"files"`     // sorted by path
	Verifier     KeyRef         `json:"verifier"`

	Root    *RootRef    `json:"root,omitzero"`
	Details canon.Value `json:"details,omitzero"`
}

// ReleaseManifest pins everything about one release on one channel. Its digest
// is bundle.id. On canary Scores, Windows, Decision and Provenance.Previous are
// null; on stable and LTS none may be.
type ReleaseManifest struct {
	Schema     string        `json:"schema"`
	Kind       string        `json:"kind"`
	Product    string        `json:"product"`
	Version    string        `json:"version"` // semantic version without "v"
	Channel    string        `json:"channel"`
	Commit     *string       `json:"commit"`    // null outside version control
	Artifacts  []Artifact    `json:"artifacts"` // at least one, sorted by uri
	Cards      CardRefs      `json:"cards"`
	Gates      *gates.Policy `json:"gates"`
	Scores     canon.Value   `json:"scores"`
	Windows    *WindowRange  `json:"windows"`
	Decision   canon.Value   `json:"decision"`
	Provenance Provenance    `json:"provenance"`
	Files      []File        `json:"files"` // sorted by path
	Verifier   KeyRef        `json:"verifier"`

	Root    *RootRef    `json:"root,omitzero"`
	Details canon.Value `json:"details,omitzero"`
}

// CardRefs are the digests of the cards of the run that made the release.
type CardRefs struct {
	Pipeline sign.Digest `json:"pipeline"`
	Param    sign.Digest `json:"param"`
}

// WindowRange says which ledger events the decision used.
type WindowRange struct {
	First int64 `json:"first"`
	Last  int64 `json:"last"`
	Count int64 `json:"count"`
}

// Provenance says what a release rests on.
type Provenance struct {
	Audit    []sign.Digest `json:"audit"`    // bundle.id of each embedded AuditBundle, sorted
	Previous *sign.Digest  `json:"previous"` // bundle.id of the same version one channel earlier
	Ledger   *LedgerRef    `json:"ledger"`
	Head     *LedgerRef    `json:"head"` // where the product's ledger stood when the bundle was sealed; null where none was at hand
}

// LedgerRef names an event of a ledger: complete up to and including k.
type LedgerRef struct {
	H0 sign.Digest `json:"H_0"`
	K  int64       `json:"k"`
	HK sign.Digest `json:"H_k"`
}
