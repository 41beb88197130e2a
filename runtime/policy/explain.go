package policy

import "slices"

// Explain decides r as Evaluate does, and says why. It looks at every statement,
// so that the Reasons name them all.
func (p *Policies) Explain(r *Request) (Decision, Reasons) {
	decision := p.Evaluate(r)
	e := newEvaluation(p, r)
	defer e.release()
	var (
		reasons        Reasons
		denies, allows []Match
		missing        = keyTable{numbers: map[string]int{}}
	)
	for i, set := range e.parts {
		if set == nil {
			continue
		}
		e.enter(Part(i))
		for j, policy := range set.policies {
			e.turnTo(j)
			for k := range policy.statements {
				s := &policy.statements[k]
				m := Match{Part: Part(i), Source: policy.source, Sid: s.sid, Index: s.index, Start: s.start, End: s.end}
				switch {
				case s.deny && !s.dead && !p.spares(r, Part(i)) && s.denies(e):
					denies = append(denies, m)
				case !s.deny && s.class(e) != unnamed:
					allows = append(allows, m)
				}
			}
			for k := range policy.keys {
				if e.mayAsk(k) && !e.value(k).Present() {
					missing.number(policy.keys[k].text)
				}
			}
		}
	}
	reasons.Matches = allows
	if decision == ExplicitDeny {
		reasons.Matches = denies
	}
	if decision == ImplicitDeny {
		reasons.Lacking = p.lacking(e)
	}
	reasons.MissingKeys = texts(missing.keys)
	return decision, reasons
}

// mayAsk reports whether a key's value is known, or costs nothing.
func (e *evaluation) mayAsk(key int) bool {
	n := e.numbers[key]
	frugal, ok := e.request.Context.(FrugalContext)
	return !ok || e.values[e.base+n].known || !frugal.Costs(e.set.keys[n])
}

// lacking returns the parts that had to allow and did not.
func (p *Policies) lacking(e *evaluation) []Part {
	r := e.request
	named := e.class(ResourceBased)
	sameAccount := r.sameAccount()
	var needed []Part
	switch {
	case r.Principal.Type == Anonymous:
		return []Part{ResourceBased}
	case r.Principal.Type == Root && sameAccount:
		needed = []Part{Session}
	case named == directly && sameAccount:
		needed = []Part{ServiceAccount}
	case named == byIssuer && sameAccount:
		needed = []Part{Boundary, Session, ServiceAccount}
	default:
		needed = []Part{Identity, Boundary, Session, ServiceAccount}
	}
	lacking := slices.DeleteFunc(needed, func(part Part) bool {
		if part == Identity {
			return e.class(Identity) != unnamed
		}
		return e.within(part)
	})
	if named == unnamed && (p.Trust || !sameAccount) {
		lacking = append(lacking, ResourceBased)
	}
	return lacking
}
