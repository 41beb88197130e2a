package emit

import (
	"reflect"
	"slices"

	"github.com/dave/jennifer/jen"

	"iamserver/codegen/model"
	"iamserver/runtime/operation"
)

const pkgOperation = module + "/runtime/operation"

// Requests returns the Go packages of a service that is called by REST
// requests: the table of its operations, and its error codes.
func Requests(r *model.Requests) (Files, error) {
	g := &generator{service: r.Service, files: Files{}}
	g.operations(r)
	g.errorPackage()
	return g.files, g.err
}

// operations emits
//
//	var Operations = []operation.Operation{
//		// GetObject: reads an object.
//		{
//			Name:   "GetObject",
//			Method: "GET",
//			…
//		},
//	}
func (g *generator) operations(r *model.Requests) {
	s := r.Service
	f := goFile(module+"/generated/"+s.Package, "spec/"+r.File)
	f.ImportName(pkgOperation, "operation")
	f.PackageComment("// Package " + s.Package + " holds the table of the requests of " + s.Title + ": how each is")
	f.PackageComment("// recognised and what it needs. It reads no request.")
	f.Comment("Namespace is that of the XML documents.")
	f.Const().Id("Namespace").Op("=").Lit(s.Namespace).Line()

	f.Comment("Unsupported are the headers that a request must not have.")
	f.Var().Id("Unsupported").Op("=").Index().Qual(pkgOperation, "Unsupported").Add(block(each(r.Unsupported, func(h model.Header) jen.Code {
		return literal(reflect.ValueOf(operation.Unsupported{Header: h.Name, Reason: h.Reason}), false)
	})...)).Line()

	f.Comment("Operations are the operations, in the order of the specification.")
	f.Var().Id("Operations").Op("=").Index().Qual(pkgOperation, "Operation").Add(block(each(r.Operations, func(o *model.Operation) jen.Code {
		return jen.Add(comment(o.Name + ": " + lowerFirst(o.Summary))).Line().Add(literal(reflect.ValueOf(o.Operation), true))
	})...))
	g.write(s.Package, "operations", f)
}

func each[T any](list []T, code func(T) jen.Code) []jen.Code {
	var out []jen.Code
	for _, v := range list {
		out = append(out, code(v))
	}
	return out
}

// The constants of package operation, in the order of their values.
var constants = map[reflect.Type][]string{
	reflect.TypeFor[operation.Target]():   {"Service", "Bucket", "Object"},
	reflect.TypeFor[operation.Resource](): {"OnAll", "OnBucket", "OnObject", "OnSource", "OnEntries"},
	reflect.TypeFor[operation.State]():    {"Always", "Governed", "SourceTagged", "Tagged", "Compared"},
	reflect.TypeFor[operation.Body](): {
		"NoBody", "ObjectBody", "Document", "Form", "Deletions", "Tagging", "Retention", "LegalHold", "NewBucket", "ACL", "Policy",
	},
	reflect.TypeFor[operation.Source](): {
		"FromHeader", "FromQuery", "FromTags", "FromTagKeys", "FromDays", "FromBody", "FromStore", "FromNeed", "Constant",
	},
}

// Fields that a row shows though they have the zero value.
var shown = []string{"Method", "Target", "On", "Source"}

// literal is a value of package operation without its type: {Name: "…"}. Other
// fields with the zero value are left out.
func literal(v reflect.Value, multi bool) *jen.Statement {
	switch v.Kind() {
	case reflect.String:
		return jen.Lit(v.String())
	case reflect.Bool:
		return jen.Lit(v.Bool())
	case reflect.Uint8:
		return jen.Qual(pkgOperation, constants[v.Type()][v.Uint()])
	case reflect.Pointer:
		return jen.Op("&").Qual(pkgOperation, v.Type().Elem().Name()).Add(literal(v.Elem(), false))
	case reflect.Slice:
		elem := v.Type().Elem()
		list := jen.Index().Qual(pkgOperation, elem.Name())
		if elem.Kind() == reflect.String {
			list = jen.Index().String()
		}
		var items []jen.Code
		for i := range v.Len() {
			items = append(items, literal(v.Index(i), false))
		}
		return list.Custom(jen.Options{Open: "{", Close: "}", Separator: ",", Multi: elem.Kind() != reflect.String}, items...)
	default:
		var fields []jen.Code
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			if !v.Field(i).IsZero() || slices.Contains(shown, name) {
				fields = append(fields, jen.Id(name).Op(":").Add(literal(v.Field(i), false)))
			}
		}
		return jen.Custom(jen.Options{Open: "{", Close: "}", Separator: ",", Multi: multi}, fields...)
	}
}
