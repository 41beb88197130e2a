package reference

import (
	"fmt"
	"slices"
	"strings"

	"iamserver/codegen/model"
	"iamserver/codegen/openapi"
)

// A Use is what another part of the specification says of an action.
type Use struct {
	model.Position

	Action   string   // with its service: s3:GetObject
	Resource string   // the type of the resource that it is authorized on; empty for *
	Keys     []string // the condition keys that the request supplies; tags may go without /${TagKey}
}

// Check finds what a use says of an action that the reference does not know.
func (r *Reference) Check(u Use) openapi.Problems {
	var problems openapi.Problems
	problem := func(format string, args ...any) {
		problems = append(problems, openapi.Problem{Position: u.Position, Text: fmt.Sprintf(format, args...)})
	}
	a := r.Action(u.Action)
	if a == nil {
		problem("the authorization reference has no action %s", u.Action)
		return problems
	}
	if !slices.Contains(a.Resources, u.Resource) && (u.Resource != "" || len(a.Resources) > 0) {
		problem("%s is authorized on %s, not on %s", u.Action, on(a.Resources...), on(u.Resource))
		return problems
	}
	supported := r.supported(u.Action, u.Resource)
	for _, key := range u.Keys {
		if !slices.ContainsFunc(supported, func(k string) bool { return same(key, k) }) && !r.global(key) {
			problem("%s does not support the condition key %s", u.Action, key)
		}
	}
	return problems
}

// Missing returns the condition keys of the action and of the type of its
// resource that a use lacks, without those that no request here has.
func (r *Reference) Missing(u Use) []string {
	var missing []string
	for _, k := range r.supported(u.Action, u.Resource) {
		if r.Key(k).Absent == "" && !slices.ContainsFunc(u.Keys, func(key string) bool { return same(key, k) }) {
			missing = append(missing, k)
		}
	}
	return missing
}

// supported are the condition keys of an action and of the type of its resource.
func (r *Reference) supported(action, resource string) []string {
	service, _, _ := strings.Cut(action, ":")
	a := r.Action(action)
	if a == nil {
		return nil
	}
	keys := slices.Clone(a.Keys)
	if t := r.Service(service).Resource(resource); t != nil {
		keys = append(keys, t.Keys...)
	}
	return keys
}

// global tells whether every request can have a key, whatever its action.
func (r *Reference) global(key string) bool {
	s := r.Service("aws")
	return s != nil && slices.ContainsFunc(s.Keys, func(k *Key) bool { return same(key, k.Name) && !k.Listed })
}

// same tells whether key, which may go without its placeholder, is the key k.
func same(key, k string) bool { return key == k || key+"/${TagKey}" == k }

func on(types ...string) string {
	if len(types) == 0 || types[0] == "" {
		return "*"
	}
	return strings.Join(types, " or ")
}
