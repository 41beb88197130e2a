package policy

import (
	"cmp"
	"encoding/base64"
	"net/netip"
	"slices"
	"strings"
)

// A condition is one key below an operator of a Condition element, with its values
// made ready to be compared.
type condition struct {
	comparison comparison // 0: an operator that is not known
	negated    bool
	ifExists   bool
	quantifier quantifier
	// emptyIsPresent says that an empty value of the key is one for Null.
	emptyIsPresent bool
	// wantTrue and wantFalse are the values of Bool and Null.
	wantTrue, wantFalse bool
	key                 int // in the policy's keys
	cost                int // how many values there are to compare
	// Of the following only what the comparison needs is set.
	patterns []pattern // of text, and of Bool with variables
	instants []instant
	networks []netip.Prefix
	decimals []decimal
	arns     [][6]pattern
}

// conditionsOf compiles the Condition element of a statement, cheap comparisons
// first: all have to hold, in any order.
func conditionsOf(s *Statement, in *document) []condition {
	var conditions []condition
	for _, o := range s.Condition {
		parsed := parseOperator(o.Name)
		for _, key := range o.Keys {
			m := parsed.meaning()
			c := condition{
				comparison: m.comparison, negated: m.negated,
				ifExists: parsed.ifExists, quantifier: parsed.quantifier, key: in.keys.number(key.Name),
			}
			c.compile(key, in)
			c.cost = len(c.patterns) + len(c.instants) + len(c.networks) + len(c.decimals) + len(c.arns)
			conditions = append(conditions, c)
		}
	}
	slices.SortStableFunc(conditions, func(a, b condition) int {
		return cmp.Or(cmp.Compare(a.comparison, b.comparison), cmp.Compare(a.cost, b.cost))
	})
	return conditions
}

// compile reads the values of c. A value that cannot be read matches nothing, so
// it is left out.
func (c *condition) compile(key ConditionKey, in *document) {
	for _, value := range key.Values {
		if strings.EqualFold(key.Name, "s3:x-amz-copy-source") {
			// Requests and policies write a source with a leading slash or without.
			value = strings.TrimPrefix(value, "/")
		}
		switch c.comparison {
		case isNull:
			c.want(value)
		case isBoolean:
			if p := parsePattern(value, syntax{keys: in.variables()}); p.form == literal {
				c.want(p.text)
			} else {
				c.patterns = append(c.patterns, p)
			}
		case textEquals, textEqualsFolded:
			c.patterns = append(c.patterns, parsePattern(value, syntax{keys: in.variables()}))
		case textLike:
			c.patterns = append(c.patterns, parsePattern(value, syntax{wildcards: true, keys: in.variables()}))
		case bytesEqual:
			if decoded, err := base64.StdEncoding.Strict().DecodeString(value); err == nil && !strings.ContainsAny(value, "\r\n") {
				c.patterns = append(c.patterns, literalPattern(string(decoded)))
			}
		case inNetwork:
			if network, ok := parseNetwork(value); ok {
				c.networks = append(c.networks, network)
			}
		case arnLike:
			if a, ok := parseARNLike(value, in); ok {
				c.arns = append(c.arns, a)
			}
		case dateEquals, dateLess, dateLessEquals, dateGreater, dateGreaterEquals:
			if i, ok := parseInstant(value); ok {
				c.instants = append(c.instants, i)
			}
		case numericEquals, numericLess, numericLessEquals, numericGreater, numericGreaterEquals:
			if d, ok := parseDecimal(value); ok {
				c.decimals = append(c.decimals, d)
			}
		}
	}
	switch strings.ToLower(key.Name) {
	case "s3:prefix", "s3:delimiter":
		// Policies for home directories list the empty prefix as a value of its own.
		c.emptyIsPresent = true
	}
}

// want takes a value of Bool or Null.
func (c *condition) want(value string) {
	want, ok := parseBoolean(value)
	c.wantTrue = c.wantTrue || ok && want
	c.wantFalse = c.wantFalse || ok && !want
}

func literalPattern(text string) pattern {
	if len(text) > maxMatched {
		return pattern{form: tooLong}
	}
	return pattern{form: literal, text: text}
}

// parseNetwork reads a CIDR block or an address. IPv4 in IPv6 is IPv4.
func parseNetwork(s string) (netip.Prefix, bool) {
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, false
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	if p.Addr().Is4In6() {
		const mapped = 96
		if p.Bits() < mapped {
			return netip.Prefix{}, false
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mapped)
	}
	return p.Masked(), true
}

// parseARNLike takes a value of an Arn operator apart. A colon inside a variable
// does not part it.
func parseARNLike(s string, in *document) (parts [6]pattern, ok bool) {
	if len(s) > maxMatched {
		for i := range parts {
			parts[i] = pattern{form: tooLong}
		}
		return parts, true
	}
	is := syntax{wildcards: true, keys: in.variables()}
	last := len(parts) - 1
	for i := range last {
		end := indexOutside(s, ":", is.keys != nil)
		if end < 0 {
			last = i
			break
		}
		parts[i] = parsePattern(s[:end], is)
		s = s[end+1:]
	}
	parts[last] = parsePattern(s, is)
	return parts, last == len(parts)-1
}

// holds reports whether the request meets c. What cannot be told counts against
// the caller: it holds in a Deny and does not in an Allow.
func (c *condition) holds(e *evaluation, deny bool) bool {
	if c.comparison == 0 {
		return deny
	}
	value := e.value(c.key)
	switch {
	case value.kind == failed, e.exhausted():
		return deny
	case c.comparison == isNull:
		return c.null(value)
	case value.kind == absent:
		return c.holdsWithout()
	case value.kind == listValue:
		return c.holdsForList(e, value.list, deny)
	case c.quantifier == forAllValues && value.kind == textValue && value.text == "":
		return true // an empty string is an empty set
	default:
		return c.holdsFor(e, value, deny)
	}
}

// null tells whether the key is absent or null, and whether that is wanted.
func (c *condition) null(value *Value) bool {
	isNull := value.kind == absent ||
		value.kind == listValue && len(value.list) == 0 ||
		value.kind == textValue && value.text == "" && !c.emptyIsPresent
	return isNull && c.wantTrue || !isNull && c.wantFalse
}

// holdsWithout is the outcome for a request that does not have the key.
func (c *condition) holdsWithout() bool {
	switch c.quantifier {
	case forAllValues:
		return true
	case forAnyValue:
		return c.ifExists
	default:
		return c.ifExists || c.negated
	}
}

func (c *condition) holdsForList(e *evaluation, list []string, deny bool) bool {
	switch c.quantifier {
	case forAllValues:
		for _, element := range list {
			if e.exhausted() {
				return deny
			}
			if !c.holdsFor(e, &Value{kind: textValue, text: element}, deny) {
				return false
			}
		}
		return true
	case forAnyValue:
		for _, element := range list {
			if e.exhausted() {
				return deny
			}
			if c.holdsFor(e, &Value{kind: textValue, text: element}, deny) {
				return true
			}
		}
		return false
	default:
		// A key of several values means nothing without a quantifier.
		return false
	}
}

// holdsFor compares one value of the request with those of the policy: one has to
// match, or, negated, none may.
func (c *condition) holdsFor(e *evaluation, value *Value, deny bool) bool {
	e.work += c.cost
	return c.matches(e, value, deny != c.negated) != c.negated
}

// matches reports whether a value of the policy matches one of the request. A
// value of the request that cannot be read as what is compared matches nothing.
func (c *condition) matches(e *evaluation, value *Value, toward bool) bool {
	switch c.comparison {
	case isBoolean:
		is, ok := value.asBoolean()
		return ok && (is && c.wantTrue || !is && c.wantFalse || c.matchesVariable(e, is, toward))
	case inNetwork:
		address, ok := value.asAddress()
		if ok {
			for i := range c.networks {
				if c.networks[i].Contains(address) {
					return true
				}
			}
		}
		return false
	case textEquals, textLike, bytesEqual:
		text, _ := value.asText()
		for i := range c.patterns {
			if c.patterns[i].match(e, text).counts(toward) {
				return true
			}
		}
		return false
	case textEqualsFolded:
		text, _ := value.asText()
		for i := range c.patterns {
			if c.patterns[i].matchFolded(e, text).counts(toward) {
				return true
			}
		}
		return false
	case arnLike:
		text, _ := value.asText()
		return c.matchesARN(e, text, toward)
	case dateEquals, dateLess, dateLessEquals, dateGreater, dateGreaterEquals:
		return c.matchesInstant(value)
	case numericEquals, numericLess, numericLessEquals, numericGreater, numericGreaterEquals:
		return c.matchesDecimal(value)
	case isNull:
	}
	return false
}

// matchesVariable compares a boolean with the values of Bool that hold variables.
func (c *condition) matchesVariable(e *evaluation, is, toward bool) bool {
	for i := range c.patterns {
		want := "false"
		if is {
			want = "true"
		}
		if c.patterns[i].matchFolded(e, want).counts(toward) {
			return true
		}
	}
	return false
}

func (c *condition) matchesInstant(value *Value) bool {
	is, ok := value.asInstant()
	if !ok {
		return false
	}
	for i := range c.instants {
		if ordered(c.comparison-dateEquals, is.compare(c.instants[i])) {
			return true
		}
	}
	return false
}

func (c *condition) matchesDecimal(value *Value) bool {
	is, ok := value.asDecimal()
	if !ok {
		return false
	}
	for i := range c.decimals {
		if ordered(c.comparison-numericEquals, is.compare(c.decimals[i])) {
			return true
		}
	}
	return false
}

// ordered reports whether the outcome of a comparison is the wanted one: equal,
// less, less or equal, greater, greater or equal, from 0.
func ordered(want comparison, outcome int) bool {
	switch want {
	case 0:
		return outcome == 0
	case 1:
		return outcome < 0
	case 2:
		return outcome <= 0
	case 3:
		return outcome > 0
	default:
		return outcome >= 0
	}
}

// matchesARN compares ARNs part by part.
func (c *condition) matchesARN(e *evaluation, text string, toward bool) bool {
	if len(text) > maxMatched {
		return len(c.arns) > 0 && unmatchable.counts(toward)
	}
	parts, count := splitARN(text)
	if count < len(parts) {
		return false
	}
	for i := range c.arns {
		outcome := matched
		for j := range parts {
			switch c.arns[i][j].match(e, parts[j]) {
			case matched:
				continue
			case unmatched:
				outcome = unmatched
			case unmatchable:
				outcome = unmatchable
				continue
			}
			break
		}
		if outcome.counts(toward) {
			return true
		}
	}
	return false
}
