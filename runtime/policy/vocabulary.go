package policy

import (
	"slices"
	"sort"
	"strings"
)

// A Vocabulary is the actions that are known by number, so that a statement's
// actions are a set of bits. Actions that it lacks are matched by their text, more
// slowly. A Vocabulary is immutable; policies and requests that meet must have been
// made with the same one.
type Vocabulary struct {
	names   []string // in lower case, sorted
	actions map[string]Action
}

// NewVocabulary returns the vocabulary of actions such as s3:GetObject, compared
// without regard to case.
func NewVocabulary(actions []string) *Vocabulary {
	v := &Vocabulary{actions: make(map[string]Action, len(actions))}
	for _, name := range actions {
		v.names = append(v.names, lower(name))
	}
	slices.Sort(v.names)
	v.names = slices.Compact(v.names)
	for _, name := range actions {
		folded := lower(name)
		index, _ := slices.BinarySearch(v.names, folded)
		v.actions[name] = newAction(name, folded, index)
	}
	return v
}

// An Action is an action of a request, such as s3:GetObject.
type Action struct {
	text                 string
	folded, service      string
	index                int // in the vocabulary, or -1
	ownerMayChangePolicy bool
}

// Action returns the action of that name, which may be unknown to v.
func (v *Vocabulary) Action(name string) Action {
	if a, ok := v.actions[name]; ok {
		return a
	}
	folded := lower(name)
	index, ok := slices.BinarySearch(v.names, folded)
	if !ok {
		index = -1
	}
	return newAction(name, folded, index)
}

func newAction(name, folded string, index int) Action {
	service, _, _ := strings.Cut(folded, ":")
	return Action{
		text: name, folded: folded, service: service, index: index,
		ownerMayChangePolicy: slices.Contains(ownersActions, folded),
	}
}

// ownersActions are those that a bucket policy cannot deny to the root of the
// account that owns the bucket (Amazon S3 user guide, "Bucket policies").
var ownersActions = []string{"s3:getbucketpolicy", "s3:putbucketpolicy", "s3:deletebucketpolicy"}

// String returns the action's name, as it was given.
func (a Action) String() string { return a.text }

// An actionSet is the actions of a statement.
type actionSet struct {
	// known are the actions of the vocabulary; the complement for a NotAction.
	known []uint64
	// patterns are for actions that the vocabulary lacks.
	patterns []actionPattern
	not      bool
}

// An actionPattern is an element of Action or NotAction: "*", or a service and a
// pattern of a name, in lower case.
type actionPattern struct {
	any     bool
	service string
	name    pattern
}

func parseActionPattern(s string) actionPattern {
	if s == everything {
		return actionPattern{any: true}
	}
	service, name, ok := strings.Cut(lower(s), ":")
	if !ok || strings.ContainsAny(service, "*?") {
		return actionPattern{name: pattern{form: tooLong}}
	}
	return actionPattern{service: service, name: parsePattern(name, syntax{wildcards: true})}
}

func (p *actionPattern) match(e *evaluation, folded string) bool {
	if p.any {
		return true
	}
	e.work++
	name, ok := strings.CutPrefix(folded, p.service)
	if !ok {
		return false
	}
	name, ok = strings.CutPrefix(name, ":")
	return ok && p.name.match(e, name) == matched
}

// actionsOf compiles the Action or NotAction element of a statement. Those of a
// document that are alike are one.
func (v *Vocabulary) actionsOf(s *Statement, in *document) *actionSet {
	elements, not := s.Action, false
	if s.Action == nil {
		elements, not = s.NotAction, true
	}
	for i := range in.actions {
		if known := &in.actions[i]; known.not == not && slices.Equal(known.elements, elements) {
			return known.set
		}
	}
	set := &actionSet{not: not && len(elements) > 0, known: make([]uint64, (len(v.names)+63)/64)}
	for _, element := range elements {
		p := parseActionPattern(element)
		set.patterns = append(set.patterns, p)
		v.add(set.known, &p)
	}
	if set.not {
		for i := range set.known {
			set.known[i] = ^set.known[i]
		}
	}
	if len(in.actions) < maxShared {
		in.actions = append(in.actions, sharedActions{elements, not, set})
	}
	return set
}

// sharedActions is what statements alike are recognized by.
type sharedActions struct {
	elements []string
	not      bool
	set      *actionSet
}

// add adds the actions that p matches.
func (v *Vocabulary) add(known []uint64, p *actionPattern) {
	begins := p.service + ":"
	switch {
	case p.any:
		begins = ""
	case p.name.form == literal, p.name.form == prefix:
		begins += p.name.text
	}
	for i := sort.SearchStrings(v.names, begins); i < len(v.names) && strings.HasPrefix(v.names[i], begins); i++ {
		if p.match(new(evaluation), v.names[i]) {
			known[i/64] |= 1 << (i % 64)
		}
	}
}

// contains reports whether the action of the request is in the set. Statements one
// after the other are often about the same, so that the latest answer is kept.
func (s *actionSet) contains(e *evaluation) bool {
	if e.actions != s {
		e.actions, e.acts = s, s.has(e, &e.request.Action)
	}
	return e.acts
}

func (s *actionSet) has(e *evaluation, a *Action) bool {
	if a.index >= 0 && a.index/64 < len(s.known) {
		return s.known[a.index/64]>>(a.index%64)&1 != 0
	}
	for i := range s.patterns {
		if s.patterns[i].match(e, a.folded) {
			return !s.not
		}
	}
	return s.not
}
