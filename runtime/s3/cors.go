package s3

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"iamserver/generated/s3err"
	"iamserver/runtime/sigv4"
)

// CORS are the rules by which pages of other sites may use a bucket in a browser. They
// let nobody do more than policies allow: they say which pages see the answer (Amazon
// S3 user guide, "Using cross-origin resource sharing").
type CORS struct {
	Rules []CORSRule `xml:"CORSRule"`

	Unknown *unknown `xml:",any"`
}

// A CORSRule is one of them. An origin and a header may have one "*" in them, for any
// characters; headers that pages may see have none.
type CORSRule struct {
	ID             string   `xml:"ID,omitempty"`
	AllowedHeaders []string `xml:"AllowedHeader"`
	AllowedMethods []string `xml:"AllowedMethod"`
	AllowedOrigins []string `xml:"AllowedOrigin"`
	ExposeHeaders  []string `xml:"ExposeHeader"`
	// MaxAgeSeconds is how long a browser may go by the answer to a preflight; nil
	// leaves it to the browser.
	MaxAgeSeconds *int32 `xml:"MaxAgeSeconds"`

	Unknown *unknown `xml:",any"`
}

const (
	maxCORS      = 64 << 10
	maxCORSRules = 100
	maxCORSID    = 255
	// More headers than any page asks for. Nobody signs a preflight, and each of its
	// headers is compared with those of all rules.
	maxCORSAsked = 100
)

// CORSMethods are those that rules can let pages of other sites use.
var CORSMethods = []string{"GET", "PUT", "HEAD", "POST", "DELETE"}

// ParseCORS reads the body of PutBucketCors, or what Document returned. The error is
// an *apierror.Error.
func ParseCORS(body []byte) (*CORS, error) {
	var c CORS
	if len(body) > maxCORS {
		return nil, s3err.InvalidDocument()
	}
	if err := parseDocument(body, "CORSConfiguration", &c); err != nil {
		return nil, err
	}
	if len(c.Rules) == 0 || len(c.Rules) > maxCORSRules {
		return nil, s3err.InvalidDocument()
	}
	for i := range c.Rules {
		if err := c.Rules[i].check(); err != nil {
			return nil, err
		}
	}
	return &c, nil
}

func (r *CORSRule) check() error {
	if len(r.AllowedOrigins) == 0 || len(r.AllowedMethods) == 0 || len(r.ID) > maxCORSID {
		return s3err.InvalidDocument()
	}
	for _, method := range r.AllowedMethods {
		if !slices.Contains(CORSMethods, method) {
			return s3err.CrossOriginMethodUnknown(method)
		}
	}
	for _, origin := range r.AllowedOrigins {
		if strings.Count(origin, "*") > 1 {
			return s3err.OriginWildcards(origin)
		}
	}
	for _, header := range r.AllowedHeaders {
		if strings.Count(header, "*") > 1 {
			return s3err.HeaderWildcards(header)
		}
	}
	for _, header := range r.ExposeHeaders {
		if strings.Contains(header, "*") {
			return s3err.ExposedWildcard(header)
		}
		if !isToken(header) {
			return s3err.InvalidDocument()
		}
	}
	return nil
}

// isToken says whether s can be the name of a header.
func isToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7F || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// Document writes the rules as PutBucketCors and GetBucketCors have them. Written anew,
// they may be longer than they were, and too long for ParseCORS: the error is the same.
func (c *CORS) Document() ([]byte, error) {
	text, err := writeDocument("CORSConfiguration", c)
	if err == nil && len(text) > maxCORS {
		err = s3err.InvalidDocument()
	}
	if err != nil {
		return nil, err
	}
	return text, nil
}

// A CrossOrigin is what a browser says of the page that a request comes from: in the
// request, or in the preflight that asks whether it may send it.
type CrossOrigin struct {
	Origin, Method string
	// Headers are those that the page wants to send, as a list; only a preflight
	// names them.
	Headers string
}

// Answer sets the headers of an answer by the first rule that lets the page see it,
// and reports whether there is one.
func (c *CORS) Answer(into http.Header, from CrossOrigin) bool {
	for i := range c.Rules {
		r := &c.Rules[i]
		pattern, ok := r.origin(from.Origin)
		if !ok || !slices.Contains(r.AllowedMethods, from.Method) || !r.allowsHeaders(from.Headers) {
			continue
		}
		if pattern == "*" {
			into.Set("Access-Control-Allow-Origin", "*")
		} else {
			into.Set("Access-Control-Allow-Origin", from.Origin)
			into.Set("Access-Control-Allow-Credentials", "true")
		}
		into.Set("Access-Control-Allow-Methods", strings.Join(r.AllowedMethods, ", "))
		if from.Headers != "" {
			into.Set("Access-Control-Allow-Headers", strings.ToLower(from.Headers))
		}
		if len(r.ExposeHeaders) > 0 {
			into.Set("Access-Control-Expose-Headers", strings.Join(r.ExposeHeaders, ", "))
		}
		if r.MaxAgeSeconds != nil {
			into.Set("Access-Control-Max-Age", strconv.Itoa(int(*r.MaxAgeSeconds)))
		}
		return true
	}
	return false
}

// origin returns the pattern that an origin matches.
func (r *CORSRule) origin(origin string) (pattern string, ok bool) {
	for _, pattern := range r.AllowedOrigins {
		if matchesOnce(pattern, origin) {
			return pattern, true
		}
	}
	return "", false
}

func (r *CORSRule) allowsHeaders(list string) bool {
	if strings.Count(list, ",") >= maxCORSAsked {
		return false
	}
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name == "" {
			continue
		}
		if !slices.ContainsFunc(r.AllowedHeaders, func(pattern string) bool { return matchesOnce(strings.ToLower(pattern), name) }) {
			return false
		}
	}
	return true
}

// matchesOnce says whether a pattern with at most one "*" matches.
func matchesOnce(pattern, s string) bool {
	before, after, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == s
	}
	return len(s) >= len(before)+len(after) && strings.HasPrefix(s, before) && strings.HasSuffix(s, after)
}

// BucketOf returns the bucket that a request names, whatever it wants of it; false
// where it names none.
func (c *Classifier) BucketOf(req sigv4.Request) (string, bool) {
	var r Request
	if _, err := c.locate(req, &r); err != nil {
		return "", false
	}
	return r.Bucket, r.Bucket != ""
}
