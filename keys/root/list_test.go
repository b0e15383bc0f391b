package root_test

import (
	"bytes"
	"strings"

	"github.com/relseal/relseal/internal/testbundle"
)

// A rooted is one chain of roots and what must be said of it.
type rooted struct {
	name, title string
	roots       [][]byte // the first is the pinned one
	verdict     string   // "" is VERIFIED
	code        string   // "" is E_ROOT unless the verdict is VERIFIED
	text        string   // part of what is said
	last        int64    // the version that counts in the end; 0 if the pinned one is refused
}

var (
	standard = func() M {
		return M{"audit": role(1, grant("one", nil)), "release.stable": role(2, grant("one", nil), grant("two", nil), grant("three", nil))}
	}
	retired   = M{"status": "retired", "not_after": "2027-01-01T00:00:00Z"}
	revoked   = M{"status": "revoked", "revoked_since": "2027-01-01T00:00:00Z"}
	audits    = func(grants ...M) M { return M{"audit": role(1, grants...)} }
	pinned    = signBy(signed(1, standard()), "alice", "bob")
	pinnedOne = signBy(signed(1, audits(grant("one", nil))), "alice", "bob")
	second    = signBy(signed(2, standard()), "alice", "bob")
)

func first(s M) [][]byte { return [][]byte{signBy(s, "alice", "bob")} }

// rotated is a second version after pinnedOne.
func rotated(grants ...M) [][]byte {
	return [][]byte{pinnedOne, signBy(signed(2, audits(grants...)), "alice", "bob")}
}

func roots() []rooted {
	return append(append(goodRoots(), badFirst()...), badNext()...)
}

func goodRoots() []rooted {
	return []rooted{
		{name: "good-one", title: "one version", roots: [][]byte{pinned}, last: 1},
		{name: "good-no-roles", title: "a root that gives no role yet", roots: first(signed(1, M{})), last: 1},
		{name: "good-next", title: "a second version that changes nothing", roots: [][]byte{pinned, second}, last: 2},
		{name: "good-third", title: "three versions", roots: [][]byte{pinned, second, signBy(signed(3, standard()), "alice", "bob")}, last: 3},
		{name: "good-repeated", title: "the same version twice", roots: [][]byte{pinned, second, second}, last: 2},
		{name: "good-more-signatures", title: "a copy of a version with one more signature", last: 1,
			roots: [][]byte{signBy(held(signed(1, standard()), 1, "alice", "bob"), "alice"), signBy(held(signed(1, standard()), 1, "alice", "bob"), "alice", "bob")}},
		{name: "good-older", title: "a copy from before the pinned version", roots: [][]byte{second, pinned}, last: 2},
		{name: "good-pinned-later", title: "the pinned version is a later one, signed by a holder who left", last: 2,
			roots: [][]byte{signBy(held(signed(2, standard()), 2, "alice", "carol"), "alice", "bob", "carol")}},
		{name: "good-holder-leaves", title: "a holder of the root leaves, another one comes", last: 2,
			roots: [][]byte{pinned, signBy(held(signed(2, standard()), 2, "alice", "carol"), "alice", "bob", "carol")}},
		{name: "good-threshold-lowered", title: "the holders lower their threshold, by that of before", last: 2,
			roots: [][]byte{pinned, signBy(held(signed(2, standard()), 1, "alice", "bob"), "alice", "bob")}},
		{name: "good-rotation", title: "a key is retired and another one takes its place", roots: rotated(grant("one", retired), grant("two", nil)), last: 2},
		{name: "good-revocation", title: "a key is revoked and another one takes its place", roots: rotated(grant("one", revoked), grant("two", nil)), last: 2},
		{name: "good-role-closed", title: "the only key of a role is retired", roots: rotated(grant("one", retired)), last: 2},
		{name: "good-prolonged", title: "an active key may sign for longer", roots: rotated(grant("one", M{"not_after": "2035-01-01T00:00:00Z"})), last: 2},
		{name: "good-shortened", title: "an active key may sign for a shorter time", roots: rotated(grant("one", M{"not_after": "2028-01-01T00:00:00Z"})), last: 2},
		{name: "good-retired-then-revoked", title: "a retired key turns out to be stolen", last: 3,
			roots: append(rotated(grant("one", retired), grant("two", nil)), signBy(signed(3, audits(grant("one", M{"status": "revoked", "not_after": "2027-01-01T00:00:00Z", "revoked_since": "2026-06-01T00:00:00Z"}), grant("two", nil))), "alice", "bob"))},
		{name: "good-revoked-earlier", title: "a key turns out to be stolen earlier", last: 3,
			roots: append(rotated(grant("one", revoked), grant("two", nil)), signBy(signed(3, audits(grant("one", M{"status": "revoked", "revoked_since": "2026-06-01T00:00:00Z"}), grant("two", nil))), "alice", "bob"))},
		{name: "good-all-roles", title: "every role", last: 1, roots: first(signed(1, M{"archive": role(1, grant("four", nil)), "audit": role(1, grant("one", nil)), "ledger": role(1, grant("two", nil)),
			"release.canary": role(1, grant("one", nil)), "release.lts": role(2, grant("one", nil), grant("two", nil)), "release.stable": role(1, grant("three", nil))}))},
		{name: "missing-link", title: "the version in between is missing", roots: [][]byte{pinned, signBy(signed(3, standard()), "alice", "bob")}, verdict: "UNDECIDABLE", text: "version 2, is missing", last: 1},
	}
}

// oneKey is a version with one key in one role; the next three spoil it.
func oneKey(version int) M { return signed(version, audits(grant("one", nil))) }

func countedTwice(s M) M {
	keys := []M{grant("one", nil), grant("one", M{"not_after": "2040-01-01T00:00:00Z"})}
	return set(s, "x-relseal-roles.roles.audit", M{"keys": keys, "threshold": 2})
}

func twoIDs(s M) M {
	alias := strings.Repeat("a", 64)
	set(s, "roles.root", M{"keyids": append(ids("alice"), alias), "threshold": 2})
	return set(s, "keys."+alias, tufKey("alice"))
}

func weakKey(s M) M {
	weak := M{"keytype": "ed25519", "scheme": "ed25519", "keyval": M{"public": "01" + strings.Repeat("0", 62)}}
	return set(s, "keys."+hexSum(testbundle.Canon(weak)), weak)
}

func badFirst() []rooted {
	bad := func(name, title, text string, data []byte) rooted {
		return rooted{name: "first-" + name, title: title, roots: [][]byte{data}, verdict: "REJECT", text: text}
	}
	form := func(name, title, text string, s M) rooted { return bad(name, title, text, signBy(s, "alice", "bob")) }
	one := func() M { return oneKey(1) }
	list := []rooted{
		bad("unsigned", "nobody has signed it", "2 signatures are missing", signBy(one())),
		bad("half-signed", "one of two has signed", "1 signature is missing", signBy(one(), "alice")),
		bad("signed-by-another", "signed by a key that does not hold the root", "by no root key", signBy(one(), "alice", "carol")),
		bad("signed-twice", "one of two has signed twice", "twice", signBy(one(), "alice", "alice")),
		bad("signature-damaged", "a signature does not verify", "does not verify", bytes.Replace(signBy(one(), "alice", "bob"), []byte(`"expires":"2031`), []byte(`"expires":"2041`), 1)),
		form("threshold-0", "the root asks for no signature", "anybody could sign", set(one(), "roles.root.threshold", 0)),
		form("threshold-more", "the root asks for more signatures than it has keys", "nobody could sign", set(one(), "roles.root.threshold", 3)),
		form("threshold-gone", "the root has no threshold", "threshold", set(one(), "roles.root.threshold", nil)),
		form("role-threshold-0", "a role asks for no signature", "anybody could sign", set(one(), "x-relseal-roles.roles.audit.threshold", 0)),
		form("role-ledger-threshold", "the role of the ledger asks for two signatures, and a trail has one signer", "one key at a time", signed(1, M{"ledger": role(2, grant("one", nil), grant("two", nil))})),
		form("role-threshold-more", "a role asks for more signatures than it has active keys", "nobody could sign", signed(1, M{"audit": role(2, grant("one", nil), grant("two", retired))})),
		form("key-twice", "a role counts a key twice", "twice", countedTwice(one())),
		form("root-key-twice", "the root counts a key twice", "twice", set(one(), "roles.root.keyids", append(ids("alice"), ids("alice")...))),
		form("key-two-ids", "a key under two ids", "has another", twoIDs(one())),
		form("key-unlisted", "a role names a key that is not listed", "is not among keys", set(one(), "keys."+tufID("one"), nil)),
		form("key-without-role", "a key that has no role", "has no role", set(one(), "keys."+tufID("four"), tufKey("four"))),
		form("role-unknown", "a role that does not exist", "there is no role", signed(1, M{"release.everything": role(1, grant("one", nil))})),
		form("role-root", "the extension gives the root to a key", "there is no role", signed(1, M{"root": role(1, grant("one", nil))})),
		form("role-empty", "a role without a key", "has no key", signed(1, M{"audit": role(1)})),
		form("tuf-targets", "somebody may sign TUF targets", "nobody holds it", set(one(), "roles.targets.keyids", ids("one"))),
		form("status", "a status that does not exist", "status is none", signed(1, audits(grant("one", M{"status": "trusted"})))),
		form("revoked-without-time", "a revoked key without a time", "revoked_since", signed(1, audits(grant("one", M{"status": "revoked"}), grant("two", nil)))),
		form("active-with-revocation", "an active key that has a time of revocation", "revoked_since", signed(1, audits(grant("one", M{"revoked_since": "2027-01-01T00:00:00Z"})))),
		form("revoked-in-one-role", "a key that is revoked in one of its roles", "and not so in role", signed(1, M{"audit": role(1, grant("one", nil)), "ledger": role(1, grant("one", revoked), grant("two", nil))})),
		form("revoked-holder", "a revoked key holds the root", "signs for the root", signed(1, audits(grant("alice", revoked), grant("one", nil)))),
		form("time-backwards", "a key that may sign until before it may sign", "before not_before", signed(1, audits(grant("one", M{"not_after": "2025-01-01T00:00:00Z"})))),
		form("time-fraction", "a time with a fraction of a second", "2026-01-02T03:04:05Z", set(one(), "expires", "2031-01-01T00:00:00.5Z")),
		form("member-unknown", "a member that does not exist", "", set(one(), "x-other", 1)),
		form("member-missing", "a member is missing", "", set(one(), "spec_version", nil)),
		form("version-0", "version 0", "version is not", set(one(), "version", 0)),
		form("type", "other TUF metadata", "_type", set(one(), "_type", "targets")),
		bad("member-twice", "a member twice", "", bytes.Replace(signBy(one(), "alice", "bob"), []byte(`"threshold":2`), []byte(`"threshold":2,"threshold":1`), 1)),
		bad("spaces", "another layout", "", bytes.Replace(signBy(one(), "alice", "bob"), []byte(`{"signatures"`), []byte(`{ "signatures"`), 1)),
		bad("newline", "a newline at the end", "", append(signBy(one(), "alice", "bob"), '\n')),
		bad("empty", "nothing", "", []byte("")),
	}
	w := form("key-weak", "a key for which anybody can sign", "E_KEY_WEAK", weakKey(one()))
	w.code = "E_KEY_WEAK"
	return append(list, w)
}

func badNext() []rooted {
	next := func(name, title, text string, roots ...[]byte) rooted {
		return rooted{name: "next-" + name, title: title, roots: roots, verdict: "REJECT", text: text, last: int64(len(roots) - 1)}
	}
	both := func(s M) []byte { return signBy(s, "alice", "bob") }
	chain := func(name, title, text string, was, now []M) rooted {
		return next(name, title, text, both(signed(1, audits(was...))), both(signed(2, audits(now...))))
	}
	gs := func(g ...M) []M { return g }
	after := func(name, title, text string, s M) rooted { return next(name, title, text, pinnedOne, both(s)) }
	weak := after("key-weak", "the second version lists a key for which anybody can sign", "E_KEY_WEAK", weakKey(oneKey(2)))
	weak.code = "E_KEY_WEAK"
	return []rooted{
		weak,
		after("threshold-0", "the second version asks for no signature", "anybody could sign", set(oneKey(2), "roles.root.threshold", 0)),
		after("threshold-more", "the second version asks for more signatures than it has keys", "nobody could sign", set(oneKey(2), "roles.root.threshold", 3)),
		after("threshold-gone", "the second version removes the threshold", "threshold", set(oneKey(2), "roles.root.threshold", nil)),
		after("role-ledger-threshold", "the role of the ledger asks for two signatures from the second version on", "one key at a time", set(set(oneKey(2), "x-relseal-roles.roles.ledger", role(1, grant("one", nil))), "x-relseal-roles.roles.ledger.threshold", 2)),
		after("role-threshold-0", "a role asks for no signature any more", "anybody could sign", set(oneKey(2), "x-relseal-roles.roles.audit.threshold", 0)),
		after("key-twice", "a role of the second version counts a key twice", "twice", countedTwice(oneKey(2))),
		after("root-key-twice", "the second version counts a root key twice", "twice", set(oneKey(2), "roles.root.keyids", append(ids("alice"), ids("alice")...))),
		after("key-two-ids", "the second version has a key under two ids", "has another", twoIDs(oneKey(2))),
		after("role-root", "the extension of the second version gives the root to a key", "there is no role",
			signed(2, M{"audit": role(1, grant("one", nil)), "root": role(1, grant("one", nil))})),
		next("self-appointed", "a key signs itself more roles than it has", "by no root key", pinnedOne,
			signBy(signed(2, M{"audit": role(1, grant("one", nil)), "release.stable": role(1, grant("one", nil))}), "one")),
		{name: "out-of-order", title: "the third version before the second", roots: [][]byte{pinned, both(signed(3, standard())), second},
			verdict: "UNDECIDABLE", text: "version 2, is missing", last: 1},
		next("old-signature-missing", "one of the two old signatures is missing", "missing by root keys of version 1",
			pinned, signBy(held(signed(2, standard()), 1, "alice", "carol"), "alice", "carol")),
		next("new-signature-missing", "one of the two new signatures is missing", "missing by root keys of version 2",
			pinned, signBy(held(signed(2, standard()), 2, "alice", "carol"), "alice", "bob")),
		next("taken-over", "signed by its own keys alone", "missing by root keys of version 1", pinned, signBy(held(signed(2, standard()), 1, "carol"), "carol")),
		next("extension-changed", "the extension was changed after it was signed", "does not verify",
			pinned, bytes.Replace(second, []byte(`"status":"active"`), []byte(`"status":"retired"`), 1)),
		{name: "next-fork", title: "two second versions, both signed", roots: [][]byte{pinned, second, both(set(signed(2, standard()), "expires", "2032-01-01T00:00:00Z"))},
			verdict: "REJECT", text: "forked", last: 2},
		{name: "next-forged-copy", title: "another second version that is not signed", roots: [][]byte{pinned, second, signBy(set(signed(2, standard()), "expires", "2032-01-01T00:00:00Z"))},
			verdict: "REJECT", text: "another one", last: 2},
		{name: "next-other-first", title: "another version of the pinned number", roots: [][]byte{pinned, pinnedOne}, verdict: "REJECT", text: "another one", last: 1},
		chain("key-forgotten", "a key of the past is no longer listed", "was there and is gone", gs(grant("one", retired), grant("two", nil)), gs(grant("two", nil))),
		next("role-forgotten", "a role of the past is no longer listed", "was there and is gone", pinnedOne, both(signed(2, M{"ledger": role(1, grant("one", nil))}))),
		chain("unretired", "a retired key is active again", "was retired and is active", gs(grant("one", retired), grant("two", nil)), gs(grant("one", nil), grant("two", nil))),
		chain("unrevoked", "a revoked key is retired only", "was revoked and is retired", gs(grant("one", revoked), grant("two", nil)), gs(grant("one", retired), grant("two", nil))),
		chain("revoked-later", "a revocation moves to a later time", "moved to a later time", gs(grant("one", revoked), grant("two", nil)), gs(grant("one", M{"status": "revoked", "revoked_since": "2028-01-01T00:00:00Z"}), grant("two", nil))),
		chain("retired-prolonged", "a retired key may have signed for longer", "prolonged", gs(grant("one", retired), grant("two", nil)), gs(grant("one", M{"status": "retired", "not_after": "2028-01-01T00:00:00Z"}), grant("two", nil))),
		chain("earlier", "a key may have signed earlier", "not_before changed", gs(grant("one", nil)), gs(grant("one", M{"not_before": "2020-01-01T00:00:00Z"}))),
		{name: "next-after-bad", title: "a good version after a bad one", roots: [][]byte{pinned, signBy(signed(2, standard()), "alice"), both(signed(3, standard()))},
			verdict: "REJECT", text: "1 signature is missing", last: 1},
	}
}
