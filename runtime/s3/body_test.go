package s3_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/generated/s3err"
	"iamserver/runtime/apierror"
	"iamserver/runtime/s3"
	"iamserver/runtime/sigv4"
)

const (
	exampleKey    = "AKIAIOSFODNN7EXAMPLE"
	exampleSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

type exampleKeys struct{}

func (exampleKeys) Key(_ context.Context, id, _ string) (sigv4.Key[string], error) {
	if id != exampleKey {
		return sigv4.Key[string]{}, sigv4.ErrUnknownKey
	}
	return sigv4.Key[string]{Secret: exampleSecret, Principal: "example"}, nil
}

func verifierAt(now time.Time) *sigv4.Verifier[string] {
	return sigv4.New[string](exampleKeys{}, func() time.Time { return now }, sigv4.Config{
		Profiles: []sigv4.Profile{{Service: "s3", ObjectStore: true, MaxPresign: 7 * 24 * time.Hour}},
	})
}

// AWS's examples of signed chunks, of its "Signature Calculations for the
// Authorization Header: Transferring Payload in Multiple Chunks", without and
// with a trailer.
func TestExamplesOfSignedChunks(t *testing.T) {
	for _, tt := range []struct {
		name      string
		header    http.Header
		signature string
		chunks    [3]string
		trailer   string
	}{
		{
			name: "without a trailer",
			header: http.Header{
				"Content-Encoding": {"aws-chunked"}, "Content-Length": {"66824"}, "X-Amz-Content-Sha256": {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
			},
			signature: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
			chunks: [3]string{
				"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
				"0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
				"b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
			},
		},
		{
			name: "with a trailer",
			header: http.Header{
				"Content-Encoding": {"aws-chunked"}, "X-Amz-Content-Sha256": {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"}, "X-Amz-Trailer": {"x-amz-checksum-crc32c"},
			},
			signature: "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
			chunks: [3]string{
				"b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
				"1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
				"2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
			},
			trailer: "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.header.Set("X-Amz-Date", "20130524T000000Z")
			tt.header.Set("X-Amz-Storage-Class", "REDUCED_REDUNDANCY")
			tt.header.Set("X-Amz-Decoded-Content-Length", "66560")
			names := []string{"host"}
			for name := range tt.header {
				names = append(names, strings.ToLower(name))
			}
			slices.Sort(names)
			tt.header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+exampleKey+"/20130524/us-east-1/s3/aws4_request,SignedHeaders="+strings.Join(names, ";")+",Signature="+tt.signature)
			req := sigv4.Request{Method: "PUT", Path: "/examplebucket/chunkObject.txt", Host: "s3.amazonaws.com", Header: tt.header, ContentLength: -1}

			v := verifierAt(time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC))
			auth, err := v.Parse(req)
			require.NoError(t, err)
			id, err := v.VerifyHeaders(t.Context(), auth)
			require.NoError(t, err)
			var r s3.Request
			require.NoError(t, s3.NewClassifier(s3.Config{}).Classify(req, &r))
			data := bytes.Repeat([]byte("a"), 66560)
			text := fmt.Sprintf("10000;chunk-signature=%s\r\n%s\r\n400;chunk-signature=%s\r\n%s\r\n0;chunk-signature=%s\r\n%s\r\n", tt.chunks[0], data[:65536], tt.chunks[1], data[65536:], tt.chunks[2], tt.trailer)
			body, err := r.NewBody(strings.NewReader(text), int64(len(text)), auth.Payload(), id.ChunkKey())
			require.NoError(t, err)
			got, err := io.ReadAll(body)
			require.NoError(t, err)
			require.Equal(t, data, got)
		})
	}
}

// An upload is a PUT that a test signs, and maybe spoils.
type upload struct {
	data    []byte
	kind    string // the value of x-amz-content-sha256; empty means the hash
	header  http.Header
	trailer string // what stands behind x-amz-trailer: a checksum by name
	chunk   int    // the size of chunks; 0 means 64 KiB
	spoil   func(u *spoiled)
}

// spoiled is what a test may change after signing.
type spoiled struct {
	encoded string
	header  http.Header
}

var trailerHashes = map[string]func() hash.Hash{
	"crc32":     func() hash.Hash { return crc32.NewIEEE() },
	"crc32c":    func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) },
	"crc64nvme": func() hash.Hash { return crc64.New(crc64.MakeTable(0x9a6c9329ac4bc9b5)) },
	"sha1":      sha1.New,
	"sha256":    sha256.New,
	"sha512":    sha512.New,
	"md5":       md5.New,
}

func checksumOf(name string, data []byte) string {
	h := trailerHashes[name]()
	h.Write(data)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

const uploadDate = "20261125T120000Z"

// body signs the upload by the book, with none of the code under test, and
// begins to read its body.
func (u upload) body(t *testing.T) (*s3.Body, error) {
	t.Helper()
	header := http.Header{"X-Amz-Date": {uploadDate}}
	maps.Copy(header, u.header)
	kind := u.kind
	if kind == "" {
		sum := sha256.Sum256(u.data)
		kind = hex.EncodeToString(sum[:])
	}
	header.Set("X-Amz-Content-Sha256", kind)
	chunked := strings.HasPrefix(kind, "STREAMING-")
	if chunked {
		header.Set("X-Amz-Decoded-Content-Length", strconv.Itoa(len(u.data)))
		header.Set("Content-Encoding", "aws-chunked")
	}
	if u.trailer != "" {
		header.Set("X-Amz-Trailer", "x-amz-checksum-"+u.trailer)
	}
	names := []string{"host"}
	for name := range header {
		names = append(names, strings.ToLower(name))
	}
	slices.Sort(names)
	var canonical strings.Builder
	canonical.WriteString("PUT\n/photos/k\n\n")
	for _, name := range names {
		value := header.Get(name)
		if name == "host" {
			value = "localhost"
		}
		canonical.WriteString(name + ":" + value + "\n")
	}
	signed := strings.Join(names, ";")
	canonical.WriteString("\n" + signed + "\n" + kind)
	const scope = "20261125/us-east-1/s3/aws4_request"
	key := []byte("AWS4" + exampleSecret)
	for part := range strings.SplitSeq(scope, "/") {
		key = mac(key, part)
	}
	signature := hex.EncodeToString(mac(key, "AWS4-HMAC-SHA256\n"+uploadDate+"\n"+scope+"\n"+hexHash(canonical.String())))
	header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+exampleKey+"/"+scope+", SignedHeaders="+signed+", Signature="+signature)

	s := spoiled{encoded: string(u.data), header: header}
	if chunked {
		s.encoded = u.chunks(kind, signature, func(kind, rest string) string {
			return hex.EncodeToString(mac(key, "AWS4-HMAC-SHA256-"+kind+"\n"+uploadDate+"\n"+scope+"\n"+rest))
		})
	}
	if u.spoil != nil {
		u.spoil(&s)
	}
	req := sigv4.Request{Method: "PUT", Path: "/photos/k", Host: "localhost", Header: header, ContentLength: int64(len(s.encoded))}
	v := verifierAt(noon)
	auth, err := v.Parse(req)
	require.NoError(t, err)
	id, err := v.VerifyHeaders(t.Context(), auth)
	require.NoError(t, err)
	var r s3.Request
	require.NoError(t, s3.NewClassifier(s3.Config{}).Classify(req, &r))
	return r.NewBody(iotest.HalfReader(strings.NewReader(s.encoded)), req.ContentLength, auth.Payload(), id.ChunkKey())
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func hexHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// chunks encodes the data, with signatures where the kind has them.
func (u upload) chunks(kind, previous string, sign func(kind, rest string) string) string {
	size := u.chunk
	if size == 0 {
		size = 64 << 10
	}
	var out strings.Builder
	unsigned := kind == "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	for rest, last := u.data, false; !last; {
		part := rest[:min(size, len(rest))]
		rest = rest[len(part):]
		last = len(part) == 0
		fmt.Fprintf(&out, "%x", len(part))
		if !unsigned {
			previous = sign("PAYLOAD", previous+"\n"+hexHash("")+"\n"+hexHash(string(part)))
			out.WriteString(";chunk-signature=" + previous)
		}
		out.WriteString("\r\n")
		if !last {
			out.Write(part)
			out.WriteString("\r\n")
		}
	}
	if u.trailer != "" {
		line := "x-amz-checksum-" + u.trailer + ":" + checksumOf(u.trailer, u.data)
		out.WriteString(line + "\r\n")
		if !unsigned {
			out.WriteString("x-amz-trailer-signature:" + sign("TRAILER", previous+"\n"+hexHash(line+"\n")) + "\r\n")
		}
	}
	out.WriteString("\r\n")
	return out.String()
}

func bytesOf(n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i * 7 >> 3)
	}
	return data
}

func md5Of(data []byte) string {
	sum := md5.Sum(data)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Every form in which a client sends a body reads as its data.
func TestBodies(t *testing.T) {
	for _, size := range []int{0, 1, 8 << 10, 64 << 10, 64<<10 + 1, 300_000} {
		data := bytesOf(size)
		forms := map[string]upload{
			"hashed":                 {},
			"unsigned":               {kind: "UNSIGNED-PAYLOAD"},
			"signed chunks":          {kind: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
			"signed chunks of 8 KiB": {kind: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", chunk: 8 << 10},
			"one signed chunk":       {kind: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", chunk: 1 << 30},
			"no trailer":             {kind: "STREAMING-UNSIGNED-PAYLOAD-TRAILER"},
			"with Content-MD5":       {header: http.Header{"Content-Md5": {md5Of(data)}}},
			"a signed trailer that ends as minio-go ends it": {kind: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", trailer: "crc32c", spoil: func(s *spoiled) {
				before, after, _ := strings.Cut(s.encoded, "\r\nx-amz-checksum")
				s.encoded = before + "\r\nx-amz-checksum" + strings.ReplaceAll(after, "\r\n", "\n\r\n") + "\r\n"
			}},
			"chunks that end at once": {kind: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", spoil: func(s *spoiled) { s.encoded = strings.TrimSuffix(s.encoded, "\r\n") }},
		}
		for name := range trailerHashes {
			forms["checksum "+name] = upload{header: http.Header{http.CanonicalHeaderKey("x-amz-checksum-" + name): {checksumOf(name, data)}}}
			forms["unsigned trailer "+name] = upload{kind: "STREAMING-UNSIGNED-PAYLOAD-TRAILER", trailer: name}
			forms["signed trailer "+name] = upload{kind: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", trailer: name}
		}
		for name, form := range forms {
			t.Run(fmt.Sprintf("%s/%d", name, size), func(t *testing.T) {
				form.data = data
				body, err := form.body(t)
				require.NoError(t, err)
				require.Equal(t, int64(size), body.Length())
				got, err := io.ReadAll(body)
				require.NoError(t, err)
				require.True(t, bytes.Equal(data, got))
			})
		}
	}
}

// Where a body is not what the request declares, less than the declared length
// comes out of it, and nothing of the last 64 KiB.
func TestSpoiledBodies(t *testing.T) {
	const (
		chunks          = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
		signedTrailer   = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
		unsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	)
	last := func(text string) func(*spoiled) { // changes the last byte before text
		return func(s *spoiled) {
			i := strings.LastIndex(s.encoded, text) - 1
			s.encoded = s.encoded[:i] + string([]byte{s.encoded[i] ^ 1}) + s.encoded[i+1:]
		}
	}
	replace := func(old, with string) func(*spoiled) {
		return func(s *spoiled) {
			if !strings.Contains(s.encoded, old) {
				panic("nothing to spoil: " + old)
			}
			s.encoded = strings.Replace(s.encoded, old, with, 1)
		}
	}
	for _, tt := range []struct {
		name string
		upload
		want *apierror.Error
	}{
		{"another payload hash", upload{spoil: func(s *spoiled) { s.encoded = "!" + s.encoded[1:] }}, s3err.WrongPayloadHash()},
		{"another payload hash, at the end", upload{spoil: func(s *spoiled) { s.encoded = s.encoded[:len(s.encoded)-1] + "!" }}, s3err.WrongPayloadHash()},
		{"another Content-MD5", upload{header: http.Header{"Content-Md5": {md5Of(nil)}}}, s3err.WrongMD5()},
		{"a checksum of something else", upload{header: http.Header{"X-Amz-Checksum-Crc32c": {checksumOf("crc32c", nil)}}}, s3err.WrongChecksum("CRC32C")},
		{"a checksum of something else, unsigned", upload{kind: "UNSIGNED-PAYLOAD", header: http.Header{"X-Amz-Checksum-Sha256": {checksumOf("sha256", nil)}}}, s3err.WrongChecksum("SHA256")},
		{"data of the first chunk", upload{kind: chunks, spoil: func(s *spoiled) { s.encoded = strings.Replace(s.encoded, "\r\n\x00", "\r\n\x01", 1) }}, s3err.WrongSignature()},
		{"data of the last chunk", upload{kind: chunks, spoil: last("\r\n0;chunk-signature")}, s3err.WrongSignature()},
		{"the signature of the last chunk", upload{kind: chunks, spoil: last("\r\n\r\n")}, s3err.WrongSignature()},
		{"no last chunk", upload{kind: chunks, spoil: func(s *spoiled) { s.encoded, _, _ = strings.Cut(s.encoded, "0;chunk-signature=") }}, s3err.BodyTooShort()},
		{"chunks in another order", upload{kind: chunks, spoil: func(s *spoiled) {
			const one = len("10000;chunk-signature=") + 64 + 2 + 64<<10 + 2
			s.encoded = s.encoded[one:2*one] + s.encoded[:one] + s.encoded[2*one:]
		}}, s3err.WrongSignature()},
		{"a chunk without signature", upload{kind: chunks, spoil: replace(";chunk-signature=", ";chunk-sig=")}, s3err.MalformedChunks()},
		{"a chunk with another signature", upload{kind: chunks, spoil: replace(";chunk-signature=", ";chunk-signature=0")}, s3err.WrongSignature()},
		{"chunks that are too small", upload{kind: chunks, chunk: 4 << 10}, s3err.ChunkTooSmall()},
		{"an unsigned chunk with a signature", upload{kind: unsignedTrailer, spoil: replace("10000\r\n", "10000;chunk-signature=00\r\n")}, s3err.MalformedChunks()},
		{"a chunk size that is none", upload{kind: unsignedTrailer, spoil: replace("10000\r\n", "+10000\r\n")}, s3err.MalformedChunks()},
		{"a chunk size that is too long", upload{kind: unsignedTrailer, spoil: replace("10000\r\n", "0000000010000\r\n")}, s3err.MalformedChunks()},
		{"a chunk size without CR", upload{kind: unsignedTrailer, spoil: replace("10000\r\n", "10000\n")}, s3err.MalformedChunks()},
		{"a chunk that is longer than its size", upload{kind: unsignedTrailer, spoil: replace("10000\r\n", "ffff\r\n")}, s3err.MalformedChunks()},
		{"a chunk that is shorter than its size", upload{kind: unsignedTrailer, spoil: replace("10000\r\n", "10001\r\n")}, s3err.MalformedChunks()},
		{"a chunk with an endless header", upload{kind: unsignedTrailer, spoil: func(s *spoiled) { s.encoded = strings.Repeat("0", 1<<20) }}, s3err.MalformedChunks()},
		{"a checksum in the trailer of something else", upload{kind: unsignedTrailer, trailer: "crc32", spoil: last("\r\n0\r\n")}, s3err.WrongChecksum("CRC32")},
		{"another checksum in a signed trailer", upload{kind: signedTrailer, trailer: "crc32", spoil: func(s *spoiled) {
			s.encoded = strings.Replace(s.encoded, "x-amz-checksum-crc32:", "x-amz-checksum-crc32:AAAAAA==\r\nx-old:", 1)
		}}, s3err.MalformedTrailer()},
		{"a changed checksum in a signed trailer", upload{kind: signedTrailer, trailer: "sha1", spoil: replace("sha1:"+checksumOf("sha1", bytesOf(200_000)), "sha1:"+checksumOf("sha1", nil))}, s3err.WrongSignature()},
		{"the signature of the trailer", upload{kind: signedTrailer, trailer: "crc32", spoil: last("\r\n\r\n")}, s3err.WrongSignature()},
		{"no signature of the trailer", upload{kind: signedTrailer, trailer: "crc32", spoil: func(s *spoiled) { s.encoded, _, _ = strings.Cut(s.encoded, "x-amz-trailer-signature") }}, s3err.WrongSignature()},
		{"no trailer", upload{kind: unsignedTrailer, trailer: "crc32", spoil: func(s *spoiled) { s.encoded, _, _ = strings.Cut(s.encoded, "x-amz-checksum") }}, s3err.MalformedTrailer()},
		{"two trailers", upload{kind: unsignedTrailer, trailer: "crc32", spoil: func(s *spoiled) { s.encoded += "x-amz-checksum-crc32:AAAAAA==\r\n" }}, s3err.MalformedTrailer()},
		{"a trailer that was not announced", upload{kind: unsignedTrailer, spoil: func(s *spoiled) { s.encoded += "x-amz-checksum-crc32:AAAAAA==\r\n" }}, s3err.MalformedTrailer()},
		{"a trailer that is a header", upload{kind: unsignedTrailer, trailer: "crc32", spoil: func(s *spoiled) { s.encoded += "x-amz-acl:public-read\r\n" }}, s3err.MalformedTrailer()},
		{"a trailer that does not end", upload{kind: unsignedTrailer, trailer: "crc32", spoil: func(s *spoiled) { s.encoded += strings.Repeat("\r\n", 1024) }}, s3err.MalformedTrailer()},
		{"a trailer that is no checksum", upload{kind: unsignedTrailer, trailer: "crc32", spoil: replace(checksumOf("crc32", bytesOf(200_000)), "????")}, s3err.ChecksumHeaderInvalid("x-amz-checksum-crc32")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.data = bytesOf(200_000)
			body, err := tt.body(t)
			require.NoError(t, err)
			got, err := io.ReadAll(body)
			require.Equal(t, tt.want, s3.ErrorOf(err))
			require.LessOrEqual(t, len(got), 200_000-64<<10)
			_, again := body.Read(make([]byte, 1))
			require.Equal(t, err, again)
		})
	}
}

// The decoded length is what is promised to the store.
func TestDecodedLength(t *testing.T) {
	for _, tt := range []struct {
		name, length string
		want         *apierror.Error
	}{
		{"more than there is", "200001", s3err.BodyTooShort()},
		{"less than there is", "199999", s3err.BodyTooLong()},
		{"none", "", s3err.LengthRequired()},
		{"negative", "-1", s3err.LengthRequired()},
		{"no number", "0x10", s3err.LengthRequired()},
		{"more than fits", "99999999999999999999", s3err.LengthRequired()},
		{"more than an object may have", "5368709121", s3err.TooLarge()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := upload{data: bytesOf(200_000), kind: "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}
			var r s3.Request
			header := http.Header{"X-Amz-Decoded-Content-Length": {tt.length}}
			require.NoError(t, s3.NewClassifier(s3.Config{}).Classify(sigv4.Request{Method: "PUT", Path: "/photos/k", Header: header}, &r))
			payload, err := sigv4.UnsignedRequestPayload(http.Header{"X-Amz-Content-Sha256": {u.kind}})
			require.NoError(t, err)
			body, err := r.NewBody(strings.NewReader(u.chunks(u.kind, "", nil)), -1, payload, nil)
			if err == nil {
				_, err = io.ReadAll(body)
			}
			require.Equal(t, tt.want, s3.ErrorOf(err))
		})
	}
}

// What cannot be told before the body is read is refused before it is.
func TestRefusedBodies(t *testing.T) {
	for _, tt := range []struct {
		name    string
		method  string
		target  string
		header  http.Header
		length  int64
		payload string
		want    *apierror.Error
	}{
		{"no length", "PUT", "/photos/k", nil, -1, "UNSIGNED-PAYLOAD", s3err.LengthRequired()},
		{"a body where there is none", "DELETE", "/photos/k", nil, 1, "UNSIGNED-PAYLOAD", s3err.UnexpectedBody()},
		{"a document that is too long", "PUT", "/photos?versioning", nil, 3 << 20, "UNSIGNED-PAYLOAD", s3err.DocumentTooLong()},
		{"an object that is too long", "PUT", "/photos/k", nil, 5<<30 + 1, "UNSIGNED-PAYLOAD", s3err.TooLarge()},
		{"two checksums", "PUT", "/photos/k", http.Header{"X-Amz-Checksum-Crc32": {"AAAAAA=="}, "X-Amz-Checksum-Crc32c": {"AAAAAA=="}}, 1, "UNSIGNED-PAYLOAD", s3err.SeveralChecksums()},
		{"a checksum in header and trailer", "PUT", "/photos/k", http.Header{"X-Amz-Checksum-Crc32": {"AAAAAA=="}, "X-Amz-Trailer": {"x-amz-checksum-crc32"}, "X-Amz-Decoded-Content-Length": {"1"}}, 1, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", s3err.SeveralChecksums()},
		{"a trailer that is no checksum", "PUT", "/photos/k", http.Header{"X-Amz-Trailer": {"x-amz-acl"}, "X-Amz-Decoded-Content-Length": {"1"}}, 1, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", s3err.TrailerNotSupported()},
		{"two trailers", "PUT", "/photos/k", http.Header{"X-Amz-Trailer": {"x-amz-checksum-crc32,x-amz-checksum-sha1"}, "X-Amz-Decoded-Content-Length": {"1"}}, 1, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", s3err.TrailerNotSupported()},
		{"a checksum of a whole object that nobody verifies", "POST", "/photos/k?uploadId=1", http.Header{"X-Amz-Checksum-Sha512": {checksumOf("sha512", nil)}}, 1, "UNSIGNED-PAYLOAD", s3err.HeaderNotImplemented()},
		{"a checksum that is none", "PUT", "/photos/k", http.Header{"X-Amz-Checksum-Crc32": {"AAAA"}}, 1, "UNSIGNED-PAYLOAD", s3err.ChecksumHeaderInvalid("x-amz-checksum-crc32")},
		{"a Content-MD5 that is none", "PUT", "/photos/k", http.Header{"Content-Md5": {"AAAA"}}, 1, "UNSIGNED-PAYLOAD", s3err.InvalidMD5()},
		{"signed chunks that nobody signed", "PUT", "/photos/k", nil, 1, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", s3err.NotAllowed()},
		{"a hash that is none", "PUT", "/photos/k", nil, 1, "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", s3err.WrongPayloadHash()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			payload, err := sigv4.UnsignedRequestPayload(http.Header{"X-Amz-Content-Sha256": {tt.payload}})
			if err == nil {
				_, err = classified(t, tt.method, tt.target, tt.header).NewBody(strings.NewReader("x"), tt.length, payload, nil)
			}
			require.Equal(t, tt.want, s3.ErrorOf(err))
		})
	}
}

// Whatever comes, reading it ends, and ends well only with exactly the length
// that was declared.
func FuzzBody(f *testing.F) {
	for _, trailer := range []string{"", "crc32"} {
		u := upload{data: bytesOf(70_000), kind: "STREAMING-UNSIGNED-PAYLOAD-TRAILER", trailer: trailer}
		f.Add(u.chunks(u.kind, "", nil), "70000", trailer)
	}
	f.Add("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\n\r\n\r\n", "5", "crc32")
	f.Fuzz(func(t *testing.T, text, length, trailer string) {
		header := http.Header{"X-Amz-Decoded-Content-Length": {length}}
		if trailer != "" {
			header.Set("X-Amz-Trailer", "x-amz-checksum-"+trailer)
		}
		var r s3.Request
		require.NoError(t, s3.NewClassifier(s3.Config{}).Classify(sigv4.Request{Method: "PUT", Path: "/photos/k", Header: header}, &r))
		payload, err := sigv4.UnsignedRequestPayload(http.Header{"X-Amz-Content-Sha256": {"STREAMING-UNSIGNED-PAYLOAD-TRAILER"}})
		require.NoError(t, err)
		body, err := r.NewBody(strings.NewReader(text), int64(len(text)), payload, nil)
		if err != nil {
			return
		}
		if body.Length() > 1<<20 {
			return
		}
		got, err := io.ReadAll(body)
		require.LessOrEqual(t, int64(len(got)), body.Length())
		if err != nil {
			require.LessOrEqual(t, int64(len(got)), max(0, body.Length()-64<<10))
			return
		}
		require.Len(t, got, int(body.Length()))
		if h := trailerHashes[trailer]; h != nil {
			require.Contains(t, text, checksumOf(trailer, got))
		}
	})
}

func BenchmarkBody(b *testing.B) {
	data := bytesOf(8 << 20)
	for _, kind := range []string{"UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"} {
		b.Run(kind, func(b *testing.B) {
			u := upload{data: data, kind: kind, trailer: "crc64nvme"}
			text, header := string(data), http.Header{}
			if strings.HasPrefix(kind, "STREAMING") {
				text = u.chunks(kind, "", nil)
				header = http.Header{"X-Amz-Decoded-Content-Length": {strconv.Itoa(len(data))}, "X-Amz-Trailer": {"x-amz-checksum-crc64nvme"}}
			}
			var r s3.Request
			if err := s3.NewClassifier(s3.Config{}).Classify(sigv4.Request{Method: "PUT", Path: "/photos/k", Header: header}, &r); err != nil {
				b.Fatal(err)
			}
			payload, err := sigv4.UnsignedRequestPayload(http.Header{"X-Amz-Content-Sha256": {kind}})
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				body, err := r.NewBody(strings.NewReader(text), int64(len(text)), payload, nil)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
