package awsquery_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"iamserver/runtime/awsquery"
)

// encode writes parameters as an AWS SDK does.
func encode(parameters [][2]string) string {
	var b strings.Builder
	for i, p := range parameters {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(p[0]))
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(p[1]))
	}
	return b.String()
}

func malformedQueryString(message string) error {
	return awsquery.MalformedQueryString.New(message)
}

func TestParse(t *testing.T) {
	type parameters map[string]string
	notText := malformedQueryString("The query string is not percent-encoded UTF-8 text.")
	badName := malformedQueryString("The query string has a parameter whose name is empty, longer than 256 bytes, or of more than 10 parts.")
	for _, tt := range []struct {
		name string
		form string
		want parameters
		err  error
	}{
		{"nothing", "", parameters{"Action": "absent"}, nil},
		{"two parameters", "Action=GetUser&UserName=alice", parameters{"Action": "GetUser", "UserName": "alice", "username": "absent", "User": "absent"}, nil},
		{"empty value", "TagKeys=&Marker", parameters{"TagKeys": "", "Marker": ""}, nil},
		{"empty pairs are skipped", "&&a=1&&b=2&", parameters{"a": "1", "b": "2"}, nil},
		{"a value may hold an equals sign", "a=b=c==", parameters{"a": "b=c=="}, nil},
		{"a plus is a space", "a=b+c", parameters{"a": "b c"}, nil},
		{"percent-encoding", "a=%2B%26%3d%25%E2%82%AC", parameters{"a": "+&=%€"}, nil},
		{"percent-encoded name", "User%4eame=alice", parameters{"UserName": "alice"}, nil},
		{"text that is not encoded", "a=€ {\"b\"}", parameters{"a": "€ {\"b\"}"}, nil},
		{"a semicolon separates nothing", "a=1;b=2", parameters{"a": "1;b=2", "b": "absent"}, nil},
		{"line breaks are text", "a=1%0D%0A2", parameters{"a": "1\r\n2"}, nil},
		{"many list elements", "L.member.10=ten&L.member.9=nine&L.member.100=hundred&L.member.1=one", parameters{"L.member.1": "one", "L.member.9": "nine", "L.member.10": "ten", "L.member.100": "hundred", "L": "absent", "L.member": "absent"}, nil},
		{"names that differ after a shared part", "Tags-x=1&Tags.a=2&Tags=3&TagsToo=4&Tag=5&Tags.1=6", parameters{"Tags-x": "1", "Tags.a": "2", "Tags": "3", "TagsToo": "4", "Tag": "5", "Tags.1": "6"}, nil},
		{"names of ten parts", "a.b.c.d.e.f.g.h.i.j=1", parameters{"a.b.c.d.e.f.g.h.i.j": "1"}, nil},

		{"percent sign at the end", "a=%", nil, notText},
		{"half an escape", "a=b%4", nil, notText},
		{"escape of other characters", "a=%4g", nil, notText},
		{"escape with a sign", "a=%+1", nil, notText},
		{"not UTF-8", "a=\xFF", nil, notText},
		{"escaped bytes that are not UTF-8", "a=%C3%28", nil, notText},
		{"an overlong encoding", "a=%C0%AF", nil, notText},
		{"a surrogate", "a=%ED%A0%80", nil, notText},
		{"a NUL", "a=b%00c", nil, notText},
		{"a NUL that is not escaped", "a=b\x00c", nil, notText},
		{"half an escape in a name", "%4=1", nil, notText},
		{"a name that is not UTF-8", "%FF=1", nil, notText},
		{"a name with a NUL", "a%00=1", nil, notText},
		{"no name", "=1", nil, badName},
		{"a name of 257 bytes", strings.Repeat("a", 257) + "=1", nil, badName},
		{"a name of eleven parts", "a.b.c.d.e.f.g.h.i.j.k=1", nil, badName},
		{"a parameter twice", "UserName=alice&Path=/&UserName=root", nil, malformedQueryString("The query string has the parameter UserName twice.")},
		{"a parameter twice, with the same value", "A=1&A=1", nil, malformedQueryString("The query string has the parameter A twice.")},
		{"a parameter twice, once escaped", "Action=A&%41ction=B", nil, malformedQueryString("The query string has the parameter Action twice.")},
		{"a parameter twice among many", "A=1&" + strings.Repeat("&", 9) + "B=1&C=1&D=1&E=1&F=1&G=1&H=1&I=1&J=1&K=1&L=1&M=1&N=1&O=1&P=1&Q=1&A=2", nil, malformedQueryString("The query string has the parameter A twice.")},
		{"a character that begins in a name and ends in a value", "a%C3=%A9", nil, notText},
		{"a character that begins in one parameter and ends in the next", "a=%C3&%A9=b", nil, notText},
		{"1,001 parameters", manyParameters(1001), nil, malformedQueryString("The query string has more than 1000 parameters.")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := awsquery.Parse(tt.form, awsquery.Limits{})
			if tt.err != nil {
				require.Equal(t, tt.err, err)
				require.Nil(t, f)
				return
			}
			require.NoError(t, err)
			got := parameters{}
			for name := range tt.want {
				value, ok := f.Get(name)
				if !ok {
					value = "absent"
				}
				got[name] = value
			}
			require.Equal(t, tt.want, got)
		})
	}
}

func TestLimits(t *testing.T) {
	limits := awsquery.Limits{Parameters: 2, NameLength: 9, Depth: 2}
	_, err := awsquery.Parse("name-of-9=1&a.b=2", limits)
	require.NoError(t, err)
	_, err = awsquery.Parse("a=1&b=2&c=3", limits)
	require.Equal(t, malformedQueryString("The query string has more than 2 parameters."), err)
	badName := malformedQueryString("The query string has a parameter whose name is empty, longer than 9 bytes, or of more than 2 parts.")
	_, err = awsquery.Parse("name-of-10=1", limits)
	require.Equal(t, badName, err)
	_, err = awsquery.Parse("a.b.c=1", limits)
	require.Equal(t, badName, err)

	_, err = awsquery.Parse(manyParameters(1000), awsquery.Limits{})
	require.NoError(t, err)
}

func manyParameters(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "L.member.%d=x&", i+1)
	}
	return b.String()
}

func TestParseKeepsWhatIsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Filter(func(s string) bool { return !strings.Contains(s, "\x00") })
		name := rapid.OneOf(
			rapid.StringMatching(`[A-Z][a-z]{0,5}(\.member\.[1-9][0-9]{0,2}(\.[A-Z][a-z]{0,3})?)?`),
			text.Filter(func(s string) bool { return s != "" && len(s) <= 256 && strings.Count(s, ".") < 10 }),
		)
		parameters := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) [2]string {
			return [2]string{name.Draw(t, "name"), text.Draw(t, "value")}
		}), 0, 40, func(p [2]string) string { return p[0] }).Draw(t, "parameters")
		f, err := awsquery.Parse(encode(parameters), awsquery.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range parameters {
			if value, ok := f.Get(p[0]); !ok || value != p[1] {
				t.Fatalf("%q is %q, %v", p[0], value, ok)
			}
		}
	})
}

// Parse never panics, never lets through what is not text, and agrees with
// net/url on everything that it accepts.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "Action=CreateUser&Version=2010-05-08&UserName=alice", "a=%41+b&c", "a=%zz", "Tags.member.1.Key=a&Tags.member.1.Value=b&Tags.member.10.Key=c",
		"a=1&a=2", "&=&", "a=\xFF", "a;b", "%", "Tags=&Tags.member.01=a", "Tags.member.1.Key=a&Tags.member.1=x&Tags.member.1.=y", "Tags.entry.2.key=a&Tags.entry.2=&Tags.entry.1.key=b", "Nested.Inner.Name=a&Nested=&Nested.=b&Nested.Tags.member.2.Key=c&Nested.Tags.member.1.Key=d", "Nested.Flag=true&Nested.Count=1&When=1.5",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, form string) {
		parsed, err := awsquery.Parse(form, awsquery.Limits{})
		if err != nil {
			require.ErrorIs(t, err, &awsquery.MalformedQueryString)
			return
		}
		decodeEverything(t, parsed)
		if strings.Contains(form, ";") {
			return // net/url refuses it, browsers and AWS do not
		}
		values, err := url.ParseQuery(form)
		require.NoError(t, err)
		for name, value := range values {
			require.Len(t, value, 1)
			got, ok := parsed.Get(name)
			require.True(t, ok)
			require.Equal(t, value[0], got)
			require.True(t, utf8.ValidString(got))
		}
	})
}

// Whatever is encoded is parsed again as it was.
func FuzzRoundTrip(f *testing.F) {
	f.Add("UserName", "alice", "Tags.member.1.Key", "a b")
	f.Add("Tags.member.2", "+%&=;é😀", "Tags.member.10", "")
	f.Add("A.1", "", "A.01", "x")
	f.Add("A", "", "A.", "x")
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2 string) {
		parameters := [][2]string{{name1, value1}, {name2, value2}, {"Action", "A"}}
		legal := name1 != name2 && name1 != "Action" && name2 != "Action"
		for _, p := range parameters {
			legal = legal && p[0] != "" && len(p[0]) <= 256 && strings.Count(p[0], ".") < 10
			legal = legal && utf8.ValidString(p[0]) && utf8.ValidString(p[1]) && !strings.Contains(p[0]+p[1], "\x00")
		}
		form, err := awsquery.Parse(encode(parameters), awsquery.Limits{})
		if !legal {
			require.ErrorIs(t, err, &awsquery.MalformedQueryString)
			return
		}
		require.NoError(t, err)
		for _, p := range parameters {
			value, ok := form.Get(p[0])
			require.True(t, ok)
			require.Equal(t, p[1], value)
		}
	})
}

// A Form that was used before holds nothing of what it held.
func TestFormIsReadAgain(t *testing.T) {
	var form awsquery.Form
	require.NoError(t, form.Read("Action=CreateUser&UserName=alice&Path=/a/", awsquery.Limits{}))
	require.NoError(t, form.Read("Action=GetUser", awsquery.Limits{}))
	action, _ := form.Get("Action")
	_, named := form.Get("UserName")
	require.Equal(t, []any{"GetUser", false}, []any{action, named})
}
