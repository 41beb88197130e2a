package policy_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/policy"
)

// FuzzEvaluate decides whatever can be parsed. It looks for panics, and for what
// the engine allows and the naive evaluator does not.
func FuzzEvaluate(f *testing.F) {
	const user = "arn:aws:iam::111122223333:user/u"
	f.Add(everything, "", "s3:GetObject", "arn:aws:s3:::b/k", user, "", "", uint8(0))
	f.Add(document(withCondition(`{"StringLike":{"s3:prefix":["","home/${aws:username}/*"]}}`)), "", "s3:GetObject", "arn:aws:s3:::b", "u", "s3:prefix", "home/u/", uint8(1))
	f.Add(document(withCondition(`{"ForAnyValue:DateLessThanIfExists":{"k":["2026-01-01T00:00:00Z",1]},"NumericEquals":{"k":1.50},"IpAddress":{"k":"::/0"},"Nonsense":{"k":1}}`)), "", "s3:GetObject", "*", "k", "k", "1.5", uint8(2))
	f.Add(everything, `{"Statement":{"Effect":"Deny","NotPrincipal":{"AWS":["111122223333"]},"NotAction":"iam:*","NotResource":"arn:aws:s3"}}`, "s3:GetObject", "arn:aws:s3:::b/k", user, "k", "v", uint8(3))
	f.Add(document(withResource(`"arn:aws:iam::*:u*r/${k, 'x'}/${*}?*"`)), "", "s3:GetObject", "arn:aws:iam::1:user/x/*y", "x", "k", "*", uint8(0x84))
	f.Fuzz(func(t *testing.T, identity, resource, action, target, first, key, second string, flags uint8) {
		const longest = 2000
		if strings.EqualFold(key, "aws:username") {
			t.Skip("two values for a key")
		}
		if len(identity) > longest || len(resource) > longest || len(target) > longest || len(first) > longest || len(second) > longest {
			t.Skip("the naive evaluator is slow")
		}
		s := &situation{
			principal: policy.Principal{Type: policy.User, Account: "111122223333", ARN: user, ID: "AIDAU"},
			action:    action, resource: target,
			context: map[string]any{"aws:username": first},
			parts:   map[policy.Part][]placed{},
			trust:   flags&0x80 != 0,
		}
		switch flags & 3 {
		case 0:
			s.context[key] = second
		case 1:
			s.context[key] = []string{first, second}
		case 2:
			s.context[key] = int64(len(second))
		default:
			s.context[key] = netip.AddrFrom4([4]byte{10, 0, 0, flags})
		}
		add := func(part policy.Part, kind policy.Kind, text string) {
			if d, err := policy.Parse(text); err == nil {
				s.parts[part] = append(s.parts[part], placed{document: d, kind: kind})
			}
		}
		add(policy.Identity, policy.InlinePolicy, identity)
		kind := policy.ResourcePolicy
		if s.trust {
			kind = policy.TrustPolicy
		}
		add(policy.ResourceBased, kind, resource)
		if flags&0x40 != 0 {
			add(policy.Boundary, policy.ManagedPolicy, resource)
		}
		if flags&0x20 != 0 {
			s.principal = policy.Principal{}
		}

		decision, _ := compiled(s)
		if want, _ := (naive{situation: s}).decide(); want != policy.Allowed {
			require.NotEqual(t, policy.Allowed, decision, "%s\n%s", want, s.print())
		}
	})
}

// FuzzBucketPolicy checks that S3's way to read a policy accepts what Parse does,
// but for size and the first byte, and has a sentence for whatever it refuses.
func FuzzBucketPolicy(f *testing.F) {
	f.Add(document(bucketStatement()))
	f.Add(document(bucketStatement(`"Effect":"Permit"`, `"Zone":1`)))
	f.Add(document(bucketStatement(`"Principal":{"AWS":["*","x"]}`, `"Condition":{"StringLike":{"s3:prefix":[1,true]}}`)))
	f.Add(`{"Statement":[[]],"Version":null}`)
	f.Add(" {}")
	f.Fuzz(func(t *testing.T, text string) {
		want, parseErr := policy.Parse(text)
		got, err := policy.ParseBucketPolicy(text)
		if err != nil {
			require.NotEmpty(t, err.Error())
			require.True(t, parseErr != nil || len(text) > 20_480 || text[0] != '{', "Parse accepts it")
			return
		}
		require.NoError(t, parseErr)
		require.Equal(t, want, got)
		if err := got.ValidateBucketPolicy("b", bucketActions{}); err != nil {
			require.NotEmpty(t, err.Error())
		}
		for _, kind := range []policy.Kind{policy.TrustPolicy, policy.ResourcePolicy} {
			if err := got.Validate(kind); err != nil {
				require.NotEmpty(t, err.Error())
			}
		}
	})
}
