package sigv4

import (
	"net/url"
	"strings"
)

// ClaimedService returns the service of the credential scope that a request
// claims to be signed for, in its header or its query, and "" if it claims none.
// It only helps to find who has to verify the request: nothing has been checked.
func (r Request) ClaimedService() string {
	if values := r.Header["Authorization"]; len(values) > 0 {
		_, rest, _ := strings.Cut(values[0], "Credential=")
		credential, _, _ := strings.Cut(rest, ",")
		return serviceOf(strings.TrimSpace(credential))
	}
	at := strings.Index(r.Query, "X-Amz-Credential=")
	if at < 0 {
		return ""
	}
	value, _, _ := strings.Cut(r.Query[at+len("X-Amz-Credential="):], "&")
	credential, err := url.QueryUnescape(value)
	if err != nil {
		return ""
	}
	return serviceOf(credential)
}

// serviceOf takes id/date/region/service/aws4_request apart, from the right:
// ids of other systems hold slashes.
func serviceOf(credential string) string {
	rest, ok := strings.CutSuffix(credential, "/aws4_request")
	if !ok {
		return ""
	}
	return rest[strings.LastIndexByte(rest, '/')+1:]
}
