package server_test

import (
	"encoding/xml"
	"net/url"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/action"
)

// The SDK does not know the extensions. So every action also goes through a
// client that knows our types: it writes forms as botocore does, and reads
// answers by the names of their elements.
func TestExtensionsRoundTrip(t *testing.T) {
	eachAction(t, func(t *testing.T, service *sdkService, row *action.Row[struct{}]) {
		name := row.Info.Name
		t.Run("request", func(t *testing.T) {
			request := service.request(name)
			fill(t, request, memberFiller{text: requestText(name), elements: 2})

			form := url.Values{"Action": {name}, "Version": {service.table.Service().Version}}
			addParameters(form, "", memberTree{extensions: true}.of(request))
			require.Equal(t, request.Interface(), service.parse(t, form.Encode()))
		})
		t.Run("response", func(t *testing.T) {
			response := service.response(name)
			fill(t, response, memberFiller{text: responseText, elements: 2})

			want := memberTree{extensions: true, encoded: true}.of(response)
			for _, path := range omittedMembers[name] {
				require.True(t, leaveOut(want, path), "the response has no %s", path)
			}
			require.Equal(t, want, readResponse(t, service, row, service.encode(row, response)))
		})
	})
}

// addParameters adds the parameters that botocore writes for what is called name.
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

// An xmlElement is an element with its text and the elements in it.
type xmlElement struct {
	XMLName  xml.Name
	Text     string       `xml:",chardata"`
	Elements []xmlElement `xml:",any"`
}

// readResponse requires that the envelope of an answer is AWS's, and returns the
// members of the result as memberTree does.
func readResponse(t *testing.T, service *sdkService, row *action.Row[struct{}], body []byte) any {
	var root xmlElement
	require.NoError(t, xml.Unmarshal(body, &root))
	require.Equal(t, xml.Name{Space: service.table.Service().Namespace, Local: row.Info.Name + "Response"}, root.XMLName)
	children := root.children(t)
	metadata := children["ResponseMetadata"].children(t)
	require.Equal(t, sdkRequestID, metadata["RequestId"].Text)
	require.Len(t, metadata, 1)

	response := service.response(row.Info.Name).Type().Elem()
	if !row.Info.HasResult {
		require.Len(t, children, 1)
		require.Zero(t, response.NumField())
		return map[string]any{}
	}
	require.Len(t, children, 2)
	return children[row.Info.Name+"Result"].tree(t, response)
}

// children returns the elements in e by name. There is no text between them, and
// no name is there twice.
func (e *xmlElement) children(t *testing.T) map[string]*xmlElement {
	require.NotNil(t, e)
	require.Empty(t, e.Text, "between the elements of %s", e.XMLName.Local)
	children := make(map[string]*xmlElement)
	for i := range e.Elements {
		name := e.Elements[i].XMLName.Local
		require.NotContains(t, children, name)
		children[name] = &e.Elements[i]
	}
	return children
}

// tree returns e as memberTree does a value of the type.
func (e *xmlElement) tree(t *testing.T, typ reflect.Type) any {
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch {
	case e == nil:
		return nil
	case typ == reflect.TypeFor[time.Time]():
	case typ.Kind() == reflect.Struct:
		children, members := e.children(t), make(map[string]any)
		for field := range typ.Fields() {
			members[field.Name] = children[field.Name].tree(t, field.Type)
			delete(children, field.Name)
		}
		require.Empty(t, children, "%s has more than its members", e.XMLName.Local)
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
			entry := e.Elements[i].children(t)
			require.Len(t, entry, 2)
			entries[entry["key"].Text] = entry["value"].tree(t, typ.Elem())
		}
		return entries
	}
	require.Empty(t, e.Elements, "in %s", e.XMLName.Local)
	return e.Text
}
