package s3_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/generated/s3err"
	"iamserver/runtime/apierror"
	"iamserver/runtime/s3"
	"iamserver/runtime/sigv4"
)

func TestErrorOf(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want *apierror.Error
	}{
		{fmt.Errorf("read body: %w", s3err.BodyTooShort()), s3err.BodyTooShort()},
		{errors.New("the password is secret"), s3err.Failed()},
		{context.Canceled, s3err.StoreUnavailable()},
		{&sigv4.Error{Reason: sigv4.MissingAuthentication}, s3err.NotAllowed()},
		{&sigv4.Error{Reason: sigv4.TwoAuthentications}, s3err.OneAuthentication()},
		{&sigv4.Error{Reason: sigv4.IncompleteSignature, Message: "m"}, s3err.AuthorizationHeaderMalformed.New("m")},
		{&sigv4.Error{Reason: sigv4.WrongScope, Message: "m"}, s3err.AuthorizationHeaderMalformed.New("m")},
		{&sigv4.Error{Reason: sigv4.MalformedQueryString}, s3err.UnreadableURI()},
		{&sigv4.Error{Reason: sigv4.Skewed}, s3err.TooSkewed()},
		{&sigv4.Error{Reason: sigv4.RequestExpired}, s3err.RequestExpired()},
		{&sigv4.Error{Reason: sigv4.HeaderNotSigned}, s3err.NotAllowed()},
		{&sigv4.Error{Reason: sigv4.WrongPayloadHash}, s3err.WrongPayloadHash()},
		{&sigv4.Error{Reason: sigv4.UnknownKey}, s3err.UnknownAccessKey()},
		{&sigv4.Error{Reason: sigv4.SignatureDoesNotMatch}, s3err.WrongSignature()},
		{&sigv4.Error{Reason: sigv4.ExpiredToken}, s3err.TokenExpired()},
		{&sigv4.Error{Reason: sigv4.MissingPayloadHash}, s3err.MissingPayloadHash()},
	} {
		require.Equal(t, tt.want, s3.ErrorOf(tt.err))
	}
}

func TestWriteError(t *testing.T) {
	get := httptest.NewRequest(http.MethodGet, "/photos/a%3Cb", nil)
	get.Header.Set("Authorization", "x")
	w := httptest.NewRecorder()
	s3.WriteError(w, get, s3err.ObjectNotFound(), "/photos/a<b", "4442587FB7D0A2F9")
	require.Equal(t, 404, w.Code)
	require.Equal(t, http.Header{"Content-Type": {"application/xml"}, "Content-Length": {"228"}, "X-Amz-Request-Id": {"4442587FB7D0A2F9"}}, w.Header())
	require.Equal(t, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Resource>/photos/a&lt;b</Resource><RequestId>4442587FB7D0A2F9</RequestId><HostId>iamserver</HostId></Error>", w.Body.String())

	w = httptest.NewRecorder()
	s3.WriteError(w, httptest.NewRequest(http.MethodHead, "/photos/k", nil), s3err.ObjectNotFound(), "/photos/k", "1")
	require.Equal(t, 404, w.Code)
	require.Empty(t, w.Body.String())

	w = httptest.NewRecorder()
	s3.WriteError(w, httptest.NewRequest(http.MethodGet, "/photos/k?X-Amz-Signature=x", nil), &sigv4.Error{Reason: sigv4.IncompleteSignature, Message: "m"}, "/photos/k", "1")
	require.Equal(t, 400, w.Code)
	require.Contains(t, w.Body.String(), "<Code>AuthorizationQueryParametersError</Code>")
}
