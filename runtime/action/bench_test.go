package action_test

import (
	"encoding/xml"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/apierror"
	"iamserver/runtime/awsquery"
	"iamserver/runtime/awsxml"
	"iamserver/runtime/validate"
)

// CreateUser and ListUsers by hand, in the shape of the generated code.

type Tag struct{ Key, Value string }

type User struct {
	Path       string
	UserName   string
	ID         string `xml:"UserId"`
	Arn        string
	CreateDate time.Time
	Tags       []Tag
}

type CreateUserRequest struct {
	Path                string
	UserName            string
	PermissionsBoundary *string
	Tags                []Tag
}

type CreateUserResponse struct {
	User User
}

type ListUsersRequest struct {
	PathPrefix string
	Marker     *string
	MaxItems   int32
}

type ListUsersResponse struct {
	Users       []User
	IsTruncated bool
	Marker      *string
}

var (
	patternUserName     = validate.MustPattern(`[\w+=,.@-]+`)
	patternPath         = validate.MustPattern(`(\u002F)|(\u002F[\u0021-\u007E]+\u002F)`)
	patternPathPrefix   = validate.MustPattern(`\u002F[\u0021-\u007F]*`)
	patternMarker       = validate.MustPattern(`[\u0020-\u00FF]+`)
	patternTagKey       = validate.MustPattern(`[\p{L}\p{Z}\p{N}_.:/=+\-@]+`)
	patternTagValue     = validate.MustPattern(`[\p{L}\p{Z}\p{N}_.:/=+\-@]*`)
	invalidInput        = apierror.Code{Name: "InvalidInput", Status: 400}
	errDuplicateTagKeys = invalidInput.New("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
)

func ParseCreateUser(d *awsquery.Decoder) *CreateUserRequest {
	return &CreateUserRequest{
		Path:                d.StringOr("Path", "/"),
		UserName:            d.Required("UserName"),
		PermissionsBoundary: d.Optional("PermissionsBoundary"),
		Tags:                awsquery.List(d, "Tags", parseTag),
	}
}

func (r *CreateUserRequest) Validate(v *validate.Violations) {
	v.Length("path", r.Path, 1, 512)
	v.Match("path", r.Path, patternPath)
	v.Length("userName", r.UserName, 1, 64)
	v.Match("userName", r.UserName, patternUserName)
	if r.PermissionsBoundary != nil {
		v.Length("permissionsBoundary", *r.PermissionsBoundary, 20, 2048)
	}
	v.MaxItems("tags", len(r.Tags), 50)
	validate.Each(v, "tags", r.Tags, (*Tag).Validate)
	validate.UniqueFold(v, r.Tags, (*Tag).uniqueKey, errDuplicateTagKeys)
}

func parseTag(d *awsquery.Decoder) Tag {
	return Tag{Key: d.Required("Key"), Value: d.Required("Value")}
}

func (s *Tag) Validate(v *validate.Violations) {
	v.Length("key", s.Key, 1, 128)
	v.Match("key", s.Key, patternTagKey)
	v.MaxLength("value", s.Value, 256)
	v.Match("value", s.Value, patternTagValue)
}

func (s *Tag) uniqueKey() string { return s.Key }

func (s *Tag) EncodeXML(w *awsxml.Writer) {
	w.String("Key", s.Key)
	w.String("Value", s.Value)
}

func (s *User) EncodeXML(w *awsxml.Writer) {
	w.String("Path", s.Path)
	w.String("UserName", s.UserName)
	w.String("UserId", s.ID)
	w.String("Arn", s.Arn)
	w.Time("CreateDate", s.CreateDate)
	awsxml.NonEmptyList(w, "Tags", s.Tags, (*Tag).EncodeXML)
}

func (r *CreateUserResponse) EncodeXML(w *awsxml.Writer) {
	awsxml.Struct(w, "User", &r.User, (*User).EncodeXML)
}

func ParseListUsers(d *awsquery.Decoder) *ListUsersRequest {
	return &ListUsersRequest{
		PathPrefix: d.StringOr("PathPrefix", "/"),
		Marker:     d.Optional("Marker"),
		MaxItems:   d.IntOr("MaxItems", 100),
	}
}

func (r *ListUsersRequest) Validate(v *validate.Violations) {
	v.Length("pathPrefix", r.PathPrefix, 1, 512)
	v.Match("pathPrefix", r.PathPrefix, patternPathPrefix)
	if r.Marker != nil {
		v.MinLength("marker", *r.Marker, 1)
		v.Match("marker", *r.Marker, patternMarker)
	}
	v.Range("maxItems", r.MaxItems, 1, 1000)
}

func (r *ListUsersResponse) EncodeXML(w *awsxml.Writer) {
	awsxml.List(w, "Users", r.Users, (*User).EncodeXML)
	w.Bool("IsTruncated", r.IsTruncated)
	w.OptionalString("Marker", r.Marker)
}

const (
	namespace      = "https://iam.amazonaws.com/doc/2010-05-08/"
	requestID      = "7a62c49f-347e-4fc4-9331-6e8eEXAMPLE"
	createUserForm = "Action=CreateUser&Version=2010-05-08&Path=%2Fdivision%2F&UserName=some.body%40example.com" +
		"&PermissionsBoundary=arn%3Aaws%3Aiam%3A%3A123456789012%3Apolicy%2Fboundary" +
		"&Tags.member.1.Key=Department&Tags.member.1.Value=Engineering&Tags.member.2.Key=Cost+Center&Tags.member.2.Value=%2312"
	listUsersForm = "Action=ListUsers&Version=2010-05-08&PathPrefix=%2Fdivision%2F&Marker=bWFya2Vy&MaxItems=100"
)

var created = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func user(name string, tags []Tag) User {
	return User{Path: "/division/", UserName: name, ID: "AIDACKCEVSQ6C2EXAMPLE", Arn: "arn:aws:iam::123456789012:user/division/" + name, CreateDate: created, Tags: tags}
}

func hundredUsers() *ListUsersResponse {
	response := &ListUsersResponse{IsTruncated: true, Marker: new("bWFya2Vy")}
	for i := range 100 {
		response.Users = append(response.Users, user(fmt.Sprintf("some.body.%03d@example.com", i), nil))
	}
	return response
}

// kernel answers as the server does.
func kernel[Req interface{ Validate(v *validate.Violations) }](form string, parse func(*awsquery.Decoder) Req, v *validate.Violations) (Req, error) {
	var none Req
	f, err := awsquery.Parse(form, awsquery.Limits{})
	if err != nil {
		return none, err
	}
	v.Reset()
	request := parse(awsquery.NewDecoder(f, v))
	request.Validate(v)
	return request, v.Err()
}

// The same with net/url and encoding/xml, as a server without a kernel would.

type ordinaryUser struct {
	Path       string
	UserName   string
	ID         string `xml:"UserId"`
	Arn        string
	CreateDate time.Time
	Tags       *ordinaryTags
}

type ordinaryTags struct {
	Tags []Tag `xml:"member"`
}

type createUserEnvelope struct {
	XMLName xml.Name     `xml:"https://iam.amazonaws.com/doc/2010-05-08/ CreateUserResponse"`
	User    ordinaryUser `xml:"CreateUserResult>User"`
	ID      string       `xml:"ResponseMetadata>RequestId"`
}

type listUsersEnvelope struct {
	XMLName xml.Name `xml:"https://iam.amazonaws.com/doc/2010-05-08/ ListUsersResponse"`
	Result  listUsersResult
	ID      string `xml:"ResponseMetadata>RequestId"`
}

type listUsersResult struct {
	XMLName     xml.Name       `xml:"ListUsersResult"`
	Users       []ordinaryUser `xml:"Users>member"`
	IsTruncated bool
	Marker      *string
}

func ordinary(u *User) ordinaryUser {
	o := ordinaryUser{Path: u.Path, UserName: u.UserName, ID: u.ID, Arn: u.Arn, CreateDate: u.CreateDate}
	if u.Tags != nil {
		o.Tags = &ordinaryTags{u.Tags}
	}
	return o
}

func ordinaryList(response *ListUsersResponse) *listUsersEnvelope {
	e := &listUsersEnvelope{Result: listUsersResult{IsTruncated: response.IsTruncated, Marker: response.Marker}, ID: requestID}
	for i := range response.Users {
		e.Result.Users = append(e.Result.Users, ordinary(&response.Users[i]))
	}
	return e
}

func optional(values url.Values, name string) *string {
	if !values.Has(name) {
		return nil
	}
	return new(values.Get(name))
}

var (
	userName   = regexp.MustCompile(`^(?:[\w+=,.@-]+)$`)
	path       = regexp.MustCompile(`^(?:(/)|(/[\x21-\x7E]+/))$`)
	pathPrefix = regexp.MustCompile(`^(?:/[\x21-\x7F]*)$`)
	marker     = regexp.MustCompile(`^(?:[\x20-\x{FF}]+)$`)
	tagKey     = regexp.MustCompile(`^(?:[\p{L}\p{Z}\p{N}_.:/=+\-@]+)$`)
	tagValue   = regexp.MustCompile(`^(?:[\p{L}\p{Z}\p{N}_.:/=+\-@]*)$`)
)

func ordinaryCreateUser(form string) (*CreateUserRequest, bool) {
	values, err := parseOnce(form)
	if err != nil {
		return nil, false
	}
	r := &CreateUserRequest{Path: "/", UserName: values.Get("UserName"), PermissionsBoundary: optional(values, "PermissionsBoundary")}
	if values.Has("Path") {
		r.Path = values.Get("Path")
	}
	for i := 1; ; i++ {
		prefix := "Tags.member." + strconv.Itoa(i)
		if !values.Has(prefix + ".Key") {
			break
		}
		r.Tags = append(r.Tags, Tag{values.Get(prefix + ".Key"), values.Get(prefix + ".Value")})
	}
	ok := length(r.Path, 1, 512) && path.MatchString(r.Path) && length(r.UserName, 1, 64) && userName.MatchString(r.UserName) &&
		(r.PermissionsBoundary == nil || length(*r.PermissionsBoundary, 20, 2048)) && len(r.Tags) <= 50
	keys := make(map[string]bool, len(r.Tags))
	for _, tag := range r.Tags {
		key := strings.ToLower(tag.Key)
		ok = ok && length(tag.Key, 1, 128) && tagKey.MatchString(tag.Key) && length(tag.Value, 0, 256) && tagValue.MatchString(tag.Value) && !keys[key]
		keys[key] = true
	}
	return r, ok
}

// parseOnce refuses, as awsquery.Parse does, names that occur twice and values
// that are not text.
func parseOnce(form string) (url.Values, error) {
	values, err := url.ParseQuery(form)
	for name, value := range values {
		if len(value) > 1 || !utf8.ValidString(name) || !utf8.ValidString(value[0]) {
			return nil, errRefused
		}
	}
	return values, err
}

func length(s string, least, most int) bool {
	n := utf8.RuneCountInString(s)
	return n >= least && n <= most
}

func ordinaryListUsers(form string) (*ListUsersRequest, bool) {
	values, err := parseOnce(form)
	if err != nil {
		return nil, false
	}
	r := &ListUsersRequest{PathPrefix: "/", Marker: optional(values, "Marker"), MaxItems: 100}
	if values.Has("PathPrefix") {
		r.PathPrefix = values.Get("PathPrefix")
	}
	if values.Has("MaxItems") {
		n, err := strconv.ParseInt(values.Get("MaxItems"), 10, 32)
		if err != nil {
			return nil, false
		}
		r.MaxItems = int32(n)
	}
	ok := length(r.PathPrefix, 1, 512) && pathPrefix.MatchString(r.PathPrefix) && (r.Marker == nil || marker.MatchString(*r.Marker)) && r.MaxItems >= 1 && r.MaxItems <= 1000
	return r, ok
}

// The value of a tag in createUserForm holds a # that IAM refuses.
var validCreateUserForm = strings.ReplaceAll(createUserForm, "%23", "%2F")

func createUser(v *validate.Violations, w *awsxml.Writer) error {
	request, err := kernel(validCreateUserForm, ParseCreateUser, v)
	if err != nil {
		return err
	}
	response := CreateUserResponse{user(request.UserName, request.Tags)}
	w.Reset()
	w.Response("CreateUser", namespace, requestID, true, response.EncodeXML)
	return nil
}

func listUsers(v *validate.Violations, w *awsxml.Writer, response *ListUsersResponse) error {
	if _, err := kernel(listUsersForm, ParseListUsers, v); err != nil {
		return err
	}
	w.Reset()
	w.Response("ListUsers", namespace, requestID, true, response.EncodeXML)
	return nil
}

func TestByHandIsByTheBook(t *testing.T) {
	var v validate.Violations
	request, err := kernel(validCreateUserForm, ParseCreateUser, &v)
	require.NoError(t, err)
	want := &CreateUserRequest{"/division/", "some.body@example.com", new("arn:aws:iam::123456789012:policy/boundary"), []Tag{{"Department", "Engineering"}, {"Cost Center", "/12"}}}
	require.Equal(t, want, request)
	ordinary, ok := ordinaryCreateUser(validCreateUserForm)
	require.True(t, ok)
	require.Equal(t, want, ordinary)

	_, err = kernel(createUserForm+"&Tags.member.3.Value=x&Tags.member.4.Key=cost+center&Tags.member.4.Value=", ParseCreateUser, &v)
	require.Equal(t, validate.ValidationError.New("2 validation errors detected: Value at 'tags.3.member.key' failed to satisfy constraint: Member must not be null; "+
		`Value '#12' at 'tags.2.member.value' failed to satisfy constraint: Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]*`), err)
	_, err = kernel(validCreateUserForm+"&Tags.member.4.Key=cost+center&Tags.member.4.Value=", ParseCreateUser, &v)
	require.Equal(t, errDuplicateTagKeys, err)

	listed, err := kernel(listUsersForm, ParseListUsers, &v)
	require.NoError(t, err)
	require.Equal(t, &ListUsersRequest{"/division/", new("bWFya2Vy"), 100}, listed)
	ordinaryListed, ok := ordinaryListUsers(listUsersForm)
	require.True(t, ok)
	require.Equal(t, listed, ordinaryListed)

	var w awsxml.Writer
	require.NoError(t, createUser(&v, &w))
	require.Equal(t, `<CreateUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><CreateUserResult><User><Path>/division/</Path>`+
		`<UserName>some.body@example.com</UserName><UserId>AIDACKCEVSQ6C2EXAMPLE</UserId><Arn>arn:aws:iam::123456789012:user/division/some.body@example.com</Arn>`+
		`<CreateDate>2026-01-02T03:04:05Z</CreateDate><Tags><member><Key>Department</Key><Value>Engineering</Value></member>`+
		`<member><Key>Cost Center</Key><Value>/12</Value></member></Tags></User></CreateUserResult>`+
		`<ResponseMetadata><RequestId>7a62c49f-347e-4fc4-9331-6e8eEXAMPLE</RequestId></ResponseMetadata></CreateUserResponse>`, string(w.Bytes()))

	response := hundredUsers()
	require.NoError(t, listUsers(&v, &w, response))
	ordinaryXML, err := xml.Marshal(ordinaryList(response))
	require.NoError(t, err)
	require.Equal(t, string(ordinaryXML), string(w.Bytes()))
}

// Parsing, validating and encoding cost at most one allocation per string that
// is kept, and nothing for each user that is listed.
func TestAllocations(t *testing.T) {
	var v validate.Violations
	var w awsxml.Writer
	require.NoError(t, createUser(&v, &w))
	const kept = 2 + 1 + 2*2 // path and name, boundary, two tags
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		_, err := kernel(validCreateUserForm, ParseCreateUser, &v)
		require.NoError(t, err)
	}), float64(kept-1), "the ARN of the response is one more")
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { require.NoError(t, createUser(&v, &w)) }), float64(kept))

	response := hundredUsers()
	require.NoError(t, listUsers(&v, &w, response))
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { require.NoError(t, listUsers(&v, &w, response)) }), 5.0)
}

func BenchmarkCreateUser(b *testing.B) {
	b.Run("kernel", func(b *testing.B) {
		b.ReportAllocs()
		var v validate.Violations
		var w awsxml.Writer
		for b.Loop() {
			if err := createUser(&v, &w); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("url and xml", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			request, ok := ordinaryCreateUser(validCreateUserForm)
			if !ok {
				b.Fatal("invalid")
			}
			created := user(request.UserName, request.Tags)
			if _, err := xml.Marshal(&createUserEnvelope{User: ordinary(&created), ID: requestID}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkListUsers(b *testing.B) {
	response := hundredUsers()
	b.Run("kernel", func(b *testing.B) {
		b.ReportAllocs()
		var v validate.Violations
		var w awsxml.Writer
		for b.Loop() {
			if err := listUsers(&v, &w, response); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("url and xml", func(b *testing.B) {
		b.ReportAllocs()
		ordinaryResponse := ordinaryList(response)
		for b.Loop() {
			if _, ok := ordinaryListUsers(listUsersForm); !ok {
				b.Fatal("invalid")
			}
			if _, err := xml.Marshal(ordinaryResponse); err != nil {
				b.Fatal(err)
			}
		}
	})
}
