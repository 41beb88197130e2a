package policy_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/policy"
)

// The environment of the properties: how many cases, and the seed of a run that is
// to be repeated.
const (
	casesVariable = "IAMSERVER_POLICY_CASES"
	seedVariable  = "IAMSERVER_POLICY_SEED"
	defaultCases  = 20_000
)

// slowdown is by how much fewer cases are decided where each takes longer: with the
// race detector.
var slowdown = 1

// TestProperties decides random situations with the engine and with the naive
// evaluator, and looks for what must hold of all of them.
func TestProperties(t *testing.T) {
	count, seed := defaultCases, rand.Uint64() //nolint:gosec // a seed that is printed is no secret
	count /= slowdown
	if testing.Short() {
		count /= 10
	}
	if text := os.Getenv(casesVariable); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err, casesVariable)
		count = n
	}
	if text := os.Getenv(seedVariable); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, seedVariable)
		seed = n
	}
	t.Logf("%s=%d %s=%d", casesVariable, count, seedVariable, seed)

	total := workers(t, func(w *worker, first, step int) { w.run(seed, first, count, step) })
	if total.failure != "" {
		require.FailNow(t, "a property does not hold", "%s=%d\n%s", seedVariable, seed, total.failure)
	}
}

// workers share work, and are added up.
func workers(t *testing.T, run func(w *worker, first, step int)) *worker {
	t.Helper()
	all := make([]worker, runtime.GOMAXPROCS(0))
	var group sync.WaitGroup
	for i := range all {
		all[i].clear()
		group.Go(func() { run(&all[i], i, len(all)) })
	}
	group.Wait()
	total := &worker{}
	total.clear()
	for i := range all {
		total.add(&all[i])
	}
	t.Logf("allowed %d, explicit deny %d, implicit deny %d; deciding statements by part %v",
		total.decisions[policy.Allowed], total.decisions[policy.ExplicitDeny], total.decisions[policy.ImplicitDeny], total.matches)
	return total
}

// TestSituationsAreVaried checks that random situations are worth deciding. Its seed
// is fixed: what is rare is there or is not, whenever it runs.
func TestSituationsAreVaried(t *testing.T) {
	if slowdown > 1 {
		t.Skip("nothing in it can race")
	}
	const seed, count = 1, 20_000
	total := workers(t, func(w *worker, first, step int) {
		for i := first; i < count; i += step {
			w.decide(situationOf(seed, i))
		}
	})
	for _, decision := range []policy.Decision{policy.Allowed, policy.ExplicitDeny, policy.ImplicitDeny} {
		require.Greater(t, total.decisions[decision], count/20, "decisions that are %s", decision)
	}
	for _, part := range allParts {
		require.Greater(t, total.matches[part], count/100, "deciding statements of part %s", partNames[part])
	}
	least, rarest := count, ""
	for _, base := range operatorNames {
		for _, set := range []string{"", "ForAllValues:", "ForAnyValue:"} {
			for _, suffix := range []string{"", "IfExists"} {
				name := set + base + suffix
				if n := total.held[name]; n < least && name != set+"NullIfExists" {
					least, rarest = n, name
				}
			}
		}
	}
	t.Logf("each operator held, %s least often, %d times", rarest, least)
	require.Positive(t, least, "%s never held", rarest)
}

// A worker decides some of the situations and counts what it sees.
type worker struct {
	decisions map[policy.Decision]int
	matches   map[policy.Part]int
	// held counts the conditions that were true, by operator.
	held map[string]int
	// failure is the first property that does not hold, with the smallest situation
	// that shows it.
	failure string
}

func (w *worker) clear() {
	w.decisions, w.matches, w.held = map[policy.Decision]int{}, map[policy.Part]int{}, map[string]int{}
}

func (w *worker) add(other *worker) {
	if w.failure == "" {
		w.failure = other.failure
	}
	for decision, n := range other.decisions {
		w.decisions[decision] += n
	}
	for part, n := range other.matches {
		w.matches[part] += n
	}
	for operator, n := range other.held {
		w.held[operator] += n
	}
}

// run decides every step-th situation below count, from first.
func (w *worker) run(seed uint64, first, count, step int) {
	for i := first; i < count && w.failure == ""; i += step {
		s := situationOf(seed, i)
		decision, reasons := w.decide(s)
		if disagreement(s, decision, reasons) != "" {
			w.fail(agreement, s, i)
		}
		// The others take turns.
		if p := properties[i%len(properties)]; p.violation(s, uint64(i)) != "" { //nolint:gosec // an index
			w.fail(p, s, i)
		}
	}
}

// situationOf is a random situation.
func situationOf(seed uint64, i int) *situation {
	return generator{rand.New(rand.NewPCG(seed, uint64(i)))}.situation() //nolint:gosec // an index
}

// decide has the naive evaluator decide, and counts what it sees.
func (w *worker) decide(s *situation) (policy.Decision, policy.Reasons) {
	decision, reasons := naive{situation: s, held: w.held}.decide()
	w.decisions[decision]++
	for _, m := range reasons.Matches {
		w.matches[m.Part]++
	}
	return decision, reasons
}

// fail remembers that p does not hold of s, case i.
func (w *worker) fail(p property, s *situation, i int) {
	violation := func(s *situation) string { return p.violation(s, uint64(i)) } //nolint:gosec // an index
	s = shrink(s, func(s *situation) bool { return violation(s) != "" })
	w.failure = fmt.Sprintf("case %d: %s\n%s\n%s", i, p.name, violation(s), s.print())
}

// A property holds of every situation, and says how it is violated. Its seed
// makes the choices that it leaves open.
type property struct {
	name      string
	violation func(s *situation, seed uint64) string
}

// agreement is the first of the properties, which every situation is asked.
var agreement = property{"compiled and naive come to the same decision, for the same reasons", func(s *situation, _ uint64) string {
	decision, reasons := naive{situation: s}.decide()
	return disagreement(s, decision, reasons)
}}

// disagreement says in what the engine differs from what the naive evaluator found.
func disagreement(s *situation, decision policy.Decision, reasons policy.Reasons) string {
	compiledDecision, compiledReasons := compiled(s)
	if compiledDecision != decision {
		return fmt.Sprintf("naive: %s, compiled: %s", decision, compiledDecision)
	}
	if !reflect.DeepEqual(reasons, compiledReasons) {
		return fmt.Sprintf("naive:    %+v\ncompiled: %+v", reasons, compiledReasons)
	}
	return ""
}

var properties = []property{
	{"the order of statements and policies changes no decision", func(s *situation, seed uint64) string {
		r, shuffled := source(seed), s.clone()
		for _, part := range allParts {
			policies := shuffled.parts[part]
			r.Shuffle(len(policies), func(i, j int) { policies[i], policies[j] = policies[j], policies[i] })
			for _, p := range policies {
				all := p.document.Statements
				r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			}
		}
		return compareDecisions(s, shuffled, func(before, after policy.Decision) bool { return before == after })
	}},
	{"one more Deny never widens", func(s *situation, seed uint64) string {
		return compareDecisions(s, s.withStatement(seed, policy.Deny), func(before, after policy.Decision) bool {
			return after != policy.Allowed || before == policy.Allowed
		})
	}},
	{"one more Allow never narrows", func(s *situation, seed uint64) string {
		return compareDecisions(s, s.withStatement(seed, policy.Allow), func(before, after policy.Decision) bool {
			return before != policy.Allowed || after == policy.Allowed
		})
	}},
	{"splitting the lists of a statement changes no decision", func(s *situation, _ uint64) string {
		return compareDecisions(s, s.split(), func(before, after policy.Decision) bool { return before == after })
	}},
}

func source(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// compareDecisions decides two situations.
func compareDecisions(before, after *situation, fine func(before, after policy.Decision) bool) string {
	b, _ := compiled(before)
	if a, _ := compiled(after); !fine(b, a) {
		return fmt.Sprintf("%s before, %s after\nafter:\n%s", b, a, after.print())
	}
	return ""
}

// withStatement adds a statement to one of the policies.
func (s *situation) withStatement(seed uint64, effect policy.Effect) *situation {
	c := s.clone()
	g := generator{source(seed)}
	for _, i := range g.Perm(len(allParts)) {
		policies := c.parts[allParts[i]]
		if len(policies) == 0 {
			continue
		}
		p := policies[g.IntN(len(policies))]
		statement := g.statement(p.kind)
		statement.Effect = effect
		p.document.Statements = append(p.document.Statements, statement)
		break
	}
	return c
}

// split makes a statement for each action, resource and principal.
func (s *situation) split() *situation {
	c := s.clone()
	for _, part := range allParts {
		for _, p := range c.parts[part] {
			var all []policy.Statement
			for i := range p.document.Statements {
				all = append(all, splitStatement(&p.document.Statements[i])...)
			}
			p.document.Statements = all
		}
	}
	return c
}

func splitStatement(s *policy.Statement) []policy.Statement {
	actions, resources := [][]string{s.Action}, [][]string{s.Resource}
	if len(s.Action) > 1 {
		actions = slices.Collect(slices.Chunk(s.Action, 1))
	}
	if len(s.Resource) > 1 {
		resources = slices.Collect(slices.Chunk(s.Resource, 1))
	}
	principals := []*policy.Principals{s.Principal}
	if s.Principal != nil && len(s.Principal.AWS) > 1 {
		principals = nil
		for _, name := range s.Principal.AWS {
			principals = append(principals, &policy.Principals{AWS: []string{name}})
		}
	}
	var all []policy.Statement
	for _, action := range actions {
		for _, resource := range resources {
			for _, principal := range principals {
				one := *s
				one.Action, one.Resource, one.Principal = action, resource, principal
				all = append(all, one)
			}
		}
	}
	return all
}

// clone copies s so deeply that the copy may be changed.
func (s *situation) clone() *situation {
	c := *s
	c.context = maps.Clone(s.context)
	c.parts = map[policy.Part][]placed{}
	for part, policies := range s.parts {
		c.parts[part] = []placed{}
		for _, p := range policies {
			d := *p.document
			d.Statements = slices.Clone(d.Statements)
			for i := range d.Statements {
				one := &d.Statements[i]
				one.Condition = slices.Clone(one.Condition)
				for j := range one.Condition {
					one.Condition[j].Keys = slices.Clone(one.Condition[j].Keys)
				}
			}
			p.document = &d
			c.parts[part] = append(c.parts[part], p)
		}
	}
	return &c
}

// shrink leaves out of s what it can, one thing at a time, while it still fails.
func shrink(s *situation, fails func(*situation) bool) *situation {
	for again := true; again; {
		again = false
		for _, smaller := range s.smaller() {
			if fails(smaller) {
				s, again = smaller, true
				break
			}
		}
	}
	return s
}

// smaller are the situations that lack one thing that s has.
func (s *situation) smaller() []*situation {
	var all []*situation
	change := func(alter func(c *situation)) {
		c := s.clone()
		alter(c)
		all = append(all, c)
	}
	for key := range s.context {
		change(func(c *situation) { delete(c.context, key) })
	}
	for part, policies := range s.parts {
		change(func(c *situation) { delete(c.parts, part) })
		for i, p := range policies {
			change(func(c *situation) { c.parts[part] = slices.Delete(c.parts[part], i, i+1) })
			for j := range p.document.Statements {
				change(func(c *situation) {
					d := c.parts[part][i].document
					d.Statements = slices.Delete(d.Statements, j, j+1)
				})
				for _, alter := range smallerStatements(&p.document.Statements[j]) {
					change(func(c *situation) { alter(&c.parts[part][i].document.Statements[j]) })
				}
			}
		}
	}
	return all
}

func smallerStatements(s *policy.Statement) []func(*policy.Statement) {
	var all []func(*policy.Statement)
	list := func(values []string, set func(*policy.Statement, []string)) {
		for i := range values {
			if len(values) > 1 {
				all = append(all, func(s *policy.Statement) { set(s, slices.Delete(slices.Clone(values), i, i+1)) })
			}
		}
	}
	list(s.Action, func(s *policy.Statement, v []string) { s.Action = v })
	list(s.NotAction, func(s *policy.Statement, v []string) { s.NotAction = v })
	list(s.Resource, func(s *policy.Statement, v []string) { s.Resource = v })
	list(s.NotResource, func(s *policy.Statement, v []string) { s.NotResource = v })
	for i := range s.Condition {
		all = append(all, func(s *policy.Statement) { s.Condition = slices.Delete(s.Condition, i, i+1) })
		for j, key := range s.Condition[i].Keys {
			all = append(all, func(s *policy.Statement) { s.Condition[i].Keys = slices.Delete(s.Condition[i].Keys, j, j+1) })
			list(key.Values, func(s *policy.Statement, v []string) { s.Condition[i].Keys[j].Values = v })
		}
	}
	return all
}

// A generator makes situations of small alphabets, so that patterns often meet
// what they match.
type generator struct{ *rand.Rand }

func (g generator) one(choices ...string) string { return choices[g.IntN(len(choices))] }

// chance is true in n of 100 cases.
func (g generator) chance(n int) bool { return g.IntN(100) < n }

func (g generator) some(most int, value func() string) []string {
	n := 1 + g.IntN(most)
	if g.chance(2) {
		n = 0
	}
	values := make([]string, 0, n)
	for range n {
		values = append(values, value())
	}
	return values
}

func (g generator) situation() *situation {
	s := &situation{
		principal: g.principal(), action: g.action(), resource: g.resource(),
		context: map[string]any{}, parts: map[policy.Part][]placed{},
	}
	switch g.IntN(10) {
	case 0:
		s.resourceAccount = "444455556666"
	case 1, 2, 3:
		s.resourceAccount = "111122223333"
	}
	for range g.IntN(8) {
		key := g.key(false)
		s.context[key] = g.value()
		if i := slices.IndexFunc(families, func(f family) bool { return f.key == key }); i >= 0 && g.chance(60) {
			f := families[i]
			s.context[key] = g.one(f.values...)
			if g.chance(40) {
				s.context[key] = g.some(3, func() string { return g.one(f.values...) })
			}
		}
	}
	if g.chance(10) {
		s.context["aws:PrincipalTag/TEAM"] = g.text()
	}
	for _, part := range allParts {
		if part == policy.Identity && !g.chance(90) || part != policy.Identity && !g.chance(30) {
			continue
		}
		s.parts[part] = []placed{}
		kind := kinds[part]
		if part == policy.ResourceBased && g.chance(25) {
			kind, s.trust = policy.TrustPolicy, true
		}
		for i := range 1 + g.IntN(3) {
			if g.chance(3) {
				continue
			}
			s.parts[part] = append(s.parts[part], placed{
				document: g.document(kind), kind: kind,
				source: policy.Source{ID: partNames[part] + strconv.Itoa(i), Type: policy.SourceNone},
			})
		}
	}
	return s
}

func (g generator) principal() policy.Principal {
	const a = "111122223333"
	user := policy.Principal{Type: policy.User, Account: a, ARN: "arn:aws:iam::" + a + ":user/u", ID: "AIDAU"}
	switch g.IntN(10) {
	case 0:
		return policy.Principal{}
	case 1:
		return policy.Principal{Type: policy.Root, Account: a, ARN: "arn:aws:iam::" + a + ":root"}
	case 2, 3:
		return policy.Principal{Type: policy.RoleSession, Account: a, ARN: "arn:aws:sts::" + a + ":assumed-role/r/s", ID: "AROAR", Issuer: "arn:aws:iam::" + a + ":role/p/r"}
	case 4:
		return policy.Principal{Type: policy.FederatedUser, Account: a, ARN: "arn:aws:sts::" + a + ":federated-user/f", Issuer: user.ARN}
	default:
		return user
	}
}

func (g generator) principals() *policy.Principals {
	const a = "111122223333"
	if g.chance(15) {
		return &policy.Principals{Text: g.one("*", "*", "*", "**", a, "arn:aws:iam::"+a+":user/u")}
	}
	p := &policy.Principals{}
	if g.chance(95) {
		p.AWS = g.some(3, func() string {
			return g.one("*", a, "444455556666", "arn:aws:iam::"+a+":root", "arn:aws:iam::444455556666:root",
				"arn:aws:iam::"+a+":user/u", "arn:aws:iam::"+a+":user/U", "arn:aws:iam::"+a+":user/*", "AIDAU", "AROAR", "",
				"arn:aws:sts::"+a+":assumed-role/r/s", "arn:aws:iam::"+a+":role/p/r", "arn:aws:iam::"+a+":role/r", "arn:aws:sts::"+a+":federated-user/f")
		})
	}
	if g.chance(10) {
		p.Service = []string{"s3.amazonaws.com", "*"}
	}
	if g.chance(10) {
		p.Federated = []string{"*"}
		p.CanonicalUser = []string{"*"}
	}
	return p
}

func (g generator) action() string {
	return g.one("s3:GetObject", "s3:PutObject", "s3:getobject", "s3:ListBucket", "s3:GetBucketPolicy", "S3:PutBucketPolicy",
		"s3:DeleteBucketPolicy", "iam:GetUser", "iam:ListUsers", "sts:AssumeRole", "s3:ListAllMyBuckets", "s3:Unknown")
}

func (g generator) actionPattern() string {
	switch g.IntN(12) {
	case 0:
		return "*"
	case 1:
		return g.one("s3:?etObject", "s3:*Object", "S3:*", "*:GetObject", "s?:*", "s3", "", "**", "s3:", ":*", "s3:Get:Object", "iam:*User*", "s3:*t*t*", "s3:${aws:username}", "s3: *", "s3:GET*?")
	case 2, 3, 4:
		return g.one("s3:*", "s3:Get*", "iam:*", "sts:*", "s3:*Object*", "s3:*BucketPolicy")
	default:
		return g.action()
	}
}

func (g generator) resource() string {
	if g.chance(8) {
		return "*"
	}
	if g.chance(10) {
		return g.one("*", "", "nonsense", "arn:aws:s3:::", "arn:aws:s3", "**", "ARN:aws:s3:::b/k", "arn:aws:s3:::b/*", "arn:aws:s3:::b/${a}")
	}
	return g.one("arn:aws:s3:::b", "arn:aws:s3:::b/k", "arn:aws:s3:::b/u/k", "arn:aws:s3:::b/u/", "arn:aws:s3:::b//k", "arn:aws:s3:::b/K", "arn:aws:s3:::b/é",
		"arn:aws:iam::111122223333:user/u", "arn:aws:iam::111122223333:user/p/u", "arn:aws:iam::111122223333:role/p/r", "arn:aws:s3:::b/u:k",
		"arn:aws-cn:s3:::b/k", "arn:aws:sqs:r:111122223333:u")
}

func (g generator) resourcePattern() string {
	if g.IntN(1000) == 0 {
		return g.one("arn:aws:s3:::b/"+strings.Repeat("*", 2100), "arn:aws:s3:::b/"+g.variable()+strings.Repeat("?", 2100))
	}
	if g.chance(50) {
		return g.one("*", "*", g.resource())
	}
	return g.one(
		"arn:aws:s3:::*", "arn:aws:s3:::b*", "arn:aws:s3:::b/*", "arn:aws:s3:::?/k", "arn:*:s3:*:*:b/*", "arn:aws:s3:::b/?", "arn:aws:s3:::b/*k",
		"arn:aws:S3:::b/k", "arn:AWS:s3:::b/k", "arn:a?s:s3:::b/k", "arn:aws:s*:::b/k", "arn:aws:*:::b/k", "arn:aws:s3:?::b/k", "arn:aws:s3:**::b/k",
		"arn:aws:s3", "arn:aws:s3:*", "arn:aws:s3::*", "arn:aws:s3:::", "arn:aws:s3:", "arn:aws:s3::", "arn:aws", "arn", "arn:aws:iam", "arn:aws:iam::*", "arn:aws:iam::111122223333",
		"arn:aws:iam::*:*", "arn:aws:iam::111122223333:user/*", "arn:aws:iam::111122223333:u*", "arn:aws:iam::111122223333:us?r/u", "arn:aws:iam::*:*/u", "arn:aws:iam::1111*:user/?",
		"arn:aws:s3:::${b}/k", "arn:aws:s3:::b/"+g.variable()+"/*", "arn:aws:s3:::b/"+g.variable(), "arn:aws:s3:::"+g.variable()+"/"+g.variable(), "arn:aws:s3:::c/"+g.variable(), "arn:aws:s3:::b/"+g.one("u", "x")+"/"+g.variable(),
		"arn:aws:iam::111122223333:user/"+g.variable(), "arn:aws:iam::111122223333:"+g.variable(), "arn:aws:iam::111122223333:"+g.variable()+"/u",
		"arn:aws:iam::${aws:PrincipalAccount}:user/u", "arn:aws:sqs:r:111122223333:"+g.variable(), "arn:aws:s3:::*b*/*k*",
		"arn:aws-cn:s3:::*", "arn:*:s3::*:*", "arn:aws:s3:r::*", "arn:aws:s3:::*a?b*",
	)
}

// variable is a policy variable, or what looks like one.
func (g generator) variable() string {
	if g.chance(20) {
		return g.one("${*}", "${?}", "${$}", "$", "${", "${aws:username", "${}", "${ }", "${,'u'}", "$${t}", "${t,u}", "${t,'u}", "{t}", "${t, 'u' x}", "${t,}", "${t}}")
	}
	key := g.key(true)
	return g.one("${"+key+"}", "${"+key+"}", "${ "+key+" }", "${"+strings.ToUpper(key)+"}", "${"+key+", 'u'}", "${"+key+",'u'}", "${"+key+" ,  '*'}", "${"+key+", ''}")
}

// key is a condition key, as a policy or a request may write it.
func (g generator) key(inPolicy bool) string {
	key := g.one("aws:username", "t", "l", "n", "d", "b", "ip", "arn", "s3:prefix", "s3:delimiter", "aws:PrincipalTag/Team", "missing")
	if inPolicy && g.chance(5) {
		return g.one("AWS:UserName", "T", "aws:principaltag/team", "aws:PrincipalTag/TEAM", "AWS:PrincipalTag/Team")
	}
	return key
}

// value is what a request has for a key.
func (g generator) value() any {
	switch g.IntN(16) {
	case 0:
		return []string{}
	case 1, 2, 3:
		list := g.some(3, func() string { return text(g.single()) })
		return list
	case 4:
		if g.chance(70) {
			return failed{}
		}
		if g.chance(3) {
			return strings.Repeat("u", 2100)
		}
		return ""
	default:
		return g.single()
	}
}

func (g generator) single() any {
	switch g.IntN(10) {
	case 0:
		return time.Unix(int64(g.IntN(3)), int64(g.IntN(2))*500_000_000).UTC()
	case 1:
		return g.chance(50)
	case 2:
		return int64(g.IntN(4) - 1)
	case 3:
		return netip.MustParseAddr(g.one("10.0.0.1", "10.0.0.2", "2001:db8::1", "::ffff:10.0.0.1", "fe80::1%eth0"))
	case 4:
		return g.one("arn:aws:iam::111122223333:user/u", "arn:aws:s3:::b", "arn:aws:iam::1:role/u:v", "arn:aws")
	default:
		return g.text()
	}
}

// text is a value as text, of any type.
func (g generator) text() string {
	return g.one("u", "u", "u", "U", "", "*", "?", "u*", "${t}", "é", "É", "k",
		"1", "2", "1.0", "-1", "+1", "1e0", "10e-1", "0", "1.", ".5", "1e1001", "0x1", " 1",
		"1970-01-01", "1970-01-01T00:00:01Z", "1970-01-01T01:00:01+01:00", "1970", "1970-1-1T0:0:0.5z", "1970-02-30", "tomorrow", "1970-13",
		"true", "false", "True", "yes",
		"10.0.0.1", "10.0.0.2", "2001:db8::1", "10.0.0.0/8", "::ffff:10.0.0.1", "10.0.0.1%x",
		"arn:aws:iam::111122223333:user/u", "dQ==", "dQ==", "MQ==", "", "dR==", "dQ")
}

// policyValue is a value of a condition in a policy.
func (g generator) policyValue() string {
	switch g.IntN(8) {
	case 0:
		return g.variable()
	case 1:
		return g.one("*", "?", "u*", "*u", "??", "u?", "**", "*a*a*b", "${t}${t}", "x"+g.variable()+"*")
	case 2:
		return g.one("10.0.0.0/8", "10.1.2.3/8", "0.0.0.0/0", "::/0", "2001:db8::/32", "::ffff:10.0.0.0/104", "::ffff:0.0.0.0/95", "10.0.0.1/33", "10.0.0.0/08", "fe80::/10", "fe80::1%eth0")
	case 3:
		return g.one("arn:*:iam::*:user/*", "arn:aws:iam::111122223333:user/"+g.variable(), "arn:aws:iam::"+g.variable()+":*", "*", "arn:aws:*:*:*:*", "a*:aws:s3:::b", "arn:aws:iam:*", "arn:aws:iam::?:role/u?v")
	case 4:
		if g.IntN(200) == 0 {
			return strings.Repeat("u", 2100)
		}
		return g.one("true", "false")
	default:
		return g.text()
	}
}

func (g generator) document(kind policy.Kind) *policy.Document {
	d := &policy.Document{Version: g.one(policy.Version2012, policy.Version2012, policy.Version2012, policy.Version2012, policy.Version2008, "")}
	for range 1 + g.IntN(3) {
		d.Statements = append(d.Statements, g.statement(kind))
	}
	for i := range d.Statements {
		d.Statements[i].Start = policy.Position{Offset: i, Line: 1, Column: i + 1}
		d.Statements[i].End = policy.Position{Offset: i + 10, Line: 2, Column: i + 1}
	}
	return d
}

func (g generator) statement(kind policy.Kind) policy.Statement {
	s := policy.Statement{Effect: policy.Allow, Sid: g.one("", "", "A", "B")}
	if g.chance(22) {
		s.Effect = policy.Deny
	}
	if g.chance(1) {
		s.Effect = policy.Effect(g.one("allow", "deny", "DENY", "ALLOW"))
	}
	resourceBased := kind == policy.ResourcePolicy || kind == policy.TrustPolicy
	switch {
	case resourceBased && g.chance(80), !resourceBased && g.chance(2):
		s.Principal = g.principals()
	case resourceBased && g.chance(90), !resourceBased && g.chance(1):
		s.NotPrincipal = g.principals()
	}
	switch n := g.IntN(100); {
	case n < 90:
		s.Action = g.some(3, g.actionPattern)
		if g.chance(30) {
			s.Action = append(s.Action, "*")
		}
	case n < 99:
		s.NotAction = g.some(2, g.actionPattern)
	}
	switch {
	case kind == policy.TrustPolicy && g.chance(80):
	case g.chance(88):
		s.Resource = g.some(3, g.resourcePattern)
		if g.chance(30) {
			s.Resource = append(s.Resource, "*")
		}
	case g.chance(90):
		s.NotResource = g.some(2, g.resourcePattern)
	}
	if g.chance(50) {
		for range g.IntN(3) {
			s.Condition = append(s.Condition, g.condition())
		}
		s.Condition = unique(s.Condition, func(o policy.ConditionOperator) string { return o.Name })
	}
	return s
}

// unique keeps the first of each name, since JSON objects have no name twice.
func unique[E any](all []E, name func(E) string) []E {
	var kept []E
	for _, e := range all {
		if !slices.ContainsFunc(kept, func(k E) bool { return name(k) == name(e) }) {
			kept = append(kept, e)
		}
	}
	return kept
}

// operatorNames are the operators without prefix and suffix.
var operatorNames = strings.Fields(`
	StringEquals StringNotEquals StringEqualsIgnoreCase StringNotEqualsIgnoreCase StringLike StringNotLike
	NumericEquals NumericNotEquals NumericLessThan NumericLessThanEquals NumericGreaterThan NumericGreaterThanEquals
	DateEquals DateNotEquals DateLessThan DateLessThanEquals DateGreaterThan DateGreaterThanEquals
	Bool BinaryEquals IpAddress NotIpAddress ArnEquals ArnLike ArnNotEquals ArnNotLike Null`)

// A family is a condition key that has the values that some operators compare.
type family struct {
	key, operator    string
	values, patterns []string
}

// Of several whose operator is in the name of one the first counts.
var families = []family{
	{
		"arn", "Arn",
		[]string{"arn:aws:iam::111122223333:user/u", "arn:aws:s3:::b", "arn:aws:iam::1:role/u:v", "arn:aws:iam::111122223333:user/*"},
		[]string{"arn:*:iam::*:user/*", "arn:aws:iam::111122223333:user/${aws:username}", "arn:aws:*:*:*:*", "a*:aws:s3:::?", "arn:aws:iam:*", "arn:aws:iam::?:role/u?v", "*:*:*:*:*:*", "*"},
	},
	{
		"ip", "IpAddress",
		[]string{"10.0.0.1", "10.9.9.9", "2001:db8::1", "::ffff:10.0.0.1", "fe80::1%eth0", "10.0.0.1/32"},
		[]string{"10.0.0.0/8", "10.0.0.1", "0.0.0.0/0", "::/0", "2001:db8::/32", "2001:db8::1", "::ffff:10.0.0.0/104", "::ffff:0.0.0.0/95", "10.0.0.1/33"},
	},
	{
		"n", "Numeric",
		[]string{"1", "2", "1.0", "-1", "1e0", "10e-1", "0", ".5", "1e1001", "0x1", "9007199254740993"},
		[]string{"1", "2", "+1", "0.9", "1.5", "-2", "1e1", "9007199254740992", "1e-1000", "one"},
	},
	{
		"d", "Date",
		[]string{"1970-01-01", "1970-01-01T00:00:01Z", "1970-01-01T01:00:01+01:00", "1", "1970-1-1T0:0:0.5z", "1970-02-30", "1970-13", "-0001"},
		[]string{"1970-01-01T00:00:01Z", "0", "1", "1970-01", "1970-03-02", "1970-1-1T0:0:0.5Z", "2200-01-01", "-292275054", "soon"},
	},
	{"b", "Bool", []string{"true", "false", "True", "yes", ""}, []string{"true", "false", "FALSE", "${b}", "no"}},
	{"s3:delimiter", "Binary", []string{"u", "1", "***", "dQ=="}, []string{"dQ==", "MQ==", "KioqKg==", "", "dR==", "dQ"}},
	{"aws:username", "StringEquals", []string{"u", "U", "*"}, []string{"u", "U", "${t}", "${*}", "*"}},
	{"s3:prefix", "Like", []string{"", "u", "u/k", "u*", "é"}, []string{"", "u*", "${aws:username}*", "?", "u/?", "*/*", "${*}"}},
	{"missing", "Null", []string{"", "x"}, []string{"true", "false", "True", "x"}},
}

func (g generator) condition() policy.ConditionOperator {
	o := policy.ConditionOperator{Name: g.one("", "", "ForAllValues:", "ForAnyValue:") + g.one(operatorNames...) + g.one("", "", "IfExists")}
	if g.chance(3) {
		o.Name = g.one("stringEquals", "StringLikeIgnoreCase", "NullIfExists", "ForAnyValue:ForAllValues:StringEquals", "StringEqualsIfExistsIfExists", "IfExists", "")
	}
	keys := 1 + g.IntN(2)
	if g.chance(3) {
		keys = 0
	}
	for range keys {
		key, value := g.key(true), g.policyValue
		if g.chance(60) {
			if i := slices.IndexFunc(families, func(f family) bool { return strings.Contains(o.Name, f.operator) }); i >= 0 {
				key, value = families[i].key, func() string { return g.one(families[i].patterns...) }
			}
		}
		o.Keys = append(o.Keys, policy.ConditionKey{Name: key, Values: g.some(3, value)})
	}
	o.Keys = unique(o.Keys, func(k policy.ConditionKey) string { return k.Name })
	return o
}

// TestGeneratorParses checks that what the generator makes is what Parse makes of it,
// so that no property holds of documents alone that no one can write.
func TestGeneratorParses(t *testing.T) {
	for i := range 2000 {
		g := generator{rand.New(rand.NewPCG(1, uint64(i)))}
		d := g.document(policy.ResourcePolicy)
		parsed, err := policy.Parse(printDocument(d))
		require.NoError(t, err, printDocument(d))
		want, err := json.Marshal(d.Statements[0].Condition)
		require.NoError(t, err)
		got, err := json.Marshal(parsed.Statements[0].Condition)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got))
	}
}
