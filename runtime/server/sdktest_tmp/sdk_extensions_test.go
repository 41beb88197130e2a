package server_test

import (
	"encoding/xml"
	"net/url"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/generated/iamapi"
	"iamserver/runtime/action"
)

// The SDK does not know the extensions. So every action also goes through a
// client that knows our types: it writes forms as botocore does, and reads
// answers by the names of their elements.
func TestExtensionsRoundTrip(t *testing.T) {
	eachAction(t, func(t *testing.T, service *sdkService, row *action.Row[struct{}]) {
		t.Run("request", func(t *testing.T) {
			request := service.request(row.Info.Name)
			filler := sdkFiller{t: t, text: requestText(row.Info.Name)}
			filler.fill(row.Info.Name, request.Elem())

			form := url.Values{"Action": {row.Info.Name}, "Version": {service.table.Service().Version}}
			addParameters(form, "", sdkMembers{extensions: true}.tree(request))
			got := service.parse(t, form.Encode())
			require.Equal(t, request.Interface(), got)
		})
		t.Run("response", func(t *testing.T) {
			response := service.response(row.Info.Name)
			filler := sdkFiller{t: t, text: responseText}
			filler.fill(row.Info.Name, response.Elem())

			want := sdkMembers{extensions: true, encoded: true}.tree(response)
			for _, path := range omitted[row.Info.Name] {
				require.True(t, leaveOut(want, path), "%s has no %s", row.Info.Name, path)
			}
			got := readResponse(t, service, row, encodeResponse(service, row, response))
			require.Equal(t, want, got)
		})
	})
}

// An empty list of a request is there, as botocore sends it, and not absent.
func TestExtensionsRoundTripEmptyList(t *testing.T) {
	got := sdkServices[0].parse(t, "Action=UntagUser&Version=2010-05-08&UserName=alice&TagKeys=")
	require.Equal(t, &iamapi.UntagUserRequest{UserName: "alice", TagKeys: []string{}}, got)
}

// request returns a new request of an action without any member.
func (s *sdkService) request(name string) reflect.Value {
	method, _ := s.handler.MethodByName(name)
	return reflect.New(method.Type.In(1).Elem())
}

// addParameters adds the parameters that botocore writes for a tree called name.
func addParameters(form url.Values, name string, tree any) {
	switch tree := tree.(type) {
	case string:
		form.Set(name, tree)
	case []any:
		for i, item := range tree {
			addParameters(form, name+".member."+strconv.Itoa(i+1), item)
		}
	case map[string]any:
		if name != "" {
			name += "."
		}
		for member, value := range tree {
			addParameters(form, name+member, value)
		}
	}
}

// An element is one of XML, with its text and the elements in it.
type element struct {
	XMLName  xml.Name
	Text     string    `xml:",chardata"`
	Elements []element `xml:",any"`
}

// readResponse returns the members of the result in the answer of an action,
// like sdkMembers, and requires that its envelope is AWS's.
func readResponse(t *testing.T, service *sdkService, row *action.Row[struct{}], body []byte) any {
	var root element
	require.NoError(t, xml.Unmarshal(body, &root))
	require.Equal(t, xml.Name{Space: service.table.Service().Namespace, Local: row.Info.Name + "Response"}, root.XMLName)
	children := root.take(t)
	metadata := children["ResponseMetadata"].take(t)
	require.Equal(t, sdkRequestID, metadata["RequestId"].Text)

	result := reflect.TypeOf(service.response(row.Info.Name).Interface())
	if !row.Info.HasResult {
		require.Len(t, children, 1)
		require.Zero(t, result.Elem().NumField())
		return map[string]any{}
	}
	require.Len(t, children, 2)
	return children[row.Info.Name+"Result"].tree(t, result)
}

// take returns the elements in e by their names. Every name is there once at the
// most, and there is no text between them.
func (e *element) take(t *testing.T) map[string]*element {
	require.NotNil(t, e)
	require.Empty(t, e.Text, "between the elements in %s", e.XMLName.Local)
	children := make(map[string]*element)
	for i := range e.Elements {
		name := e.Elements[i].XMLName.Local
		require.NotContains(t, children, name, "in %s", e.XMLName.Local)
		children[name] = &e.Elements[i]
	}
	return children
}

// tree returns the element as sdkMembers would a value of the type. It has no
// elements but those of members.
func (e *element) tree(t *testing.T, typ reflect.Type) any {
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch {
	case e == nil:
		return nil
	case typ == reflect.TypeFor[time.Time]():
	case typ.Kind() == reflect.Struct:
		children, members := e.take(t), make(map[string]any)
		for field := range typ.Fields() {
			members[field.Name] = children[field.Name].tree(t, field.Type)
			delete(children, field.Name)
		}
		require.Empty(t, children, "more in %s", e.XMLName.Local)
		return members
	case typ.Kind() == reflect.Slice:
		require.Empty(t, e.Text)
		items := make([]any, len(e.Elements))
		for i := range items {
			require.Equal(t, "member", e.Elements[i].XMLName.Local)
			items[i] = e.Elements[i].tree(t, typ.Elem())
		}
		return items
	case typ.Kind() == reflect.Map:
		require.Empty(t, e.Text)
		entries := make(map[string]any)
		for i := range e.Elements {
			require.Equal(t, "entry", e.Elements[i].XMLName.Local)
			entry := e.Elements[i].take(t)
			require.Len(t, entry, 2)
			entries[entry["key"].tree(t, typ.Key()).(string)] = entry["value"].tree(t, typ.Elem())
		}
		return entries
	default:
	}
	require.Empty(t, e.Elements, "in %s", e.XMLName.Local)
	return e.Text
}
