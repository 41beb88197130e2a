package awsquery

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// List reads a list of structures with parse, such as Tags.member.1.Key. It
// returns nil if the list is absent and an empty list for a bare "Tags=".
// Elements are in the order of their indexes, whatever the order of the
// parameters; a gap between indexes is closed.
func List[T any](d *Decoder, name string, parse func(*Decoder) T) []T {
	l, ok := d.list(name, "member")
	if !ok {
		return nil
	}
	items := make([]T, 0, l.most)
	outer := *d
	for element := l.next(); element != nil; element = l.next() {
		d.descend(name, element, l.prefix)
		d.violations.Enter(name, len(items)+1)
		items = append(items, parse(d))
		d.violations.Leave()
	}
	*d = outer
	return items
}

// RequiredList reads a list as List does. If it is absent, it is reported as
// null.
func RequiredList[T any](d *Decoder, name string, parse func(*Decoder) T) []T {
	items := List(d, name, parse)
	if items == nil {
		d.violations.Null(name)
	}
	return items
}

// Strings reads a list of strings, such as TagKeys.member.1, as List does.
func Strings(d *Decoder, name string) []string {
	l, ok := d.list(name, "member")
	if !ok {
		return nil
	}
	items := make([]string, 0, l.most)
	for element := l.next(); element != nil; element = l.next() {
		if len(element) > 1 || !element[0].endsBefore(l.prefix) {
			d.violations.Malformed(name, structureInPlaceOfScalar)
			return items
		}
		items = append(items, d.form.value(element[0]))
	}
	return items
}

// RequiredStrings reads a list as Strings does. If it is absent, it is reported
// as null.
func RequiredStrings(d *Decoder, name string) []string {
	items := Strings(d, name)
	if items == nil {
		d.violations.Null(name)
	}
	return items
}

// StringMap reads a map, whose entries are pairs such as Map.entry.1.key and
// Map.entry.1.value. It returns nil if the map is absent. A key that is absent
// is reported as null, and so is a value; a key that occurs twice is malformed.
func StringMap(d *Decoder, name string) map[string]string {
	l, ok := d.list(name, "entry")
	if !ok {
		return nil
	}
	entries := make(map[string]string, l.most)
	outer := *d
	for element := l.next(); element != nil; element = l.next() {
		d.descend(name, element, l.prefix)
		d.violations.Enter(name, 0)
		key, value := d.Required("key"), d.Required("value")
		d.violations.Leave()
		if _, twice := entries[key]; twice {
			d.violations.Malformed(name, "Value at '{name}' has a key twice")
		}
		entries[key] = value
	}
	*d = outer
	return entries
}

// descend makes d read the members of an element, whose names begin after
// prefix. An element that has a value of its own is reported, unless the value
// is empty.
func (d *Decoder) descend(name string, element []parameter, prefix uint32) {
	for _, p := range element {
		if p.endsBefore(prefix) && p.value != p.end {
			d.violations.Malformed(name, scalarInPlaceOfStructure)
		}
	}
	d.parameters, d.prefix = element, prefix
}

// A list is what remains to be read of a list or map. Prefix is how much of the
// names precedes the members of the element that next returned latest.
type list struct {
	form       *Form
	parameters []parameter
	indexes    uint32 // where in the names the indexes begin
	prefix     uint32
	most       int // how many elements there are, at most
}

// list returns the elements of a list or map, whose names begin with name, a
// dot, label and another dot. It reports false if name is absent.
func (d *Decoder) list(name, label string) (list, bool) {
	parameters, ok := d.members(name, scalarInPlaceOfList)
	l := list{form: d.form, parameters: parameters, indexes: d.prefix + uint32(len(name)+len(label)) + 2}
	latest, sorted := "", true
	for _, p := range parameters {
		rest := d.name(p)[len(name)+1:]
		if part := firstPart(rest); part != label || len(part) == len(rest) {
			d.violations.Malformed(name, listWithoutMember)
			return list{}, ok
		}
		index := l.index(p)
		if index == latest && l.most > 0 {
			continue
		}
		if !d.isIndex(index) {
			d.violations.Malformed(name, index+" is not a valid index")
			return list{}, ok
		}
		sorted = sorted && compareIndexes(latest, index) < 0
		latest = index
		l.most++
	}
	if !sorted { // which no SDK sends
		l.parameters = slices.Clone(parameters)
		slices.SortFunc(l.parameters, func(p, q parameter) int { return compareIndexes(l.index(p), l.index(q)) })
	}
	return l, ok
}

// isIndex reports whether part is a number from 1 to the limit, without leading
// zeros: the same element must not have two names.
func (d *Decoder) isIndex(part string) bool {
	if !isNumber(part) || part[0] == '0' {
		return false
	}
	n, err := strconv.Atoi(part)
	return err == nil && n <= d.form.listLength
}

// next returns the parameters of the next element, at least one of them, or nil
// if there is none.
func (l *list) next() []parameter {
	if len(l.parameters) == 0 {
		return nil
	}
	index := l.index(l.parameters[0])
	end := 1
	for end < len(l.parameters) && l.index(l.parameters[end]) == index {
		end++
	}
	element := l.parameters[:end]
	l.parameters = l.parameters[end:]
	l.prefix = l.indexes + uint32(len(index)) + 1
	return element
}

// index returns the index in a parameter's name.
func (l *list) index(p parameter) string {
	return firstPart(l.form.name(p)[l.indexes:])
}

// compareIndexes compares two indexes as the numbers that they are.
func compareIndexes(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// firstPart returns the part of a name before the first dot.
func firstPart(name string) string {
	for i := range len(name) {
		if name[i] == '.' {
			return name[:i]
		}
	}
	return name
}

func isNumber(part string) bool {
	for i := range len(part) {
		if part[i] < '0' || part[i] > '9' {
			return false
		}
	}
	return part != ""
}
