package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"
)

// Whatever a key that is denied is written like, it is denied or refused; but where
// the store tells all keys apart, what another key is written like is another key.
func storyAliases(t *testing.T, o *objects) {
	if o.exact {
		storyExactKeys(t, o)
		return
	}
	b := o.bucket(t, "aliases", []string{"private/x", "public/x"})
	user := o.user(t, "user", allow("*", b+" "+b+"/*"), deny("*", b+"/private/*"))
	for _, alias := range []string{
		"private/x", "private//x", "/private/x", "./private/x", "private/./x", "a/../private/x", "public/../private/x", "private/x/", "private/x/.",
		"%70rivate/x", "private%2fx", "private%2Fx", "private/x%00", "private%00/x", "public%2f..%2fprivate/x", "..%2f" + b + "/private/x", ".sgwtmp/../private/x", ".sgwtmp/x", "%2Esgwtmp/x", "private/%78",
	} {
		target := "/" + b + "/" + alias
		for _, m := range []message{
			{method: "GET", target: target},
			{method: "HEAD", target: target},
			{method: "GET", target: target + "?tagging"},
			{method: "GET", target: target + "?attributes", header: http.Header{"X-Amz-Object-Attributes": {"ETag"}}},
			{method: "DELETE", target: target},
			{method: "PUT", target: target, body: "changed"},
			{method: "POST", target: target + "?uploads"},
			{method: "PUT", target: "/" + b + "/stolen", header: http.Header{"X-Amz-Copy-Source": {b + "/" + alias}}},
			{method: "POST", target: "/" + b + "?delete", body: "<Delete><Object><Key>" + alias + "</Key></Object></Delete>"},
		} {
			if strings.Contains(m.body, "<Key>") && strings.Contains(alias, "%") {
				continue // there, that is another key
			}
			a := o.send(t, user, m)
			if strings.Contains(m.body, "<Key>") && a.status == 200 {
				require.Equal(t, "AccessDenied", element(a.body, "Code"), "delete %s", alias)
				continue
			}
			require.Contains(t, []int{400, 403}, a.status, "%s %s: %s", m.method, alias, a.body)
		}
	}
	require.Equal(t, "200 private/x", o.get(t, o.root, b, "private/x"))
	require.Equal(t, "404 NoSuchKey", o.get(t, o.root, b, "stolen"))
	// Of names that only look alike each is its own.
	require.Equal(t, "200", o.send(t, user, message{method: "PUT", target: "/" + b + "/PRIVATE/x", body: "other"}).String())
	require.Equal(t, "200 private/x", o.get(t, o.root, b, "private/x"))
	// A bucket in the host is the same bucket.
	host := b + ".s3.localhost"
	require.Equal(t, "403 AccessDenied", o.send(t, user, message{method: "GET", target: "/private/x", host: host}).String())
	require.Equal(t, "200", o.send(t, user, message{method: "GET", target: "/public/x", host: host}).String())
	require.Equal(t, "404 NoSuchKey", o.send(t, user, message{method: "GET", target: "/" + b + "/private/x", host: host}).String(), "the path is all key")
}

// A body that is not what was signed leaves nothing. All ways are tried at the
// gateway; here it is the whole server that has to keep to it.
func storySpoiledBodies(t *testing.T, o *objects) {
	b := o.bucket(t, "spoiled", []string{"old"})
	user := o.user(t, "user", allow("*", b+" "+b+"/*"))
	for _, size := range []int{100, 300_000} {
		data := string(someBytes(size))
		for name, m := range map[string]message{
			"a wrong payload hash": {payload: strings.Repeat("0", 64), body: data},
			"a wrong checksum":     {payload: "UNSIGNED-PAYLOAD", body: data, header: http.Header{"X-Amz-Checksum-Crc32": {"AAAAAA=="}}},
			"a wrong trailer": {
				payload: "STREAMING-UNSIGNED-PAYLOAD-TRAILER", body: fmt.Sprintf("%x\r\n%s\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", size, data),
				header: http.Header{"X-Amz-Trailer": {"x-amz-checksum-crc32"}, "X-Amz-Decoded-Content-Length": {strconv.Itoa(size)}},
			},
			"a wrong last chunk": {
				payload: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", body: fmt.Sprintf("%x;chunk-signature=%064d\r\n%s\r\n0;chunk-signature=%064d\r\n\r\n", size, 0, data, 0),
				header: http.Header{"X-Amz-Decoded-Content-Length": {strconv.Itoa(size)}},
			},
			"a wrong decoded length": {
				payload: "STREAMING-UNSIGNED-PAYLOAD-TRAILER", body: fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", size, data),
				header: http.Header{"X-Amz-Decoded-Content-Length": {strconv.Itoa(size + 1)}},
			},
		} {
			for _, key := range []string{"old", "new"} {
				m.method, m.target = "PUT", "/"+b+"/"+key
				require.Contains(t, []int{400, 403}, o.send(t, user, m).status, name)
			}
			require.Equal(t, []string{"200 old", "404 NoSuchKey"}, []string{o.get(t, user, b, "old"), o.get(t, user, b, "new")}, "%s of %d bytes", name, size)
		}
	}
	// A policy whose body is not the one that was signed is none.
	m := message{method: "PUT", target: "/" + b + "?policy", body: document(allow("GetObject", b+"/*", everyone)), payload: strings.Repeat("0", 64)}
	require.Equal(t, "400 XAmzContentSHA256Mismatch", o.send(t, user, m).String())
	require.Equal(t, "404 NoSuchBucketPolicy", o.send(t, user, message{method: "GET", target: "/" + b + "?policy"}).String())
}

// presigned is an address that somebody has signed, good for seconds.
func (o *objects) presigned(t testing.TB, by aws.Credentials, method, target string, seconds int, at time.Time) string {
	t.Helper()
	separator := "?"
	if strings.Contains(target, "?") {
		separator = "&"
	}
	r, err := http.NewRequestWithContext(t.Context(), method, o.url+target+separator+"X-Amz-Expires="+strconv.Itoa(seconds), nil)
	require.NoError(t, err)
	signer := v4.NewSigner(func(options *v4.SignerOptions) { options.DisableURIPathEscaping = true })
	address, _, err := signer.PresignHTTP(t.Context(), by, r, "UNSIGNED-PAYLOAD", "s3", "us-east-1", at)
	require.NoError(t, err)
	return address
}

// A presigned request is what was signed, for as long as was signed, and as long as
// its signer may do it.
func storyPresigned(t *testing.T, o *objects) {
	b := o.bucket(t, "presigned", []string{"a", "secret/a"})
	user := o.user(t, "user", allow("GetObject PutObject", b+"/*"), deny("*", b+"/secret/*"), deny("PutObject", b+"/headers/*", `"Condition":{"StringNotEquals":{"s3:authType":"REST-HEADER"}}`))
	send := func(method, address, body string, header http.Header) string {
		r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
		require.NoError(t, err)
		for name, values := range header {
			r.Header[name] = values
		}
		a := receive(t, r)
		if a.status == 200 {
			return "200 " + a.body
		}
		return a.String() + ": " + a.message()
	}
	now, hour := time.Now(), 3600
	get := o.presigned(t, user, "GET", "/"+b+"/a", hour, now)
	require.Equal(t, "200 a", send("GET", get, "", nil))
	const changed = "403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method."
	require.Equal(t, changed, send("GET", get+"&versionId=null", "", nil))
	require.Equal(t, changed, send("GET", get+"&response-content-type=text/html", "", nil))
	require.Equal(t, changed, send("GET", get+"&x-ignored=1", "", nil))
	require.Equal(t, changed, send("GET", strings.Replace(get, "/a?", "/secret/a?", 1), "", nil))
	require.Equal(t, changed, send("DELETE", get, "", nil))
	require.Equal(t, changed, send("PUT", get, "x", nil))
	require.Contains(t, send("GET", get+"&tagging", "", nil), "403 SignatureDoesNotMatch")
	require.Contains(t, send("GET", get, "", http.Header{"Authorization": {"AWS4-HMAC-SHA256 x"}}), "400 InvalidArgument")
	require.Equal(t, "403 AccessDenied: Request has expired", send("GET", o.presigned(t, user, "GET", "/"+b+"/a", 60, now.Add(-2*time.Minute)), "", nil))
	require.Contains(t, send("GET", o.presigned(t, user, "GET", "/"+b+"/a", 7*24*3600+1, now), "", nil), "400 AuthorizationQueryParametersError")
	require.Contains(t, send("GET", o.presigned(t, user, "GET", "/"+b+"/secret/a", hour, now), "", nil), "403 AccessDenied")
	put := o.presigned(t, user, "PUT", "/"+b+"/b", hour, now)
	require.Contains(t, send("PUT", put, "x", http.Header{"X-Amz-Tagging": {"a=b"}}), "403 AccessDenied", "what adds a header adds a right")
	require.Contains(t, send("PUT", put, "x", http.Header{"X-Amz-Copy-Source": {"/" + b + "/a"}}), "403 AccessDenied")
	require.Equal(t, "200 ", send("PUT", put, "x", nil))
	require.Equal(t, "200 x", o.get(t, o.root, b, "b"))
	require.Contains(t, send("PUT", o.presigned(t, user, "PUT", "/"+b+"/headers/a", hour, now), "x", nil), "403 AccessDenied")
	require.Equal(t, 200, o.send(t, user, message{method: "PUT", target: "/" + b + "/headers/a", body: "x"}).status)
	// However a value is written, policies are held against what the store reads.
	strict := o.user(t, "strict", allow("PutObject", b+"/*"), deny("PutObject", b+"/*", `"Condition":{"StringEquals":{"s3:x-amz-storage-class":"STANDARD_IA"}}`))
	for _, class := range []string{"STANDARD_IA", "%20STANDARD_IA", "STANDARD_IA%20", "%09STANDARD_IA", "+STANDARD_IA"} {
		require.Contains(t, send("PUT", o.presigned(t, strict, "PUT", "/"+b+"/b?x-amz-storage-class="+class, hour, now), "y", nil), "403 AccessDenied", class)
	}
	require.Contains(t, send("PUT", o.presigned(t, strict, "PUT", "/"+b+"/b?x-amz-meta-a=b%0d%0ac:d", hour, now), "y", nil), "400 InvalidURI")
	require.Equal(t, "200 x", o.get(t, o.root, b, "b"))

	o.iam.must(t, "UpdateAccessKey", "UserName", o.name("user"), "AccessKeyId", user.AccessKeyID, "Status", "Inactive")
	require.Contains(t, send("GET", get, "", nil), "403 InvalidAccessKeyId")
}

// A signature for one service is none for another, and S3 gives no rights in IAM.
func storyServices(t *testing.T, o *objects) {
	b := o.bucket(t, "services", []string{"a"})
	user := o.user(t, "user", allow("*", "*"))
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	list := "Action=ListUsers&Version=2010-05-08"
	for name, tt := range map[string]struct {
		m    message
		want string
	}{
		"an action of IAM without the right":           {message{method: "POST", target: "/", service: "iam", body: list, header: form}, "403 AccessDenied"},
		"an action of IAM, signed for S3":              {message{method: "POST", target: "/", body: list, header: form}, "405 MethodNotAllowed"},
		"an action of IAM in the query, signed for S3": {message{method: "GET", target: "/?" + list}, "501 NotImplemented"},
		"an action of IAM at a bucket":                 {message{method: "POST", target: "/" + b, service: "iam", body: list, header: form}, "404 "},
		"an object, signed for IAM":                    {message{method: "GET", target: "/" + b + "/a", service: "iam"}, "404 "},
		"an object, signed for STS":                    {message{method: "GET", target: "/" + b + "/a", service: "sts"}, "404 "},
		"an object, signed for nothing that there is":  {message{method: "GET", target: "/" + b + "/a", service: "ec2"}, "404 "},
		"the buckets, signed for IAM":                  {message{method: "GET", target: "/", service: "iam"}, "400 "},
		"a bucket that is named like a path of others": {message{method: "GET", target: "/metrics"}, "404 NoSuchBucket"},
		"and one like an action":                       {message{method: "GET", target: "/WriteGetObjectResponse"}, "405 MethodNotAllowed"},
		"the admin page":                               {message{method: "GET", target: "/healthz"}, "40"},
	} {
		require.True(t, strings.HasPrefix(o.send(t, user, tt.m).String()+" ", tt.want), "%s: %s", name, o.send(t, user, tt.m))
	}
	// Unsigned, a call of IAM is one, and gets nothing.
	require.Equal(t, "403 MissingAuthenticationToken", o.send(t, unsigned, message{method: "POST", target: "/", body: list, header: form}).String())
	if !o.local {
		storyOtherAPIs(t, o, user, b)
	}
	// A bucket may have any other name.
	metrics := "metrics"
	require.Equal(t, "200", o.send(t, o.root, message{method: "PUT", target: "/" + metrics}).String())
	o.put(t, metrics, "metrics", "an object")
	require.Equal(t, "200 an object", o.get(t, o.root, metrics, "metrics"))
	require.Equal(t, "403 AccessDenied", o.get(t, unsigned, metrics, "metrics"))
	require.Equal(t, "204", o.send(t, o.root, message{method: "DELETE", target: "/" + metrics + "/metrics"}).String())
	require.Equal(t, "204", o.send(t, o.root, message{method: "DELETE", target: "/" + metrics}).String())
}

// Other stores have APIs of their own beside S3, for which the credentials of this
// server are good as well.
func storyOtherAPIs(t *testing.T, o *objects, user aws.Credentials, bucket string) {
	t.Helper()
	for _, m := range []message{
		{method: "GET", target: "/minio/admin/v3/info"},
		{method: "GET", target: "/minio/admin/v3/list-users"},
		{method: "HEAD", target: "/minio/health/live"},
		{method: "PUT", target: "/minio/admin/v3/set-user-status", body: "x"},
		{method: "POST", target: "/minio/admin/v3/service?uploads"},
		{method: "GET", target: "/%6dinio/admin/v3/info"},
		{method: "GET", target: "/admin/v3/info", host: "minio.s3.localhost"},
		{method: "GET", target: "/admin/user"},
		{method: "PUT", target: "/" + bucket + "/stolen", header: http.Header{"X-Amz-Copy-Source": {"/minio/admin/v3/info"}}},
		{method: "PUT", target: "/swift"},
	} {
		for _, by := range []aws.Credentials{user, o.root} {
			a := o.send(t, by, m)
			require.Equal(t, 400, a.status, "%s %s: %s", m.method, m.target, a.body)
		}
	}
}

// What two readers could take for two requests is refused, and nothing becomes of it.
func storySmuggling(t *testing.T, o *objects) {
	b := o.bucket(t, "ambiguous", []string{"a"})
	user := o.user(t, "user", allow("*", b+" "+b+"/*"))
	r := o.request(t, user, message{method: "PUT", target: "/" + b + "/k", body: "hello", payload: "UNSIGNED-PAYLOAD"})
	var head strings.Builder
	fmt.Fprintf(&head, "PUT /%s/k HTTP/1.1\r\nHost: %s\r\nContent-Length: 5\r\n", b, r.URL.Host)
	require.NoError(t, r.Header.Write(&head))
	signed := head.String() + "\r\n"
	with := func(header string) string { return strings.TrimSuffix(signed, "\r\n") + header + "\r\n\r\n" }
	for name, request := range map[string]string{
		"a header twice":                with("X-Amz-Acl: private\r\nX-Amz-Acl: public-read"),
		"two signatures":                with("Authorization: AWS4-HMAC-SHA256 x"),
		"two lengths":                   with("Content-Length: 6"),
		"a length and chunks":           with("Transfer-Encoding: chunked"),
		"another coding":                with("Transfer-Encoding: gzip"),
		"a source that is not signed":   with("X-Amz-Copy-Source: /" + b + "/a"),
		"tags that are not signed":      with("X-Amz-Tagging: a=b"),
		"another host":                  strings.Replace(signed, "Host: ", "Host: x", 1),
		"another path":                  strings.Replace(signed, "/k HTTP", "/k2 HTTP", 1),
		"a semicolon in the query":      strings.Replace(signed, "/k HTTP", "/k?a;b HTTP", 1),
		"an operation beside the other": strings.Replace(signed, "/k HTTP", "/k?tagging HTTP", 1),
		"no escape at all":              strings.Replace(signed, "/k HTTP", "/k%zz HTTP", 1),
	} {
		connection, err := net.Dial("tcp", r.URL.Host)
		require.NoError(t, err)
		_, err = io.WriteString(connection, request+"hello")
		require.NoError(t, err)
		require.NoError(t, connection.(*net.TCPConn).CloseWrite()) // no more is to come
		response, err := http.ReadResponse(bufio.NewReader(connection), r)
		require.NoError(t, err, name)
		require.Contains(t, []int{400, 403, 501}, response.StatusCode, name)
		require.NoError(t, response.Body.Close())
		require.NoError(t, connection.Close())
		require.Equal(t, "404 NoSuchKey", o.get(t, user, b, "k"), name)
	}
	// And it is only these changes that are refused.
	a := receive(t, o.request(t, user, message{method: "PUT", target: "/" + b + "/k", body: "hello", payload: "UNSIGNED-PAYLOAD"}))
	require.Equal(t, "200", a.String())
}

// Pages of other sites see what the rules of the bucket say, and can do no more than
// anybody else; without rules, nothing.
func storyOtherSites(t *testing.T, o *objects) {
	b := o.bucket(t, "sites", []string{"a"})
	preflight := func(target, origin, method string) answer {
		return o.send(t, unsigned, message{method: "OPTIONS", target: target, header: http.Header{"Origin": {origin}, "Access-Control-Request-Method": {method}, "Access-Control-Request-Headers": {"x-amz-date"}}})
	}
	const page = "https://page.example.com"
	for _, target := range []string{"/", "/" + b, "/" + b + "/a", "/" + o.name("none"), "/" + o.name("none") + "/a", "/B_"} {
		a := preflight(target, page, "GET")
		require.Equal(t, "403 AccessForbidden", a.String(), target)
		require.Equal(t, "CORSResponse: CORS is not enabled for this bucket.", a.message())
		require.Empty(t, a.header.Get("Access-Control-Allow-Origin"))
		require.Equal(t, "400 BadRequest", o.send(t, unsigned, message{method: "OPTIONS", target: target}).String())
		require.Equal(t, "400 BadRequest", preflight(target, page, "PATCH").String())
	}

	user, c := o.user(t, "user", allow("GetObject GetBucketCORS", b+" "+b+"/*")), o.sdk(o.root)
	_, err := c.GetBucketCors(t.Context(), &awss3.GetBucketCorsInput{Bucket: &b})
	require.Equal(t, "NoSuchCORSConfiguration", outcome(err))
	rules := []types.CORSRule{
		{AllowedOrigins: []string{"https://*.example.com"}, AllowedMethods: []string{"GET", "PUT"}, AllowedHeaders: []string{"x-amz-*", "authorization"}, ExposeHeaders: []string{"ETag"}, MaxAgeSeconds: aws.Int32(60)},
		{AllowedOrigins: []string{"*"}, AllowedMethods: []string{"HEAD"}, ID: aws.String("anyone")},
	}
	configuration := &types.CORSConfiguration{CORSRules: rules}
	_, err = o.sdk(user).PutBucketCors(t.Context(), &awss3.PutBucketCorsInput{Bucket: &b, CORSConfiguration: configuration})
	require.Equal(t, "AccessDenied", outcome(err))
	_, err = c.PutBucketCors(t.Context(), &awss3.PutBucketCorsInput{Bucket: &b, CORSConfiguration: configuration})
	require.NoError(t, err)
	kept, err := o.sdk(user).GetBucketCors(t.Context(), &awss3.GetBucketCorsInput{Bucket: &b})
	require.NoError(t, err)
	require.Equal(t, rules, kept.CORSRules)

	a := preflight("/"+b+"/a", page, "PUT")
	require.Equal(t, "200", a.String())
	require.Equal(t, []string{page, "GET, PUT", "x-amz-date", "ETag", "60", "true"}, []string{
		a.header.Get("Access-Control-Allow-Origin"), a.header.Get("Access-Control-Allow-Methods"), a.header.Get("Access-Control-Allow-Headers"),
		a.header.Get("Access-Control-Expose-Headers"), a.header.Get("Access-Control-Max-Age"), a.header.Get("Access-Control-Allow-Credentials"),
	})
	require.Equal(t, []string{"Origin", "Access-Control-Request-Headers", "Access-Control-Request-Method"}, a.header.Values("Vary"))
	// Whether there is such an object, and who may read it, is not what is asked.
	require.Equal(t, a.header.Get("Access-Control-Allow-Origin"), preflight("/"+b+"/none", page, "PUT").header.Get("Access-Control-Allow-Origin"))
	for _, tt := range []struct{ origin, method string }{{"https://example.org", "GET"}, {page, "DELETE"}, {page, "HEAD"}} {
		a := preflight("/"+b+"/a", tt.origin, tt.method)
		require.Equal(t, "403 AccessForbidden", a.String(), tt)
		require.Empty(t, a.header.Get("Access-Control-Allow-Origin"), tt)
	}
	// The answer itself says so too, and so does an error. It is decided as ever.
	from := func(by aws.Credentials, method, target, origin string) []string {
		a := o.send(t, by, message{method: method, target: target, header: http.Header{"Origin": {origin}}})
		return []string{a.String(), a.header.Get("Access-Control-Allow-Origin")}
	}
	require.Equal(t, []string{"200", page}, from(user, "GET", "/"+b+"/a", page))
	require.Equal(t, []string{"403 AccessDenied", page}, from(unsigned, "GET", "/"+b+"/a", page))
	require.Equal(t, []string{"403 AccessDenied", page}, from(user, "PUT", "/"+b+"/a", page))
	require.Equal(t, []string{"200", ""}, from(user, "GET", "/"+b+"/a", "https://example.org"))
	require.Equal(t, []string{"200", "*"}, from(user, "HEAD", "/"+b+"/a", "https://example.org"))

	require.Equal(t, "204", o.send(t, o.root, message{method: "DELETE", target: "/" + b + "?cors"}).String())
	require.Equal(t, "403 AccessForbidden", preflight("/"+b+"/a", page, "PUT").String())
	require.Equal(t, []string{"200", ""}, from(user, "GET", "/"+b+"/a", page))
	// They go with the bucket.
	_, err = c.PutBucketCors(t.Context(), &awss3.PutBucketCorsInput{Bucket: &b, CORSConfiguration: configuration})
	require.NoError(t, err)
	require.Equal(t, "204", o.send(t, o.root, message{method: "DELETE", target: "/" + b + "/a"}).String())
	require.Equal(t, "204", o.send(t, o.root, message{method: "DELETE", target: "/" + b}).String())
	require.Equal(t, "403 AccessForbidden", preflight("/"+b+"/a", page, "PUT").String())
	require.Equal(t, "200", o.send(t, o.root, message{method: "PUT", target: "/" + b}).String())
	require.Equal(t, "404 NoSuchCORSConfiguration", o.send(t, o.root, message{method: "GET", target: "/" + b + "?cors"}).String())
}

// The audit log has who did what to which object, and nothing secret.
func storyAudit(t *testing.T, o *objects) {
	b := o.bucket(t, "audit", []string{"a"})
	user := o.user(t, "user", allow("GetObject", b+"/a"))
	require.Equal(t, "200 a", o.get(t, user, b, "a"))
	require.Equal(t, "403 AccessDenied", o.get(t, user, b, "b"))
	require.Equal(t, "403 AccessDenied", o.get(t, unsigned, b, "a"))
	text, err := os.ReadFile(o.audit)
	require.NoError(t, err)
	type record struct {
		EventSource, EventName, ErrorCode string
		UserIdentity                      struct{ Type, UserName, AccessKeyID string }
		RequestParameters                 struct{ BucketName, Key string }
	}
	var found []record
	for line := range strings.Lines(string(text)) {
		var r record
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		if r.EventName == "GetObject" && r.RequestParameters.BucketName == b {
			r.UserIdentity.AccessKeyID = ""
			found = append(found, r)
		}
	}
	want := func(kind, name, key, code string) record {
		r := record{EventSource: "s3.amazonaws.com", EventName: "GetObject", ErrorCode: code}
		r.UserIdentity.Type, r.UserIdentity.UserName = kind, name
		r.RequestParameters.BucketName, r.RequestParameters.Key = b, key
		return r
	}
	require.Subset(t, found, []record{want("IAMUser", o.name("user"), "a", ""), want("IAMUser", o.name("user"), "b", "AccessDenied")})
	for _, secret := range []string{user.SecretAccessKey, o.root.SecretAccessKey, "X-Amz-Signature", "Signature="} {
		require.NotContains(t, string(text), secret)
	}
}
