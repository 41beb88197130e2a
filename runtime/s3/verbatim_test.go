package s3_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/s3"
	"iamserver/runtime/sigv4"
)

// What another reader could take for something else is not passed on as it is.
func TestVerbatim(t *testing.T) {
	for _, tt := range []struct {
		name, query string
		header      http.Header
		want        bool
	}{
		{"encoded in the usual way", "prefix=a%20b&list-type=2", nil, true},
		{"a plus sign that may be a space", "prefix=a+b&list-type=2", nil, false},
		{"an encoded plus sign", "prefix=a%2Bb&list-type=2", nil, true},
		{"an encoded name", "p%72efix=a&list-type=2", nil, false},
		{"a parameter for a header", "list-type=2&x-amz-expected-bucket-owner=1", nil, false},
		{"a parameter for a header of the signature", "list-type=2&X-Amz-Date=1", nil, true},
		{"a space that a header would not have", "list-type=2&X-Amz-Date=%201", nil, false},
		{"a header with an underscore", "list-type=2", http.Header{"X_amz_acl": {"private"}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := sigv4.Request{Method: http.MethodGet, Path: "/photos", Query: tt.query, Header: tt.header}
			var r s3.Request
			require.NoError(t, s3.NewClassifier(s3.Config{}).Classify(req, &r))
			require.Equal(t, tt.want, r.Verbatim(req))
		})
	}
}
