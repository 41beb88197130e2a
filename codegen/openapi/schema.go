package openapi

import (
	"maps"
	"math"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"

	"iamserver/codegen/model"
)

// members reads the properties of a schema, in source order.
func (l *loader) members(schema *openapi3.Schema, at model.Position, input bool) []*model.Member {
	names := slices.SortedFunc(maps.Keys(schema.Properties), func(a, b string) int {
		return compare(position(originOf(schema.Properties[a])), position(originOf(schema.Properties[b])))
	})
	var members []*model.Member
	for _, name := range names {
		members = append(members, l.member(name, schema.Properties[name], slices.Contains(schema.Required, name), input))
	}
	for _, name := range schema.Required {
		if schema.Properties[name] == nil {
			l.problem(l.source.within(at, "required", name), "%s is required but not a property", name)
		}
	}
	return members
}

func (l *loader) member(name string, ref *openapi3.SchemaRef, required, input bool) *model.Member {
	annotations := ref.Extensions
	if ref.Ref == "" {
		annotations = ref.Value.Extensions
	}
	var d memberDialect
	l.decode(annotations, originOf(ref), &d)
	m := &model.Member{
		Position: position(originOf(ref)), Name: name, Doc: ref.Value.Description, Type: l.typeOf(ref, input), Required: required, Extension: d.Extension,
		WriteEmpty: d.Empty != "", URLEncoded: d.Encoding != "",
	}
	if !goName.MatchString(name) {
		l.problem(m.Position, "%q is not a name like UserName", name)
	}
	m.Default = l.defaultOf(m, ref.Value.Default)
	l.checkMember(m, d, input)
	return m
}

// originOf is where a property stands, not what its $ref points to.
func originOf(ref *openapi3.SchemaRef) *openapi3.Origin {
	if ref.Ref != "" {
		return ref.Origin
	}
	return ref.Value.Origin
}

// checkMember refuses what no generated code would honour.
func (l *loader) checkMember(m *model.Member, d memberDialect, input bool) {
	if d.Empty != "" && (d.Empty != "write" || m.Type.Kind != model.List || input) {
		l.problem(l.source.within(m.Position, "x-iam-empty"), "x-iam-empty can only be write, on a list of a response")
	}
	if d.Encoding != "" && (d.Encoding != "url" || m.Type.Kind != model.String || input) {
		l.problem(l.source.within(m.Position, "x-iam-encoding"), "x-iam-encoding can only be url, on a string of a response")
	}
	if m.Required && m.Default != nil {
		l.problem(l.source.within(m.Position, "default"), "%s is required and cannot have a default", m.Name)
	}
	switch t := m.Type; {
	case !input:
	case t.Kind == model.Map || t.Kind == model.Struct:
		l.problem(m.Position, "%s is a structure or a map, which a request cannot have outside a list", m.Name)
	case t.Kind == model.List && t.Elem.Kind == model.String && t.Elem.Scalar.Constrained() && len(t.Elem.Scalar.Enum) == 0 && t.Elem.Scalar.MaxLength == nil:
		l.problem(t.Elem.Scalar.Position, "the strings of a list in a request need a maxLength")
	}
}

func (l *loader) defaultOf(m *model.Member, value any) any {
	at := l.source.within(m.Position, "default")
	switch v := value.(type) {
	case nil:
		return nil
	case string:
		if m.Type.Kind == model.String && fits(m.Type.Scalar, v) {
			return v
		}
	case bool:
		if m.Type.Kind == model.Boolean {
			return v
		}
	case float64:
		if s := m.Type.Scalar; m.Type.Kind == model.Integer && v == math.Trunc(v) && (s.Min == nil || int(v) >= *s.Min) && (s.Max == nil || int(v) <= *s.Max) {
			return int(v)
		}
	}
	l.problem(at, "%s cannot have the default %v", m.Name, value)
	return nil
}

func fits(s *model.Scalar, value string) bool {
	n := utf8.RuneCountInString(value)
	pattern, err := goPattern(s.Pattern)
	return n >= s.MinLength && (s.MaxLength == nil || n <= *s.MaxLength) &&
		(len(s.Enum) == 0 || slices.Contains(s.Enum, value)) && err == nil && (s.Pattern == "" || pattern.MatchString(value))
}

// typeOf reads a schema. A $ref with annotations beside it makes kin-openapi
// copy the schema with those annotations; the id keeps the identity of what
// the $ref points to, and doc returns its own description.
func (l *loader) typeOf(ref *openapi3.SchemaRef, input bool) *model.Type {
	schema := ref.Value
	t := &model.Type{}
	id := ""
	if u := ref.RefPath(); ref.Ref != "" && u != nil {
		t.Name = u.Fragment[strings.LastIndex(u.Fragment, "/")+1:]
		id = u.Path + "#" + t.Name
		l.name(t.Name, position(schema.Origin))
	}
	switch {
	case schema.Type.Is("string") && schema.Format == "date-time":
		t.Kind, t.Scalar = model.Timestamp, l.scalar(id, t.Name, model.Timestamp, schema, input)
	case schema.Type.Is("string"):
		t.Kind, t.Scalar = model.String, l.scalar(id, t.Name, model.String, schema, input)
	case schema.Type.Is("integer"):
		t.Kind, t.Scalar = model.Integer, l.scalar(id, t.Name, model.Integer, schema, input)
	case schema.Type.Is("boolean"):
		t.Kind, t.Scalar = model.Boolean, l.scalar(id, t.Name, model.Boolean, schema, input)
	case schema.Type.Is("array"):
		t.Kind = model.List
		l.list(t, id, schema, input)
	case schema.AdditionalProperties.Schema != nil || schema.PropertyNames != nil:
		t.Kind = model.Map
		l.mapOf(t, schema, input)
	default:
		t.Kind, t.Struct = model.Struct, l.structure(id, t.Name, schema, input)
	}
	return t
}

// doc is the description of a named schema.
func (l *loader) doc(id string) string {
	file, name, _ := strings.Cut(id, "#")
	if id == "" {
		return ""
	}
	_, schema := child(l.source.open(file).root, name)
	if _, description := child(schema, "description"); description != nil {
		return description.Value
	}
	return ""
}

// name notes where a name is declared: generated code has one name space.
func (l *loader) name(name string, at model.Position) {
	if first, ok := l.named[name]; ok && first != at {
		l.problem(at, "the name %s is taken: it is declared at %s too", name, first)
		return
	}
	if !goName.MatchString(name) {
		l.problem(at, "%q is not a name like UserName", name)
	}
	l.named[name] = at
}

func (l *loader) mapOf(t *model.Type, schema *openapi3.Schema, input bool) {
	at := position(schema.Origin)
	if schema.PropertyNames == nil || schema.AdditionalProperties.Schema == nil || len(schema.Properties) > 0 {
		l.problem(at, "a map needs propertyNames and additionalProperties, and has no properties")
		t.Elem, t.Key = &model.Type{}, &model.Type{}
		return
	}
	t.Elem = l.typeOf(schema.AdditionalProperties.Schema, input)
	t.Key = l.typeOf(schema.PropertyNames, input)
	if t.Key.Kind != model.String || t.Elem.Kind != model.Integer && t.Elem.Kind != model.String {
		l.problem(at, "a map must have strings for keys and integers or strings for values")
	}
}

func (l *loader) list(t *model.Type, id string, schema *openapi3.Schema, input bool) {
	at := position(schema.Origin)
	if schema.Items == nil {
		l.problem(at, "a list needs items")
		t.Elem = &model.Type{Scalar: &model.Scalar{}}
		return
	}
	t.Elem = l.typeOf(schema.Items, input)
	if t.Elem.Kind != model.Struct && (t.Elem.Kind != model.String || t.Elem.Scalar.Sensitive) {
		l.problem(at, "the items of a list must be structures, or strings that are no secrets")
		return
	}
	var d listDialect
	l.decode(schema.Extensions, schema.Origin, &d)
	if id == "" {
		if schema.MaxItems != nil || d.Unique != nil {
			l.problem(at, "a schema with constraints must be a named one")
		}
		return
	}
	if l.lists[id] == nil {
		l.lists[id] = &model.Sequence{Position: at, Name: t.Name, Doc: l.doc(id), Elem: t.Elem, Max: intOf(schema.MaxItems), Unique: l.unique(t.Elem, d.Unique, at)}
	}
	t.List = l.lists[id]
	t.List.InInput = t.List.InInput || input
}

func (l *loader) unique(elem *model.Type, d *uniqueDialect, at model.Position) *model.Unique {
	if d == nil {
		return nil
	}
	at = l.source.within(at, "x-iam-unique")
	var key *model.Member
	if elem.Kind == model.Struct {
		key = elem.Struct.Member(d.Member)
	}
	if key == nil || key.Type.Kind != model.String || !key.Required {
		l.problem(at, "x-iam-unique must name a required string member of the items")
	}
	return &model.Unique{Position: at, Member: d.Member, FoldCase: d.FoldCase, Error: d.Error}
}

func (l *loader) structure(id, name string, schema *openapi3.Schema, input bool) *model.Structure {
	if id == "" {
		l.problem(position(schema.Origin), "a structure must be a named schema")
		return &model.Structure{}
	}
	s := l.structs[id]
	if s == nil {
		s = &model.Structure{Position: position(schema.Origin), Name: name, Doc: l.doc(id)}
		l.structs[id] = s
	}
	// A structure that requests and responses share is read for each, since
	// they allow different members.
	if input && !s.InInput || !input && !s.InOutput {
		s.InInput, s.InOutput = s.InInput || input, s.InOutput || !input
		s.Members = l.members(schema, s.Position, input)
	}
	return s
}

func (l *loader) scalar(id, name string, kind model.Kind, schema *openapi3.Schema, input bool) *model.Scalar {
	s := l.scalars[id]
	if s == nil {
		var d scalarDialect
		l.decode(schema.Extensions, schema.Origin, &d)
		s = &model.Scalar{
			Position: position(schema.Origin), Name: name, Kind: kind, Doc: l.doc(id), MinLength: int(schema.MinLength),
			AWSPattern: d.AWSPattern, Message: d.Message, Sensitive: d.Sensitive, Audit: d.Audit,
		}
		s.MaxLength, s.Min, s.Max = intOf(schema.MaxLength), bound(schema.Min), bound(schema.Max)
		for _, e := range schema.Enum {
			if value, ok := e.(string); ok {
				s.Enum = append(s.Enum, value)
			}
		}
		s.Pattern = l.pattern(schema.Pattern, l.source.within(s.Position, "pattern"))
		l.checkScalar(s, schema.Format)
		if id != "" {
			l.scalars[id] = s
		}
	}
	if input && s.Sensitive && s.MaxLength == nil {
		l.problem(s.Position, "%s is a secret in a request and needs a maxLength", name)
	}
	return s
}

var formats = map[model.Kind]string{model.String: "", model.Integer: "int32", model.Boolean: "", model.Timestamp: "date-time"}

// checkScalar refuses what no generated code would honour.
func (l *loader) checkScalar(s *model.Scalar, format string) {
	if want := formats[s.Kind]; format != want {
		kind := "strings must have the format date-time, or none"
		if s.Kind == model.Integer {
			kind = "integers must have the format int32"
		}
		l.problem(l.source.within(s.Position, "format"), "%s", kind)
	}
	if (s.Constrained() || s.Sensitive) && s.Name == "" {
		l.problem(s.Position, "a schema with constraints must be a named one")
	}
	if s.Kind == model.Timestamp && s.Constrained() {
		l.problem(s.Position, "%s is a timestamp and cannot have constraints", s.Name)
	}
	if (s.Min == nil) != (s.Max == nil) {
		l.problem(s.Position, "%s needs both a minimum and a maximum, or neither", s.Name)
	}
	if s.Pattern == "" && (s.Message != "" || s.AWSPattern != "") {
		l.problem(s.Position, "%s has no pattern for x-iam-message or x-iam-aws-pattern to speak of", s.Name)
	}
	if s.Sensitive && s.Audit {
		l.problem(l.source.within(s.Position, "x-iam-audit"), "%s is sensitive and cannot be audited", s.Name)
	}
	if s.Sensitive && (s.Kind != model.String || s.Pattern != "" || len(s.Enum) > 0) {
		l.problem(s.Position, "%s is sensitive, so it can only be a string, and constrained in length alone", s.Name)
	}
}

func intOf(n *uint64) *int {
	if n == nil {
		return nil
	}
	i := int(*n)
	return &i
}

func bound(n *float64) *int {
	if n == nil {
		return nil
	}
	i := int(*n)
	return &i
}

// pattern takes the anchors off: AWS's patterns are implicitly anchored,
// OpenAPI's are not, and messages quote the bare one.
func (l *loader) pattern(p string, at model.Position) string {
	if p == "" {
		return ""
	}
	bare, start := strings.CutPrefix(p, "^")
	bare, end := strings.CutSuffix(bare, "$")
	if !start || !end {
		l.problem(at, "the pattern %s must be anchored, ^…$", p)
		return bare
	}
	tree, err := syntax.Parse(goEscapes(p), syntax.Perl)
	if err != nil {
		l.problem(at, "the pattern %s: %v", p, err)
		return bare
	}
	if tree.Op == syntax.OpAlternate {
		l.problem(at, "the anchors of %s do not enclose its alternatives; write ^(?:…)$", p)
	}
	if inner, ok := strings.CutPrefix(bare, "(?:"); ok && strings.HasSuffix(inner, ")") {
		inner = strings.TrimSuffix(inner, ")")
		if _, err := regexp.Compile(goEscapes(inner)); err == nil {
			return inner
		}
	}
	return bare
}

func goPattern(bare string) (*regexp.Regexp, error) {
	return regexp.Compile(`^(?:` + goEscapes(bare) + `)$`)
}

// goEscapes writes the \u0020 of AWS's patterns as Go's \x{0020}.
func goEscapes(p string) string { return unicodeEscape.ReplaceAllString(p, `\x{$1}`) }

var unicodeEscape = regexp.MustCompile(`\\u([0-9A-Fa-f]{4})`)
