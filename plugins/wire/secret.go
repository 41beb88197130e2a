package wire

// A Secret is bytes that no log shows: it prints, and is marshalled, as
// REDACTED. Whoever holds one wipes it after use.
type Secret []byte

// String returns REDACTED.
func (Secret) String() string { return "REDACTED" }

// GoString returns REDACTED.
func (Secret) GoString() string { return "REDACTED" }

// MarshalText returns REDACTED.
func (Secret) MarshalText() ([]byte, error) { return []byte("REDACTED"), nil }

// Wipe overwrites the bytes with zeros.
func (s Secret) Wipe() { clear(s) }
