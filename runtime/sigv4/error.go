package sigv4

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
)

// A Reason is why a request was refused. There are more of them than a single
// service has error codes, so that each can answer with its own.
type Reason uint8

// The reasons, with the error code that IAM and STS answer, then S3's.
const (
	// MissingAuthentication: the request is not signed.
	// MissingAuthenticationToken; AccessDenied.
	MissingAuthentication Reason = iota + 1
	// TwoAuthentications: the request is signed in its headers and in its query,
	// or has several Authorization headers.
	// SignatureDoesNotMatch; InvalidArgument.
	TwoAuthentications
	// IncompleteSignature: what is said about the signature cannot be read.
	// IncompleteSignature; AuthorizationHeaderMalformed, or
	// AuthorizationQueryParametersError of a presigned request.
	IncompleteSignature
	// MalformedQueryString: the query is not percent-encoded correctly.
	// MalformedQueryString; InvalidURI.
	MalformedQueryString
	// WrongScope: the credential is scoped to another date, region or service.
	// SignatureDoesNotMatch; AuthorizationHeaderMalformed.
	WrongScope
	// Skewed: the date of the request is too far from the clock.
	// SignatureDoesNotMatch; RequestTimeTooSkewed.
	Skewed
	// RequestExpired: a presigned request is used after its time.
	// RequestExpired; AccessDenied.
	RequestExpired
	// HeaderNotSigned: a header that must be signed is not.
	// SignatureDoesNotMatch; AccessDenied.
	HeaderNotSigned
	// WrongPayloadHash: x-amz-content-sha256 is not the hash of the body.
	// SignatureDoesNotMatch; XAmzContentSHA256Mismatch.
	WrongPayloadHash
	// UnknownKey: the KeySource does not have the access key.
	// InvalidClientTokenId; InvalidAccessKeyId.
	UnknownKey
	// SignatureDoesNotMatch: the request was not signed with the secret of its
	// access key, or is not the one that was signed.
	// SignatureDoesNotMatch, in S3 too.
	SignatureDoesNotMatch
	// ExpiredToken: the signature is right, the temporary credentials are over.
	// ExpiredToken, in S3 too.
	ExpiredToken
	// MissingPayloadHash: a request to an object store lacks x-amz-content-sha256.
	// InvalidRequest; it does not occur elsewhere.
	MissingPayloadHash
)

var reasonNames = [...]string{
	MissingAuthentication: "MissingAuthentication",
	TwoAuthentications:    "TwoAuthentications",
	IncompleteSignature:   "IncompleteSignature",
	MalformedQueryString:  "MalformedQueryString",
	WrongScope:            "WrongScope",
	Skewed:                "Skewed",
	RequestExpired:        "RequestExpired",
	HeaderNotSigned:       "HeaderNotSigned",
	WrongPayloadHash:      "WrongPayloadHash",
	UnknownKey:            "UnknownKey",
	SignatureDoesNotMatch: "SignatureDoesNotMatch",
	ExpiredToken:          "ExpiredToken",
	MissingPayloadHash:    "MissingPayloadHash",
}

// String returns the name of the constant, for logs and metrics.
func (r Reason) String() string {
	if r == 0 || int(r) >= len(reasonNames) {
		return "Reason(" + strconv.Itoa(int(r)) + ")"
	}
	return reasonNames[r]
}

// An Error refuses a request.
type Error struct {
	// Reason says why; it is never 0.
	Reason Reason
	// Message goes to the client. It is AWS's sentence where IAM and STS have
	// one; it never holds a signature, a session token or an Authorization
	// header.
	Message string
}

// Error returns the reason and the message.
func (e *Error) Error() string { return e.Reason.String() + ": " + e.Message }

// NewUnknownKeyError refuses a request whose access key the KeySource does not
// have; also for who finds out, after Verify, that it has it no longer.
func NewUnknownKeyError() *Error {
	return &Error{UnknownKey, "The security token included in the request is invalid."}
}

func mismatch() *Error {
	return &Error{SignatureDoesNotMatch, "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."}
}

func incomplete(format string, args ...any) *Error {
	return &Error{IncompleteSignature, fmt.Sprintf(format, args...)}
}

// fingerprint is how AWS quotes an Authorization header, which may hold the
// credentials of another scheme.
func fingerprint(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// clip bounds what a message quotes from a request.
func clip(s string) string {
	const most = 128
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
