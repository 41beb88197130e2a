package awsmodel

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"iamserver/codegen/model"
)

// Import returns the YAML of an operation of AWS's model in the form of the
// specification, to start from: the action, the shapes that the specification
// does not have yet, and the error codes. What a model cannot say (a summary,
// the access level, the resource) is left empty, so that the file does not
// load before somebody has said it.
func Import(service *model.Service, theirs *Model, action string) (string, error) {
	o, ok := theirs.Operations.Get(action)
	if !ok {
		return "", fmt.Errorf("the model of %s has no operation %s", theirs.Metadata.ServiceID, action)
	}
	i := &importer{theirs: theirs, known: known(service, theirs)}
	i.action(o)
	for len(i.missing) > 0 {
		name := i.missing[0]
		i.missing = i.missing[1:]
		i.shape(name)
	}
	i.errors(service, o)
	return i.out.String(), nil
}

// newFile is where the shapes that the specification lacks are to stand.
const newFile = "new.yaml"

type importer struct {
	theirs  *Model
	known   map[string]string // $refs of the specification by AWS's names of shapes
	missing []string          // AWS's names of shapes still to be printed
	asked   []string          // all that ever were in missing
	out     strings.Builder
}

// known learns from the operations that both have which of our shapes each of
// AWS's is: the one that is used most in its place, if it has the same name or
// the same constraints.
func known(service *model.Service, theirs *Model) map[string]string {
	files := map[string]string{}
	for _, s := range service.Shapes {
		files[s.Name] = s.File
	}
	for _, s := range service.Scalars {
		files[s.Name] = s.File
	}
	for _, l := range service.Lists {
		files[l.Name] = l.File
	}
	uses := map[string]map[string]int{}
	d := &differ{ours: Of(service), theirs: theirs, seen: map[[2]string]bool{}}
	d.paired = func(ours, theirs string) {
		if files[ours] == "" || ourName(theirs) != ours && !d.equal(ours, theirs) {
			return
		}
		if uses[theirs] == nil {
			uses[theirs] = map[string]int{}
		}
		uses[theirs][ours]++
	}
	d.operations()
	refs := map[string]string{}
	for theirs, counts := range uses {
		most := slices.MaxFunc(slices.Sorted(maps.Keys(counts)), func(a, b string) int { return cmp.Compare(counts[a], counts[b]) })
		refs[theirs] = path.Base(files[most]) + "#/" + most
	}
	return refs
}

func (i *importer) line(indent int, format string, args ...any) {
	i.out.WriteString(strings.Repeat("  ", indent) + fmt.Sprintf(format, args...) + "\n")
}

func (i *importer) action(o *Operation) {
	i.line(0, "# actions/…")
	i.line(0, "%s:", o.Name)
	i.line(1, "post:")
	i.line(2, "operationId: %s", o.Name)
	i.line(2, "summary: # one sentence with its full stop")
	i.line(2, "x-iam-access: # Read, Write, List, Tagging or PermissionsManagement")
	i.line(2, "x-iam-resource: # what it is authorized on, such as {type: user, name: UserName}; without the key, *")
	i.line(2, "x-iam-errors: [%s]", text(codes(i.theirs, o)))
	if p, ok := i.theirs.Pagination.Get(o.Name); ok {
		more := ""
		if len(p.NonAggregate) > 0 {
			more = ", non-aggregate: [" + text(p.NonAggregate) + "]"
		}
		i.line(2, "x-iam-pagination: {input: %s, output: %s, limit: %s, truncated: %s, items: [%s]%s}",
			p.InputToken, p.OutputToken, p.LimitKey, p.MoreResults, text(p.ResultKey), more)
	}
	if input := i.shapeOf(o.Input); len(input.Members) > 0 {
		i.line(2, "requestBody:")
		i.line(3, "required: true")
		i.line(3, "content:")
		i.line(4, "application/x-www-form-urlencoded:")
		i.line(5, "schema:")
		i.object(6, input, "../shapes/")
	}
	i.line(2, "responses:")
	i.line(3, `"200":`)
	i.line(4, "description: # what the answer is")
	if o.Output != nil {
		i.line(4, "content:")
		i.line(5, "text/xml:")
		i.line(6, "schema:")
		i.object(7, i.shapeOf(o.Output), "../shapes/")
	}
}

func (i *importer) shapeOf(r *Reference) *Shape {
	if r == nil {
		return &Shape{}
	}
	return i.theirs.shape(r.Shape)
}

func (i *importer) object(indent int, s *Shape, folder string) {
	i.line(indent, "type: object")
	if len(s.Required) > 0 {
		i.line(indent, "required: [%s]", text(s.Required))
	}
	i.line(indent, "properties:")
	for _, m := range s.Members {
		i.line(indent+1, "%s: %s", m.Name, i.use(m.Value, folder))
	}
}

// use is the schema at a member or an item: a $ref to a named schema, or an
// inline one where there is nothing to name.
func (i *importer) use(r *Reference, folder string) string {
	s := i.theirs.shape(r.Shape)
	if ref := i.known[r.Shape]; ref != "" {
		return "{$ref: '" + folder + ref + "'}"
	}
	switch {
	case s.Type == "list" && s.Max == nil:
		return "{type: array, items: " + i.use(s.Member, folder) + "}"
	case s.Type == "boolean":
		return "{type: boolean}"
	case s.Type == "timestamp":
		return "{type: string, format: date-time}"
	case s.Type == "string" && s.Min == nil && s.Max == nil && s.Pattern == "" && len(s.Enum) == 0 && !s.Sensitive:
		return "{type: string}"
	case s.Type == "integer" && s.Min == nil && s.Max == nil:
		return "{type: integer, format: int32}"
	}
	if !slices.Contains(i.asked, r.Shape) {
		i.asked = append(i.asked, r.Shape)
		i.missing = append(i.missing, r.Shape)
	}
	return "{$ref: '" + folder + newFile + "#/" + ourName(r.Shape) + "'}"
}

// ourName turns roleNameType into RoleName.
func ourName(shape string) string {
	name := strings.TrimSuffix(shape, "Type")
	return strings.ToUpper(name[:1]) + name[1:]
}

// shape prints a named schema.
func (i *importer) shape(name string) {
	s := i.theirs.shape(name)
	if name == i.asked[0] {
		i.line(0, "\n# shapes/%s", newFile)
	}
	i.line(0, "%s:", ourName(name))
	switch s.Type {
	case "structure":
		i.object(1, s, "")
	case "list":
		i.line(1, "type: array")
		i.line(1, "maxItems: %d", *s.Max)
		i.line(1, "items: %s", i.use(s.Member, ""))
	case "map":
		i.line(1, "type: object")
		i.line(1, "propertyNames: %s", i.use(s.Key, ""))
		i.line(1, "additionalProperties: %s", i.use(s.Value, ""))
	default:
		i.scalar(s)
	}
}

func (i *importer) scalar(s *Shape) {
	i.line(1, "type: %s", s.Type)
	if s.Type == "string" {
		i.limits("minLength", "maxLength", s)
	} else {
		i.line(1, "format: int32")
		i.limits("minimum", "maximum", s)
	}
	if s.Pattern != "" {
		i.line(1, "pattern: '%s'", strings.ReplaceAll(anchored(s.Pattern), "'", "''"))
	}
	if len(s.Enum) > 0 {
		i.line(1, "enum: [%s]", text(s.Enum))
	}
	if s.Sensitive {
		i.line(1, "x-iam-sensitive: true")
	}
}

func (i *importer) limits(least, most string, s *Shape) {
	if s.Min != nil && (*s.Min > 0 || s.Type != "string") {
		i.line(1, "%s: %d", least, *s.Min)
	}
	if s.Max != nil {
		i.line(1, "%s: %d", most, *s.Max)
	}
}

func anchored(pattern string) string {
	switch {
	case strings.HasPrefix(pattern, "^") && strings.HasSuffix(pattern, "$"):
		return pattern
	case strings.Contains(pattern, "|"):
		return "^(?:" + pattern + ")$"
	default:
		return "^" + pattern + "$"
	}
}

// errors prints the codes that errors.yaml lacks.
func (i *importer) errors(service *model.Service, o *Operation) {
	first := true
	for _, e := range o.Errors {
		their := i.theirs.shape(e.Shape).Error
		if their == nil || service.Code(their.Code) != nil {
			continue
		}
		if first {
			i.line(0, "\n# errors.yaml")
			first = false
		}
		fault := "Receiver"
		if their.SenderFault {
			fault = "Sender"
		}
		i.line(0, "%s:", their.Code)
		i.line(1, "description: # when it is answered")
		i.line(1, "x-iam-error: {status: %d, fault: %s}", their.HTTPStatusCode, fault)
	}
}
