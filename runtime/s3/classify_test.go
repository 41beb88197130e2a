package s3_test

import (
	"net/http"
	"path"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"iamserver/generated/s3api"
	"iamserver/generated/s3err"
	"iamserver/runtime/apierror"
	"iamserver/runtime/operation"
	"iamserver/runtime/s3"
	"iamserver/runtime/sigv4"
)

var files = s3.KeyProfile{Files: true, Reserved: []string{".sgwtmp", "*.versions"}}

// get is a GET of a request target.
func get(target string) sigv4.Request {
	before, query, _ := strings.Cut(target, "?")
	return sigv4.Request{Method: http.MethodGet, Path: before, Query: query, Host: "localhost:9000", Header: http.Header{}}
}

// A key is what the client's bytes decode to, once, and nothing is cleaned.
func TestKeysAreExact(t *testing.T) {
	for _, tt := range []struct{ name, path, bucket, key string }{
		{"plain", "/photos/2026/a.jpg", "photos", "2026/a.jpg"},
		{"a space", "/photos/a%20b", "photos", "a b"},
		{"a plus sign is a plus sign", "/photos/a+b", "photos", "a+b"},
		{"an encoded slash is a slash", "/photos/a%2Fb", "photos", "a/b"},
		{"escapes are decoded once", "/photos/a%252Fb", "photos", "a%2Fb"},
		{"dots stay", "/photos/a/../b/./c", "photos", "a/../b/./c"},
		{"encoded dots are dots, and stay", "/photos/a/%2e%2E/b", "photos", "a/../b"},
		{"slashes stay", "/photos//a///b//", "photos", "/a///b//"},
		{"only a slash", "/photos//", "photos", "/"},
		{"unicode", "/photos/%C3%A9t%C3%A9", "photos", "été"},
		{"unicode in another form is another key", "/photos/e%CC%81", "photos", "e\u0301"},
		{"NUL", "/photos/a%00b", "photos", "a\x00b"},
		{"a bucket with a slash behind it", "/photos/", "photos", ""},
		{"an encoded bucket", "/%70hotos/a", "photos", "a"},
		{"a question mark", "/photos/a%3Fb", "photos", "a?b"},
		{"a semicolon", "/photos/a;b", "photos", "a;b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r s3.Request
			require.NoError(t, s3.NewClassifier(s3.Config{}).Classify(get(tt.path), &r))
			require.Equal(t, [2]string{tt.bucket, tt.key}, [2]string{r.Bucket, r.Key})
		})
	}
}

// Where the store has files, every other way to write a key is refused.
func TestFilesRefuseAliases(t *testing.T) {
	c := s3.NewClassifier(s3.Config{Keys: files})
	for _, tt := range []struct {
		key string
		ok  bool
	}{
		{"private/x", true},
		{"private/", true},
		{"...", true},
		{".hidden/..x/x..", true},
		{"a/.sgwtmp", true},
		{"/private/x", false},
		{"/", false},
		{"private//x", false},
		{"private//", false},
		{"private/x//", false},
		{"private/./x", false},
		{"./private/x", false},
		{"a/../private/x", false},
		{"../photos/private/x", false},
		{"private/x/.", false},
		{"private/x/..", false},
		{"private/x/../", false},
		{".", false},
		{"..", false},
		{"private/x\x00", false},
		{".sgwtmp", false},
		{".sgwtmp/multipart/1", false},
		{".SGWTMP/x", false},
		{"private/x.versions/v_1", false},
		{"private/x.Versions", false},
		{".versions", false},
		{"x.versions/", false},
		{"private/versions", true},
		{"private/x.versions-of-it", true},
	} {
		encoded := strings.NewReplacer("/", "%2F", ".", "%2e", "\x00", "%00").Replace(tt.key)
		for _, req := range map[string]sigv4.Request{
			"in the path":        get("/photos/" + strings.ReplaceAll(tt.key, "\x00", "%00")),
			"encoded":            get("/photos/" + encoded),
			"of an upload":       {Method: "PUT", Path: "/photos/" + encoded, Query: "partNumber=1&uploadId=2"},
			"of a copy":          {Method: "PUT", Path: "/photos/x", Header: http.Header{"X-Amz-Copy-Source": {"photos/" + encoded}}},
			"of a copied source": {Method: "PUT", Path: "/photos/x", Header: http.Header{"X-Amz-Copy-Source": {"/photos/" + encoded + "?versionId=1"}}},
		} {
			var r s3.Request
			err := c.Classify(req, &r)
			if tt.ok {
				require.NoError(t, err, "%q", tt.key)
			} else {
				require.Equal(t, s3err.AmbiguousKey(), err, "%q", tt.key)
			}
		}
		_, err := c.ParseDeletions([]byte("<Delete><Object><Key>ok</Key></Object><Object><Key>" + tt.key + "</Key></Object></Delete>"))
		switch {
		case tt.ok:
			require.NoError(t, err, "%q", tt.key)
		case strings.Contains(tt.key, "\x00"):
			require.Equal(t, s3err.InvalidDocument(), err, "%q", tt.key)
		default:
			require.Equal(t, s3err.AmbiguousKey(), err, "%q", tt.key)
		}
	}
}

// A store with files looks for an upload, or a version, in a folder of the key: an
// id must not lead out of it.
func TestFilesRefuseIDsThatArePaths(t *testing.T) {
	for id, ok := range map[string]bool{
		"3fa85f64-5717-4562-b3fc-2c963f66afa6": true, "null": true, "2~a.b_c": true, "..x": true,
		"../other/id": false, "..": false, ".": false, "id/": false, "id/1": false, "/id": false, "a\\b": false, "a%00": false,
	} {
		encoded := strings.NewReplacer("/", "%2F", ".", "%2e").Replace(id)
		for name, req := range map[string]sigv4.Request{
			"upload":         {Method: "DELETE", Path: "/photos/x", Query: "uploadId=" + encoded},
			"part":           {Method: "PUT", Path: "/photos/x", Query: "partNumber=1&uploadId=" + id},
			"parts":          get("/photos/x?uploadId=" + encoded),
			"version":        get("/photos/x?versionId=" + encoded),
			"tags":           get("/photos/x?tagging&versionId=" + id),
			"copied version": {Method: "PUT", Path: "/photos/x", Header: http.Header{"X-Amz-Copy-Source": {"photos/y?versionId=" + encoded}}},
		} {
			var r s3.Request
			require.NoError(t, s3.NewClassifier(s3.Config{}).Classify(req, &r), "%s %q", name, id)
			err := s3.NewClassifier(s3.Config{Keys: files}).Classify(req, &r)
			if ok {
				require.NoError(t, err, "%s %q", name, id)
			} else {
				require.Equal(t, s3err.PathAsID(), err, "%s %q", name, id)
			}
		}
	}
	_, err := s3.NewClassifier(s3.Config{Keys: files}).ParseDeletions([]byte("<Delete><Object><Key>a</Key><VersionId>../b/1</VersionId></Object></Delete>"))
	require.Equal(t, s3err.PathAsID(), err)
}

// A listing must not reach keys that do not begin with its prefix.
func TestFilesRefusePrefixes(t *testing.T) {
	c := s3.NewClassifier(s3.Config{Keys: files})
	for prefix, ok := range map[string]bool{
		"": true, "p": true, "private/": true, "private/x": true, ".": true, "..": true, "a/.": true,
		"/": false, "//": false, "./": false, "../": false, "a//": false, "a/../b": false, "./private/": false, ".sgwtmp/": false, ".sgwtmp": false, "a%00": false, "a.versions": true, "a.versions/": false, "b/a.versions/v": false,
	} {
		var r s3.Request
		err := c.Classify(get("/photos?list-type=2&prefix="+prefix), &r)
		require.Equal(t, ok, err == nil, "%q: %v", prefix, err)
	}
}

func TestRefused(t *testing.T) {
	long := strings.Repeat("k", 1025)
	for _, tt := range []struct {
		name   string
		method string
		target string
		header http.Header
		want   *apierror.Error
	}{
		{"a semicolon in the query", "GET", "/photos?acl;x=1", nil, s3err.UnreadableURI()},
		{"an escape that is none in the query", "GET", "/photos?prefix=%zz", nil, s3err.UnreadableURI()},
		{"an escape that is cut off in the query", "GET", "/photos?prefix=%2", nil, s3err.UnreadableURI()},
		{"an escape that is none in a name", "GET", "/photos?%zz=1", nil, s3err.UnreadableURI()},
		{"a value that is not UTF-8", "GET", "/photos?prefix=%ff", nil, s3err.UnreadableURI()},
		{"an escape that is none in the key", "GET", "/photos/%zz", nil, s3err.UnreadableURI()},
		{"a key that is not UTF-8", "GET", "/photos/%ff", nil, s3err.UnreadableURI()},
		{"a key of an overlong form", "GET", "/photos/%c0%ae", nil, s3err.UnreadableURI()},
		{"a key of half a surrogate pair", "GET", "/photos/%ed%a0%80", nil, s3err.UnreadableURI()},
		{"a key that is too long", "GET", "/photos/" + long, nil, s3err.KeyTooLong()},
		{"a path without a slash", "GET", "photos", nil, s3err.UnreadableURI()},
		{"no bucket", "GET", "//x", nil, s3err.NotABucketName()},
		{"dots for a bucket", "GET", "/../photos", nil, s3err.NotABucketName()},
		{"a reserved name for a bucket", "GET", "/.sgwtmp/x", nil, s3err.NotABucketName()},
		{"a bucket where the store has another API", "GET", "/minio/admin/v3/info", nil, s3err.NotABucketName()},
		{"such a bucket, encoded", "GET", "/%6dinio/admin/v3/info", nil, s3err.NotABucketName()},
		{"such a bucket as a source", "PUT", "/photos/x", http.Header{"X-Amz-Copy-Source": {"minio/admin/v3/info"}}, s3err.InvalidCopySource()},
		{"a bucket with an encoded slash", "GET", "/photos%2Fprivate/x", nil, s3err.NotABucketName()},
		{"a bucket in upper case", "GET", "/Photos/x", nil, s3err.NotABucketName()},
		{"an address for a bucket", "GET", "/192.168.0.1/x", nil, s3err.NotABucketName()},
		{"two operations at once", "GET", "/photos?acl&tagging", nil, s3err.ParameterNotImplemented("tagging")},
		{"a flag with a value", "GET", "/photos/x?tagging=yes", nil, s3err.ParameterNotImplemented("tagging")},
		{"a listing of an unknown type", "GET", "/photos?list-type=3", nil, s3err.ParameterNotImplemented("list-type")},
		{"an upload without its id", "GET", "/photos/x?uploadId=", nil, s3err.ParameterNotImplemented("uploadId")},
		{"an unknown parameter", "DELETE", "/photos/x?annotation", nil, s3err.ParameterNotImplemented("annotation")},
		{"a parameter of another operation", "GET", "/photos/x?prefix=a", nil, s3err.ParameterNotImplemented("prefix")},
		{"a parameter in another case", "GET", "/photos?ACL", nil, s3err.ParameterNotImplemented("ACL")},
		{"a parameter twice", "GET", "/photos?prefix=a&prefix=b", nil, s3err.ParameterTwice("prefix")},
		{"a parameter twice in two cases", "GET", "/photos?prefix=a&Prefix=b", nil, s3err.ParameterTwice("Prefix")},
		{"a parameter twice, once encoded", "GET", "/photos?acl&%61cl", nil, s3err.ParameterTwice("acl")},
		{"a header twice", "PUT", "/photos/x", http.Header{"X-Amz-Acl": {"private", "public-read"}}, s3err.HeaderTwice("X-Amz-Acl")},
		{"a header twice that is passed on", "GET", "/photos/x", http.Header{"Range": {"bytes=0-1", "bytes=2-3"}}, s3err.HeaderTwice("Range")},
		{"a header in the query too", "PUT", "/photos/x?x-amz-acl=private", http.Header{"X-Amz-Acl": {"public-read"}}, s3err.HeaderTwice("X-Amz-Acl")},
		{"appending", "PUT", "/photos/x", http.Header{"X-Amz-Write-Offset-Bytes": {"5"}}, s3err.HeaderNotImplemented()},
		{"appending, in the query", "PUT", "/photos/x?X-Amz-Write-Offset-Bytes=5", nil, s3err.HeaderNotImplemented()},
		{"an unknown method", "PATCH", "/photos/x", nil, s3err.MethodNotKnown()},
		{"a copy to a sub-resource", "PUT", "/photos/x?acl", http.Header{"X-Amz-Copy-Source": {"a-b/c"}}, s3err.ParameterNotImplemented("acl")},
		{"a copy without a key", "PUT", "/photos/x", http.Header{"X-Amz-Copy-Source": {"archive"}}, s3err.InvalidCopySource()},
		{"a copy from nothing", "PUT", "/photos/x", http.Header{"X-Amz-Copy-Source": {""}}, s3err.InvalidCopySource()},
		{"a copy from an access point", "PUT", "/photos/x", http.Header{"X-Amz-Copy-Source": {"arn:aws:s3:us-east-1:1:accesspoint/p/object/k"}}, s3err.InvalidCopySource()},
		{"a copy with another query", "PUT", "/photos/x", http.Header{"X-Amz-Copy-Source": {"archive/k?acl"}}, s3err.InvalidCopySource()},
		{"a copy with two versions", "PUT", "/photos/x", http.Header{"X-Amz-Copy-Source": {"archive/k?versionId=1&versionId=2"}}, s3err.InvalidCopySource()},
		{"a refused operation", "GET", "/photos?session", nil, s3err.OperationRefused("CreateSession", "There are no directory buckets.")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before, query, _ := strings.Cut(tt.target, "?")
			var r s3.Request
			err := s3.NewClassifier(s3.Config{ReservedBuckets: s3.APIBuckets}).Classify(sigv4.Request{Method: tt.method, Path: before, Query: query, Header: tt.header}, &r)
			require.Equal(t, tt.want, err)
		})
	}
}

// S3 ignores parameters that begin with "x-": they are for logs.
func TestIgnoredParameters(t *testing.T) {
	var r s3.Request
	require.NoError(t, s3.NewClassifier(s3.Config{}).Classify(get("/photos/k?x-id=GetObject&X-Amz-Algorithm=a&X-Amz-Signature=b&x-log=c&versionId=1"), &r))
	require.Equal(t, "GetObject", r.Operation.Name)
	require.Equal(t, "versionId=1", string(r.AppendQuery(nil)))
}

func TestVirtualHosts(t *testing.T) {
	c := s3.NewClassifier(s3.Config{Domains: []string{"s3.example.com", "localhost"}})
	for _, tt := range []struct{ host, path, want string }{
		{"s3.example.com", "/photos/k", "photos k"},
		{"S3.Example.Com:9000", "/photos/k", "photos k"},
		{"photos.s3.example.com", "/k", "photos k"},
		{"photos.S3.example.com.:443", "/k", "photos k"},
		{"photos.s3.example.com", "/", "photos "},
		{"photos.s3.example.com", "//", "photos /"},
		{"my.photos.s3.example.com", "/k", "my.photos k"},
		{"photos.localhost:80", "/k", "photos k"},
		{"other.example.com", "/photos/k", "photos k"},
		{"xs3.example.com", "/photos/k", "photos k"},
		{"[::1]:9000", "/photos/k", "photos k"},
		{"", "/photos/k", "photos k"},
		{"a_b.s3.example.com", "/k", "InvalidBucketName"},
		{".s3.example.com", "/k", "InvalidBucketName"},
	} {
		req := get(tt.path)
		req.Host = tt.host
		var r s3.Request
		var got string
		if err := c.Classify(req, &r); err != nil {
			got = apierror.CodeOf(err)
		} else {
			got = r.Bucket + " " + r.Key
		}
		require.Equal(t, tt.want, got, tt.host)
	}
}

// Policies are held against what the store will read: around the value of a header,
// HTTP has no spaces, wherever the client put it.
func TestValuesHaveNoSpacesAround(t *testing.T) {
	c := s3.NewClassifier(s3.Config{})
	for name, req := range map[string]sigv4.Request{
		"a header":              {Method: "PUT", Path: "/photos/k", Header: http.Header{"X-Amz-Storage-Class": {" GLACIER\t"}}},
		"a parameter":           {Method: "PUT", Path: "/photos/k", Query: "x-amz-storage-class=%20GLACIER%09"},
		"a parameter with plus": {Method: "PUT", Path: "/photos/k", Query: "X-Amz-Storage-Class=+GLACIER+"},
	} {
		var r s3.Request
		require.NoError(t, c.Classify(req, &r), name)
		need := r.AppendNeeds(nil)[0]
		key, tag := r.ConditionKey(&need, "s3:x-amz-storage-class")
		got, ok := r.Values(&need, key, tag, noon)
		require.True(t, ok, name)
		require.Equal(t, []string{"GLACIER"}, got, name)
	}
	// What HTTP leaves in place is another value, and asks for what other values do.
	var r s3.Request
	require.NoError(t, c.Classify(sigv4.Request{Method: "PUT", Path: "/photos/k", Header: http.Header{"X-Amz-Copy-Source": {"/photos/a"}, "X-Amz-Tagging-Directive": {"\u00a0REPLACE"}}}, &r))
	require.Len(t, r.AppendNeeds(nil), 4)
}

// A condition on a value that no store should take, but some do, says nothing of the
// one that they take it for.
func TestValuesThatStoresReadInTheirOwnWay(t *testing.T) {
	c := s3.NewClassifier(s3.Config{})
	put := func(name, value string) sigv4.Request {
		return sigv4.Request{Method: "PUT", Path: "/photos/k", Header: http.Header{name: {value}}}
	}
	for _, tt := range []struct {
		name string
		req  sigv4.Request
		want error
	}{
		{"a mode", put("X-Amz-Object-Lock-Mode", "COMPLIANCE"), nil},
		{"a mode in another case", put("X-Amz-Object-Lock-Mode", "compliance"), s3err.LockModeUnknown()},
		{"a mode in the query", sigv4.Request{Method: "PUT", Path: "/photos/k", Query: "x-amz-object-lock-mode=compliance"}, s3err.LockModeUnknown()},
		{"a hold", put("X-Amz-Object-Lock-Legal-Hold", "OFF"), nil},
		{"a hold in another case", put("X-Amz-Object-Lock-Legal-Hold", "On"), s3err.LegalHoldUnknown()},
		{"a date", put("X-Amz-Object-Lock-Retain-Until-Date", "2026-12-05T05:23:21.000Z"), nil},
		{"a date in another form", put("X-Amz-Object-Lock-Retain-Until-Date", "20261205T052321Z"), s3err.RetainUntilUnreadable()},
		{"a page of some length", get("/photos?list-type=2&max-keys=10"), nil},
		{"a page of the usual length", get("/photos?list-type=2&max-keys="), nil},
		{"a page of a length with a sign", get("/photos?list-type=2&max-keys=%2B1000"), s3err.MaxKeysNotValid()},
		{"a page of a length with a point", get("/photos?versions&max-keys=1000.0"), s3err.MaxKeysNotValid()},
		{"a version without an id", get("/photos/k?versionId="), s3err.VersionIDEmpty()},
	} {
		require.Equal(t, tt.want, c.Classify(tt.req, &s3.Request{}), tt.name)
	}
	var r s3.Request
	require.NoError(t, c.Classify(get("/photos?list-type=2&max-keys="), &r))
	need := r.AppendNeeds(nil)[0]
	key, tag := r.ConditionKey(&need, "s3:max-keys")
	got, _ := r.Values(&need, key, tag, noon)
	require.Equal(t, []string{"1000"}, got)
	for document, ok := range map[string]bool{
		"<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2026-12-05T05:23:21Z</RetainUntilDate></Retention>": true,
		"<Retention/>": true,
		"<Retention><Mode>governance</Mode><RetainUntilDate>2026-12-05T05:23:21Z</RetainUntilDate></Retention>":     false,
		"<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2026-12-05T05:23:21+0000</RetainUntilDate></Retention>": false,
	} {
		require.NoError(t, c.Classify(sigv4.Request{Method: "PUT", Path: "/photos/k", Query: "retention"}, &r))
		_, err := r.ReadDocument([]byte(document))
		require.Equal(t, ok, err == nil, document)
	}
	require.NoError(t, c.Classify(sigv4.Request{Method: "PUT", Path: "/photos/k", Query: "legal-hold"}, &r))
	_, err := r.ReadDocument([]byte("<LegalHold><Status>on</Status></LegalHold>"))
	require.Equal(t, s3err.InvalidDocument(), err)
}

// No header can hold a line break, wherever its value stood before.
func TestControlCharacters(t *testing.T) {
	c := s3.NewClassifier(s3.Config{})
	for value, ok := range map[string]bool{"x%0d%0ay:z": false, "x%00": false, "%7F": false, "a%09b": true, "%C3%A9%20b": true, "x\x01": false, "%0A": false} {
		err := c.Classify(sigv4.Request{Method: "PUT", Path: "/photos/k", Query: "x-amz-meta-a=" + value}, &s3.Request{})
		require.Equal(t, ok, err == nil, value)
	}
	for value, ok := range map[string]bool{"two\r\nlines": false, "one line": true} {
		for _, name := range []string{"x-amz-meta-a", "Content-Type"} {
			r := s3.Request{}
			require.NoError(t, c.Classify(sigv4.Request{Method: "POST", Path: "/photos"}, &r))
			body := "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nk\r\n--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value +
				"\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nx\r\n--b--\r\n"
			_, err := c.ReadForm(&r, "multipart/form-data; boundary=b", strings.NewReader(body))
			require.Equal(t, ok, err == nil, name+value)
		}
	}
}

// Where the store is sent buckets by host, the key stands where others have a bucket,
// and its APIs are there as well.
func TestKeysBeforeOtherAPIs(t *testing.T) {
	for _, profile := range []s3.KeyProfile{files, {}} {
		c := s3.NewClassifier(s3.Config{Keys: profile, ReservedBuckets: s3.APIBuckets, VirtualHosts: true})
		for key, ok := range map[string]bool{
			"minio/admin/v3/export-iam": false, "minio": false, "minio/": false, "%6dinio/health/live": false, "admin/user": false, "status": false,
			"//minio/admin/v3/info": false, "minio-photos/a": true, "photos/minio/a": true, "Minio/a": true,
		} {
			plain := strings.ReplaceAll(key, "%6d", "m")
			for name, err := range map[string]error{
				"a read":     c.Classify(get("/photos/"+key), &s3.Request{}),
				"an upload":  c.Classify(sigv4.Request{Method: "POST", Path: "/photos/" + key, Query: "uploads"}, &s3.Request{}),
				"a source":   c.Classify(sigv4.Request{Method: "PUT", Path: "/photos/k", Header: http.Header{"X-Amz-Copy-Source": {"/photos/" + key}}}, &s3.Request{}),
				"a deletion": parsed(c, plain),
				"a form":     posted(c, plain),
			} {
				require.Equal(t, ok, err == nil, "%s of %s: %v", name, key, err)
			}
		}
		require.NoError(t, s3.NewClassifier(s3.Config{Keys: files, ReservedBuckets: s3.APIBuckets}).Classify(get("/photos/minio/a"), &s3.Request{}), "a store with buckets in the path")
	}
}

func parsed(c *s3.Classifier, key string) error {
	_, err := c.ParseDeletions([]byte("<Delete><Object><Key>" + key + "</Key></Object></Delete>"))
	return err
}

func posted(c *s3.Classifier, key string) error {
	r := s3.Request{}
	if err := c.Classify(sigv4.Request{Method: "POST", Path: "/photos"}, &r); err != nil {
		return err
	}
	body := "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\n" + key + "\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nx\r\n--b--\r\n"
	_, err := c.ReadForm(&r, "multipart/form-data; boundary=b", strings.NewReader(body))
	return err
}

// Requests without escapes cost no memory, the others one string.
func TestClassifyAllocatesNothing(t *testing.T) {
	c := s3.NewClassifier(s3.Config{Domains: []string{"s3.example.com"}, Keys: files})
	var r s3.Request
	needs := make([]s3.Need, 0, 8)
	arn := make([]byte, 0, 128)
	for _, tt := range []struct {
		name string
		req  sigv4.Request
		want float64
	}{
		{"a read", get("/photos/2026/a.jpg?versionId=1"), 0},
		{"a listing", get("/photos?list-type=2&prefix=2026%2F&delimiter=%2F"), 2},
		{"a write", sigv4.Request{Method: "PUT", Path: "/photos/2026/a.jpg", Host: "127.0.0.1:9000", Header: http.Header{"X-Amz-Acl": {"private"}, "Content-Type": {"image/jpeg"}}}, 0},
		{"a key with an escape", get("/photos/a%20b.jpg"), 1},
	} {
		got := testing.AllocsPerRun(100, func() {
			if err := c.Classify(tt.req, &r); err != nil {
				t.Fatal(err)
			}
			needs = r.AppendNeeds(needs[:0])
			arn = needs[0].AppendARN(arn[:0])
		})
		require.LessOrEqual(t, got, tt.want, tt.name)
	}
}

func BenchmarkClassify(b *testing.B) {
	c := s3.NewClassifier(s3.Config{Domains: []string{"s3.example.com"}, Keys: files})
	req := get("/photos/2026/a.jpg")
	req.Header = http.Header{"Authorization": {"x"}, "X-Amz-Date": {"x"}, "X-Amz-Content-Sha256": {"x"}, "User-Agent": {"x"}}
	var r s3.Request
	needs := make([]s3.Need, 0, 8)
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Classify(req, &r); err != nil {
			b.Fatal(err)
		}
		needs = r.AppendNeeds(needs[:0])
	}
}

// Whatever is asked for, at most one operation claims it, the one that is found
// by looking at all of them; and what a store would be sent is recognised as
// the same operation on the same object.
func FuzzClassify(f *testing.F) {
	for _, o := range s3api.Operations {
		query := []string{}
		for _, p := range o.Query {
			query = append(query, p.Name+"="+p.Value)
		}
		target := map[operation.Target]string{operation.Service: "/" + strings.TrimPrefix(o.Path, "/"), operation.Bucket: "/photos", operation.Object: "/photos/a/b"}[o.Target]
		source := ""
		if len(o.Header) > 0 {
			source = "archive/c?versionId=1"
		}
		f.Add(o.Method, target, strings.Join(query, "&"), "localhost", source)
	}
	f.Add("GET", "/a/%2e%2E//%00é+;", "acl&tagging=1&%61cl&x-amz-acl=1&prefix=%C3%A9+%2B", "photos.s3.example.com:1", "/x%2Fy?versionId=%20")
	exact := s3.NewClassifier(s3.Config{Domains: []string{"s3.example.com"}})
	strict := s3.NewClassifier(s3.Config{Domains: []string{"s3.example.com"}, Keys: files})
	f.Fuzz(func(t *testing.T, method, target, query, host, source string) {
		req := sigv4.Request{Method: method, Path: target, Query: query, Host: host, Header: http.Header{}}
		if source != "" {
			req.Header["X-Amz-Copy-Source"] = []string{source}
		}
		var r s3.Request
		err := exact.Classify(req, &r)
		var same s3.Request
		if strictErr := strict.Classify(req, &same); strictErr == nil {
			require.NoError(t, err, "what a store with files takes, any store takes")
			if same.Key != "" {
				require.Equal(t, strings.TrimSuffix(same.Key, "/"), path.Clean("/" + same.Key)[1:])
			}
		}
		if err != nil {
			require.NotEqual(t, "ServiceFailure", apierror.CodeOf(err))
			return
		}
		require.Equal(t, []string{r.Operation.Name}, claims(&r, method))
		require.True(t, utf8.ValidString(r.Key))

		again := sigv4.Request{Method: method, Path: string(r.AppendPath(nil)), Query: string(r.AppendQuery(nil)), Host: "store:9000", Header: http.Header{}}
		if r.Source.Bucket != "" {
			again.Header["X-Amz-Copy-Source"] = req.Header["X-Amz-Copy-Source"]
		} else if _, ok := r.Header("X-Amz-Copy-Source"); ok && len(r.Operation.Header) > 0 {
			t.Fatal("a copy without a source")
		}
		var sent s3.Request
		require.NoError(t, exact.Classify(again, &sent))
		require.Equal(t, [3]string{r.Operation.Name, r.Bucket, r.Key}, [3]string{sent.Operation.Name, sent.Bucket, sent.Key})
		require.Equal(t, string(r.AppendQuery(nil)), string(sent.AppendQuery(nil)))
		require.Equal(t, r.AppendNeeds(nil), sent.AppendNeeds(nil))
	})
}

// claims are the operations whose row fits the request, found by looking at
// each of them.
func claims(r *s3.Request, method string) []string {
	target := operation.Object
	if r.Key == "" {
		target = operation.Bucket
	}
	if r.Bucket == "" {
		target = operation.Service
	}
	var names []string
	for _, o := range s3api.Operations {
		if o.Method != method || o.Target != target || o.Path != "" {
			continue
		}
		fits := true
		for _, other := range s3api.Operations {
			if other.Method != method || other.Target != target {
				continue
			}
			for _, p := range other.Query {
				value, has := r.Parameter(p.Name)
				want := false
				for _, q := range o.Query {
					if q.Name == p.Name {
						want = true
						fits = fits && (value == q.Value || q.Value == "*" && value != "")
					}
				}
				fits = fits && has == want
			}
			for _, h := range other.Header {
				_, has := r.Header(h)
				want := false
				for _, q := range o.Header {
					want = want || q == h
				}
				fits = fits && has == want
			}
		}
		if fits {
			names = append(names, o.Name)
		}
	}
	return names
}
