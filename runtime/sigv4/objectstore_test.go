package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	documentedKey    = "AKIAIOSFODNN7EXAMPLE"
	documentedSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	nothing          = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

func objectStore(at time.Time) *Verifier[string] {
	keys := oneKey{id: documentedKey, key: Key[string]{Secret: documentedSecret, Principal: "example"}}
	return New[string](keys, func() time.Time { return at }, Config{Profiles: []Profile{{Service: "s3", ObjectStore: true, MaxPresign: 7 * 24 * time.Hour}}})
}

var documentedDay = time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)

func documented(method, path, query, payload, signed, signature string, header http.Header) Request {
	header.Set("X-Amz-Content-Sha256", payload)
	if header.Get("Date") == "" {
		header.Set("X-Amz-Date", "20130524T000000Z")
	}
	header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+documentedKey+"/20130524/us-east-1/s3/aws4_request,SignedHeaders="+signed+",Signature="+signature)
	return Request{Method: method, Path: path, Query: query, Host: "examplebucket.s3.amazonaws.com", Header: header}
}

// The examples of AWS's "Signature Calculations for the Authorization Header".
func TestDocumentedObjectRequests(t *testing.T) {
	put := documented("PUT", "/test%24file.text", "", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072", "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
		"98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd", http.Header{"Date": {"Fri, 24 May 2013 00:00:00 GMT"}, "X-Amz-Date": {"20130524T000000Z"}, "X-Amz-Storage-Class": {"REDUCED_REDUNDANCY"}})
	plain := put
	plain.Path = "/test$file.text"
	for name, req := range map[string]Request{
		"a read": documented("GET", "/test.txt", "", nothing, "host;range;x-amz-content-sha256;x-amz-date",
			"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41", http.Header{"Range": {"bytes=0-9"}}),
		"a write": put,
		"a write to the same key in another form": plain,
		"a sub-resource": documented("GET", "/", "lifecycle", nothing, "host;x-amz-content-sha256;x-amz-date",
			"fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543", http.Header{}),
		"a listing": documented("GET", "/", "max-keys=2&prefix=J", nothing, "host;x-amz-content-sha256;x-amz-date",
			"34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7", http.Header{}),
	} {
		t.Run(name, func(t *testing.T) {
			v := objectStore(documentedDay)
			auth, err := v.Parse(req)
			require.NoError(t, err)
			id, err := v.VerifyHeaders(t.Context(), auth)
			require.NoError(t, err)
			require.Equal(t, "example", id.Principal)
			require.Equal(t, HashedPayload, auth.Payload().Kind)

			// Verify is for those who have the body.
			_, err = v.Verify(t.Context(), auth, auth.Payload().Hash())
			require.NoError(t, err)
			_, err = v.Verify(t.Context(), auth, sha256.Sum256([]byte("another body")))
			require.Equal(t, WrongPayloadHash, reasonOf(err))
		})
	}
}

// The example of AWS's "Authenticating Requests: Using Query Parameters", and
// what becomes of it.
func TestDocumentedPresignedRequest(t *testing.T) {
	const query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
	for _, tt := range []struct {
		name   string
		path   string
		query  string
		header http.Header
		after  time.Duration
		want   Reason
	}{
		{"as it is", "/test.txt", query, nil, 0, 0},
		{"within its time", "/test.txt", query, nil, 24 * time.Hour, 0},
		{"after its time", "/test.txt", query, nil, 24*time.Hour + time.Second, RequestExpired},
		{"for another key", "/test.txt2", query, nil, 0, SignatureDoesNotMatch},
		{"for an alias of the key", "/x/../test.txt", query, nil, 0, SignatureDoesNotMatch},
		{"with another parameter", "/test.txt", query + "&versionId=1", nil, 0, SignatureDoesNotMatch},
		{"with another header", "/test.txt", query, http.Header{"X-Amz-Acl": {"public-read"}}, 0, HeaderNotSigned},
		{"for longer", "/test.txt", strings.Replace(query, "86400", "604800", 1), nil, 0, SignatureDoesNotMatch},
		{"for more than seven days", "/test.txt", strings.Replace(query, "86400", "604801", 1), nil, 0, IncompleteSignature},
		{"with a payload", "/test.txt", query + "&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD", nil, 0, SignatureDoesNotMatch},
		{"with a signature in the headers too", "/test.txt", query, http.Header{"Authorization": {"AWS4-HMAC-SHA256 x"}}, 0, TwoAuthentications},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := objectStore(documentedDay.Add(tt.after))
			auth, err := v.Parse(Request{Method: "GET", Path: tt.path, Query: tt.query, Host: "examplebucket.s3.amazonaws.com", Header: tt.header})
			if err == nil {
				_, err = v.VerifyHeaders(t.Context(), auth)
			}
			require.Equal(t, tt.want, reasonOf(err))
		})
	}
}

func reasonOf(err error) Reason {
	var refused *Error
	if errors.As(err, &refused) {
		return refused.Reason
	}
	return 0
}

func TestPayloadDeclarations(t *testing.T) {
	for _, tt := range []struct {
		name   string
		values []string
		want   Reason
	}{
		{"none", nil, MissingPayloadHash},
		{"two", []string{nothing, nothing}, IncompleteSignature},
		{"none that there is", []string{"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"}, WrongPayloadHash},
		{"one in upper case", []string{strings.ToUpper(nothing)}, WrongPayloadHash},
		{"empty", []string{""}, WrongPayloadHash},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := documented("GET", "/", "", nothing, "host;x-amz-content-sha256;x-amz-date", nothing, http.Header{})
			delete(req.Header, "X-Amz-Content-Sha256")
			if tt.values != nil {
				req.Header["X-Amz-Content-Sha256"] = tt.values
			}
			_, err := objectStore(documentedDay).Parse(req)
			require.Equal(t, tt.want, reasonOf(err))
		})
	}
}

// A request to another service cannot leave its body out of the signature.
func TestOnlyObjectStoresHaveOpenBodies(t *testing.T) {
	v := newVerifier(alice, config)
	auth, err := v.Parse(inHeader(nil))
	require.NoError(t, err)
	_, err = v.VerifyHeaders(t.Context(), auth)
	require.Equal(t, WrongPayloadHash, reasonOf(err))
	_, err = v.VerifyPost(t.Context(), Post{Algorithm: algorithm, Credential: "AKIDALICE/20150830/us-east-1/iam/aws4_request", Date: "20150830T130000Z", Signature: nothing, Policy: "e30="})
	require.Equal(t, MissingAuthentication, reasonOf(err))
}

func TestVerifyPost(t *testing.T) {
	policy := base64.StdEncoding.EncodeToString([]byte(`{"expiration": "2013-08-07T12:00:00Z", "conditions": []}`))
	key := []byte("AWS4" + documentedSecret)
	for _, part := range []string{"20130524", "us-east-1", "s3", "aws4_request", policy} {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(part))
		key = h.Sum(nil)
	}
	good := Post{
		Algorithm: algorithm, Credential: documentedKey + "/20130524/us-east-1/s3/aws4_request", Date: "20130524T000000Z",
		Signature: hex.EncodeToString(key), Policy: policy,
	}
	for _, tt := range []struct {
		name   string
		change func(*Post)
		after  time.Duration
		want   Reason
	}{
		{"as it is", func(*Post) {}, 0, 0},
		{"a week later", func(*Post) {}, 7 * 24 * time.Hour, 0},
		{"more than a week later", func(*Post) {}, 7*24*time.Hour + time.Second, RequestExpired},
		{"long before", func(*Post) {}, -time.Hour, Skewed},
		{"another policy", func(p *Post) { p.Policy = "e30=" }, 0, SignatureDoesNotMatch},
		{"another key", func(p *Post) { p.Credential = "AKIDOTHER" + p.Credential[len(documentedKey):] }, 0, UnknownKey},
		{"another service", func(p *Post) { p.Credential = strings.Replace(p.Credential, "/s3/", "/iam/", 1) }, 0, WrongScope},
		{"another algorithm", func(p *Post) { p.Algorithm = "AWS4-ECDSA-P256-SHA256" }, 0, IncompleteSignature},
		{"no signature", func(p *Post) { p.Signature = "" }, 0, MissingAuthentication},
		{"no policy", func(p *Post) { p.Policy = "" }, 0, MissingAuthentication},
		{"a date that is none", func(p *Post) { p.Date = "yesterday" }, 0, IncompleteSignature},
		{"another date", func(p *Post) { p.Date = "20130525T000000Z" }, 0, WrongScope},
	} {
		t.Run(tt.name, func(t *testing.T) {
			post := good
			tt.change(&post)
			id, err := objectStore(documentedDay.Add(tt.after)).VerifyPost(t.Context(), post)
			require.Equal(t, tt.want, reasonOf(err))
			if err == nil {
				require.Equal(t, "example", id.Principal)
			}
		})
	}
}
