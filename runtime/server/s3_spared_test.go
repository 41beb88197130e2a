package server_test

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A hastyStore has objects that somebody locks, or tags, at the very moment after it
// was asked whether they are: who goes by that answer alone comes too late.
type hastyStore struct {
	mu      sync.Mutex
	deleted []string // guarded by mu
	copied  []string // guarded by mu; the tags that went with each copy
}

// ServeHTTP implements http.Handler.
func (s *hastyStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	bypasses := r.Header.Get("X-Amz-Bypass-Governance-Retention") == "true"
	// Objects are locked by now; those under governed/ were so before.
	refused := func(key string) bool {
		if bypasses || strings.HasPrefix(key, "free/") {
			s.deleted = append(s.deleted, key)
			return false
		}
		return true
	}
	key := strings.TrimPrefix(r.URL.Path, "/photos/")
	switch {
	case r.Method == http.MethodHead:
		if strings.HasPrefix(key, "governed/") {
			w.Header().Set("X-Amz-Object-Lock-Mode", "GOVERNANCE")
			w.Header().Set("X-Amz-Object-Lock-Retain-Until-Date", "2099-01-01T00:00:00Z")
		}
		w.Header().Set("Last-Modified", now.Format(http.TimeFormat))
	case r.Method == http.MethodGet && r.URL.Query().Has("tagging"):
		tags := ""
		if strings.HasPrefix(key, "tagged/") {
			tags = "<Tag><Key>class</Key><Value>secret</Value></Tag>"
		}
		fmt.Fprint(w, "<Tagging><TagSet>"+tags+"</TagSet></Tagging>") //nolint:errcheck // the client tells
	case r.Method == http.MethodDelete, r.Method == http.MethodPut && r.URL.Query().Has("retention"):
		if refused(key) {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, "<Error><Code>AccessDenied</Code></Error>") //nolint:errcheck // the client tells
		}
	case r.Method == http.MethodPost:
		var given struct {
			Objects []struct{ Key string } `xml:"Object"`
		}
		if err := xml.Unmarshal(body, &given); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		fmt.Fprint(w, `<?xml version="1.0"?><DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`) //nolint:errcheck // the client tells
		for _, o := range given.Objects {
			if refused(o.Key) {
				fmt.Fprintf(w, "<Error><Key>%s</Key><Code>AccessDenied</Code></Error>", o.Key) //nolint:errcheck // the client tells
			} else {
				fmt.Fprintf(w, "<Deleted><Key>%s</Key></Deleted>", o.Key) //nolint:errcheck // the client tells
			}
		}
		fmt.Fprint(w, "</DeleteResult>") //nolint:errcheck // the client tells
	case r.Header.Get("X-Amz-Copy-Source") != "":
		tags := "class=secret"
		if r.Header.Get("X-Amz-Tagging-Directive") == "REPLACE" {
			tags = r.Header.Get("X-Amz-Tagging")
		}
		s.copied = append(s.copied, tags)
		fmt.Fprint(w, "<CopyObjectResult><ETag>x</ETag></CopyObjectResult>") //nolint:errcheck // the client tells
	}
}

// happened returns what has been deleted and copied since the last call.
func (s *hastyStore) happened() (deleted, copied []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	deleted, copied = s.deleted, s.copied
	s.deleted, s.copied = nil, nil
	slices.Sort(deleted)
	return deleted, copied
}

// Who needs no right to bypass a lock, since there is none, bypasses none that comes
// meanwhile.
func TestLocksThatComeMeanwhile(t *testing.T) {
	store := &hastyStore{}
	f := overHandler(t, store)
	plain := f.may(t, "plain", allow(`["s3:DeleteObject","s3:DeleteObjectVersion","s3:PutObjectRetention"]`, photos+"/*"))
	trusted := f.may(t, "trusted", allow(`"s3:*"`, photos+"/*"))
	partly := f.may(t, "partly", `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"s3:DeleteObject","Resource":"`+photos+`/*"},
		{"Effect":"Allow","Action":"s3:BypassGovernanceRetention","Resource":"`+photos+`/governed/mine/*"}]}`)
	bypass := func(r *http.Request) { r.Header.Set("X-Amz-Bypass-Governance-Retention", "true") }
	retain := "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2026-01-01T00:00:00Z</RetainUntilDate></Retention>"
	for _, tt := range []struct {
		name           string
		by             key
		method, target string
		body           string
		status         int
		deleted        []string // or what had its lock changed
	}{
		{"without the right, what is locked by now", plain, "DELETE", "/photos/a", "", 403, nil},
		{"a version of it", plain, "DELETE", "/photos/a?versionId=v", "", 403, nil},
		{"what nobody locks", plain, "DELETE", "/photos/free/a", "", 200, []string{"free/a"}},
		{"what was locked before", plain, "DELETE", "/photos/governed/a", "", 403, nil},
		{"with the right, what is locked by now", trusted, "DELETE", "/photos/a", "", 200, []string{"a"}},
		{"what was locked before, with the right", trusted, "DELETE", "/photos/governed/a", "", 200, []string{"governed/a"}},
		{"without the right, the lock itself", plain, "PUT", "/photos/a?retention", retain, 403, nil},
		{"with the right, the lock itself", trusted, "PUT", "/photos/a?retention", retain, 200, []string{"a"}},
		{"entries, without the right", plain, "POST", "/photos?delete", deletion("a", "free/a", "governed/a"), 200, []string{"free/a"}},
		{"entries, with the right", trusted, "POST", "/photos?delete", deletion("a", "free/a", "governed/a"), 200, []string{"a", "free/a", "governed/a"}},
		{"entries, with the right for some", partly, "POST", "/photos?delete", deletion("a", "free/a", "governed/a", "governed/mine/a"), 200, []string{"free/a", "governed/mine/a"}},
	} {
		status, answer := do(t, f.object(t, tt.by, tt.method, tt.target, tt.body, bypass))
		require.Equal(t, tt.status, status, "%s: %s", tt.name, answer)
		deleted, _ := store.happened()
		require.Equal(t, tt.deleted, deleted, tt.name)
	}
	// The answer says of each entry what became of it, in one document.
	_, answer := do(t, f.object(t, partly, "POST", "/photos?delete", deletion("a", "free/a", "governed/a", "governed/mine/a"), bypass))
	require.Equal(t, []string{"free/a", "governed/mine/a"}, keysIn(t, answer, "Deleted"))
	require.Equal(t, []string{"a", "governed/a"}, keysIn(t, answer, "Error"))
	_, _ = store.happened()
	// Who does not ask to bypass anything does not.
	status, _ := do(t, f.object(t, trusted, "DELETE", "/photos/governed/a", "", nil))
	require.Equal(t, 403, status)
}

// deletion is the body of DeleteObjects.
func deletion(keys ...string) string {
	return "<Delete><Object><Key>" + strings.Join(keys, "</Key></Object><Object><Key>") + "</Key></Object></Delete>"
}

// keysIn are the keys of an answer to DeleteObjects, sorted, of which it says the one
// thing or the other.
func keysIn(t *testing.T, answer, said string) (keys []string) {
	t.Helper()
	var result struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ DeleteResult"`
		Entries []struct {
			XMLName xml.Name
			Key     string
		} `xml:",any"`
	}
	require.NoError(t, xml.Unmarshal([]byte(answer), &result), answer)
	for _, entry := range result.Entries {
		if entry.XMLName.Local == said {
			keys = append(keys, entry.Key)
		}
	}
	slices.Sort(keys)
	return keys
}

// Who needs no rights on tags, since the source of the copy has none, takes none along
// that come meanwhile.
func TestTagsThatComeMeanwhile(t *testing.T) {
	store := &hastyStore{}
	f := overHandler(t, store)
	plain := f.may(t, "plain", allow(`["s3:GetObject","s3:PutObject"]`, photos+"/*"))
	reader := f.may(t, "reader", allow(`["s3:GetObject","s3:PutObject","s3:GetObjectTagging"]`, photos+"/*"))
	trusted := f.may(t, "trusted", allow(`"s3:*"`, photos+"/*"))
	for _, tt := range []struct {
		name   string
		by     key
		source string
		header []string
		status int
		tags   []string // that went with the copy
	}{
		{"without the rights, what is tagged by now", plain, "a", nil, 200, []string{""}},
		{"the same, said in words", plain, "a", []string{"X-Amz-Tagging-Directive", "COPY"}, 200, []string{""}},
		{"with one of two rights", reader, "a", nil, 200, []string{""}},
		{"without the rights, what was tagged before", plain, "tagged/a", nil, 403, nil},
		{"with the rights", trusted, "a", nil, 200, []string{"class=secret"}},
		{"other tags in their place", trusted, "a", []string{"X-Amz-Tagging-Directive", "REPLACE", "X-Amz-Tagging", "a=b"}, 200, []string{"a=b"}},
		{"none in their place", plain, "tagged/a", []string{"X-Amz-Tagging-Directive", "REPLACE"}, 200, []string{""}},
	} {
		status, answer := do(t, f.object(t, tt.by, "PUT", "/photos/copy", "", func(r *http.Request) {
			r.Header.Set("X-Amz-Copy-Source", "/photos/"+tt.source)
			for i := 0; i < len(tt.header); i += 2 {
				r.Header.Set(tt.header[i], tt.header[i+1])
			}
		}))
		require.Equal(t, tt.status, status, "%s: %s", tt.name, answer)
		_, copied := store.happened()
		require.Equal(t, tt.tags, copied, tt.name)
	}
}
