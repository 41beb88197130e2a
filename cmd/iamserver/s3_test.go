package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/minio/minio-go/v7"
	miniocredentials "github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/stretchr/testify/require"
)

// The stories of S3: each is told with a store on the disk, and in front of others.
var stories = map[string]func(*testing.T, *objects){
	// Told first: of requests that are refused, the log has only so many a second.
	"a log of who did what":                       storyAudit,
	"every kind of policy gives and takes rights": storyRights,
	"the AWS CLI":                                 storyCLI,
	"minio-go":                                    storyMinio,
	"aws-sdk-go-v2":                               storySDK,
	"curl":                                        storyCurl,
	"forms of browsers":                           storyForms,
	"old signatures":                              storyOldSignatures,
	"bucket policies":                             storyBucketPolicies,
	"principals of bucket policies":               storyPolicyPrincipals,
	"anonymous callers":                           storyAnonymous,
	"root":                                        storyRoot,
	"buckets made anew":                           storyBucketsMadeAnew,
	"access lists and owners":                     storyOwners,
	"regions":                                     storyRegions,
	"what is missing":                             storyMissing,
	"multipart uploads":                           storyUploads,
	"deletions":                                   storyDeletions,
	"copies":                                      storyCopies,
	"tags":                                        storyTags,
	"listings":                                    storyListings,
	"versions":                                    storyVersions,
	"locks":                                       storyLocks,
	"aliases of denied keys":                      storyAliases,
	"spoiled bodies":                              storySpoiledBodies,
	"presigned requests":                          storyPresigned,
	"requests of one service to another":          storyServices,
	"ambiguous requests":                          storySmuggling,
	"errors":                                      storyErrors,
	"other sites":                                 storyOtherSites,
}

// What the exact store does not have.
var notInExactStore = []string{"versions", "locks", "the AWS CLI"}

func TestS3(t *testing.T) {
	if *upstream != "" {
		tellStories(t, inFrontOfUpstream(t), nil)
		return
	}
	for _, kind := range []struct {
		name  string
		start func(*testing.T) *objects
		lacks []string // stories that the store is not fit for
	}{
		{"a store on the disk", func(t *testing.T) *objects {
			t.Helper()
			o := startObjects(t, nil)
			o.local = true
			return o
		}, nil},
		{"in front of another store", func(t *testing.T) *objects {
			t.Helper()
			return startObjects(t, storeCredentials, "--s3", startStore(t))
		}, nil},
		{"in front of a store that tells all keys apart", func(t *testing.T) *objects {
			t.Helper()
			store, address := startExactStore(t)
			o := startObjects(t, storeCredentials, "--s3", address, "--s3-keys", "exact")
			o.exact, o.asked = true, store.forget
			return o
		}, notInExactStore},
	} {
		t.Run(kind.name, func(t *testing.T) { tellStories(t, kind.start(t), kind.lacks) })
	}
}

func tellStories(t *testing.T, o *objects, without []string) {
	t.Helper()
	for i, name := range slices.Sorted(maps.Keys(stories)) {
		if slices.Contains(without, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			o.prefix = fmt.Sprintf("%sstory%d-", o.run, i)
			stories[name](t, o)
		})
	}
	require.NotContains(t, o.output.String(), "request failed", "the server has had no failure of its own")
	require.NotContains(t, o.output.String(), storeSecret)
}

// objects are a server of S3, and what its root does with it.
type objects struct {
	*running
	iam    *client
	root   aws.Credentials
	run    string // begins the names of a run, where those of another may be left
	prefix string // of the names of the current story
	audit  string // path of the audit log
	// exact says that the store tells all keys apart, and asked, where it can be
	// told, what it was asked since the last call.
	exact bool
	asked func() []asked
	local bool // the store is on the disk
}

func startObjects(t testing.TB, environment []string, flags ...string) *objects {
	t.Helper()
	dir := t.TempDir()
	data, log := filepath.Join(dir, "iamdata"), filepath.Join(dir, "audit.log")
	cmd := program(context.Background(), t, append([]string{"--data", data, "--listen", "127.0.0.1:0", "--admin-listen", "", "--s3-domain", "s3.localhost", "--audit-log", log}, flags...)...)
	cmd.Env = append(cmd.Env, environment...)
	s := run(t, cmd)
	s.data = data
	o := &objects{running: s, iam: rootClient(t, s, 1), audit: log}
	o.root = o.iam.credentials
	return o
}

const account = "000000000000"

// name is a name of a user or of a bucket that no other story has.
func (o *objects) name(of string) string { return o.prefix + of }

// user makes a user with a key and an inline policy of these statements.
func (o *objects) user(t testing.TB, name string, statements ...string) aws.Credentials {
	t.Helper()
	o.iam.must(t, "CreateUser", "UserName", o.name(name))
	if len(statements) > 0 {
		o.iam.must(t, "PutUserPolicy", "UserName", o.name(name), "PolicyName", "inline", "PolicyDocument", document(statements...))
	}
	made := o.iam.must(t, "CreateAccessKey", "UserName", o.name(name))
	return aws.Credentials{AccessKeyID: element(made, "AccessKeyId"), SecretAccessKey: element(made, "SecretAccessKey")}
}

func (o *objects) userARN(name string) string {
	return "arn:aws:iam::" + account + ":user/" + o.name(name)
}

// document is a policy of statements, which stand without the braces.
func document(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[{` + strings.Join(statements, "},{") + `}]}`
}

// allow is a statement: actions and resources separated by spaces, then more elements.
func allow(actions, resources string, more ...string) string {
	return statement("Allow", actions, resources, more...)
}

func deny(actions, resources string, more ...string) string {
	return statement("Deny", actions, resources, more...)
}

func statement(effect, actions, resources string, more ...string) string {
	list := func(text, prefix string) string {
		var quoted []string
		for _, one := range strings.Fields(text) {
			quoted = append(quoted, `"`+prefix+one+`"`)
		}
		return "[" + strings.Join(quoted, ",") + "]"
	}
	return strings.Join(append([]string{
		`"Effect":"` + effect + `"`, `"Action":` + list(actions, "s3:"), `"Resource":` + list(resources, "arn:aws:s3:::"),
	}, more...), ",")
}

const everyone = `"Principal":"*"`

func of(arn string) string { return `"Principal":{"AWS":"` + arn + `"}` }

// sdk is a client as users have it. It does not try again, so that each answer is seen.
func (o *objects) sdk(by aws.Credentials) *awss3.Client {
	var provider aws.CredentialsProvider = credentials.NewStaticCredentialsProvider(by.AccessKeyID, by.SecretAccessKey, "")
	if by.AccessKeyID == "" {
		provider = aws.AnonymousCredentials{}
	}
	return awss3.New(awss3.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(o.url), UsePathStyle: true, Credentials: provider, RetryMaxAttempts: 1,
	})
}

var unsigned aws.Credentials

func (o *objects) minio(t testing.TB, by aws.Credentials) *minio.Client {
	t.Helper()
	u, err := url.Parse(o.url)
	require.NoError(t, err)
	c, err := minio.New(u.Host, &minio.Options{Creds: miniocredentials.NewStaticV4(by.AccessKeyID, by.SecretAccessKey, ""), Region: "us-east-1", MaxRetries: 1})
	require.NoError(t, err)
	return c
}

// bucket makes a bucket with objects, each of which holds its own key.
func (o *objects) bucket(t testing.TB, name string, keys []string) string {
	t.Helper()
	c, bucket := o.sdk(o.root), o.name(name)
	_, err := c.CreateBucket(t.Context(), &awss3.CreateBucketInput{Bucket: &bucket})
	require.NoError(t, err)
	for _, key := range keys {
		o.put(t, bucket, key, key)
	}
	return bucket
}

func (o *objects) put(t testing.TB, bucket, key, text string) {
	t.Helper()
	_, err := o.sdk(o.root).PutObject(t.Context(), &awss3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(text)})
	require.NoError(t, err)
}

func (o *objects) putPolicy(t testing.TB, by aws.Credentials, bucket string, statements ...string) string {
	t.Helper()
	return o.send(t, by, message{method: "PUT", target: "/" + bucket + "?policy", body: document(statements...)}).String()
}

// outcome is what came of a call of an SDK: "ok", or the code of its error.
func outcome(err error) string {
	var api smithy.APIError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &api):
		return api.ErrorCode()
	}
	return err.Error()
}

// A message is a request with exactly these parts.
type message struct {
	method, target, body string
	header               http.Header
	service              string // of the signature; empty means s3
	payload              string // x-amz-content-sha256; empty means the hash of the body
	host                 string // empty means that of the server
	form                 bool   // the form is signed, not the request
	at                   time.Time
}

// An answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// String is the status and the code of an error.
func (a answer) String() string {
	return strings.TrimSpace(fmt.Sprint(a.status, " ", element(a.body, "Code")))
}

// message is the sentence of an error.
func (a answer) message() string { return html.UnescapeString(element(a.body, "Message")) }

// byKeys is what is expected where ambiguous keys are refused, and where each of them
// is a key like any other.
func (o *objects) byKeys(refused, exact string) string {
	if o.exact {
		return exact
	}
	return refused
}

// request makes the request of a message; nobody signs it if by has no key.
func (o *objects) request(t testing.TB, by aws.Credentials, m message) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), m.method, o.url, strings.NewReader(m.body))
	require.NoError(t, err)
	path, query, _ := strings.Cut(m.target, "?")
	decoded, err := url.PathUnescape(path)
	require.NoError(t, err)
	r.URL.Path, r.URL.RawPath, r.URL.RawQuery = decoded, canonicalPath(decoded), query
	for name, values := range m.header {
		r.Header[name] = values
	}
	if m.host != "" {
		r.Host = m.host
	}
	if by.AccessKeyID != "" && !m.form {
		sum := sha256.Sum256([]byte(m.body))
		payload := hex.EncodeToString(sum[:])
		if m.payload != "" {
			payload = m.payload
		}
		service := "s3"
		if m.service != "" {
			service = m.service
		}
		if service == "s3" {
			r.Header.Set("X-Amz-Content-Sha256", payload)
		}
		at := m.at
		if at.IsZero() {
			at = time.Now()
		}
		signer := v4.NewSigner(func(options *v4.SignerOptions) { options.DisableURIPathEscaping = true })
		require.NoError(t, signer.SignHTTP(t.Context(), by, r, payload, service, "us-east-1", at))
	}
	r.URL.Opaque = path // is sent as it is
	return r
}

// canonicalPath encodes a path as a signature of S3 has it.
func canonicalPath(path string) string {
	var out strings.Builder
	for _, c := range []byte(path) {
		if c == '/' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}

func (o *objects) send(t testing.TB, by aws.Credentials, m message) answer {
	t.Helper()
	return receive(t, o.request(t, by, m))
}

var plainClient = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func receive(t testing.TB, r *http.Request) answer {
	t.Helper()
	response, err := plainClient.Do(r)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return answer{response.StatusCode, response.Header, string(body)}
}

// get is the status of reading an object, and what is in it.
func (o *objects) get(t testing.TB, by aws.Credentials, bucket, key string) string {
	t.Helper()
	a := o.send(t, by, message{method: "GET", target: "/" + bucket + "/" + canonicalPath(key)})
	if a.status == http.StatusOK {
		return "200 " + a.body
	}
	return a.String()
}

// someBytes are n bytes that are not all the same.
func someBytes(n int) []byte {
	return bytes.Repeat([]byte("0123456789abcdefghijklmnopqrstuvwxyz-"), n/37+1)[:n]
}
