package s3

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"iamserver/generated/s3err"
	"iamserver/runtime/apierror"
	"iamserver/runtime/awsxml"
	"iamserver/runtime/sigv4"
)

// ErrorOf returns what the caller is told of an error. That of an error that was
// not meant for the caller is InternalError.
func ErrorOf(err error) *apierror.Error {
	var answer *apierror.Error
	var refused *sigv4.Error
	switch {
	case errors.As(err, &answer):
		return answer
	case errors.As(err, &refused):
		return refusal(refused)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return s3err.StoreUnavailable()
	}
	return s3err.Failed()
}

// refusal words why a signature was refused, as S3 does.
func refusal(e *sigv4.Error) *apierror.Error {
	switch e.Reason {
	case sigv4.MissingAuthentication, sigv4.HeaderNotSigned:
		return s3err.NotAllowed()
	case sigv4.TwoAuthentications:
		return s3err.OneAuthentication()
	case sigv4.IncompleteSignature, sigv4.WrongScope:
		return s3err.AuthorizationHeaderMalformed.New(e.Message)
	case sigv4.MalformedQueryString:
		return s3err.UnreadableURI()
	case sigv4.Skewed:
		return s3err.TooSkewed()
	case sigv4.RequestExpired:
		return s3err.RequestExpired()
	case sigv4.WrongPayloadHash:
		return s3err.WrongPayloadHash()
	case sigv4.UnknownKey:
		return s3err.UnknownAccessKey()
	case sigv4.SignatureDoesNotMatch:
		return s3err.WrongSignature()
	case sigv4.ExpiredToken:
		return s3err.TokenExpired()
	case sigv4.MissingPayloadHash:
		return s3err.MissingPayloadHash()
	}
	return s3err.NotAllowed()
}

// WriteError answers a request that failed. resource is the path that it named.
func WriteError(w http.ResponseWriter, r *http.Request, err error, resource, requestID string) {
	answer := ErrorOf(err)
	if answer.Code.Name == s3err.AuthorizationHeaderMalformed.Name && len(r.Header["Authorization"]) == 0 {
		answer = s3err.AuthorizationQueryParametersError.New(answer.Message)
	}
	h := w.Header()
	h.Set("Content-Type", "application/xml")
	h.Set("X-Amz-Request-Id", requestID)
	var doc awsxml.Writer
	doc.RESTError(answer.Code.Name, answer.Message, resource, requestID, HostID)
	if r.Method == http.MethodHead {
		w.WriteHeader(answer.Code.Status)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(doc.Bytes())))
	w.WriteHeader(answer.Code.Status)
	// Where the client does not take the answer, there is nobody to tell.
	_, _ = w.Write(doc.Bytes())
}

// HostID stands where S3 names one of its machines, which is nobody's business: in
// errors, and in the header x-amz-id-2.
const HostID = "iamserver"
