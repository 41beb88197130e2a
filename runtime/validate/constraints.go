package validate

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Null reports a required member that is absent. Further violations of the same
// member are not reported.
func (v *Violations) Null(name string) { v.add(name, "", memberNotNull, nil) }

// Malformed reports a member whose value cannot be read as its type. The first
// such member decides the error, whatever else is wrong. {name} in the message
// stands for the member's path.
func (v *Violations) Malformed(name, message string) {
	if v.malformed == nil {
		v.malformed = MalformedInput.New(withName(message, v.path(name)))
	}
}

// Length reports a value with fewer than least or more than most characters.
// Characters are Unicode code points, as in AWS's services, not bytes.
func (v *Violations) Length(name, value string, least, most int) {
	v.MinLength(name, value, least)
	v.MaxLength(name, value, most)
}

// MinLength reports a value with fewer than least characters.
func (v *Violations) MinLength(name, value string, least int) {
	if len(value) < least*utf8.UTFMax && utf8.RuneCountInString(value) < least {
		v.add(name, quote(value), lengthAtLeast(least), nil)
	}
}

// MaxLength reports a value with more than most characters.
func (v *Violations) MaxLength(name, value string, most int) {
	if len(value) > most && utf8.RuneCountInString(value) > most {
		v.add(name, quote(value), lengthAtMost(most), nil)
	}
}

// SensitiveLength is Length for a value that must not be printed.
func (v *Violations) SensitiveLength(name, value string, least, most int) {
	if n := utf8.RuneCountInString(value); n < least {
		v.add(name, "", lengthAtLeast(least), nil)
	} else if n > most {
		v.add(name, "", lengthAtMost(most), nil)
	}
}

// Match reports a value that pattern does not match.
func (v *Violations) Match(name, value string, pattern *Pattern) {
	if !pattern.Match(value) {
		v.add(name, quote(value), matches(pattern), pattern)
	}
}

// SensitiveMatch is Match for a value that must not be printed.
func (v *Violations) SensitiveMatch(name, value string, pattern *Pattern) {
	if !pattern.Match(value) {
		v.add(name, "", matches(pattern), pattern)
	}
}

// Enum reports a value that is not in set, which is printed in its order.
func (v *Violations) Enum(name, value string, set []string) {
	if !slices.Contains(set, value) {
		v.add(name, quote(value), isOneOf(set), nil)
	}
}

// Range reports a value below least or above most.
func (v *Violations) Range(name string, value, least, most int32) {
	if value < least {
		v.add(name, quoteInt(value), "Member must have value greater than or equal to "+strconv.Itoa(int(least)), nil)
	} else if value > most {
		v.add(name, quoteInt(value), "Member must have value less than or equal to "+strconv.Itoa(int(most)), nil)
	}
}

// MinItems reports a list of n items, fewer than least.
func (v *Violations) MinItems(name string, n, least int) {
	if n < least {
		v.add(name, "", lengthAtLeast(least), nil)
	}
}

// MaxItems reports a list of n items, more than most.
func (v *Violations) MaxItems(name string, n, most int) {
	if n > most {
		v.add(name, "", lengthAtMost(most), nil)
	}
}

func lengthAtLeast(least int) string {
	return "Member must have length greater than or equal to " + strconv.Itoa(least)
}

func lengthAtMost(most int) string {
	return "Member must have length less than or equal to " + strconv.Itoa(most)
}

func matches(pattern *Pattern) string {
	return "Member must satisfy regular expression pattern: " + pattern.quoted
}

func isOneOf(set []string) string {
	return "Member must satisfy enum value set: [" + strings.Join(set, ", ") + "]"
}

func quoteInt(value int32) string { return quote(strconv.Itoa(int(value))) }
