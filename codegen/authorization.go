package codegen

import (
	"fmt"
	"strings"

	"iamserver/codegen/model"
	"iamserver/codegen/openapi"
	"iamserver/codegen/reference"
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
		found := 0
		for _, resource := range resourcesOf(a) {
			use := reference.Use{Position: a.Position, Action: name, Resource: resource.Type, Keys: a.ConditionKeys}
			wrong := r.Check(use)
			problems = append(problems, wrong...)
			found += len(wrong)
			if created(resource) {
				use.Resource = "" // what does not exist yet has no tags
			}
			missing := r.Missing(use)
			if found += len(missing); len(missing) > 0 {
				problem("%s lacks the condition keys %s", name, strings.Join(missing, ", "))
			}
			if found > 0 {
				break
			}
		}
	}
	return problems
}

// resourcesOf are the resources of an action; one that has none is authorized on *.
func resourcesOf(a *model.Action) []model.Resource {
	if len(a.Resources) == 0 {
		return []model.Resource{{}}
	}
	return a.Resources
}

// created tells whether the resource is one that the action makes.
func created(r model.Resource) bool { return r.Path != "" && r.From == "" }
