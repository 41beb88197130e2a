package codegen

import (
	"fmt"
	"slices"
	"strings"

	"iamserver/codegen/model"
	"iamserver/codegen/openapi"
	"iamserver/codegen/reference"
	"iamserver/runtime/operation"
)

// unauthorized finds what the actions of a service say of their access levels,
// resources and condition keys otherwise than the authorization reference does.
// A service without a reference has nothing to compare.
func unauthorized(s *model.Service, r *reference.Reference) openapi.Problems {
	if r.Service(s.Name) == nil {
		return nil
	}
	var problems openapi.Problems
	for _, a := range s.Actions {
		problem := func(format string, args ...any) {
			problems = append(problems, openapi.Problem{Position: a.Position, Text: fmt.Sprintf(format, args...)})
		}
		name := s.Name + ":" + a.Name
		if known := r.Action(name); known != nil && (known.Access != a.Access || known.Extension != (a.Extension != "")) {
			problem("the authorization reference has the access level of %s, or whether it is an extension, otherwise", name)
		}
		for _, resource := range resourcesOf(a) {
			use := reference.Use{Position: a.Position, Action: name, Resource: resource.Type, Keys: a.ConditionKeys}
			wrong := r.Check(use)
			if created(resource) {
				use.Resource = "" // what does not exist yet has no tags
			}
			missing := r.Missing(use)
			problems = append(problems, wrong...)
			if len(missing) > 0 {
				problem("%s lacks the condition keys %s", name, strings.Join(missing, ", "))
			}
			if len(wrong)+len(missing) > 0 {
				break
			}
		}
	}
	return problems
}

// resourcesOf are the resources of an action; one that has none is authorized on
// *. A principal, which may be a user, a group or a role, has the keys of a user.
func resourcesOf(a *model.Action) []model.Resource {
	if len(a.Resources) == 0 {
		return []model.Resource{{}}
	}
	all := slices.Clone(a.Resources)
	for i := range all {
		if all[i].Type == "principal" {
			all[i].Type = "user"
		}
	}
	return all
}

// created tells whether the resource is one that the action makes.
func created(r model.Resource) bool { return r.Path != "" && r.From == "" }

// unauthorizedRequests finds what the needs of operations say of actions,
// resources and condition keys otherwise than the authorization reference does.
func unauthorizedRequests(requests *model.Requests, r *reference.Reference) openapi.Problems {
	if r.Service(requests.Service.Name) == nil {
		return nil
	}
	var problems openapi.Problems
	for _, o := range requests.Operations {
		var uses []reference.Use
		for _, need := range o.Needs {
			for _, name := range []string{need.Action, need.Versioned} {
				if name != "" {
					uses = append(uses, reference.Use{Position: o.Position, Action: name, Resource: resourceTypes[need.On]})
				}
			}
		}
		for _, u := range uses {
			problems = append(problems, r.Check(u)...)
		}
		for _, key := range o.Keys {
			supported := slices.ContainsFunc(uses, func(u reference.Use) bool {
				u.Keys = []string{strings.TrimSuffix(key.Name, "/")}
				return (len(key.Of) == 0 || slices.Contains(key.Of, u.Action)) && len(r.Check(u)) == 0
			})
			if !supported {
				problems = append(problems, openapi.Problem{Position: o.Position, Text: fmt.Sprintf("no action that %s needs supports the condition key %s", o.Name, key.Name)})
			}
		}
	}
	return problems
}

// resourceTypes are the reference's names of what an operation of S3 is decided on.
var resourceTypes = map[operation.Resource]string{
	operation.OnAll: "", operation.OnBucket: "bucket", operation.OnObject: "object", operation.OnSource: "object", operation.OnEntries: "object",
}
