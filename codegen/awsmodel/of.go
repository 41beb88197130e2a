package awsmodel

import (
	"cmp"
	"html"
	"slices"
	"strings"

	"iamserver/codegen/model"
)

// Of returns the model of a service of the specification, in the form that the
// AWS CLI loads.
func Of(s *model.Service) *Model {
	c := converter{shapes: map[string]*Shape{}}
	m := &Model{
		Version: "2.0",
		Metadata: Metadata{
			APIVersion: s.Version, EndpointPrefix: s.Name, GlobalEndpoint: s.GlobalEndpoint, Protocol: "query", Protocols: []string{"query"},
			ServiceAbbreviation: s.Abbreviation, ServiceFullName: s.Title, ServiceID: s.ID, SignatureVersion: "v4",
			UID: s.Name + "-" + s.Version, XMLNamespace: s.Namespace, Auth: []string{"aws.auth#sigv4"},
		},
		Documentation: paragraph(s.Title + "."), Position: s.Position,
	}
	for _, a := range s.Actions {
		m.Operations = append(m.Operations, Entry[*Operation]{a.Name, c.operation(a)})
		if p := a.Pagination; p != nil {
			m.Pagination = append(m.Pagination, Entry[*Paginator]{a.Name, &Paginator{
				InputToken: p.Input, LimitKey: p.Limit, MoreResults: p.Truncated, OutputToken: p.Output, ResultKey: p.Items, NonAggregate: p.NonAggregate,
			}})
		}
		if w := a.Waiter; w != nil {
			m.Waiters = append(m.Waiters, Entry[*Waiter]{w.Name, &Waiter{
				Operation: a.Name, Delay: w.Delay, MaxAttempts: w.Attempts,
				Acceptors: []Acceptor{{"success", "status", 200}, {"retry", "error", w.RetryOn}},
			}})
		}
		for _, code := range a.Errors {
			c.exception(s.Code(code))
		}
	}
	for name, shape := range c.shapes {
		m.Shapes = append(m.Shapes, Entry[*Shape]{name, shape})
	}
	byName(m.Operations)
	byName(m.Pagination)
	byName(m.Waiters)
	byName(m.Shapes)
	return m
}

func byName[T any](o Ordered[T]) {
	slices.SortFunc(o, func(a, b Entry[T]) int { return cmp.Compare(a.Name, b.Name) })
}

// paragraph is a text in the markup of AWS's documentation members.
func paragraph(text string) string {
	if text == "" {
		return ""
	}
	return "<p>" + html.EscapeString(text) + "</p>"
}

func extensionNote(extension string) string {
	if extension == "" {
		return ""
	}
	return paragraph("This is an extension of this server: AWS does not have it.")
}

type converter struct {
	shapes map[string]*Shape
}

func (c *converter) operation(a *model.Action) *Operation {
	o := &Operation{
		Position: a.Position, Name: a.Name, HTTP: HTTP{"POST", "/"},
		Documentation: paragraph(a.Summary) + extensionNote(a.Extension),
	}
	if len(a.Input.Members) > 0 {
		o.Input = &Reference{Shape: a.Input.Name}
		c.structure(a.Input)
	}
	if a.Output != nil {
		o.Output = &Reference{Shape: a.Output.Name, ResultWrapper: a.Name + "Result"}
		c.structure(a.Output)
	}
	for _, code := range a.Errors {
		o.Errors = append(o.Errors, Reference{Shape: exceptionName(code)})
	}
	return o
}

func exceptionName(code string) string { return code + "Exception" }

func (c *converter) exception(code *model.ErrorCode) {
	c.shapes["ErrorMessage"] = &Shape{Type: "string"}
	c.shapes[exceptionName(code.Name)] = &Shape{
		Type: "structure", Members: Ordered[*Reference]{{"message", &Reference{Shape: "ErrorMessage"}}}, Exception: true,
		Error:         &Error{Code: code.Name, HTTPStatusCode: code.Status, SenderFault: code.Fault == "Sender"},
		Documentation: paragraph(code.Description), Position: code.Position,
	}
}

func (c *converter) structure(s *model.Structure) {
	if c.shapes[s.Name] != nil {
		return
	}
	shape := &Shape{Type: "structure", Members: Ordered[*Reference]{}, Documentation: paragraph(s.Doc), Position: s.Position}
	c.shapes[s.Name] = shape
	for _, m := range s.Members {
		if m.Required {
			shape.Required = append(shape.Required, m.Name)
		}
		r := c.reference(memberType(m), s.Name+m.Name)
		r.Documentation, r.Position = paragraph(m.Doc)+extensionNote(m.Extension), m.Position
		shape.Members = append(shape.Members, Entry[*Reference]{m.Name, r})
	}
}

// encodedDocument is the shape by whose name botocore knows that a string of a
// response is a percent-encoded JSON document, which it decodes.
const encodedDocument = "policyDocumentType"

func memberType(m *model.Member) *model.Type {
	if !m.URLEncoded {
		return m.Type
	}
	t := *m.Type
	t.Name = encodedDocument
	return &t
}

// reference returns the use of a type; inline is its name if it has none.
func (c *converter) reference(t *model.Type, inline string) *Reference {
	name := cmp.Or(t.Name, inline)
	r := &Reference{Shape: name}
	if t.Kind == model.Struct {
		c.structure(t.Struct)
		return r
	}
	if c.shapes[name] != nil {
		return r
	}
	shape := &Shape{}
	c.shapes[name] = shape
	switch t.Kind {
	case model.List:
		shape.Type, shape.Member = "list", c.reference(t.Elem, name+"Member")
		if t.List != nil {
			shape.Max, shape.Documentation, shape.Position = t.List.Max, paragraph(t.List.Doc), t.List.Position
		}
	case model.Map:
		shape.Type, shape.Key, shape.Value = "map", c.reference(t.Key, name+"Key"), c.reference(t.Elem, name+"Value")
	default:
		scalar(shape, t.Scalar)
	}
	return r
}

var scalarTypes = map[model.Kind]string{model.String: "string", model.Integer: "integer", model.Boolean: "boolean", model.Timestamp: "timestamp"}

func scalar(shape *Shape, s *model.Scalar) {
	shape.Type = scalarTypes[s.Kind]
	shape.Pattern, shape.Enforced, shape.Enum = s.Quoted(), s.Pattern, s.Enum
	shape.Min, shape.Max = s.Min, s.Max
	if s.Kind == model.String {
		shape.Max = s.MaxLength
		if s.MinLength > 0 {
			shape.Min = &s.MinLength
		}
	}
	shape.Sensitive, shape.Documentation, shape.Position = s.Sensitive, paragraph(s.Doc), s.Position
}

// text joins names for a message.
func text(names []string) string { return strings.Join(names, ", ") }
