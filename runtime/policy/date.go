package policy

import (
	"math"
	"strconv"
	"strings"
)

// The years that AWS accepts: those that fit a count of milliseconds in 64 bits.
const (
	minYear = -292275054
	maxYear = 292278993
)

// isDate reports whether s is a value that AWS accepts for a Date operator: the
// seconds since 1970 in digits, or a date and time of ISO 8601. Of the latter
// anything may be missing from the right, a field may have fewer digits than
// ISO demands, and the T and the Z may be small. A zone may follow only minutes
// or seconds.
func isDate(s string) bool {
	if !strings.ContainsAny(s, "tT-") {
		return isNumber(s, 0, math.MaxInt64)
	}
	date, clock, ok := strings.Cut(s, "T")
	if !ok {
		date, clock, _ = strings.Cut(s, "t")
	}
	return isCalendarDate(date) && isClock(clock)
}

// isCalendarDate reports whether s is a year, a month or a day. It knows no length
// of months.
func isCalendarDate(s string) bool {
	year, rest, hasMonth := strings.Cut(strings.TrimPrefix(s, "-"), "-")
	month, day, hasDay := strings.Cut(rest, "-")
	latest := int64(maxYear)
	if strings.HasPrefix(s, "-") {
		latest = -minYear
	}
	return isNumber(year, 0, latest) &&
		(!hasMonth || isNumber(month, 1, 12)) &&
		(!hasDay || isNumber(day, 1, 31))
}

// isClock reports whether s is nothing, an hour, a minute or a second, the latter
// two with or without a zone.
func isClock(s string) bool {
	if s == "" {
		return true
	}
	hour, rest, hasMinute := strings.Cut(s, ":")
	if !isNumber(hour, 0, 23) {
		return false
	}
	if !hasMinute {
		return true
	}
	if zone := strings.IndexAny(rest, "zZ+-"); zone >= 0 {
		if !isZone(rest[zone:]) {
			return false
		}
		rest = rest[:zone]
	}
	minute, rest, hasSecond := strings.Cut(rest, ":")
	second, fraction, hasFraction := strings.Cut(rest, ".")
	return isNumber(minute, 0, 59) &&
		(!hasSecond || isNumber(second, 0, 59)) &&
		(!hasFraction || isNumber(fraction, 0, 999_999_999))
}

// isZone reports whether s is Z, or a sign with hours of two digits and perhaps
// minutes of two digits.
func isZone(s string) bool {
	if s == "Z" || s == "z" {
		return true
	}
	hour, minute, hasMinute := strings.Cut(s[1:], ":")
	return len(hour) == 2 && isNumber(hour, 0, 23) && (s[0] == '+' || s[0] == '-') &&
		(!hasMinute || len(minute) == 2 && isNumber(minute, 0, 59))
}

// isNumber reports whether s is a decimal number, digits only, between least and
// greatest.
func isNumber(s string, least, greatest int64) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return err == nil && least <= n && n <= greatest
}
