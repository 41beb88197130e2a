package awsquery

import (
	"strconv"
	"strings"
	"time"
)

// AWS's sentences for values that cannot be read, where it has one. For a
// number that cannot be read it answers with no message at all; ours names the
// member.
const (
	emptyInteger      = "missing value for decimal type"
	unreadableInteger = "Value at '{name}' is not an integer of 32 bits"
	emptyBoolean      = "missing value for boolean type"
	unreadableBoolean = "boolean must follow xsd1.1 definition"
	unreadableTime    = "timestamp must follow ISO8601"
)

// Required returns a string. If it is absent, it is reported as null. An empty
// string is present.
func (d *Decoder) Required(name string) string {
	value, ok := d.scalar(name)
	if !ok {
		d.violations.Null(name)
	}
	return value
}

// Optional returns a string, or nil if it is absent.
func (d *Decoder) Optional(name string) *string {
	if value, ok := d.scalar(name); ok {
		return new(value)
	}
	return nil
}

// StringOr returns a string, or absent if it is absent.
func (d *Decoder) StringOr(name, absent string) string {
	if value, ok := d.scalar(name); ok {
		return value
	}
	return absent
}

// RequiredInt returns an integer. If it is absent, it is reported as null.
// Integers are decimal with an optional sign, and have 32 bits.
func (d *Decoder) RequiredInt(name string) int32 {
	value, ok := d.integer(name)
	if !ok {
		d.violations.Null(name)
	}
	return value
}

// OptionalInt returns an integer, or nil if it is absent.
func (d *Decoder) OptionalInt(name string) *int32 {
	if value, ok := d.integer(name); ok {
		return &value
	}
	return nil
}

// IntOr returns an integer, or absent if it is absent.
func (d *Decoder) IntOr(name string, absent int32) int32 {
	if value, ok := d.integer(name); ok {
		return value
	}
	return absent
}

// RequiredBool returns a Boolean. If it is absent, it is reported as null.
// Booleans are true, false, 1 and 0, in lower case.
func (d *Decoder) RequiredBool(name string) bool {
	value, ok := d.boolean(name)
	if !ok {
		d.violations.Null(name)
	}
	return value
}

// OptionalBool returns a Boolean, or nil if it is absent.
func (d *Decoder) OptionalBool(name string) *bool {
	if value, ok := d.boolean(name); ok {
		return &value
	}
	return nil
}

// BoolOr returns a Boolean, or absent if it is absent.
func (d *Decoder) BoolOr(name string, absent bool) bool {
	if value, ok := d.boolean(name); ok {
		return value
	}
	return absent
}

// RequiredTime returns a time in UTC. If it is absent, it is reported as null.
// Times are ISO 8601, as in 2026-01-02T03:04:05.678+01:00, or seconds since
// 1970, as in 1767323045.678.
func (d *Decoder) RequiredTime(name string) time.Time {
	value, ok := d.time(name)
	if !ok {
		d.violations.Null(name)
	}
	return value
}

// OptionalTime returns a time in UTC, or nil if it is absent.
func (d *Decoder) OptionalTime(name string) *time.Time {
	if value, ok := d.time(name); ok {
		return &value
	}
	return nil
}

// integer reports false only for what is absent; what cannot be read is
// present, and in the violations.
func (d *Decoder) integer(name string) (int32, bool) {
	text, ok := d.scalar(name)
	if !ok {
		return 0, false
	}
	value, err := strconv.ParseInt(text, 10, 32)
	switch {
	case text == "":
		d.violations.Malformed(name, emptyInteger)
	case err != nil:
		d.violations.Malformed(name, unreadableInteger)
	default:
		return int32(value), true
	}
	return 0, true
}

func (d *Decoder) boolean(name string) (value, ok bool) {
	text, ok := d.scalar(name)
	if !ok {
		return false, false
	}
	switch text {
	case "true", "1":
		value = true
	case "false", "0":
	case "":
		d.violations.Malformed(name, emptyBoolean)
	default:
		d.violations.Malformed(name, unreadableBoolean)
	}
	return value, true
}

func (d *Decoder) time(name string) (time.Time, bool) {
	text, ok := d.scalar(name)
	if !ok {
		return time.Time{}, false
	}
	value, ok := parseTime(text)
	if !ok {
		d.violations.Malformed(name, unreadableTime)
	}
	return value, true
}

// parseTime reports false for what is neither ISO 8601 nor seconds since 1970,
// or not in the years 1 to 9999, which is all that ISO 8601 can write.
func parseTime(text string) (time.Time, bool) {
	value, err := time.Parse(time.RFC3339, text)
	if err != nil {
		var ok bool
		if value, ok = parseEpoch(text); !ok {
			return time.Time{}, false
		}
	}
	value = value.UTC()
	if year := value.Year(); year < 1 || year > 9999 {
		return time.Time{}, false
	}
	return value, true
}

// parseEpoch reads seconds since 1970 and up to nine digits of a fraction.
func parseEpoch(text string) (time.Time, bool) {
	whole, fraction, pointed := strings.Cut(text, ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || (pointed && (!isNumber(fraction) || len(fraction) > 9)) {
		return time.Time{}, false
	}
	const maxSeconds = 1 << 40 // in years: 34,000; keeps time.Unix in its range
	if seconds < -maxSeconds || seconds > maxSeconds {
		return time.Time{}, false
	}
	nanoseconds, _ := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	if whole[0] == '-' {
		nanoseconds = -nanoseconds
	}
	return time.Unix(seconds, nanoseconds), true
}
