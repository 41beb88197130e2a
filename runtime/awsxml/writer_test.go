package awsxml_test

import (
	"encoding/xml"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/apierror"
	"iamserver/runtime/awsxml"
)

type tag struct{ Key, Value string }

func (t *tag) EncodeXML(w *awsxml.Writer) {
	w.String("Key", t.Key)
	w.String("Value", t.Value)
}

func TestWriter(t *testing.T) {
	moment := time.Date(2012, 10, 17, 20, 19, 20, 999999999, time.FixedZone("", 2*3600))
	tags := []tag{{"a", "1"}, {"b", ""}}
	for _, tt := range []struct {
		name  string
		write func(w *awsxml.Writer)
		want  string
	}{
		{"a string", func(w *awsxml.Writer) { w.String("A", "x y/ü") }, "<A>x y/ü</A>"},
		{"an empty string is written", func(w *awsxml.Writer) { w.String("A", "") }, "<A></A>"},
		{"an optional string", func(w *awsxml.Writer) { w.OptionalString("A", new("x")) }, "<A>x</A>"},
		{"an optional string that is empty", func(w *awsxml.Writer) { w.OptionalString("A", new("")) }, "<A></A>"},
		{"an optional string is left out", func(w *awsxml.Writer) { w.OptionalString("A", nil) }, ""},
		{"markup is escaped", func(w *awsxml.Writer) { w.String("A", `<a href="b">&'c'</a>]]>`) }, "<A>&lt;a href=&quot;b&quot;&gt;&amp;&apos;c&apos;&lt;/a&gt;]]&gt;</A>"},
		{"white space survives a parser", func(w *awsxml.Writer) { w.String("A", " a\tb\r\nc ") }, "<A> a&#x9;b&#xD;&#xA;c </A>"},
		{"what XML cannot hold is replaced", func(w *awsxml.Writer) { w.String("A", "a\x00b\x1Fc\uFFFEd\uFFFFe\xFFf\xE2\x82") }, "<A>a\uFFFDb\uFFFDc\uFFFDd\uFFFDe\uFFFDf\uFFFD\uFFFD</A>"},
		{"what XML can hold is kept", func(w *awsxml.Writer) { w.String("A", "\x7F\u0085\uFFFD\uE000\U0010FFFF😀") }, "<A>\x7F\u0085\uFFFD\uE000\U0010FFFF😀</A>"},
		{
			"a policy document is percent-encoded",
			func(w *awsxml.Writer) { w.URLEncoded("A", "{\"a\": [\"*\"]}\n+é<&>-._~Az09") },
			"<A>%7B%22a%22%3A%20%5B%22%2A%22%5D%7D%0A%2B%C3%A9%3C%26%3E-._~Az09</A>",
		},
		{"an optional policy document", func(w *awsxml.Writer) { w.OptionalURLEncoded("A", new("{}")) }, "<A>%7B%7D</A>"},
		{"an optional policy document is left out", func(w *awsxml.Writer) { w.OptionalURLEncoded("A", nil) }, ""},
		{"an integer", func(w *awsxml.Writer) { w.Int("A", -2147483648) }, "<A>-2147483648</A>"},
		{"an optional integer", func(w *awsxml.Writer) { w.OptionalInt("A", new(int32(0))) }, "<A>0</A>"},
		{"an optional integer is left out", func(w *awsxml.Writer) { w.OptionalInt("A", nil) }, ""},
		{"a Boolean", func(w *awsxml.Writer) { w.Bool("A", true) }, "<A>true</A>"},
		{"an optional Boolean", func(w *awsxml.Writer) { w.OptionalBool("A", new(false)) }, "<A>false</A>"},
		{"an optional Boolean is left out", func(w *awsxml.Writer) { w.OptionalBool("A", nil) }, ""},
		{"a time is in UTC and whole seconds", func(w *awsxml.Writer) { w.Time("A", moment) }, "<A>2012-10-17T18:19:20Z</A>"},
		{"an optional time", func(w *awsxml.Writer) { w.OptionalTime("A", &moment) }, "<A>2012-10-17T18:19:20Z</A>"},
		{"an optional time is left out", func(w *awsxml.Writer) { w.OptionalTime("A", nil) }, ""},
		{"a structure", func(w *awsxml.Writer) { awsxml.Struct(w, "A", &tags[0], (*tag).EncodeXML) }, "<A><Key>a</Key><Value>1</Value></A>"},
		{"an optional structure", func(w *awsxml.Writer) { awsxml.OptionalStruct(w, "A", &tags[0], (*tag).EncodeXML) }, "<A><Key>a</Key><Value>1</Value></A>"},
		{"an optional structure is left out", func(w *awsxml.Writer) { awsxml.OptionalStruct(w, "A", nil, (*tag).EncodeXML) }, ""},
		{
			"a list",
			func(w *awsxml.Writer) { awsxml.List(w, "Tags", tags, (*tag).EncodeXML) },
			"<Tags><member><Key>a</Key><Value>1</Value></member><member><Key>b</Key><Value></Value></member></Tags>",
		},
		{"an empty list is written", func(w *awsxml.Writer) { awsxml.List(w, "Tags", nil, (*tag).EncodeXML) }, "<Tags></Tags>"},
		{"a list that is left out when empty", func(w *awsxml.Writer) { awsxml.NonEmptyList(w, "Tags", tags[:1], (*tag).EncodeXML) }, "<Tags><member><Key>a</Key><Value>1</Value></member></Tags>"},
		{"an empty list is left out", func(w *awsxml.Writer) { awsxml.NonEmptyList(w, "Tags", []tag{}, (*tag).EncodeXML) }, ""},
		{"a list of strings", func(w *awsxml.Writer) { awsxml.Strings(w, "A", []string{"a<", ""}) }, "<A><member>a&lt;</member><member></member></A>"},
		{"an empty list of strings is written", func(w *awsxml.Writer) { awsxml.Strings(w, "A", nil) }, "<A></A>"},
		{"a list of strings that is left out when empty", func(w *awsxml.Writer) { awsxml.NonEmptyStrings(w, "A", []string{"a"}) }, "<A><member>a</member></A>"},
		{"an empty list of strings is left out", func(w *awsxml.Writer) { awsxml.NonEmptyStrings(w, "A", nil) }, ""},
		{
			"a map is in the order of its keys",
			func(w *awsxml.Writer) {
				awsxml.IntMap(w, "SummaryMap", map[string]int32{"Users": 27, "Groups": 15, "A&B": 0})
			},
			"<SummaryMap><entry><key>A&amp;B</key><value>0</value></entry><entry><key>Groups</key><value>15</value></entry><entry><key>Users</key><value>27</value></entry></SummaryMap>",
		},
		{"an empty map is written", func(w *awsxml.Writer) { awsxml.IntMap(w, "SummaryMap", nil) }, "<SummaryMap></SummaryMap>"},
		{
			"a map of strings is in the order of its keys",
			func(w *awsxml.Writer) {
				awsxml.StringMap(w, "Details", map[string]string{"Resource Policy": "allowed", "IAM Policy": "a<b"})
			},
			"<Details><entry><key>IAM Policy</key><value>a&lt;b</value></entry><entry><key>Resource Policy</key><value>allowed</value></entry></Details>",
		},
		{"an empty map of strings is written", func(w *awsxml.Writer) { awsxml.StringMap(w, "Details", map[string]string{}) }, "<Details></Details>"},
		{"no map of strings is left out", func(w *awsxml.Writer) { awsxml.StringMap(w, "Details", nil) }, ""},
		{
			"a response",
			func(w *awsxml.Writer) {
				w.Response("GetTag", "https://iam.amazonaws.com/doc/2010-05-08/", "id-1", true, tags[0].EncodeXML)
			},
			`<GetTagResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetTagResult><Key>a</Key><Value>1</Value></GetTagResult>` +
				`<ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></GetTagResponse>`,
		},
		{
			"a response without a result",
			func(w *awsxml.Writer) { w.Response("DeleteUser", "urn:a&b", "id-1", false, nil) },
			`<DeleteUserResponse xmlns="urn:a&amp;b"><ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></DeleteUserResponse>`,
		},
		{
			"an error response",
			func(w *awsxml.Writer) {
				w.ErrorResponse("urn:a", apierror.Sender, "ValidationError", "Value '<' at 'userName'", "id-1")
			},
			`<ErrorResponse xmlns="urn:a"><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Value &apos;&lt;&apos; at &apos;userName&apos;</Message></Error>` +
				`<RequestId>id-1</RequestId></ErrorResponse>`,
		},
		{
			"an error response when the service is at fault",
			func(w *awsxml.Writer) { w.ErrorResponse("urn:a", apierror.Receiver, "ServiceFailure", "m", "id-1") },
			`<ErrorResponse xmlns="urn:a"><Error><Type>Receiver</Type><Code>ServiceFailure</Code><Message>m</Message></Error><RequestId>id-1</RequestId></ErrorResponse>`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var w awsxml.Writer
			tt.write(&w)
			require.Equal(t, tt.want, string(w.Bytes()))
			if tt.want != "" {
				require.NoError(t, xml.Unmarshal([]byte("<root>"+tt.want+"</root>"), new(struct{})))
			}
		})
	}
}

func TestWriterAppendsToItsBuffer(t *testing.T) {
	w := awsxml.NewWriter([]byte("<!-- -->"))
	w.Int("A", 1)
	w.Int("B", 2)
	require.Equal(t, "<!-- --><A>1</A><B>2</B>", string(w.Bytes()))
	w.Reset()
	require.Empty(t, w.Bytes())
	w.Int("C", 3)
	require.Equal(t, "<C>3</C>", string(w.Bytes()))
}

func TestWritingIntoAGrownBufferAllocatesNothing(t *testing.T) {
	var w awsxml.Writer
	tags := []tag{{"a<b", "1"}, {"ü", "\x00"}}
	moment := time.Date(2012, 10, 17, 18, 19, 20, 0, time.UTC)
	write := func() {
		w.Reset()
		awsxml.List(&w, "Tags", tags, (*tag).EncodeXML)
		w.Time("CreateDate", moment)
		w.Int("Count", 1234)
		w.URLEncoded("Document", `{"Version":"2012-10-17"}`)
	}
	write()
	require.Zero(t, testing.AllocsPerRun(100, write))
}

// storable is s as XML 1.0 can hold it (section 2.2 of the recommendation).
func storable(s string) string {
	return strings.Map(func(r rune) rune { // which calls for each byte that is not UTF-8
		if r == '\t' || r == '\n' || r == '\r' || (r >= 0x20 && r <= 0xD7FF) || (r >= 0xE000 && r <= 0xFFFD) || r >= 0x10000 {
			return r
		}
		return utf8.RuneError
	}, s)
}

// FuzzEscape: an XML parser reads the same text back.
func FuzzEscape(f *testing.F) {
	for _, seed := range []string{"", "alice", "<&>\"'", "a\r\nb\tc", "]]>", "\x00\x1F\x7F", "\uFFFE\uFFFF\uFFFD", "\xFF\xE2\x82", "é日😀"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var w awsxml.Writer
		w.Response("A", s, "id", true, func(w *awsxml.Writer) {
			w.String("S", s)
			w.URLEncoded("U", s)
		})
		var got struct {
			XMLName xml.Name
			S       string `xml:"AResult>S"`
			U       string `xml:"AResult>U"`
		}
		require.NoError(t, xml.Unmarshal(w.Bytes(), &got))
		require.Equal(t, xml.Name{Space: storable(s), Local: "AResponse"}, got.XMLName)
		require.Equal(t, storable(s), got.S)
		document, err := url.PathUnescape(got.U)
		require.NoError(t, err)
		require.Equal(t, s, document)
	})
}
