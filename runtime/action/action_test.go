package action_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/action"
	"iamserver/runtime/awsquery"
	"iamserver/runtime/awsxml"
	"iamserver/runtime/validate"
)

type (
	tx           struct{ handled *[]string }
	echoRequest  struct{ Text string }
	echoResponse struct{ Text string }
	noResponse   struct{}
)

func parseEcho(d *awsquery.Decoder) *echoRequest       { return &echoRequest{d.Required("Text")} }
func (r *echoRequest) Validate(v *validate.Violations) { v.MaxLength("text", r.Text, 4) }
func (r *echoResponse) EncodeXML(w *awsxml.Writer)     { w.String("Text", r.Text) }
func (*noResponse) EncodeXML(*awsxml.Writer)           {}
func (*anotherRequest) Validate(*validate.Violations)  {}
func (r *echoRequest) Resources(dst []action.Resource) []action.Resource {
	return append(dst, action.Resource{Type: "user", Name: r.Text})
}

type anotherRequest struct{}

func (*anotherRequest) Resources(dst []action.Resource) []action.Resource { return dst }

var (
	echo    = action.Info{Name: "Echo", Access: action.Read, HasResult: true}
	forget  = action.Info{Name: "Forget", Access: action.Write}
	service = action.Service{Name: "toy", Version: "2026-01-02", Namespace: "urn:toy"}
)

var errRefused = errors.New("refused")

func echoBack(tx tx, r *echoRequest) (*echoResponse, error) {
	*tx.handled = append(*tx.handled, r.Text)
	switch r.Text {
	case "fail":
		return &echoResponse{"not to be seen"}, errRefused
	case "none":
		return nil, nil
	}
	return &echoResponse{r.Text}, nil
}

func forgetIt(tx, *echoRequest) (*noResponse, error) { return &noResponse{}, nil }

func TestBind(t *testing.T) {
	row := action.Bind(&echo, parseEcho, echoBack)
	require.Same(t, &echo, row.Info)
	for _, tt := range []struct {
		name    string
		request action.Request
		want    action.Response
		err     string
		handled []string
	}{
		{"a request is handled", &echoRequest{"hi"}, &echoResponse{"hi"}, "", []string{"hi"}},
		{"an error comes without a response", &echoRequest{"fail"}, nil, "refused", []string{"fail"}},
		{"no response is an error", &echoRequest{"none"}, nil, "Echo: neither a response nor an error", []string{"none"}},
		{"a request of another action is an error and is not handled", &anotherRequest{}, nil, "Echo: a request of type *action_test.anotherRequest", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var handled []string
			got, err := row.Handle(tx{&handled}, tt.request)
			require.Equal(t, tt.want, got)
			require.Equal(t, tt.handled, handled)
			if tt.err == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, tt.err)
			}
		})
	}
}

func TestRowParses(t *testing.T) {
	row := action.Bind(&echo, parseEcho, echoBack)
	form, err := awsquery.Parse("Action=Echo&Text=hello", awsquery.Limits{})
	require.NoError(t, err)
	var v validate.Violations
	request := row.Parse(awsquery.NewDecoder(form, &v))
	require.Equal(t, &echoRequest{"hello"}, request)
	require.Equal(t, []action.Resource{{}, {Type: "user", Name: "hello"}}, request.Resources(make([]action.Resource, 1)))
	request.Validate(&v)
	require.ErrorIs(t, v.Err(), &validate.ValidationError)
}

func TestTable(t *testing.T) {
	table := action.NewTable(service, action.Bind(&forget, parseEcho, forgetIt), action.Bind(&echo, parseEcho, echoBack))
	require.Equal(t, service, table.Service())

	row, ok := table.Lookup("Echo")
	require.True(t, ok)
	require.Same(t, &echo, row.Info)
	for _, name := range []string{"", "echo", "Echo ", "EchoX"} {
		row, ok := table.Lookup(name)
		require.False(t, ok, name)
		require.Nil(t, row, name)
	}

	var names []string
	for _, row := range table.Rows() {
		names = append(names, row.Info.Name)
	}
	require.Equal(t, []string{"Forget", "Echo"}, names)

	response, err := table.Rows()[0].Handle(tx{}, &echoRequest{})
	require.NoError(t, err)
	require.Equal(t, &noResponse{}, response)
}

func TestTableRefusesTwoRowsOfOneName(t *testing.T) {
	row := action.Bind(&echo, parseEcho, echoBack)
	require.PanicsWithValue(t, "action: toy has Echo twice", func() { action.NewTable(service, row, row) })
}

func TestAccess(t *testing.T) {
	for _, tt := range []struct {
		access   action.Access
		name     string
		readOnly bool
	}{
		{action.Read, "Read", true},
		{action.Write, "Write", false},
		{action.List, "List", true},
		{action.Tagging, "Tagging", false},
		{action.PermissionsManagement, "Permissions management", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.name, tt.access.String())
			require.Equal(t, tt.readOnly, tt.access.ReadOnly())
		})
	}
}

func TestValue(t *testing.T) {
	require.Equal(t, "alice", action.Value(new("alice")))
	require.Empty(t, action.Value(nil))
}
