package server_test

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go/middleware"
)

// An sdkMembers turns structures into trees of maps, lists and text, in which
// values of our types, of the SDK's and of XML can be compared. Whatever is
// absent or empty is nil, but has its name in the map.
type sdkMembers struct {
	extensions bool // shows the members that AWS does not have
	encoded    bool // percent-encodes policy documents, as responses do
}

// extensions holds the members that AWS does not have, in shapes that it has.
var extensions = []string{
	"CreateAccessKeyRequest.AccessKeyId",
	"CreateAccessKeyRequest.SecretAccessKey",
	"UpdateGroupRequest.Disabled",
	"Group.Disabled",
	"User.Status",
}

// documents holds the members of responses that are policy documents.
var documents = []string{"AssumeRolePolicyDocument", "Document", "Policy", "PolicyDocument"}

func (m sdkMembers) tree(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return m.tree(v.Elem())
	case reflect.Struct:
		if moment, ok := v.Interface().(time.Time); ok {
			return moment.UTC().Format(time.RFC3339Nano)
		}
		members := make(map[string]any)
		for field, value := range v.Fields() {
			if !field.IsExported() || field.Type == reflect.TypeFor[middleware.Metadata]() ||
				!m.extensions && slices.Contains(extensions, v.Type().Name()+"."+field.Name) {
				continue
			}
			members[field.Name] = m.tree(value)
			if text, ok := members[field.Name].(string); ok && m.encoded && slices.Contains(documents, field.Name) {
				members[field.Name] = percentEncode(text)
			}
		}
		return members
	case reflect.Slice:
		if v.Len() == 0 {
			return nil
		}
		items := make([]any, v.Len())
		for i := range items {
			items[i] = m.tree(v.Index(i))
		}
		return items
	case reflect.Map:
		if v.Len() == 0 {
			return nil
		}
		entries := make(map[string]any)
		for key, value := range v.Seq2() {
			entries[key.String()] = m.tree(value)
		}
		return entries
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int32:
		return strconv.FormatInt(v.Int(), 10)
	default:
		panic("no member has the type " + v.Type().String())
	}
}

// percentEncode encodes everything but the unreserved characters of RFC 3986.
func percentEncode(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}

// An sdkFiller gives every member of a structure a value, no two members the
// same.
type sdkFiller struct {
	t    *testing.T
	text func(t *testing.T, member string, n int) string
	n    int // values so far
}

// fill gives v, which is called name, a value: lists and maps get two elements.
func (f *sdkFiller) fill(name string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(name, v.Elem())
		return
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		f.fill(name, v.Index(0))
		f.fill(name, v.Index(1))
		return
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			f.fill(name, key)
			f.fill(name, value)
			v.SetMapIndex(key, value)
		}
		return
	case reflect.Struct:
		if v.Type() != reflect.TypeFor[time.Time]() {
			for field, value := range v.Fields() {
				if field.IsExported() {
					f.fill(field.Name, value)
				}
			}
			return
		}
	default:
	}

	f.n++
	switch v.Kind() {
	case reflect.Struct:
		v.Set(reflect.ValueOf(time.Date(2026, 1, 2, 3, f.n, 5, 0, time.FixedZone("", 90*60))))
	case reflect.String:
		if values := v.MethodByName("Values"); values.IsValid() { // an enumeration of the SDK
			all := values.Call(nil)[0]
			v.Set(all.Index(f.n % all.Len()))
			return
		}
		v.SetString(f.text(f.t, name, f.n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32:
		v.SetInt(int64(f.n))
	default:
		f.t.Fatalf("no member has the type %s, as %s does", v.Type(), name)
	}
}

// responseText returns text for a member of a response, which nothing
// constrains: all that XML, forms and percent-encoding treat in a way of their
// own.
func responseText(_ *testing.T, member string, n int) string {
	return fmt.Sprintf(" %s %d: <a href=\"x\">&amp;</a> ]]> +%%2B%%\t'\r\n\u0085é\u2028東京 \U0001F511\n", member, n)
}

// requestText returns a function that returns text for the members of a request:
// as awkward as the constraints of the member allow.
func requestText(name string) func(t *testing.T, member string, n int) string {
	return func(t *testing.T, member string, n int) string {
		if values := choices[member]; values != nil {
			return values[n%len(values)]
		}
		format, ok := texts[name+"."+member]
		if !ok {
			format, ok = texts[member]
		}
		if !ok {
			t.Fatalf("choose a text for the member %s of %s", member, name)
		}
		return fmt.Sprintf(format, n)
	}
}

const (
	anyText    = " %d <&;=+%%2B%%> \"'\t\r\n\u0085é\u2028東京 \U0001F511 "
	nameText   = "A+b=c,d.e@f-g_%d"
	pathText   = "/!\"#$%%&'()*+,-./%d/:;<=>?@[\\]^_`{|}~/"
	policyPath = "/a.b,c/+@=_-/%d/"
	tagText    = "ключ\u00a0東京 ½ /=+-@_.:%d "
	arnText    = "arn:aws:iam::000000000000:policy/%d/a&b=<c>+%%20é東 "
	document   = "{\r\n\t\"Version\": \"2012-10-17\", \"Id\": \"%d <&;=+%%2B%%> é\u00a0ÿ\"\r\n} "
)

// texts holds the formats of texts that the constraints of a member, or of a
// member of an action, allow.
var texts = map[string]string{
	"AccessKeyId":                             "AKIA%d",
	"AccountAlias":                            "a-%d-z",
	"Description":                             anyText,
	"Expiration":                              "2030-01-02T03:04:05.%d+01:30",
	"GroupName":                               nameText,
	"Key":                                     tagText,
	"Marker":                                  " %d <&;=+%%2B%%> \"'~\u00a0éÿ ",
	"NewGroupName":                            nameText,
	"NewPath":                                 pathText,
	"NewUserName":                             nameText,
	"ParentUser":                              nameText,
	"Path":                                    pathText,
	"CreatePolicy.Path":                       policyPath,
	"PathPrefix":                              pathText,
	"ListPolicies.PathPrefix":                 policyPath,
	"ListAttachedUserPolicies.PathPrefix":     policyPath,
	"ListAttachedGroupPolicies.PathPrefix":    policyPath,
	"PermissionsBoundary":                     arnText,
	"Policy":                                  document,
	"PolicyArn":                               arnText,
	"PolicyDocument":                          document,
	"PolicyName":                              nameText,
	"SecretAccessKey":                         anyText,
	"ServiceAccountId":                        "sa:A+b=c,d.e@f-g_:%d-z",
	"TagKeys":                                 tagText,
	"UserName":                                nameText,
	"Value":                                   tagText,
	"VersionId":                               "v%d.A-z",
}

// choices holds the values of the enumerations of requests.
var choices = map[string][]string{
	"EntityFilter":      {"User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"},
	"Filter":            {"User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"},
	"PolicyUsageFilter": {"PermissionsPolicy", "PermissionsBoundary"},
	"Scope":             {"All", "AWS", "Local"},
	"Status":            {"Active", "Inactive"},
}
