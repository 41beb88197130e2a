package server

import (
	"net/http"
	"net/url"

	"iamserver/runtime/s3"
)

// Authorize returns a handler that serves S3 with next as the store, and IAM and STS
// beside it: on one port, a request is for the one or the other by what it is signed
// for. Config.S3 says how S3 is served.
//
// next gets requests that have been authenticated and authorized, and no other. Each
// is built anew from what was recognised and decided: the path is /bucket/key with
// one encoding, parameters and headers are those that the operation has, and there is
// no signature, and no Host or cookie of the client's. The body is the data itself,
// whatever coding it came in. Of a large one, the last 64 KiB come only once its
// hash, signatures and checksum have been verified: where something is wrong, Read
// returns an error before Content-Length bytes have come, and nothing must be kept
// of it. A checksum that came in a trailer is in http.Request.Trailer then.
//
// The context is that of the client's request, with what DecisionOf and PrincipalOf
// return; RemoteAddr is the client's too. What next answers reaches the client as
// from S3: headers that S3 has, the account in place of owners, errors in S3's XML.
// Bucket policies and public access blocks are answered by the handler, and next
// never hears of them.
//
// Nothing else may lead to next: what reaches it in another way has not been
// authorized.
func (s *Server) Authorize(next http.Handler) http.Handler {
	var cfg S3
	if s.config.S3 != nil {
		cfg = *s.config.S3
	}
	cfg.Upstream = s3.Upstream{
		Endpoint: &url.URL{Scheme: "http", Host: "localhost"}, Region: "us-east-1", Plain: true, Owner: cfg.Upstream.Owner,
		Transport: s3.NewHandlerTransport(withPeer(next), s.log), Now: s.config.Now, Log: s.log,
	}
	objects, err := newObjectStore(s, cfg)
	if err != nil {
		panic(err) // of an endpoint that is none, and this is one
	}
	objects.inside = true
	return s.besides(objects)
}

// withPeer tells next where a request came from.
func withPeer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if decision := DecisionOf(r.Context()); decision != nil {
			r.RemoteAddr = decision.peer
		}
		next.ServeHTTP(w, r)
	})
}
