package policy_test

import (
	"maps"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/policy"
)

// The truth of the engine is the corpus in conformance/testdata/policy. What is here
// is about its surface.

func TestExplain(t *testing.T) {
	identity := setOf(t, document(
		`{"Sid":"Own","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::home/${aws:username}/*"}`,
		`{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"out"}}}`,
	))
	boundary := setOf(t, document(`{"Sid":"B","Effect":"Allow","Action":"iam:*","Resource":"*"}`))
	request := func(context policy.Context) *policy.Request {
		return &policy.Request{
			Principal: policy.Principal{Type: policy.User, Account: "000000000000"},
			Action:    vocabulary.Action("s3:GetObject"),
			Resource:  policy.NewResource("arn:aws:s3:::home/alice/x"),
			Context:   context,
		}
	}
	own := policy.Match{
		Source: policy.Source{ID: "p0"}, Sid: "Own",
		Start: policy.Position{Offset: 37, Line: 1, Column: 38}, End: policy.Position{Offset: 139, Line: 1, Column: 140},
	}
	for _, tt := range []struct {
		name     string
		policies policy.Policies
		context  policy.Context
		want     policy.Decision
		reasons  policy.Reasons
	}{
		{
			"what allows is named, and what the request lacks",
			policy.Policies{Identity: identity},
			policy.Values{"AWS:UserName": policy.Text("alice")},
			policy.Allowed,
			policy.Reasons{Matches: []policy.Match{own}, MissingKeys: []string{"aws:PrincipalTag/team"}},
		},
		{
			"a boundary that does not allow is lacking",
			policy.Policies{Identity: identity, Boundary: boundary},
			policy.Values{"aws:username": policy.Text("alice"), "aws:PrincipalTag/team": policy.Text("in")},
			policy.ImplicitDeny,
			policy.Reasons{Matches: []policy.Match{own}, Lacking: []policy.Part{policy.Boundary}},
		},
		{
			"no policies lack the identity's",
			policy.Policies{},
			nil, policy.ImplicitDeny,
			policy.Reasons{Lacking: []policy.Part{policy.Identity}},
		},
		{
			"a deny is named and not what allows",
			policy.Policies{Identity: identity},
			policy.Values{"aws:username": policy.Text("alice"), "aws:principaltag/TEAM": policy.Text("out")},
			policy.ExplicitDeny,
			policy.Reasons{Matches: []policy.Match{{
				Source: policy.Source{ID: "p0"}, Index: 1,
				Start: policy.Position{Offset: 141, Line: 1, Column: 142}, End: policy.Position{Offset: 249, Line: 1, Column: 250},
			}}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			decision, reasons := tt.policies.Explain(request(tt.context))
			require.Equal(t, tt.want, decision)
			require.Equal(t, tt.reasons, reasons)
			require.Equal(t, tt.want, tt.policies.Evaluate(request(tt.context)))
		})
	}
}

// counting counts what it is asked for.
type counting struct{ asked map[string]int }

func (c *counting) Value(key *policy.Key) policy.Value {
	c.asked[key.String()]++
	return policy.Value{}
}

func TestKeysAreAskedForOnceAndOnlyWhereTheyCount(t *testing.T) {
	p := policy.Policies{Identity: setOf(t, document(
		`{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::other/*","Condition":{"StringEquals":{"s3:ExistingObjectTag/a":"1"}}}`,
		`{"Effect":"Allow","Action":"iam:*","Resource":"*","Condition":{"StringEquals":{"s3:ExistingObjectTag/b":"1"}}}`,
		`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Null":{"s3:ExistingObjectTag/c":"false"}}}`,
		`{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"S3:existingobjecttag/c":"1"}}}`,
	))}
	context := &counting{map[string]int{}}
	require.Equal(t, policy.ImplicitDeny, p.Evaluate(&policy.Request{
		Principal: policy.Principal{Type: policy.User}, Action: vocabulary.Action("s3:GetObject"),
		Resource: policy.NewResource("arn:aws:s3:::home/x"), Context: context,
	}))
	require.Equal(t, map[string]int{"s3:ExistingObjectTag/c": 1}, context.asked)
}

// frugal is counting whose tags cost something.
type frugal struct{ counting }

func (*frugal) Costs(key *policy.Key) bool { return key.Name() == "s3:existingobjecttag" }

func TestExplainingAsksForNothingThatCosts(t *testing.T) {
	p := policy.Policies{Identity: setOf(t, document(
		`{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::other/*","Condition":{"StringEquals":{"s3:ExistingObjectTag/a":"1","aws:username":"alice"}}}`,
		`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"s3:ExistingObjectTag/b":"1"}}}`,
	))}
	context := &frugal{counting{map[string]int{}}}
	decision, reasons := p.Explain(&policy.Request{
		Principal: policy.Principal{Type: policy.User}, Action: vocabulary.Action("s3:GetObject"),
		Resource: policy.NewResource("arn:aws:s3:::home/x"), Context: context,
	})
	require.Equal(t, policy.ImplicitDeny, decision)
	require.Equal(t, []string{"aws:username", "s3:ExistingObjectTag/b"}, reasons.MissingKeys)
	require.Equal(t, map[string]int{"aws:username": 1, "s3:ExistingObjectTag/b": 2}, context.asked, "once to decide, and once to explain")
}

// tagged has the tags of an object, whose keys may differ in case only.
type tagged map[string]string

func (c tagged) Value(key *policy.Key) policy.Value { return policy.TagValue(maps.All(c), key.Tag()) }

func TestTagKeysThatDifferInCase(t *testing.T) {
	allow := func(key, value string) string {
		return `{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"s3:ExistingObjectTag/` + key + `":"` + value + `"}}}`
	}
	deny := func(key, value string) string {
		return `{"Effect":"Deny","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"s3:ExistingObjectTag/` + key + `":"` + value + `"}}}`
	}
	both := tagged{"Class": "secret", "class": "public"}
	for _, tt := range []struct {
		name      string
		tags      tagged
		statement string
		want      policy.Decision
	}{
		{"a tag in another case counts", tagged{"CLASS": "public"}, allow("class", "public"), policy.Allowed},
		{"of two the one that is written the same", both, allow("class", "public"), policy.Allowed},
		{"and not the other", both, allow("class", "secret"), policy.ImplicitDeny},
		{"if none is, nothing is allowed", both, allow("CLASS", "public"), policy.ImplicitDeny},
		{"whichever is asked for", both, allow("CLASS", "secret"), policy.ImplicitDeny},
		{"if none is, it is denied", both, deny("CLASS", "other"), policy.ExplicitDeny},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for range 20 { // maps have no order
				p := policy.Policies{Identity: setOf(t, document(tt.statement))}
				require.Equal(t, tt.want, p.Evaluate(&policy.Request{
					Principal: policy.Principal{Type: policy.User}, Action: vocabulary.Action("s3:GetObject"), Resource: policy.NewResource("arn:aws:s3:::b/k"), Context: tt.tags,
				}))
			}
		})
	}

	// Neither does it matter how a statement before it writes the key.
	for _, documents := range [][]string{
		{document(allow("Class", "x"), allow("class", "public"))},
		{document(allow("class", "public"), allow("Class", "x"))},
		{document(allow("Class", "x")), document(allow("class", "public"))},
	} {
		p := policy.Policies{Identity: setOf(t, documents...)}
		decision, reasons := p.Explain(&policy.Request{
			Principal: policy.Principal{Type: policy.User}, Action: vocabulary.Action("s3:GetObject"), Resource: policy.NewResource("arn:aws:s3:::b/k"), Context: both,
		})
		require.Equal(t, policy.Allowed, decision)
		require.Empty(t, reasons.MissingKeys)
	}
}

// ARNs come from those who ask the simulator, too: capitals of other alphabets can
// take more or less room than their small letters.
func TestResourcesOfAnyLetters(t *testing.T) {
	p := policy.Policies{Identity: setOf(t, document(`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`, `{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::b/*"}`))}
	for resource, want := range map[string]policy.Decision{
		"arn:İİİİİ:s3:::/":     policy.Allowed,
		"arn:ȺȺȺ:s3:::b/k":     policy.Allowed,
		"arn:A\xff\xff:s3:::/": policy.Allowed,
		"arn:AWS:S3:::b/k":     policy.ExplicitDeny,
	} {
		r := policy.NewResource(resource)
		require.Equal(t, resource, r.String())
		require.Equal(t, want, p.Evaluate(&policy.Request{Principal: policy.Principal{Type: policy.User}, Action: vocabulary.Action("s3:GetObject"), Resource: r}), resource)
	}
}

// Requests share policies, and the memory of evaluations: what one asked is nothing
// to another, whether it was decided, ran out of work or panicked.
func TestRequestsShareNothingButPolicies(t *testing.T) {
	p := policy.Policies{
		Identity: setOf(t, document(
			`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::home/${aws:username}/*","Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}`,
			`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::time/*","Condition":{"StringLike":{"aws:CurrentTime":"2026-*"}}}`,
		)),
		Boundary: setOf(t, document(`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:username":"mallory"}}}`, `{"Effect":"Allow","Action":"*","Resource":"*"}`)),
	}
	request := func(user, resource string, at time.Time) *policy.Request {
		return &policy.Request{
			Principal: policy.Principal{Type: policy.User}, Action: vocabulary.Action("s3:GetObject"), Resource: policy.NewResource(resource),
			Context: policy.Values{"aws:username": policy.Text(user), "aws:SourceIp": policy.Address(netip.MustParseAddr("192.0.2.7")), "aws:CurrentTime": policy.Time(at)},
		}
	}
	now, later := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
	cases := []struct {
		request *policy.Request
		want    policy.Decision
	}{
		{request("alice", "arn:aws:s3:::home/alice/x", now), policy.Allowed},
		{request("bob", "arn:aws:s3:::home/alice/x", now), policy.ImplicitDeny},
		{request("mallory", "arn:aws:s3:::home/mallory/x", now), policy.ExplicitDeny},
		{request("alice", "arn:aws:s3:::time/x", now), policy.Allowed},
		{request("alice", "arn:aws:s3:::time/x", later), policy.ImplicitDeny},
	}
	broken := request("alice", "arn:aws:s3:::home/alice/x", now)
	broken.Context = panicking{}
	spent := policy.MaxWork + 1
	tired := request("alice", "arn:aws:s3:::home/alice/x", now)
	tired.Work = &spent
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 300 {
				for _, c := range cases {
					if got := p.Evaluate(c.request); got != c.want {
						t.Errorf("%s on %s: %s", c.request.Context, c.request.Resource, got)
					}
				}
				func() {
					defer func() { _ = recover() }()
					p.Evaluate(broken)
					t.Error("nothing panicked")
				}()
			}
		})
	}
	group.Wait()
	require.Equal(t, policy.ExplicitDeny, p.Evaluate(tired), "beyond the bound of work what may deny denies")
	require.Equal(t, policy.Allowed, p.Evaluate(cases[0].request))
}

// panicking is a Context with a mistake.
type panicking struct{}

func (panicking) Value(*policy.Key) policy.Value { panic("no value") }
