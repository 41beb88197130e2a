package sigv4

import (
	"net/http"
	"strings"
)

// What a request may have. They are far above what any client sends, and keep
// the cost of refusing a request in proportion to the cost of sending it.
const (
	maxAuthorization = 8 << 10
	maxPath          = 16 << 10
	maxQuery         = 64 << 10
	maxParams        = 1024
	maxHeaders       = 256
	maxSignedHeaders = 128
	maxCredential    = 512
)

// A Request is what a signature covers, but for the body.
type Request struct {
	// Method is the HTTP method.
	Method string
	// Path is the path as it was sent: percent-encoded, not cleaned.
	Path string
	// Query is the query as it was sent, without the question mark.
	Query string
	// Host is the Host header, or HTTP/2's :authority.
	Host string
	// Header holds the other headers by their canonical name
	// (http.CanonicalHeaderKey). It is read until Verify returns.
	Header http.Header
	// ContentLength stands in for a Content-Length that is not in Header;
	// negative means unknown.
	ContentLength int64
}

// RequestOf describes a request that net/http's server received. Path and query
// are those of the request line, so that no handler's rewriting of r.URL
// matters.
func RequestOf(r *http.Request) Request {
	target := r.RequestURI
	if !strings.HasPrefix(target, "/") {
		// The absolute form, which proxies are sent: http://host/path. Its host
		// is r.Host.
		_, rest, _ := strings.Cut(target, "://")
		target = ""
		if i := strings.IndexAny(rest, "/?"); i >= 0 {
			target = rest[i:]
		}
	}
	path, query, _ := strings.Cut(target, "?")
	return Request{
		Method:        r.Method,
		Path:          path,
		Query:         query,
		Host:          r.Host,
		Header:        r.Header,
		ContentLength: r.ContentLength,
	}
}

// bounded refuses a request that is too large to look at.
func (r *Request) bounded() error {
	lines := 0
	for _, values := range r.Header {
		lines += len(values)
	}
	switch {
	case lines > maxHeaders:
		return incomplete("The request has more than %d headers.", maxHeaders)
	case len(r.Path) > maxPath:
		return incomplete("The path of the request is longer than %d bytes.", maxPath)
	case len(r.Query) > maxQuery:
		return &Error{MalformedQueryString, "The query string is too long."}
	}
	return nil
}
