package action

import (
	"fmt"

	"iamserver/runtime/awsquery"
)

// Bind returns the row of an action, given its typed functions. A handle that
// returns neither a response nor an error, and a request that is not of the
// row's type, are mistakes of the program: Handle then returns an error, which
// is not an apierror.Error.
func Bind[Tx any, Req Request, Resp interface {
	comparable
	Response
}](info *Info, parse func(*awsquery.Decoder) Req, handle func(Tx, Req) (Resp, error)) Row[Tx] {
	return Row[Tx]{
		Info:  info,
		Parse: func(d *awsquery.Decoder) Request { return parse(d) },
		Handle: func(tx Tx, request Request) (Response, error) {
			req, ok := request.(Req)
			if !ok {
				return nil, fmt.Errorf("%s: a request of type %T", info.Name, request)
			}
			resp, err := handle(tx, req)
			if err != nil {
				return nil, err
			}
			var none Resp
			if resp == none {
				return nil, fmt.Errorf("%s: neither a response nor an error", info.Name)
			}
			return resp, nil
		},
	}
}

// A Service is what names a service on the wire.
type Service struct {
	// Name is the service in a credential scope, such as iam.
	Name string
	// Version is the API version that requests carry, such as 2010-05-08.
	Version string
	// Namespace is the XML namespace of responses.
	Namespace string
	// OmitValues is whether messages about constraints leave out the value that
	// breaks one.
	OmitValues bool
}

// A Table is the actions of a service, in the order of the specification.
type Table[Tx any] struct {
	service Service
	rows    []Row[Tx]
	byName  map[string]*Row[Tx]
}

// NewTable returns the table of a service. It panics if two rows have the same
// name.
func NewTable[Tx any](service Service, rows ...Row[Tx]) *Table[Tx] {
	t := &Table[Tx]{service: service, rows: rows, byName: make(map[string]*Row[Tx], len(rows))}
	for i := range rows {
		name := rows[i].Info.Name
		if t.byName[name] != nil {
			panic("action: " + service.Name + " has " + name + " twice")
		}
		t.byName[name] = &rows[i]
	}
	return t
}

// Service returns what names the service on the wire.
func (t *Table[Tx]) Service() Service { return t.service }

// Lookup returns the row of an action. The name must be exact: AWS tells
// upper-case from lower-case letters here.
func (t *Table[Tx]) Lookup(name string) (*Row[Tx], bool) {
	row, ok := t.byName[name]
	return row, ok
}

// Rows returns the rows in the order of the specification. They must not be
// changed.
func (t *Table[Tx]) Rows() []Row[Tx] { return t.rows }
