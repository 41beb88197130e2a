package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/s3"
	"iamserver/runtime/sigv4"
)

// An exactStore is a store in memory whose keys are byte strings: "a//b", "a/./b" and
// "a/b" are three objects, as in Amazon S3. It reads bucket and key from the request
// line by itself, verifies signatures, hashes, chunks and checksums, and remembers what
// it was asked. It has no versions, no locks and no conditions on writes.
type exactStore struct {
	t        testing.TB
	verifier *sigv4.Verifier[struct{}]
	reader   *s3.Classifier

	mu      sync.Mutex
	buckets map[string]map[string]*exactObject // guarded by mu; by bucket, then by key
	uploads map[string]*exactUpload            // guarded by mu
	asked   []asked                            // guarded by mu
}

type exactObject struct {
	data     []byte
	header   http.Header
	tags     []exactTag
	modified time.Time
}

type exactTag struct{ Key, Value string }

type exactUpload struct {
	bucket, key string
	object      exactObject
	parts       map[int][]byte
}

// asked is one object that a request to the store is about: that of the path, the
// source of a copy, or an entry of DeleteObjects.
type asked struct{ bucket, key string }

// startExactStore serves a store until the end of the test.
func startExactStore(t testing.TB) (*exactStore, string) {
	t.Helper()
	e := &exactStore{t: t, buckets: map[string]map[string]*exactObject{}, uploads: map[string]*exactUpload{}}
	e.verifier = sigv4.New(e, time.Now, sigv4.Config{Profiles: []sigv4.Profile{{Service: "s3", ObjectStore: true}}})
	e.reader = s3.NewClassifier(s3.Config{})
	served := httptest.NewServer(e)
	t.Cleanup(served.Close)
	return e, served.URL
}

// Key implements sigv4.KeySource: there is one.
func (e *exactStore) Key(_ context.Context, id, token string) (sigv4.Key[struct{}], error) {
	if id != storeKeyID || token != "" {
		return sigv4.Key[struct{}]{}, sigv4.ErrUnknownKey
	}
	return sigv4.Key[struct{}]{Secret: storeSecret}, nil
}

// forget returns what the store was asked since it was called last.
func (e *exactStore) forget() []asked {
	e.mu.Lock()
	defer e.mu.Unlock()
	was := e.asked
	e.asked = nil
	return was
}

// An exactError is the answer to a request that is not carried out.
type exactError struct {
	status int
	code   string
}

func (r *exactError) Error() string { return r.code }

var (
	errNoKey    = &exactError{http.StatusNotFound, "NoSuchKey"}
	errNoBucket = &exactError{http.StatusNotFound, "NoSuchBucket"}
	errNoUpload = &exactError{http.StatusNotFound, "NoSuchUpload"}
)

// ServeHTTP implements http.Handler.
func (e *exactStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	err := e.serve(w, r)
	if err == nil {
		return
	}
	refused, ok := err.(*exactError) //nolint:errorlint // nothing wraps it
	if !ok {
		refused = &exactError{http.StatusBadRequest, "InvalidRequest"}
	}
	w.WriteHeader(refused.status)
	if r.Method != http.MethodHead {
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", refused.code, refused.code) //nolint:errcheck // the client may have left
	}
}

func (e *exactStore) serve(w http.ResponseWriter, r *http.Request) error {
	auth, err := e.verifier.Parse(sigv4.RequestOf(r))
	if err != nil {
		return err
	}
	identity, err := e.verifier.VerifyHeaders(r.Context(), auth)
	if err != nil {
		return err
	}
	path, _, _ := strings.Cut(r.RequestURI, "?")
	bucket, rawKey, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	key, err := url.PathUnescape(rawKey)
	if err != nil {
		return err
	}
	// What the operation is, and how its body is coded, is told by the table of
	// requests; which object it is about is not.
	var req s3.Request
	if err := e.reader.Classify(sigv4.RequestOf(r), &req); err != nil {
		return err
	}
	content, err := req.NewBody(r.Body, r.ContentLength, auth.Payload(), identity.ChunkKey())
	if err != nil {
		return err
	}
	body, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = append(e.asked, asked{bucket, key})
	return e.answer(&exactRequest{w, r, bucket, key, body, r.URL.Query()}, req.Operation.Name)
}

type exactRequest struct {
	http.ResponseWriter

	r           *http.Request
	bucket, key string
	body        []byte
	query       url.Values
}

// answer carries out an operation; e.mu is held.
func (e *exactStore) answer(q *exactRequest, operation string) error {
	switch operation {
	case "ListBuckets":
		var all []exactBucketEntry
		for _, name := range slices.Sorted(maps.Keys(e.buckets)) {
			all = append(all, exactBucketEntry{name, time.Now()})
		}
		return q.xml(struct {
			XMLName xml.Name           `xml:"ListAllMyBucketsResult"`
			Owner   exactOwner         `xml:"Owner"`
			Buckets []exactBucketEntry `xml:"Buckets>Bucket"`
		}{Owner: exactOwner{storeKeyID}, Buckets: all})
	case "CreateBucket":
		if e.buckets[q.bucket] != nil {
			return &exactError{http.StatusConflict, "BucketAlreadyOwnedByYou"}
		}
		e.buckets[q.bucket] = map[string]*exactObject{}
		return nil
	}
	b := e.buckets[q.bucket]
	if b == nil {
		return errNoBucket
	}
	switch operation {
	case "HeadBucket":
		q.Header().Set("X-Amz-Bucket-Region", "us-east-1")
		return nil
	case "GetBucketLocation":
		return q.xml(struct {
			XMLName xml.Name `xml:"LocationConstraint"`
		}{})
	case "DeleteBucket":
		if len(b) > 0 {
			return &exactError{http.StatusConflict, "BucketNotEmpty"}
		}
		delete(e.buckets, q.bucket)
		q.WriteHeader(http.StatusNoContent)
		return nil
	case "ListObjects", "ListObjectsV2":
		return q.list(b)
	case "DeleteObjects":
		return e.deleteEntries(q, b)
	case "PutObject":
		object := &exactObject{data: q.body, header: keptHeaders(q.r.Header), tags: tagsOf(q.r.Header.Get("X-Amz-Tagging")), modified: time.Now()}
		b[q.key] = object
		q.Header().Set("Etag", object.etag())
		for name, values := range q.r.Header {
			if strings.HasPrefix(name, "X-Amz-Checksum-") {
				q.Header()[name] = values
			}
		}
		return nil
	case "CopyObject":
		return e.copyObject(q, b)
	case "DeleteObject":
		delete(b, q.key)
		q.WriteHeader(http.StatusNoContent)
		return nil
	case "CreateMultipartUpload", "UploadPart", "UploadPartCopy", "ListParts", "CompleteMultipartUpload", "AbortMultipartUpload":
		return e.upload(q, b, operation)
	}
	object := b[q.key]
	if object == nil {
		return errNoKey
	}
	switch operation {
	case "GetObject", "HeadObject":
		maps.Copy(q.Header(), object.header)
		q.Header().Set("Etag", object.etag())
		if len(object.tags) > 0 {
			q.Header().Set("X-Amz-Tagging-Count", strconv.Itoa(len(object.tags)))
		}
		http.ServeContent(q, q.r, "", object.modified, bytes.NewReader(object.data))
		return nil
	case "GetObjectAttributes":
		q.Header().Set("Last-Modified", object.modified.UTC().Format(http.TimeFormat))
		type sum struct {
			ChecksumSHA256 string `xml:",omitempty"`
		}
		return q.xml(struct {
			XMLName    xml.Name `xml:"GetObjectAttributesResponse"`
			Checksum   sum
			ObjectSize int
		}{Checksum: sum{object.header.Get("X-Amz-Checksum-Sha256")}, ObjectSize: len(object.data)})
	case "GetObjectTagging":
		return q.xml(exactTagging{Tags: object.tags})
	case "PutObjectTagging":
		var given exactTagging
		if err := xml.Unmarshal(q.body, &given); err != nil {
			return err
		}
		object.tags = given.Tags
		return nil
	case "DeleteObjectTagging":
		object.tags = nil
		q.WriteHeader(http.StatusNoContent)
		return nil
	}
	return &exactError{http.StatusNotImplemented, "NotImplemented"}
}

type exactOwner struct{ ID string }

type exactBucketEntry struct {
	Name         string
	CreationDate time.Time
}

type exactTagging struct {
	XMLName xml.Name   `xml:"Tagging"`
	Tags    []exactTag `xml:"TagSet>Tag"`
}

func (q *exactRequest) xml(document any) error {
	text, err := xml.Marshal(document)
	if err != nil {
		return err
	}
	q.Header().Set("Content-Type", "application/xml")
	_, err = q.Write(text)
	return err
}

func (o *exactObject) etag() string {
	sum := md5.Sum(o.data)
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

// keptHeaders are the headers that an object has.
func keptHeaders(h http.Header) http.Header {
	kept := http.Header{}
	for name, values := range h {
		switch {
		case strings.HasPrefix(name, "X-Amz-Meta-"), strings.HasPrefix(name, "X-Amz-Checksum-"), name == "Content-Type", name == "Cache-Control":
			kept[name] = values
		}
	}
	return kept
}

func tagsOf(header string) (tags []exactTag) {
	values, err := url.ParseQuery(header)
	if err != nil {
		return nil
	}
	for key, value := range values {
		tags = append(tags, exactTag{key, value[0]})
	}
	return tags
}

// source finds the object that is copied; e.mu is held.
func (e *exactStore) source(q *exactRequest) (*exactObject, error) {
	text, _, _ := strings.Cut(q.r.Header.Get("X-Amz-Copy-Source"), "?")
	text, err := url.PathUnescape(text)
	if err != nil {
		return nil, err
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(text, "/"), "/")
	e.asked = append(e.asked, asked{bucket, key})
	object := e.buckets[bucket][key]
	if object == nil {
		return nil, errNoKey
	}
	return object, nil
}

func (e *exactStore) copyObject(q *exactRequest, b map[string]*exactObject) error {
	from, err := e.source(q)
	if err != nil {
		return err
	}
	made := &exactObject{data: from.data, header: from.header, tags: from.tags, modified: time.Now()}
	if q.r.Header.Get("X-Amz-Metadata-Directive") == "REPLACE" {
		made.header = keptHeaders(q.r.Header)
	}
	if q.r.Header.Get("X-Amz-Tagging-Directive") == "REPLACE" {
		made.tags = tagsOf(q.r.Header.Get("X-Amz-Tagging"))
	}
	b[q.key] = made
	return q.xml(struct {
		XMLName      xml.Name `xml:"CopyObjectResult"`
		ETag         string
		LastModified time.Time
	}{ETag: made.etag(), LastModified: made.modified})
}

func (e *exactStore) deleteEntries(q *exactRequest, b map[string]*exactObject) error {
	var given struct {
		Objects []struct{ Key string } `xml:"Object"`
	}
	if err := xml.Unmarshal(q.body, &given); err != nil {
		return err
	}
	for _, entry := range given.Objects {
		e.asked = append(e.asked, asked{q.bucket, entry.Key})
		delete(b, entry.Key)
	}
	return q.xml(struct {
		XMLName xml.Name               `xml:"DeleteResult"`
		Deleted []struct{ Key string } `xml:"Deleted"`
	}{Deleted: given.Objects})
}

// list answers with the objects of a bucket in the order of their bytes.
func (q *exactRequest) list(b map[string]*exactObject) error {
	type content struct {
		Key          string
		LastModified time.Time
		ETag         string
		Size         int
		Owner        exactOwner
	}
	type common struct{ Prefix string }
	var answer struct {
		XMLName        xml.Name `xml:"ListBucketResult"`
		Name           string
		Prefix         string
		MaxKeys        int
		KeyCount       int
		IsTruncated    bool
		EncodingType   string    `xml:",omitempty"`
		NextMarker     string    `xml:",omitempty"`
		NextToken      string    `xml:"NextContinuationToken,omitempty"`
		Contents       []content `xml:"Contents"`
		CommonPrefixes []common  `xml:"CommonPrefixes"`
	}
	name := func(key string) string {
		if q.query.Get("encoding-type") == "url" {
			return url.QueryEscape(key)
		}
		return key
	}
	prefix, delimiter := q.query.Get("prefix"), q.query.Get("delimiter")
	answer.Name, answer.Prefix, answer.MaxKeys, answer.EncodingType = q.bucket, name(prefix), 1000, q.query.Get("encoding-type")
	if text := q.query.Get("max-keys"); text != "" {
		var err error
		if answer.MaxKeys, err = strconv.Atoi(text); err != nil {
			return err
		}
	}
	after := cmp.Or(q.query.Get("continuation-token"), q.query.Get("start-after"), q.query.Get("marker"))
	last := ""
	for _, key := range slices.Sorted(maps.Keys(b)) {
		if !strings.HasPrefix(key, prefix) || key <= after || (delimiter != "" && strings.HasSuffix(after, delimiter) && strings.HasPrefix(key, after)) {
			continue
		}
		group, grouped := key, false
		if head, _, found := strings.Cut(key[len(prefix):], delimiter); found && delimiter != "" {
			group, grouped = prefix+head+delimiter, true
		}
		if grouped && group == last {
			continue
		}
		if answer.KeyCount == answer.MaxKeys {
			answer.IsTruncated, answer.NextMarker, answer.NextToken = true, name(last), last
			break
		}
		last = group
		answer.KeyCount++
		if grouped {
			answer.CommonPrefixes = append(answer.CommonPrefixes, common{name(group)})
			continue
		}
		answer.Contents = append(answer.Contents, content{name(key), b[key].modified, b[key].etag(), len(b[key].data), exactOwner{storeKeyID}})
	}
	return q.xml(answer)
}

// upload carries out an operation of an upload in parts; e.mu is held.
func (e *exactStore) upload(q *exactRequest, b map[string]*exactObject, operation string) error {
	if operation == "CreateMultipartUpload" {
		id := fmt.Sprintf("upload%d", len(e.uploads))
		e.uploads[id] = &exactUpload{q.bucket, q.key, exactObject{header: keptHeaders(q.r.Header), tags: tagsOf(q.r.Header.Get("X-Amz-Tagging"))}, map[int][]byte{}}
		return q.xml(struct {
			XMLName     xml.Name `xml:"InitiateMultipartUploadResult"`
			Bucket, Key string
			UploadID    string `xml:"UploadId"`
		}{Bucket: q.bucket, Key: q.key, UploadID: id})
	}
	u := e.uploads[q.query.Get("uploadId")]
	if u == nil || u.parts == nil || u.bucket != q.bucket || u.key != q.key {
		return errNoUpload
	}
	switch operation {
	case "UploadPart", "UploadPartCopy":
		number, err := strconv.Atoi(q.query.Get("partNumber"))
		if err != nil {
			return err
		}
		part := exactObject{data: q.body}
		if operation == "UploadPart" {
			u.parts[number] = q.body
			q.Header().Set("Etag", part.etag())
			return nil
		}
		from, err := e.source(q)
		if err != nil {
			return err
		}
		u.parts[number] = from.data
		return q.xml(struct {
			XMLName xml.Name `xml:"CopyPartResult"`
			ETag    string
		}{ETag: from.etag()})
	case "ListParts":
		type part struct {
			PartNumber int
			ETag       string
			Size       int
		}
		var parts []part
		for _, number := range slices.Sorted(maps.Keys(u.parts)) {
			parts = append(parts, part{number, (&exactObject{data: u.parts[number]}).etag(), len(u.parts[number])})
		}
		return q.xml(struct {
			XMLName          xml.Name `xml:"ListPartsResult"`
			Initiator, Owner exactOwner
			Part             []part
		}{Initiator: exactOwner{storeKeyID}, Owner: exactOwner{storeKeyID}, Part: parts})
	case "CompleteMultipartUpload":
		var given struct {
			Parts []struct{ PartNumber int } `xml:"Part"`
		}
		if err := xml.Unmarshal(q.body, &given); err != nil {
			return err
		}
		object := u.object
		object.modified = time.Now()
		for _, part := range given.Parts {
			object.data = append(object.data, u.parts[part.PartNumber]...)
		}
		b[q.key], u.parts = &object, nil
		return q.xml(struct {
			XMLName                     xml.Name `xml:"CompleteMultipartUploadResult"`
			Location, Bucket, Key, ETag string
		}{Location: "http://the-store/" + q.bucket, Bucket: q.bucket, Key: q.key, ETag: object.etag()})
	}
	u.parts = nil
	q.WriteHeader(http.StatusNoContent)
	return nil
}

// The store itself tells apart what it is said to tell apart.
func TestExactStore(t *testing.T) {
	e, address := startExactStore(t)
	o := &objects{running: &running{url: address}}
	o.root.AccessKeyID, o.root.SecretAccessKey = storeKeyID, storeSecret
	keys := []string{"a/b", "a//b", "/a/b", "a/./b", "a/../b", "a/b/", ".", "..", "/", "//", "a%2Fb", "a\x00b", "é", "e\u0301", "A/B", "a b", "a+b"}
	b := o.bucket(t, "exact", nil)
	e.forget()
	var want []asked
	for _, key := range keys {
		require.Equal(t, "200", o.send(t, o.root, message{method: "PUT", target: "/" + b + "/" + canonicalPath(key), body: key}).String(), "%q", key)
		want = append(want, asked{b, key})
	}
	require.Equal(t, want, e.forget())
	for _, key := range keys {
		require.Equal(t, "200 "+key, o.get(t, o.root, b, key), "%q", key)
	}
	require.Equal(t, "400 InvalidRequest", o.send(t, unsigned, message{method: "GET", target: "/" + b + "/a/b"}).String(), "it asks who one is")
}
