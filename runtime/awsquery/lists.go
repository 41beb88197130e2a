package awsquery

import "strconv"

// List reads a list of structures with parse, such as Tags.member.1.Key. It
// returns nil if the list is absent and an empty list for a bare "Tags=".
// Elements are in the order of their indexes, whatever the order of the
// parameters; a gap between indexes is closed.
func List[T any](d *Decoder, name string, parse func(*Decoder) T) []T {
	l, ok := d.list(name, "member")
	if !ok {
		return nil
	}
	items := make([]T, 0, l.length)
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
	items := make([]string, 0, l.length)
	for element := l.next(); element != nil; element = l.next() {
		if len(element) > 1 || len(element[0].name) >= l.prefix {
			d.violations.Malformed(name, structureInPlaceOfScalar)
			return items
		}
		items = append(items, element[0].value)
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
	entries := make(map[string]string, l.length)
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
func (d *Decoder) descend(name string, element []parameter, prefix int) {
	if own := element[0]; len(own.name) < prefix {
		if own.value != "" {
			d.violations.Malformed(name, scalarInPlaceOfStructure)
		}
		element = element[1:]
	}
	d.parameters, d.prefix = element, prefix
}

// A list is what remains to be read of a list or map. Prefix is how much of the
// names precedes the members of the element that next returned latest.
type list struct {
	parameters []parameter
	indexes    int // where in the names the indexes begin
	prefix     int
	length     int // in elements
}

// list returns the elements of a list or map, whose names begin with name, a
// dot, label and another dot. It reports false if name is absent.
func (d *Decoder) list(name, label string) (list, bool) {
	parameters, ok := d.members(name, scalarInPlaceOfList)
	l := list{parameters: parameters, indexes: d.prefix + len(name) + len(label) + 2}
	latest := ""
	for _, p := range parameters {
		rest := p.name[d.prefix+len(name)+1:]
		if part := firstPart(rest); part != label || len(part) == len(rest) {
			d.violations.Malformed(name, listWithoutMember)
			return list{}, ok
		}
		index := firstPart(rest[len(label)+1:])
		if l.length > 0 && index == latest {
			continue
		}
		if !d.isIndex(index) {
			d.violations.Malformed(name, index+" is not a valid index")
			return list{}, ok
		}
		latest = index
		l.length++
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
	return err == nil && n <= d.listLength
}

// next returns the parameters of the next element, at least one of them, or nil
// if there is none.
func (l *list) next() []parameter {
	if len(l.parameters) == 0 {
		return nil
	}
	index := firstPart(l.parameters[0].name[l.indexes:])
	end := 1
	for end < len(l.parameters) && firstPart(l.parameters[end].name[l.indexes:]) == index {
		end++
	}
	element := l.parameters[:end]
	l.parameters = l.parameters[end:]
	l.prefix = l.indexes + len(index) + 1
	return element
}
