package policy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/policy"
)

// typical is a home directory policy of the usual form and length.
const typical = `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "ListHome",
      "Effect": "Allow",
      "Action": "s3:ListBucket",
      "Resource": "arn:aws:s3:::team-data",
      "Condition": {"StringLike": {"s3:prefix": ["", "home/", "home/${aws:username}/*"]}}
    },
    {
      "Sid": "UseHome",
      "Effect": "Allow",
      "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
      "Resource": ["arn:aws:s3:::team-data/home/${aws:username}", "arn:aws:s3:::team-data/home/${aws:username}/*"]
    },
    {
      "Sid": "OverTLSOnly",
      "Effect": "Deny",
      "Action": "*",
      "Resource": "*",
      "Condition": {"Bool": {"aws:SecureTransport": "false"}}
    }
  ]
}`

// largest is a document of exactly 6,144 characters, the quota of a managed policy.
func largest() string {
	const frame = `{"Version":"2012-10-17","Statement":[]}`
	statement := withResource(`["arn:aws:s3:::team-data/projects/alpha/*","arn:aws:s3:::team-data/projects/beta/*"]`)
	n := (6144 - len(frame)) / (len(statement) + 1)
	in := document(strings.TrimSuffix(strings.Repeat(statement+",", n), ","))
	return strings.Replace(in, "/alpha/", "/alpha"+strings.Repeat("a", 6144-len(in))+"/", 1)
}

func BenchmarkParseValidate(b *testing.B) {
	require.Equal(b, 6144, policy.Size(largest()))
	for _, bb := range []struct{ name, in string }{{"typical", typical}, {"characters=6144", largest()}} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(bb.in)))
			for b.Loop() {
				d, err := policy.Parse(bb.in)
				if err != nil {
					b.Fatal(err)
				}
				if err := d.Validate(policy.ManagedPolicy); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSize(b *testing.B) {
	in := largest()
	b.ReportAllocs()
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		_ = policy.Size(in)
	}
}
