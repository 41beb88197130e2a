package policy

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"time"
)

// The years that AWS accepts: those that fit a count of milliseconds in 64 bits.
const (
	minYear = -292275054
	maxYear = 292278993
)

// An instant is a point in time that Date operators compare.
type instant struct {
	seconds int64 // since 1970
	nanos   int32
}

func (i instant) compare(other instant) int {
	if c := cmp.Compare(i.seconds, other.seconds); c != 0 {
		return c
	}
	return cmp.Compare(i.nanos, other.nanos)
}

// isDate reports whether s is a value that AWS accepts for a Date operator.
func isDate(s string) bool {
	_, ok := parseInstant(s)
	return ok
}

// parseInstant reads the seconds since 1970 in digits, or a date and time of ISO
// 8601. Of the latter anything may be missing from the right, a field may have
// fewer digits than ISO demands, and the T and the Z may be small. A zone may
// follow only minutes or seconds; without one the time is UTC.
func parseInstant(s string) (instant, bool) {
	if !strings.ContainsAny(s, "tT-") {
		seconds, ok := number(s, 0, math.MaxInt64)
		return instant{seconds: seconds}, ok
	}
	date, clock, ok := strings.Cut(s, "T")
	if !ok {
		date, clock, _ = strings.Cut(s, "t")
	}
	day, ok := parseCalendarDate(date)
	if !ok {
		return instant{}, false
	}
	since, ok := parseClock(clock)
	return instant{seconds: day + since.seconds, nanos: since.nanos}, ok
}

// parseCalendarDate reads a year, a month or a day, and returns its first second.
// It knows no length of months: February 31 is in March.
func parseCalendarDate(s string) (seconds int64, ok bool) {
	digits, negative := strings.CutPrefix(s, "-")
	text, rest, hasMonth := strings.Cut(digits, "-")
	latest := int64(maxYear)
	if negative {
		latest = -minYear
	}
	year, ok := number(text, 0, latest)
	if negative {
		year = -year
	}
	month, day := int64(1), int64(1)
	text, rest, hasDay := strings.Cut(rest, "-")
	if ok && hasMonth {
		month, ok = number(text, 1, 12)
	}
	if ok && hasDay {
		day, ok = number(rest, 1, 31)
	}
	return time.Date(int(year), time.Month(month), int(day), 0, 0, 0, 0, time.UTC).Unix(), ok
}

// parseClock reads nothing, an hour, a minute or a second, the latter two with or
// without a zone, and returns the time since midnight in UTC.
func parseClock(s string) (since instant, ok bool) {
	if s == "" {
		return instant{}, true
	}
	text, rest, hasMinute := strings.Cut(s, ":")
	hour, ok := number(text, 0, 23)
	if !ok || !hasMinute {
		return instant{seconds: hour * 3600}, ok
	}
	offset := int64(0)
	if zone := strings.IndexAny(rest, "zZ+-"); zone >= 0 {
		if offset, ok = parseZone(rest[zone:]); !ok {
			return instant{}, false
		}
		rest = rest[:zone]
	}
	text, rest, hasSecond := strings.Cut(rest, ":")
	minute, ok := number(text, 0, 59)
	second, nanos := int64(0), int64(0)
	if ok && hasSecond {
		text, fraction, hasFraction := strings.Cut(rest, ".")
		second, ok = number(text, 0, 59)
		if ok && hasFraction {
			nanos, ok = parseFraction(fraction)
		}
	}
	return instant{seconds: hour*3600 + minute*60 + second - offset, nanos: int32(nanos)}, ok //nolint:gosec // below 1e9
}

// parseFraction reads up to nine digits after the point of a second.
func parseFraction(s string) (nanos int64, ok bool) {
	n, ok := number(s, 0, 999_999_999)
	if !ok || len(s) > 9 {
		return 0, false
	}
	for range 9 - len(s) {
		n *= 10
	}
	return n, true
}

// parseZone reads Z, or a sign with hours of two digits and perhaps minutes of
// two digits, and returns the seconds that local time is ahead of UTC.
func parseZone(s string) (offset int64, ok bool) {
	if s == "Z" || s == "z" {
		return 0, true
	}
	text, rest, hasMinute := strings.Cut(s[1:], ":")
	hour, ok := number(text, 0, 23)
	if !ok || len(text) != 2 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	minute := int64(0)
	if hasMinute {
		if minute, ok = number(rest, 0, 59); !ok || len(rest) != 2 {
			return 0, false
		}
	}
	offset = hour*3600 + minute*60
	if s[0] == '-' {
		offset = -offset
	}
	return offset, true
}

// number reads a decimal number, digits only, between least and greatest.
func number(s string, least, greatest int64) (int64, bool) {
	if s == "" || !onlyDigits(s) {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && least <= n && n <= greatest
}
