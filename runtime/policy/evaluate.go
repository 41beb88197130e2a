package policy

import "sync"

// An evaluation is the memory of one decision. It is used again for others.
type evaluation struct {
	request *Request
	// bounded says that the principal has a permissions boundary.
	bounded bool
	// work counts steps of matching patterns.
	work int
	// parts are the sets that take part, and bases where in values the keys of each begin.
	parts [partCount]*Set
	bases [partCount]int
	// values are those of the keys of all parts, one part after the other.
	values []keyValue

	// What follows is of the part and the policy whose statements are tried.
	set     *Set
	base    int   // of the part in values
	policy  int   // in the set
	numbers []int // of the policy's keys in the part

	// The latest answers of an actionSet and of a resourceSet.
	actions         *actionSet
	resources       *resourceSet
	acts, contained bool

	// failing is the place, in its statement, of the condition that failed last.
	failing int
}

// A keyValue is the value of a key, once it has been asked for.
type keyValue struct {
	known bool
	Value
}

// MaxWork bounds the steps of one decision: some 20 ms. The largest policies that
// AWS's quotas admit take a thousandth of it on ordinary values.
const MaxWork = 1 << 24

func (e *evaluation) exhausted() bool { return e.work > MaxWork }

var evaluations = sync.Pool{New: func() any { return new(evaluation) }}

func newEvaluation(p *Policies, r *Request) *evaluation {
	e := evaluations.Get().(*evaluation) //nolint:forcetypeassert // the pool holds nothing else
	e.request, e.bounded, e.work, e.failing = r, p.Boundary != nil, 0, 0
	if r.Work != nil {
		e.work = *r.Work
	}
	e.parts = [...]*Set{
		Identity: p.Identity, Boundary: p.Boundary, Session: p.Session, ServiceAccount: p.ServiceAccount, ResourceBased: p.Resource,
	}
	keys := 0
	for part, set := range e.parts {
		e.bases[part] = keys
		if set != nil {
			keys += len(set.keys)
		}
	}
	if cap(e.values) < keys {
		e.values = make([]keyValue, keys)
	}
	e.values = e.values[:keys]
	return e
}

func (e *evaluation) release() {
	if e.request.Work != nil {
		*e.request.Work = e.work
	}
	// What is left would keep the request and its strings alive.
	clear(e.values)
	e.parts = [partCount]*Set{}
	e.request, e.set, e.numbers, e.actions, e.resources = nil, nil, nil, nil, nil
	evaluations.Put(e)
}

// value returns the value of a key of the policy whose statement is tried.
func (e *evaluation) value(key int) *Value {
	n := e.numbers[key]
	v := &e.values[e.base+n]
	if !v.known {
		v.known = true
		if e.request.Context != nil {
			v.Value = e.request.Context.Value(e.set.keys[n])
		}
	}
	return &v.Value
}

// substitute returns the text of a variable.
func (e *evaluation) substitute(a *atom) (string, match) {
	value := e.value(a.key)
	if value.kind == failed {
		return "", unmatchable
	}
	text, ok := value.asText()
	switch {
	case (text == "" && value.kind != listValue) && a.kind == variableOrDefault:
		return a.text, matched
	case !ok:
		return "", unmatched
	}
	return text, matched
}

// Evaluate decides r. A decision that takes too much work is a deny.
func (p *Policies) Evaluate(r *Request) Decision {
	e := newEvaluation(p, r)
	defer e.release()
	decision := ImplicitDeny
	switch {
	case p.deny(e):
		decision = ExplicitDeny
	case p.allow(e):
		decision = Allowed
	}
	if e.exhausted() && decision == Allowed {
		return ImplicitDeny
	}
	return decision
}

// deny reports whether a statement of any part denies the request. Do not stop at
// the first part that allows: a Deny wins wherever it stands.
func (p *Policies) deny(e *evaluation) bool {
	for part, set := range e.parts {
		if set != nil && !set.denies.isEmpty() && !p.spares(e.request, Part(part)) && e.denied(Part(part)) {
			return true
		}
	}
	return false
}

// spares reports whether the denies of a part do not count: root of the account
// that owns a bucket always gets back at its policy.
func (p *Policies) spares(r *Request, part Part) bool {
	return part == ResourceBased && r.Action.ownerMayChangePolicy && r.Principal.Type == Root && r.sameAccount()
}

// allow decides a request that nothing denies (IAM user guide, "Policy evaluation
// logic").
func (p *Policies) allow(e *evaluation) bool {
	r := e.request
	named := e.class(ResourceBased)
	sameAccount := r.sameAccount()
	switch {
	case r.Principal.Type == Anonymous:
		return named == directly
	case named == unnamed && (p.Trust || !sameAccount):
		return false
	case r.Principal.Type == Root && sameAccount:
		return e.within(Session)
	case named == directly && sameAccount:
		return e.within(ServiceAccount)
	case named == byIssuer && sameAccount:
		return e.within(Boundary) && e.within(Session) && e.within(ServiceAccount)
	default:
		return e.class(Identity) != unnamed &&
			e.within(Boundary) && e.within(Session) && e.within(ServiceAccount)
	}
}

// within reports whether a part that sets bounds, if there is one, allows the request.
func (e *evaluation) within(part Part) bool {
	return e.parts[part] == nil || e.class(part) != unnamed
}

// enter makes the statements of a part the ones that are tried.
func (e *evaluation) enter(part Part) *Set {
	e.set, e.base, e.policy = e.parts[part], e.bases[part], -1
	return e.set
}

// turnTo makes the statements of a policy the ones that are tried.
func (e *evaluation) turnTo(policy int) {
	if e.policy != policy {
		e.policy, e.numbers = policy, e.set.numbers[policy]
	}
}

// denied reports whether a Deny of a part denies the request.
func (e *evaluation) denied(part Part) bool {
	denies := &e.enter(part).denies
	return e.anyDenies(denies.of(e.request)) || e.anyDenies(denies.others)
}

func (e *evaluation) anyDenies(entries []entry) bool {
	for i := range entries {
		e.turnTo(entries[i].policy)
		if entries[i].statement.denies(e) {
			return true
		}
	}
	return false
}

// class returns the strongest class by which an Allow of a part allows the request.
func (e *evaluation) class(part Part) class {
	if e.parts[part] == nil {
		return unnamed
	}
	allows := &e.enter(part).allows
	return e.strongest(allows.others, e.strongest(allows.of(e.request), unnamed))
}

func (e *evaluation) strongest(entries []entry, named class) class {
	for i := 0; i < len(entries) && named < directly; i++ {
		e.turnTo(entries[i].policy)
		named = max(named, entries[i].statement.class(e))
	}
	return named
}
