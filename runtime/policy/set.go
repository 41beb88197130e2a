package policy

// A Set is the policies that stand together in one part of a decision. It is
// immutable.
type Set struct {
	policies []*Policy
	// numbers are, by policy, the numbers in keys of the policy's own keys.
	numbers [][]int
	keys    []*Key
	denies  index
	allows  index
}

// An index finds the statements that may be about a resource.
type index struct {
	// byPlace are the statements that are only about places of theirs, such as a bucket.
	byPlace map[string][]entry
	// others are about anything.
	others []entry
}

type entry struct {
	statement *statement
	policy    int
}

// NewSet returns the set of policies; none at all is a set that allows nothing.
func NewSet(policies ...*Policy) *Set {
	s := &Set{policies: policies, denies: index{byPlace: map[string][]entry{}}, allows: index{byPlace: map[string][]entry{}}}
	numbers := map[string]int{}
	for i, p := range policies {
		own := make([]int, len(p.keys))
		for j := range p.keys {
			spelled := p.keys[j].spelled()
			n, ok := numbers[spelled]
			if !ok {
				n = len(s.keys)
				numbers[spelled] = n
				s.keys = append(s.keys, &p.keys[j])
			}
			own[j] = n
		}
		s.numbers = append(s.numbers, own)
		for j := range p.statements {
			statement := &p.statements[j]
			in := &s.allows
			if statement.deny {
				in = &s.denies
			}
			if !statement.dead {
				in.add(entry{statement, i})
			}
		}
	}
	return s
}

// Len returns the number of statements; that of no set is 0.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	n := 0
	for _, p := range s.policies {
		n += len(p.statements)
	}
	return n
}

func (x *index) add(e entry) {
	places, ok := e.statement.resources.places()
	if !ok {
		x.others = append(x.others, e)
		return
	}
	for place := range places {
		x.byPlace[place] = append(x.byPlace[place], e)
	}
}

func (x *index) isEmpty() bool { return len(x.byPlace) == 0 && len(x.others) == 0 }

// of returns the statements that are about the place of the request's resource.
func (x *index) of(r *Request) []entry {
	if len(x.byPlace) == 0 {
		return nil
	}
	return x.byPlace[r.Resource.place]
}

// places returns the only places of which a resource can be that s is about.
func (s *resourceSet) places() (map[string]bool, bool) {
	if s.not || s.any {
		return nil, false
	}
	places := map[string]bool{}
	for i := range s.patterns {
		p := &s.patterns[i]
		place := p.place()
		if place == "" || p.coversService {
			return nil, false
		}
		places[place] = true
	}
	return places, true
}
