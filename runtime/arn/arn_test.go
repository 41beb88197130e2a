package arn_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/arn"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   string
		want arn.ARN
	}{
		{
			"a user has no region", "arn:aws:iam::123456789012:user/div/alice",
			arn.ARN{Partition: "aws", Service: "iam", Account: "123456789012", Resource: "user/div/alice"},
		},
		{
			"a bucket has neither region nor account", "arn:aws:s3:::photos",
			arn.ARN{Partition: "aws", Service: "s3", Resource: "photos"},
		},
		{
			"an access point has both", "arn:aws-cn:s3:cn-north-1:123456789012:accesspoint/ap",
			arn.ARN{Partition: "aws-cn", Service: "s3", Region: "cn-north-1", Account: "123456789012", Resource: "accesspoint/ap"},
		},
		{
			"colons after the fifth belong to the resource", "arn:aws:s3:::photos/a:b::c",
			arn.ARN{Partition: "aws", Service: "s3", Resource: "photos/a:b::c"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := arn.Parse(tt.in)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			require.Equal(t, tt.in, got.String())
		})
	}
}

func TestParseRefuses(t *testing.T) {
	const shortest = "arn:aws:s3:::"
	for _, tt := range []struct{ name, in, want string }{
		{"the empty string", "", "malformed ARN: it does not begin with arn"},
		{"a star", "*", "malformed ARN: it does not begin with arn"},
		{"another first part", "ARN:aws:s3:::b", "malformed ARN: it does not begin with arn"},
		{"five parts", "arn:aws:s3::b", "malformed ARN: fewer than six parts"},
		{"nothing after arn", "arn:", "malformed ARN: fewer than six parts"},
		{"no partition", "arn::s3:::b", "malformed ARN: its partition, service or resource is empty"},
		{"no service", "arn:aws::::b", "malformed ARN: its partition, service or resource is empty"},
		{"no resource", shortest, "malformed ARN: its partition, service or resource is empty"},
		{"more than 2,048 bytes", shortest + strings.Repeat("b", 2049-len(shortest)), "malformed ARN: longer than 2048 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := arn.Parse(tt.in)
			require.ErrorIs(t, err, arn.ErrMalformed)
			require.EqualError(t, err, tt.want)
		})
	}
	_, err := arn.Parse(shortest + strings.Repeat("b", 2048-len(shortest)))
	require.NoError(t, err, "2,048 bytes are allowed")
}

func TestParseAllocatesNothing(t *testing.T) {
	require.Zero(t, testing.AllocsPerRun(100, func() { _, _ = arn.Parse("arn:aws:iam::123456789012:user/div/alice") }))
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"arn:aws:iam::123456789012:user/div/alice", "arn:aws:s3:::b/k:x", "arn:aws:s3::b", "arn::::::", "*", "arn:aws:s3:::\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		a, err := arn.Parse(in)
		if err != nil {
			require.ErrorIs(t, err, arn.ErrMalformed)
			require.Zero(t, a)
			return
		}
		require.Equal(t, in, a.String())
	})
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_, _ = arn.Parse("arn:aws:iam::123456789012:user/division_abc/alice")
	}
}
