package localstore_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"iamserver/runtime/s3"
)

// Every way to write a key that is denied is denied, or refused, on every
// operation: private/x is never read, written, copied or listed.
func TestAliasesOfADeniedKey(t *testing.T) {
	front, server := newFront(t, nil)
	c, ctx, bucket := sdkClient(server), t.Context(), bucketName(t)
	_, err := c.CreateBucket(ctx, &awss3.CreateBucketInput{Bucket: aws.String(bucket)})
	require.NoError(t, err)
	for _, key := range []string{"private/x", "public/x"} {
		_, err = c.PutObject(ctx, &awss3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(key), Body: strings.NewReader("of " + key)})
		require.NoError(t, err)
	}
	front.deny = func(n *s3.Need) bool { return strings.HasPrefix(n.Key, "private/") }

	aliases := []string{
		"private/x", "private//x", "//private/x", "/private/x", "private/./x", "./private/x", "a/../private/x", "public/../private/x", "private/x/.", "private/x/",
		"private/x/..", "private/y/../x", "..//private/x", "../" + bucket + "/private/x", "private/x\x00", "private\x00/x", "private/x%00",
		".sgwtmp/../private/x", "privat\u0065/x", "private\u2215x", "private\\x", "PRIVATE/x", "private/x ", " private/x",
	}
	encodings := map[string]func(string) string{
		"plain":   func(s string) string { return (&url.URL{Path: "/" + s}).EscapedPath()[1:] },
		"slashes": func(s string) string { return strings.ReplaceAll(url.PathEscape(s), "%5C", "\\") },
		"all": func(s string) string {
			var out strings.Builder
			for i := range len(s) {
				fmt.Fprintf(&out, "%%%02x", s[i])
			}
			return out.String()
		},
		"twice": func(s string) string { return url.PathEscape(url.PathEscape(s)) },
	}
	for _, alias := range aliases {
		for encoding, encode := range encodings {
			path := server.URL + "/" + bucket + "/" + encode(alias)
			for _, request := range []struct{ method, query string }{
				{"GET", ""},
				{"HEAD", ""},
				{"PUT", ""},
				{"DELETE", ""},
				{"GET", "?tagging"},
				{"PUT", "?tagging"},
				{"DELETE", "?tagging"},
				{"GET", "?attributes"},
				{"POST", "?uploads"},
				{"PUT", "?partNumber=1&uploadId=u"},
				{"POST", "?uploadId=u"},
				{"DELETE", "?uploadId=u"},
				{"GET", "?retention"},
				{"GET", "?legal-hold"},
			} {
				got := signedRaw(t, request.method, path+request.query, nil)
				require.NotContains(t, got, "of private/x", "%s %s %q", encoding, request.method, alias)
				if request.method == "PUT" || request.method == "POST" || request.method == "DELETE" {
					// Another key than the denied one may be written.
					continue
				}
				require.NotRegexp(t, "^200 .*of private", got)
			}
			// As the source of a copy.
			got := signedRaw(t, "PUT", server.URL+"/"+bucket+"/stolen", http.Header{"X-Amz-Copy-Source": {bucket + "/" + encode(alias)}})
			require.NotRegexp(t, "^200", got, "copy of %s %q", encoding, alias)
		}
	}
	for _, prefix := range []string{"private//", "./private/", "x/../private/", "/private/", "private/./"} {
		require.Regexp(t, "^400", signedRaw(t, "GET", server.URL+"/"+bucket+"?prefix="+url.QueryEscape(prefix), nil), prefix)
	}

	front.deny = nil
	require.Equal(t, "200 of private/x", signedRaw(t, "GET", server.URL+"/"+bucket+"/private/x", nil))
	require.Equal(t, "200 of public/x", signedRaw(t, "GET", server.URL+"/"+bucket+"/public/x", nil))
	require.Regexp(t, "^404", signedRaw(t, "GET", server.URL+"/"+bucket+"/stolen", nil))
}

// The id of an upload is no way to the upload of another key.
func TestUploadsOfADeniedKey(t *testing.T) {
	front, server := newFront(t, nil)
	c, ctx, bucket := sdkClient(server), t.Context(), bucketName(t)
	_, err := c.CreateBucket(ctx, &awss3.CreateBucketInput{Bucket: aws.String(bucket)})
	require.NoError(t, err)
	upload, err := c.CreateMultipartUpload(ctx, &awss3.CreateMultipartUploadInput{Bucket: aws.String(bucket), Key: aws.String("private/x")})
	require.NoError(t, err)
	_, err = c.CreateMultipartUpload(ctx, &awss3.CreateMultipartUploadInput{Bucket: aws.String(bucket), Key: aws.String("public/x")})
	require.NoError(t, err)
	front.deny = func(n *s3.Need) bool { return strings.HasPrefix(n.Key, "private/") }
	sum := sha256.Sum256([]byte("private/x"))
	for _, id := range []string{"../" + hex.EncodeToString(sum[:]) + "/" + *upload.UploadId, "..", "../" + hex.EncodeToString(sum[:])} {
		address := server.URL + "/" + bucket + "/public/x"
		for method, query := range map[string]string{"PUT": "?partNumber=1&uploadId=", "GET": "?uploadId=", "POST": "?uploadId=", "DELETE": "?uploadId="} {
			require.Regexp(t, "^400 ", signedRaw(t, method, address+query+url.QueryEscape(id), nil), "%s %s", method, id)
		}
	}

	front.deny = nil
	parts, err := c.ListParts(ctx, &awss3.ListPartsInput{Bucket: aws.String(bucket), Key: aws.String("private/x"), UploadId: upload.UploadId})
	require.NoError(t, err)
	require.Empty(t, parts.Parts)
}

// signedRaw sends a signed request with exactly the target given, which
// net/http's client would clean or refuse.
func signedRaw(t *testing.T, method, address string, header http.Header) string {
	t.Helper()
	status, text := exchange(t, address, sign(t, method, address, header, "", "UNSIGNED-PAYLOAD"), "")
	return fmt.Sprintf("%d %s", status, text)
}

// sign returns the head of a request.
func sign(t *testing.T, method, address string, header http.Header, body, payload string) string {
	t.Helper()
	scheme, rest, _ := strings.Cut(address, "://")
	host, target, _ := strings.Cut(rest, "/")
	path, query, _ := strings.Cut("/"+target, "?")
	req, err := http.NewRequestWithContext(t.Context(), method, scheme+"://"+host, nil)
	require.NoError(t, err)
	// The front decodes a path once and encodes it once, and so does the client
	// here: the signature is right whatever the target looks like.
	decoded, err := url.PathUnescape(path)
	require.NoError(t, err)
	req.URL.Path, req.URL.RawPath, req.URL.RawQuery = decoded, canonical(decoded), query
	req.ContentLength = int64(len(body))
	for name, values := range header {
		req.Header[name] = values
	}
	req.Header.Set("X-Amz-Content-Sha256", payload)
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	require.NoError(t, signer.SignHTTP(context.WithoutCancel(t.Context()), aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret}, req, payload, "s3", "us-east-1", time.Now()))
	var head bytes.Buffer
	fmt.Fprintf(&head, "%s /%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", method, target, host)
	if body != "" {
		fmt.Fprintf(&head, "Content-Length: %d\r\n", len(body))
	}
	require.NoError(t, req.Header.Write(&head))
	head.WriteString("\r\n")
	return head.String()
}

// canonical encodes a path as a signature has it.
func canonical(path string) string {
	var out strings.Builder
	for i := range len(path) {
		switch c := path[i]; {
		case c == '/', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~", c) >= 0:
			out.WriteByte(c)
		default:
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}

// exchange sends bytes and reads one answer.
func exchange(t *testing.T, address, head, body string) (status int, text string) {
	t.Helper()
	u, err := url.Parse(address[:strings.Index(address[len("http://"):], "/")+len("http://")])
	require.NoError(t, err)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", u.Host)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, head)
	require.NoError(t, err)
	// The server may refuse before it has read the body.
	_, _ = io.WriteString(conn, body)
	method, _, _ := strings.Cut(head, " ")
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	require.NoError(t, err)
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode, string(data)
}

// A body that is not what was signed leaves no object, and an old one as it
// was; the store hears of a small one not at all.
func TestSpoiledUploadsLeaveNothing(t *testing.T) {
	front, server := newFront(t, nil)
	c, ctx, bucket := sdkClient(server), t.Context(), aws.String(bucketName(t))
	_, err := c.CreateBucket(ctx, &awss3.CreateBucketInput{Bucket: bucket})
	require.NoError(t, err)
	_, err = c.PutObject(ctx, &awss3.PutObjectInput{Bucket: bucket, Key: aws.String("old"), Body: strings.NewReader("old")})
	require.NoError(t, err)

	for _, size := range []int{100, 64 << 10, 200_000, 3 << 20} {
		data := string(bytesOf(size))
		sum := sha256.Sum256([]byte(data + "!"))
		for name, u := range map[string]struct {
			payload string
			header  http.Header
			body    string
		}{
			"a wrong payload hash": {hex.EncodeToString(sum[:]), nil, data},
			"a wrong checksum":     {"UNSIGNED-PAYLOAD", http.Header{"X-Amz-Checksum-Crc32": {"AAAAAA=="}}, data},
			"a wrong Content-MD5":  {"UNSIGNED-PAYLOAD", http.Header{"Content-Md5": {"1B2M2Y8AsgTpgAmY7PhCfg=="}}, data},
			"a wrong trailer": {
				"STREAMING-UNSIGNED-PAYLOAD-TRAILER",
				http.Header{"X-Amz-Trailer": {"x-amz-checksum-crc32"}, "X-Amz-Decoded-Content-Length": {strconv.Itoa(size)}, "Content-Encoding": {"aws-chunked"}},
				fmt.Sprintf("%x\r\n%s\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", size, data),
			},
			"a wrong decoded length": {
				"STREAMING-UNSIGNED-PAYLOAD-TRAILER",
				http.Header{"X-Amz-Decoded-Content-Length": {strconv.Itoa(size - 1)}, "Content-Encoding": {"aws-chunked"}},
				fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", size, data),
			},
			"a wrong last chunk": {
				"STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
				http.Header{"X-Amz-Decoded-Content-Length": {strconv.Itoa(size)}, "Content-Encoding": {"aws-chunked"}},
				fmt.Sprintf("%x;chunk-signature=%064d\r\n%s\r\n0;chunk-signature=%064d\r\n\r\n", size, 0, data, 0),
			},
		} {
			for _, key := range []string{"old", "new"} {
				sent := front.sent.Load()
				address := server.URL + "/" + *bucket + "/" + key
				status, text := exchange(t, address, sign(t, "PUT", address, u.header, u.body, u.payload), u.body)
				require.Contains(t, []int{400, 403}, status, "%s: %s", name, text)
				if size <= 64<<10 {
					require.Equal(t, sent, front.sent.Load(), "%s of %d bytes", name, size)
				}
			}
			got, err := c.GetObject(ctx, &awss3.GetObjectInput{Bucket: bucket, Key: aws.String("old")})
			require.NoError(t, err)
			text, err := io.ReadAll(got.Body)
			require.NoError(t, err)
			require.Len(t, text, 3, "%s of %d bytes", name, size)
			require.Equal(t, "old", string(text))
			after := signedRaw(t, "GET", server.URL+"/"+*bucket+"/new", nil)
			require.True(t, strings.HasPrefix(after, "404"), "%s of %d bytes: %d are there", name, size, len(after)-4)
		}
	}
}

// A client that goes away in the middle of an upload leaves nothing.
func TestClientsThatLeave(t *testing.T) {
	_, server := newFront(t, nil)
	c, ctx, bucket := sdkClient(server), t.Context(), aws.String(bucketName(t))
	_, err := c.CreateBucket(ctx, &awss3.CreateBucketInput{Bucket: bucket})
	require.NoError(t, err)
	for _, sent := range []int{0, 1000, 100_000, 1<<20 - 1} {
		address := server.URL + "/" + *bucket + "/left"
		body := string(bytesOf(1 << 20))
		head := sign(t, "PUT", address, nil, body, "UNSIGNED-PAYLOAD")
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(server.URL, "http://"))
		require.NoError(t, err)
		_, err = io.WriteString(conn, head+body[:sent])
		require.NoError(t, err)
		// Half of the connection stays open, so that the end of the answer says
		// that the server has done with it.
		require.NoError(t, conn.(*net.TCPConn).CloseWrite())
		_, err = io.Copy(io.Discard, conn)
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		got := signedRaw(t, "GET", address, nil)
		require.True(t, strings.HasPrefix(got, "404"), "%d bytes sent, %d are there", sent, len(got)-4)
	}
}

// What would be read differently by two readers is refused.
func TestSmuggling(t *testing.T) {
	_, server := newFront(t, nil)
	bucket := bucketName(t)
	_, err := sdkClient(server).CreateBucket(t.Context(), &awss3.CreateBucketInput{Bucket: aws.String(bucket)})
	require.NoError(t, err)
	address := server.URL + "/" + bucket + "/k"
	for _, tt := range []struct {
		name string
		head func(head string) string
		want string
	}{
		{"a header twice", func(h string) string {
			return strings.Replace(h, "\r\n\r\n", "\r\nX-Amz-Acl: private\r\nX-Amz-Acl: public-read\r\n\r\n", 1)
		}, "403"},
		{"a date twice", func(h string) string {
			return strings.Replace(h, "X-Amz-Date:", "X-Amz-Date: 20260101T000000Z\r\nX-Amz-Date:", 1)
		}, "400"},
		{"two Authorization headers", func(h string) string {
			return strings.Replace(h, "\r\n\r\n", "\r\nAuthorization: AWS4-HMAC-SHA256 x\r\n\r\n", 1)
		}, "400"},
		{"two lengths", func(h string) string {
			return strings.Replace(h, "Content-Length: 5", "Content-Length: 5\r\nContent-Length: 6", 1)
		}, "400"},
		{"a length and chunks", func(h string) string {
			return strings.Replace(h, "\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n", 1)
		}, "4"},
		{"another coding", func(h string) string { return strings.Replace(h, "\r\n\r\n", "\r\nTransfer-Encoding: gzip\r\n\r\n", 1) }, "501"},
		{"an unsigned copy source", func(h string) string { return strings.Replace(h, "\r\n\r\n", "\r\nX-Amz-Copy-Source: /b/k\r\n\r\n", 1) }, "403"},
		{"another host", func(h string) string { return strings.Replace(h, "Host: ", "Host: x", 1) }, "403"},
		{"a semicolon in the query", func(h string) string { return strings.Replace(h, " HTTP/1.1", "?a;b HTTP/1.1", 1) }, "4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, _ := exchange(t, address, tt.head(sign(t, "PUT", address, nil, "hello", "UNSIGNED-PAYLOAD")), "hello")
			require.True(t, strings.HasPrefix(strconv.Itoa(status), tt.want), "%d", status)
			require.Regexp(t, "^404", signedRaw(t, "GET", address, nil))
		})
	}
}
