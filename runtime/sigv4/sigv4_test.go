package sigv4

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var now = time.Date(2015, 8, 30, 13, 0, 0, 0, time.UTC)

const (
	body   = "Action=ListUsers&Version=2010-05-08"
	secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYSECRETKEY"
	token  = "AQoDYXdzEJr//////////token+/=="
)

var payload = sha256.Sum256([]byte(body))

var config = Config{Profiles: []Profile{{Service: "iam"}, {Service: "sts"}}}

func newVerifier(keys KeySource[string], cfg Config) *Verifier[string] {
	return New(keys, func() time.Time { return now }, cfg)
}

var alice = oneKey{id: "AKIDALICE", key: Key[string]{Secret: secret, Principal: "alice"}}

// A claim is what a test request says, and is signed over: by the book, with
// none of the code under test.
type claim struct {
	id, secret                         string
	time                               string
	scopeDate, region, service, suffix string
	algorithm, signed, payload         string
	token                              string
}

func claimed(change func(*claim)) claim {
	c := claim{
		id: "AKIDALICE", secret: secret, time: "20150830T130000Z",
		scopeDate: "20150830", region: "us-east-1", service: "iam", suffix: "aws4_request",
		algorithm: "AWS4-HMAC-SHA256", signed: "content-type;host;x-amz-date", payload: hex.EncodeToString(payload[:]),
	}
	if change != nil {
		change(&c)
	}
	return c
}

func (c claim) credential() string {
	return strings.Join([]string{c.id, c.scopeDate, c.region, c.service, c.suffix}, "/")
}

func (c claim) signature(req Request) string {
	var canonical strings.Builder
	canonical.WriteString(req.Method + "\n/\n" + strings.ReplaceAll(must(url.ParseQuery(req.Query)).Encode(), "+", "%20") + "\n")
	for name := range strings.SplitSeq(c.signed, ";") {
		value := strings.Join(req.Header.Values(name), ",")
		if strings.EqualFold(name, "host") {
			value = req.Host
		}
		canonical.WriteString(name + ":" + value + "\n")
	}
	canonical.WriteString("\n" + c.signed + "\n" + c.payload)
	return c.sign(canonical.String())
}

// sign is the signature of a canonical request.
func (c claim) sign(canonical string) string {
	hash := sha256.Sum256([]byte(canonical))
	_, scope, _ := strings.Cut(c.credential(), "/")
	key := []byte("AWS4" + c.secret)
	for _, part := range []string{c.scopeDate, c.region, c.service, c.suffix, c.algorithm + "\n" + c.time + "\n" + scope + "\n" + hex.EncodeToString(hash[:])} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return hex.EncodeToString(key)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// inHeader is a request signed in its headers.
func inHeader(change func(*claim)) Request {
	c := claimed(change)
	req := Request{
		Method: "POST", Path: "/", Host: "iam.example.com", ContentLength: int64(len(body)),
		Header: http.Header{
			"Content-Type": {"application/x-www-form-urlencoded"},
			"User-Agent":   {"test"},
			"X-Amz-Date":   {c.time},
		},
	}
	if c.token != "" {
		req.Header.Set("X-Amz-Security-Token", c.token)
	}
	if strings.Contains(c.signed, "x-amz-content-sha256") {
		req.Header.Set("X-Amz-Content-Sha256", c.payload)
	}
	return c.authorize(req)
}

// authorize signs req, and says so in the Authorization header.
func (c claim) authorize(req Request) Request {
	req.Header = req.Header.Clone()
	req.Header.Set("Authorization", c.algorithm+" Credential="+c.credential()+", SignedHeaders="+c.signed+", Signature="+c.signature(req))
	return req
}

// inQuery is a presigned request; parameters are added before it is signed.
func inQuery(expires string, change func(*claim), parameters ...string) Request {
	c := claimed(func(c *claim) {
		c.signed = "host"
		if change != nil {
			change(c)
		}
	})
	values := url.Values{
		"Action": {"Get Caller"}, "X-Amz-Algorithm": {c.algorithm}, "X-Amz-Credential": {c.credential()},
		"X-Amz-Date": {c.time}, "X-Amz-Expires": {expires}, "X-Amz-SignedHeaders": {c.signed},
	}
	if c.token != "" {
		values.Set("X-Amz-Security-Token", c.token)
	}
	for i := 0; i < len(parameters); i += 2 {
		values.Add(parameters[i], parameters[i+1])
	}
	req := Request{Method: "POST", Path: "/", Host: "iam.example.com", Header: http.Header{}, Query: values.Encode(), ContentLength: int64(len(body))}
	req.Query += "&X-Amz-Signature=" + c.signature(req)
	return req
}

func with(req Request, header string, values ...string) Request {
	req.Header = req.Header.Clone()
	req.Header[http.CanonicalHeaderKey(header)] = values
	return req
}

func editAuthorization(req Request, old, new string) Request {
	value := req.Header.Get("Authorization")
	if !strings.Contains(value, old) {
		panic("Authorization has no " + old)
	}
	return with(req, "Authorization", strings.Replace(value, old, new, 1))
}

func editQuery(req Request, old, new string) Request {
	if !strings.Contains(req.Query, old) {
		panic("the query has no " + old)
	}
	req.Query = strings.Replace(req.Query, old, new, 1)
	return req
}

func TestRequestsThatAreAccepted(t *testing.T) {
	for _, tt := range []struct {
		name string
		req  Request
	}{
		{"signed in the header", inHeader(nil)},
		{"presigned", inQuery("60", nil)},
		{"for STS", inHeader(func(c *claim) { c.service = "sts" })},
		{"in any region", inHeader(func(c *claim) { c.region = "mars-north-7" })},
		{"in no region", inHeader(func(c *claim) { c.region = "" })},
		{"presigned in no region", inQuery("60", func(c *claim) { c.region = "" })},
		{"without spaces after the commas", editAuthorization(editAuthorization(inHeader(nil), ", S", ",S"), ", S", ",S")},
		{"with more spaces", editAuthorization(editAuthorization(inHeader(nil), "SHA256 C", "SHA256   C"), ", S", " ,  S")},
		{"with the declared hash of the body", inHeader(func(c *claim) { c.signed = "host;x-amz-content-sha256;x-amz-date" })},
		{"presigned with the declared hash of the body", inQuery("60", nil, "X-Amz-Content-Sha256", hex.EncodeToString(payload[:]))},
		{"with headers that need not be signed", with(inHeader(nil), "X-Amzn-Trace-Id", "1")},
		{"signed 15 minutes ago", inHeader(func(c *claim) { c.time = "20150830T124500Z" })},
		{"signed in 15 minutes", inHeader(func(c *claim) { c.time = "20150830T131500Z" })},
		{"presigned in 15 minutes", inQuery("60", func(c *claim) { c.time = "20150830T131500Z" })},
		{"presigned without an expiry, 15 minutes ago", inQuery("", func(c *claim) { c.time = "20150830T124500Z" })},
		{"presigned in its last second", inQuery("900", func(c *claim) { c.time = "20150830T124500Z" })},
		{"presigned with the session token nowhere, and none needed", inQuery("1", nil)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			identity, err := verify(newVerifier(alice, config), tt.req, payload)
			require.NoError(t, err)
			require.Equal(t, "alice", identity.Principal)
		})
	}
}

func TestTheComponentsOfTheHeaderMayComeInAnyOrder(t *testing.T) {
	req := inHeader(nil)
	parts := strings.Split(strings.TrimPrefix(req.Header.Get("Authorization"), "AWS4-HMAC-SHA256 "), ", ")
	for _, order := range [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		value := "AWS4-HMAC-SHA256 " + parts[order[0]] + "," + parts[order[1]] + ", " + parts[order[2]]
		_, err := verify(newVerifier(alice, config), with(req, "Authorization", value), payload)
		require.NoError(t, err, value)
	}
}

func TestTheDateMayComeFromTheDateHeader(t *testing.T) {
	for _, tt := range []struct {
		name, date string
		want       error
	}{
		{"an HTTP date", "Sun, 30 Aug 2015 13:00:00 GMT", nil},
		{"an ISO 8601 date", "20150830T130000Z", nil},
		{"another time than was signed", "Sun, 30 Aug 2015 13:00:01 GMT", mismatch()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := claimed(func(c *claim) { c.signed = "host" })
			req := c.authorize(Request{Method: "POST", Path: "/", Host: "iam.example.com", Header: http.Header{"Date": {tt.date}}})
			_, err := verify(newVerifier(alice, config), req, payload)
			require.Equal(t, tt.want, err)
		})
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	signed := inHeader(nil)
	presigned := inQuery("60", nil)
	hash := fingerprint
	tooLong := strings.Repeat("a", maxAuthorization)
	manyHeaders := signed
	manyHeaders.Header = signed.Header.Clone()
	for i := range maxHeaders {
		manyHeaders.Header[fmt.Sprintf("H%d", i)] = []string{""}
	}
	manyNames := []string{"host"}
	for i := range maxSignedHeaders {
		manyNames = append(manyNames, fmt.Sprintf("i%04d", i))
	}
	shortHeader := "AWS4-HMAC-SHA256 Credential=AKIDALICE"
	longPath, longQuery, manyParams := signed, signed, signed
	longPath.Path = "/" + strings.Repeat("a", maxPath)
	longQuery.Query = strings.Repeat("a", maxQuery+1)
	manyParams.Query = strings.Repeat("a&", maxParams+1)
	scope := func(message string) error { return &Error{WrongScope, message} }
	bad := func(r Reason, message string) error { return &Error{r, message} }
	badPair := func(value string) error {
		return bad(IncompleteSignature, "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): '"+hash(value)+"'.")
	}
	const badNames = "SignedHeaders must be header names in lower case, sorted, each once, separated by semicolons."

	for _, tt := range []struct {
		name string
		req  Request
		want error
	}{
		// No signature, or two.
		{"not signed", Request{Method: "POST", Path: "/", Host: "h", Header: http.Header{}}, missingAuthentication()},
		{"another scheme", with(signed, "Authorization", "Bearer abc"), missingAuthentication()},
		{"signature version 2", with(signed, "Authorization", "AWS AKIDALICE:c2ln"), missingAuthentication()},
		{"an empty Authorization header", with(signed, "Authorization", ""), missingAuthentication()},
		{"an algorithm in lower case", editAuthorization(signed, "AWS4-HMAC", "aws4-hmac"), missingAuthentication()},
		{"query parameters in lower case", Request{Method: "POST", Path: "/", Host: presigned.Host, Header: http.Header{}, Query: strings.ToLower(presigned.Query)}, missingAuthentication()},
		{"two Authorization headers", with(signed, "Authorization", signed.Header.Get("Authorization"), signed.Header.Get("Authorization")), bad(TwoAuthentications, "Found more than one 'Authorization' HTTP header.")},
		{"header and query", with(presigned, "Authorization", signed.Header.Get("Authorization")), bad(TwoAuthentications, "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.")},
		{"a header of another scheme and query", with(presigned, "Authorization", "Basic eA=="), bad(TwoAuthentications, "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.")},
		{"header and a signature in the query", Request{Method: "POST", Path: "/", Host: signed.Host, Header: signed.Header, Query: "X-Amz-Signature=" + strings.Repeat("0", 64)}, bad(TwoAuthentications, "Found both 'X-Amz-Signature' as a query-string param and 'Authorization' as HTTP header.")},
		{"header and a session token in the query", Request{Method: "POST", Path: "/", Host: signed.Host, Header: signed.Header, Query: "X-Amz-Security-Token=t"}, bad(TwoAuthentications, "Found both 'X-Amz-Security-Token' as a query-string param and 'Authorization' as HTTP header.")},

		// The Authorization header.
		{"only a credential", with(signed, "Authorization", shortHeader), bad(IncompleteSignature, "Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. (Hashed with SHA-256 and encoded with Base64) Authorization="+hash(shortHeader))},
		{"only an algorithm, and no date", Request{Method: "POST", Path: "/", Header: http.Header{"Authorization": {"AWS4-HMAC-SHA256"}}}, bad(IncompleteSignature, "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. (Hashed with SHA-256 and encoded with Base64) Authorization="+hash("AWS4-HMAC-SHA256"))},
		{"a component without equal-sign", with(signed, "Authorization", shortHeader+", Signature"), badPair(shortHeader + ", Signature")},
		{"a space in a component", with(signed, "Authorization", "AWS4-HMAC-SHA256 Credential= AKIDALICE"), badPair("AWS4-HMAC-SHA256 Credential= AKIDALICE")},
		{"components without commas", with(signed, "Authorization", shortHeader+" Signature=a"), badPair(shortHeader + " Signature=a")},
		{"a comma at the end", with(signed, "Authorization", signed.Header.Get("Authorization")+","), badPair(signed.Header.Get("Authorization") + ",")},
		{"two credentials", editAuthorization(signed, "Credential=", "Credential=,Credential="), bad(IncompleteSignature, "Authorization header has more than one 'Credential' parameter.")},
		{"two signatures", editAuthorization(signed, "Signature=", "Signature=a, Signature="), bad(IncompleteSignature, "Authorization header has more than one 'Signature' parameter.")},
		{"two lists of signed headers", editAuthorization(signed, "Sig", "SignedHeaders=host, Sig"), bad(IncompleteSignature, "Authorization header has more than one 'SignedHeaders' parameter.")},
		{"a component in lower case", editAuthorization(signed, "Credential", "credential"), bad(IncompleteSignature, "Authorization header has a parameter other than 'Credential', 'SignedHeaders' and 'Signature'.")},
		{"a header that is too long", editAuthorization(signed, "SignedHeaders=", "SignedHeaders="+tooLong), bad(IncompleteSignature, "Authorization header is longer than 8192 bytes.")},
		{"another algorithm", inHeader(func(c *claim) { c.algorithm = "AWS4-HMAC-SHA1" }), bad(IncompleteSignature, "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1' (only AWS4-HMAC-SHA256 for now). ")},
		{"signature version 4A", inHeader(func(c *claim) { c.algorithm = "AWS4-ECDSA-P256-SHA256" }), bad(IncompleteSignature, "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256' (only AWS4-HMAC-SHA256 for now). ")},
		{"too many headers", manyHeaders, bad(IncompleteSignature, "The request has more than 256 headers.")},
		{"a path that is too long", longPath, bad(IncompleteSignature, "The path of the request is longer than 16384 bytes.")},
		{"a query that is too long", longQuery, bad(MalformedQueryString, "The query string is too long.")},
		{"too many parameters", manyParams, bad(MalformedQueryString, "The query string has too many parameters.")},

		// The signature itself.
		{"an empty signature", editAuthorization(signed, "Signature="+claimed(nil).signature(signed), "Signature="), bad(IncompleteSignature, "Authorization header requires 'Signature' parameter. (Hashed with SHA-256 and encoded with Base64) Authorization="+hash(editAuthorization(signed, "Signature="+claimed(nil).signature(signed), "Signature=").Header.Get("Authorization")))},
		{"a signature in upper case", editAuthorization(signed, claimed(nil).signature(signed), strings.ToUpper(claimed(nil).signature(signed))), mismatch()},
		{"a signature cut short", editAuthorization(signed, claimed(nil).signature(signed), claimed(nil).signature(signed)[:62]), mismatch()},
		{"a signature with more", editAuthorization(signed, claimed(nil).signature(signed), claimed(nil).signature(signed)+"00"), mismatch()},
		{"a signature that is not hexadecimal", editAuthorization(signed, claimed(nil).signature(signed), strings.Repeat("g", 64)), mismatch()},
		{"another secret", inHeader(func(c *claim) { c.secret = "another" }), mismatch()},
		{"an unknown access key", inHeader(func(c *claim) { c.id = "AKIDNOBODY" }), bad(UnknownKey, "The security token included in the request is invalid.")},
		{"an unknown access key with the secret that stands in for it", inHeader(func(c *claim) { c.id, c.secret = "AKIDNOBODY", dummySecret }), bad(UnknownKey, "The security token included in the request is invalid.")},
		{"an access key ID in lower case", inHeader(func(c *claim) { c.id = "akidalice" }), bad(UnknownKey, "The security token included in the request is invalid.")},
		{"a session token with a long-term key", inHeader(func(c *claim) { c.signed, c.token = "host;x-amz-date;x-amz-security-token", token }), bad(UnknownKey, "The security token included in the request is invalid.")},

		// Dates.
		{"signed too long ago", inHeader(func(c *claim) { c.time = "20150830T124459Z" }), bad(Skewed, "Signature expired: 20150830T124459Z is now earlier than 20150830T124500Z (20150830T130000Z - 15 min.)")},
		{"signed too far in the future", inHeader(func(c *claim) { c.time = "20150830T131501Z" }), bad(Skewed, "Signature not yet current: 20150830T131501Z is still later than 20150830T131500Z (20150830T130000Z + 15 min.)")},
		{"signed a year ago", inHeader(func(c *claim) { c.time, c.scopeDate = "20140830T130000Z", "20140830" }), bad(Skewed, "Signature expired: 20140830T130000Z is now earlier than 20150830T124500Z (20150830T130000Z - 15 min.)")},
		{"a date in another format", inHeader(func(c *claim) { c.time = "2015-08-30T13:00:00Z" }), bad(IncompleteSignature, "Date must be in ISO-8601 'basic format'. Got '2015-08-30T13:00:00Z'. See http://en.wikipedia.org/wiki/ISO_8601")},
		{"a date with a fraction", inHeader(func(c *claim) { c.time = "20150830T130000.5Z" }), bad(IncompleteSignature, "Date must be in ISO-8601 'basic format'. Got '20150830T130000.5Z'. See http://en.wikipedia.org/wiki/ISO_8601")},
		{"an HTTP date in x-amz-date", inHeader(func(c *claim) { c.time = "Sun, 30 Aug 2015 13:00:00 GMT" }), bad(IncompleteSignature, "Date must be in ISO-8601 'basic format'. Got 'Sun, 30 Aug 2015 13:00:00 GMT'. See http://en.wikipedia.org/wiki/ISO_8601")},
		{"two dates", with(signed, "X-Amz-Date", "20150830T130000Z", "20150830T130000Z"), bad(IncompleteSignature, "Found more than one 'X-Amz-Date' header.")},
		{"no date", with(signed, "X-Amz-Date"), bad(IncompleteSignature, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. (Hashed with SHA-256 and encoded with Base64) Authorization="+hash(signed.Header.Get("Authorization")))},

		// The credential scope.
		{"another service", inHeader(func(c *claim) { c.service = "ec2" }), scope("Credential should be scoped to correct service: 'iam'. ")},
		{"a service in upper case", inHeader(func(c *claim) { c.service = "IAM" }), scope("Credential should be scoped to correct service: 'iam'. ")},
		{"no service", inHeader(func(c *claim) { c.service = "" }), scope("Credential should be scoped to correct service: 'iam'. ")},
		{"another terminator", inHeader(func(c *claim) { c.suffix = "aws5_request" }), scope("Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'. ")},
		{"another date", inHeader(func(c *claim) { c.scopeDate = "20150829" }), scope("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150829' != '20150830', from '20150830T130000Z'.")},
		{"everything else", inHeader(func(c *claim) { c.service, c.suffix, c.scopeDate = "a", "b", "c" }), scope("Credential should be scoped to correct service: 'iam'. Credential should be scoped with a valid terminator: 'aws4_request', not 'b'. Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: 'c' != '20150830', from '20150830T130000Z'.")},
		{"four elements", editAuthorization(signed, "/us-east-1", ""), bad(IncompleteSignature, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKIDALICE/20150830/iam/aws4_request'")},
		{"six elements", inHeader(func(c *claim) { c.id = "AKID/ALICE" }), bad(IncompleteSignature, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKID/ALICE/20150830/us-east-1/iam/aws4_request'")},
		{"a slash at the end", editAuthorization(signed, "aws4_request", "aws4_request/"), bad(IncompleteSignature, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKIDALICE/20150830/us-east-1/iam/aws4_request/'")},
		{"no access key ID", inHeader(func(c *claim) { c.id = "" }), bad(IncompleteSignature, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '/20150830/us-east-1/iam/aws4_request'")},
		{"a line break in the scope", inQuery("60", func(c *claim) { c.region = "a\nb" }), bad(IncompleteSignature, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKIDALICE/20150830/a\nb/iam/aws4_request'")},
		{"a credential that is too long", inHeader(func(c *claim) { c.id = strings.Repeat("A", maxCredential) }), bad(IncompleteSignature, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '"+strings.Repeat("A", 128)+"…'")},

		// Signed headers.
		{"host not signed", inHeader(func(c *claim) { c.signed = "content-type;x-amz-date" }), bad(HeaderNotSigned, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")},
		{"the date not signed", inHeader(func(c *claim) { c.signed = "host" }), bad(HeaderNotSigned, "'x-amz-date' must be a 'SignedHeader' in the AWS Authorization.")},
		{"an x-amz header added", with(signed, "X-Amz-Acl", "public-read"), bad(HeaderNotSigned, "'x-amz-acl' must be a 'SignedHeader' in the AWS Authorization.")},
		{"an x-amz header added to a presigned request", with(presigned, "X-Amz-Acl", "public-read"), bad(HeaderNotSigned, "'x-amz-acl' must be a 'SignedHeader' in the AWS Authorization.")},
		{"a session token added", with(signed, "X-Amz-Security-Token", token), bad(HeaderNotSigned, "'x-amz-security-token' must be a 'SignedHeader' in the AWS Authorization.")},
		{"several x-amz headers added", with(with(signed, "X-Amz-B", "1"), "X-Amz-A", "1"), bad(HeaderNotSigned, "'x-amz-a' must be a 'SignedHeader' in the AWS Authorization.")},
		{"a signed header that is not there", inHeader(func(c *claim) { c.signed = "host;x-amz-date;x-other" }), mismatch()},
		{"a signed header with an empty name", inHeader(func(c *claim) { c.signed = ";host;x-amz-date" }), bad(IncompleteSignature, badNames)},
		{"signed headers out of order", inHeader(func(c *claim) { c.signed = "x-amz-date;host" }), bad(IncompleteSignature, badNames)},
		{"a signed header twice", inHeader(func(c *claim) { c.signed = "host;host;x-amz-date" }), bad(IncompleteSignature, badNames)},
		{"a signed header in upper case", inHeader(func(c *claim) { c.signed = "Host;x-amz-date" }), bad(IncompleteSignature, badNames)},
		{"a signed header with a colon", inHeader(func(c *claim) { c.signed = ":authority;host;x-amz-date" }), bad(IncompleteSignature, badNames)},
		{"too many signed headers", inHeader(func(c *claim) { c.signed = strings.Join(manyNames, ";") }), bad(IncompleteSignature, "SignedHeaders has more than 128 names.")},

		// The payload.
		{"UNSIGNED-PAYLOAD", inHeader(func(c *claim) {
			c.signed, c.payload = "host;x-amz-content-sha256;x-amz-date", "UNSIGNED-PAYLOAD"
		}), bad(WrongPayloadHash, "The payload must be signed: 'x-amz-content-sha256' must be the SHA-256 of the body in lower-case hexadecimal, not 'UNSIGNED-PAYLOAD'.")},
		{"STREAMING-…", inHeader(func(c *claim) {
			c.signed, c.payload = "host;x-amz-content-sha256;x-amz-date", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
		}), bad(WrongPayloadHash, "The payload must be signed: 'x-amz-content-sha256' must be the SHA-256 of the body in lower-case hexadecimal, not 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'.")},
		{"UNSIGNED-PAYLOAD in the query", inQuery("60", func(c *claim) { c.payload = "UNSIGNED-PAYLOAD" }, "X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"), bad(WrongPayloadHash, "The payload must be signed: 'x-amz-content-sha256' must be the SHA-256 of the body in lower-case hexadecimal, not 'UNSIGNED-PAYLOAD'.")},
		{"signed over UNSIGNED-PAYLOAD without saying so", inHeader(func(c *claim) { c.payload = "UNSIGNED-PAYLOAD" }), mismatch()},
		{"the declared and signed hash of another body", inHeader(func(c *claim) {
			c.signed, c.payload = "host;x-amz-content-sha256;x-amz-date", strings.Repeat("0", 64)
		}), bad(WrongPayloadHash, "The provided 'x-amz-content-sha256' header does not match what was computed.")},
		{"two declared hashes", with(signed, "X-Amz-Content-Sha256", claimed(nil).payload, claimed(nil).payload), bad(HeaderNotSigned, "'x-amz-content-sha256' must be a 'SignedHeader' in the AWS Authorization.")},
		{"two declared hashes in the query", inQuery("60", nil, "X-Amz-Content-Sha256", claimed(nil).payload, "X-Amz-Content-Sha256", claimed(nil).payload), bad(IncompleteSignature, "Found more than one 'X-Amz-Content-Sha256'.")},

		// Presigned requests.
		{"only an algorithm in the query", Request{Method: "GET", Path: "/", Host: "h", Header: http.Header{}, Query: "X-Amz-Algorithm=AWS4-HMAC-SHA256"}, bad(IncompleteSignature, "AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-Signature'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string parameters must include 'X-Amz-Date'. AWS query-string parameters must include 'X-Amz-Expires'. Re-examine the query-string parameters.")},
		{"only a session token in the query", Request{Method: "GET", Path: "/", Host: "h", Header: http.Header{}, Query: "X-Amz-Security-Token=t&X-Amz-Expires=1&X-Amz-Date=1&X-Amz-SignedHeaders=1&X-Amz-Signature=1&X-Amz-Credential=1"}, bad(IncompleteSignature, "AWS query-string parameters must include 'X-Amz-Algorithm'. Re-examine the query-string parameters.")},
		{"a signature in the query that is empty", editQuery(presigned, "X-Amz-Signature=", "X-Amz-Signature=&a="), bad(IncompleteSignature, "AWS query-string parameters must include 'X-Amz-Signature'. Re-examine the query-string parameters.")},
		{"two expirations", editQuery(presigned, "X-Amz-Expires=60", "X-Amz-Expires=60&X-Amz-Expires=60"), bad(IncompleteSignature, "AWS query-string parameters must include 'X-Amz-Expires' only once. Re-examine the query-string parameters.")},
		{"two signatures in the query", editQuery(presigned, "X-Amz-Signature", "X-Amz-Signature=a&X-Amz-Signature"), bad(IncompleteSignature, "AWS query-string parameters must include 'X-Amz-Signature' only once. Re-examine the query-string parameters.")},
		{"two credentials, one with an encoded name", editQuery(presigned, "X-Amz-Date", "X%2DAmz-Credential=a&X-Amz-Date"), bad(IncompleteSignature, "AWS query-string parameters must include 'X-Amz-Credential' only once. Re-examine the query-string parameters.")},
		{"two session tokens", inQuery("60", func(c *claim) { c.token = token }, "X-Amz-Security-Token", token), bad(IncompleteSignature, "Found more than one 'X-Amz-Security-Token'.")},
		{"presigned without an expiry, too long ago", inQuery("", func(c *claim) { c.time = "20150830T124459Z" }), bad(RequestExpired, "Request has expired.")},
		{"presigned for too long", inQuery("901", nil), bad(IncompleteSignature, "X-Amz-Expires must be a number of seconds between 1 and 900.")},
		{"presigned for no time", inQuery("0", nil), bad(IncompleteSignature, "X-Amz-Expires must be a number of seconds between 1 and 900.")},
		{"presigned for less than no time", inQuery("-1", nil), bad(IncompleteSignature, "X-Amz-Expires must be a number of seconds between 1 and 900.")},
		{"presigned with a plus sign", inQuery("+60", nil), bad(IncompleteSignature, "X-Amz-Expires must be a number of seconds between 1 and 900.")},
		{"presigned for ever", inQuery("99999999999999999999", nil), bad(IncompleteSignature, "X-Amz-Expires must be a number of seconds between 1 and 900.")},
		{"presigned, and over", inQuery("59", func(c *claim) { c.time = "20150830T125900Z" }), bad(RequestExpired, "Request has expired.")},
		{"presigned too far in the future", inQuery("60", func(c *claim) { c.time = "20150830T131501Z" }), bad(Skewed, "Signature not yet current: 20150830T131501Z is still later than 20150830T131500Z (20150830T130000Z + 15 min.)")},
		{"presigned for another service", inQuery("60", func(c *claim) { c.service = "s3" }), scope("Credential should be scoped to correct service: 'iam'. ")},
		{"presigned without host", inQuery("60", func(c *claim) { c.signed = "content-type" }), bad(HeaderNotSigned, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")},
		{"presigned with another algorithm", inQuery("60", func(c *claim) { c.algorithm = "AWS4-HMAC-SHA512" }), bad(IncompleteSignature, "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512' (only AWS4-HMAC-SHA256 for now). ")},
		{"a parameter added", editQuery(presigned, "Action", "PolicyArn=x&Action"), mismatch()},
		{"a parameter twice", editQuery(presigned, "Action", "Action=Get+Caller&Action"), mismatch()},
		{"a parameter of presigning added in lower case", editQuery(presigned, "Action", "x-amz-expires=900&Action"), mismatch()},
		{"a space exchanged for an encoded plus sign", editQuery(presigned, "Get+Caller", "Get%2BCaller"), mismatch()},
		{"a broken escape", editQuery(presigned, "Get+Caller", "Get%2GCaller"), bad(MalformedQueryString, "Illegal hex character in escape % pattern: %2G")},
		{"an escape that is cut off", Request{Method: "GET", Path: "/", Header: http.Header{}, Query: "a=%2"}, bad(MalformedQueryString, "Incomplete trailing escape % sequence")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			identity, err := verify(newVerifier(alice, config), tt.req, payload)
			require.Equal(t, tt.want, err)
			require.Nil(t, identity)
		})
	}
}

func TestOtherWaysToWriteTheSameQueryAreAccepted(t *testing.T) {
	presigned := inQuery("60", nil)
	for _, tt := range []struct {
		name string
		req  Request
	}{
		{"a space as an escape", editQuery(presigned, "Get+Caller", "Get%20Caller")},
		{"an escape in lower case", editQuery(presigned, "%2F", "%2f")},
		{"a letter as an escape", editQuery(presigned, "Action", "%41ction")},
		{"an empty pair", editQuery(presigned, "Action", "&Action")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := verify(newVerifier(alice, config), tt.req, payload)
			require.NoError(t, err)
		})
	}
}

func TestOnlyConfiguredRegionsAreAccepted(t *testing.T) {
	cfg := config
	cfg.Regions = []string{"us-east-1", "eu-west-1"}
	v := newVerifier(alice, cfg)
	_, err := verify(v, inHeader(func(c *claim) { c.region = "eu-west-1" }), payload)
	require.NoError(t, err)
	for _, region := range []string{"eu-west-2", "", "EU-WEST-1"} {
		_, err = verify(v, inHeader(func(c *claim) { c.region = region }), payload)
		require.Equal(t, &Error{WrongScope, "Credential should be scoped to a valid region, not '" + region + "'. "}, err)
	}
}

func TestTheZeroConfigAcceptsNothing(t *testing.T) {
	_, err := verify(newVerifier(alice, Config{}), inHeader(nil), payload)
	require.Equal(t, &Error{WrongScope, "Credential should be scoped to correct service: ''. "}, err)
}

func TestAProfileMayAllowLongerPresignedRequests(t *testing.T) {
	week := 7 * 24 * time.Hour
	v := newVerifier(alice, Config{Profiles: []Profile{{Service: "iam"}, {Service: "s3", MaxPresign: week}}})
	_, err := verify(v, inQuery("604800", func(c *claim) { c.service, c.time, c.scopeDate = "s3", "20150823T130000Z", "20150823" }), payload)
	require.NoError(t, err)
	_, err = verify(v, inQuery("604801", func(c *claim) { c.service = "s3" }), payload)
	require.Equal(t, incomplete("X-Amz-Expires must be a number of seconds between 1 and 604800."), err)
	_, err = verify(v, inQuery("604800", nil), payload)
	require.Equal(t, incomplete("X-Amz-Expires must be a number of seconds between 1 and 900."), err)
}

func TestTemporaryCredentials(t *testing.T) {
	temporary := func(expires time.Time) oneKey {
		return oneKey{id: "ASIDALICE", token: token, key: Key[string]{Secret: secret, Principal: "alice", Expires: expires}}
	}
	header := inHeader(func(c *claim) { c.id, c.token, c.signed = "ASIDALICE", token, "host;x-amz-date;x-amz-security-token" })
	query := inQuery("60", func(c *claim) { c.id, c.token = "ASIDALICE", token })
	presigned := claimed(func(c *claim) { c.id, c.signed = "ASIDALICE", "host;x-amz-security-token" })
	tokenInHeader := with(inQuery("60", func(c *claim) { c.id, c.signed = presigned.id, presigned.signed }), "X-Amz-Security-Token", token)
	tokenInHeader.Query, _, _ = strings.Cut(tokenInHeader.Query, "&X-Amz-Signature=")
	tokenInHeader.Query += "&X-Amz-Signature=" + presigned.signature(tokenInHeader)
	wrongSecret := inHeader(func(c *claim) {
		c.id, c.secret, c.token, c.signed = "ASIDALICE", "another", token, "host;x-amz-date;x-amz-security-token"
	})

	expired := &Error{ExpiredToken, "The security token included in the request is expired"}
	invalid := &Error{UnknownKey, "The security token included in the request is invalid."}
	for _, tt := range []struct {
		name    string
		expires time.Time
		req     Request
		want    error
	}{
		{"a token in the header", now.Add(1), header, nil},
		{"a token in the query", now.Add(1), query, nil},
		{"a token in a signed header of a presigned request", now.Add(1), tokenInHeader, nil},
		{"credentials that never expire", time.Time{}, header, nil},
		{"credentials that expire now", now, header, expired},
		{"credentials that have expired", now.Add(-time.Hour), query, expired},
		{"whoever cannot sign does not learn that they have expired", now.Add(-time.Hour), wrongSecret, mismatch()},
		{"no token", now.Add(1), inHeader(func(c *claim) { c.id = "ASIDALICE" }), invalid},
		{"another token", now.Add(1), inHeader(func(c *claim) { c.id, c.token, c.signed = "ASIDALICE", "other", "host;x-amz-date;x-amz-security-token" }), invalid},
		{"a token in the header and in the query", now.Add(1), with(query, "X-Amz-Security-Token", token), &Error{HeaderNotSigned, "'x-amz-security-token' must be a 'SignedHeader' in the AWS Authorization."}},
		{"two tokens in the header", now.Add(1), with(header, "X-Amz-Security-Token", token, token), incomplete("Found more than one 'X-Amz-Security-Token'.")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := verify(newVerifier(temporary(tt.expires), config), tt.req, payload)
			require.Equal(t, tt.want, err)
		})
	}
}

type keySourceFunc func(accessKeyID, sessionToken string) (Key[string], error)

func (f keySourceFunc) Key(_ context.Context, accessKeyID, sessionToken string) (Key[string], error) {
	return f(accessKeyID, sessionToken)
}

func TestAFailingKeySourceIsNotARefusal(t *testing.T) {
	failure := errors.New("disk on fire")
	v := newVerifier(keySourceFunc(func(string, string) (Key[string], error) { return alice.key, failure }), config)
	identity, err := verify(v, inHeader(nil), payload)
	require.Nil(t, identity)
	require.ErrorIs(t, err, failure)
	require.EqualError(t, err, `look up access key "AKIDALICE": disk on fire`)
	require.NotErrorAs(t, err, new(*Error))
}

func TestAnEmptySecretNeverVerifies(t *testing.T) {
	v := newVerifier(keySourceFunc(func(string, string) (Key[string], error) { return Key[string]{Principal: "alice"}, nil }), config)
	for _, empty := range []string{"", dummySecret} {
		_, err := verify(v, inHeader(func(c *claim) { c.secret = empty }), payload)
		require.Equal(t, &Error{UnknownKey, "The security token included in the request is invalid."}, err)
	}
}

func TestParseNeedsNeitherKeyNorBody(t *testing.T) {
	v := newVerifier(nil, config)
	auth, err := v.Parse(inQuery("60", func(c *claim) { c.service, c.region = "sts", "eu-west-1" }))
	require.NoError(t, err)
	require.Equal(t, Authorization{
		AccessKeyID: "AKIDALICE", Date: now, Region: "eu-west-1", Service: "sts",
		SignedHeaders: "host", Presigned: true, Expires: time.Minute,
	}, public(auth))
}

func TestContentLengthStandsInForAHeaderThatIsNotThere(t *testing.T) {
	c := claimed(func(c *claim) { c.signed = "content-length;host;x-amz-date" })
	req := c.authorize(Request{
		Method: "POST", Path: "/", Host: "iam.example.com", ContentLength: int64(len(body)),
		Header: http.Header{"X-Amz-Date": {c.time}, "Content-Length": {"35"}},
	})
	delete(req.Header, "Content-Length")
	v := newVerifier(alice, config)
	_, err := verify(v, req, payload)
	require.NoError(t, err)
	for _, length := range []int64{34, -1} {
		req.ContentLength = length
		_, err = verify(v, req, payload)
		require.Equal(t, mismatch(), err)
	}
}

func TestErrorsNeverHoldASignatureOrAToken(t *testing.T) {
	signed := inHeader(func(c *claim) { c.token, c.signed = token, "host;x-amz-date;x-amz-security-token" })
	value := signed.Header.Get("Authorization")
	_, signature, _ := strings.Cut(value, "Signature=")
	v := newVerifier(alice, config)
	for i := range value {
		for _, changed := range []string{value[:i], value[i:], value[:i] + " " + value[i:], value[:i] + "," + value[i:], value[:i] + "=" + value[i:]} {
			_, err := verify(v, with(signed, "Authorization", changed), payload)
			require.Error(t, err, changed)
			require.NotContains(t, err.Error(), signature[:16], changed)
			require.NotContains(t, err.Error(), token, changed)
		}
	}
}

func TestASigningKeyIsCachedOnlyOnceItVerified(t *testing.T) {
	v := newVerifier(alice, config)
	size := func() int { return len(v.cache.young) + len(v.cache.old) }
	for i := range 10 {
		region := fmt.Sprintf("region-%d", i)
		for _, change := range []func(*claim){
			func(c *claim) { c.secret = "another" },
			func(c *claim) { c.id = "AKIDNOBODY" },
			func(c *claim) { c.id, c.secret = "AKIDNOBODY", dummySecret },
		} {
			_, err := verify(v, inHeader(func(c *claim) { c.region = region; change(c) }), payload)
			require.Error(t, err)
		}
	}
	require.Equal(t, 0, size())
	_, err := verify(v, inHeader(nil), payload)
	require.NoError(t, err)
	require.Equal(t, 1, size())
}

func TestACachedKeyIsOfNoUseOnceTheSecretHasChanged(t *testing.T) {
	current := secret
	v := newVerifier(keySourceFunc(func(string, string) (Key[string], error) {
		return Key[string]{Secret: current, Principal: "alice"}, nil
	}), config)
	for range 2 {
		_, err := verify(v, inHeader(nil), payload)
		require.NoError(t, err)
	}
	current = "rotated"
	for range 2 {
		_, err := verify(v, inHeader(nil), payload)
		require.Equal(t, mismatch(), err)
		_, err = verify(v, inHeader(func(c *claim) { c.secret = "rotated" }), payload)
		require.NoError(t, err)
	}
}

func TestAKeyIsOfNoUseOnceTheKeySourceForgetsIt(t *testing.T) {
	known := true
	v := newVerifier(keySourceFunc(func(string, string) (Key[string], error) {
		if !known {
			return Key[string]{}, ErrUnknownKey
		}
		return alice.key, nil
	}), config)
	_, err := verify(v, inHeader(nil), payload)
	require.NoError(t, err)
	known = false
	_, err = verify(v, inHeader(nil), payload)
	require.Equal(t, &Error{UnknownKey, "The security token included in the request is invalid."}, err)
}

func TestARefusalCostsTheSameWhetherTheKeyExistsOrIsInUse(t *testing.T) {
	v := newVerifier(keySourceFunc(func(id, _ string) (Key[string], error) {
		if id != alice.id {
			return Key[string]{}, ErrUnknownKey
		}
		return alice.key, nil
	}), config)
	_, err := verify(v, inHeader(nil), payload)
	require.NoError(t, err)
	cost := func(change func(*claim)) float64 {
		req := inHeader(change)
		return testing.AllocsPerRun(100, func() {
			if _, err := verify(v, req, payload); err == nil {
				t.Error("verified")
			}
		})
	}
	cached := cost(func(c *claim) { c.secret = "another" })
	notCached := cost(func(c *claim) { c.secret, c.region = "another", "other" })
	unknown := cost(func(c *claim) { c.id = "AKIDNOBODY" })
	derivation := testing.AllocsPerRun(100, func() { deriveKey(secret, cacheKey{}) })
	require.InDelta(t, unknown, cached, derivation/2)
	require.InDelta(t, unknown, notCached, derivation/2)
}

func TestTheCacheIsBounded(t *testing.T) {
	c := newKeyCache(2)
	id := func(s string) cacheKey { return cacheKey{accessKeyID: s} }
	has := func(s string) bool {
		key, _ := c.get(id(s), "secret")
		return key != nil
	}
	put := func(s string, now time.Time) { c.put(id(s), "secret", &signingKey{}, now) }

	put("a", now)
	put("b", now)
	put("c", now)
	require.True(t, has("a") && has("b") && has("c"))
	_, young := c.get(id("a"), "secret")
	require.False(t, young, "a is of the old generation")
	put("a", now)
	put("d", now)
	require.Equal(t, []bool{true, false, true, true}, []bool{has("a"), has("b"), has("c"), has("d")}, "b was not used since")

	put("e", now.Add(cacheAge))
	require.Equal(t, []bool{false, true, true}, []bool{has("b"), has("d"), has("e")})
	put("f", now.Add(2*cacheAge))
	require.Equal(t, []bool{false, false, true, true}, []bool{has("a"), has("d"), has("e"), has("f")}, "a day old")
	for i := range 100 {
		put(strconv.Itoa(i), now)
		require.LessOrEqual(t, len(c.young)+len(c.old), 4)
	}
}

func TestAVerifierIsSafeForConcurrentUse(t *testing.T) {
	v := newVerifier(alice, config)
	v.cache = newKeyCache(3)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 100 {
				region := fmt.Sprintf("region-%d", (g+i)%8)
				if _, err := verify(v, inHeader(func(c *claim) { c.region = region }), payload); err != nil {
					t.Error(err)
				}
				if _, err := verify(v, inHeader(func(c *claim) { c.region, c.secret = region, "another" }), payload); err == nil {
					t.Error("verified with another secret")
				}
			}
		})
	}
	wg.Wait()
}

func TestReasonsHaveNames(t *testing.T) {
	for r := MissingAuthentication; r <= MissingPayloadHash; r++ {
		require.NotEmpty(t, r.String())
		require.NotContains(t, r.String(), "(")
	}
	require.Equal(t, "Reason(0)", Reason(0).String())
	require.Equal(t, "Reason(14)", (MissingPayloadHash + 1).String())
	require.EqualError(t, missingAuthentication(), "MissingAuthentication: Request is missing Authentication Token")
}
