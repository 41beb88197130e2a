package s3

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"iamserver/generated/s3err"
	"iamserver/runtime/apierror"
)

// answerHeaders are the headers of the store's answer that reach a client. A
// name that ends in a hyphen stands for all that begin so.
var answerHeaders = map[string]bool{
	"Accept-Ranges": true, "Cache-Control": true, "Content-Disposition": true, "Content-Encoding": true, "Content-Language": true,
	"Content-Length": true, "Content-Range": true, "Content-Type": true, "Etag": true, "Expires": true, "Last-Modified": true,
	"X-Amz-Abort-Date": true, "X-Amz-Abort-Rule-Id": true, "X-Amz-Archive-Status": true, "X-Amz-Bucket-Object-Lock-Token": true,
	"X-Amz-Bucket-Region": true, "X-Amz-Copy-Source-Version-Id": true, "X-Amz-Delete-Marker": true, "X-Amz-Expiration": true,
	"X-Amz-Missing-Meta": true, "X-Amz-Mp-Parts-Count": true, "X-Amz-Object-Size": true, "X-Amz-Replication-Status": true, "X-Amz-Restore": true,
	"X-Amz-Storage-Class": true, "X-Amz-Transition-Default-Minimum-Object-Size": true, "X-Amz-Version-Id": true,
	"X-Amz-Website-Redirect-Location": true,
}

var answerPrefixes = []string{"X-Amz-Meta-", "X-Amz-Checksum-", "X-Amz-Object-Lock-", "X-Amz-Server-Side-Encryption"}

func copyHeaders(into, from http.Header, content Content) {
	for name, values := range from {
		known := answerHeaders[name] || (name == "X-Amz-Tagging-Count" && content.ShowTaggingCount)
		for _, prefix := range answerPrefixes {
			known = known || strings.HasPrefix(name, prefix)
		}
		if known {
			into[name] = values
		}
	}
	// Some stores write dates as nobody else does.
	if modified, err := http.ParseTime(into.Get("Last-Modified")); err == nil {
		into.Set("Last-Modified", modified.UTC().Format(http.TimeFormat))
	}
	// Some stores keep the coding of the body with the object.
	if coding := into.Get("Content-Encoding"); strings.Contains(coding, "aws-chunked") {
		if coding = withoutChunked(coding); coding == "" {
			into.Del("Content-Encoding")
		} else {
			into.Set("Content-Encoding", coding)
		}
	}
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 64<<10); return &b }}

// answer passes the store's answer on. before is what the store said before of other
// entries.
func (g *Gateway) answer(w http.ResponseWriter, hr *http.Request, r *Request, content Content, resp *http.Response, before []byte) error {
	switch {
	case resp.StatusCode >= 400:
		return g.storeError(r, resp, content.Body)
	case resp.StatusCode >= 300 && resp.StatusCode != http.StatusNotModified, resp.StatusCode < 200:
		g.up.Log.Error("the store sends requests elsewhere", "status", resp.StatusCode, "location", resp.Header.Get("Location"))
		return s3err.StoreUnavailable()
	}
	if r.isForm() {
		for name, values := range resp.Header {
			if name == "Etag" || name == "X-Amz-Version-Id" || strings.HasPrefix(name, checksumPrefix) {
				w.Header()[name] = values
			}
		}
		return g.answerForm(w, hr, r, resp.Header.Get("Etag"))
	}
	copyHeaders(w.Header(), resp.Header, content)
	switch r.Operation.Name {
	case "CreateBucket":
		w.Header().Set("Location", "/"+r.Bucket)
	case "HeadBucket":
		// Clients learn the region from it, and not all stores tell.
		if w.Header().Get("X-Amz-Bucket-Region") == "" {
			w.Header().Set("X-Amz-Bucket-Region", g.up.Region)
		}
	}
	if rewrites(r, content) && resp.StatusCode == http.StatusOK {
		delete(w.Header(), "Content-Length")
		w.WriteHeader(resp.StatusCode)
		x := rewriter{root: roots[r.Operation.Name], owner: g.up.Owner, location: locationOf(hr, r), before: before, denied: content.Denied}
		g.finish(x.copy(w, resp.Body))
		return nil
	}
	w.WriteHeader(resp.StatusCode)
	if hr.Method == http.MethodHead {
		return nil
	}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	// The writer alone: with a buffer of ours, and with no way around it that
	// would make another one for each answer.
	_, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{resp.Body}, *buf)
	g.finish(err)
	return nil
}

// finish ends an answer that has begun.
func (g *Gateway) finish(err error) {
	if err == nil {
		return
	}
	g.up.Log.Debug("an answer was not finished", "error", err)
	panic(http.ErrAbortHandler)
}

// The codes with which a store says that it does not accept this server: the
// client can do nothing about it, and must not be told that its own signature
// is wrong.
var ours = map[string]bool{
	"AuthorizationHeaderMalformed": true, "ExpiredToken": true, "InvalidAccessKeyId": true, "InvalidToken": true, "MissingSecurityHeader": true,
	"PermanentRedirect": true, "RequestTimeTooSkewed": true, "SignatureDoesNotMatch": true, "TemporaryRedirect": true, "XAmzContentSHA256Mismatch": true,
}

const maxStoreError = 64 << 10

// storeError is what the client is told of the store's error: its code and its
// sentence, and nothing that names the store.
func (g *Gateway) storeError(r *Request, resp *http.Response, body *Body) error {
	// The store may have given up on a body that was found wrong.
	if body != nil && body.Err() != nil {
		return body.Err()
	}
	var answer struct {
		Code    string `xml:"Code"`
		Message string `xml:"Message"`
	}
	if r.Operation.Method != http.MethodHead {
		text, err := io.ReadAll(io.LimitReader(resp.Body, maxStoreError))
		if err == nil {
			err = xml.Unmarshal(text, &answer)
		}
		if err != nil {
			g.up.Log.Error("the error of the store cannot be read", "status", resp.StatusCode, "error", err)
		}
	}
	switch {
	case ours[answer.Code]:
		g.up.Log.Error("the store does not accept this server", "code", answer.Code, "message", answer.Message)
		return s3err.StoreUnavailable()
	case answer.Code == "AccessDenied":
		return s3err.NotAllowed()
	case answer.Code == "" && r.Operation.Method == http.MethodHead:
		return headErrors(resp.StatusCode)
	case !plainCode(answer.Code):
		return s3err.StoreUnavailable()
	// Clients compare these sentences, and stores have their own.
	case answer.Code == s3err.NoSuchBucket.Name:
		return s3err.BucketNotFound()
	case answer.Code == s3err.NoSuchKey.Name:
		return s3err.ObjectNotFound()
	}
	code := apierror.Code{Name: answer.Code, Status: resp.StatusCode, Fault: apierror.Sender}
	// What a store does not offer is no failure of it.
	if resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented {
		code.Fault = apierror.Receiver
	}
	return code.New(g.scrub(answer.Message))
}

// headErrors is the error of a HEAD, which has no body to say more.
func headErrors(status int) error {
	switch status {
	case http.StatusNotFound:
		return s3err.ObjectNotFound()
	case http.StatusForbidden:
		return s3err.NotAllowed()
	}
	code := apierror.Code{Name: strings.ReplaceAll(http.StatusText(status), " ", ""), Status: status, Fault: apierror.Sender}
	return code.New(http.StatusText(status))
}

func plainCode(code string) bool {
	for i := range len(code) {
		if c := code[i]; ('a' > c || c > 'z') && ('A' > c || c > 'Z') && ('0' > c || c > '9') {
			return false
		}
	}
	return code != "" && len(code) <= 64
}

// scrub removes what names the store.
func (g *Gateway) scrub(message string) string {
	for _, secret := range []string{g.up.AccessKeyID, g.up.SessionToken, g.up.SecretAccessKey, g.up.Endpoint.Host} {
		if secret != "" && strings.Contains(message, secret) {
			return ""
		}
	}
	return message
}

// locationOf is the address of an object as the client knows it.
func locationOf(hr *http.Request, r *Request) string {
	scheme := "http"
	if hr.TLS != nil {
		scheme = "https"
	}
	path := r.AppendPath(nil)
	if r.inHost {
		path = path[len("/")+len(r.Bucket):]
	}
	return fmt.Sprintf("%s://%s%s", scheme, hr.Host, path)
}
