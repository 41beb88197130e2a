package s3

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"iamserver/generated/s3err"
	"iamserver/runtime/awsxml"
)

// A postPolicy says what a form may be: "POST policy" of the S3 API reference.
type postPolicy struct {
	expires     time.Time
	conditions  []postCondition
	least, most int64 // of the bytes of the file
}

type postCondition struct {
	field  string // in lower case
	value  string
	prefix bool // the field need only begin with the value
}

func parsePostPolicy(text string) (*postPolicy, error) {
	invalid := func(reason string) error { return s3err.InvalidPostPolicy(reason) }
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, invalid("Invalid Base64.")
	}
	var doc struct {
		Expiration string            `json:"expiration"`
		Conditions []json.RawMessage `json:"conditions"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, invalid("Invalid JSON.")
	}
	p := &postPolicy{most: math.MaxInt64}
	if p.expires, err = time.Parse(time.RFC3339, doc.Expiration); err != nil {
		return nil, invalid("Invalid 'expiration' value.")
	}
	if doc.Conditions == nil {
		return nil, invalid("Policy missing conditions.")
	}
	for _, raw := range doc.Conditions {
		if err := p.condition(raw); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// condition reads {"field": "value", …}, ["eq", "$field", "value"],
// ["starts-with", "$field", "prefix"] or ["content-length-range", least, most].
func (p *postPolicy) condition(raw json.RawMessage) error {
	invalid := s3err.InvalidPostPolicy("Invalid Condition.")
	var exact map[string]string
	if json.Unmarshal(raw, &exact) == nil {
		for name, value := range exact {
			p.conditions = append(p.conditions, postCondition{field: strings.ToLower(name), value: value})
		}
		return nil
	}
	var list []any
	if json.Unmarshal(raw, &list) != nil || len(list) != 3 {
		return invalid
	}
	operator, _ := list[0].(string)
	if operator = strings.ToLower(operator); operator == "content-length-range" {
		least, ok := wholeNumber(list[1])
		most, fine := wholeNumber(list[2])
		if !ok || !fine {
			return invalid
		}
		p.least, p.most = max(p.least, least), min(p.most, most)
		return nil
	}
	name, _ := list[1].(string)
	value, ok := list[2].(string)
	name, dollar := strings.CutPrefix(name, "$")
	if !ok || !dollar || (operator != "eq" && operator != "starts-with") {
		return invalid
	}
	p.conditions = append(p.conditions, postCondition{strings.ToLower(name), value, operator == "starts-with"})
	return nil
}

func wholeNumber(v any) (int64, bool) {
	switch v := v.(type) {
	case float64:
		return int64(v), v >= 0 && v <= 1<<53 && v == math.Trunc(v)
	case string:
		n, err := strconv.ParseUint(v, 10, 62)
		return int64(n), err == nil
	}
	return 0, false
}

// Fields that a policy need not name.
var freeFields = map[string]bool{"x-amz-signature": true, "policy": true, "file": true}

// CheckPolicy holds the form against its policy, on the clock now: it must be
// what every condition says, and no field may be without a condition. A signed
// form must have a policy; what was not signed need not.
func (f *Form) CheckPolicy(bucket string, now time.Time) error {
	if f.policy == nil {
		if f.Signed() {
			return s3err.NotAllowed()
		}
		return nil
	}
	if !now.Before(f.policy.expires) {
		return s3err.PostPolicyExpired()
	}
	named := map[string]bool{}
	for _, c := range f.policy.conditions {
		named[c.field] = true
		value := bucket
		if c.field != "bucket" {
			value = f.literal(c.field)
		}
		if value != c.value && (!c.prefix || !strings.HasPrefix(value, c.value)) {
			return s3err.PostConditionFailed(c.String())
		}
	}
	for _, field := range f.fields {
		name := strings.ToLower(field.name)
		if !named[name] && !freeFields[name] && !strings.HasPrefix(name, "x-ignore-") {
			return s3err.PostFieldNotAllowed(field.name)
		}
	}
	return nil
}

// literal is a field by its own name; empty if there is none.
func (f *Form) literal(name string) string {
	for _, field := range f.fields {
		if strings.EqualFold(field.name, name) {
			return field.value
		}
	}
	return ""
}

// String is the condition as S3's errors have it: ["eq", "$acl", "private"].
func (c postCondition) String() string {
	operator := "eq"
	if c.prefix {
		operator = "starts-with"
	}
	value, err := json.Marshal(c.value)
	if err != nil {
		return operator
	}
	return `["` + operator + `", "$` + c.field + `", ` + string(value) + `]`
}

// redirect is where a browser is sent after its form was taken.
func redirect(target string, r *Request, etag string) (string, bool) {
	u, err := url.Parse(target)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return "", false
	}
	query := u.Query()
	query.Set("bucket", r.Bucket)
	query.Set("key", r.Key)
	query.Set("etag", etag)
	u.RawQuery = query.Encode()
	return u.String(), true
}

func postResponse(location string, r *Request, etag string) []byte {
	var doc awsxml.Writer
	doc.PostResponse(location, r.Bucket, r.Key, etag)
	return doc.Bytes()
}
