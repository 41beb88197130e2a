package openapi

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// A grammar checks the form of the documents before kin-openapi reads them:
// which keys may stand where, and what kind of value each one takes. It is
// strict, because a key that nobody reads (a misspelt one, a constraint of
// another type) would be a rule that nobody enforces; and it knows where each
// key stands, which kin-openapi's errors mostly do not.
type grammar struct {
	*source

	problems  Problems
	key       string              // that heads the value being checked
	seen      map[*yaml.Node]bool // keys of the named shapes and actions that a $ref reaches
	enclosing []*yaml.Node        // shapes that enclose the one being checked
}

// A check looks at one value of a file.
type check func(g *grammar, file string, n *yaml.Node)

// checks are the keys that a mapping may have.
type checks map[string]check

// and adds the x-iam keys that the fields of dialects name.
func (c checks) and(dialects ...any) checks {
	all := maps.Clone(c)
	for _, d := range dialects {
		t := reflect.TypeOf(d)
		for i := range t.NumField() {
			all[t.Field(i).Tag.Get("json")] = dialectValue(t.Field(i).Type)
		}
	}
	return all
}

// dialectValue is the check of a value that is decoded into a Go type.
func dialectValue(t reflect.Type) check {
	switch t.Kind() {
	case reflect.Bool:
		return flag
	case reflect.Int:
		return whole
	case reflect.Pointer:
		return dialectValue(t.Elem())
	case reflect.Map:
		return entries(dialectValue(t.Elem()))
	case reflect.Struct:
		return mapping(checks{}.and(reflect.Zero(t).Interface()))
	case reflect.Slice:
		if t == reflect.TypeFor[needList]() {
			return list(needOrName)
		}
		item := dialectValue(t.Elem())
		if t == reflect.TypeFor[oneOrMany]() {
			return func(g *grammar, file string, n *yaml.Node) {
				if n.Kind == yaml.SequenceNode {
					list(item)(g, file, n)
				} else {
					item(g, file, n)
				}
			}
		}
		return list(item)
	default:
		return text
	}
}

func (g *grammar) problem(file string, n *yaml.Node, format string, args ...any) {
	g.problems = append(g.problems, Problem{positionOf(file, n), fmt.Sprintf(format, args...)})
}

// root checks a root document and all that it refers to.
func (g *grammar) root(file string) {
	if g.open(file).root == nil {
		g.problems = append(g.problems, g.open(file).problem)
		return
	}
	mapping(checks{
		"openapi": text,
		"info":    mapping(checks{"title": text, "version": text, "description": text}),
		"tags":    list(mapping(checks{"name": text, "description": text})),
		"paths":   entries(pathItem),
	}.and(rootDialect{}))(g, file, g.open(file).root)
}

// errorCodes checks errors.yaml.
func (g *grammar) errorCodes(file string) {
	if g.open(file).root == nil {
		g.problems = append(g.problems, g.open(file).problem)
		return
	}
	entries(mapping(checks{}.and(errorDialect{})))(g, file, g.open(file).root)
}

func pathItem(g *grammar, file string, n *yaml.Node) {
	if g.follow(file, n, nil, pathItem) {
		return
	}
	mapping(checks{"post": mapping(checks{
		"operationId": text,
		"summary":     text,
		"requestBody": mapping(checks{"required": flag, "content": entries(media(parameters))}),
		"responses":   entries(mapping(checks{"description": text, "content": entries(media(results))})),
	}.and(actionDialect{}))})(g, file, n)
}

func media(schema check) check { return mapping(checks{"schema": schema}) }

// parameters and results are the schemas at the top of a request and a response.
func parameters(g *grammar, file string, n *yaml.Node) {
	mapping(checks{"type": text, "required": list(text), "properties": entries(member)})(g, file, n)
}

func results(g *grammar, file string, n *yaml.Node) {
	mapping(checks{"type": text, "required": list(text), "properties": entries(member)}.and(outputDialect{}))(g, file, n)
}

// member is a property of an object.
func member(g *grammar, file string, n *yaml.Node) {
	annotations := checks{"description": text, "default": scalar}.and(memberDialect{})
	if !g.follow(file, n, annotations, namedSchema) {
		schema(g, file, n, annotations)
	}
}

// part is what a list or a map holds.
func part(g *grammar, file string, n *yaml.Node) {
	if !g.follow(file, n, checks{}, namedSchema) {
		schema(g, file, n, nil)
	}
}

func namedSchema(g *grammar, file string, n *yaml.Node) {
	if key, _ := child(n, "$ref"); key != nil {
		g.problem(file, key, "a named schema cannot be a $ref itself")
		return
	}
	schema(g, file, n, nil)
}

var schemaTypes = []string{"string", "integer", "boolean", "array", "object"}

// schemaKeys are the keys that a schema of a type may have.
func schemaKeys(kind string) checks {
	keys := checks{"type": text, "description": text}
	switch kind {
	case "string":
		maps.Copy(keys, checks{"format": text, "minLength": whole, "maxLength": whole, "pattern": text, "enum": list(text)}.and(scalarDialect{}))
	case "integer":
		maps.Copy(keys, checks{"format": text, "minimum": whole, "maximum": whole}.and(scalarDialect{}))
	case "boolean":
		maps.Copy(keys, checks{}.and(scalarDialect{}))
	case "array":
		maps.Copy(keys, checks{"items": part, "maxItems": whole}.and(listDialect{}))
	case "object":
		maps.Copy(keys, checks{"required": list(text), "properties": entries(member), "additionalProperties": part, "propertyNames": part})
	}
	return keys
}

func schema(g *grammar, file string, n *yaml.Node, annotations checks) {
	key, kind := child(n, "type")
	if key == nil {
		g.problem(file, n, "a schema must be a mapping with a type")
		return
	}
	if !slices.Contains(schemaTypes, kind.Value) {
		g.problem(file, kind, "the type must be one of %s, not %s", strings.Join(schemaTypes, ", "), kind.Value)
		return
	}
	keys := schemaKeys(kind.Value)
	maps.Copy(keys, annotations)
	mapping(keys)(g, file, n)
}

// follow checks what a $ref points to, once, and what stands beside the $ref.
// It returns false if n is no $ref.
func (g *grammar) follow(file string, n *yaml.Node, beside checks, target check) bool {
	at, ref := child(n, "$ref")
	if at == nil {
		return false
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		switch known := beside[name.Value]; {
		case name == at:
		case known != nil:
			known(g, file, value)
		case isConstraint(name.Value):
			g.problem(file, name, "%s cannot stand beside a $ref: a constraint belongs into the schema, so that it has one home", name.Value)
		default:
			g.problem(file, name, "%s is not known beside a $ref", name.Value)
		}
	}
	to, key, value := g.resolve(file, ref.Value)
	switch {
	case g.open(to).root == nil:
		broken := g.open(to).problem
		if broken.Line == 1 { // the file as a whole: missing, or no mapping
			broken = Problem{positionOf(file, ref), ref.Value + ": " + broken.Text}
		}
		g.problems = append(g.problems, broken)
	case value == nil:
		g.problem(file, ref, "$ref: %s has no %s", to, ref.Value[strings.LastIndex(ref.Value, "/")+1:])
	case slices.Contains(g.enclosing, value):
		g.problem(file, ref, "%s contains itself", key.Value)
	case !g.seen[key]:
		g.seen[key] = true
		g.enclosing = append(g.enclosing, value)
		target(g, to, value)
		g.enclosing = g.enclosing[:len(g.enclosing)-1]
	}
	return true
}

func isConstraint(name string) bool {
	return !strings.HasPrefix(name, "x-") && slices.ContainsFunc(schemaTypes, func(kind string) bool { return schemaKeys(kind)[name] != nil })
}

// mapping checks a mapping with the keys given.
func mapping(keys checks) check {
	return func(g *grammar, file string, n *yaml.Node) {
		each(g, file, n, func(key, value *yaml.Node) {
			known := keys[key.Value]
			if known == nil {
				g.problem(file, key, "%s is not known here", key.Value)
				return
			}
			known(g, file, value)
		})
	}
}

// entries checks a mapping with keys of the author's choice.
func entries(value check) check {
	return func(g *grammar, file string, n *yaml.Node) {
		each(g, file, n, func(_, v *yaml.Node) { value(g, file, v) })
	}
}

func each(g *grammar, file string, n *yaml.Node, visit func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		g.problem(file, n, "%s must be a mapping", g.key)
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		g.key = n.Content[i].Value
		visit(n.Content[i], n.Content[i+1])
	}
}

func list(item check) check {
	return func(g *grammar, file string, n *yaml.Node) {
		if n.Kind != yaml.SequenceNode {
			g.problem(file, n, "%s must be a list", g.key)
			return
		}
		key := g.key
		for _, v := range n.Content {
			g.key = key
			item(g, file, v)
		}
	}
}

func text(g *grammar, file string, n *yaml.Node) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		g.problem(file, n, "%s must be text", g.key)
	}
}

func flag(g *grammar, file string, n *yaml.Node) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		g.problem(file, n, "%s must be true or false", g.key)
	}
}

func whole(g *grammar, file string, n *yaml.Node) {
	if _, err := strconv.ParseInt(n.Value, 10, 32); err != nil || n.Tag != "!!int" || n.Value[0] == '-' {
		g.problem(file, n, "%s must be a whole number from 0 to 2147483647", g.key)
	}
}

func scalar(g *grammar, file string, n *yaml.Node) {
	if n.Kind != yaml.ScalarNode {
		g.problem(file, n, "%s must be text, a number, or true or false", g.key)
	}
}

// unreached returns the names at the top level of a file that no $ref reaches.
func (g *grammar) unreached(file string) []*yaml.Node {
	return slices.DeleteFunc(g.keys(file, ""), func(key *yaml.Node) bool { return g.seen[key] })
}
