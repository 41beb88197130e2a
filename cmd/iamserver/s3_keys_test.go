package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"
)

// What could be taken for "private/x" by somebody, as it stands in the path of a
// request. In a store that tells all keys apart each is another object.
var exactAliases = []string{
	"private/x", "private//x", "private/./x", "private/x/", "private/x/.", "private/x/..", "private/../private/x", "private%2fx", "private%2Fx", "private/%78", "%70rivate/x", "private/x%00",
	"/private/x", "//private/x", "./private/x", ".//private/x", "../private/x", "a/../private/x", "public/../private/x", "public//../private/x", "public%2f..%2fprivate/x", "%2e%2e/private/x", "%2E/private/x", "..%2fprivate/x",
	"private%00/x", "private", "private%252fx", "private%255cx", "private%5cx", "PRIVATE/x", "private%20/x", "private+/x", "private;/x", "private?/x", "private%3f/x", "private%23/x",
	"privat%D0%B5/x", "%EF%BD%90rivate/x", "private%EF%BC%8Fx", "private%E2%81%84x", "private%E2%80%8B/x", "private%CC%81/x", ".sgwtmp/../private/x", ".uploads/x", ".", "..", "%2f", "%2f%2f", "%20",
}

// In a store that tells all keys apart, a key is decided as exactly that key, and that
// is what the store is asked for: never what a policy denies.
func storyExactKeys(t *testing.T, o *objects) {
	b := o.bucket(t, "exact", []string{"private/x"})
	user := o.user(t, "user", allow("*", b+" "+b+"/*"), deny("*", b+"/private/*"))
	there := map[string]bool{}
	for _, alias := range exactAliases {
		path, _, _ := strings.Cut(alias, "?")
		key, err := url.PathUnescape(path)
		require.NoError(t, err)
		if strings.Contains(alias, "?") {
			// The rest is a query, of which S3 knows nothing.
			require.Equal(t, "501 NotImplemented", o.send(t, user, message{method: "GET", target: "/" + b + "/" + alias}).String())
			continue
		}
		denied := strings.HasPrefix(key, "private/")
		there[key] = !denied
		attempt := func(m message, about ...asked) answer {
			t.Helper()
			o.forget()
			a := o.send(t, user, m)
			what := fmt.Sprintf("%s %s of %q: %s", m.method, m.target, key, a.body)
			if denied {
				require.Equal(t, http.StatusForbidden, a.status, what)
				about = nil
			} else {
				require.Less(t, a.status, 300, what)
			}
			if o.asked != nil {
				require.Equal(t, about, o.forget(), what)
			}
			return a
		}
		self, target := asked{b, key}, "/"+b+"/"+path
		stolen := asked{b, "stolen"}
		tagging := "<Tagging><TagSet><Tag><Key>of</Key><Value>it</Value></Tag></TagSet></Tagging>"

		attempt(message{method: "PUT", target: target, body: key}, self)
		attempt(message{method: "PUT", target: target, body: string(someBytes(300_000)), payload: "UNSIGNED-PAYLOAD"}, self)
		attempt(message{method: "PUT", target: target, body: key}, self)
		if a := attempt(message{method: "GET", target: target}, self); !denied {
			require.Equal(t, key, a.body)
		}
		if path[0] != '/' {
			attempt(message{method: "GET", target: "/" + path, host: b + ".s3.localhost"}, self)
		}
		attempt(message{method: "HEAD", target: target}, self)
		attempt(message{method: "PUT", target: target + "?tagging", body: tagging}, self)
		attempt(message{method: "GET", target: target + "?tagging"}, self)
		attempt(message{method: "DELETE", target: target + "?tagging"}, self)
		attempt(message{method: "GET", target: target + "?attributes", header: http.Header{"X-Amz-Object-Attributes": {"ObjectSize"}}}, self)
		attempt(message{method: "PUT", target: "/" + b + "/stolen", header: http.Header{"X-Amz-Copy-Source": {b + "/" + path}}}, stolen, self)
		attempt(message{method: "PUT", target: "/" + b + "/stolen", header: http.Header{"X-Amz-Copy-Source": {"/" + b + "%2F" + url.PathEscape(key)}}}, stolen, self)
		if !denied {
			require.Equal(t, "200 "+key, o.get(t, o.root, b, "stolen"))
			require.Equal(t, "204", o.send(t, o.root, message{method: "DELETE", target: "/" + b + "/stolen"}).String())
		}
		attempt(message{method: "PUT", target: target, header: http.Header{"X-Amz-Copy-Source": {target[1:]}, "X-Amz-Metadata-Directive": {"REPLACE"}}}, self, self)
		attemptParts(t, o, user, attempt, denied, self, target)
		if strings.TrimSpace(key) != "" { // a field that is blank is none
			attempt(postedForm(t, user, b, key), self)
		}
		if strings.IndexByte(key, 0) < 0 { // XML has no such character
			var text bytes.Buffer
			require.NoError(t, xml.EscapeText(&text, []byte(key)))
			o.forget()
			a := o.send(t, user, message{method: "POST", target: "/" + b + "?delete", body: "<Delete><Object><Key>" + text.String() + "</Key></Object></Delete>"})
			require.Equal(t, []any{200, denied}, []any{a.status, element(a.body, "Code") == "AccessDenied"}, "delete %q: %s", key, a.body)
			if o.asked != nil && !denied {
				require.Equal(t, []asked{{b, ""}, self}, o.forget())
			}
			attempt(message{method: "PUT", target: target, body: key}, self)
		}
		attempt(message{method: "DELETE", target: target}, self)
		attempt(message{method: "PUT", target: target, body: key}, self)
	}
	require.Equal(t, "200 private/x", o.get(t, o.root, b, "private/x"))
	require.Equal(t, "404 NoSuchKey", o.get(t, o.root, b, "stolen"))
	for key, made := range there {
		if made {
			require.Equal(t, "200 "+key, o.get(t, o.root, b, key), "%q", key)
		}
	}
	require.Equal(t, "400 InvalidURI", o.send(t, user, message{method: "GET", target: "/" + b + "/private%c0%afx"}).String(), "what is no UTF-8 is no key")
	storyExactState(t, o)
}

// attemptParts uploads a key in parts.
func attemptParts(t *testing.T, o *objects, user aws.Credentials, attempt func(message, ...asked) answer, denied bool, self asked, target string) {
	t.Helper()
	by := user
	if denied {
		by = o.root // begins what the user then may not go on with
	}
	attempt(message{method: "POST", target: target + "?uploads"}, self)
	id := element(o.send(t, by, message{method: "POST", target: target + "?uploads"}).body, "UploadId")
	upload := target + "?uploadId=" + id
	part := strings.Replace(upload, "?", "?partNumber=1&", 1)
	attempt(message{method: "PUT", target: part, body: "part"}, self)
	attempt(message{method: "PUT", target: part, header: http.Header{"X-Amz-Copy-Source": {target[1:]}}}, self, self)
	attempt(message{method: "PUT", target: part, body: self.key}, self)
	attempt(message{method: "GET", target: upload}, self)
	attempt(message{method: "POST", target: upload, body: "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>"}, self)
	again := element(o.send(t, by, message{method: "POST", target: target + "?uploads"}).body, "UploadId")
	attempt(message{method: "DELETE", target: target + "?uploadId=" + again}, self)
}

// postedForm is what a browser posts: an object that holds its key, by whom its policy
// was signed.
func postedForm(t *testing.T, by aws.Credentials, bucket, key string) message {
	t.Helper()
	fields := signedForm(t, by, []any{map[string]string{"bucket": bucket}, []any{"starts-with", "$key", ""}})
	fields["key"] = key
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range fields {
		require.NoError(t, form.WriteField(name, value))
	}
	file, err := form.CreateFormFile("file", "file")
	require.NoError(t, err)
	_, err = file.Write([]byte(key))
	require.NoError(t, err)
	require.NoError(t, form.Close())
	return message{method: "POST", target: "/" + bucket, body: body.String(), header: http.Header{"Content-Type": {form.FormDataContentType()}}, form: true}
}

// What the store is asked for decisions is about exactly that key too.
func storyExactState(t *testing.T, o *objects) {
	b := o.bucket(t, "state", nil)
	user := o.user(t, "reader", allow("GetObject", b+"/*", `"Condition":{"StringEquals":{"s3:ExistingObjectTag/class":"public"}}`))
	for i, key := range []string{"a/b", "a//b", "a/./b", "/a/b", "a/../a/b", "a%2Fb", "a+b", "a b", ".", "..", "//", " "} {
		class := []string{"public", "secret"}[i%2]
		m := message{method: "PUT", target: "/" + b + "/" + canonicalPath(key), body: key, header: http.Header{"X-Amz-Tagging": {"class=" + class}}}
		require.Equal(t, "200", o.send(t, o.root, m).String(), "%q", key)
	}
	for i, key := range []string{"a/b", "a//b", "a/./b", "/a/b", "a/../a/b", "a%2Fb", "a+b", "a b", ".", "..", "//", " "} {
		want := []string{"200 " + key, "403 AccessDenied"}[i%2]
		o.forget()
		require.Equal(t, want, o.get(t, user, b, key), "%q", key)
		if o.asked != nil {
			require.Equal(t, [][]asked{{{b, key}, {b, key}}, {{b, key}}}[i%2], o.forget(), "%q", key)
		}
	}
}

// forget returns what the store was asked since the last call, if it can tell.
func (o *objects) forget() []asked {
	if o.asked == nil {
		return nil
	}
	return o.asked()
}
