package openapi

import (
	"cmp"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"gopkg.in/yaml.v3"

	"iamserver/codegen/model"
)

// pluginRoot is the document of the contract with plugins. It is no service:
// its messages are protobuf, and it has hooks where a service has actions.
const pluginRoot = "plugin/plugin.yaml"

const protobufType = "application/x-protobuf"

// Numbers that protobuf keeps for itself, and the greatest there is.
const (
	firstReservedField = 19000
	lastReservedField  = 19999
	lastField          = 1<<29 - 1
)

var protoName = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)

var enumValueName = regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$`)

// LoadPlugin reads the contract with plugins, plugin/plugin.yaml of fsys; nil
// where there is none. The error is an InvalidError with every problem.
func LoadPlugin(fsys fs.FS) (*model.Plugin, error) {
	l, err := loadPlugin(fsys)
	if l == nil || err != nil {
		return nil, err
	}
	return l.plugin, nil
}

func hasPlugin(fsys fs.FS) bool {
	_, err := fs.Stat(fsys, pluginRoot)
	return err == nil
}

func loadPlugin(fsys fs.FS) (*pluginLoader, error) {
	if !hasPlugin(fsys) {
		return nil, nil
	}
	l := &pluginLoader{loader: newLoader(fsys, pluginRoot), messages: map[string]*model.ProtoMessage{}, enums: map[string]*model.ProtoEnum{}}
	l.plugin = &model.Plugin{Position: l.service.Position}
	l.load()
	if len(l.problems) > 0 {
		return nil, &InvalidError{l.problems.sorted()}
	}
	return l, nil
}

// A pluginLoader reads the contract with plugins.
type pluginLoader struct {
	*loader

	plugin   *model.Plugin
	messages map[string]*model.ProtoMessage // by file#Name
	enums    map[string]*model.ProtoEnum    // by file#Name
}

func (l *pluginLoader) load() {
	l.grammar.pluginRoot(l.root)
	if l.problems = l.grammar.problems; len(l.problems) > 0 {
		return
	}
	doc, err := l.document()
	if err != nil {
		l.problems = problemsOf(l.service.Position, err)
		return
	}
	l.header(doc)
	l.operations(doc, l.hook)
	p := l.plugin
	for _, m := range l.messages {
		p.Messages = append(p.Messages, m)
	}
	for _, e := range l.enums {
		p.Enums = append(p.Enums, e)
	}
	slices.SortFunc(p.Messages, func(a, b *model.ProtoMessage) int { return compare(a.Position, b.Position) })
	slices.SortFunc(p.Enums, func(a, b *model.ProtoEnum) int { return compare(a.Position, b.Position) })
}

func (l *pluginLoader) header(doc *openapi3.T) {
	var dialect pluginRootDialect
	l.decode(doc.Extensions, nil, &dialect)
	switch d := dialect.Plugin; {
	case d == nil:
		l.problem(l.service.Position, "x-iam-plugin is missing")
	case d.Package == "" || d.Major < 1:
		l.problem(l.rootAt("x-iam-plugin"), "x-iam-plugin needs a package and a major version from 1")
	default:
		l.plugin.Package, l.plugin.Major, l.plugin.Minor = d.Package, d.Major, d.Minor
	}
	l.plugin.Title, l.plugin.Doc = doc.Info.Title, doc.Info.Description
}

func (l *pluginLoader) hook(name string, op *openapi3.Operation) {
	h := &model.Hook{Position: position(op.Origin), Name: name, Summary: op.Summary}
	if !strings.HasSuffix(h.Summary, ".") {
		l.problem(l.source.within(h.Position, "summary"), "%s needs a summary, a sentence with its full stop", name)
	}
	body := func(content openapi3.Content, suffix string, within ...string) *model.ProtoMessage {
		media := content[protobufType]
		if media == nil || len(content) != 1 || media.Schema == nil || media.Schema.Ref == "" {
			l.problem(l.source.within(h.Position, within...), "the %s of %s must be %s with a $ref for its schema", strings.ToLower(suffix), name, protobufType)
			return nil
		}
		m := l.message(media.Schema)
		if m != nil && m.Name != name+suffix {
			l.problem(m.Position, "the %s of %s must be named %s", strings.ToLower(suffix), name, name+suffix)
		}
		return m
	}
	var request, response openapi3.Content
	if op.RequestBody != nil {
		request = op.RequestBody.Value.Content
	}
	if r := op.Responses.Status(200); r != nil && op.Responses.Len() == 1 {
		response = r.Value.Content
	}
	h.Request = body(request, "Request", "requestBody", "content")
	h.Response = body(response, "Response", "responses", "200", "content")
	l.plugin.Hooks = append(l.plugin.Hooks, h)
}

// identity is the file and the name of the schema that a $ref points to.
func (l *pluginLoader) identity(ref *openapi3.SchemaRef) (id, name string) {
	u := ref.RefPath()
	name = u.Fragment[strings.LastIndex(u.Fragment, "/")+1:]
	return u.Path + "#" + name, name
}

// message reads a named object; nil, with a problem noted, if ref is none.
func (l *pluginLoader) message(ref *openapi3.SchemaRef) *model.ProtoMessage {
	id, name := l.identity(ref)
	if m := l.messages[id]; m != nil {
		return m
	}
	m := &model.ProtoMessage{Position: l.declaration(id), Name: name, Doc: l.doc(id)}
	if !ref.Value.Type.Is("object") {
		l.problem(m.Position, "%s must be an object", name)
		return nil
	}
	l.name(name, m.Position)
	l.described(m.Position, name, m.Doc)
	l.messages[id] = m
	for field, schema := range ref.Value.Properties {
		m.Fields = append(m.Fields, l.field(name, field, schema))
	}
	if len(m.Fields) == 0 {
		l.problem(m.Position, "%s needs properties", name)
	}
	slices.SortFunc(m.Fields, func(a, b *model.ProtoField) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), compare(a.Position, b.Position))
	})
	for i, f := range m.Fields {
		if i > 0 && f.Number > 0 && f.Number == m.Fields[i-1].Number {
			l.problem(l.source.within(f.Position, "x-iam-field"), "%s.%s has the number of %s", name, f.Name, m.Fields[i-1].Name)
		}
	}
	return m
}

// declaration is where a named schema stands.
func (l *pluginLoader) declaration(id string) model.Position {
	file, name, _ := strings.Cut(id, "#")
	return l.source.top(file, name)
}

func (l *pluginLoader) described(at model.Position, name, doc string) {
	if !strings.HasSuffix(doc, ".") {
		l.problem(at, "%s needs a description that ends with a full stop", name)
	}
}

func (l *pluginLoader) field(message, name string, ref *openapi3.SchemaRef) *model.ProtoField {
	annotations := ref.Extensions
	if ref.Ref == "" {
		annotations = ref.Value.Extensions
	}
	var d fieldDialect
	l.decode(annotations, originOf(ref), &d)
	f := &model.ProtoField{Position: position(originOf(ref)), Name: name, Number: d.Field, Doc: ref.Value.Description, Sensitive: d.Sensitive}
	full := message + "." + name
	if !protoName.MatchString(name) {
		l.problem(f.Position, "%q is not a name like access_key_id", name)
	}
	l.described(f.Position, full, f.Doc)
	l.number(f, full)
	l.form(f, full, ref)
	if f.Sensitive && f.Kind != model.ProtoBytes {
		l.problem(l.source.within(f.Position, "x-iam-sensitive"), "%s is sensitive and must have the format binary, so that it can be wiped", full)
	}
	return f
}

func (l *pluginLoader) number(f *model.ProtoField, full string) {
	at := l.source.within(f.Position, "x-iam-field")
	switch {
	case f.Number == 0:
		l.problem(at, "%s needs an x-iam-field from 1", full)
	case f.Number > lastField, f.Number >= firstReservedField && f.Number <= lastReservedField:
		l.problem(at, "%s cannot have the number %d: protobuf has none from %d to %d, and none above %d", full, f.Number, firstReservedField, lastReservedField, lastField)
	}
}

// form reads the type of a field or, for an array, of its elements.
func (l *pluginLoader) form(f *model.ProtoField, full string, ref *openapi3.SchemaRef) {
	schema := ref.Value
	if schema.Type.Is("array") {
		f.MaxItems = intOf(schema.MaxItems)
		if schema.Items == nil || schema.Items.Value.Type.Is("array") || f.Repeated {
			l.problem(f.Position, "%s needs items that are no arrays", full)
			return
		}
		f.Repeated = true
		l.form(f, full, schema.Items)
		if f.Kind != model.ProtoString && f.Kind != model.ProtoNested {
			l.problem(f.Position, "%s can only repeat strings and messages: numbers would need a packed form", full)
		}
		return
	}
	at := l.source.within(f.Position, "format")
	f.MaxLength = intOf(schema.MaxLength)
	switch {
	case schema.Type.Is("string") && len(schema.Enum) > 0:
		f.Kind, f.Enum = model.ProtoEnumeration, l.enum(f, full, ref)
	case schema.Type.Is("string"):
		if schema.Format == "binary" {
			f.Kind = model.ProtoBytes
		} else if schema.Format != "" {
			l.problem(at, "%s must have the format binary, or none", full)
		}
	case schema.Type.Is("integer"):
		f.Kind = model.ProtoInt64
		if schema.Format != "int64" {
			l.problem(at, "%s must have the format int64", full)
		}
	case schema.Type.Is("boolean"):
		f.Kind = model.ProtoBool
	case ref.Ref == "":
		f.Kind = model.ProtoNested
		l.problem(f.Position, "%s must be a $ref to a named message", full)
	default:
		f.Kind, f.Message = model.ProtoNested, l.message(ref)
	}
}

func (l *pluginLoader) enum(f *model.ProtoField, full string, ref *openapi3.SchemaRef) *model.ProtoEnum {
	if ref.Ref == "" {
		l.problem(f.Position, "%s must be a $ref to a named enumeration", full)
		return nil
	}
	id, name := l.identity(ref)
	if e := l.enums[id]; e != nil {
		return e
	}
	e := &model.ProtoEnum{Position: l.declaration(id), Name: name, Doc: l.doc(id)}
	l.name(name, e.Position)
	l.described(e.Position, name, e.Doc)
	for _, v := range ref.Value.Enum {
		value, _ := v.(string) // the grammar lets only text through
		if !enumValueName.MatchString(value) || slices.Contains(e.Values, value) {
			l.problem(l.source.within(e.Position, "enum", value), "%q is not a name like SERVICE_ACCOUNT, or stands here twice", value)
		}
		e.Values = append(e.Values, value)
	}
	l.enums[id] = e
	return e
}

// pluginRoot checks the root document of the contract and all that it refers to.
func (g *grammar) pluginRoot(file string) {
	if g.open(file).root == nil {
		g.problems = append(g.problems, g.open(file).problem)
		return
	}
	mapping(checks{
		"openapi": text,
		"info":    mapping(checks{"title": text, "version": text, "description": text}),
		"paths":   entries(hookItem),
	}.and(pluginRootDialect{}))(g, file, g.open(file).root)
}

func hookItem(g *grammar, file string, n *yaml.Node) {
	if g.follow(file, n, nil, hookItem) {
		return
	}
	body := func(keys checks) check {
		keys["content"] = entries(media(messageRef))
		return mapping(keys)
	}
	mapping(checks{"post": mapping(checks{
		"operationId": text,
		"summary":     text,
		"requestBody": body(checks{"required": flag}),
		"responses":   entries(body(checks{"description": text})),
	})})(g, file, n)
}

// messageRef is where only a $ref may stand.
func messageRef(g *grammar, file string, n *yaml.Node) {
	if !g.follow(file, n, checks{}, namedMessage) {
		g.problem(file, n, "the schema must be a $ref to a named message")
	}
}

// namedMessage is a schema that $refs of the contract point to: a message or
// an enumeration.
func namedMessage(g *grammar, file string, n *yaml.Node) {
	keys := checks{"type": text, "description": text}
	_, kind := child(n, "type")
	switch {
	case kind != nil && kind.Value == "object":
		keys["properties"] = entries(protoField)
	case kind != nil && kind.Value == "string":
		keys["enum"] = list(text)
		if key, _ := child(n, "enum"); key == nil {
			g.problem(file, n, "a named string must have an enum")
			return
		}
	default:
		g.problem(file, n, "a named schema must be an object, or a string with an enum")
		return
	}
	mapping(keys)(g, file, n)
}

func protoField(g *grammar, file string, n *yaml.Node) {
	beside := checks{"description": text}.and(fieldDialect{})
	delete(beside, "x-iam-sensitive")
	if !g.follow(file, n, beside, namedMessage) {
		protoSchema(g, file, n, checks{"description": text}.and(fieldDialect{}))
	}
}

func protoItems(g *grammar, file string, n *yaml.Node) {
	if !g.follow(file, n, checks{}, namedMessage) {
		protoSchema(g, file, n, checks{})
	}
}

func protoSchema(g *grammar, file string, n *yaml.Node, keys checks) {
	key, kind := child(n, "type")
	if key == nil {
		g.problem(file, n, "a field must be a mapping with a type")
		return
	}
	keys["type"] = text
	switch kind.Value {
	case "string":
		keys["format"], keys["maxLength"] = text, whole
	case "integer":
		keys["format"] = text
	case "boolean":
	case "array":
		keys["items"], keys["maxItems"] = protoItems, whole
	default:
		g.problem(file, kind, "the type of a field must be string, integer, boolean or array, not %s; messages are named", kind.Value)
		return
	}
	mapping(keys)(g, file, n)
}
