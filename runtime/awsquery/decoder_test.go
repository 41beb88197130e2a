package awsquery_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/awsquery"
	"iamserver/runtime/validate"
)

type tag struct{ Key, Value string }

func parseTag(d *awsquery.Decoder) tag {
	return tag{d.Required("Key"), d.Required("Value")}
}

type nested struct {
	Name  string
	Count *int32
	Tags  []tag
	Inner *nested
}

func parseNested(d *awsquery.Decoder) nested {
	return nested{d.Required("Name"), d.OptionalInt("Count"), awsquery.List(d, "Tags", parseTag), awsquery.Struct(d, "Inner", parseNested)}
}

// decodeEverything asks for parameters of every form, so that a fuzzer reaches
// every path.
func decodeEverything(t *testing.T, f *awsquery.Form) {
	t.Helper()
	var v validate.Violations
	d := awsquery.NewDecoder(f, &v)
	d.Required("UserName")
	d.OptionalTime("When")
	awsquery.List(d, "Tags", parseTag)
	awsquery.Strings(d, "Tags")
	awsquery.StringMap(d, "Tags")
	awsquery.Struct(d, "Nested", parseNested)
	d.BoolOr("Flag", true)
	require.Error(t, func() error { d.RequiredInt("no such parameter"); return v.Err() }())
}

const at = "Value at '%s' failed to satisfy constraint: "

func null(path string) error {
	return validate.ValidationError.New("1 validation error detected: " + fmt.Sprintf(at, path) + "Member must not be null")
}

func malformed(message string) error { return validate.MalformedInput.New(message) }

func TestDecoder(t *testing.T) {
	type decode func(d *awsquery.Decoder) any
	var (
		required    decode = func(d *awsquery.Decoder) any { return d.Required("A") }
		optional    decode = func(d *awsquery.Decoder) any { return d.Optional("A") }
		stringOr    decode = func(d *awsquery.Decoder) any { return d.StringOr("A", "/") }
		requiredInt decode = func(d *awsquery.Decoder) any { return d.RequiredInt("A") }
		optionalInt decode = func(d *awsquery.Decoder) any { return d.OptionalInt("A") }
		intOr       decode = func(d *awsquery.Decoder) any { return d.IntOr("A", 100) }
		boolean     decode = func(d *awsquery.Decoder) any { return d.RequiredBool("A") }
		optionalB   decode = func(d *awsquery.Decoder) any { return d.OptionalBool("A") }
		boolOr      decode = func(d *awsquery.Decoder) any { return d.BoolOr("A", true) }
		moment      decode = func(d *awsquery.Decoder) any { return d.RequiredTime("A") }
		optionalT   decode = func(d *awsquery.Decoder) any { return d.OptionalTime("A") }
		stringList  decode = func(d *awsquery.Decoder) any { return awsquery.Strings(d, "A") }
		requiredSL  decode = func(d *awsquery.Decoder) any { return awsquery.RequiredStrings(d, "A") }
		tags        decode = func(d *awsquery.Decoder) any { return awsquery.List(d, "A", parseTag) }
		requiredL   decode = func(d *awsquery.Decoder) any { return awsquery.RequiredList(d, "A", parseTag) }
		structure   decode = func(d *awsquery.Decoder) any { return awsquery.Struct(d, "A", parseNested) }
		requiredS   decode = func(d *awsquery.Decoder) any { return awsquery.RequiredStruct(d, "A", parseTag) }
		stringMap   decode = func(d *awsquery.Decoder) any { return awsquery.StringMap(d, "A") }
	)
	for _, tt := range []struct {
		name   string
		form   string
		decode decode
		want   any
		err    error
	}{
		// Strings.
		{"a required string", "A=a", required, "a", nil},
		{"an empty string is present", "A=", required, "", nil},
		{"a required string is absent", "B=1&AA=2&a=3", required, "", null("a")},
		{"an optional string", "A=a", optional, new("a"), nil},
		{"an optional string that is empty", "A=", optional, new(""), nil},
		{"an optional string is absent", "", optional, (*string)(nil), nil},
		{"a string with a default", "A=/a/", stringOr, "/a/", nil},
		{"a default does not stand in for an empty string", "A=", stringOr, "", nil},
		{"a default stands in for an absent string", "", stringOr, "/", nil},
		{"a structure in place of a string", "A.Name=a", optional, (*string)(nil), malformed("Start of structure or map found where not expected")},
		{"a string and a list at once", "A=a&A.member.1=b", required, "", malformed("Start of structure or map found where not expected")},

		// Integers.
		{"a required integer", "A=-2147483648", requiredInt, int32(-2147483648), nil},
		{"an integer with a sign and zeros", "A=%2B0900", requiredInt, int32(900), nil},
		{"a required integer is absent", "", requiredInt, int32(0), null("a")},
		{"an optional integer", "A=2147483647", optionalInt, new(int32(2147483647)), nil},
		{"an optional integer is absent", "", optionalInt, (*int32)(nil), nil},
		{"an integer with a default", "A=0", intOr, int32(0), nil},
		{"a default stands in for an absent integer", "", intOr, int32(100), nil},
		{"an integer of more than 32 bits", "A=2147483648", intOr, int32(0), malformed("Value at 'a' is not an integer of 32 bits")},
		{"letters in place of an integer", "A=abc", requiredInt, int32(0), malformed("Value at 'a' is not an integer of 32 bits")},
		{"a decimal fraction in place of an integer", "A=1.0", intOr, int32(0), malformed("Value at 'a' is not an integer of 32 bits")},
		{"a hexadecimal integer", "A=0x10", intOr, int32(0), malformed("Value at 'a' is not an integer of 32 bits")},
		{"an empty integer", "A=", intOr, int32(0), malformed("missing value for decimal type")},

		// Booleans, which follow XML Schema.
		{"true", "A=true", boolean, true, nil},
		{"1 is true", "A=1", boolean, true, nil},
		{"false", "A=false", boolOr, false, nil},
		{"0 is false", "A=0", boolOr, false, nil},
		{"a required Boolean is absent", "", boolean, false, null("a")},
		{"an optional Boolean", "A=false", optionalB, new(false), nil},
		{"an optional Boolean is absent", "", optionalB, (*bool)(nil), nil},
		{"a default stands in for an absent Boolean", "", boolOr, true, nil},
		{"a Boolean in upper case", "A=True", boolOr, false, malformed("boolean must follow xsd1.1 definition")},
		{"an empty Boolean", "A=", boolOr, false, malformed("missing value for boolean type")},

		// Times.
		{"a time", "A=2026-01-02T03:04:05Z", moment, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), nil},
		{"a time with a fraction", "A=2026-01-02T03:04:05.678901Z", moment, time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC), nil},
		{"a time with an offset", "A=2026-01-02T03:04:05-01:30", moment, time.Date(2026, 1, 2, 4, 34, 5, 0, time.UTC), nil},
		{"seconds since 1970", "A=1767323045", moment, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), nil},
		{"seconds since 1970 with a fraction", "A=1767323045.5", moment, time.Date(2026, 1, 2, 3, 4, 5, 500000000, time.UTC), nil},
		{"seconds before 1970", "A=-0.25", moment, time.Date(1969, 12, 31, 23, 59, 59, 750000000, time.UTC), nil},
		{"a required time is absent", "", moment, time.Time{}, null("a")},
		{"an optional time", "A=0", optionalT, new(time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)), nil},
		{"an optional time is absent", "", optionalT, (*time.Time)(nil), nil},
		{"a day in place of a time", "A=2026-01-02", moment, time.Time{}, malformed("timestamp must follow ISO8601")},
		{"a day that does not exist", "A=2026-02-30T00:00:00Z", moment, time.Time{}, malformed("timestamp must follow ISO8601")},
		{"an empty time", "A=", moment, time.Time{}, malformed("timestamp must follow ISO8601")},
		{"a point without digits", "A=1.", moment, time.Time{}, malformed("timestamp must follow ISO8601")},
		{"a fraction of ten digits", "A=1.0123456789", moment, time.Time{}, malformed("timestamp must follow ISO8601")},
		{"a year of five digits", "A=253402300800", moment, time.Time{}, malformed("timestamp must follow ISO8601")},
		{"a year before 1", "A=-62135596801", moment, time.Time{}, malformed("timestamp must follow ISO8601")},
		{"seconds that overflow", "A=9223372036854775807", moment, time.Time{}, malformed("timestamp must follow ISO8601")},

		// Lists of strings.
		{"a list of strings", "A.member.1=a&A.member.2=b", stringList, []string{"a", "b"}, nil},
		{"a list out of order", "A.member.10=c&A.member.2=b&A.member.1=a", stringList, []string{"a", "b", "c"}, nil},
		{"a gap in a list is closed", "A.member.3=b&A.member.1=a", stringList, []string{"a", "b"}, nil},
		{"an empty string in a list", "A.member.1=", stringList, []string{""}, nil},
		{"an empty list, as SDKs send it", "A=", stringList, []string{}, nil},
		{"an empty list and its elements", "A=&A.member.1=a", stringList, []string{"a"}, nil},
		{"a list is absent", "AA.member.1=a", stringList, []string(nil), nil},
		{"a required list is empty", "A=", requiredSL, []string{}, nil},
		{"a required list is absent", "", requiredSL, []string(nil), null("a")},
		{"a string in place of a list", "A=a", requiredSL, []string{}, malformed("Unexpected list element termination")},
		{"a string and a list", "A=a&A.member.1=b", stringList, []string{"b"}, malformed("Unexpected list element termination")},
		{"a flattened list", "A.1=a", stringList, []string{}, malformed("Top level element may not be treated as a list")},
		{"a list with another name for its elements", "A.entry.1=a", stringList, []string{}, malformed("Top level element may not be treated as a list")},
		{"element 0", "A.member.0=a", stringList, []string{}, malformed("0 is not a valid index")},
		{"an index with a leading zero", "A.member.1=a&A.member.01=b", stringList, []string{}, malformed("01 is not a valid index")},
		{"an index that is a word", "A.member.one=a", stringList, []string{}, malformed("one is not a valid index")},
		{"an index with a sign", "A.member.%2B1=a", stringList, []string{}, malformed("+1 is not a valid index")},
		{"an index in other digits", "A.member.١=a", stringList, []string{}, malformed("١ is not a valid index")},
		{"an empty index", "A.member.=a", stringList, []string{}, malformed(" is not a valid index")},
		{"an empty index of a structure", "A.member..Key=a", tags, []tag{}, malformed(" is not a valid index")},
		{"an empty label", "A..1=a", stringList, []string{}, malformed("Top level element may not be treated as a list")},
		{"no index", "A.member=a", stringList, []string{}, malformed("Top level element may not be treated as a list")},
		{"an index beyond the limit", "A.member.1000=a&A.member.1001=a", stringList, []string{}, malformed("1001 is not a valid index")},
		{"an index that overflows", "A.member.99999999999999999999=a", stringList, []string{}, malformed("99999999999999999999 is not a valid index")},
		{"a structure in a list of strings", "A.member.1.Key=a", stringList, []string{}, malformed("Start of structure or map found where not expected")},
		{"a string and a structure in one element", "A.member.1=b&A.member.1.Key=a", stringList, []string{}, malformed("Start of structure or map found where not expected")},

		// Lists of structures.
		{
			"a list of structures",
			"A.member.1.Key=a&A.member.1.Value=1&A.member.2.Value=2&A.member.2.Key=b", tags,
			[]tag{{"a", "1"}, {"b", "2"}},
			nil,
		},
		{
			"a list of structures out of order with a gap",
			"A.member.11.Key=c&A.member.2.Key=b&A.member.1.Key=a&A.member.11.Value=3&A.member.1.Value=1&A.member.2.Value=2", tags,
			[]tag{{"a", "1"}, {"b", "2"}, {"c", "3"}},
			nil,
		},
		{"a list among other parameters", "A.member.2.Value=2&B=x&A.member.1.Key=a&A.member.2.Key=b&Key=y&A.member.1.Value=1", tags, []tag{{"a", "1"}, {"b", "2"}}, nil},
		{"an empty list of structures", "A=", tags, []tag{}, nil},
		{"a list of structures is absent", "", tags, []tag(nil), nil},
		{"a required list of structures is absent", "", requiredL, []tag(nil), null("a")},
		{"a required member of an element is absent", "A.member.1.Key=a&A.member.1.Value=1&A.member.5.Key=b", tags, []tag{{"a", "1"}, {"b", ""}}, null("a.2.member.value")},
		{
			"an element without members",
			"A.member.1=", tags,
			[]tag{{}},
			validate.ValidationError.New("2 validation errors detected: " + fmt.Sprintf(at, "a.1.member.key") + "Member must not be null; " + fmt.Sprintf(at, "a.1.member.value") + "Member must not be null"),
		},
		{"a string in place of an element", "A.member.1=x&A.member.1.Key=a&A.member.1.Value=1", tags, []tag{{"a", "1"}}, malformed("Unexpected complex element termination")},
		{"a string in place of an element, after its members", "A.member.1.Key=a&A.member.1.Value=1&A.member.1=x", tags, []tag{{"a", "1"}}, malformed("Unexpected complex element termination")},
		{"an empty string beside the members of an element", "A.member.1.Key=a&A.member.1=&A.member.1.Value=1", tags, []tag{{"a", "1"}}, nil},
		{"members of no element", "A.member.Key=a", tags, []tag{}, malformed("Key is not a valid index")},
		{"an unknown member of an element is ignored", "A.member.1.Key=a&A.member.1.Value=1&A.member.1.Other=x&A.member.1.=y", tags, []tag{{"a", "1"}}, nil},

		// Structures.
		{
			"a nested structure",
			"A.Name=a&A.Count=1&A.Tags.member.1.Key=k&A.Tags.member.1.Value=v&A.Inner.Name=b&A.Inner.Tags=&Name=outer&Inner.Name=outer", structure,
			&nested{"a", new(int32(1)), []tag{{"k", "v"}}, &nested{Name: "b", Tags: []tag{}}}, nil,
		},
		{"a structure among other parameters", "A.Inner.Count=2&Name=x&A.Name=a&A2.Name=y&A.Inner.Name=b", structure, &nested{Name: "a", Inner: &nested{Name: "b", Count: new(int32(2))}}, nil},
		{"a structure is absent", "A2.Name=a", structure, (*nested)(nil), nil},
		{"a structure without members is absent", "A=", structure, (*nested)(nil), nil},
		{"a required member deep below is absent", "A.Name=a&A.Inner.Name=b&A.Inner.Tags.member.7.Key=k", structure, &nested{Name: "a", Inner: &nested{Name: "b", Tags: []tag{{Key: "k"}}}}, null("a.inner.tags.1.member.value")},
		{"a string in place of a structure", "A=x", structure, (*nested)(nil), malformed("Unexpected complex element termination")},
		{"a required structure", "A.Key=k&A.Value=v", requiredS, tag{"k", "v"}, nil},
		{"a required structure is absent", "A=", requiredS, tag{}, null("a")},

		// Maps.
		{"a map", "A.entry.2.key=b&A.entry.2.value=2&A.entry.1.value=1&A.entry.1.key=a", stringMap, map[string]string{"a": "1", "b": "2"}, nil},
		{"an empty map", "A=", stringMap, map[string]string{}, nil},
		{"a map is absent", "", stringMap, map[string]string(nil), nil},
		{"a map with a key twice", "A.entry.1.key=a&A.entry.1.value=1&A.entry.2.key=a&A.entry.2.value=2", stringMap, map[string]string{"a": "2"}, malformed("Value at 'a' has a key twice")},
		{"an entry without a value", "A.entry.1.key=a", stringMap, map[string]string{"a": ""}, null("a.value")},
		{"a list in place of a map", "A.member.1=a", stringMap, map[string]string{}, malformed("Top level element may not be treated as a list")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := awsquery.Parse(tt.form, awsquery.Limits{})
			require.NoError(t, err)
			var v validate.Violations
			got := tt.decode(awsquery.NewDecoder(f, &v))
			require.Equal(t, tt.want, got)
			require.Equal(t, tt.err, v.Err())
		})
	}
}

// A decoder is used again after a list or structure: its members must not leak.
func TestMembersAfterAListAreTheOuterOnes(t *testing.T) {
	f, err := awsquery.Parse("Tags.member.1.Key=inner&Tags.member.1.Value=v&Key=outer&Value=w&Inner.Key=x&Inner.Value=y", awsquery.Limits{})
	require.NoError(t, err)
	var v validate.Violations
	d := awsquery.NewDecoder(f, &v)
	require.Equal(t, []tag{{"inner", "v"}}, awsquery.List(d, "Tags", parseTag))
	require.Equal(t, tag{"outer", "w"}, parseTag(d))
	require.Equal(t, &tag{"x", "y"}, awsquery.Struct(d, "Inner", parseTag))
	require.Equal(t, tag{"outer", "w"}, parseTag(d))
	d.Required("Absent")
	require.Equal(t, null("absent"), v.Err())
}

// Reading does not change the form, so that many can do it at once.
func TestReadingTwiceReadsTheSame(t *testing.T) {
	f, err := awsquery.Parse("Tags.member.2.Key=b&X=x&Tags.member.10.Value=3&Tags.member.1.Key=a&Tags.member.2.Value=2&Tags.member.10.Key=c&Tags.member.1.Value=1", awsquery.Limits{})
	require.NoError(t, err)
	var v validate.Violations
	for range 2 {
		require.Equal(t, []tag{{"a", "1"}, {"b", "2"}, {"c", "3"}}, awsquery.List(awsquery.NewDecoder(f, &v), "Tags", parseTag))
	}
	require.NoError(t, v.Err())
}

func TestListLengthIsLimited(t *testing.T) {
	f, err := awsquery.Parse("A.member.3=a", awsquery.Limits{ListLength: 2})
	require.NoError(t, err)
	var v validate.Violations
	awsquery.Strings(awsquery.NewDecoder(f, &v), "A")
	require.Equal(t, malformed("3 is not a valid index"), v.Err())
}

// The cost of a list must not grow with the square of its length.
func BenchmarkList(b *testing.B) {
	for _, length := range []int{10, 100, 450} {
		var form strings.Builder
		for i := range length {
			fmt.Fprintf(&form, "&Tags.member.%d.Key=key%d&Tags.member.%d.Value=value", i+1, i, i+1)
		}
		b.Run(fmt.Sprint("length=", length), func(b *testing.B) {
			b.ReportAllocs()
			var v validate.Violations
			for b.Loop() {
				f, err := awsquery.Parse(form.String(), awsquery.Limits{})
				if err != nil || len(awsquery.List(awsquery.NewDecoder(f, &v), "Tags", parseTag)) != length {
					b.Fatal(err)
				}
			}
		})
	}
}
