package policy

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxBucketPolicy is the size of the largest bucket policy, in bytes and with
// white space (Amazon S3 user guide, "Bucket policies": 20 KB).
const maxBucketPolicy = 20_480

// S3's sentences, with code MalformedPolicy.
const (
	tooLarge             = "Policy exceeds the maximum allowed document size."
	notAnObject          = "Policies must be valid JSON and the first byte must be '{'"
	invalidJSON          = "This policy contains invalid Json"
	invalidSyntax        = "Invalid policy syntax."
	emptyStatement       = "Could not parse the policy: Statement is empty!"
	invalidVersion       = "The policy must contain a valid version string"
	invalidAction        = "Policy has invalid action"
	invalidResource      = "Policy has invalid resource"
	actionWithoutTarget  = "Action does not apply to any resource(s) in statement"
	invalidConditionKey  = "Policy has an invalid condition key"
	conditionNotInAction = "Conditions do not apply to combination of actions and resources in statement"
)

func unknownField(name string) string { return "Unknown field " + name }
func missingField(name string) string { return "Missing required field " + name }
func emptyField(name string) string   { return "Missing required field " + name + " cannot be empty!" }

// An S3Action is an action of S3 and what it acts on.
type S3Action struct {
	// Name is such as s3:GetObject.
	Name string
	// OnBucket and OnObject say whether it acts on buckets, and on objects. One
	// that does neither has no place in a bucket policy.
	OnBucket, OnObject bool
}

// An ActionReference knows what bucket policies can name.
type ActionReference interface {
	// S3Actions returns all actions of S3.
	S3Actions() []S3Action
	// HasKey reports whether there is such a condition key, such as
	// s3:RequestObjectTag/team, compared without regard to case.
	HasKey(key string) bool
	// Supports reports whether requests for an action can have a condition key.
	Supports(action, key string) bool
}

// ParseBucketPolicy reads a bucket policy as Parse does, but the *Error has S3's
// sentence, and the size is that of the text.
func ParseBucketPolicy(document string) (*Document, error) {
	switch {
	case len(document) > maxBucketPolicy:
		return nil, &Error{Message: tooLarge}
	case document == "" || document[0] != '{':
		return nil, &Error{Message: notAnObject}
	case !utf8.ValidString(document) || !json.Valid([]byte(document)):
		return nil, &Error{Message: invalidJSON}
	}
	d, err := Parse(document)
	if err != nil {
		return nil, &Error{Message: bucketSyntax(document)}
	}
	return d, nil
}

// bucketSyntax says in S3's words what of the grammar a document breaks, which is
// a JSON object.
func bucketSyntax(document string) string {
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(document), &members) != nil {
		return invalidSyntax
	}
	if name, ok := fieldOutside(members, "Version", "Id", "Statement"); ok {
		return unknownField(name)
	}
	if version, ok := members["Version"]; ok && !isOneOf(version, Version2008, Version2012) {
		return invalidVersion
	}
	text, ok := members["Statement"]
	if !ok {
		return missingField("Statement")
	}
	statements := []json.RawMessage{text}
	if text[0] == '[' && json.Unmarshal(text, &statements) != nil {
		return invalidSyntax
	}
	if len(statements) == 0 {
		return emptyStatement
	}
	for _, statement := range statements {
		if message := statementSyntax(statement); message != "" {
			return message
		}
	}
	return invalidSyntax
}

// statementSyntax is bucketSyntax for a statement. It returns "" for one whose
// members are the right ones.
func statementSyntax(statement json.RawMessage) string {
	var members map[string]json.RawMessage
	if json.Unmarshal(statement, &members) != nil {
		return invalidSyntax
	}
	if name, ok := fieldOutside(members, "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"); ok {
		return unknownField(name)
	}
	text, ok := members["Effect"]
	if !ok {
		return missingField("Effect")
	}
	if !isOneOf(text, string(Allow), string(Deny)) {
		return invalidEffect(strings.Trim(string(text), `"`))
	}
	return ""
}

func invalidEffect(effect string) string { return "Invalid effect: " + effect }

// fieldOutside returns the first name in sorting order of a member that is none
// of those that are known.
func fieldOutside(members map[string]json.RawMessage, known ...string) (name string, ok bool) {
	for member := range members {
		if !slices.Contains(known, member) && (!ok || member < name) {
			name, ok = member, true
		}
	}
	return name, ok
}

func isOneOf(text json.RawMessage, values ...string) bool {
	var value string
	return json.Unmarshal(text, &value) == nil && slices.Contains(values, value)
}

// ValidateBucketPolicy returns an *Error with S3's sentence if d is malformed as
// the policy of a bucket. It does not ask whether principals exist. S3 documents
// no order of its checks: they are made statement by statement, and in a statement
// in the order effect, principal, action, resource, condition.
func (d *Document) ValidateBucketPolicy(bucket string, reference ActionReference) error {
	actions := reference.S3Actions()
	for i := range d.Statements {
		s := bucketStatement{Statement: &d.Statements[i], bucket: bucket, actions: actions, reference: reference}
		if message := s.fault(); message != "" {
			return &Error{Message: message}
		}
	}
	return nil
}

// A bucketStatement is a statement of a bucket policy with what it is checked by.
type bucketStatement struct {
	*Statement
	bucket    string
	actions   []S3Action
	reference ActionReference
}

func (s bucketStatement) fault() string {
	for _, fault := range [...]func() string{s.effectFault, s.principalFault, s.actionFault, s.resourceFault, s.targetFault, s.conditionFault} {
		if message := fault(); message != "" {
			return message
		}
	}
	return ""
}

func (s bucketStatement) effectFault() string {
	if s.Effect != Allow && s.Effect != Deny {
		return invalidEffect(string(s.Effect))
	}
	return ""
}

// principalFault also refuses NotPrincipal beside Allow, which AWS does not
// support: it would allow who is anonymous.
func (s bucketStatement) principalFault() string {
	element := s.Principal
	if element == nil {
		element = s.NotPrincipal
	}
	switch {
	case element == nil:
		return missingField("Principal")
	case element.namesNobody():
		return emptyField("Principal")
	case element.Text != "" && element.Text != everything, len(element.faults()) > 0,
		s.NotPrincipal != nil && s.Effect == Allow:
		return invalidPrincipal
	}
	return ""
}

func (s bucketStatement) actionFault() string {
	elements := slices.Concat(s.Action, s.NotAction)
	switch {
	case s.Action == nil && s.NotAction == nil:
		return missingField("Action")
	case len(elements) == 0:
		return emptyField("Action")
	}
	for _, element := range elements {
		if len(s.matching(element)) == 0 {
			return invalidAction
		}
	}
	return ""
}

// matching returns the actions of buckets and objects that an element of Action
// or NotAction is about.
func (s bucketStatement) matching(element string) []S3Action {
	p := parseActionPattern(element)
	var matching []S3Action
	for _, a := range s.actions {
		if (a.OnBucket || a.OnObject) && p.match(new(evaluation), lower(a.Name)) {
			matching = append(matching, a)
		}
	}
	return matching
}

func (s bucketStatement) resourceFault() string {
	elements := slices.Concat(s.Resource, s.NotResource)
	switch {
	case s.Resource == nil && s.NotResource == nil:
		return missingField("Resource")
	case len(elements) == 0:
		return emptyField("Resource")
	}
	for _, element := range elements {
		if onBucket, onObject := s.covers(element); !onBucket && !onObject {
			return invalidResource
		}
	}
	return ""
}

// covers reports whether a resource names the bucket, and whether it names objects
// in it. A star right behind the bucket's name names both.
func (s bucketStatement) covers(resource string) (onBucket, onObject bool) {
	rest, ok := strings.CutPrefix(resource, "arn:aws:s3:::"+s.bucket)
	switch {
	case !ok:
		return false, false
	case rest == "":
		return true, false
	case rest[0] == '*':
		return true, true
	default:
		return false, rest[0] == '/'
	}
}

// targetFault refuses an action that acts on none of the resources.
func (s bucketStatement) targetFault() string {
	if len(s.Resource) == 0 {
		return "" // NotResource leaves buckets and objects
	}
	bucket, objects := false, false
	for _, resource := range s.Resource {
		onBucket, onObject := s.covers(resource)
		bucket, objects = bucket || onBucket, objects || onObject
	}
	for _, element := range s.Action {
		acts := func(a S3Action) bool { return a.OnBucket && bucket || a.OnObject && objects }
		if !slices.ContainsFunc(s.matching(element), acts) {
			return actionWithoutTarget
		}
	}
	return ""
}

// conditionFault refuses operators and condition keys that there are not, and keys
// that requests for one of the actions never have.
func (s bucketStatement) conditionFault() string {
	for _, operator := range s.Condition {
		if len(operator.Keys) > 0 && !parseOperator(operator.Name).known() {
			return invalidSyntax
		}
		dates := strings.HasPrefix(parseOperator(operator.Name).base, "Date")
		for _, key := range operator.Keys {
			if dates && slices.ContainsFunc(key.Values, func(value string) bool { return !isDate(value) }) {
				return invalidSyntax
			}
			if !s.reference.HasKey(key.Name) {
				return invalidConditionKey
			}
			for _, element := range s.Action {
				supports := func(a S3Action) bool { return s.reference.Supports(a.Name, key.Name) }
				if !slices.ContainsFunc(s.matching(element), supports) {
					return conditionNotInAction
				}
			}
		}
	}
	return ""
}
