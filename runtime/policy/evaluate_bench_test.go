package policy_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/policy"
)

// vocabulary is a vocabulary of about the size of the real one.
var vocabulary = func() *policy.Vocabulary {
	actions := []string{"s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:DeleteObject", "iam:CreateUser", "sts:AssumeRole"}
	for i := range 400 {
		actions = append(actions, fmt.Sprintf("s3:Action%d", i))
	}
	return policy.NewVocabulary(actions)
}()

func setOf(t testing.TB, documents ...string) *policy.Set {
	t.Helper()
	var policies []*policy.Policy
	for i, text := range documents {
		d, err := policy.Parse(text)
		require.NoError(t, err, text)
		policies = append(policies, vocabulary.Compile(d, policy.ManagedPolicy, policy.Source{ID: fmt.Sprint("p", i)}))
	}
	return policy.NewSet(policies...)
}

// requester is a Context as a server has one: a switch, no map.
type requester struct {
	now    time.Time
	source netip.Addr
}

func (c *requester) Value(key *policy.Key) policy.Value {
	switch key.Name() {
	case "aws:currenttime":
		return policy.Time(c.now)
	case "aws:sourceip":
		return policy.Address(c.source)
	case "aws:securetransport":
		return policy.Boolean(true)
	case "aws:username":
		return policy.Text("alice")
	case "aws:useragent":
		return policy.Text(userAgent)
	}
	return policy.Value{}
}

// bench decides a request with the engine, and for scale with the naive evaluator.
func bench(b *testing.B, name string, documents []string, resource string, want policy.Decision) {
	const action = "s3:GetObject"
	principal := policy.Principal{Type: policy.User, Account: "000000000000", ARN: "arn:aws:iam::000000000000:user/alice"}
	now, source := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC), netip.MustParseAddr("192.0.2.7")
	b.Run(name+"/engine", func(b *testing.B) {
		p := &policy.Policies{Identity: setOf(b, documents...)}
		r := &policy.Request{Principal: principal, Action: vocabulary.Action(action), Resource: policy.NewResource(resource), Context: &requester{now, source}}
		require.Equal(b, want, p.Evaluate(r))
		b.ReportAllocs()
		defer reportCPU(b)()
		for b.Loop() {
			p.Evaluate(r)
		}
	})
	b.Run(name+"/naive", func(b *testing.B) {
		n := naive{situation: &situation{principal: principal, action: action, resource: resource, parts: map[policy.Part][]placed{}, context: map[string]any{
			"aws:currenttime": now, "aws:sourceip": source, "aws:securetransport": true, "aws:username": "alice", "aws:useragent": userAgent,
		}}}
		for _, text := range documents {
			d, err := policy.Parse(text)
			require.NoError(b, err)
			n.parts[policy.Identity] = append(n.parts[policy.Identity], placed{document: d, kind: policy.ManagedPolicy})
		}
		decision, _ := n.decide()
		require.Equal(b, want, decision)
		defer reportCPU(b)()
		for b.Loop() {
			n.decide()
		}
	})
}

const userAgent = "aws-cli/2.9.19 Python/3.11.2 Linux/6.1 botocore/2.4.5"

// twenty is a policy of which every statement matches the action and the resource,
// and fails on the last of its conditions in document order only. No two of them
// have the same values.
func twenty(policyNumber int, conditions func(n int) string) string {
	var statements []string
	for i := range 20 {
		statements = append(statements, `{"Effect":"Allow","Action":["s3:Get*","s3:PutObject"],"Resource":"arn:aws:s3:::home/${aws:username}/*","Condition":{`+
			conditions(policyNumber*20+i)+`}}`)
	}
	return document(statements...)
}

// The conditions of twenty, of which the last fails.
func boolFails(n int) string {
	return fmt.Sprintf(`"IpAddress":{"aws:SourceIp":["10.%d.%d.0/24","192.0.2.0/%d"]},"StringLike":{"aws:UserAgent":["aws-cli/%d*","aws-cli/*botocore/*"]},`+
		`"DateLessThan":{"aws:CurrentTime":"2027-01-01T%02d:%02d:00Z"},"Bool":{"aws:SecureTransport":"false"}`, n%250, n/250, 16+n%12, n+100, n%24, n/24)
}

func likeFails(n int) string {
	return fmt.Sprintf(`"Bool":{"aws:SecureTransport":"true"},"DateLessThan":{"aws:CurrentTime":"2027-01-01T%02d:%02d:00Z"},`+
		`"IpAddress":{"aws:SourceIp":["10.%d.%d.0/24","192.0.2.0/%d"]},"StringLike":{"aws:UserAgent":"aws-cli/%d*"}`, n%24, n/24, n%250, n/250, 16+n%12, n+100)
}

func searchFails(n int) string {
	return fmt.Sprintf(`"Bool":{"aws:SecureTransport":"true"},"DateLessThan":{"aws:CurrentTime":"2027-01-01T%02d:%02d:00Z"},`+
		`"IpAddress":{"aws:SourceIp":["10.%d.%d.0/24","192.0.2.0/%d"]},"StringLike":{"aws:UserAgent":"*terraform-%d/${aws:username}*"}`, n%24, n/24, n%250, n/250, 16+n%12, n)
}

func BenchmarkEvaluate(b *testing.B) {
	bench(b, "1 policy of 1 statement", []string{document(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::data/*"}`)}, "arn:aws:s3:::data/a/b.txt", policy.Allowed)

	var documents []string
	for i := range 3 {
		documents = append(documents, document(
			`{"Effect":"Deny","Action":"s3:Delete*","Resource":"*"}`,
			fmt.Sprintf(`{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::secret%d*/*"}`, i),
			`{"Effect":"Allow","Action":["s3:List*","s3:GetBucketLocation"],"Resource":"*"}`,
			fmt.Sprintf(`{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::team%d","arn:aws:s3:::team%d/*"]}`, i, i),
			fmt.Sprintf(`{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::*-public%d/*"}`, i),
		))
	}
	bench(b, "3 policies of 5 statements", documents, "arn:aws:s3:::team2/a/b.txt", policy.Allowed)

	for _, tt := range []struct {
		name       string
		conditions func(n int) string
	}{{"Bool", boolFails}, {"StringLike", likeFails}, {"a search", searchFails}} {
		documents = nil
		for i := range 10 {
			documents = append(documents, twenty(i, tt.conditions))
		}
		bench(b, "10 policies of 20 statements whose last condition fails, "+tt.name, documents, "arn:aws:s3:::home/alice/b.txt", policy.ImplicitDeny)
	}

	for _, n := range []int{1_000, 10_000} {
		documents = nil
		for i := 0; i < n; i += 500 {
			var statements []string
			for j := range 500 {
				statements = append(statements, fmt.Sprintf(`{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b%d/*"}`, i+j))
			}
			documents = append(documents, document(statements...))
		}
		bench(b, fmt.Sprintf("%d statements over distinct buckets", n), documents, fmt.Sprintf("arn:aws:s3:::b%d/x", n/2), policy.Allowed)
	}

	for _, tt := range []struct{ name, key string }{
		{"*a x 20 + b", strings.Repeat("*a", 20) + "b"},
		{"* + a x 500 + b", "*" + strings.Repeat("a", 500) + "b"},
		{"* + a? x 200 + b", "*" + strings.Repeat("a?", 200) + "b"},
	} {
		for _, end := range []string{"", "*"} { // with a star at the end nothing but a search helps
			bench(b, "pattern "+tt.name+end, []string{document(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::k/` + tt.key + end + `"}`)},
				"arn:aws:s3:::k/"+strings.Repeat("a", 1022), policy.ImplicitDeny)
		}
	}
}
