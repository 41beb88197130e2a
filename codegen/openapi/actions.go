package openapi

import (
	"path"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"iamserver/codegen/model"
)

const (
	formType = "application/x-www-form-urlencoded"
	xmlType  = "text/xml"
)

func (l *loader) actions(doc *openapi3.T) {
	l.operations(doc, func(name string, op *openapi3.Operation) {
		l.service.Actions = append(l.service.Actions, l.action(name, op))
	})
}

// operations visits the operations of the root document in its order.
func (l *loader) operations(doc *openapi3.T, visit func(name string, op *openapi3.Operation)) {
	for _, key := range l.source.keys(l.root, "paths") {
		at := positionOf(l.root, key)
		item := doc.Paths.Value(key.Value)
		name := strings.TrimPrefix(key.Value, "/")
		switch {
		case item == nil || item.Post == nil:
			l.problem(at, "%s must have a post operation", key.Value)
		case item.Post.OperationID != name || !goName.MatchString(name):
			l.problem(l.source.within(position(item.Post.Origin), "operationId"), "operationId is %q, but the path is %s", item.Post.OperationID, key.Value)
		default:
			visit(name, item.Post)
		}
	}
}

func (l *loader) action(name string, op *openapi3.Operation) *model.Action {
	var d actionDialect
	l.decode(op.Extensions, op.Origin, &d)
	a := &model.Action{
		Position: position(op.Origin), Name: name, Summary: op.Summary, Access: d.Access, SelfService: d.SelfService,
		ImplicitSubject: d.ImplicitSubject, Extension: d.Extension, ConditionKeys: d.ConditionKeys, Errors: d.Errors, Quotas: d.Quota,
	}
	a.Entity = strings.TrimSuffix(path.Base(a.File), ".yaml")
	for _, r := range d.Resource {
		a.Resources = append(a.Resources, model.Resource{Type: r.Type, Name: r.Name, Path: r.Path, From: r.From, Arn: r.Arn, Owner: r.OwnerOf})
	}
	if p := d.Pagination; p != nil {
		a.Pagination = &model.Pagination{Input: p.Input, Output: p.Output, Limit: p.Limit, Truncated: p.Truncated, Items: p.Items, NonAggregate: p.NonAggregate}
	}
	if w := d.Waiter; w != nil {
		a.Waiter = &model.Waiter{Name: w.Name, RetryOn: w.RetryOn, Delay: w.Delay, Attempts: w.Attempts}
	}
	a.Input = l.input(a, op)
	a.Output = l.output(a, op)
	return a
}

func (l *loader) input(a *model.Action, op *openapi3.Operation) *model.Structure {
	input := &model.Structure{Position: a.Position, Name: a.Name + "Request", InInput: true}
	if op.RequestBody == nil {
		return input
	}
	media := op.RequestBody.Value.Content[formType]
	if media == nil || media.Schema == nil || len(op.RequestBody.Value.Content) != 1 {
		l.problem(l.source.within(a.Position, "requestBody", "content"), "the request of %s must be %s", a.Name, formType)
		return input
	}
	if !media.Schema.Value.Type.Is("object") {
		l.problem(l.schemaAt(media.Schema.Value), "the parameters of %s must be an object", a.Name)
		return input
	}
	input.Members = l.members(media.Schema.Value, l.schemaAt(media.Schema.Value), true)
	return input
}

func (l *loader) output(a *model.Action, op *openapi3.Operation) *model.Structure {
	response := op.Responses.Status(200)
	if response == nil || op.Responses.Len() != 1 {
		l.problem(l.source.within(a.Position, "responses"), "%s must have one response, 200", a.Name)
		return nil
	}
	if len(response.Value.Content) == 0 {
		return nil
	}
	media := response.Value.Content[xmlType]
	if media == nil || media.Schema == nil || len(response.Value.Content) != 1 {
		l.problem(l.source.within(a.Position, "responses", "200", "content"), "the response of %s must be %s", a.Name, xmlType)
		return nil
	}
	schema := media.Schema.Value
	if !schema.Type.Is("object") {
		l.problem(l.schemaAt(schema), "the response of %s must be an object", a.Name)
		return nil
	}
	var d outputDialect
	l.decode(schema.Extensions, schema.Origin, &d)
	output := &model.Structure{Position: a.Position, Name: a.Name + "Response", InOutput: true, Members: l.members(schema, l.schemaAt(schema), false)}
	for _, omit := range d.Omit {
		at := l.source.within(l.schemaAt(schema), "x-iam-omit", omit)
		if m, left := l.omitted(output, "x-iam-omit", omit, at); m != nil {
			m.Omit = append(m.Omit, left.Name)
		}
	}
	for _, omit := range d.OmitEmpty {
		at := l.source.within(l.schemaAt(schema), "x-iam-omit-empty", omit)
		m, left := l.omitted(output, "x-iam-omit-empty", omit, at)
		switch {
		case m == nil:
		case !left.WriteEmpty:
			l.problem(at, "x-iam-omit-empty: %s is not written when it is empty", omit)
		default:
			m.OmitEmpty = append(m.OmitEmpty, left.Name)
		}
	}
	return output
}

// schemaAt is the position of the schema of a request or response, whose origin
// kin-openapi takes from the media type around it.
func (l *loader) schemaAt(schema *openapi3.Schema) model.Position {
	return l.source.within(position(schema.Origin), "schema")
}

// omitted finds the member of a response and the one of its shape that the key
// names, as in Users.Tags.
func (l *loader) omitted(output *model.Structure, key, dotted string, at model.Position) (m, left *model.Member) {
	name, inner, _ := strings.Cut(dotted, ".")
	m = output.Member(name)
	if m == nil {
		l.problem(at, "%s: %s has no member %s", key, output.Name, name)
		return nil, nil
	}
	s := m.Type.Struct
	if m.Type.Kind == model.List {
		s = m.Type.Elem.Struct
	}
	if s == nil || s.Member(inner) == nil {
		l.problem(at, "%s: %s has no member %q", key, name, inner)
		return nil, nil
	}
	return m, s.Member(inner)
}

// check finds what only the whole service can show.
func (l *loader) check() {
	for _, a := range l.service.Actions {
		l.checkAction(a)
		l.checkNames(a)
		l.checkParameters(a)
	}
	for _, list := range l.service.Lists {
		if u := list.Unique; u != nil && list.InInput {
			l.checkUnique(u)
		}
	}
	l.checkEntities()
}

var accesses = []string{"Read", "Write", "List", "Tagging", "PermissionsManagement"}

func (l *loader) checkAction(a *model.Action) {
	if !slices.Contains(accesses, a.Access) {
		l.problem(l.source.within(a.Position, "x-iam-access"), "x-iam-access of %s must be one of %s", a.Name, strings.Join(accesses, ", "))
	}
	if !strings.HasSuffix(a.Summary, ".") {
		l.problem(l.source.within(a.Position, "summary"), "the summary of %s must be a sentence with its full stop", a.Name)
	}
	for _, r := range a.Resources {
		ways := 0
		for _, parameter := range []string{r.Name, r.Arn, r.Owner} {
			if parameter != "" {
				ways++
			}
		}
		if r.Type == "" || ways != 1 || (r.Name == "" && (r.Path != "" || r.From != "")) {
			l.problem(l.source.within(a.Position, "x-iam-resource"), "a resource of %s needs a type and one of name, arn and owner-of", a.Name)
		}
	}
	if w := a.Waiter; w != nil && (!goName.MatchString(w.Name) || !slices.Contains(a.Errors, w.RetryOn) || w.Delay == 0 || w.Attempts == 0) {
		l.problem(l.source.within(a.Position, "x-iam-waiter"), "x-iam-waiter needs a name, a delay, attempts, and in retry-on an error of %s", a.Name)
	}
	for _, key := range a.ConditionKeys {
		if service, name, _ := strings.Cut(key, ":"); service == "" || name == "" {
			l.problem(l.source.within(a.Position, "x-iam-condition-keys", key), "%s is not a condition key like aws:TagKeys", key)
		}
	}
}

// checkNames finds codes and quotas that are declared nowhere.
func (l *loader) checkNames(a *model.Action) {
	for _, code := range a.Errors {
		if l.service.Code(code) == nil {
			l.problem(l.source.within(a.Position, "x-iam-errors", code), "%s may answer %s, which errors.yaml does not declare", a.Name, code)
		}
	}
	for _, quota := range a.Quotas {
		if !slices.ContainsFunc(l.service.Quotas, func(q model.Quota) bool { return q.Name == quota }) {
			l.problem(l.source.within(a.Position, "x-iam-quota", quota), "%s asks for the quota %s, which x-iam-quotas does not declare", a.Name, quota)
		}
	}
}

// checkParameters finds members that an action's own facts name but its input
// or output lacks.
func (l *loader) checkParameters(a *model.Action) {
	parameter := func(name, key string) {
		if m := a.Input.Member(name); name != "" && (m == nil || m.Type.Kind != model.String && key != "x-iam-pagination") {
			l.problem(l.source.within(a.Position, key), "%s: %s has no parameter %s", key, a.Name, name)
		}
	}
	parameter(a.ImplicitSubject, "x-iam-implicit-subject")
	for _, r := range a.Resources {
		for _, name := range []string{r.Name, r.Path, r.From, r.Arn, r.Owner} {
			parameter(name, "x-iam-resource")
		}
	}
	p := a.Pagination
	if p == nil {
		return
	}
	if p.Input == "" || p.Output == "" || p.Limit == "" || p.Truncated == "" || len(p.Items) == 0 {
		l.problem(l.source.within(a.Position, "x-iam-pagination"), "x-iam-pagination needs input, output, limit, truncated and items")
	}
	parameter(p.Input, "x-iam-pagination")
	parameter(p.Limit, "x-iam-pagination")
	for _, name := range slices.Concat([]string{p.Output, p.Truncated}, p.Items, p.NonAggregate) {
		if name != "" && (a.Output == nil || a.Output.Member(name) == nil) {
			l.problem(l.source.within(a.Position, "x-iam-pagination"), "x-iam-pagination: the response of %s has no member %s", a.Name, name)
		}
	}
}

// checkUnique finds the message that a broken rule answers. It cannot have
// placeholders: nothing fills them.
func (l *loader) checkUnique(u *model.Unique) {
	for _, c := range l.service.Codes {
		for _, m := range c.Messages {
			if m.Name == u.Error && !placeholder.MatchString(m.Text) {
				return
			}
		}
	}
	l.problem(u.Position, "x-iam-unique: errors.yaml has no message %q without placeholders", u.Error)
}

// checkEntities finds files of actions that no tag of the root document describes.
func (l *loader) checkEntities() {
	missing := map[string]bool{}
	for _, a := range l.service.Actions {
		known := slices.ContainsFunc(l.service.Entities, func(e model.Entity) bool { return e.Name == a.Entity && e.Description != "" })
		if !known && !missing[a.Entity] {
			missing[a.Entity] = true
			l.problem(l.rootAt("tags"), "tags must have a name %s with a description, since %s is a file of actions", a.Entity, a.File)
		}
	}
}
