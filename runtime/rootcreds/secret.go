package rootcreds

import (
	"fmt"
	"io"
	"log/slog"
)

// redacted stands wherever a secret would be printed.
const redacted = "REDACTED"

// A SecretAccessKey signs requests. It shows as REDACTED however it is printed,
// logged or marshalled; only a conversion to string gives it away.
type SecretAccessKey string

// String returns REDACTED.
func (SecretAccessKey) String() string { return redacted }

// GoString returns REDACTED.
func (SecretAccessKey) GoString() string { return redacted }

// Format writes REDACTED for every verb: fmt would print the string itself for
// those that do not go with one, such as %d.
func (SecretAccessKey) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// LogValue returns REDACTED.
func (SecretAccessKey) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns REDACTED.
func (SecretAccessKey) MarshalText() ([]byte, error) { return []byte(redacted), nil }
