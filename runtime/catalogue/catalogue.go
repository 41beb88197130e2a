// Package catalogue says what policies can name: actions, the types of resources
// that they are authorized on, condition keys. It holds none of them, which are
// in the generated package reference, and decides nothing.
package catalogue

import (
	"slices"
	"strings"

	"iamserver/runtime/action"
)

// A Type is the form of the values of a condition key.
type Type uint8

// The forms. They go with the operators of the same names; a Date may also be a
// number of seconds.
const (
	String Type = iota
	Bool
	Numeric
	Date
	IP
	ARN
)

// String returns the form in the words of AWS's reference.
func (t Type) String() string {
	return [...]string{"String", "Bool", "Numeric", "Date", "IPAddress", "ARN"}[t]
}

// A Key is a condition key.
type Key struct {
	// Name is the key with its service, such as s3:prefix. A key with a part that
	// policies choose has a placeholder there: aws:PrincipalTag/${TagKey}.
	Name string
	// Type is the form of its values.
	Type Type
	// Many keys can have several values in a request, and need ForAllValues or
	// ForAnyValue.
	Many bool
	// Listed keys belong to no service, and yet only requests for the actions that
	// list them have them.
	Listed bool
	// Absent keys exist on AWS, and no request here has them.
	Absent bool
}

// A Resource is a type of resources.
type Resource struct {
	// Service and Name are those of the type, such as iam and user.
	Service, Name string
	// ARN is the form of the ARNs, with placeholders in ${}.
	ARN string
	// Keys are the condition keys that actions on such a resource support beside
	// their own.
	Keys []string
}

// Matches tells whether an ARN has the form of the type's. Only the last
// placeholder, if it stands behind a slash, may stand for something with slashes.
func (r *Resource) Matches(arn string) bool {
	form := r.ARN
	for {
		literal, rest, more := strings.Cut(form, "${")
		if !more {
			return arn == form
		}
		if !strings.HasPrefix(arn, literal) {
			return false
		}
		arn = arn[len(literal):]
		_, form, _ = strings.Cut(rest, "}")
		next, _, more := strings.Cut(form, "${")
		if !more {
			name, ok := strings.CutSuffix(arn, form)
			return ok && name != "" && (strings.HasSuffix(literal, "/") || !strings.Contains(name, "/"))
		}
		end := strings.Index(arn, next)
		if end < 1 || strings.Contains(arn[:end], "/") {
			return false
		}
		arn = arn[end:]
	}
}

// An Action is what a policy allows or denies.
type Action struct {
	// Service and Name are those of the action, such as s3 and GetObject.
	Service, Name string
	// Access is the action's access level.
	Access action.Access
	// Resources are the names of the types of resources that the action is
	// authorized on, each request on one. An action without is authorized on "*".
	Resources []string
	// Keys are the condition keys that the action supports, beside those of its
	// resources and those of the service aws, which every request has.
	Keys []string
	// Extension actions are not AWS's.
	Extension bool
}

// String returns the action as policies write it, such as s3:GetObject.
func (a *Action) String() string { return a.Service + ":" + a.Name }

// A Catalogue finds actions, resources and keys by name. It is immutable.
type Catalogue struct {
	// Actions, Resources and Keys are all there are, in the order of their names
	// within each service.
	Actions   []Action
	Resources []Resource
	Keys      []Key

	actions   map[string]*Action
	resources map[string]*Resource
	keys      map[string]*Key
	patterns  []pattern
}

// A pattern finds keys with a placeholder.
type pattern struct {
	before, after string
	key           *Key
}

// New returns the catalogue of what it is given, which must not change any more.
func New(actions []Action, resources []Resource, keys []Key) *Catalogue {
	c := &Catalogue{
		Actions: actions, Resources: resources, Keys: keys,
		actions: map[string]*Action{}, resources: map[string]*Resource{}, keys: map[string]*Key{},
	}
	for i := range actions {
		c.actions[strings.ToLower(actions[i].String())] = &actions[i]
	}
	for i := range resources {
		c.resources[resources[i].Service+":"+resources[i].Name] = &resources[i]
	}
	for i := range keys {
		name := strings.ToLower(keys[i].Name)
		c.keys[name] = &keys[i]
		if before, rest, ok := strings.Cut(name, "${"); ok {
			_, after, _ := strings.Cut(rest, "}")
			c.patterns = append(c.patterns, pattern{before, after, &keys[i]})
		}
	}
	return c
}

// Action returns the action with a name like s3:GetObject, compared without
// regard to case, or nil.
func (c *Catalogue) Action(name string) *Action { return c.actions[strings.ToLower(name)] }

// Resource returns the type of resources with a service and a name, or nil.
func (c *Catalogue) Resource(service, name string) *Resource { return c.resources[service+":"+name] }

// Key returns the condition key that a policy names, such as s3:prefix or
// aws:RequestTag/team, compared without regard to case, or nil.
func (c *Catalogue) Key(name string) *Key {
	name = strings.ToLower(name)
	if k := c.keys[name]; k != nil {
		return k
	}
	for _, p := range c.patterns {
		// Something must stand for the placeholder.
		if len(name) > len(p.before)+len(p.after) && strings.HasPrefix(name, p.before) && strings.HasSuffix(name, p.after) {
			return p.key
		}
	}
	return nil
}

// Supports tells whether requests for the action can have a condition key: one
// of the action's own, one of its resources, or one that belongs to no service
// and that every request can have.
func (c *Catalogue) Supports(a *Action, key string) bool {
	k := c.Key(key)
	switch {
	case k == nil:
		return false
	case slices.Contains(a.Keys, k.Name):
		return true
	}
	for _, name := range a.Resources {
		if r := c.Resource(a.Service, name); r != nil && slices.Contains(r.Keys, k.Name) {
			return true
		}
	}
	return strings.HasPrefix(k.Name, "aws:") && !k.Listed
}
