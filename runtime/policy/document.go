// Package policy is the AWS policy language: it reads policy documents and says
// what AWS says of malformed ones. It knows no HTTP and no storage, and it does
// not ask whether the actions and resources that a document names exist.
package policy

// The versions of the policy language. Version 2008-10-17 has no policy
// variables, and is that of a document that names none (IAM user guide, "IAM
// JSON policy elements: Version").
const (
	Version2008 = "2008-10-17"
	Version2012 = "2012-10-17"
)

// An Effect is the Effect of a statement, as written: in a document that was
// parsed but not validated it may be allow or deny in any case.
type Effect string

// The effects of the policy language, which are case-sensitive.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// A Document is a policy document as Parse found it: everything in source order,
// and nothing interpreted. Its strings may share the memory of the text. It is
// not to be changed.
type Document struct {
	// Version is Version2008, Version2012, or "" where the document has none.
	Version string
	ID      string
	// Statements has at least one element.
	Statements []Statement
}

// A Statement is one statement of a document. A list is nil where the statement
// lacks the element, and empty where it has an empty array; an element and its
// Not form are never both present.
type Statement struct {
	Sid          string
	Effect       Effect
	Principal    *Principals
	NotPrincipal *Principals
	Action       []string
	NotAction    []string
	// Resource and NotResource lack the null entries of the array, which AWS
	// tolerates and skips.
	Resource    []string
	NotResource []string
	Condition   []ConditionOperator
	// Start is the place of the statement's opening brace, End that of its
	// closing one.
	Start Position
	End   Position
}

// Principals is the value of a Principal or NotPrincipal element: a string, or
// lists of values by type. A list is nil where the map lacks the type.
type Principals struct {
	// Text is the value where it is a string, which should be "*", or "" where
	// it is a map.
	Text          string
	AWS           []string
	Federated     []string
	Service       []string
	CanonicalUser []string
}

// A ConditionOperator is one member of a Condition element. Its name is as
// written, with the set prefix and the IfExists suffix that it may have; it may
// be one that AWS does not know.
type ConditionOperator struct {
	Name string
	Keys []ConditionKey
}

// A ConditionKey is one condition key below an operator, and its values. A
// boolean value is "true" or "false", and a number keeps its source text, so
// that true equals "true" and 10 equals "10", but 10 does not equal "10.0".
type ConditionKey struct {
	Name   string
	Values []string
}

// A Position is a place in the text of a document.
type Position struct {
	// Offset is in bytes, from 0.
	Offset int
	// Line is from 1; only U+000A ends a line.
	Line int
	// Column is in characters, from 1.
	Column int
}

// Size returns the size of a document as AWS's quotas count it: in characters,
// without the white space between tokens. White space inside strings counts. A
// document that is not JSON has a size, too.
func Size(document string) int {
	size := 0
	inString, escaped := false, false
	for _, r := range document {
		switch {
		case escaped:
			escaped = false
		case inString:
			escaped = r == '\\'
			inString = r != '"'
		case r == ' ' || r == '\t' || r == '\n' || r == '\r':
			continue
		default:
			inString = r == '"'
		}
		size++
	}
	return size
}
