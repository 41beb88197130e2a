// Package awsquery reads the parameters of AWS's query protocol: scalars, and
// the lists, structures and maps that dotted names such as Tags.member.1.Key
// spell. It does not read the HTTP request, and does not know which parameters
// an action has; generated code does.
package awsquery

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"iamserver/runtime/apierror"
)

// MalformedQueryString is the code of parameters that cannot be told apart, are
// not text, or exceed the limits.
var MalformedQueryString = apierror.Code{Name: "MalformedQueryString", Status: 400, Fault: apierror.Sender}

// Limits bounds what a form may hold. A field that is 0 means its default.
type Limits struct {
	// Parameters is the largest number of parameters; by default 1,000.
	Parameters int
	// NameLength is the largest length of a name, in bytes; by default 256.
	NameLength int
	// ListLength is the largest index of a list element; by default 1,000.
	ListLength int
	// Depth is the largest number of parts of a name, where Tags.member.1.Key
	// has four; by default 10.
	Depth int
}

func (l Limits) withDefaults() Limits {
	return Limits{
		Parameters: cmp.Or(l.Parameters, 1000),
		NameLength: cmp.Or(l.NameLength, 256),
		ListLength: cmp.Or(l.ListLength, 1000),
		Depth:      cmp.Or(l.Depth, 10),
	}
}

// A Form is the parameters of one request. It is safe for concurrent use.
type Form struct {
	parameters []parameter // sorted by compareNames
	listLength int
	room       [12]parameter // where parameters begins
}

type parameter struct {
	name, value string
}

// Parse reads parameters as application/x-www-form-urlencoded, the form of a
// request body and of a query string. Values share memory with form wherever
// they need no decoding. The error is nil or an *apierror.Error with the code
// MalformedQueryString: for a percent sign without two hexadecimal digits, for
// what is not UTF-8 or holds a NUL, for an empty name, for a name that occurs
// twice (no two readers of a request may see different values; AWS takes the
// first), and for what exceeds limits. A semicolon separates nothing.
func Parse(form string, limits Limits) (*Form, error) {
	limits = limits.withDefaults()
	f := &Form{listLength: limits.ListLength}
	f.parameters = f.room[:0]
	if n := strings.Count(form, "&") + 1; n > len(f.room) {
		f.parameters = make([]parameter, 0, min(n, limits.Parameters))
	}
	if !isText(form) {
		return nil, notText()
	}
	decoded := unescaper{room: len(form)}
	for form != "" {
		var pair string
		if pair, form, _ = strings.Cut(form, "&"); pair == "" {
			continue
		}
		if len(f.parameters) == limits.Parameters {
			return nil, MalformedQueryString.New("The query string has more than " + strconv.Itoa(limits.Parameters) + " parameters.")
		}
		var p parameter
		p.name, p.value, _ = strings.Cut(pair, "=")
		encoded := strings.IndexByte(pair, '%') >= 0 || strings.IndexByte(pair, '+') >= 0
		if encoded && (!decoded.text(&p.name) || !decoded.text(&p.value)) {
			return nil, notText()
		}
		if p.name == "" || len(p.name) > limits.NameLength || strings.Count(p.name, ".") >= limits.Depth {
			return nil, MalformedQueryString.New("The query string has a parameter whose name is empty, longer than " +
				strconv.Itoa(limits.NameLength) + " bytes, or of more than " + strconv.Itoa(limits.Depth) + " parts.")
		}
		f.parameters = append(f.parameters, p)
	}
	slices.SortFunc(f.parameters, func(a, b parameter) int { return compareNames(a.name, b.name) })
	for i := 1; i < len(f.parameters); i++ {
		if name := f.parameters[i].name; name == f.parameters[i-1].name {
			return nil, MalformedQueryString.New("The query string has the parameter " + name + " twice.")
		}
	}
	return f, nil
}

// Get returns the value of the parameter with exactly this name, and whether
// there is one.
func (f *Form) Get(name string) (string, bool) {
	if i := search(f.parameters, 0, name); i < len(f.parameters) && f.parameters[i].name == name {
		return f.parameters[i].value, true
	}
	return "", false
}

// search returns the index of the first parameter whose name, without the first
// prefix bytes, is not before name.
func search(parameters []parameter, prefix int, name string) int {
	low, high := 0, len(parameters)
	for low < high {
		middle := (low + high) / 2
		if compareNames(parameters[middle].name[prefix:], name) < 0 {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

func notText() error {
	return MalformedQueryString.New("The query string is not percent-encoded UTF-8 text.")
}

func isText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// compareNames orders names part by part, numbers before words and by value.
// So all that is below a name follows it at once, and list elements are in
// order: Tags, Tags.member.2.Key, Tags.member.10.Key, Tags-too.
func compareNames(a, b string) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	switch {
	case i == len(a) || i == len(b):
		return len(a) - len(b)
	case a[i] == '.':
		return -1
	case b[i] == '.':
		return 1
	case isDigit(a[i]) || isDigit(b[i]):
		start := strings.LastIndexByte(a[:i], '.') + 1
		partA, partB := firstPart(a[start:]), firstPart(b[start:])
		switch numberA, numberB := isNumber(partA), isNumber(partB); {
		case numberA && numberB && len(partA) != len(partB):
			return len(partA) - len(partB)
		case numberA && !numberB:
			return -1
		case numberB && !numberA:
			return 1
		}
	}
	return int(a[i]) - int(b[i])
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

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isNumber(part string) bool {
	for i := range len(part) {
		if !isDigit(part[i]) {
			return false
		}
	}
	return part != ""
}
