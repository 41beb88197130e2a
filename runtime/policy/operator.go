package policy

import "strings"

// An operator is the name of a condition operator taken apart:
// [ForAllValues:|ForAnyValue:]base[IfExists].
type operator struct {
	quantifier quantifier
	base       string
	ifExists   bool
}

// A quantifier says how the values of a multi-valued key are combined.
type quantifier uint8

const (
	single quantifier = iota
	forAllValues
	forAnyValue
)

// parseOperator takes the name of a condition operator apart. AWS compares it
// with regard to case.
func parseOperator(name string) operator {
	var o operator
	base, ok := strings.CutPrefix(name, "ForAllValues:")
	if ok {
		o.quantifier = forAllValues
	} else if base, ok = strings.CutPrefix(name, "ForAnyValue:"); ok {
		o.quantifier = forAnyValue
	}
	o.base, o.ifExists = strings.CutSuffix(base, "IfExists")
	return o
}

// A comparison is what an operator does to a value of the policy and one of the
// request.
type comparison uint8

// The comparisons, the cheapest first: conditions are tried in this order.
const (
	isNull comparison = iota + 1
	isBoolean
	dateEquals
	dateLess
	dateLessEquals
	dateGreater
	dateGreaterEquals
	numericEquals
	numericLess
	numericLessEquals
	numericGreater
	numericGreaterEquals
	inNetwork
	textEquals
	textEqualsFolded
	bytesEqual
	textLike
	arnLike
)

// A meaning is what a known operator's base means: a comparison, or its negation.
type meaning struct {
	comparison comparison
	negated    bool
}

// meanings are all operators of the policy language (IAM user guide, "IAM JSON
// policy elements: Condition operators").
var meanings = map[string]meaning{
	"StringEquals":              {textEquals, false},
	"StringNotEquals":           {textEquals, true},
	"StringEqualsIgnoreCase":    {textEqualsFolded, false},
	"StringNotEqualsIgnoreCase": {textEqualsFolded, true},
	"StringLike":                {textLike, false},
	"StringNotLike":             {textLike, true},
	"NumericEquals":             {numericEquals, false},
	"NumericNotEquals":          {numericEquals, true},
	"NumericLessThan":           {numericLess, false},
	"NumericLessThanEquals":     {numericLessEquals, false},
	"NumericGreaterThan":        {numericGreater, false},
	"NumericGreaterThanEquals":  {numericGreaterEquals, false},
	"DateEquals":                {dateEquals, false},
	"DateNotEquals":             {dateEquals, true},
	"DateLessThan":              {dateLess, false},
	"DateLessThanEquals":        {dateLessEquals, false},
	"DateGreaterThan":           {dateGreater, false},
	"DateGreaterThanEquals":     {dateGreaterEquals, false},
	"Bool":                      {isBoolean, false},
	"BinaryEquals":              {bytesEqual, false},
	"IpAddress":                 {inNetwork, false},
	"NotIpAddress":              {inNetwork, true},
	"ArnEquals":                 {arnLike, false},
	"ArnLike":                   {arnLike, false},
	"ArnNotEquals":              {arnLike, true},
	"ArnNotLike":                {arnLike, true},
	"Null":                      {isNull, false},
}

// meaning returns what o means; the zero meaning if AWS does not know it.
func (o operator) meaning() meaning { return meanings[o.base] }

// known reports whether AWS knows o. NullIfExists is none of its operators: Null
// is what tests whether a key exists.
func (o operator) known() bool {
	m := o.meaning()
	return m.comparison != 0 && (m.comparison != isNull || !o.ifExists)
}
