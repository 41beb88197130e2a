package main

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"

	"iamserver/runtime/s3"
)

// Only who may list a bucket learns that something is not in it.
func storyMissing(t *testing.T, o *objects) {
	b := o.bucket(t, "missing", []string{"a"})
	reader := o.user(t, "reader", allow("Get* PutObjectTagging", b+"/*"))
	lister := o.user(t, "lister", allow("Get* PutObjectTagging", b+"/*"), allow("ListBucket", b))
	for _, m := range []message{
		{method: "GET", target: "/none"},
		{method: "HEAD", target: "/none"},
		{method: "GET", target: "/none?tagging"},
		{method: "PUT", target: "/none?tagging", body: "<Tagging><TagSet></TagSet></Tagging>"},
		{method: "GET", target: "/none?attributes", header: http.Header{"X-Amz-Object-Attributes": {"ETag"}}},
		{method: "GET", target: "/none?acl"},
	} {
		m.target = "/" + b + m.target
		require.Equal(t, []int{403, 404}, []int{o.send(t, reader, m).status, o.send(t, lister, m).status}, "%s %s", m.method, m.target)
	}
	denial := o.send(t, reader, message{method: "GET", target: "/" + b + "/none"})
	require.Contains(t, denial.body, "s3:ListBucket")
	require.Equal(t, "404 NoSuchBucket", o.send(t, o.root, message{method: "GET", target: "/" + o.name("none") + "/a"}).String())
	require.Equal(t, "404 NoSuchBucket", o.send(t, o.root, message{method: "GET", target: "/" + o.name("none")}).String())
	require.Equal(t, []int{404, 200}, []int{o.send(t, o.root, message{method: "HEAD", target: "/" + o.name("none")}).status, o.send(t, lister, message{method: "HEAD", target: "/" + b}).status})
	require.Equal(t, 403, o.send(t, reader, message{method: "HEAD", target: "/" + b}).status)
}

// Who began an upload may look at it and end it, unless that is denied.
func storyUploads(t *testing.T, o *objects) {
	b := o.bucket(t, "uploads", nil)
	writer := o.user(t, "writer", allow("PutObject", b+"/*"))
	other := o.user(t, "other", allow("PutObject", b+"/*"))
	barred := o.user(t, "barred", allow("PutObject", b+"/*"), deny("AbortMultipartUpload ListMultipartUploadParts", b+"/*"))
	begin := func(by aws.Credentials) string {
		a := o.send(t, by, message{method: "POST", target: "/" + b + "/k?uploads"})
		require.Equal(t, 200, a.status, a.body)
		return "/" + b + "/k?uploadId=" + element(a.body, "UploadId")
	}
	upload := begin(writer)
	part := o.send(t, writer, message{method: "PUT", target: strings.Replace(upload, "?", "?partNumber=1&", 1), body: "text"})
	require.Equal(t, 200, part.status, part.body)
	require.Equal(t, "403 AccessDenied", o.send(t, other, message{method: "GET", target: upload}).String())
	require.Equal(t, "403 AccessDenied", o.send(t, other, message{method: "DELETE", target: upload}).String())
	require.Equal(t, "403 AccessDenied", o.send(t, unsigned, message{method: "DELETE", target: upload}).String())
	listed := o.send(t, writer, message{method: "GET", target: upload})
	require.Equal(t, []string{"200", "4"}, []string{listed.String(), element(listed.body, "Size")})
	for _, id := range elements(listed.body, "ID") { // not every store has them
		require.Equal(t, s3.CanonicalUser(account), id)
	}
	require.Equal(t, "403 AccessDenied", o.send(t, writer, message{method: "GET", target: "/" + b + "?uploads"}).String(), "that lists the uploads of others too")
	done := o.send(t, writer, message{
		method: "POST", target: upload,
		body: fmt.Sprintf("<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>%s</ETag></Part></CompleteMultipartUpload>", strings.ReplaceAll(part.header.Get("Etag"), `"`, "&quot;")),
	})
	require.Equal(t, []string{"200", o.url + "/" + b + "/k"}, []string{done.String(), element(done.body, "Location")})
	require.Equal(t, "200 text", o.get(t, o.root, b, "k"))

	require.Equal(t, "204", o.send(t, writer, message{method: "DELETE", target: begin(writer)}).String())
	mine := begin(barred)
	require.Equal(t, "403 AccessDenied", o.send(t, barred, message{method: "DELETE", target: mine}).String())
	require.Equal(t, "403 AccessDenied", o.send(t, barred, message{method: "GET", target: mine}).String())
	require.Equal(t, "204", o.send(t, o.root, message{method: "DELETE", target: mine}).String())
	require.Equal(t, "403 AccessDenied", o.send(t, o.user(t, "nobody"), message{method: "POST", target: "/" + b + "/k?uploads"}).String())
}

// Of the entries of DeleteObjects each is decided by itself.
func storyDeletions(t *testing.T, o *objects) {
	b := o.bucket(t, "deletions", []string{"a", "b", "private/c"})
	c := o.sdk(o.user(t, "user", allow("DeleteObject", b+"/*"), deny("DeleteObject", b+"/private/*")))
	remove := func(keys ...string) (outcomes []string) {
		var entries []types.ObjectIdentifier
		for _, key := range keys {
			entries = append(entries, types.ObjectIdentifier{Key: aws.String(key)})
		}
		out, err := c.DeleteObjects(t.Context(), &awss3.DeleteObjectsInput{Bucket: &b, Delete: &types.Delete{Objects: entries}})
		if err != nil {
			return []string{outcome(err)}
		}
		for _, d := range out.Deleted {
			outcomes = append(outcomes, *d.Key)
		}
		for _, e := range out.Errors {
			outcomes = append(outcomes, *e.Key+" "+*e.Code)
		}
		return outcomes
	}
	require.Equal(t, []string{"a", "private/c AccessDenied"}, remove("private/c", "a"))
	require.Equal(t, []string{"private/c AccessDenied"}, remove("private/c"))
	require.Equal(t, []string{o.byKeys("InvalidArgument", "private//c AccessDenied")}, remove("private//c"))
	if !o.exact {
		require.Equal(t, []string{"InvalidArgument"}, remove("b", "private//c"), "one that cannot be told from another spoils all")
	}
	require.Equal(t, []string{"200 b", "200 private/c", "404 NoSuchKey"}, []string{o.get(t, o.root, b, "b"), o.get(t, o.root, b, "private/c"), o.get(t, o.root, b, "a")})
	require.Equal(t, "403 AccessDenied", o.send(t, unsigned, message{method: "POST", target: "/" + b + "?delete", body: strings.Repeat(" ", 1<<20)}).String())
}

// A copy needs the source and the target, in whichever bucket they are.
func storyCopies(t *testing.T, o *objects) {
	b, other := o.bucket(t, "copies", []string{"a"}), o.bucket(t, "copies-secret", []string{"a"})
	user := o.user(t, "user", allow("*", b+" "+b+"/*"))
	reader := o.user(t, "reader", allow("GetObject", b+"/*"))
	copied := func(by aws.Credentials, source, target string, header http.Header) string {
		m := message{method: "PUT", target: target, header: http.Header{"X-Amz-Copy-Source": {source}}}
		for name, values := range header {
			m.header[name] = values
		}
		return o.send(t, by, m).String()
	}
	for _, source := range []string{other + "/a", "/" + other + "/a", "/" + other + "%2Fa", other + "/a?versionId=null"} {
		require.Equal(t, "403 AccessDenied", copied(user, source, "/"+b+"/stolen", nil), source)
	}
	require.Equal(t, o.byKeys("400 InvalidArgument", "404 NoSuchKey"), copied(user, "/"+b+"/../"+other+"/a", "/"+b+"/stolen", nil))
	require.Equal(t, "403 AccessDenied", copied(user, b+"/a", "/"+other+"/planted", nil))
	require.Equal(t, "403 AccessDenied", copied(reader, b+"/a", "/"+b+"/b", nil))
	require.Equal(t, "200", copied(user, b+"/a", "/"+b+"/b", nil))
	// A bucket policy of the source counts as well.
	require.Equal(t, "204", o.putPolicy(t, o.root, other, allow("GetObject", other+"/*", of(o.userARN("user")))))
	require.Equal(t, "200", copied(user, other+"/a", "/"+b+"/c", nil))
	upload := element(o.send(t, user, message{method: "POST", target: "/" + b + "/d?uploads"}).body, "UploadId")
	require.Equal(t, "204", o.putPolicy(t, o.root, other, deny("GetObject", other+"/*", of(o.userARN("user")))))
	require.Equal(t, "403 AccessDenied", copied(user, other+"/a", "/"+b+"/d?partNumber=1&uploadId="+upload, nil))
	require.Equal(t, "200", copied(user, b+"/a", "/"+b+"/d?partNumber=1&uploadId="+upload, nil))
	for _, key := range []string{"stolen", "planted"} {
		require.Equal(t, []string{"404 NoSuchKey", "404 NoSuchKey"}, []string{o.get(t, o.root, b, key), o.get(t, o.root, other, key)})
	}
	// Tags that go with a copy have to be allowed at both ends.
	require.Equal(t, 200, o.send(t, o.root, message{method: "PUT", target: "/" + b + "/a?tagging", body: "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>"}).status)
	plain := o.user(t, "plain", allow("GetObject PutObject", b+"/*"))
	require.Equal(t, "403 AccessDenied", copied(plain, b+"/a", "/"+b+"/e", nil))
	require.Equal(t, "200", copied(plain, b+"/b", "/"+b+"/e", nil), "there are none")
	require.Equal(t, "200", copied(plain, b+"/a", "/"+b+"/f", http.Header{"X-Amz-Tagging-Directive": {"REPLACE"}}))
}

// Tags of the object, and of the request, decide where policies ask for them.
func storyTags(t *testing.T, o *objects) {
	b := o.bucket(t, "tags", []string{"open", "closed", "plain"})
	tags := func(tag string) string {
		name, value, _ := strings.Cut(tag, "=")
		return "<Tagging><TagSet><Tag><Key>" + name + "</Key><Value>" + value + "</Value></Tag></TagSet></Tagging>"
	}
	for key, tag := range map[string]string{"open": "class=public", "closed": "class=secret"} {
		require.Equal(t, 200, o.send(t, o.root, message{method: "PUT", target: "/" + b + "/" + key + "?tagging", body: tags(tag)}).status)
	}
	user := o.user(t, "user",
		allow("GetObject", b+"/*", `"Condition":{"StringEquals":{"s3:ExistingObjectTag/class":"public"}}`),
		allow("PutObject", b+"/*"),
		allow("PutObjectTagging", b+"/*", `"Condition":{"StringEquals":{"s3:RequestObjectTag/class":"public"},"ForAllValues:StringEquals":{"s3:RequestObjectTagKeys":["class"]}}`),
	)
	require.Equal(t, []string{"200 open", "403 AccessDenied", "403 AccessDenied"}, []string{o.get(t, user, b, "open"), o.get(t, user, b, "closed"), o.get(t, user, b, "plain")})
	for header, want := range map[string]int{"": 200, "class=public": 200, "class=secret": 403, "class=public&more=1": 403, "more=1": 403, "class=public&class=secret": 403} {
		m := message{method: "PUT", target: "/" + b + "/new", body: "x", header: http.Header{}}
		if header != "" {
			m.header.Set("X-Amz-Tagging", header)
		}
		require.Equal(t, want, o.send(t, user, m).status, header)
	}
	require.Equal(t, 403, o.send(t, user, message{method: "PUT", target: "/" + b + "/closed?tagging", body: tags("class=other")}).status)
	require.Equal(t, 200, o.send(t, user, message{method: "PUT", target: "/" + b + "/closed?tagging", body: tags("class=public")}).status)
	require.Equal(t, "200 closed", o.get(t, user, b, "closed"), "it is not secret any more")
	// How many tags there are is told to those who may read them.
	tagReader := o.user(t, "reader", allow("GetObject GetObjectTagging", b+"/*"))
	count := func(by aws.Credentials) string {
		return o.send(t, by, message{method: "HEAD", target: "/" + b + "/open"}).header.Get("X-Amz-Tagging-Count")
	}
	require.Empty(t, count(user))
	require.Equal(t, count(o.root), count(tagReader))
}

// Listings are decided by what they list.
func storyListings(t *testing.T, o *objects) {
	b := o.bucket(t, "listings", []string{"home/o/a", "home/other/a", "top"})
	user := o.user(t, "user",
		allow("ListBucket", b, `"Condition":{"StringLike":{"s3:prefix":["home/o/*"]},"NumericLessThanEquals":{"s3:max-keys":"10"}}`),
		allow("ListBucket", b, `"Condition":{"StringEquals":{"s3:prefix":"","s3:delimiter":"/"}}`),
	)
	strange := o.send(t, user, message{method: "GET", target: "/" + b + "?list-type=2&prefix=home/o/../other/&max-keys=10"})
	require.Equal(t, o.byKeys("400 InvalidArgument", "200"), strange.String())
	require.Empty(t, elements(strange.body, "Contents"))
	for query, want := range map[string]int{
		"?list-type=2&prefix=home/o/&max-keys=10":         200,
		"?list-type=2&prefix=home%2Fo%2F&max-keys=10":     200,
		"?prefix=home/o/&max-keys=10":                     200,
		"?list-type=2&prefix=home/o/":                     403, // 1000 of them
		"?list-type=2&prefix=home/o/&max-keys=11":         403,
		"?list-type=2&prefix=home/other/&max-keys=10":     403,
		"?list-type=2&prefix=&delimiter=/":                200,
		"?list-type=2&prefix=":                            403,
		"?list-type=2":                                    403,
		"":                                                403,
		"?versions&prefix=home/o/&max-keys=10":            403, // another right
		"?list-type=2&prefix=home/o/&prefix=&max-keys=10": 400,
	} {
		require.Equal(t, want, o.send(t, user, message{method: "GET", target: "/" + b + query}).status, query)
	}
	a := o.send(t, user, message{method: "GET", target: "/" + b + "?list-type=2&prefix=&delimiter=/"})
	require.Equal(t, []string{"top"}, elements(a.body, "Key"))
}

// Versions have rights of their own.
func storyVersions(t *testing.T, o *objects) {
	b := o.bucket(t, "versions", nil)
	require.Equal(t, 200, o.send(t, o.root, message{method: "PUT", target: "/" + b + "?versioning", body: "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"}).status)
	first := o.send(t, o.root, message{method: "PUT", target: "/" + b + "/k", body: "first"}).header.Get("X-Amz-Version-Id")
	require.NotEmpty(t, first)
	o.put(t, b, "k", "second")
	current := o.user(t, "current", allow("GetObject DeleteObject", b+"/*"))
	all := o.user(t, "all", allow("GetObject GetObjectVersion", b+"/*"), allow("DeleteObjectVersion", b+"/*", `"Condition":{"StringEquals":{"s3:VersionId":"`+first+`"}}`))
	old := "/" + b + "/k?versionId=" + first
	require.Equal(t, []int{403, 200}, []int{o.send(t, current, message{method: "GET", target: old}).status, o.send(t, all, message{method: "GET", target: old}).status})
	require.Equal(t, "first", o.send(t, all, message{method: "GET", target: old}).body)
	require.Equal(t, "403 AccessDenied", o.send(t, current, message{method: "DELETE", target: old}).String())
	require.Equal(t, "403 AccessDenied", o.send(t, all, message{method: "DELETE", target: "/" + b + "/k"}).String())
	require.Equal(t, "204", o.send(t, current, message{method: "DELETE", target: "/" + b + "/k"}).String())
	require.Equal(t, "200 first", "200 "+o.send(t, all, message{method: "GET", target: old}).body, "a marker hides it only")
	second := o.send(t, o.root, message{method: "GET", target: "/" + b + "?versions"})
	require.Contains(t, second.body, "<IsLatest>true</IsLatest>")
	for _, id := range elements(second.body, "VersionId") {
		want := 403
		if id == first {
			want = 204
		}
		require.Equal(t, want, o.send(t, all, message{method: "DELETE", target: "/" + b + "/k?versionId=" + id}).status)
	}
}

// Locks are bypassed by who may, and where somebody may for some objects only, for
// these.
func storyLocks(t *testing.T, o *objects) {
	b := o.name("locks")
	require.Equal(t, "200", o.send(t, o.root, message{method: "PUT", target: "/" + b, header: http.Header{"X-Amz-Bucket-Object-Lock-Enabled": {"true"}}}).String())
	user := o.user(t, "user", allow("PutObject DeleteObject DeleteObjectVersion GetObjectRetention", b+"/*"), allow("BypassGovernanceRetention PutObjectRetention", b+"/mine/*"))
	until := time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
	versions := map[string]string{}
	for _, key := range []string{"mine/a", "mine/b", "mine/c", "others/a", "others/b", "others/free"} {
		m := message{method: "PUT", target: "/" + b + "/" + key, body: key, header: http.Header{}}
		if key != "others/free" {
			m.header.Set("X-Amz-Object-Lock-Mode", "GOVERNANCE")
			m.header.Set("X-Amz-Object-Lock-Retain-Until-Date", until)
		}
		a := o.send(t, o.root, m)
		require.Equal(t, "200", a.String(), a.body)
		versions[key] = a.header.Get("X-Amz-Version-Id")
	}
	require.Equal(t, "403 AccessDenied", o.send(t, user, message{method: "PUT", target: "/" + b + "/others/new", body: "x", header: http.Header{"X-Amz-Object-Lock-Mode": {"GOVERNANCE"}, "X-Amz-Object-Lock-Retain-Until-Date": {until}}}).String())
	reading := o.minio(t, o.root)
	mode, _, err := reading.GetObjectRetention(t.Context(), b, "mine/a", "")
	require.NoError(t, err)
	require.Equal(t, minio.Governance, *mode)
	_, err = reading.GetObjectLegalHold(t.Context(), b, "mine/a", minio.GetObjectLegalHoldOptions{})
	require.Contains(t, []string{"NoSuchObjectLockConfiguration", "NoSuchObjectLegalHold"}, minio.ToErrorResponse(err).Code, "stores differ")
	bypass := http.Header{"X-Amz-Bypass-Governance-Retention": {"true"}}
	remove := func(key string, header http.Header) string {
		return o.send(t, user, message{method: "DELETE", target: "/" + b + "/" + key + "?versionId=" + versions[key], header: header}).String()
	}
	require.Contains(t, []string{"403 AccessDenied", "400 InvalidRequest"}, remove("mine/a", nil), "stores differ")
	require.Equal(t, []string{"204", "403 AccessDenied"}, []string{remove("mine/a", bypass), remove("others/a", bypass)})
	var body strings.Builder
	for _, key := range []string{"mine/b", "others/a", "others/free"} {
		fmt.Fprintf(&body, "<Object><Key>%s</Key><VersionId>%s</VersionId></Object>", key, versions[key])
	}
	a := o.send(t, user, message{method: "POST", target: "/" + b + "?delete", body: "<Delete>" + body.String() + "</Delete>", header: bypass})
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, []string{"others/a"}, elements(strings.Join(elements(a.body, "Error"), ""), "Key"), a.body)
	left := o.send(t, o.root, message{method: "GET", target: "/" + b + "?versions"})
	kept := elements(left.body, "Key")
	slices.Sort(kept)
	require.Equal(t, []string{"mine/c", "others/a", "others/b"}, kept)
	// What a policy denies, no other way to write it gets.
	lender := o.user(t, "lender", allow("PutObject PutObjectRetention PutObjectLegalHold", b+"/*"),
		deny("PutObject PutObjectRetention", b+"/*", `"Condition":{"StringEquals":{"s3:object-lock-mode":"COMPLIANCE"}}`),
		deny("PutObject PutObjectRetention", b+"/*", `"Condition":{"NumericGreaterThan":{"s3:object-lock-remaining-retention-days":"10"}}`),
		deny("PutObject PutObjectLegalHold", b+"/*", `"Condition":{"StringEquals":{"s3:object-lock-legal-hold":"ON"}}`))
	later := time.Now().Add(1000 * time.Hour).UTC()
	for _, lock := range [][2]string{
		{"COMPLIANCE", until},
		{"compliance", until},
		{" COMPLIANCE", until},
		{"GOVERNANCE", later.Format(time.RFC3339)},
		{"GOVERNANCE", later.Format("2006-01-02T15:04:05-0700")},
		{"GOVERNANCE", later.Format("20060102T150405Z")},
		{"GOVERNANCE", " " + later.Format(time.RFC3339)},
	} {
		query := "?x-amz-object-lock-mode=" + url.QueryEscape(lock[0]) + "&x-amz-object-lock-retain-until-date=" + url.QueryEscape(lock[1])
		require.Contains(t, []int{400, 403}, o.send(t, lender, message{method: "PUT", target: "/" + b + "/lent" + query, body: "x"}).status, query)
		document := "<Retention><Mode>" + lock[0] + "</Mode><RetainUntilDate>" + lock[1] + "</RetainUntilDate></Retention>"
		require.Contains(t, []int{400, 403}, o.send(t, lender, message{method: "PUT", target: "/" + b + "/mine/c?retention", body: document}).status, document)
	}
	for _, hold := range []string{"ON", "on", " ON"} {
		require.Contains(t, []int{400, 403}, o.send(t, lender, message{method: "PUT", target: "/" + b + "/lent?x-amz-object-lock-legal-hold=" + url.QueryEscape(hold), body: "x"}).status, hold)
		require.Contains(t, []int{400, 403}, o.send(t, lender, message{method: "PUT", target: "/" + b + "/mine/c?legal-hold", body: "<LegalHold><Status>" + hold + "</Status></LegalHold>"}).status, hold)
	}
}

// Errors have S3's form: ids, no body for HEAD, and nothing of the store.
func storyErrors(t *testing.T, o *objects) {
	b := o.bucket(t, "errors", nil)
	a := o.send(t, o.root, message{method: "GET", target: "/" + b + "/none"})
	require.Equal(t, "404 NoSuchKey", a.String())
	require.Equal(t, "application/xml", a.header.Get("Content-Type"))
	require.Equal(t, []string{a.header.Get("X-Amz-Request-Id"), a.header.Get("X-Amz-Id-2"), "/" + b + "/none"},
		[]string{element(a.body, "RequestId"), element(a.body, "HostId"), element(a.body, "Resource")})
	require.Equal(t, "The specified key does not exist.", a.message())
	require.Equal(t, "The specified bucket does not exist", o.send(t, o.root, message{method: "GET", target: "/" + o.name("none")}).message(), "clients compare sentences")
	head := o.send(t, o.root, message{method: "HEAD", target: "/" + b + "/none"})
	require.Equal(t, []any{404, ""}, []any{head.status, head.body})
	require.NotEmpty(t, head.header.Get("X-Amz-Request-Id"))
	good := o.send(t, o.root, message{method: "GET", target: "/" + b})
	require.NotEmpty(t, good.header.Get("X-Amz-Id-2"))
	for name, tt := range map[string]struct {
		m    message
		want string
	}{
		"a parameter that the operation does not have": {message{method: "GET", target: "/" + b + "/k?unknown=1"}, "501 NotImplemented"},
		"two operations at once":                       {message{method: "GET", target: "/" + b + "?acl&policy"}, "501 NotImplemented"},
		"an operation that writes elsewhere":           {message{method: "PUT", target: "/" + b + "?logging", body: "<x/>"}, "501 NotImplemented"},
		"a method that there is not":                   {message{method: "PATCH", target: "/" + b}, "405 MethodNotAllowed"},
		"no name of a bucket":                          {message{method: "GET", target: "/B_"}, "400 InvalidBucketName"},
		"a key that is no text":                        {message{method: "GET", target: "/" + b + "/%ff"}, "400 InvalidURI"},
		"a key that is too long":                       {message{method: "GET", target: "/" + b + "/" + strings.Repeat("k", 1025)}, "400 KeyTooLongError"},
		"a body where there is none":                   {message{method: "GET", target: "/" + b, body: "x"}, "400 InvalidRequest"},
		"a document that is none":                      {message{method: "POST", target: "/" + b + "?delete", body: "x"}, "400 MalformedXML"},
		"an entity in a document":                      {message{method: "POST", target: "/" + b + "?delete", body: `<!DOCTYPE Delete [<!ENTITY k "k">]><Delete><Object><Key>&k;</Key></Object></Delete>`}, "400 MalformedXML"},
		"a form that is none":                          {message{method: "POST", target: "/" + b}, "400 InvalidArgument"},
	} {
		a := o.send(t, o.root, tt.m)
		require.Equal(t, tt.want, a.String(), name)
		require.NotContains(t, a.body+fmt.Sprint(a.header), storeKeyID, name)
	}
	require.Equal(t, "412 PreconditionFailed", o.send(t, unsigned, message{method: "POST", target: "/" + b}).String())
}
