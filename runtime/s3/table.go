package s3

import (
	"slices"

	"iamserver/generated/s3err"
	"iamserver/runtime/operation"
	"iamserver/runtime/sigv4"
)

// A table finds the operation of a request.
type table struct {
	classes map[class]*candidates
	paths   map[string]bool // those by which operations are recognised
}

type class struct {
	method string
	target operation.Target
}

// candidates are the operations of one method and target, and everything that
// tells them apart.
type candidates struct {
	parameters []string
	headers    []string
	operations []candidate
}

type candidate struct {
	*operation.Operation
	mask uint64 // of the parameters, then of the headers
}

func newTable(operations []operation.Operation) *table {
	t := &table{classes: map[class]*candidates{}, paths: map[string]bool{}}
	for i := range operations {
		o := &operations[i]
		at := class{o.Method, o.Target}
		c := t.classes[at]
		if c == nil {
			c = &candidates{}
			t.classes[at] = c
		}
		for _, p := range o.Query {
			if !slices.Contains(c.parameters, p.Name) {
				c.parameters = append(c.parameters, p.Name)
			}
		}
		for _, h := range o.Header {
			if !slices.Contains(c.headers, h) {
				c.headers = append(c.headers, h)
			}
		}
		c.operations = append(c.operations, candidate{Operation: o})
		if o.Path != "" {
			t.paths[o.Path] = true
		}
	}
	for _, c := range t.classes {
		for i := range c.operations {
			o := &c.operations[i]
			for _, p := range o.Query {
				o.mask |= c.parameterBit(p.Name)
			}
			for _, h := range o.Header {
				o.mask |= c.headerBit(slices.Index(c.headers, h))
			}
		}
	}
	return t
}

func (c *candidates) parameterBit(name string) uint64 {
	i := slices.Index(c.parameters, name)
	if i < 0 {
		return 0
	}
	return 1 << i
}

func (c *candidates) headerBit(i int) uint64 { return 1 << (len(c.parameters) + i) }

// find returns the one operation that has exactly those of the telling
// parameters and headers that the request has.
func (t *table) find(req sigv4.Request, target operation.Target, r *Request) (*operation.Operation, error) {
	c := t.classes[class{req.Method, target}]
	if c == nil {
		return nil, s3err.MethodNotKnown()
	}
	var mask uint64
	told := ""
	for _, p := range r.params[:r.used] {
		if bit := c.parameterBit(p.name); bit != 0 {
			mask |= bit
			told = p.name
		}
	}
	for i, h := range c.headers {
		if _, ok := r.Header(h); ok {
			mask |= c.headerBit(i)
		}
	}
	path := ""
	if t.paths[req.Path] && r.Bucket == "" {
		path = req.Path
	}
	for i := range c.operations {
		if o := &c.operations[i]; o.mask == mask && o.Path == path && r.has(o.Query) {
			return o.Operation, nil
		}
	}
	if told != "" {
		return nil, s3err.ParameterNotImplemented(told)
	}
	return nil, s3err.MethodNotKnown()
}

// has says whether the parameters have the values that they must have.
func (r *Request) has(query []operation.Parameter) bool {
	for _, q := range query {
		if value, _ := r.Parameter(q.Name); value != q.Value && (q.Value != "*" || value == "") {
			return false
		}
	}
	return true
}
