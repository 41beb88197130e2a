// Package record stands between a client such as the AWS CLI and an endpoint
// and takes down what they say to each other, as cases. It does not judge the
// answers; see package replay for that.
package record

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
)

// An Exchange is a request with its answer.
type Exchange struct {
	Method, Target string
	Header         http.Header // of the request
	Body           string
	Status         int
	AnswerHeader   http.Header
	Answer         []byte
}

// A Proxy hands requests on to an endpoint and takes down each with its answer.
// Without a Signer they go on as they came, Host header and signature included,
// so that the endpoint verifies what the client signed.
type Proxy struct {
	forward *httputil.ReverseProxy
	signer  *Signer

	mu        sync.Mutex
	exchanges []Exchange // guarded by mu
}

// maxBody is the longest request and the longest answer, in bytes.
const maxBody = 8 << 20

// NewProxy returns a Proxy to an endpoint, a URL without a path. A signer that is
// not nil signs requests anew.
func NewProxy(endpoint string, signer *Signer) (*Proxy, error) {
	to, err := url.Parse(endpoint)
	if err != nil {
		return nil, fmt.Errorf("endpoint: %w", err)
	}
	p := &Proxy{signer: signer}
	p.forward = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = to.Scheme, to.Host
			if r.Out.Host = r.In.Host; signer != nil {
				r.Out.Host = to.Host
			}
		},
		ModifyResponse: p.take,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, err.Error(), http.StatusBadGateway)
		},
	}
	if signer != nil {
		p.forward.Transport = transport(signer.roundTrip)
	}
	return p, nil
}

// transport is a function that is an http.RoundTripper.
type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	p.forward.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), bodyKey{}, string(body))))
}

// bodyKey is the context key of the body of a request, which has been read by
// the time that its answer is there.
type bodyKey struct{}

func (p *Proxy) take(r *http.Response) error {
	answer, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return err
	}
	if len(answer) > maxBody {
		return fmt.Errorf("the answer has more than %d bytes", maxBody)
	}
	if err := r.Body.Close(); err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(answer))
	e := Exchange{
		Method: r.Request.Method, Target: r.Request.URL.RequestURI(), Header: r.Request.Header.Clone(),
		Status: r.StatusCode, AnswerHeader: r.Header.Clone(), Answer: answer,
	}
	e.Body, _ = r.Request.Context().Value(bodyKey{}).(string)
	if p.signer != nil {
		p.signer.learn(answer)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.exchanges = append(p.exchanges, e)
	return nil
}

// Take returns what was said since the latest Take.
func (p *Proxy) Take() []Exchange {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.exchanges
	p.exchanges = nil
	return all
}
