package policy_test

import (
	"encoding/base64"
	"math/big"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"iamserver/runtime/policy"
)

// A situation is what is to be decided, in plain sight.
type situation struct {
	principal       policy.Principal
	action          string
	resource        string
	resourceAccount string
	// context has the values of condition keys: string, []string, time.Time, bool,
	// int64, netip.Addr, or failed.
	context map[string]any
	// parts has the policies of each part; one that is missing is not in play, one
	// that is empty allows nothing.
	parts map[policy.Part][]placed
	trust bool
}

// A placed policy is a document with its place.
type placed struct {
	document *policy.Document
	kind     policy.Kind
	source   policy.Source
}

// failed is the value of a key that could not be obtained.
type failed struct{}

// allParts are the parts in their order.
var allParts = []policy.Part{policy.Identity, policy.Boundary, policy.Session, policy.ServiceAccount, policy.ResourceBased}

// A truth is yes, no, or unknown of what cannot be compared. It is the same
// algebra as of numbers: or is max, and is min, not is minus.
type truth int8

const (
	no      truth = -1
	unknown truth = 0
	yes     truth = 1
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// A class is how closely a resource policy names a principal.
type class int

const (
	nobody class = iota
	account
	issuer // the role of a session, the user of a federated user
	direct // the principal itself, or everyone
)

// naive decides by the rules, one after the other, with no thought of speed.
type naive struct {
	*situation
	// held counts the operators whose condition was true, for those who ask.
	held map[string]int
}

// decide is the naive evaluator.
func (n naive) decide() (policy.Decision, policy.Reasons) {
	var (
		allows, denies []policy.Match
		allowed        [5]bool
		strongest      class
		everyone       bool
		reasons        = policy.Reasons{MissingKeys: n.missingKeys()}
	)
	sameAccount := n.resourceAccount == "" || n.resourceAccount == n.principal.Account
	root := n.principal.Type == policy.Root && sameAccount
	for _, part := range allParts {
		for _, p := range n.parts[part] {
			for i := range p.document.Statements {
				s := &p.document.Statements[i]
				match := policy.Match{Part: part, Source: p.source, Sid: s.Sid, Index: i, Start: s.Start, End: s.End}
				c := n.statement(p, s)
				switch {
				case c == nobody:
				case s.Effect == policy.Allow:
					allows = append(allows, match)
					allowed[part] = true
					if part == policy.ResourceBased {
						strongest = max(strongest, c)
						everyone = everyone || c == direct && namesEveryone(s.Principal)
					}
				case root && part == policy.ResourceBased && isBucketPolicyAction(n.action):
				default:
					denies = append(denies, match)
				}
			}
		}
	}
	if len(denies) > 0 {
		reasons.Matches = denies
		return policy.ExplicitDeny, reasons
	}
	reasons.Matches = allows

	require := func(parts ...policy.Part) {
		for _, part := range parts {
			_, set := n.parts[part]
			optional := part != policy.Identity && part != policy.ResourceBased
			if !allowed[part] && (set || !optional) {
				reasons.Lacking = append(reasons.Lacking, part)
			}
		}
	}
	switch {
	case n.principal.Type == policy.Anonymous:
		if !everyone {
			reasons.Lacking = []policy.Part{policy.ResourceBased}
		}
	case root:
		require(policy.Session)
	case !sameAccount:
		require(policy.Identity, policy.Boundary, policy.Session, policy.ServiceAccount, policy.ResourceBased)
	case strongest == direct:
		require(policy.ServiceAccount)
	case strongest == issuer:
		require(policy.Boundary, policy.Session, policy.ServiceAccount)
	default:
		require(policy.Identity, policy.Boundary, policy.Session, policy.ServiceAccount)
	}
	if n.trust && !slices.Contains(reasons.Lacking, policy.ResourceBased) {
		require(policy.ResourceBased)
	}
	if len(reasons.Lacking) > 0 {
		return policy.ImplicitDeny, reasons
	}
	return policy.Allowed, reasons
}

func isBucketPolicyAction(action string) bool {
	return slices.Contains([]string{"s3:getbucketpolicy", "s3:putbucketpolicy", "s3:deletebucketpolicy"}, lower(action))
}

// statement returns how closely s names the principal if s applies to the request,
// else nobody. Outside resource policies everyone is named.
func (n naive) statement(p placed, s *policy.Statement) class {
	deny := strings.EqualFold(string(s.Effect), "Deny")
	if !deny && s.Effect != policy.Allow {
		return nobody
	}
	applies := min(n.actions(s), n.resources(p, s), n.conditions(p, s))
	if applies == no || applies == unknown && !deny {
		return nobody
	}
	if p.kind != policy.ResourcePolicy && p.kind != policy.TrustPolicy {
		if !deny && (s.Principal != nil || s.NotPrincipal != nil) {
			return nobody
		}
		return direct
	}
	switch {
	case s.Principal != nil:
		return n.named(s.Principal)
	case s.NotPrincipal == nil || !deny:
		return nobody
	}
	if _, bounded := n.parts[policy.Boundary]; bounded || n.named(s.NotPrincipal) == nobody {
		return direct
	}
	return nobody
}

// named returns how closely a Principal element names the principal.
func (n naive) named(element *policy.Principals) class {
	if namesEveryone(element) {
		return direct
	}
	who := n.principal
	strongest := nobody
	if element.Text != "" || who.Type == policy.Anonymous {
		return nobody
	}
	for _, entry := range element.AWS {
		switch {
		case entry == "":
		case entry == who.Account && len(entry) == 12, entry == "arn:aws:iam::"+who.Account+":root" && len(who.Account) == 12:
			strongest = max(strongest, account)
		case entry == who.ARN, entry == who.ID && who.Type == policy.User:
			strongest = max(strongest, direct)
		case entry == who.Issuer, entry == who.ID && who.Type == policy.RoleSession:
			strongest = max(strongest, issuer)
		}
	}
	return strongest
}

func namesEveryone(element *policy.Principals) bool {
	return element.Text == "*" || element.Text == "" && slices.Contains(element.AWS, "*")
}

// element combines the comparisons of an element with those of its Not form. One
// without entries matches nothing, whichever form it has.
func element(entries, notEntries []string, compare func(entry string) truth) truth {
	if len(entries) > 0 {
		return anyOf(entries, compare)
	}
	if len(notEntries) > 0 {
		return -anyOf(notEntries, compare)
	}
	return no
}

func anyOf(entries []string, compare func(entry string) truth) truth {
	result := no
	for _, entry := range entries {
		result = max(result, compare(entry))
	}
	return result
}

func (n naive) actions(s *policy.Statement) truth {
	return element(s.Action, s.NotAction, func(pattern string) truth {
		if pattern == "*" {
			return yes
		}
		service, name, ok := strings.Cut(lower(pattern), ":")
		requestService, requestName, requestOK := strings.Cut(lower(n.action), ":")
		if !ok || !requestOK || hasWildcard(service) || service != requestService {
			return no
		}
		return glob(pieces(name, false), requestName)
	})
}

func (n naive) resources(p placed, s *policy.Statement) truth {
	if p.kind == policy.TrustPolicy && s.Resource == nil && s.NotResource == nil {
		return yes
	}
	return element(s.Resource, s.NotResource, func(pattern string) truth { return n.resourceMatches(p, pattern) })
}

func (n naive) resourceMatches(p placed, pattern string) truth {
	if pattern == "*" {
		return yes
	}
	if len(pattern) > maxLength {
		return unknown
	}
	parts := strings.SplitN(pattern, ":", 6)
	last := parts[len(parts)-1]
	shortRefused := len(parts) < 6 && last != "*" && p.kind == policy.ResourcePolicy
	if len(parts) < 3 || parts[0] != "arn" || len(parts) == 6 && last == "" || shortRefused || hasWildcard(parts[2]) {
		return no
	}
	for len(parts) < 6 {
		parts = append(parts, "*")
	}
	if n.resource == "*" {
		service, _, _ := strings.Cut(n.action, ":")
		return truthOf((lower(parts[1]) == "aws" || parts[1] == "*") && lower(parts[2]) == lower(service) &&
			(parts[3] == "" || parts[3] == "*") && (parts[4] == "" || parts[4] == "*") && parts[5] == "*")
	}
	request := strings.SplitN(n.resource, ":", 6)
	if len(request) < 6 || request[0] != "arn" {
		return no
	}
	result := truthOf(lower(parts[2]) == lower(request[2]))
	for _, i := range []int{1, 3, 4} {
		result = min(result, glob(pieces(lower(parts[i]), false), lower(request[i])))
	}
	unresolved := resourceSegment(parts[2], parts[5], hasVariables(p.document))
	if !mayMatch(unresolved, request[5]) {
		return no
	}
	segment, resolved := n.resolve(unresolved)
	if resolved != yes {
		return min(result, resolved)
	}
	return min(result, glob(segment, request[5]))
}

// resourceSegment takes the sixth segment of a resource pattern to pieces. What
// stands before its first slash or colon is literal, except in S3, where it is a
// bucket's name.
func resourceSegment(service, segment string, variables bool) []piece {
	all := pieces(segment, variables)
	if lower(service) == "s3" {
		return all
	}
	product := ""
	for i, p := range all {
		if p.raw == "/" || p.raw == ":" {
			return append([]piece{{raw: product, literal: product}}, all[i:]...)
		}
		product += p.raw
	}
	return all
}

// hasVariables reports whether the version of d has policy variables.
func hasVariables(d *policy.Document) bool { return d.Version == "2012-10-17" }

// conditions is AND over the operators and their keys.
func (n naive) conditions(p placed, s *policy.Statement) truth {
	result := yes
	for _, operator := range s.Condition {
		for _, key := range operator.Keys {
			t := n.condition(operator.Name, key, hasVariables(p.document))
			if t == yes && n.held != nil {
				n.held[operator.Name]++
			}
			result = min(result, t)
		}
	}
	return result
}

func (n naive) condition(operator string, key policy.ConditionKey, variables bool) truth {
	set := ""
	for _, prefix := range []string{"ForAllValues:", "ForAnyValue:"} {
		if strings.HasPrefix(operator, prefix) && set == "" {
			set, operator = prefix, strings.TrimPrefix(operator, prefix)
		}
	}
	base, ifExists := strings.CutSuffix(operator, "IfExists")
	compare, negated := n.comparison(base, variables)
	value := n.value(key.Name)
	if _, isFailed := value.(failed); isFailed || compare == nil && base != "Null" {
		return unknown
	}
	if base == "Null" {
		null := value == nil || isEmpty(value) && !slices.Contains([]string{"s3:prefix", "s3:delimiter"}, lower(key.Name))
		if list, ok := value.([]string); ok {
			null = len(list) == 0
		}
		return anyOf(key.Values, func(v string) truth { return truthOf(strings.EqualFold(v, strconv.FormatBool(null))) })
	}
	if value == nil {
		return truthOf(ifExists || set == "ForAllValues:" || negated && set == "")
	}
	one := func(value any) truth {
		t := anyOf(key.Values, func(v string) truth { return compare(v, value) })
		if negated {
			return -t
		}
		return t
	}
	list, multiple := value.([]string)
	switch {
	case multiple && set == "":
		return no
	case !multiple && set == "ForAllValues:" && isEmpty(value):
		return yes
	case !multiple:
		return one(value)
	}
	result := truthOf(set == "ForAllValues:")
	for _, element := range list {
		if set == "ForAllValues:" {
			result = min(result, one(element))
		} else {
			result = max(result, one(element))
		}
	}
	return result
}

func isEmpty(value any) bool { return value == "" }

// comparison returns the comparison of a policy's value with a request's for the
// name of an operator, and whether the operator is the negation of it; nil if the
// operator is unknown.
func (n naive) comparison(base string, variables bool) (compare func(string, any) truth, negated bool) {
	ordered := func(compare func(string, any) (int, bool), relation string) func(string, any) truth {
		return func(v string, value any) truth {
			order, ok := compare(v, value) // of the request's value against the policy's
			switch {
			case !ok:
				return no
			case relation == "LessThan":
				return truthOf(order < 0)
			case relation == "LessThanEquals":
				return truthOf(order <= 0)
			case relation == "GreaterThan":
				return truthOf(order > 0)
			case relation == "GreaterThanEquals":
				return truthOf(order >= 0)
			default:
				return truthOf(order == 0)
			}
		}
	}
	resolved := func(begins func([]piece, string) bool, compare func([]piece, string) truth) func(string, any) truth {
		return func(v string, value any) truth {
			if len(v) > maxLength || len(text(value)) > maxLength {
				return unknown
			}
			if !begins(pieces(v, variables), text(value)) {
				return no
			}
			pattern, ok := n.resolve(pieces(v, variables))
			if ok != yes {
				return ok
			}
			return compare(pattern, text(value))
		}
	}
	switch base {
	case "StringEquals", "StringNotEquals":
		compare = resolved(mayEqual, func(p []piece, s string) truth { return truthOf(plain(p) == s) })
	case "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase":
		compare = resolved(anything, func(p []piece, s string) truth { return truthOf(strings.EqualFold(plain(p), s)) })
	case "StringLike", "StringNotLike":
		compare = resolved(mayMatch, glob)
	case "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike":
		compare = func(v string, value any) truth { return n.arn(pieces(v, variables), text(value)) }
	case "Bool":
		equal := resolved(anything, func(p []piece, s string) truth { return truthOf(strings.EqualFold(plain(p), s)) })
		compare = func(v string, value any) truth {
			if s := text(value); !strings.EqualFold(s, "true") && !strings.EqualFold(s, "false") {
				return no
			}
			return equal(v, value)
		}
	case "BinaryEquals":
		compare = func(v string, value any) truth {
			decoded, err := base64.StdEncoding.Strict().DecodeString(v)
			switch {
			case err != nil, strings.ContainsAny(v, "\r\n"):
				return no // whatever the length of the other
			case len(decoded) > maxLength, len(text(value)) > maxLength:
				return unknown
			}
			return truthOf(string(decoded) == text(value))
		}
	case "IpAddress", "NotIpAddress":
		compare = address
	case "NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals":
		compare = ordered(compareNumbers, strings.TrimPrefix(base, "Numeric"))
	case "DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals":
		compare = ordered(compareDates, strings.TrimPrefix(base, "Date"))
	}
	return compare, strings.Contains(base, "Not")
}

// value returns the value of a condition key, whose name compares without regard
// to case, or nil. Of several tags it is the one whose key is written the same, and
// unobtainable if there is none.
func (n naive) value(key string) any {
	var values []any
	_, tag, _ := strings.Cut(key, "/")
	for name, value := range n.context {
		if !strings.EqualFold(name, key) {
			continue
		}
		if _, same, _ := strings.Cut(name, "/"); same == tag {
			return value
		}
		values = append(values, value)
	}
	switch len(values) {
	case 0:
		return nil
	case 1:
		return values[0]
	default:
		return failed{}
	}
}

// text is what a single value looks like to the string operators and in variables.
func text(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case time.Time:
		return value.UTC().Format(time.RFC3339Nano)
	case bool:
		return strconv.FormatBool(value)
	case int64:
		return strconv.FormatInt(value, 10)
	case netip.Addr:
		return value.Unmap().WithZone("").String() // of the peer's zone no policy can speak
	default:
		return ""
	}
}

// arn compares ARNs part by part. The colons of a variable's name part nothing.
func (n naive) arn(pattern []piece, value string) truth {
	valueParts := strings.SplitN(value, ":", 6)
	patternParts := [][]piece{nil}
	for _, p := range pattern {
		if p.raw == ":" && len(patternParts) < 6 {
			patternParts = append(patternParts, nil)
		} else {
			patternParts[len(patternParts)-1] = append(patternParts[len(patternParts)-1], p)
		}
	}
	longPattern, longValue := len(plain(pattern)) > maxLength, len(value) > maxLength
	switch {
	case len(patternParts) < 6 && !longPattern, len(valueParts) < 6 && !longValue:
		return no
	case longPattern, longValue:
		return unknown
	}
	result := yes
	for i := range patternParts {
		if !mayMatch(patternParts[i], valueParts[i]) {
			return no
		}
		part, resolved := n.resolve(patternParts[i])
		if resolved == yes {
			resolved = glob(part, valueParts[i])
		}
		result = min(result, resolved)
	}
	return result
}

func address(v string, value any) truth {
	a, err := netip.ParseAddr(text(value))
	if err != nil || a.Zone() != "" {
		return no
	}
	if !strings.Contains(v, "/") {
		single, err := netip.ParseAddr(v)
		return truthOf(err == nil && single.Zone() == "" && single.Unmap() == a.Unmap())
	}
	prefix, err := netip.ParsePrefix(v)
	if err != nil {
		return no
	}
	if prefix.Addr().Is4In6() {
		if prefix.Bits() < 96 {
			return no
		}
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
	}
	return truthOf(prefix.Contains(a.Unmap()))
}

var number = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?0*[0-9]{1,4})?$`)

func parseNumber(s string) (*big.Rat, bool) {
	if !number.MatchString(s) {
		return nil, false
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if exponent, err := strconv.Atoi(s[i+1:]); err != nil || exponent < -1000 || exponent > 1000 {
			return nil, false
		}
	}
	return new(big.Rat).SetString(s)
}

func compareNumbers(v string, value any) (int, bool) {
	if t, ok := value.(time.Time); ok {
		value = t.Unix()
	}
	a, okA := parseNumber(text(value))
	b, okB := parseNumber(v)
	if !okA || !okB {
		return 0, false
	}
	return a.Cmp(b), true
}

var date = regexp.MustCompile(`^(-?[0-9]+)(?:-([0-9]+)(?:-([0-9]+))?)?(?:[Tt](?:([0-9]+)(?::([0-9]+)(?::([0-9]+)(?:\.([0-9]+))?)?([Zz]|[+-][0-9]{2}(?::[0-9]{2})?)?)?)?)?$`)

// parseDate returns seconds and nanoseconds since 1970, which together order dates.
// That the fields are in range is for those to see who test Validate; a date that
// is not is no date.
func parseDate(s string) (when [2]int64, ok bool) {
	if !strings.ContainsAny(s, "tT-") {
		seconds, err := strconv.ParseInt(s, 10, 64)
		return [2]int64{seconds}, err == nil && s[0] != '+'
	}
	m := date.FindStringSubmatch(s)
	if m == nil {
		return when, false
	}
	ok = true
	field := func(s string, missing, least, greatest int) int {
		if s == "" {
			return missing
		}
		n, err := strconv.Atoi(s)
		ok = ok && err == nil && least <= n && n <= greatest
		return n
	}
	year := field(m[1], 0, -292275054, 292278993)
	month, day := field(m[2], 1, 1, 12), field(m[3], 1, 1, 31)
	hour, minute, second := field(m[4], 0, 0, 23), field(m[5], 0, 0, 59), field(m[6], 0, 0, 59)
	field(m[7], 0, 0, 999_999_999)
	nanos := field((m[7] + "000000000")[:9], 0, 0, 999_999_999)
	offset := 0
	if zone := m[8]; len(zone) > 1 {
		offset = field(zone[1:3], 0, 0, 23) * 3600
		if len(zone) > 3 {
			offset += field(zone[4:6], 0, 0, 59) * 60
		}
		if zone[0] == '-' {
			offset = -offset
		}
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC)
	return [2]int64{t.Unix() - int64(offset), int64(t.Nanosecond())}, ok
}

func compareDates(v string, value any) (int, bool) {
	b, ok := parseDate(v)
	if !ok {
		return 0, false
	}
	var a [2]int64
	switch value := value.(type) {
	case time.Time:
		a = [2]int64{value.Unix(), int64(value.Nanosecond())}
	case int64:
		a = [2]int64{value}
	default:
		if a, ok = parseDate(text(value)); !ok {
			return 0, false
		}
	}
	return slices.Compare(a[:], b[:]), true
}

// maxLength bounds patterns and values, in bytes.
const maxLength = 2048

// A piece is one of the smallest parts of a pattern: a character, a wildcard or a
// variable.
type piece struct {
	// raw is the piece as it stands in the pattern.
	raw string
	// literal is the text that it stands for, if it is neither of the others.
	literal  string
	wildcard bool
	// name is that of a variable.
	name       string
	fallback   string
	hasDefault bool
}

// pieces takes a pattern apart; one that is too long is taken as it is.
func pieces(pattern string, variables bool) []piece {
	if len(pattern) > maxLength {
		return []piece{{raw: pattern, literal: pattern}}
	}
	all := make([]piece, 0, len(pattern))
	for pattern != "" {
		p, ok := piece{}, false
		if variables && strings.HasPrefix(pattern, "${") {
			p, ok = variable(pattern)
		}
		if !ok {
			_, size := utf8.DecodeRuneInString(pattern)
			p = piece{raw: pattern[:size], literal: pattern[:size], wildcard: pattern[0] == '*' || pattern[0] == '?'}
		}
		all = append(all, p)
		pattern = pattern[len(p.raw):]
	}
	return all
}

var variableSyntax = regexp.MustCompile(`^\$\{(?:([*?$])|\s*([^${}',]*[^${}',\s])\s*(?:, *'([^']*)' *)?)\}`)

// variable reads ${key}, ${key, 'default'}, ${*}, ${?} or ${$} at the beginning of s.
func variable(s string) (p piece, ok bool) {
	m := variableSyntax.FindStringSubmatchIndex(s)
	if m == nil {
		return piece{}, false
	}
	group := func(n int) string {
		if m[2*n] < 0 {
			return ""
		}
		return s[m[2*n]:m[2*n+1]]
	}
	return piece{raw: group(0), literal: group(1), name: group(2), fallback: group(3), hasDefault: m[6] >= 0}, true
}

// resolve puts literal text in the place of variables. It returns no if there is
// none to put, unknown if the value could not be obtained.
func (n naive) resolve(pattern []piece) ([]piece, truth) {
	var resolved []piece
	result := yes
	for _, p := range pattern {
		if p.name != "" {
			value := n.value(p.name)
			_, list := value.([]string)
			_, isFailed := value.(failed)
			switch {
			case isFailed:
				result = min(result, unknown)
			case p.hasDefault && (value == nil || isEmpty(value)):
				p = piece{literal: p.fallback}
			case value == nil || list:
				result = no
			default:
				p = piece{literal: text(value)}
			}
		}
		resolved = append(resolved, p)
	}
	return resolved, result
}

// mayMatch reports whether s begins with the text that a pattern begins with. If
// not, it does not matter what its variables are.
func mayMatch(pattern []piece, s string) bool {
	for _, p := range pattern {
		if p.wildcard {
			return true
		}
		if p.name != "" || !strings.HasPrefix(s, p.literal) {
			return p.name != ""
		}
		s = s[len(p.literal):]
	}
	return true
}

// mayEqual is mayMatch for text in which wildcards are characters.
func mayEqual(pattern []piece, s string) bool {
	pattern = slices.Clone(pattern)
	for i := range pattern {
		pattern[i].wildcard = false
	}
	return mayMatch(pattern, s)
}

func anything([]piece, string) bool { return true }

// plain is the text of a resolved pattern whose wildcards are characters.
func plain(pattern []piece) string {
	var b strings.Builder
	for _, p := range pattern {
		b.WriteString(p.literal)
	}
	return b.String()
}

// glob matches a resolved pattern: a star is any run of characters, a question
// mark exactly one.
func glob(pattern []piece, s string) truth {
	if len(s) > maxLength {
		return unknown
	}
	refuted := make([]bool, len(pattern)*(len(s)+1)) // what was tried already: not for speed, but to end at all
	var match func(i, j int) bool
	match = func(i, j int) bool {
		if i == len(pattern) {
			return j == len(s)
		}
		tried := &refuted[i*(len(s)+1)+j]
		if *tried {
			return false
		}
		p := pattern[i]
		var matched bool
		switch _, size := utf8.DecodeRuneInString(s[j:]); {
		case !p.wildcard:
			matched = strings.HasPrefix(s[j:], p.literal) && match(i+1, j+len(p.literal))
		case p.literal == "?":
			matched = j < len(s) && match(i+1, j+size)
		default:
			matched = match(i+1, j) || j < len(s) && match(i, j+size)
		}
		*tried = !matched
		return matched
	}
	return truthOf(match(0, 0))
}

func hasWildcard(s string) bool { return strings.ContainsAny(s, "*?") }

// lower folds ASCII letters only.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// missingKeys lists the keys and variables that the statements name and the
// request does not have.
func (n naive) missingKeys() []string {
	var missing []string
	name := func(key string) {
		if n.value(key) == nil && !slices.ContainsFunc(missing, func(m string) bool { return strings.EqualFold(m, key) }) {
			missing = append(missing, key)
		}
	}
	for _, part := range allParts {
		for _, p := range n.parts[part] {
			for i := range p.document.Statements {
				for _, key := range keysOf(&p.document.Statements[i], hasVariables(p.document)) {
					name(key)
				}
			}
		}
	}
	return missing
}

var withVariables = regexp.MustCompile(`^(For(AllValues|AnyValue):)?(String(Not)?(Equals(IgnoreCase)?|Like)|Arn(Not)?(Equals|Like)|Bool)(IfExists)?$`)

// keysOf lists the condition keys and variables of a statement: those of its
// resources, then each key of its conditions and the variables in its values.
func keysOf(s *policy.Statement, variables bool) []string {
	var keys []string
	add := func(pattern []piece) {
		for _, p := range pattern {
			if p.name != "" {
				keys = append(keys, p.name)
			}
		}
	}
	for _, pattern := range slices.Concat(s.Resource, s.NotResource) {
		if parts := strings.SplitN(pattern, ":", 6); len(parts) == 6 {
			add(resourceSegment(parts[2], parts[5], variables))
		}
	}
	for _, operator := range s.Condition {
		for _, key := range operator.Keys {
			keys = append(keys, key.Name)
			if withVariables.MatchString(operator.Name) {
				for _, v := range key.Values {
					add(pieces(v, variables))
				}
			}
		}
	}
	return keys
}
