package validate

import (
	"slices"
	"strings"
	"unicode/utf8"

	"iamserver/runtime/apierror"
)

// Each calls validate on every item of the list name. Paths count from 1.
func Each[T any](v *Violations, name string, items []T, validate func(*T, *Violations)) {
	for i := range items {
		v.Enter(name, i+1)
		validate(&items[i], v)
		v.Leave()
	}
}

// Struct calls validate on the structure name, unless it is nil.
func Struct[T any](v *Violations, name string, item *T, validate func(*T, *Violations)) {
	if item != nil {
		v.Enter(name, 0)
		validate(item, v)
		v.Leave()
	}
}

// Strings reports a list in which some item has fewer than least or more than
// most characters, or does not match pattern. A most of 0 sets no limit; a nil
// pattern matches everything. AWS reports such a list once, with all that it
// asks of an item, broken or not.
func Strings(v *Violations, name string, items []string, least, most int, pattern *Pattern) {
	valid := func(item string) bool {
		n := utf8.RuneCountInString(item)
		return n >= least && (most == 0 || n <= most) && (pattern == nil || pattern.Match(item))
	}
	for _, item := range items {
		if valid(item) {
			continue
		}
		var asked []string
		if most > 0 {
			asked = append(asked, lengthAtMost(most))
		}
		if least > 0 {
			asked = append(asked, lengthAtLeast(least))
		}
		if pattern != nil {
			asked = append(asked, matches(pattern))
		}
		v.addItems(name, asked)
		return
	}
}

// Enums reports a list in which some item is not in set.
func Enums(v *Violations, name string, items, set []string) {
	for _, item := range items {
		if !slices.Contains(set, item) {
			v.addItems(name, []string{isOneOf(set)})
			return
		}
	}
}

func (v *Violations) addItems(name string, asked []string) {
	asked = append(asked, memberNotNull)
	v.add(name, "", "Member must satisfy constraint: ["+strings.Join(asked, ", ")+"]", nil)
}

// Unique makes err the error if two items have equal keys and nothing else is
// wrong. It compares every pair: call it after MaxItems.
func Unique[T any](v *Violations, items []T, key func(*T) string, err *apierror.Error) {
	unique(v, items, key, err, func(a, b string) bool { return a == b })
}

// UniqueFold is Unique for keys that are equal without regard to case.
func UniqueFold[T any](v *Violations, items []T, key func(*T) string, err *apierror.Error) {
	unique(v, items, key, err, strings.EqualFold)
}

func unique[T any](v *Violations, items []T, key func(*T) string, err *apierror.Error, equal func(a, b string) bool) {
	if len(v.found) > 0 || v.duplicate != nil {
		return
	}
	for i := range items {
		for j := range i {
			if equal(key(&items[i]), key(&items[j])) {
				v.duplicate = err
				return
			}
		}
	}
}
