package record

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"iamserver/conformance"
)

// serviceS3 is S3's name in signatures.
const serviceS3 = "s3"

// Service is the service that the request is signed for, or "".
func (e *Exchange) Service() string {
	if m := scope.FindStringSubmatch(e.Header.Get("Authorization")); m != nil {
		return m[3]
	}
	return ""
}

// products are what clients call themselves, the SDK before the CLI that is made with it.
var products = regexp.MustCompile(`(?i)\b(aws-cli|boto3|aws-sdk-go-v2|botocore)/([0-9]+)`)

// Client is the client that sent the request, by its name and generation as in
// aws-cli/2, or "" if it does not say.
func (e *Exchange) Client() string {
	if m := products.FindStringSubmatch(e.Header.Get("User-Agent")); m != nil {
		return strings.ToLower(m[1]) + "/" + m[2]
	}
	return ""
}

// request returns what was sent, as far as it matters: what differs from one
// request of a client to the next, or belongs to the signature, is left out.
// hide puts placeholders into the body and the target, whose values are
// percent-encoded if encoded is true.
func (e *Exchange) request(hide func(text string, encoded bool) string) (*conformance.Request, error) {
	contentType := e.Header.Get("Content-Type")
	if e.Service() != serviceS3 && (e.Method != http.MethodPost || e.Target != "/" || !strings.HasPrefix(contentType, "application/x-www-form-urlencoded")) {
		return nil, fmt.Errorf("%s %s with content type %q is neither of the query protocol nor of S3", e.Method, e.Target, contentType)
	}
	r := &conformance.Request{Method: e.Method}
	var err error
	if r.Target, err = conformance.ParseTemplate(hide(e.Target, true)); err != nil {
		return nil, err
	}
	if r.Body, err = conformance.ParseTemplate(hide(e.Body, e.Service() != serviceS3)); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(e.Header)) {
		if !e.matters(name) {
			continue
		}
		value, err := conformance.ParseTemplate(hide(e.Header.Get(name), false))
		if err != nil {
			return nil, err
		}
		r.Headers = append(r.Headers, conformance.Header{Name: name, Value: value})
	}
	return r, nil
}

// signing are headers that belong to the signature.
var signing = []string{"X-Amz-Date", "X-Amz-Content-Sha256", "X-Amz-Security-Token"}

// matters tells whether a header of a request says what is asked for. Checksums
// do not: like the signature they follow from the body, which has unique names.
func (e *Exchange) matters(name string) bool {
	switch {
	case name == "Content-Type":
		return true
	case e.Service() != serviceS3, slices.Contains(signing, name):
		return false
	case strings.HasPrefix(name, "X-Amz-Checksum-"):
		return name == "X-Amz-Checksum-Mode"
	case name == "X-Amz-Sdk-Checksum-Algorithm":
		return false
	}
	return strings.HasPrefix(name, "X-Amz-") || strings.HasPrefix(name, "If-") || name == "Range"
}
