package ui

// Version is the version of this relseal, which its records name as producer.
const Version = "0.1.0"

// Producer is what code.hash of the events that relseal itself writes is the digest of.
const Producer = "relseal " + Version
