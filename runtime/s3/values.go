package s3

import (
	"slices"
	"strings"
	"time"

	"iamserver/generated/s3err"
)

// Some stores take "compliance" for COMPLIANCE, and dates in other forms than others
// do. A policy that denies the one would be walked around with the other, so that no
// store is sent a value that Amazon S3 does not take.

var (
	lockModes  = []string{"GOVERNANCE", "COMPLIANCE"}
	legalHolds = []string{"ON", "OFF"}
)

func isDate(text string) bool {
	_, err := time.Parse(time.RFC3339, text)
	return err == nil
}

// checkLocks refuses headers about locks with such values.
func (r *Request) checkLocks() error {
	if mode, ok := r.Header("X-Amz-Object-Lock-Mode"); ok && !slices.Contains(lockModes, mode) {
		return s3err.LockModeUnknown()
	}
	if hold, ok := r.Header("X-Amz-Object-Lock-Legal-Hold"); ok && !slices.Contains(legalHolds, hold) {
		return s3err.LegalHoldUnknown()
	}
	if date, ok := r.Header("X-Amz-Object-Lock-Retain-Until-Date"); ok && !isDate(date) {
		return s3err.RetainUntilUnreadable()
	}
	return nil
}

// checkParameterValues refuses parameters with such values. An empty max-keys is none
// to all stores; see Values.
func (r *Request) checkParameterValues() error {
	if id, ok := r.Parameter("versionId"); ok && id == "" {
		return s3err.VersionIDEmpty() // the actions on versions are other ones
	}
	if most, ok := r.Parameter("max-keys"); ok && strings.Trim(most, "0123456789") != "" {
		return s3err.MaxKeysNotValid()
	}
	return nil
}

// trimmed is the value of a header without the spaces that HTTP allows around it, which
// no reader sees (RFC 9110, 5.5). Where a parameter or the field of a form stands for a
// header, nobody has removed them yet.
func trimmed(value string) string { return strings.Trim(value, " \t") }

// isControl says whether a byte is one that no header can hold.
func isControl(c byte) bool { return (c < ' ' && c != '\t') || c == 0x7F }

// hasControls says whether the decoded value of a parameter, whose escapes are valid,
// has such a byte.
func hasControls(encoded string) bool {
	for i := 0; i < len(encoded); i++ {
		c := encoded[i]
		if c == '%' {
			c = unhex(encoded[i+1])<<4 | unhex(encoded[i+2])
			i += 2
		}
		if isControl(c) {
			return true
		}
	}
	return false
}
