package policy

import (
	"strings"
	"unicode/utf8"
)

// The bounds of what Parse reads. No document within any of AWS's size quotas
// reaches the second or the third: 1,000 statements that say something take
// 45,000 characters, 10,000 values 30,000.
const (
	maxLength     = 131_072 // in characters, AWS's bound of the PolicyDocument parameter
	maxStatements = 1_000
	maxValues     = 10_000 // values of all lists, condition keys and condition operators together
)

// An Error is what is wrong with a policy document. Its message is the sentence
// that AWS answers with code MalformedPolicyDocument.
type Error struct {
	Message string
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Parse reads a policy document. It returns an *Error with the sentence "Syntax
// errors in policy." unless the document is JSON in which no object has two
// members of the same name and that follows the policy grammar of identity and
// resource policies: known elements of the right type, one of the two versions,
// at least one statement, an Effect that is Allow or Deny in any case, and no
// element beside its Not form. Condition operators may be unknown, so that a
// stored document with one can still be evaluated, fail-closed; Validate refuses
// them.
//
// Documents are bounded: 131,072 characters, 1,000 statements, 10,000 values.
func Parse(document string) (*Document, error) {
	// Every character that is allowed takes one or two bytes.
	if len(document) > 2*maxLength || utf8.RuneCountInString(document) > maxLength {
		return nil, &Error{Message: syntaxErrors}
	}
	p := parser{decoder: decoder{text: document, line: 1}, values: make([]string, 0, 32)}
	parsed := p.document()
	p.end()
	if p.failed {
		return nil, &Error{Message: syntaxErrors}
	}
	return parsed, nil
}

// A parser reads the policy grammar. What it returns counts only if it has not
// failed in the end. Values of the wrong type are never descended into, so that
// nesting is as deep as the grammar and no deeper.
type parser struct {
	decoder
	// values holds the values of all lists: a list is a part of it.
	values []string
	// count is what maxValues bounds.
	count int
}

func (p *parser) document() *Document {
	var (
		d    Document
		seen nameSet
	)
	p.open('{')
	for p.more('}') {
		switch p.key(&seen) {
		case "Version":
			d.Version = p.version()
		case "Id":
			d.ID = p.string()
		case "Statement":
			d.Statements = p.statements()
		default:
			p.fail()
		}
	}
	if len(d.Statements) == 0 {
		p.fail()
	}
	return &d
}

func (p *parser) version() string {
	version := p.string()
	if version != Version2008 && version != Version2012 {
		p.fail()
	}
	return version
}

// statements reads a statement or an array of statements.
func (p *parser) statements() []Statement {
	if p.peek() != '[' {
		return []Statement{p.statement()}
	}
	var statements []Statement
	p.open('[')
	for p.more(']') {
		if len(statements) == maxStatements {
			p.fail()
		}
		statements = append(statements, p.statement())
	}
	return statements
}

func (p *parser) statement() Statement {
	var (
		s    Statement
		seen nameSet
	)
	s.Start = p.open('{')
	for p.more('}') {
		switch p.key(&seen) {
		case "Sid":
			s.Sid = p.string()
		case "Effect":
			s.Effect = p.effect()
		case "Principal":
			s.Principal = p.principal()
		case "NotPrincipal":
			s.NotPrincipal = p.principal()
		case "Action":
			s.Action = p.list(p.string, refuseNull)
		case "NotAction":
			s.NotAction = p.list(p.string, refuseNull)
		case "Resource":
			s.Resource = p.list(p.string, skipNull)
		case "NotResource":
			s.NotResource = p.list(p.string, skipNull)
		case "Condition":
			s.Condition = p.condition()
		default:
			p.fail()
		}
	}
	s.End = p.closed
	if s.Effect == "" ||
		s.Principal != nil && s.NotPrincipal != nil ||
		s.Action != nil && s.NotAction != nil ||
		s.Resource != nil && s.NotResource != nil {
		p.fail()
	}
	return s
}

func (p *parser) effect() Effect {
	effect := p.string()
	if !strings.EqualFold(effect, string(Allow)) && !strings.EqualFold(effect, string(Deny)) {
		p.fail()
	}
	return Effect(effect)
}

// How a list takes a null entry of its array.
const (
	refuseNull = false
	skipNull   = true
)

// list reads a value or an array of values. It is never nil.
func (p *parser) list(value func() string, skip bool) []string {
	start := len(p.values)
	if p.peek() != '[' {
		p.add(value())
	} else {
		p.open('[')
		for p.more(']') {
			if skip && p.peek() == 'n' {
				p.literal("null")
			} else {
				p.add(value())
			}
		}
	}
	return p.values[start:len(p.values):len(p.values)]
}

func (p *parser) add(value string) {
	p.counted()
	p.values = append(p.values, value)
}

// counted counts one more of what maxValues bounds.
func (p *parser) counted() {
	if p.count++; p.count > maxValues {
		p.fail()
	}
}

// principal reads a string or a map from types to values. Whether the string is
// "*", and whether the values name anyone, is not a matter of syntax.
func (p *parser) principal() *Principals {
	var (
		principal Principals
		seen      nameSet
	)
	if p.peek() == '"' {
		principal.Text = p.string()
		return &principal
	}
	p.open('{')
	for p.more('}') {
		switch p.key(&seen) {
		case "AWS":
			principal.AWS = p.list(p.string, refuseNull)
		case "Federated":
			principal.Federated = p.list(p.string, refuseNull)
		case "Service":
			principal.Service = p.list(p.string, refuseNull)
		case "CanonicalUser":
			principal.CanonicalUser = p.list(p.string, refuseNull)
		default:
			p.fail()
		}
	}
	return &principal
}

func (p *parser) condition() []ConditionOperator {
	var (
		operators []ConditionOperator
		seen      nameSet
	)
	p.open('{')
	for p.more('}') {
		p.counted()
		operator := ConditionOperator{Name: p.key(&seen)}
		operator.Keys = p.conditionKeys()
		operators = append(operators, operator)
	}
	return operators
}

func (p *parser) conditionKeys() []ConditionKey {
	var (
		keys []ConditionKey
		seen nameSet
	)
	p.open('{')
	for p.more('}') {
		p.counted()
		key := ConditionKey{Name: p.key(&seen)}
		key.Values = p.list(p.scalar, refuseNull)
		keys = append(keys, key)
	}
	return keys
}
