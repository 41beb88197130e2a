// Package objects is a small S3 store in memory for tests of what stands in front
// of it. It authenticates and authorizes nobody.
package objects

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Operations returns what a Store has: what stories of S3 ask for.
func Operations() []string {
	return []string{"CreateBucket", "HeadBucket", "DeleteBucket", "ListObjectsV2", "GetObject", "HeadObject", "PutObject", "DeleteObject", "DeleteObjects"}
}

// A Store is an http.Handler of S3 requests that have been authorized.
type Store struct {
	mu      sync.Mutex
	buckets map[string]contents // guarded by mu
}

// New returns a Store without buckets.
func New() *Store { return &Store{buckets: map[string]contents{}} }

// contents are a bucket's objects by key.
type contents map[string][]byte

// ServeHTTP implements http.Handler.
func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	content, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	name, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch bucket, exists := s.buckets[name]; {
	case key == "" && r.Method == http.MethodPut:
		s.buckets[name] = contents{}
	case !exists:
		refuse(w, http.StatusNotFound, "NoSuchBucket")
	case key != "":
		bucket.serve(w, r.Method, key, content)
	case r.Method == http.MethodDelete && len(bucket) > 0:
		refuse(w, http.StatusConflict, "BucketNotEmpty")
	case r.Method == http.MethodDelete:
		delete(s.buckets, name)
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodPost:
		bucket.delete(w, content)
	case r.Method == http.MethodGet:
		bucket.list(w, name, r.URL.Query().Get("prefix"))
	}
}

func (c contents) serve(w http.ResponseWriter, method, key string, content []byte) {
	stored, exists := c[key]
	switch {
	case method == http.MethodPut:
		c[key] = content
		w.Header().Set("Etag", `"an-etag"`)
	case method == http.MethodDelete:
		delete(c, key)
		w.WriteHeader(http.StatusNoContent)
	case !exists:
		refuse(w, http.StatusNotFound, "NoSuchKey")
	default:
		answer(w, stored)
	}
}

// delete deletes what a request of DeleteObjects names.
func (c contents) delete(w http.ResponseWriter, request []byte) {
	var named struct {
		Object []struct{ Key string }
	}
	if err := xml.Unmarshal(request, &named); err != nil {
		refuse(w, http.StatusBadRequest, "MalformedXML")
		return
	}
	var b strings.Builder
	b.WriteString(`<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`)
	for _, o := range named.Object {
		delete(c, o.Key)
		fmt.Fprintf(&b, "<Deleted><Key>%s</Key></Deleted>", o.Key)
	}
	w.Header().Set("Content-Type", "application/xml")
	answer(w, []byte(b.String()+"</DeleteResult>"))
}

func (c contents) list(w http.ResponseWriter, name, prefix string) {
	var keys []string
	for key := range c {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	var b strings.Builder
	fmt.Fprintf(&b, `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>%s</Name><Prefix>%s</Prefix><KeyCount>%d</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>`, name, prefix, len(keys))
	for _, key := range keys {
		fmt.Fprintf(&b, `<Contents><Key>%s</Key><LastModified>2026-03-04T05:06:07.000Z</LastModified><ETag>"an-etag"</ETag><Size>%d</Size><StorageClass>STANDARD</StorageClass></Contents>`, key, len(c[key]))
	}
	w.Header().Set("Content-Type", "application/xml")
	answer(w, []byte(b.String()+"</ListBucketResult>"))
}

func answer(w http.ResponseWriter, content []byte) {
	if _, err := w.Write(content); err != nil {
		panic(http.ErrAbortHandler)
	}
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	answer(w, []byte(xml.Header+"<Error><Code>"+code+"</Code></Error>"))
}
