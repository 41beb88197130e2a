package s3_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/generated/s3err"
	"iamserver/runtime/s3"
)

// The rules of the example in the user guide, and some more.
const corsRules = `<CORSConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
<CORSRule><ID>first</ID><AllowedOrigin>http://www.example1.com</AllowedOrigin><AllowedMethod>PUT</AllowedMethod><AllowedMethod>POST</AllowedMethod><AllowedHeader>*</AllowedHeader><MaxAgeSeconds>3000</MaxAgeSeconds><ExposeHeader>ETag</ExposeHeader><ExposeHeader>x-amz-request-id</ExposeHeader></CORSRule>
<CORSRule><AllowedOrigin>https://*.example2.com</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedHeader>X-Amz-*</AllowedHeader><AllowedHeader>range</AllowedHeader></CORSRule>
<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>HEAD</AllowedMethod></CORSRule>
</CORSConfiguration>`

func TestCORSAnswers(t *testing.T) {
	rules, err := s3.ParseCORS([]byte(corsRules))
	require.NoError(t, err)
	for _, tt := range []struct {
		name string
		from s3.CrossOrigin
		want string // the headers without Access-Control-, sorted
	}{
		{
			"the first rule",
			s3.CrossOrigin{Origin: "http://www.example1.com", Method: "PUT", Headers: "Content-Type, X-Any"},
			"Allow-Credentials: true, Allow-Headers: content-type, x-any, Allow-Methods: PUT, POST, Allow-Origin: http://www.example1.com, Expose-Headers: ETag, x-amz-request-id, Max-Age: 3000",
		},
		{"an origin with a wildcard", s3.CrossOrigin{Origin: "https://a.b.example2.com", Method: "GET"}, "Allow-Credentials: true, Allow-Methods: GET, Allow-Origin: https://a.b.example2.com"},
		{
			"headers with a wildcard, in whatever case",
			s3.CrossOrigin{Origin: "https://a.example2.com", Method: "GET", Headers: "x-amz-date,RANGE"},
			"Allow-Credentials: true, Allow-Headers: x-amz-date,range, Allow-Methods: GET, Allow-Origin: https://a.example2.com",
		},
		{"any origin", s3.CrossOrigin{Origin: "null", Method: "HEAD"}, "Allow-Methods: HEAD, Allow-Origin: *"},
		{"a header that is not allowed", s3.CrossOrigin{Origin: "https://a.example2.com", Method: "GET", Headers: "x-amz-date, cookie"}, ""},
		{"more headers than any page sends", s3.CrossOrigin{Origin: "http://www.example1.com", Method: "PUT", Headers: strings.Repeat("a,", 200) + "a"}, ""},
		{"a header where none is allowed", s3.CrossOrigin{Origin: "null", Method: "HEAD", Headers: "range"}, ""},
		{"a method that is not allowed", s3.CrossOrigin{Origin: "http://www.example1.com", Method: "DELETE"}, ""},
		{"another scheme", s3.CrossOrigin{Origin: "https://www.example1.com", Method: "PUT"}, ""},
		{"another port", s3.CrossOrigin{Origin: "http://www.example1.com:8080", Method: "PUT"}, ""},
		{"an origin in another case", s3.CrossOrigin{Origin: "http://WWW.example1.com", Method: "PUT"}, ""},
		{"an origin that only ends like it", s3.CrossOrigin{Origin: "https://evilexample2.com", Method: "GET"}, ""},
		{"an origin that is shorter than the pattern", s3.CrossOrigin{Origin: "https://.com", Method: "GET"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := http.Header{}
			require.Equal(t, tt.want != "", rules.Answer(h, tt.from))
			var text strings.Builder
			require.NoError(t, h.Write(&text))
			require.Equal(t, tt.want, strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(text.String()), "\r\n", ", "), "Access-Control-", ""))
		})
	}
}

func TestCORSDocuments(t *testing.T) {
	rules, err := s3.ParseCORS([]byte(corsRules))
	require.NoError(t, err)
	text, err := rules.Document()
	require.NoError(t, err)
	again, err := s3.ParseCORS(text)
	require.NoError(t, err)
	require.Equal(t, rules, again)

	// What cannot be read again must not be kept.
	long, err := s3.ParseCORS([]byte("<CORSConfiguration><CORSRule><AllowedOrigin>" + strings.Repeat("'", 60<<10) + "</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>"))
	require.NoError(t, err)
	_, err = long.Document()
	require.Equal(t, s3err.InvalidDocument(), err)

	rule := func(elements string) string { return "<CORSRule>" + elements + "</CORSRule>" }
	const least = "<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
	for _, tt := range []struct{ name, rules, message string }{
		{"no rule", "", "The XML you provided was not well-formed or did not validate against our published schema"},
		{"no origin", rule("<AllowedMethod>GET</AllowedMethod>"), "The XML you provided was not well-formed or did not validate against our published schema"},
		{"no method", rule("<AllowedOrigin>*</AllowedOrigin>"), "The XML you provided was not well-formed or did not validate against our published schema"},
		{"too many rules", strings.Repeat(rule(least), 101), "The XML you provided was not well-formed or did not validate against our published schema"},
		{"a long document", rule(least + "<ExposeHeader>" + strings.Repeat("x", 64<<10) + "</ExposeHeader>"), "The XML you provided was not well-formed or did not validate against our published schema"},
		{"a long id", rule(least + "<ID>" + strings.Repeat("x", 256) + "</ID>"), "The XML you provided was not well-formed or did not validate against our published schema"},
		{"an element that there is not", rule(least + "<Other/>"), "The XML you provided was not well-formed or did not validate against our published schema"},
		{"a method that there is not", rule("<AllowedOrigin>*</AllowedOrigin><AllowedMethod>PATCH</AllowedMethod>"), "Found unsupported HTTP method in CORS config. Unsupported method is PATCH"},
		{"two wildcards in an origin", rule("<AllowedOrigin>http://*.*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"), `AllowedOrigin "http://*.*" can not have more than one wildcard.`},
		{"two wildcards in a header", rule(least + "<AllowedHeader>*-*</AllowedHeader>"), `AllowedHeader "*-*" can not have more than one wildcard.`},
		{"a wildcard in what is exposed", rule(least + "<ExposeHeader>x-*</ExposeHeader>"), `ExposeHeader "x-*" contains wildcard. We currently do not support wildcard for ExposeHeader.`},
		{"what is no header", rule(least + "<ExposeHeader>a: b</ExposeHeader>"), "The XML you provided was not well-formed or did not validate against our published schema"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := s3.ParseCORS([]byte("<CORSConfiguration>" + tt.rules + "</CORSConfiguration>"))
			require.ErrorContains(t, err, tt.message)
		})
	}
}
