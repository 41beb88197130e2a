package policy

import "strings"

// An operator is the name of a condition operator taken apart:
// [ForAllValues:|ForAnyValue:]base[IfExists].
type operator struct {
	base     string
	ifExists bool
}

// parseOperator takes the name of a condition operator apart. AWS compares it
// with regard to case.
func parseOperator(name string) operator {
	base, ok := strings.CutPrefix(name, "ForAllValues:")
	if !ok {
		base, _ = strings.CutPrefix(name, "ForAnyValue:")
	}
	base, ifExists := strings.CutSuffix(base, "IfExists")
	return operator{base: base, ifExists: ifExists}
}

// known reports whether AWS knows o. NullIfExists is none of its operators: Null
// is what tests whether a key exists.
func (o operator) known() bool {
	switch o.base {
	case "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
		"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals",
		"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
		"Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike":
		return true
	case "Null":
		return !o.ifExists
	default:
		return false
	}
}
