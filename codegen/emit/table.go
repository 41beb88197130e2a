package emit

import (
	"github.com/dave/jennifer/jen"
)

// table writes actions.go: the service, its quotas, the Handler interface and
// the table that binds a handler's methods to the rows.
func (g *generator) table() {
	s := g.service
	f := g.file(s.File)
	f.PackageComment("// Package " + s.Package + " holds the requests and responses of " + s.Title + ",")
	f.PackageComment("// API version " + s.Version + ", and the table of its actions. It carries none of them out.")

	f.Comment("Service is what names the service on the wire.")
	facts := []jen.Code{jen.Id("Name").Op(":").Lit(s.Name), jen.Id("Version").Op(":").Lit(s.Version), jen.Id("Namespace").Op(":").Lit(s.Namespace)}
	if s.OmitValues {
		facts = append(facts, jen.Id("OmitValues").Op(":").True())
	}
	f.Var().Id("Service").Op("=").Qual(pkgActs, "Service").Values(facts...).Line()
	g.quotas(f)

	f.Add(comment("A Handler carries the actions out. Tx is the transaction that each of them runs in."))
	f.Type().Id("Handler").Types(jen.Id("Tx").Any()).InterfaceFunc(func(i *jen.Group) {
		for _, a := range s.Actions {
			i.Add(comment(a.Name + " " + lowerFirst(a.Summary)))
			i.Id(a.Name).Params(jen.Id("Tx"), jen.Op("*").Id(a.Input.Name)).Params(jen.Op("*").Id(a.Name+"Response"), jen.Error())
		}
	}).Line()

	f.Comment("Table binds the methods of h to the rows of the actions, in the order of the specification.")
	f.Func().Id("Table").Types(jen.Id("Tx").Any()).Params(jen.Id("h").Id("Handler").Types(jen.Id("Tx"))).
		Op("*").Qual(pkgActs, "Table").Types(jen.Id("Tx")).Block(
		jen.Return(jen.Qual(pkgActs, "NewTable").Custom(jen.Options{Open: "(", Close: ")", Separator: ",", Multi: true}, g.rows()...)),
	)
	g.write(s.Package, "actions", f)
}

func (g *generator) rows() []jen.Code {
	rows := []jen.Code{jen.Id("Service")}
	for _, a := range g.service.Actions {
		rows = append(rows, jen.Qual(pkgActs, "Bind").Call(jen.Op("&").Id(infoName(a)), jen.Id("Parse"+a.Name), jen.Id("h").Dot(a.Name)))
	}
	return rows
}

// quotas emits
//
//	type Quotas struct { AccessKeysPerUserQuota int … }
//
//	func DefaultQuotas() Quotas { return Quotas{AccessKeysPerUserQuota: 2, …} }
func (g *generator) quotas(f *jen.File) {
	if len(g.service.Quotas) == 0 {
		return
	}
	f.Add(comment("Quotas are the limits that an account's settings may change. 0 means unlimited."))
	f.Type().Id("Quotas").StructFunc(func(s *jen.Group) {
		for _, q := range g.service.Quotas {
			s.Add(comment(q.Description))
			s.Id(q.Name).Int()
		}
	}).Line()
	f.Comment("DefaultQuotas returns the quotas of the specification.")
	f.Func().Id("DefaultQuotas").Params().Id("Quotas").Block(jen.Return(jen.Id("Quotas").Add(block(g.quotaValues()...)))).Line()
}

func (g *generator) quotaValues() []jen.Code {
	var values []jen.Code
	for _, q := range g.service.Quotas {
		values = append(values, jen.Id(q.Name).Op(":").Lit(q.Default))
	}
	return values
}
