package catalogue_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/action"
	"iamserver/runtime/catalogue"
)

func small() *catalogue.Catalogue {
	return catalogue.New(
		[]catalogue.Action{
			{Service: "iam", Name: "ListUsers", Access: action.List},
			{Service: "iam", Name: "TagUser", Access: action.Tagging, Resources: []string{"user"}, Keys: []string{"aws:TagKeys"}},
		},
		[]catalogue.Resource{{Service: "iam", Name: "user", ARN: "arn:${Partition}:iam::${Account}:user/${Name}", Keys: []string{"aws:ResourceTag/${TagKey}"}}},
		[]catalogue.Key{
			{Name: "aws:ResourceTag/${TagKey}", Listed: true},
			{Name: "aws:SourceIp", Type: catalogue.IP},
			{Name: "aws:TagKeys", Many: true, Listed: true},
			{Name: "idp.${Domain}.example:sub"},
			{Name: "s3:prefix"},
		},
	)
}

func TestAction(t *testing.T) {
	c := small()
	require.Equal(t, &c.Actions[1], c.Action("iam:TagUser"))
	require.Equal(t, &c.Actions[1], c.Action("IAM:taguser"), "policies may write actions in any case")
	require.Nil(t, c.Action("iam:Tag*"))
	require.Nil(t, c.Action("TagUser"))
}

func TestKey(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"aws:SourceIp", "aws:SourceIp"},
		{"AWS:SOURCEIP", "aws:SourceIp"},
		{"aws:ResourceTag/team", "aws:ResourceTag/${TagKey}"},
		{"aws:resourcetag/a/b", "aws:ResourceTag/${TagKey}"},
		{"aws:ResourceTag/${TagKey}", "aws:ResourceTag/${TagKey}"},
		{"idp.eu.example:sub", "idp.${Domain}.example:sub"},
		{"aws:ResourceTag/", ""},
		{"aws:ResourceTag", ""},
		{"idp.example:sub", ""},
		{"idp..example:sub", ""},
		{"aws:Source", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := small().Key(tt.name)
			if tt.want == "" {
				require.Nil(t, k)
				return
			}
			require.Equal(t, tt.want, k.Name)
		})
	}
}

func TestSupports(t *testing.T) {
	c := small()
	tag, list := c.Action("iam:TagUser"), c.Action("iam:ListUsers")
	for _, tt := range []struct {
		name   string
		action *catalogue.Action
		key    string
		want   bool
	}{
		{"its own key", tag, "aws:TagKeys", true},
		{"a key of its resource", tag, "aws:ResourceTag/team", true},
		{"a key of every request", tag, "aws:sourceip", true},
		{"a key of another service", tag, "s3:prefix", false},
		{"a key that does not exist", tag, "aws:Nothing", false},
		{"a key of resources, of an action that has none", list, "aws:ResourceTag/team", false},
		{"a key of requests with tags, of one without", list, "aws:TagKeys", false},
	} {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, c.Supports(tt.action, tt.key)) })
	}
}

func TestResource(t *testing.T) {
	c := small()
	require.Equal(t, &c.Resources[0], c.Resource("iam", "user"))
	require.Nil(t, c.Resource("iam", "bucket"))
}

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		form, arn string
		want      bool
	}{
		{"arn:${Partition}:s3:::${BucketName}", "arn:aws:s3:::b", true},
		{"arn:${Partition}:s3:::${BucketName}", "arn:aws:s3:::b/k", false},
		{"arn:${Partition}:s3:::${BucketName}", "arn:aws:s3:::", false},
		{"arn:${Partition}:s3:::${BucketName}/${ObjectName}", "arn:aws:s3:::b/k/l", true},
		{"arn:${Partition}:s3:::${BucketName}/${ObjectName}", "arn:aws:s3:::b", false},
		{"arn:${Partition}:s3:::${BucketName}/${ObjectName}", "arn:aws:s3:::b/", false},
		{"arn:${Partition}:s3:::${BucketName}/${ObjectName}", "arn:aws:s3:::/k", false},
		{"arn:${Partition}:iam::${Account}:user/${Name}", "arn:aws:iam::123456789012:user/a/b", true},
		{"arn:${Partition}:iam::${Account}:user/${Name}", "arn:aws:iam::123456789012:group/a", false},
		{"arn:${Partition}:s3:${Region}:${Account}:accesspoint/${Name}/object/${Key}", "arn:aws:s3:eu:1:accesspoint/p/object/k/l", true},
		{"arn:${Partition}:iam::${Account}:root", "arn:aws:iam::123456789012:root", true},
		{"arn:${Partition}:iam::${Account}:root", "arn:aws:iam::123456789012:rooted", false},
	} {
		t.Run(tt.form+" and "+tt.arn, func(t *testing.T) {
			require.Equal(t, tt.want, (&catalogue.Resource{ARN: tt.form}).Matches(tt.arn))
		})
	}
}

func TestNames(t *testing.T) {
	require.Equal(t, "iam:TagUser", small().Actions[1].String())
	require.Equal(t, []string{"String", "Bool", "Numeric", "Date", "IPAddress", "ARN"}, []string{
		catalogue.String.String(), catalogue.Bool.String(), catalogue.Numeric.String(), catalogue.Date.String(), catalogue.IP.String(), catalogue.ARN.String(),
	})
}
