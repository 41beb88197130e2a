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

// A memberTree turns structures into trees of maps, lists and text, in which
// values of our types, of the SDK's and of XML can be compared. A member that is
// absent or empty is nil, but its name is in the map.
type memberTree struct {
	extensions bool // shows the members that AWS does not have
	encoded    bool // percent-encodes policy documents, as responses do
}

// extensionMembers holds the members that AWS does not have, in types that it
// has.
var extensionMembers = []string{
	"CreateAccessKeyRequest.AccessKeyId",
	"CreateAccessKeyRequest.SecretAccessKey",
	"UpdateGroupRequest.Disabled",
	"Group.Disabled",
	"User.Status",
}

// missingMembers holds the members that AWS has and the specification has not, as
// spec/aws-differences.yaml explains.
var missingMembers = []string{
	"SimulateCustomPolicyInput.OrderedOrganizationPolicyInputList",
	"SimulatePrincipalPolicyInput.PolicyExclusionList",
	"VirtualMFADevice.Base32StringSeed",
	"VirtualMFADevice.QRCodePNG",
}

// documentMembers holds the members of responses that are policy documents.
var documentMembers = []string{"AssumeRolePolicyDocument", "Document", "Policy", "PolicyDocument"}

// omittedMembers holds the members that the answers of an action leave out of a
// type that it shares with other actions.
var omittedMembers = map[string][]string{
	"CreateUser":          {"User.Status"},
	"ListUsers":           {"Users.PermissionsBoundary", "Users.Tags"},
	"CreateGroup":         {"Group.Disabled"},
	"GetGroup":            {"Users.PermissionsBoundary", "Users.Tags", "Users.Status"},
	"ListGroupsForUser":   {"Groups.Disabled"},
	"CreatePolicy":        {"Policy.Description"},
	"ListPolicies":        {"Policies.Description", "Policies.Tags"},
	"CreatePolicyVersion": {"PolicyVersion.Document"},
	"ListPolicyVersions":  {"Versions.Document"},
	"ListServiceAccounts": {"ServiceAccounts.Policy"},
}

func (m memberTree) of(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return m.of(v.Elem())
	case reflect.Struct:
		if moment, ok := v.Interface().(time.Time); ok {
			return moment.UTC().Format(time.RFC3339Nano)
		}
		members := make(map[string]any)
		for field, value := range v.Fields() {
			name := v.Type().Name() + "." + field.Name
			if !field.IsExported() || field.Type == reflect.TypeFor[middleware.Metadata]() ||
				slices.Contains(missingMembers, name) || !m.extensions && slices.Contains(extensionMembers, name) {
				continue
			}
			members[field.Name] = m.of(value)
			if text, ok := members[field.Name].(string); ok && m.encoded && slices.Contains(documentMembers, field.Name) {
				// RFC 3986: a space is %20, and all but letters, digits and -._~ is encoded.
				members[field.Name] = strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
			}
		}
		return members
	case reflect.Slice:
		if v.Len() == 0 {
			return nil
		}
		items := make([]any, v.Len())
		for i := range items {
			items[i] = m.of(v.Index(i))
		}
		return items
	case reflect.Map:
		if v.Len() == 0 {
			return nil
		}
		entries := make(map[string]any)
		for key, value := range v.Seq2() {
			entries[key.String()] = m.of(value)
		}
		return entries
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int32:
		return strconv.FormatInt(v.Int(), 10)
	default:
		panic("members of type " + v.Type().String() + " are new here")
	}
}

// leaveOut makes the members at a path absent, in every item of the lists on the
// way, and reports whether any was there.
func leaveOut(tree any, path string) (found bool) {
	switch tree := tree.(type) {
	case []any:
		for _, item := range tree {
			found = leaveOut(item, path) || found
		}
	case map[string]any:
		member, rest, nested := strings.Cut(path, ".")
		if nested {
			return leaveOut(tree[member], rest)
		}
		if tree[member] != nil {
			tree[member] = nil
			found = true
		}
	}
	return found
}

// A memberFiller gives members values, which all differ where their type has
// enough of them.
type memberFiller struct {
	text     func(t *testing.T, member string, n int) string
	elements int // of every list and map
	n        int // values so far
}

// fill gives every member of the structure that v points to a value.
func fill(t *testing.T, v reflect.Value, f memberFiller) {
	f.fill(t, "", v.Elem())
}

func (f *memberFiller) fill(t *testing.T, member string, v reflect.Value) {
	f.n++
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(t, member, v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 1, 2, 3, f.n, 5, 0, time.FixedZone("", 90*60))))
			return
		}
		for field, value := range v.Fields() {
			if field.IsExported() && !slices.Contains(missingMembers, v.Type().Name()+"."+field.Name) {
				f.fill(t, field.Name, value)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), f.elements, f.elements))
		for i := range f.elements {
			f.fill(t, member, v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range f.elements {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			f.fill(t, member, key)
			f.fill(t, member, value)
			v.SetMapIndex(key, value)
		}
	case reflect.String:
		if values := v.MethodByName("Values"); values.IsValid() { // an enumeration of the SDK
			all := values.Call(nil)[0]
			v.Set(all.Index(f.n % all.Len()))
			return
		}
		v.SetString(f.text(t, member, f.n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32:
		v.SetInt(int64(f.n))
	default:
		t.Fatalf("%s: members of type %s are new here", member, v.Type())
	}
}

// responseText returns text for a member of a response, which nothing
// constrains, with all that XML and percent-encoding treat in a way of their own.
func responseText(_ *testing.T, member string, n int) string {
	return fmt.Sprintf(" %s %d: <a href=\"x\">&amp;</a> ]]> +%%2B%%\t'\r\n\u0085é\u2028東京 \U0001F511\n", member, n)
}

// requestText returns a function that returns text for the members of the
// requests of an action, as awkward as their constraints allow.
func requestText(action string) func(t *testing.T, member string, n int) string {
	return func(t *testing.T, member string, n int) string {
		if values := requestEnums[member]; values != nil {
			return values[n%len(values)]
		}
		format, ok := requestTexts[action+"."+member]
		if !ok {
			format, ok = requestTexts[member]
		}
		if !ok {
			t.Fatalf("%s.%s needs a text in requestTexts or values in requestEnums", action, member)
		}
		return fmt.Sprintf(format, n)
	}
}

const (
	arnFormat        = "arn:aws:iam::000000000000:policy/%d/a&b=<c>+%%20é東 "
	documentFormat   = "{\r\n\t\"Version\": \"2012-10-17\", \"Id\": \"%d <&;=+%%2B%%> é\u00a0ÿ\"\r\n} "
	freeFormat       = " %d <&;=+%%2B%%> \"'\t\r\n\u0085é\u2028東京 \U0001F511 "
	nameFormat       = "A+b=c,d.e@f-g_%d"
	pathFormat       = "/!\"#$%%&'()*+,-./%d/:;<=>?@[\\]^_`{|}~/"
	policyPathFormat = "/a.b,c/+@=_-/%d/"
	tagFormat        = "ключ\u00a0東京 ½ /=+-@_.:%d "
)

// requestTexts holds the formats of texts that are valid for a member, or for a
// member of an action.
var requestTexts = map[string]string{
	"AccessKeyId":         "AKIA%d",
	"ActionNames":         freeFormat,
	"Arn":                 arnFormat,
	"CallerArn":           arnFormat,
	"ContextKeyName":      freeFormat,
	"ContextKeyValues":    freeFormat,
	"PolicyInputList":     documentFormat,
	"PolicySourceArn":     arnFormat,
	"ResourceArns":        arnFormat,
	"ResourceOwner":       arnFormat,
	"ResourcePolicy":      documentFormat,
	"ServiceNamespaces":   "A-z_%d",
	"AccountAlias":        "a-%d-z",
	"Description":         freeFormat,
	"Expiration":          "2030-01-02T03:04:05.%d+01:30",
	"GroupName":           nameFormat,
	"Key":                 tagFormat,
	"Marker":              " %d <&;=+%%2B%%> \"'~\u00a0éÿ ",
	"NewGroupName":        nameFormat,
	"NewPath":             pathFormat,
	"NewUserName":         nameFormat,
	"ParentUser":          nameFormat,
	"Path":                pathFormat,
	"PathPrefix":          pathFormat,
	"PermissionsBoundary": arnFormat,
	"Policy":              documentFormat,
	"PolicyArn":           arnFormat,
	"PolicyDocument":      documentFormat,
	"PolicyName":          nameFormat,
	"SecretAccessKey":     freeFormat,
	"ServiceName":         freeFormat,
	"ServiceAccountId":    "sa:A+b=c,d.e@f-g_:%d-z",
	"TagKeys":             tagFormat,
	"UserName":            nameFormat,
	"Value":               tagFormat,
	"VersionId":           "v%d.A-z",

	"PermissionsBoundaryPolicyInputList": documentFormat,
	"ResourceHandlingOption":             freeFormat,

	"CreatePolicy.Path":                    policyPathFormat,
	"ListPolicies.PathPrefix":              policyPathFormat,
	"ListAttachedUserPolicies.PathPrefix":  policyPathFormat,
	"ListAttachedGroupPolicies.PathPrefix": policyPathFormat,
}

// requestEnums holds the values of enumerations, which our types do not know.
var requestEnums = map[string][]string{
	"AssignmentStatus":  {"Assigned", "Unassigned", "Any"},
	"ContextKeyType":    {"string", "stringList", "dateList", "ip"},
	"EntityFilter":      {"User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"},
	"Filter":            {"User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"},
	"PolicyUsageFilter": {"PermissionsPolicy", "PermissionsBoundary"},
	"Scope":             {"All", "AWS", "Local"},
	"Status":            {"Active", "Inactive"},
}
