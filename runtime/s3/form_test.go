package s3_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/generated/s3err"
	"iamserver/runtime/apierror"
	"iamserver/runtime/s3"
	"iamserver/runtime/sigv4"
)

// form writes a form: names and values, then a file.
func form(t testing.TB, filename, file string, fields ...string) (contentType string, body []byte) {
	t.Helper()
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	for i := 0; i < len(fields); i += 2 {
		require.NoError(t, w.WriteField(fields[i], fields[i+1]))
	}
	part, err := w.CreateFormFile("file", filename)
	require.NoError(t, err)
	_, err = io.WriteString(part, file)
	require.NoError(t, err)
	require.NoError(t, w.WriteField("submit", "Upload"))
	require.NoError(t, w.Close())
	return w.FormDataContentType(), out.Bytes()
}

func policyOf(conditions string) string {
	return base64.StdEncoding.EncodeToString([]byte(`{"expiration": "2026-11-25T13:00:00.000Z", "conditions": [` + conditions + `]}`))
}

// readForm reads a form, holds it against its policy, and reads its file.
func readForm(t *testing.T, contentType string, body []byte) (*s3.Request, *s3.File, error) {
	t.Helper()
	c := s3.NewClassifier(s3.Config{Keys: files})
	r := new(s3.Request)
	require.NoError(t, c.Classify(sigv4.Request{Method: "POST", Path: "/photos", Header: http.Header{"Content-Type": {contentType}}}, r))
	f, err := c.ReadForm(r, contentType, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	if err := f.CheckPolicy(r.Bucket, noon); err != nil {
		return nil, nil, err
	}
	file, err := f.ReadFile(t.TempDir())
	return r, file, err
}

// The fields of a form need permissions and supply condition keys as headers do.
func TestForms(t *testing.T) {
	contentType, body := form(t, `C:\x\holiday.jpg`, "the file",
		"key", "user/${filename}", "acl", "private", "Content-Type", "image/jpeg", "x-amz-meta-Name", "${filename}", "tagging", "<Tagging><TagSet><Tag><Key>a</Key><Value>b c</Value></Tag></TagSet></Tagging>",
		"success_action_status", "201",
		"policy", policyOf(`["starts-with", "$key", "user/"], {"bucket": "photos"}, {"acl": "private"}, ["starts-with", "$Content-Type", "image/"], ["starts-with", "$x-amz-meta-name", ""],
			["starts-with", "$tagging", ""], ["eq", "$success_action_status", "201"], ["content-length-range", 1, "100"]`))
	r, file, err := readForm(t, contentType, body)
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(r.Key, "holiday.jpg"), r.Key)
	require.True(t, strings.HasPrefix(r.Key, "user/"), r.Key)
	var actions []string
	for _, n := range r.AppendNeeds(nil) {
		actions = append(actions, n.Action+" "+n.ARN())
	}
	arn := "arn:aws:s3:::photos/" + r.Key
	require.Equal(t, []string{"s3:PutObject " + arn, "s3:PutObjectAcl " + arn, "s3:PutObjectTagging " + arn}, actions)
	require.Equal(t, map[string][]string{"s3:x-amz-acl": {"private"}, "s3:RequestObjectTag/a": {"b c"}}, keysOf(t, r, 0, "s3:x-amz-acl", "s3:RequestObjectTag/a", "s3:x-amz-storage-class"))

	// It is put as an object.
	store := newStore(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Etag", `"1"`) })
	content, err := r.NewFormBody(file)
	require.NoError(t, err)
	w := httptest.NewRecorder()
	require.NoError(t, s3.NewGateway(store.upstream(t)).Forward(w, httptest.NewRequest(http.MethodPost, "http://s3.example.com/photos", nil), r, s3.Content{Body: content}))
	require.NoError(t, file.Close())
	got := store.last(t)
	require.Equal(t, [3]string{"PUT", "/photos/" + strings.ReplaceAll(strings.ReplaceAll(r.Key, `\`, "%5C"), ":", "%3A"), "the file"}, [3]string{got.Method, got.Target, got.Body})
	require.Equal(t, "image/jpeg", got.Header.Get("Content-Type"))
	require.Equal(t, "a=b%20c", got.Header.Get("X-Amz-Tagging"))
	require.Empty(t, got.Header.Get("X-Amz-Acl"))
	require.Equal(t, 201, w.Code)
	require.Contains(t, w.Body.String(), "<PostResponse><Location>http://s3.example.com/photos/user/")
	require.Contains(t, w.Body.String(), "<Bucket>photos</Bucket>")
}

func TestFormsOfAnySize(t *testing.T) {
	for _, size := range []int{0, 1, 1<<20 - 1, 1 << 20, 1<<20 + 1, 3 << 20} {
		data := string(bytesOf(size))
		contentType, body := form(t, "f", data, "key", "k")
		_, file, err := readForm(t, contentType, body)
		require.NoError(t, err)
		require.Equal(t, int64(size), file.Length)
		got, err := io.ReadAll(file)
		require.NoError(t, err)
		require.True(t, bytes.Equal([]byte(data), got))
		require.NoError(t, file.Close())
	}
}

func TestRefusedForms(t *testing.T) {
	for _, tt := range []struct {
		name   string
		file   string
		fields []string
		want   *apierror.Error
	}{
		{"no key", "f", nil, s3err.InvalidFormField("key")},
		{"an alias of a key", "f", []string{"key", "a/../private/x"}, s3err.AmbiguousKey()},
		{"a key twice", "f", []string{"key", "a", "Key", "b"}, s3err.InvalidFormField("Key")},
		{"a part without a name", "f", []string{"", strings.Repeat("k", 30_000)}, s3err.MalformedForm()},
		{"too many bytes", "f", []string{"key", strings.Repeat("k", 30_000)}, s3err.FieldsTooLong()},
		{"tags that are none", "f", []string{"key", "k", "tagging", "a=b"}, s3err.InvalidDocument()},
		{"appending", "f", []string{"key", "k", "x-amz-write-offset-bytes", "1"}, s3err.HeaderNotImplemented()},
		{"a signature without a policy", "f", []string{"key", "k", "x-amz-signature", "1"}, s3err.NotAllowed()},
		{"a policy that is not base64", "f", []string{"key", "k", "policy", "{}"}, s3err.InvalidPostPolicy("Invalid Base64.")},
		{"a policy that is not JSON", "f", []string{"key", "k", "policy", base64.StdEncoding.EncodeToString([]byte("{"))}, s3err.InvalidPostPolicy("Invalid JSON.")},
		{"a policy without end", "f", []string{"key", "k", "policy", base64.StdEncoding.EncodeToString([]byte(`{"conditions": []}`))}, s3err.InvalidPostPolicy("Invalid 'expiration' value.")},
		{"a policy without conditions", "f", []string{"key", "k", "policy", base64.StdEncoding.EncodeToString([]byte(`{"expiration": "2026-11-25T13:00:00Z"}`))}, s3err.InvalidPostPolicy("Policy missing conditions.")},
		{"a policy that is over", "f", []string{"key", "k", "policy", base64.StdEncoding.EncodeToString([]byte(`{"expiration": "2026-11-25T12:00:00Z", "conditions": [{"key": "k"}]}`))}, s3err.PostPolicyExpired()},
		{"an unknown condition", "f", []string{"key", "k", "policy", policyOf(`["ends-with", "$key", "k"]`)}, s3err.InvalidPostPolicy("Invalid Condition.")},
		{"a condition without a dollar", "f", []string{"key", "k", "policy", policyOf(`["eq", "key", "k"]`)}, s3err.InvalidPostPolicy("Invalid Condition.")},
		{"a range that is none", "f", []string{"key", "k", "policy", policyOf(`["content-length-range", -1, 5]`)}, s3err.InvalidPostPolicy("Invalid Condition.")},
		{"another key", "f", []string{"key", "other/x", "policy", policyOf(`["starts-with", "$key", "user/"]`)}, s3err.PostConditionFailed(`["starts-with", "$key", "user/"]`)},
		{"another bucket", "f", []string{"key", "k", "policy", policyOf(`{"key": "k"}, {"bucket": "archive"}`)}, s3err.PostConditionFailed(`["eq", "$bucket", "archive"]`)},
		{"a field that the policy does not name", "f", []string{"key", "k", "acl", "public-read", "policy", policyOf(`{"key": "k"}`)}, s3err.PostFieldNotAllowed("acl")},
		{"a field of the policy that is not there", "f", []string{"key", "k", "policy", policyOf(`{"key": "k"}, {"acl": "private"}`)}, s3err.PostConditionFailed(`["eq", "$acl", "private"]`)},
		{"a file that is too long", "12345", []string{"key", "k", "policy", policyOf(`{"key": "k"}, ["content-length-range", 0, 4]`)}, s3err.TooLarge()},
		{"a file that is too short", "1", []string{"key", "k", "policy", policyOf(`{"key": "k"}, ["content-length-range", 2, 4]`)}, s3err.TooSmall()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			contentType, body := form(t, "f", tt.file, tt.fields...)
			_, _, err := readForm(t, contentType, body)
			require.Equal(t, tt.want, s3.ErrorOf(err))
		})
	}
	contentType, body := form(t, "f", "the file", "key", "k")
	for name, tt := range map[string]struct {
		contentType string
		body        []byte
		want        *apierror.Error
	}{
		"another content type": {"text/plain", body, s3err.NotAForm()},
		"no boundary":          {"multipart/form-data", body, s3err.NotAForm()},
		"no file":              {"multipart/form-data; boundary=b", []byte("--b\r\nContent-Disposition: form-data; name=key\r\n\r\nk\r\n--b--\r\n"), s3err.OneFile()},
		"cut off in a field":   {contentType, body[:bytes.Index(body, []byte("\r\n\r\nk"))+4], s3err.BodyTooShort()},
		"cut off in the file":  {contentType, body[:bytes.Index(body, []byte("the file"))+4], s3err.BodyTooShort()},
		"nothing":              {contentType, nil, s3err.OneFile()},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := readForm(t, tt.contentType, tt.body)
			require.Equal(t, tt.want, s3.ErrorOf(err))
		})
	}
}

// A form that nobody has read is not forwarded: nothing of it was authorized.
func TestUnreadFormsAreNotForwarded(t *testing.T) {
	store := newStore(t, nil)
	contentType, body := form(t, "f", "the file", "key", "k")
	resp := forward(t, store.upstream(t), "POST", "/photos", http.Header{"Content-Type": {contentType}}, string(body))
	require.Equal(t, 403, resp.Status)
	store.mu.Lock()
	defer store.mu.Unlock()
	require.Empty(t, store.requests)
}

// Browsers are sent where the form says, and nowhere else.
func TestAnswersToForms(t *testing.T) {
	for _, tt := range []struct {
		fields []string
		status int
		want   string
	}{
		{nil, 204, "http://s3.example.com/photos/k"},
		{[]string{"success_action_status", "200"}, 200, "http://s3.example.com/photos/k"},
		{[]string{"success_action_status", "500"}, 204, "http://s3.example.com/photos/k"},
		{[]string{"success_action_redirect", "https://example.com/done?a=b"}, 303, "https://example.com/done?a=b&bucket=photos&etag=%221%22&key=k"},
		{[]string{"success_action_redirect", "javascript:alert(1)"}, 204, "http://s3.example.com/photos/k"},
	} {
		contentType, body := form(t, "f", "x", append([]string{"key", "k"}, tt.fields...)...)
		r, file, err := readForm(t, contentType, body)
		require.NoError(t, err)
		content, err := r.NewFormBody(file)
		require.NoError(t, err)
		store := newStore(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Etag", `"1"`) })
		w := httptest.NewRecorder()
		require.NoError(t, s3.NewGateway(store.upstream(t)).Forward(w, httptest.NewRequest(http.MethodPost, "http://s3.example.com/photos", nil), r, s3.Content{Body: content}))
		require.Equal(t, [2]string{strconv.Itoa(tt.status), tt.want}, [2]string{strconv.Itoa(w.Code), w.Header().Get("Location")})
	}
}

// Nothing of a large file is left on the disk.
func TestFilesOnDiskAreRemoved(t *testing.T) {
	contentType, body := form(t, "f", string(bytesOf(2<<20)), "key", "k")
	c, r, dir := s3.NewClassifier(s3.Config{}), new(s3.Request), t.TempDir()
	require.NoError(t, c.Classify(sigv4.Request{Method: "POST", Path: "/photos"}, r))
	f, err := c.ReadForm(r, contentType, bytes.NewReader(body))
	require.NoError(t, err)
	file, err := f.ReadFile(dir)
	require.NoError(t, err)
	during, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, during, 1)
	require.NoError(t, file.Close())
	after, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, after)

	f, err = c.ReadForm(r, contentType, bytes.NewReader(body[:len(body)-1000]))
	require.NoError(t, err)
	_, err = f.ReadFile(dir)
	require.Equal(t, s3err.BodyTooShort(), s3.ErrorOf(err))
	after, err = os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, after)
}

// Whatever comes, a form is read or refused, and a form that is accepted is what
// its policy says.
func FuzzForm(f *testing.F) {
	contentType, body := form(f, "f", "x", "key", "user/${filename}", "acl", "private", "policy", policyOf(`["starts-with", "$key", "user/"], {"acl": "private"}, ["content-length-range", 0, 10]`))
	_, boundary, _ := strings.Cut(contentType, "boundary=")
	f.Add(boundary, body)
	c := s3.NewClassifier(s3.Config{})
	f.Fuzz(func(t *testing.T, boundary string, body []byte) {
		var r s3.Request
		require.NoError(t, c.Classify(sigv4.Request{Method: "POST", Path: "/photos"}, &r))
		form, err := c.ReadForm(&r, "multipart/form-data; boundary="+boundary, bytes.NewReader(body))
		if err != nil {
			require.NotEqual(t, "ServiceFailure", apierror.CodeOf(err), err)
			return
		}
		require.NotEmpty(t, r.Key)
		if form.CheckPolicy("photos", time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)) != nil || form.Post().Policy == "" {
			return
		}
		file, err := form.ReadFile(t.TempDir())
		if err == nil {
			require.NoError(t, file.Close())
		}
	})
}

// What comes before the file is bounded, whatever it consists of; the file is not.
func TestTheHeadOfAFormIsBounded(t *testing.T) {
	head := "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n"
	rest := "\r\nk\r\n--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n"
	read := func(header, file int) error {
		body := head + "X: " + strings.Repeat("x", header) + "\r\n" + rest + strings.Repeat("f", file) + "\r\n--b--\r\n"
		_, got, err := readForm(t, "multipart/form-data; boundary=b", []byte(body))
		if err == nil {
			require.Equal(t, int64(file), got.Length)
		}
		return err
	}
	require.NoError(t, read(1<<10, 1<<20))
	require.Equal(t, s3err.MaxPostPreDataLengthExceededError.Name, apierror.CodeOf(read(64<<10, 1)))
}
