package emit

import (
	"fmt"
	"path"
	"strings"

	"github.com/dave/jennifer/jen"

	"iamserver/codegen/model"
)

const pkgWire = module + "/plugins/wire"

// Plugin returns everything that is generated from the contract with plugins:
// the Go messages, which the server and guests in Go share, the codecs of other
// guests, plugin.proto, golden vectors and the reference page.
func Plugin(p *model.Plugin) (Files, error) {
	g := &pluginGenerator{generator: generator{service: &model.Service{Package: p.Package}, files: Files{}}, plugin: p}
	g.hooks()
	g.messages()
	g.files["generated/"+p.Package+"/plugin.proto"] = protoFile(p)
	g.files["generated/"+p.Package+"/vectors.json"] = vectors(p)
	g.files["plugins/guest/c/iam_messages.h"] = cHeader(p)
	g.files["plugins/guest/assemblyscript/messages.ts"] = scriptModule(p)
	g.files["docs/plugin-messages.md"] = pluginReference(p)
	return g.files, g.err
}

type pluginGenerator struct {
	generator

	plugin *model.Plugin
}

// export is the name that a module exports for a hook: iam_v1_authorize.
func export(p *model.Plugin, h *model.Hook) string {
	return fmt.Sprintf("iam_v%d_%s", p.Major, snake(h.Name))
}

// hooks emits
//
//	const (
//		// ExportAuthorize is asked about a request after …
//		ExportAuthorize = "iam_v1_authorize"
//	)
func (g *pluginGenerator) hooks() {
	f := g.file(g.plugin.File)
	f.PackageComment("Package " + g.plugin.Package + " holds the messages between the server and its plugins. It calls no")
	f.PackageComment("plugin; see package host. Guests written in Go use the same code, so it imports next to nothing.")
	f.Comment("The version of the messages. The major version is part of the names that modules export.")
	f.Const().Defs(jen.Id("Major").Op("=").Lit(g.plugin.Major), jen.Id("Minor").Op("=").Lit(g.plugin.Minor)).Line()
	f.Comment("The functions that a module may export.")
	f.Const().DefsFunc(func(d *jen.Group) {
		for _, h := range g.plugin.Hooks {
			d.Add(comment("Export" + h.Name + " " + lowerFirst(h.Summary)))
			d.Id("Export" + h.Name).Op("=").Lit(export(g.plugin, h))
		}
	})
	g.write(g.plugin.Package, "hooks", f)
}

// messages writes one Go file for each file of the specification.
func (g *pluginGenerator) messages() {
	var order []string
	files := map[string]*jen.File{}
	file := func(source string) *jen.File {
		if files[source] == nil {
			order = append(order, source)
			files[source] = g.file(source)
			files[source].ImportName(pkgWire, "wire")
		}
		return files[source]
	}
	for _, m := range g.plugin.Messages {
		protoStruct(file(m.File), m)
	}
	for _, e := range g.plugin.Enums {
		protoEnum(file(e.File), e)
	}
	for _, source := range order {
		g.write(g.plugin.Package, strings.TrimSuffix(path.Base(source), ".yaml"), files[source])
	}
}

// camel turns access_key_id into AccessKeyId.
func camel(name string) string {
	var b strings.Builder
	for _, word := range strings.Split(strings.ToLower(name), "_") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// protoStruct writes the type of a message with its Size, Append and Decode.
func protoStruct(f *jen.File, m *model.ProtoMessage) {
	f.Add(comment(m.Name + " is " + lowerFirst(m.Doc)))
	f.Type().Id(m.Name).StructFunc(func(g *jen.Group) {
		for _, field := range m.Fields {
			g.Add(comment(field.Doc))
			g.Id(camel(field.Name)).Add(protoType(field)).Tag(map[string]string{"json": field.Name + ",omitempty"})
		}
	}).Line()
	receiver := func() *jen.Statement { return jen.Func().Params(jen.Id("m").Op("*").Id(m.Name)) }

	f.Comment("Size is the length of the wire form of m.")
	f.Add(receiver()).Id("Size").Params().Int().BlockFunc(func(g *jen.Group) {
		g.Id("n").Op(":=").Lit(0)
		for _, field := range m.Fields {
			protoCall(g, field, "Size", func(call *jen.Statement) *jen.Statement { return jen.Id("n").Op("+=").Add(call) })
		}
		g.Return(jen.Id("n"))
	}).Line()

	f.Comment("Append appends the wire form of m to b.")
	f.Add(receiver()).Id("Append").Params(jen.Id("b").Index().Byte()).Index().Byte().BlockFunc(func(g *jen.Group) {
		for _, field := range m.Fields {
			protoCall(g, field, "Append", func(call *jen.Statement) *jen.Statement { return jen.Id("b").Op("=").Add(call) })
		}
		g.Return(jen.Id("b"))
	}).Line()

	f.Add(comment("Decode reads a message into m, which should be empty. Strings of m are parts of message."))
	f.Add(receiver()).Id("Decode").Params(jen.Id("message").String()).Error().Block(
		jen.Id("r").Op(":=").Qual(pkgWire, "Read").Call(jen.Id("message")),
		jen.For(jen.Id("r").Dot("Next").Call()).Block(
			jen.Switch(jen.Id("r").Dot("Field").Call()).BlockFunc(func(g *jen.Group) {
				for _, field := range m.Fields {
					g.Case(jen.Lit(field.Number)).Block(decodeField(field)...)
				}
			}),
		),
		jen.Return(jen.Id("r").Dot("Err").Call()),
	).Line()
}

func protoType(f *model.ProtoField) *jen.Statement {
	t := jen.Null()
	if f.Repeated {
		t = jen.Index()
	}
	switch f.Kind {
	case model.ProtoString:
		return t.String()
	case model.ProtoBytes:
		if f.Sensitive {
			return t.Qual(pkgWire, "Secret")
		}
		return t.Index().Byte()
	case model.ProtoInt64:
		return t.Int64()
	case model.ProtoBool:
		return t.Bool()
	case model.ProtoEnumeration:
		return t.Id(f.Enum.Name)
	default:
		if f.Repeated {
			return t.Id(f.Message.Name)
		}
		return t.Op("*").Id(f.Message.Name)
	}
}

// protoCall emits, for Size or Append,
//
//	b = wire.AppendString(b, 1, m.Action)
//
// and for a repeated field
//
//	for i := range m.Context {
//		b = wire.AppendMessage(b, 12, &m.Context[i])
//	}
func protoCall(g *jen.Group, f *model.ProtoField, verb string, assign func(*jen.Statement) *jen.Statement) {
	value := jen.Id("m").Dot(camel(f.Name))
	call := func(kind string, value *jen.Statement) *jen.Statement {
		args := []jen.Code{jen.Lit(f.Number), value}
		if verb == "Append" {
			args = append([]jen.Code{jen.Id("b")}, args...)
		}
		return assign(jen.Qual(pkgWire, verb+kind).Call(args...))
	}
	switch {
	case f.Kind == model.ProtoNested && f.Repeated:
		g.For(jen.Id("i").Op(":=").Range().Add(value.Clone())).Block(call("Message", jen.Op("&").Add(value.Clone()).Index(jen.Id("i"))))
	case f.Kind == model.ProtoNested:
		g.If(value.Clone().Op("!=").Nil()).Block(call("Message", value))
	case f.Repeated:
		g.For(jen.List(jen.Id("_"), jen.Id("s")).Op(":=").Range().Add(value)).Block(call("Element", jen.Id("s")))
	case f.Kind == model.ProtoEnumeration:
		g.Add(call("Int", jen.Int64().Parens(value)))
	default:
		g.Add(call(map[model.ProtoKind]string{
			model.ProtoString: "String", model.ProtoBytes: "Bytes", model.ProtoInt64: "Int", model.ProtoBool: "Bool",
		}[f.Kind], value))
	}
}

// decodeField emits
//
//	m.Action = r.String(wire.Unlimited)
//
// and for a repeated field
//
//	if r.Room(len(m.Findings), 64) {
//		m.Findings = append(m.Findings, Finding{})
//		r.Nested(&m.Findings[len(m.Findings)-1])
//	}
func decodeField(f *model.ProtoField) []jen.Code {
	value := func() *jen.Statement { return jen.Id("m").Dot(camel(f.Name)) }
	read := func(method string, args ...jen.Code) *jen.Statement { return jen.Id("r").Dot(method).Call(args...) }
	limit := func(n *int) *jen.Statement {
		if n == nil {
			return jen.Qual(pkgWire, "Unlimited")
		}
		return jen.Lit(*n)
	}
	if f.Repeated {
		element := jen.If(read("Room", jen.Len(value()), limit(f.MaxItems)))
		if f.Kind == model.ProtoNested {
			return []jen.Code{element.Block(
				value().Op("=").Append(value(), jen.Id(f.Message.Name).Values()),
				read("Nested", jen.Op("&").Add(value()).Index(jen.Len(value()).Op("-").Lit(1))),
			)}
		}
		return []jen.Code{element.Block(value().Op("=").Append(value(), read("String", limit(f.MaxLength))))}
	}
	switch f.Kind {
	case model.ProtoString:
		return []jen.Code{value().Op("=").Add(read("String", limit(f.MaxLength)))}
	case model.ProtoBytes:
		return []jen.Code{value().Op("=").Add(read("Bytes", limit(f.MaxLength)))}
	case model.ProtoInt64:
		return []jen.Code{value().Op("=").Add(read("Int"))}
	case model.ProtoBool:
		return []jen.Code{value().Op("=").Add(read("Bool"))}
	case model.ProtoEnumeration:
		return []jen.Code{value().Op("=").Id(f.Enum.Name).Parens(read("Enum"))}
	default:
		// Protobuf merges a message that comes twice.
		return []jen.Code{
			jen.If(value().Op("==").Nil()).Block(value().Op("=").New(jen.Id(f.Message.Name))),
			read("Nested", value()),
		}
	}
}

// protoEnum emits
//
//	type Effect int32
//
//	const (
//		EffectAbstain Effect = 0
//		EffectAllow   Effect = 1
//	)
//
// with methods that give and take the names.
func protoEnum(f *jen.File, e *model.ProtoEnum) {
	f.Add(comment(e.Name + " is " + lowerFirst(e.Doc)))
	f.Type().Id(e.Name).Int32().Line()
	f.Comment("The values of " + e.Name + ".")
	f.Const().DefsFunc(func(g *jen.Group) {
		for i, v := range e.Values {
			g.Id(e.Name + camel(v)).Id(e.Name).Op("=").Lit(i)
		}
	}).Line()
	names := "names" + e.Name
	f.Var().Id(names).Op("=").Index(jen.Op("...")).String().ValuesFunc(func(g *jen.Group) {
		for _, v := range e.Values {
			g.Lit(v)
		}
	}).Line()
	f.Comment("Known tells whether the specification has the value.")
	f.Func().Params(jen.Id("v").Id(e.Name)).Id("Known").Params().Bool().Block(
		jen.Return(jen.Id("v").Op(">=").Lit(0).Op("&&").Int().Parens(jen.Id("v")).Op("<").Len(jen.Id(names))),
	).Line()
	f.Comment("String returns the name of the value, or its number.")
	f.Func().Params(jen.Id("v").Id(e.Name)).Id("String").Params().String().Block(
		jen.If(jen.Id("v").Dot("Known").Call()).Block(jen.Return(jen.Id(names).Index(jen.Id("v")))),
		jen.Return(jen.Qual("strconv", "Itoa").Call(jen.Int().Parens(jen.Id("v")))),
	).Line()
	f.Comment("MarshalText returns the name of the value, or its number.")
	f.Func().Params(jen.Id("v").Id(e.Name)).Id("MarshalText").Params().Params(jen.Index().Byte(), jen.Error()).Block(
		jen.Return(jen.Index().Byte().Parens(jen.Id("v").Dot("String").Call()), jen.Nil()),
	).Line()
	f.Comment("UnmarshalText takes the name of a value.")
	f.Func().Params(jen.Id("v").Op("*").Id(e.Name)).Id("UnmarshalText").Params(jen.Id("text").Index().Byte()).Error().Block(
		jen.For(jen.List(jen.Id("i"), jen.Id("name")).Op(":=").Range().Id(names)).Block(
			jen.If(jen.Id("name").Op("==").String().Parens(jen.Id("text"))).Block(
				jen.Op("*").Id("v").Op("=").Id(e.Name).Parens(jen.Id("i")),
				jen.Return(jen.Nil()),
			),
		),
		jen.Return(jen.Qual("errors", "New").Call(jen.Lit("there is no "+e.Name+" ").Op("+").Qual("strconv", "Quote").Call(jen.String().Parens(jen.Id("text"))))),
	).Line()
}
