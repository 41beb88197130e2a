package validate_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/apierror"
	"iamserver/runtime/validate"
)

const namePattern = `[\w+=,.@-]+`

var (
	pattern     = validate.MustPattern(namePattern)
	spoken      = pattern.Message("The specified value for {name} is invalid.")
	invalid     = apierror.Code{Name: "InvalidInput", Status: 400}
	duplicate   = invalid.New("Duplicate tag keys found.")
	statuses    = []string{"Active", "Inactive"}
	failed      = " failed to satisfy constraint: "
	matchesName = "Member must satisfy regular expression pattern: " + namePattern
)

type tag struct{ key, value string }

func (t *tag) validate(v *validate.Violations) {
	v.Length("key", t.key, 1, 4)
	v.MaxLength("value", t.value, 4)
}

func tagKey(t *tag) string { return t.key }

func invalidErr(message string) error { return validate.ValidationError.New(message) }
func malformed(message string) error  { return validate.MalformedInput.New(message) }
func one(violation string) error      { return invalidErr("1 validation error detected: " + violation) }

func two(first, second string) error {
	return invalidErr("2 validation errors detected: " + first + "; " + second)
}
func long(length int) string { return strings.Repeat("é", length) }
func list(asked ...string) string {
	return "Member must satisfy constraint: [" + strings.Join(asked, ", ") + "]"
}

func valueAt(value, path string) string { return "Value '" + value + "' at '" + path + "'" + failed }
func at(path string) string             { return "Value at '" + path + "'" + failed }

func TestViolations(t *testing.T) {
	for _, tt := range []struct {
		name    string
		collect func(v *validate.Violations)
		want    error
	}{
		{
			"nothing is wrong",
			func(v *validate.Violations) {
				v.Length("userName", "alice", 5, 5)
				v.MinLength("userName", "alice", 5)
				v.MaxLength("userName", "alice", 5)
				v.SensitiveLength("secret", "alice", 5, 5)
				v.Match("userName", "alice", pattern)
				v.SensitiveMatch("secret", "alice", pattern)
				v.Enum("status", "Inactive", statuses)
				v.Range("maxItems", 1, 1, 1)
				v.MinItems("tags", 2, 2)
				v.MaxItems("tags", 2, 2)
				validate.Strings(v, "tagKeys", []string{"a", "bb"}, 1, 2, pattern)
				validate.Strings(v, "tagKeys", []string{"", "!!"}, 0, 0, nil)
				validate.Enums(v, "filter", statuses, statuses)
				validate.Struct[tag](v, "tag", nil, (*tag).validate)
				validate.UniqueFold(v, []tag{{key: "a"}, {key: "b"}}, tagKey, duplicate)
			},
			nil,
		},
		{
			"a required member is absent",
			func(v *validate.Violations) { v.Null("UserName") },
			one(at("userName") + "Member must not be null"),
		},
		{
			"a member that is null breaks no other constraint",
			func(v *validate.Violations) {
				v.Null("UserName")
				v.Length("userName", "", 1, 64)
				v.Match("userName", "", pattern)
			},
			one(at("userName") + "Member must not be null"),
		},
		{
			"only the very path that is null is excused",
			func(v *validate.Violations) {
				v.Null("Key")
				v.Enter("tags", 1)
				v.MinLength("key", "", 1)
				v.Leave()
			},
			two(at("key")+"Member must not be null", valueAt("", "tags.1.member.key")+"Member must have length greater than or equal to 1"),
		},
		{
			"a string is too short",
			func(v *validate.Violations) { v.Length("userName", "", 1, 64) },
			one(valueAt("", "userName") + "Member must have length greater than or equal to 1"),
		},
		{
			"a string is too long, counted in characters",
			func(v *validate.Violations) {
				v.Length("path", long(4), 1, 4)
				v.Length("userName", long(5), 1, 4)
			},
			one(valueAt(long(5), "userName") + "Member must have length less than or equal to 4"),
		},
		{
			"a sensitive string is not printed",
			func(v *validate.Violations) {
				v.SensitiveLength("SecretAccessKey", "short", 8, 128)
				v.SensitiveLength("password", strings.Repeat("x", 129), 8, 128)
			},
			two(at("secretAccessKey")+"Member must have length greater than or equal to 8", at("password")+"Member must have length less than or equal to 128"),
		},
		{
			"a sensitive string that does not match is not printed",
			func(v *validate.Violations) { v.SensitiveMatch("password", "päss", pattern) },
			one(at("password") + matchesName),
		},
		{
			"all that is wrong with a member is reported",
			func(v *validate.Violations) {
				v.Length("userName", "", 1, 64)
				v.Match("userName", "", pattern)
			},
			two(valueAt("", "userName")+"Member must have length greater than or equal to 1", valueAt("", "userName")+matchesName),
		},
		{
			"a pattern's own sentence is the whole message",
			func(v *validate.Violations) { v.Match("newUserName", "a/b", spoken) },
			invalidErr("The specified value for newUserName is invalid."),
		},
		{
			"a pattern's own sentence gives way when something else is wrong too",
			func(v *validate.Violations) {
				v.Match("newUserName", "a/b", spoken)
				v.Range("maxItems", 0, 1, 1000)
			},
			two(valueAt("a/b", "newUserName")+matchesName, valueAt("0", "maxItems")+"Member must have value greater than or equal to 1"),
		},
		{
			"a pattern can be quoted in another spelling",
			func(v *validate.Violations) {
				v.Match("accountAlias", "-", validate.MustPattern("[a-z]+").Quoted("^[a-z](?!-)$"))
			},
			one(valueAt("-", "accountAlias") + "Member must satisfy regular expression pattern: ^[a-z](?!-)$"),
		},
		{
			"a value is not in the set",
			func(v *validate.Violations) { v.Enum("status", "active", statuses) },
			one(valueAt("active", "status") + "Member must satisfy enum value set: [Active, Inactive]"),
		},
		{
			"a number is too large",
			func(v *validate.Violations) { v.Range("maxItems", 1001, 1, 1000) },
			one(valueAt("1001", "maxItems") + "Member must have value less than or equal to 1000"),
		},
		{
			"a list is too long, which prints no value",
			func(v *validate.Violations) { v.MaxItems("tags", 51, 50) },
			one(at("tags") + "Member must have length less than or equal to 50"),
		},
		{
			"a list is too short",
			func(v *validate.Violations) { v.MinItems("policyArns", 0, 1) },
			one(at("policyArns") + "Member must have length greater than or equal to 1"),
		},
		{
			"paths count list elements from 1",
			func(v *validate.Violations) {
				validate.Each(v, "Tags", []tag{{key: "ok"}, {key: "ok", value: "wrong"}}, (*tag).validate)
			},
			one(valueAt("wrong", "tags.2.member.value") + "Member must have length less than or equal to 4"),
		},
		{
			"paths go through structures and lists of lists",
			func(v *validate.Violations) {
				v.Enter("Outer", 0)
				v.Enter("Lists", 12)
				validate.Struct(v, "Tag", &tag{key: "wrong"}, (*tag).validate)
				v.Leave()
				v.Leave()
				v.Null("SAMLDocument")
			},
			two(valueAt("wrong", "outer.lists.12.member.tag.key")+"Member must have length less than or equal to 4", at("sAMLDocument")+"Member must not be null"),
		},
		{
			"a list of strings is reported once, with all that an item must satisfy",
			func(v *validate.Violations) {
				validate.Strings(v, "tagKeys", []string{"ok", "", "a/b"}, 1, 128, pattern)
			},
			one(at("tagKeys") + list("Member must have length less than or equal to 128", "Member must have length greater than or equal to 1", matchesName, "Member must not be null")),
		},
		{
			"a list of strings without a pattern",
			func(v *validate.Violations) { validate.Strings(v, "policyInputList", []string{""}, 1, 0, nil) },
			one(at("policyInputList") + list("Member must have length greater than or equal to 1", "Member must not be null")),
		},
		{
			"a string of a list is too long, counted in characters",
			func(v *validate.Violations) {
				validate.Strings(v, "short", []string{long(4)}, 0, 4, nil)
				validate.Strings(v, "long", []string{long(5)}, 0, 4, nil)
			},
			one(at("long") + list("Member must have length less than or equal to 4", "Member must not be null")),
		},
		{
			"a list of strings of a set",
			func(v *validate.Violations) { validate.Enums(v, "filter", []string{"Active", "Gone"}, statuses) },
			one(at("filter") + list("Member must satisfy enum value set: [Active, Inactive]", "Member must not be null")),
		},
		{
			"two keys that differ in case are duplicates",
			func(v *validate.Violations) {
				validate.UniqueFold(v, []tag{{key: "Dept"}, {key: "b"}, {key: "dEPT"}}, tagKey, duplicate)
			},
			duplicate,
		},
		{
			"two keys that differ in case are no duplicates where case counts",
			func(v *validate.Violations) {
				validate.Unique(v, []tag{{key: "Dept"}, {key: "b"}, {key: "dEPT"}}, tagKey, duplicate)
			},
			nil,
		},
		{
			"two equal keys are duplicates where case counts",
			func(v *validate.Violations) {
				validate.Unique(v, []tag{{key: "Dept"}, {key: "b"}, {key: "Dept"}}, tagKey, duplicate)
			},
			duplicate,
		},
		{
			"whatever else is wrong goes before duplicates",
			func(v *validate.Violations) {
				validate.UniqueFold(v, []tag{{key: "a"}, {key: "A"}}, tagKey, duplicate)
				v.MaxItems("tags", 51, 50)
			},
			one(at("tags") + "Member must have length less than or equal to 50"),
		},
		{
			"duplicates do not come after what else is wrong",
			func(v *validate.Violations) {
				v.MaxItems("tags", 51, 50)
				validate.UniqueFold(v, []tag{{key: "a"}, {key: "A"}}, tagKey, duplicate)
			},
			one(at("tags") + "Member must have length less than or equal to 50"),
		},
		{
			"the first malformed value goes before everything",
			func(v *validate.Violations) {
				v.Null("UserName")
				v.Enter("Nested", 0)
				v.Malformed("MaxItems", "Value at '{name}' is odd")
				v.Leave()
				v.Malformed("OnlyAttached", "another")
				validate.UniqueFold(v, []tag{{key: "a"}, {key: "A"}}, tagKey, duplicate)
			},
			malformed("Value at 'nested.maxItems' is odd"),
		},
		{
			"values can be left out",
			func(v *validate.Violations) {
				v.OmitValues = true
				v.Length("userName", "toolong", 1, 4)
				v.Match("userName", "a/b", pattern)
			},
			two(at("userName")+"Member must have length less than or equal to 4", at("userName")+matchesName),
		},
		{
			"a long value is cut",
			func(v *validate.Violations) {
				v.MaxLength("whole", long(1024), 4)
				v.MaxLength("cut", long(1025), 4)
			},
			two(valueAt(long(1024), "whole")+"Member must have length less than or equal to 4", valueAt(long(1024)+"…", "cut")+"Member must have length less than or equal to 4"),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var v validate.Violations
			tt.collect(&v)
			require.Equal(t, tt.want, v.Err())
		})
	}
}

func TestAtMostAHundredViolationsAreReported(t *testing.T) {
	var v validate.Violations
	validate.Each(&v, "tags", make([]tag, 1000), (*tag).validate)
	message := v.Err().Error()
	require.Contains(t, message, "ValidationError: 100 validation errors detected: Value '' at 'tags.1.member.key' failed")
	require.Equal(t, 100, strings.Count(message, "Value '' at"))
	require.True(t, strings.HasSuffix(message, "; Value '' at 'tags.100.member.key'"+failed+"Member must have length greater than or equal to 1"))
}

func TestResetForgetsEverythingButOmitValues(t *testing.T) {
	v := validate.Violations{OmitValues: true}
	v.Enter("left", 1)
	v.Null("UserName")
	v.Malformed("MaxItems", "odd")
	v.Reset()
	require.NoError(t, v.Err())
	validate.UniqueFold(&v, []tag{{key: "a"}, {key: "A"}}, tagKey, duplicate)
	v.Reset()
	require.NoError(t, v.Err())
	v.MaxLength("userName", "alice", 4)
	require.Equal(t, one(at("userName")+"Member must have length less than or equal to 4"), v.Err())
}

func TestAnErrorIsItsCode(t *testing.T) {
	var v validate.Violations
	v.Null("UserName")
	require.ErrorIs(t, v.Err(), &validate.ValidationError)
	v.Malformed("MaxItems", "odd")
	require.ErrorIs(t, v.Err(), &validate.MalformedInput)
}

func TestValidInputAllocatesNothing(t *testing.T) {
	var v validate.Violations
	tags := []tag{{"a", "1"}, {"b", "2"}}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		v.Reset()
		v.Length("userName", "alice", 1, 64)
		v.Match("userName", "alice", pattern)
		validate.Each(&v, "tags", tags, (*tag).validate)
		validate.UniqueFold(&v, tags, tagKey, duplicate)
		validate.Strings(&v, "tagKeys", statuses, 1, 128, pattern)
	}))
	require.NoError(t, v.Err())
}
