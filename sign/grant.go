package sign

import "time"

// The roles that a trust root gives to keys.
const (
	RoleAudit         = "audit"          // runs: their trails and their AuditBundles
	RoleReleaseCanary = "release.canary" // ReleaseBundles, by channel
	RoleReleaseStable = "release.stable"
	RoleReleaseLTS    = "release.lts"
	RoleLedger        = "ledger"  // a product's ledger
	RoleArchive       = "archive" // records of an archive that was verified again
)

// Roles returns every role, sorted.
func Roles() []string {
	return []string{RoleArchive, RoleAudit, RoleLedger, RoleReleaseCanary, RoleReleaseLTS, RoleReleaseStable}
}

// A Status says whether a key may still be used in a role.
type Status string

const (
	Active  Status = "active"
	Retired Status = "retired" // makes no new signatures; those it made within its time stay good
	Revoked Status = "revoked" // somebody else may have it: its own clock dates nothing any more
)

// A Grant is what a trust root says of one key in one role. The times have whole
// seconds and are both included.
type Grant struct {
	NotBefore, NotAfter time.Time
	Status              Status
	RevokedSince        time.Time // zero unless Status is Revoked
}

// An Authority says which key may sign what, and when: the last version of a trust
// root that was reached from the one that the caller pinned.
type Authority interface {
	Verifiers // the keys that have a grant in some role
	Grant(role string, id KeyID) (Grant, bool)

	// Threshold returns how many keys must have signed in a role now, and the least
	// number that was ever enough. Both are 0 where the role was given to nobody.
	Threshold(role string) (now, least int)

	Expires() time.Time
	Versions() (pinned, last int64)
	Hash(version int64) (Digest, bool) // of a version from pinned to last

	// Has reports whether file is that of a version from pinned to last, and every
	// signature in it one that counts: no byte of it could be another.
	Has(version int64, file []byte) bool
}
