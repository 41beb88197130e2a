package arn_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/arn"
)

const (
	own     = "000000000000"
	another = "123456789012"
)

func TestEntities(t *testing.T) {
	for _, tt := range []struct {
		name  string
		built string
		want  string
		parts arn.Entity
	}{
		{
			"a user without a path", arn.User(another, "/", "alice"),
			"arn:aws:iam::123456789012:user/alice",
			arn.Entity{another, arn.TypeUser, "/", "alice"},
		},
		{
			"a user with a path", arn.User(another, "/div/sub/", "alice"),
			"arn:aws:iam::123456789012:user/div/sub/alice",
			arn.Entity{another, arn.TypeUser, "/div/sub/", "alice"},
		},
		{
			"a path may hold colons", arn.User(another, "/a:b/", "alice"),
			"arn:aws:iam::123456789012:user/a:b/alice",
			arn.Entity{another, arn.TypeUser, "/a:b/", "alice"},
		},
		{
			"a group", arn.Group(another, "/div/", "admins"),
			"arn:aws:iam::123456789012:group/div/admins",
			arn.Entity{another, arn.TypeGroup, "/div/", "admins"},
		},
		{
			"a role", arn.Role(another, "/service/", "backup"),
			"arn:aws:iam::123456789012:role/service/backup",
			arn.Entity{another, arn.TypeRole, "/service/", "backup"},
		},
		{
			"a policy", arn.Policy(another, "/", "ReadOnly"),
			"arn:aws:iam::123456789012:policy/ReadOnly",
			arn.Entity{another, arn.TypePolicy, "/", "ReadOnly"},
		},
		{
			"a policy that AWS manages", arn.Policy("aws", "/job-function/", "Billing"),
			"arn:aws:iam::aws:policy/job-function/Billing",
			arn.Entity{"aws", arn.TypePolicy, "/job-function/", "Billing"},
		},
		{
			"a service account", arn.ServiceAccount(another, "ABIAEXAMPLE"),
			"arn:aws:iam::123456789012:service-account/ABIAEXAMPLE",
			arn.Entity{another, arn.TypeServiceAccount, "/", "ABIAEXAMPLE"},
		},
		{
			"the root of an account", arn.Root(another),
			"arn:aws:iam::123456789012:root",
			arn.Entity{Account: another, Type: arn.TypeRoot},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, tt.built)
			got, err := arn.ParseEntity(tt.want, own)
			require.NoError(t, err)
			require.Equal(t, tt.parts, got)
			require.Equal(t, tt.want, got.String())
		})
	}
}

func TestAnEmptyAccountIsTheServersOwn(t *testing.T) {
	got, err := arn.ParseEntity("arn:aws:iam:::user/alice", own)
	require.NoError(t, err)
	require.Equal(t, arn.Entity{own, arn.TypeUser, "/", "alice"}, got)

	got, err = arn.ParsePolicy("arn:aws:iam:::policy/P", own)
	require.NoError(t, err)
	require.Equal(t, arn.Entity{own, arn.TypePolicy, "/", "P"}, got)
	require.Equal(t, "arn:aws:iam::000000000000:policy/P", got.String())
}

func TestParsePolicy(t *testing.T) {
	got, err := arn.ParsePolicy("arn:aws:iam::aws:policy/AdministratorAccess", own)
	require.NoError(t, err)
	require.Equal(t, arn.Entity{"aws", arn.TypePolicy, "/", "AdministratorAccess"}, got)

	_, err = arn.ParsePolicy("arn:aws:iam::123456789012:user/alice", own)
	require.ErrorIs(t, err, arn.ErrMalformed)
	require.EqualError(t, err, "malformed ARN: it does not name a policy")

	_, err = arn.ParsePolicy("P", own)
	require.EqualError(t, err, "malformed ARN: it does not begin with arn")
}

func TestParseEntityRefuses(t *testing.T) {
	const (
		notIAM    = "malformed ARN: it is not of the form arn:aws:iam::account:resource"
		noForm    = "malformed ARN: its resource has no form that IAM knows"
		noAccount = "malformed ARN: its account is not 12 digits"
	)
	for _, tt := range []struct{ name, in, want string }{
		{"what is no ARN", "alice", "malformed ARN: it does not begin with arn"},
		{"another partition", "arn:aws-cn:iam::123456789012:user/alice", notIAM},
		{"another service", "arn:aws:sts::123456789012:user/alice", notIAM},
		{"a region", "arn:aws:iam:us-east-1:123456789012:user/alice", notIAM},
		{"11 digits", "arn:aws:iam::12345678901:user/alice", noAccount},
		{"13 digits", "arn:aws:iam::1234567890123:user/alice", noAccount},
		{"an account with a letter", "arn:aws:iam::12345678901x:user/alice", noAccount},
		{"a star for an account", "arn:aws:iam::*:user/alice", noAccount},
		{"a user of AWS's account", "arn:aws:iam::aws:user/alice", noAccount},
		{"a type without a name", "arn:aws:iam::123456789012:user", noForm},
		{"an empty name", "arn:aws:iam::123456789012:user/", noForm},
		{"a path without a name", "arn:aws:iam::123456789012:user/div/", noForm},
		{"an unknown type", "arn:aws:iam::123456789012:mfa/alice", noForm},
		{"a type in capitals", "arn:aws:iam::123456789012:User/alice", noForm},
		{"a service account with a path", "arn:aws:iam::123456789012:service-account/div/ABIA", noForm},
		{"a service account without an id", "arn:aws:iam::123456789012:service-account/", noForm},
		{"root with a name", "arn:aws:iam::123456789012:root/alice", noForm},
		{"root with a slash", "arn:aws:iam::123456789012:root/", noForm},
		{"a resource that is a path", "arn:aws:iam::123456789012:/alice", noForm},
		{"more than 2,048 bytes", "arn:aws:iam:::user/" + strings.Repeat("a", 2048), "malformed ARN: longer than 2048 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := arn.ParseEntity(tt.in, own)
			require.ErrorIs(t, err, arn.ErrMalformed)
			require.EqualError(t, err, tt.want)
			require.Zero(t, got)
		})
	}
}

func TestEntitiesAllocateAtMostOnce(t *testing.T) {
	var user string
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { user = arn.User(another, "/div/", "alice") }), 1.0)
	require.Zero(t, testing.AllocsPerRun(100, func() { _, _ = arn.ParseEntity(user, own) }))
}

func FuzzParseEntity(f *testing.F) {
	for _, seed := range []string{
		"arn:aws:iam::123456789012:user/div/alice", "arn:aws:iam:::policy/P", "arn:aws:iam::aws:policy/a/P",
		"arn:aws:iam::123456789012:root", "arn:aws:iam:::service-account/ABIA", "arn:aws:iam:::user//", "arn:aws:iam:::root/",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		e, err := arn.ParseEntity(in, own)
		if err != nil {
			require.ErrorIs(t, err, arn.ErrMalformed)
			return
		}
		if len(e.String()) > 2048 {
			return // the account filled in made it longer than an ARN may be
		}
		again, err := arn.ParseEntity(e.String(), another)
		require.NoError(t, err)
		require.Equal(t, e, again)
	})
}

func BenchmarkUser(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_ = arn.User(another, "/division_abc/", "alice")
	}
}

func BenchmarkParsePolicy(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_, _ = arn.ParsePolicy("arn:aws:iam::123456789012:policy/division_abc/ReadOnly", own)
	}
}
