package policy

import (
	"slices"
	"strings"
)

// A resourceSet is the Resource or NotResource element of a statement.
type resourceSet struct {
	patterns []arnPattern
	not      bool
	// any is set where the kind of policy has no such element.
	any bool
	// toward is what a resource that cannot be compared counts as: that it matches
	// an element, or does not.
	toward bool
}

// An arnPattern is an element of Resource or NotResource.
type arnPattern struct {
	form arnForm
	// head is what the partition, service, region and account have to be, in lower
	// case, of a pattern without wildcards in them.
	head string
	// service and parts are for others: the partition, region and account.
	service                    string
	partition, region, account pattern
	resource                   pattern
	// service is set apart where the pattern covers all of it, so that it matches
	// "*", the resource of actions without a resource type.
	coversService bool
}

type arnForm uint8

const (
	nothing arnForm = iota
	everyResource
	fixedHead
	patternHead
	// overlong patterns are compared with nothing.
	overlong
)

// resourcesOf compiles the Resource or NotResource element of a statement. Those
// of a document that are alike are one.
func resourcesOf(s *Statement, in *document) *resourceSet {
	elements, not := s.Resource, false
	if s.Resource == nil {
		elements, not = s.NotResource, len(s.NotResource) > 0
	}
	deny := strings.EqualFold(string(s.Effect), string(Deny))
	// An empty list is not an absent one.
	any := elements == nil && in.kind == TrustPolicy
	for i := range in.resources {
		known := &in.resources[i]
		if known.set.not == not && known.set.any == any && known.deny == deny && slices.Equal(known.elements, elements) {
			return known.set
		}
	}
	set := &resourceSet{not: not, any: any, toward: deny != not}
	for _, element := range elements {
		set.patterns = append(set.patterns, parseARNPattern(element, in))
	}
	if len(in.resources) < maxShared {
		in.resources = append(in.resources, sharedResources{elements, deny, set})
	}
	return set
}

// sharedResources is what statements alike are recognized by.
type sharedResources struct {
	elements []string
	deny     bool
	set      *resourceSet
}

// maxShared bounds the search for elements that are alike.
const maxShared = 32

// parseARNPattern takes a Resource element apart. Wildcards match within a part,
// so that a star for the region does not reach into the resource (IAM user guide,
// "IAM JSON policy elements: Resource").
func parseARNPattern(s string, in *document) arnPattern {
	if s == everything {
		return arnPattern{form: everyResource}
	}
	if len(s) > maxMatched {
		return arnPattern{form: overlong}
	}
	parts, count := splitARN(s)
	// Missing parts are stars; in the policy of a resource only a star may leave
	// them out.
	switch {
	case count < 3, parts[0] != "arn", count == len(parts) && parts[5] == "",
		count < len(parts) && in.kind == ResourcePolicy && parts[count-1] != everything:
		return arnPattern{form: nothing}
	}
	for i := count; i < len(parts); i++ {
		parts[i] = everything
	}
	head := lower(strings.Join(parts[1:5], ":"))
	p := arnPattern{form: fixedHead, head: head, service: lower(parts[2])}
	if strings.ContainsAny(p.service, "*?") {
		return arnPattern{form: nothing}
	}
	if strings.ContainsAny(head, "*?") {
		p.form = patternHead
		wild := syntax{wildcards: true}
		p.partition = parsePattern(lower(parts[1]), wild)
		p.region = parsePattern(lower(parts[3]), wild)
		p.account = parsePattern(lower(parts[4]), wild)
	}
	p.resource = parseResourcePart(parts[5], p.service, in)
	p.coversService = parts[5] == everything && coversAll(parts[3]) && coversAll(parts[4]) &&
		(parts[1] == everything || strings.EqualFold(parts[1], "aws"))
	return p
}

func coversAll(part string) bool { return part == "" || part == everything }

// parseResourcePart parses the last part of an ARN. The type of a resource, before
// its first slash or colon, is literal; S3 has none but begins with a bucket.
func parseResourcePart(s, service string, in *document) pattern {
	is := syntax{wildcards: true, keys: in.variables()}
	at := indexOutside(s, "/:", is.keys != nil)
	if service == "s3" || at < 0 || !strings.ContainsAny(s[:at], "*?$") {
		return parsePattern(s, is)
	}
	p := parsePattern(s[at:], is)
	switch p.form {
	case literal, prefix:
		p.text = s[:at] + p.text
	case pieces:
		p.pieces[0] = append(piece{{kind: textAtom, text: s[:at]}}, p.pieces[0]...)
	case tooLong:
	}
	return p
}

// match compares the resource of a request with p.
func (p *arnPattern) match(e *evaluation, a *Action, r *Resource) match {
	switch p.form {
	case everyResource:
		return matched
	case fixedHead:
		if r.head == p.head && r.place != "" {
			return p.resource.match(e, r.resource)
		}
	case patternHead:
		if r.place != "" {
			return p.matchParts(e, r)
		}
	case nothing:
		return unmatched
	case overlong:
		return unmatchable
	}
	return matchIf(r.text == everything && p.coversService && p.service == a.service)
}

func (p *arnPattern) matchParts(e *evaluation, r *Resource) match {
	if p.service != r.service ||
		p.partition.match(e, r.partition) != matched || p.region.match(e, r.region) != matched || p.account.match(e, r.account) != matched {
		return unmatched
	}
	return p.resource.match(e, r.resource)
}

// contains reports whether the statement is about the resource of the request.
// Statements one after the other are often about the same, so that the latest
// answer is kept.
func (s *resourceSet) contains(e *evaluation) bool {
	if e.resources == s {
		return e.contained
	}
	e.resources, e.contained = s, s.any || s.matches(e) != s.not
	return e.contained
}

func (s *resourceSet) matches(e *evaluation) bool {
	for i := range s.patterns {
		if s.patterns[i].match(e, &e.request.Action, &e.request.Resource).counts(s.toward) {
			return true
		}
	}
	return false
}

// place returns what the place of every resource begins with that p can match, up
// to a slash or the end, or "" if there is no such thing.
func (p *arnPattern) place() string {
	if p.form != fixedHead {
		return ""
	}
	text := p.resource.text
	switch p.resource.form {
	case pieces:
		if first := p.resource.pieces[0]; len(first) > 0 && first[0].kind == textAtom {
			text = first[0].text
		} else {
			return ""
		}
	case tooLong:
		return ""
	case literal, prefix:
	}
	name, _, ok := strings.Cut(text, "/")
	if !ok && p.resource.form != literal {
		return ""
	}
	return p.head + ":" + name
}
