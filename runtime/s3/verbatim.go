package s3

import (
	"slices"
	"strings"

	"iamserver/runtime/sigv4"
)

// Verbatim reports whether a store that is sent the client's own text, rather than a
// request built anew, sees the request that was classified: whether its path and its
// copy source are encoded in the one way in which this package encodes them, all that
// it says in S3's own headers and parameters belongs to the operation or to the
// signature, and it has no other header of the kind in which stores have their own.
// Only then can it be passed on by somebody who has asked for a decision.
func (r *Request) Verbatim(req sigv4.Request) bool {
	if r.form != nil || req.Path != string(r.AppendPath(nil)) {
		return false
	}
	if r.Source.Bucket != "" {
		text, _ := r.Header(copySource)
		if want := r.Source.header(); text != want && text != want[1:] {
			return false
		}
	}
	verbatim := plainQuery(req.Query)
	for name := range r.header {
		// To stores that take headers for variables, x_amz_acl is x-amz-acl.
		if strings.IndexByte(name, '_') >= 0 {
			return false
		}
		if strings.HasPrefix(name, "X-") && !strings.HasPrefix(name, amzPrefix) && !ofProxies(name) {
			return false
		}
	}
	r.eachHeader(amzPrefix, func(name, _ string) {
		verbatim = verbatim && (ofSignature[name] || r.forwards(name))
	})
	for _, p := range r.hoisted[:r.lifted] {
		// A header would not have them, and nobody knows what a store makes of them here.
		value := decode(p.value)
		verbatim = verbatim && value == trimmed(value)
	}
	return verbatim
}

// ofProxies says whether a header is one that proxies and browsers send, and no store
// goes by.
func ofProxies(name string) bool {
	switch name {
	case "X-Real-Ip", "X-Request-Id", "X-Requested-With":
		return true
	}
	return strings.HasPrefix(name, "X-Forwarded-")
}

// ofSignature are the headers and parameters of S3's that are about the signature,
// the coding of the body and the client, and no operation's.
var ofSignature = map[string]bool{
	"X-Amz-Algorithm": true, "X-Amz-Credential": true, "X-Amz-Date": true, "X-Amz-Expires": true, "X-Amz-Signedheaders": true, "X-Amz-Signature": true,
	"X-Amz-Security-Token": true, "X-Amz-Content-Sha256": true, "X-Amz-Decoded-Content-Length": true, "X-Amz-Trailer": true,
	"X-Amz-Sdk-Checksum-Algorithm": true, "X-Amz-User-Agent": true, copySource: true,
}

// forwards says whether a header is one that the operation has.
func (r *Request) forwards(name string) bool {
	return slices.ContainsFunc(r.Operation.Forward, func(known string) bool {
		return known == name || strings.HasSuffix(known, "-") && strings.HasPrefix(name, known)
	})
}

// plainQuery says whether no name in a query is encoded, and no value has a plus
// sign, which readers do not agree on, and no parameter was left out of sight because
// its name begins with "x-".
func plainQuery(query string) bool {
	if strings.IndexByte(query, '+') >= 0 {
		return false
	}
	for pair := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		switch {
		case strings.IndexByte(name, '%') >= 0:
			return false
		case len(name) < 2 || !strings.EqualFold(name[:2], "x-"), name == "x-id":
		case len(name) < len(amzPrefix) || !strings.EqualFold(name[:len(amzPrefix)], amzPrefix):
			return false
		}
	}
	return true
}
