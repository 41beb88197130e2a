package policy

import (
	"slices"
	"strings"
)

// A statement is a statement made ready to be evaluated.
type statement struct {
	deny bool
	// dead statements match nothing, whatever the request.
	dead       bool
	principals *principalSet
	actions    *actionSet
	resources  *resourceSet
	conditions []condition

	sid        string
	index      int
	start, end Position
}

// A Policy is a compiled document. It is immutable.
type Policy struct {
	source     Source
	keys       []Key
	statements []statement
}

// A document is what its statements are compiled in.
type document struct {
	kind    Kind
	version string
	keys    *keyTable
	// actions and resources are what statements share.
	actions   []sharedActions
	resources []sharedResources
}

// variables returns where the keys of variables go, or nil where variables are
// text: the older version of the policy language has none.
func (d *document) variables() *keyTable {
	if d.version != Version2012 {
		return nil
	}
	return d.keys
}

// hasPrincipals reports whether statements say whom they are about.
func (d *document) hasPrincipals() bool { return d.kind == ResourcePolicy || d.kind == TrustPolicy }

// A keyTable numbers the condition keys of a policy.
type keyTable struct {
	keys    []Key
	numbers map[string]int
}

func (t *keyTable) number(name string) int {
	key := ParseKey(name)
	spelled := key.spelled()
	n, ok := t.numbers[spelled]
	if !ok {
		n = len(t.keys)
		t.keys = append(t.keys, key)
		t.numbers[spelled] = n
	}
	return n
}

// Compile makes a policy of a document. Whatever in it cannot be understood fails
// closed: an Allow statement does not match, a Deny statement does.
func (v *Vocabulary) Compile(d *Document, kind Kind, source Source) *Policy {
	in := &document{kind: kind, version: d.Version, keys: &keyTable{numbers: map[string]int{}}}
	p := &Policy{source: source, statements: make([]statement, len(d.Statements))}
	for i := range d.Statements {
		p.statements[i] = v.compile(&d.Statements[i], in)
		p.statements[i].index = i
	}
	p.keys = in.keys.keys
	return p
}

// DenyAll returns a policy that denies everything: it stands for a document that
// cannot be read.
func DenyAll(source Source) *Policy {
	all := Statement{Effect: Deny, Action: []string{everything}, Resource: []string{everything}}
	return new(Vocabulary).Compile(&Document{Version: Version2012, Statements: []Statement{all}}, InlinePolicy, source)
}

// Source returns what the policy was compiled with.
func (p *Policy) Source() Source { return p.source }

// ContextKeys returns the condition keys that the policy names, in conditions and
// variables, as written first, each once.
func (p *Policy) ContextKeys() []string { return texts(p.keys) }

func (v *Vocabulary) compile(s *Statement, in *document) statement {
	c := statement{
		deny:       strings.EqualFold(string(s.Effect), string(Deny)),
		actions:    v.actionsOf(s, in),
		resources:  resourcesOf(s, in),
		conditions: conditionsOf(s, in),
		sid:        s.Sid, start: s.Start, end: s.End,
	}
	named := principalsOf(s)
	allow := s.Effect == Allow
	switch {
	case !c.deny && !allow,
		len(s.Action)+len(s.NotAction) == 0,
		len(s.Resource)+len(s.NotResource) == 0 && !c.resources.any,
		in.hasPrincipals() && (named == nil || named.not && allow),
		!in.hasPrincipals() && named != nil && allow:
		c.dead = true
	}
	if in.hasPrincipals() {
		c.principals = named
	}
	return c
}

// matches reports whether s is about the request, for principals that a resource
// policy names as it has to. The conditions come last: their keys may be costly.
func (s *statement) matches(e *evaluation) bool {
	if s.dead || !s.actions.contains(e) || !s.resources.contains(e) {
		return false
	}
	// Statements alike fail alike: begin with the condition that failed last.
	first := e.failing
	if first < len(s.conditions) && !s.conditions[first].holds(e, s.deny) {
		return false
	}
	for i := range s.conditions {
		if i != first && !s.conditions[i].holds(e, s.deny) {
			e.failing = i
			return false
		}
	}
	return true
}

// denies reports whether s, a Deny, denies the request.
func (s *statement) denies(e *evaluation) bool {
	return (s.principals == nil || s.principals.denies(&e.request.Principal, e.bounded)) && s.matches(e)
}

// class returns by what s, an Allow, names the principal of a request that it
// allows, and unnamed if it does not allow it. Policies that are not of resources
// name the one they belong to.
func (s *statement) class(e *evaluation) class {
	named := directly
	if s.principals != nil {
		named = s.principals.class(&e.request.Principal)
	}
	if named == unnamed || !s.matches(e) {
		return unnamed
	}
	return named
}

// ContextKeys returns the condition keys that a document names, in conditions and
// variables, as written first, each once, in the order of the document.
func (d *Document) ContextKeys() []string {
	keys := &keyTable{numbers: map[string]int{}}
	in := &document{version: d.Version, keys: keys}
	for i := range d.Statements {
		// What compiling numbers is what the statement names.
		resourcesOf(&d.Statements[i], in)
		for _, o := range d.Statements[i].Condition {
			for _, key := range o.Keys {
				c := condition{comparison: parseOperator(o.Name).meaning().comparison, key: keys.number(key.Name)}
				c.compile(key, in)
			}
		}
	}
	return texts(keys.keys)
}

// texts returns the names of keys, as written first, each once.
func texts(keys []Key) []string {
	var names []string
	seen := map[string]bool{}
	for i := range keys {
		if folded := keys[i].folded(); !seen[folded] {
			seen[folded] = true
			names = append(names, keys[i].text)
		}
	}
	return slices.Clip(names)
}
