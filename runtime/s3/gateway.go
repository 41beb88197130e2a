package s3

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7/pkg/signer"

	"iamserver/generated/s3err"
	"iamserver/runtime/operation"
	"iamserver/runtime/sigv4"
)

// An Upstream is the store behind a Gateway.
type Upstream struct {
	// Endpoint is the store's address: a scheme and a host. Of a store on a unix
	// socket, which the Transport dials, the host is any name.
	Endpoint *url.URL
	// Region is that of the store's signatures, mostly us-east-1.
	Region string
	// AccessKeyID, SecretAccessKey and SessionToken are the credentials that all
	// requests are signed with. They never reach a client.
	AccessKeyID, SecretAccessKey, SessionToken string
	// VirtualHosts puts the bucket before the host, not into the path.
	VirtualHosts bool
	// UnsignedChunks says that the store takes large bodies in the coding
	// aws-chunked without signatures and without a trailer, and notices when the
	// last chunk is missing. Then nobody has to hash what was verified already.
	UnsignedChunks bool
	// Plain says that the store takes requests as they are: nothing is signed, and
	// bodies are in no coding. It is for a handler in the same process; see
	// NewHandlerTransport. A checksum that follows the body is in the trailer of the
	// request. The credentials must be empty.
	Plain bool
	// Owner is what stands where the store names the owner of a bucket or an
	// object: the canonical user id of the account.
	Owner string
	// Transport reaches the store; see NewTransport.
	Transport http.RoundTripper
	// Now is the clock of the signatures.
	Now func() time.Time
	// Log is told what goes wrong with the store.
	Log *slog.Logger
}

// A Gateway forwards requests to a store. It is safe for concurrent use.
type Gateway struct{ up Upstream }

// NewGateway returns a Gateway to a store.
func NewGateway(up Upstream) *Gateway { return &Gateway{up: up} }

// Content is the body of a request that is forwarded, and how its answer is.
type Content struct {
	// Body is the body where the store alone reads it; nil if the operation has
	// none.
	Body *Body
	// Document takes its place where the authorization has read it: what
	// ReadDocument or Deletions.Document returned.
	Document []byte
	// Denied are the entries of DeleteObjects that were not allowed: the answer
	// says so of each.
	Denied []Deletion
	// ShowTaggingCount passes on how many tags an object has.
	ShowTaggingCount bool
	// KeepLocks does not pass on that locks are to be bypassed: there was none when
	// the request was decided, and if there is one by now, the store refuses.
	KeepLocks bool
	// KeepingLocks are the entries of DeleteObjects of which that is true, as the
	// document of Deletions.Document; those of Document are deleted whatever their
	// locks.
	KeepingLocks []byte
	// LeaveTags copies no tags: the source had none when the request was decided.
	LeaveTags bool
}

// Forward carries out a request that has been authorized, and writes the
// answer of the store. Where it returns an error, it has written nothing, and the
// caller has to answer; ErrorOf says what. If the store fails after the answer
// has begun, Forward panics with http.ErrAbortHandler, as httputil.ReverseProxy
// does, so that the client sees that the answer is not whole.
func (g *Gateway) Forward(w http.ResponseWriter, hr *http.Request, r *Request, content Content) error {
	if r.isForm() && r.form == nil {
		// Its fields have not been read: nothing of it was authorized.
		return s3err.NotAllowed()
	}
	// The store's connection ends with the client's, and the other way round.
	ctx, cancel := context.WithCancel(hr.Context())
	defer cancel()
	var before []byte
	if content.KeepingLocks != nil {
		var err error
		if before, err = g.deleteBefore(ctx, r, Content{Document: content.KeepingLocks, KeepLocks: true}); err != nil {
			return err
		}
	}
	out, err := g.request(ctx, r, content)
	if err != nil {
		return err
	}
	resp, err := g.up.Transport.RoundTrip(out)
	if err != nil {
		return g.failure(hr.Context(), content.Body, err)
	}
	defer closeBody(resp.Body)
	if content.Body != nil && content.Body.Err() != nil {
		// Whatever the store makes of what it got: it is not what was declared.
		return content.Body.Err()
	}
	return g.answer(w, hr, r, content, resp, before)
}

// The longest answer to DeleteObjects that is read into memory.
const maxDeletionAnswer = 8 << 20

// deleteBefore has the store delete entries before the others, and returns what it
// says of each of them. If the store fails at the others, the client is told of that
// alone: to try again does no harm.
func (g *Gateway) deleteBefore(ctx context.Context, r *Request, content Content) ([]byte, error) {
	out, err := g.request(ctx, r, content)
	if err != nil {
		return nil, err
	}
	resp, err := g.up.Transport.RoundTrip(out)
	if err != nil {
		return nil, g.failure(ctx, nil, err)
	}
	defer closeBody(resp.Body)
	if resp.StatusCode != http.StatusOK {
		return nil, g.storeError(r, resp, nil)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxDeletionAnswer))
	if err != nil {
		return nil, g.failure(ctx, nil, err)
	}
	var answer struct {
		XMLName xml.Name `xml:"DeleteResult"`
		Entries []byte   `xml:",innerxml"`
	}
	if err := xml.Unmarshal(text, &answer); err != nil {
		g.up.Log.Error("the answer of the store cannot be read", "error", err)
		return nil, s3err.StoreUnavailable()
	}
	return answer.Entries, nil
}

// failure is the error of a request to which the store gave no answer.
func (g *Gateway) failure(ctx context.Context, body *Body, err error) error {
	// A body that is not what was declared ends the request; the reason is its.
	if body != nil && body.Err() != nil {
		return body.Err()
	}
	if ctx.Err() != nil {
		return fmt.Errorf("the client left: %w", ctx.Err())
	}
	if errors.Is(err, errPanicked) {
		return err
	}
	g.up.Log.Error("the store cannot be reached", "error", err)
	return s3err.StoreUnavailable()
}

func closeBody(body io.Closer) {
	// The answer has been read as far as it is wanted.
	_ = body.Close()
}

// request builds the request to the store from the classified request alone.
func (g *Gateway) request(ctx context.Context, r *Request, content Content) (*http.Request, error) {
	target := *g.up.Endpoint
	key := r.Key
	if target.Path = "/"; r.Bucket != "" {
		if g.up.VirtualHosts {
			target.Host = r.Bucket + "." + target.Host
			target.Path += key
		} else if target.Path += r.Bucket; key != "" {
			target.Path += "/" + key
		}
	}
	target.RawPath = string(appendEscaped(nil, target.Path, true))
	target.RawQuery = string(r.AppendQuery(nil))
	out := (&http.Request{
		Method: r.Operation.Method, URL: &target, Host: target.Host, Header: http.Header{},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	if r.isForm() {
		out.Method = http.MethodPut
	}
	if err := r.forwardHeaders(out.Header); err != nil {
		return nil, err
	}
	if content.KeepLocks {
		out.Header.Del("X-Amz-Bypass-Governance-Retention")
	}
	if content.LeaveTags {
		out.Header["X-Amz-Tagging-Directive"] = []string{"REPLACE"}
		out.Header.Del("X-Amz-Tagging")
	}
	// No name of a program that is not there.
	out.Header["User-Agent"] = []string{"iamserver"}
	payload, err := setContent(out, r, content)
	if err != nil {
		return nil, err
	}
	out = g.sign(out, payload)
	if out.GetBody == nil && out.Body != nil && out.Body != http.NoBody {
		sendAgainUnread(out)
	}
	if out.Method == http.MethodPut && out.Header["If-Match"] == nil && out.Header["If-None-Match"] == nil {
		// Lets the transport repeat it on another connection: twice is as good as
		// once. The header has no value, and is not sent.
		out.Header["X-Idempotency-Key"] = nil
	}
	return out, nil
}

// errBodyBegun is why a request is not sent again.
var errBodyBegun = errors.New("s3: the connection to the store broke while the body was being sent")

// sendAgainUnread lets the transport send a request again over another connection,
// where the store had closed the first one, as long as none of its body was read:
// the body waits until the store says that it may come.
func sendAgainUnread(out *http.Request) {
	body := &begunBody{Reader: out.Body}
	out.Body = io.NopCloser(body)
	out.GetBody = func() (io.ReadCloser, error) {
		if body.begun.Load() {
			return nil, errBodyBegun
		}
		return io.NopCloser(body), nil
	}
}

// A begunBody knows whether any of it was read.
type begunBody struct {
	io.Reader

	begun atomic.Bool
}

func (b *begunBody) Read(p []byte) (int, error) {
	b.begun.Store(true)
	return b.Reader.Read(p)
}

// A payload is how the store can tell that it got the whole of a body. The
// length alone would not do: there are stores that keep what they have when a
// body ends too early.
type payload struct {
	hash    string      // the SHA-256 of the body; empty means that chunks are signed
	stream  bool        // the body is not in memory
	trailer http.Header // a checksum that follows the body
}

const (
	unsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	emptyHash       = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

func (g *Gateway) sign(out *http.Request, p payload) *http.Request {
	up := &g.up
	switch {
	case up.Plain:
		out.Trailer = p.trailer
		return out
	case p.trailer != nil:
		out.Header["X-Amz-Content-Sha256"] = []string{unsignedTrailer}
		return signer.SignV4Trailer(*out, up.AccessKeyID, up.SecretAccessKey, up.SessionToken, up.Region, p.trailer)
	case p.stream && up.UnsignedChunks:
		out.Header["X-Amz-Decoded-Content-Length"] = []string{strconv.FormatInt(out.ContentLength, 10)}
		out.Header["X-Amz-Content-Sha256"] = []string{unsignedTrailer}
		out = signer.StreamingUnsignedV4(out, up.SessionToken, out.ContentLength, up.Now().UTC())
		return signer.SignV4(*out, up.AccessKeyID, up.SecretAccessKey, up.SessionToken, up.Region)
	case p.hash == "":
		return signer.StreamingSignV4(out, up.AccessKeyID, up.SecretAccessKey, up.SessionToken, up.Region, out.ContentLength, up.Now().UTC(), chunkHash{sha256.New()})
	}
	out.Header["X-Amz-Content-Sha256"] = []string{p.hash}
	return signer.SignV4(*out, up.AccessKeyID, up.SecretAccessKey, up.SessionToken, up.Region)
}

// A chunkHash is what the signer hashes chunks with.
type chunkHash struct{ hash.Hash }

// Close does nothing: there is nothing to give back.
func (chunkHash) Close() {}

// forwardHeaders copies the headers of the operation, and no others.
func (r *Request) forwardHeaders(into http.Header) error {
	for _, name := range r.Operation.Forward {
		if strings.HasSuffix(name, "-") {
			r.eachHeader(name, func(header, value string) { into[header] = []string{value} })
			continue
		}
		value, ok := r.Header(name)
		if !ok {
			continue
		}
		if values := r.header[name]; lists[name] && r.form == nil && len(values) > 0 {
			value = strings.Join(values, ",")
		}
		switch name {
		case "X-Amz-Tagging":
			tags, err := parseTags(value)
			if err != nil {
				return err
			}
			value = tags.header()
		case "Content-Encoding":
			if value = withoutChunked(value); value == "" {
				continue
			}
		case "X-Amz-Object-Attributes", "X-Amz-Optional-Object-Attributes":
			value = withoutSpaces(value)
		}
		into[name] = []string{value}
	}
	if r.Source.Bucket != "" {
		into[copySource] = []string{r.Source.header()}
	}
	return nil
}

// withoutChunked removes the coding of the body from Content-Encoding: what is
// left belongs to the object.
func withoutChunked(value string) string {
	var kept []string
	for coding := range strings.SplitSeq(value, ",") {
		if coding = strings.TrimSpace(coding); coding != "" && !strings.EqualFold(coding, "aws-chunked") {
			kept = append(kept, coding)
		}
	}
	return strings.Join(kept, ",")
}

// withoutSpaces removes them around the elements of a list: some clients write
// them, and some stores take them for parts of the elements.
func withoutSpaces(value string) string {
	elements := strings.Split(value, ",")
	for i := range elements {
		elements[i] = strings.TrimSpace(elements[i])
	}
	return strings.Join(elements, ",")
}

// eachHeader visits the headers whose canonical name begins with prefix.
func (r *Request) eachHeader(prefix string, visit func(name, value string)) {
	if r.form != nil {
		for _, field := range r.form.fields {
			if name := http.CanonicalHeaderKey(field.name); strings.HasPrefix(name, prefix) {
				visit(name, trimmed(field.value))
			}
		}
		return
	}
	for name, values := range r.header {
		if strings.HasPrefix(name, prefix) && len(values) > 0 {
			visit(name, trimmed(values[0]))
		}
	}
	for _, p := range r.hoisted[:r.lifted] {
		if name := http.CanonicalHeaderKey(p.name); strings.HasPrefix(name, prefix) {
			visit(name, trimmed(decode(p.value)))
		}
	}
}

// setContent gives a request its body.
func setContent(out *http.Request, r *Request, content Content) (payload, error) {
	body := content.Body
	switch {
	case r.Operation.Body == operation.NoBody || (body == nil && content.Document == nil):
		out.Body = http.NoBody
		if body != nil {
			return payload{hash: emptyHash}, body.Verify()
		}
		return payload{hash: emptyHash}, nil
	case content.Document != nil:
		return setDocument(out, content.Document), nil
	case r.Operation.Body != operation.ObjectBody && r.Operation.Body != operation.Form:
		document, err := body.ReadAll()
		if err != nil {
			return payload{}, err
		}
		return setDocument(out, document), nil
	}
	if text, ok := r.Header("Content-Md5"); ok {
		out.Header["Content-Md5"] = []string{text}
	}
	if body.Small() {
		// Everything is verified before the store hears of it.
		if err := body.Verify(); err != nil {
			return payload{}, err
		}
		if body.trailing && passes(r.Operation, body.checksum.header) {
			out.Header[body.checksum.header] = []string{body.checksum.want}
		}
		data, err := io.ReadAll(body.tail)
		if err != nil {
			return payload{}, err
		}
		return setBytes(out, data), nil
	}
	out.Body, out.ContentLength = io.NopCloser(body), body.Length()
	// The store can refuse before the body is sent; and a connection that it has
	// closed meanwhile is found out while the request can still be repeated.
	out.Header["Expect"] = []string{"100-continue"}
	if body.trailing && passes(r.Operation, body.checksum.header) {
		trailer := http.Header{body.checksum.header: {strings.Repeat("=", base64.StdEncoding.EncodedLen(body.checksum.hash.Size()))}}
		out.Body = io.NopCloser(&trailedBody{body, trailer})
		return payload{trailer: trailer}, nil
	}
	if body.payload.Kind == sigv4.HashedPayload {
		sum := body.payload.Hash()
		return payload{stream: true, hash: hex.EncodeToString(sum[:])}, nil
	}
	return payload{stream: true}, nil
}

// A trailedBody sets the trailer once the body has been verified, which is
// before its end has been read.
type trailedBody struct {
	*Body
	trailer http.Header
}

func (b *trailedBody) Read(p []byte) (int, error) {
	n, err := b.Body.Read(p)
	if b.tail != nil {
		b.trailer[b.checksum.header] = []string{b.checksum.want}
	}
	return n, err
}

// setDocument gives a request a document, with the digest that some stores want
// to see.
func setDocument(out *http.Request, document []byte) payload {
	sum := md5.Sum(document)
	out.Header["Content-Md5"] = []string{base64.StdEncoding.EncodeToString(sum[:])}
	return setBytes(out, document)
}

func setBytes(out *http.Request, data []byte) payload {
	out.ContentLength = int64(len(data))
	if out.Body = http.NoBody; len(data) > 0 {
		out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
		out.Body = io.NopCloser(bytes.NewReader(data))
	}
	sum := sha256.Sum256(data)
	return payload{hash: hex.EncodeToString(sum[:])}
}
