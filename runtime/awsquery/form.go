// Package awsquery reads the parameters of AWS's query protocol: scalars, and
// the lists, structures and maps that dotted names such as Tags.member.1.Key
// spell. It does not read the HTTP request, and does not know which parameters
// an action has; generated code does.
package awsquery

import (
	"bytes"
	"cmp"
	"math"
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

// allow reports whether a name is within the limits. One of so many parts has
// at least a dot for each but the first.
func (l *Limits) allow(name []byte) bool {
	return len(name) > 0 && len(name) <= l.NameLength && (len(name) < l.Depth || bytes.Count(name, []byte{'.'}) < l.Depth)
}

// A Form is the parameters of one request. It is safe for concurrent use.
type Form struct {
	text       string      // holds all names and values
	parameters []parameter // as they came
	listLength int
	room       [16]parameter // where parameters begins
}

// A parameter is where in the text of its form the name begins, and where the
// value begins and ends. Between name and value is a NUL. There are no pointers
// in it: most requests have a handful of parameters, and looking through them
// is cheaper than any index.
type parameter struct {
	name, value, end uint32
}

// endsBefore reports whether the name is shorter than prefix.
func (p parameter) endsBefore(prefix uint32) bool { return p.value-1-p.name < prefix }

func (f *Form) name(p parameter) string  { return f.text[p.name : p.value-1] }
func (f *Form) value(p parameter) string { return f.text[p.value:p.end] }

// Parse reads parameters as application/x-www-form-urlencoded, the form of a
// request body and of a query string. The error is nil or an *apierror.Error
// with the code MalformedQueryString: for a percent sign without two
// hexadecimal digits, for what is not UTF-8 or holds a NUL, for an empty name,
// for a name that occurs twice (no two readers of a request may see different
// values; AWS takes the first), and for what exceeds limits. A semicolon
// separates nothing.
func Parse(form string, limits Limits) (*Form, error) {
	f := new(Form)
	if err := f.Read(form, limits); err != nil {
		return nil, err
	}
	return f, nil
}

// Read is Parse into a Form that may have been used before: nobody else may use
// it meanwhile, and what it held is gone. After an error it holds nothing of use.
func (f *Form) Read(form string, limits Limits) error {
	limits = limits.withDefaults()
	*f = Form{listLength: limits.ListLength}
	f.parameters = slices.Grow(f.room[:0], min(strings.Count(form, "&")+1, limits.Parameters))
	if len(form) > math.MaxInt32 || strings.IndexByte(form, 0) >= 0 {
		return notText()
	}
	var room [512]byte
	decoded := slices.Grow(room[:0], len(form)+2)
	for form != "" {
		var pair string
		if pair, form, _ = strings.Cut(form, "&"); pair == "" {
			continue
		}
		if len(f.parameters) == limits.Parameters {
			return MalformedQueryString.New("The query string has more than " + strconv.Itoa(limits.Parameters) + " parameters.")
		}
		name, value, _ := strings.Cut(pair, "=")
		start := uint32(len(decoded))
		var ok bool
		if decoded, ok = appendUnescaped(decoded, name); !ok {
			return notText()
		}
		if !limits.allow(decoded[start:]) {
			return MalformedQueryString.New("The query string has a parameter whose name is empty, longer than " +
				strconv.Itoa(limits.NameLength) + " bytes, or of more than " + strconv.Itoa(limits.Depth) + " parts.")
		}
		decoded = append(decoded, 0)
		middle := uint32(len(decoded))
		if decoded, ok = appendUnescaped(decoded, value); !ok {
			return notText()
		}
		f.parameters = append(f.parameters, parameter{start, middle, uint32(len(decoded))})
		decoded = append(decoded, 0) // so that the ends of two values do not make one character
	}
	if f.text = string(decoded); !utf8.ValidString(f.text) {
		return notText()
	}
	if name := f.twice(); name != "" {
		return MalformedQueryString.New("The query string has the parameter " + name + " twice.")
	}
	return nil
}

func notText() error {
	return MalformedQueryString.New("The query string is not percent-encoded UTF-8 text.")
}

// twice returns a name that occurs twice, or "".
func (f *Form) twice() string {
	if len(f.parameters) > len(f.room) {
		seen := make(map[string]bool, len(f.parameters))
		for _, p := range f.parameters {
			if seen[f.name(p)] {
				return f.name(p)
			}
			seen[f.name(p)] = true
		}
		return ""
	}
	for i, p := range f.parameters {
		name := f.name(p)
		for _, q := range f.parameters[:i] {
			if f.name(q) == name {
				return name
			}
		}
	}
	return ""
}

// Get returns the value of the parameter with exactly this name, and whether
// there is one.
func (f *Form) Get(name string) (string, bool) {
	for _, p := range f.parameters {
		if f.name(p) == name {
			return f.value(p), true
		}
	}
	return "", false
}
