package finding

// A Proof says what the three values beside a faulty event still prove, each on
// its own, and what they come to. Its texts are those below, so that another
// program can compare them.
type Proof struct {
	ID    string `json:"id_k"`
	Head  string `json:"H_k"`
	Sig   string `json:"sig_k"`
	Event string `json:"event"`
}

// What id_k, H_k and sig_k are.
const (
	IDOfEvent = "the digest of this event"
	IDOfOther = "the digest of another event"

	HeadOfID    = "follows from the head before and id_k"
	HeadOfEvent = "follows from the head before and this event, not from id_k"
	HeadOfOther = "does not follow from the head before"
	HeadOpen    = "cannot be compared: the head before is not known"

	SigOfHead  = "the key's signature of H_k"
	SigOfEvent = "the key's signature of the head that follows from this event"
	SigOfOther = "not the key's signature of H_k"
	SigUntried = "not tried: the key is not trusted"
)

// What the three come to.
const (
	EventSigned    = "the key signed this event after the head before it"
	EventReplaced  = "the key signed an event with digest id_k here; this is not it"
	EventElsewhere = "the key signed H_k; this event after the head before it does not lead there"
	EventOpen      = "the key signed H_k; whether this event led there is not known"
	EventUnsigned  = "this signature does not tie the event to the key; that of a later event may"
	EventUntried   = "no signature was tried"
)
