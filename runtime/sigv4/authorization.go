package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An Authorization is what a request says about its signature. Only Verify
// makes it more than a claim.
type Authorization struct {
	// AccessKeyID is not empty, and has no slash or control character.
	AccessKeyID string
	// Date is when the request was signed, in whole seconds.
	Date time.Time
	// Region is that of the credential scope; it may be empty.
	Region string
	// Service is that of the credential scope, one of the Verifier's profiles.
	Service string
	// SignedHeaders are the names of the signed headers: lower-case, sorted,
	// each once, separated by semicolons. host is among them.
	SignedHeaders string
	// Presigned says that the signature is in the query, not in the headers.
	Presigned bool
	// Expires is how long after Date a presigned request is valid; otherwise 0.
	Expires time.Duration

	req          Request
	profile      *Profile
	timestamp    string    // Date in ISO 8601 basic format
	scope        string    // date/region/service/aws4_request
	query        []byte    // the canonical query string
	room         [128]byte // where query is if it is short
	declared     []string
	payload      Payload // of a request to an object store
	signature    [sha256.Size]byte
	sessionToken string
}

// parameters are the parts of a signature, from the header or from the query.
type parameters struct {
	algorithm, credential, signedHeaders, signature string
}

// parse is Verifier.ParseInto, whatever the type of principals.
func (c *Config) parse(a *Authorization, req Request, now time.Time) error {
	if err := req.bounded(); err != nil {
		return err
	}
	*a = Authorization{req: req}
	s := scratches.Get().(*scratch)
	defer s.release()
	if err := s.params.parse(req.Query); err != nil {
		return err
	}
	p, err := a.read(&s.params)
	if err != nil {
		return err
	}
	if p.algorithm != algorithm {
		return incomplete("Unsupported AWS 'algorithm': '%s' (only %s for now). ", clip(p.algorithm), algorithm)
	}
	if err := a.setCredential(p.credential, c); err != nil {
		return err
	}
	if err := a.checkTime(&s.params, c.Skew, now); err != nil {
		return err
	}
	if err := a.setSignedHeaders(p.signedHeaders); err != nil {
		return err
	}
	if err := a.setDeclared(&s.params); err != nil {
		return err
	}
	if err := a.setToken(&s.params); err != nil {
		return err
	}
	if !decodeHash(&a.signature, p.signature) {
		return mismatch()
	}
	a.query = s.params.appendCanonical(a.room[:0], a.profile.UnsignedToken)
	return nil
}

// read finds the one signature of the request, and its date.
func (a *Authorization) read(query *params) (parameters, error) {
	headers := a.req.Header["Authorization"]
	inQuery := query.authentication()
	switch {
	case len(headers) > 1:
		return parameters{}, &Error{TwoAuthentications, "Found more than one 'Authorization' HTTP header."}
	case len(headers) == 1 && inQuery != "":
		return parameters{}, &Error{TwoAuthentications, "Found both '" + inQuery + "' as a query-string param and 'Authorization' as HTTP header."}
	case len(headers) == 1:
		return a.readHeader(headers[0])
	case inQuery != "":
		return a.readQuery(query)
	}
	return parameters{}, missingAuthentication()
}

func missingAuthentication() *Error {
	return &Error{MissingAuthentication, "Request is missing Authentication Token"}
}

// readHeader reads "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…,
// Signature=…". Clients differ in the order of the three and in whether a space
// follows the comma.
func (a *Authorization) readHeader(value string) (parameters, error) {
	if !strings.HasPrefix(value, "AWS4-") {
		return parameters{}, missingAuthentication()
	}
	if len(value) > maxAuthorization {
		return parameters{}, incomplete("Authorization header is longer than %d bytes.", maxAuthorization)
	}
	p, err := splitAuthorization(value)
	if err != nil {
		return parameters{}, err
	}
	date, ok, err := headerDate(a.req.Header)
	if err != nil {
		return parameters{}, err
	}
	if !ok || p.credential == "" || p.signature == "" || p.signedHeaders == "" {
		return parameters{}, missingParts(&p, ok, value)
	}
	return p, a.setDate(date)
}

// missingParts is the error of an Authorization header that lacks a parameter, or
// of a request without a date.
func missingParts(p *parameters, dated bool, value string) *Error {
	var missing strings.Builder
	for _, part := range [...]struct{ name, value string }{
		{"Credential", p.credential}, {"Signature", p.signature}, {"SignedHeaders", p.signedHeaders},
	} {
		if part.value == "" {
			fmt.Fprintf(&missing, "Authorization header requires '%s' parameter. ", part.name)
		}
	}
	if !dated {
		missing.WriteString("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
	}
	return incomplete("%s(Hashed with SHA-256 and encoded with Base64) Authorization=%s", missing.String(), fingerprint(value))
}

func splitAuthorization(value string) (parameters, error) {
	var p parameters
	var rest string
	p.algorithm, rest, _ = strings.Cut(value, " ")
	rest = strings.Trim(rest, " \t")
	var seen struct{ credential, signedHeaders, signature bool }
	for more := rest != ""; more; {
		var part string
		part, rest, more = strings.Cut(rest, ",")
		name, text, ok := strings.Cut(strings.Trim(part, " \t"), "=")
		if !ok || hasSpace(name) || hasSpace(text) {
			return parameters{}, incomplete("Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): '%s'.", fingerprint(value))
		}
		var dst *string
		var again *bool
		switch name {
		case "Credential":
			dst, again = &p.credential, &seen.credential
		case "SignedHeaders":
			dst, again = &p.signedHeaders, &seen.signedHeaders
		case "Signature":
			dst, again = &p.signature, &seen.signature
		default:
			return parameters{}, incomplete("Authorization header has a parameter other than 'Credential', 'SignedHeaders' and 'Signature'.")
		}
		if *again {
			return parameters{}, incomplete("Authorization header has more than one '%s' parameter.", name)
		}
		*dst, *again = text, true
	}
	return p, nil
}

func hasSpace(s string) bool {
	return strings.IndexByte(s, ' ') >= 0 || strings.IndexByte(s, '\t') >= 0
}

// readQuery reads the parameters of a presigned request.
func (a *Authorization) readQuery(query *params) (parameters, error) {
	a.Presigned = true
	var p parameters
	var date, expires string
	var missing strings.Builder
	for _, part := range [...]struct {
		name string
		dst  *string
	}{
		{"X-Amz-Algorithm", &p.algorithm},
		{"X-Amz-Credential", &p.credential},
		{"X-Amz-Signature", &p.signature},
		{"X-Amz-SignedHeaders", &p.signedHeaders},
		{"X-Amz-Date", &date},
		{"X-Amz-Expires", &expires},
	} {
		value, n := query.value(part.name)
		if n > 1 {
			return parameters{}, incomplete("AWS query-string parameters must include '%s' only once. Re-examine the query-string parameters.", part.name)
		}
		if value == "" {
			fmt.Fprintf(&missing, "AWS query-string parameters must include '%s'. ", part.name)
		}
		*part.dst = value
	}
	if missing.String() != missingExpires && missing.Len() > 0 {
		return parameters{}, incomplete("%sRe-examine the query-string parameters.", missing.String())
	}
	return p, a.setDate(date) // whether X-Amz-Expires may be missing, the service says
}

const missingExpires = "AWS query-string parameters must include 'X-Amz-Expires'. "

const (
	isoBasic   = "20060102T150405Z"
	dateLength = len("20060102")
)

// headerDate is x-amz-date or, where there is none, Date, as ISO 8601 basic
// format. Date needs no signature of its own: the string to sign holds it.
func headerDate(h http.Header) (date string, ok bool, err error) {
	if values := h["X-Amz-Date"]; len(values) > 0 {
		if len(values) > 1 {
			return "", false, incomplete("Found more than one 'X-Amz-Date' header.")
		}
		return values[0], true, nil
	}
	values := h["Date"]
	if len(values) > 1 {
		return "", false, incomplete("Found more than one 'Date' header.")
	}
	if len(values) == 0 {
		return "", false, nil
	}
	if t, err := http.ParseTime(values[0]); err == nil {
		return t.UTC().Format(isoBasic), true, nil
	}
	return values[0], true, nil
}

func (a *Authorization) setDate(date string) error {
	t, ok := parseDate(date)
	if !ok {
		return incomplete("Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601", clip(date))
	}
	a.Date, a.timestamp = t, date
	return nil
}

// parseDate reads 20060102T150405Z and nothing else, in a fraction of the time
// that time.Parse takes.
func parseDate(s string) (time.Time, bool) {
	if len(s) != len(isoBasic) || s[dateLength] != 'T' || s[len(s)-1] != 'Z' {
		return time.Time{}, false
	}
	var part [6]int // year, month, day, hour, minute, second
	for i, at := range [...]struct{ from, to int }{{0, 4}, {4, 6}, {6, 8}, {9, 11}, {11, 13}, {13, 15}} {
		for _, c := range []byte(s[at.from:at.to]) {
			if c < '0' || c > '9' {
				return time.Time{}, false
			}
			part[i] = 10*part[i] + int(c-'0')
		}
	}
	t := time.Date(part[0], time.Month(part[1]), part[2], part[3], part[4], part[5], 0, time.UTC)
	// time.Date makes of the 31st of June the 1st of July.
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	return t, part == [6]int{year, int(month), day, hour, minute, second}
}

// setCredential reads "access key ID/date/region/service/aws4_request".
func (a *Authorization) setCredential(credential string, c *Config) error {
	parts := [5]string{}
	rest, more := credential, true
	n := 0
	for ; more && n < len(parts); n++ {
		parts[n], rest, more = strings.Cut(rest, "/")
	}
	if n != len(parts) || more || parts[0] == "" || len(credential) > maxCredential || !visible(credential) {
		return incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%s'", clip(credential))
	}
	a.AccessKeyID, a.Region, a.Service = parts[0], parts[2], parts[3]
	a.scope = credential[len(a.AccessKeyID)+1:]

	if i := slices.IndexFunc(c.Profiles, func(p Profile) bool { return p.Service == a.Service }); i >= 0 {
		a.profile = &c.Profiles[i]
	}
	if a.profile == nil || !c.serves(a.Region) || parts[1] != a.timestamp[:dateLength] || parts[4] != terminator {
		return a.wrongScope(c, parts[1], parts[4])
	}
	return nil
}

// serves says whether the region of a credential scope is accepted.
func (c *Config) serves(region string) bool {
	return len(c.Regions) == 0 || slices.Contains(c.Regions, region)
}

// wrongScope is the error of a credential scope of which something is not as it
// must be: all that is wrong with it, in AWS's order.
func (a *Authorization) wrongScope(c *Config, date, end string) *Error {
	var wrong strings.Builder
	if !c.serves(a.Region) {
		fmt.Fprintf(&wrong, "Credential should be scoped to a valid region, not '%s'. ", clip(a.Region))
	}
	if a.profile == nil {
		service := ""
		if len(c.Profiles) > 0 {
			service = c.Profiles[0].Service
		}
		fmt.Fprintf(&wrong, "Credential should be scoped to correct service: '%s'. ", service)
	}
	if end != terminator {
		fmt.Fprintf(&wrong, "Credential should be scoped with a valid terminator: '%s', not '%s'. ", terminator, clip(end))
	}
	if signed := a.timestamp[:dateLength]; date != signed {
		fmt.Fprintf(&wrong, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.", clip(date), signed, a.timestamp)
	}
	return &Error{WrongScope, wrong.String()}
}

// visible says whether s is printable ASCII without spaces.
func visible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func (a *Authorization) checkTime(query *params, skew time.Duration, now time.Time) error {
	if latest := now.Add(skew); a.Date.After(latest) {
		return &Error{Skewed, fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + %d min.)",
			a.timestamp, latest.UTC().Format(isoBasic), now.UTC().Format(isoBasic), int(skew.Minutes()))}
	}
	if !a.Presigned {
		if earliest := now.Add(-skew); a.Date.Before(earliest) {
			return &Error{Skewed, fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - %d min.)",
				a.timestamp, earliest.UTC().Format(isoBasic), now.UTC().Format(isoBasic), int(skew.Minutes()))}
		}
		return nil
	}
	text, _ := query.value("X-Amz-Expires")
	switch {
	case text == "" && a.profile.ObjectStore:
		return incomplete(missingExpires + "Re-examine the query-string parameters.")
	case text == "":
		// The SDK for Go presigns GetCallerIdentity without it; such a URL is good for
		// as long as a signature in the headers.
		text = strconv.Itoa(int(a.profile.MaxPresign.Seconds()))
	}
	seconds, err := strconv.ParseUint(text, 10, 31)
	a.Expires = time.Duration(seconds) * time.Second
	if err != nil || a.Expires <= 0 || a.Expires > a.profile.MaxPresign {
		return incomplete("X-Amz-Expires must be a number of seconds between 1 and %d.", int(a.profile.MaxPresign.Seconds()))
	}
	if now.After(a.Date.Add(a.Expires)) {
		return &Error{RequestExpired, "Request has expired."}
	}
	return nil
}

// setSignedHeaders takes only the one form that a canonical request has, and
// requires host and every x-amz-* header in it: what is not signed, anybody may
// have added.
func (a *Authorization) setSignedHeaders(list string) error {
	names, host, last := 0, false, ""
	for name := range strings.SplitSeq(list, ";") {
		if !lowerToken(name) || name <= last {
			return incomplete("SignedHeaders must be header names in lower case, sorted, each once, separated by semicolons.")
		}
		names++
		host = host || name == "host"
		last = name
	}
	if names > maxSignedHeaders {
		return incomplete("SignedHeaders has more than %d names.", maxSignedHeaders)
	}
	a.SignedHeaders = list
	if !host {
		return &Error{HeaderNotSigned, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."}
	}
	unsigned := ""
	for name := range a.req.Header {
		const prefix = "x-amz-"
		if len(name) < len(prefix) || !strings.EqualFold(name[:len(prefix)], prefix) || a.signs(name) {
			continue
		}
		if name = strings.ToLower(name); name == "x-amz-security-token" && a.profile.UnsignedToken {
			continue
		}
		if unsigned == "" || name < unsigned {
			unsigned = name
		}
	}
	if unsigned != "" {
		return &Error{HeaderNotSigned, "'" + clip(unsigned) + "' must be a 'SignedHeader' in the AWS Authorization."}
	}
	return nil
}

func (a *Authorization) signs(header string) bool {
	for name := range strings.SplitSeq(a.SignedHeaders, ";") {
		if strings.EqualFold(name, header) {
			return true
		}
	}
	return false
}

// lowerToken says whether name is a header name (RFC 9110, "token") with no
// upper-case letter.
func lowerToken(name string) bool {
	for i := range len(name) {
		c := name[i]
		if ('a' > c || c > 'z') && ('0' > c || c > '9') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return name != ""
}

// setDeclared takes the hashes that the request declares for its body. On IAM
// and STS they are never UNSIGNED-PAYLOAD or STREAMING-…: the signature covers
// the body.
func (a *Authorization) setDeclared(query *params) error {
	a.declared = a.req.Header["X-Amz-Content-Sha256"]
	value, n := query.value("X-Amz-Content-Sha256")
	if len(a.declared) > 1 || n > 1 {
		return incomplete("Found more than one 'X-Amz-Content-Sha256'.")
	}
	if n == 1 {
		a.declared = append(a.declared[:len(a.declared):len(a.declared)], value)
	}
	if a.profile.ObjectStore {
		return a.setPayload()
	}
	var hash [sha256.Size]byte
	for _, value := range a.declared {
		if !decodeHash(&hash, value) {
			return &Error{WrongPayloadHash, "The payload must be signed: 'x-amz-content-sha256' must be the SHA-256 of the body in lower-case hexadecimal, not '" + clip(value) + "'."}
		}
	}
	return nil
}

func (a *Authorization) setToken(query *params) error {
	values := a.req.Header["X-Amz-Security-Token"]
	value, n := query.value("X-Amz-Security-Token")
	switch {
	case len(values)+n > 1:
		return incomplete("Found more than one 'X-Amz-Security-Token'.")
	case n == 1:
		a.sessionToken = value
	case len(values) == 1:
		a.sessionToken = values[0]
	}
	return nil
}

// decodeHash reads the one way to write 32 bytes that a signature and a payload
// hash have: lower-case hexadecimal.
func decodeHash(dst *[sha256.Size]byte, s string) bool {
	if len(s) != hex.EncodedLen(len(dst)) || strings.ContainsAny(s, "ABCDEF") {
		return false
	}
	_, err := hex.Decode(dst[:], []byte(s))
	return err == nil
}
