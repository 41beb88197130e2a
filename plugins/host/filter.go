package host

import (
	"fmt"
	"slices"
	"strings"

	"iamserver/generated/pluginapi"
)

// A Filter chooses requests. An empty list chooses all.
type Filter struct {
	// Actions are policy actions without regard to case, with * as wildcard at
	// the end: s3:GetObject, s3:Delete*, iam:*.
	Actions []string `yaml:"actions"`
	// ResourcePrefixes are beginnings of ARNs.
	ResourcePrefixes []string `yaml:"resource_prefixes"`
	// PrincipalTypes are IAMUser, ServiceAccount, AssumedRole, Root.
	PrincipalTypes []string `yaml:"principal_types"`
}

func filterOf(m *pluginapi.Filter) Filter {
	if m == nil {
		return Filter{}
	}
	return Filter{m.Actions, m.ResourcePrefixes, m.PrincipalTypes}
}

// A matcher is a compiled Filter.
type matcher struct {
	actions   map[string]struct{} // folded
	prefixes  []string            // of actions, folded
	anyAction bool
	resources []string
	types     []string
}

// foldedAction is how long an action can be that is looked up without
// allocating. There is none so long; one that is, always matches.
const foldedAction = 128

func (f Filter) compile() (*matcher, error) {
	m := &matcher{actions: map[string]struct{}{}, anyAction: len(f.Actions) == 0, resources: f.ResourcePrefixes, types: f.PrincipalTypes}
	for _, a := range f.Actions {
		prefix, wild := strings.CutSuffix(strings.ToLower(a), "*")
		switch {
		case strings.ContainsAny(prefix, "*?") || len(prefix) >= foldedAction || !wild && !strings.Contains(prefix, ":"):
			// A pattern that matches nothing would be a plugin that is never asked.
			return nil, fmt.Errorf("filter: action %q: it is service:Action, with * at the end or not at all", a)
		case wild:
			m.prefixes = append(m.prefixes, prefix)
		default:
			m.actions[prefix] = struct{}{}
		}
	}
	for _, prefix := range f.ResourcePrefixes {
		if !strings.HasPrefix(prefix, "arn:") || strings.ContainsAny(prefix, "*?") {
			return nil, fmt.Errorf("filter: resource prefix %q: it is the beginning of an ARN, without wildcards", prefix)
		}
	}
	for _, t := range f.PrincipalTypes {
		if !slices.Contains([]string{"IAMUser", "ServiceAccount", "AssumedRole", "Root"}, t) {
			return nil, fmt.Errorf("filter: there is no principal type %q", t)
		}
	}
	return m, nil
}

func (m *matcher) matches(action, resource, principalType string) bool {
	if len(m.types) > 0 && !slices.Contains(m.types, principalType) {
		return false
	}
	return m.matchesAction(action) && m.matchesResource(resource)
}

func (m *matcher) matchesAction(action string) bool {
	if m.anyAction || len(action) > foldedAction {
		return true
	}
	var buffer [foldedAction]byte
	folded := buffer[:len(action)]
	for i := range len(action) {
		c := action[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		folded[i] = c
	}
	if _, ok := m.actions[string(folded)]; ok {
		return true
	}
	for _, prefix := range m.prefixes {
		if len(folded) >= len(prefix) && string(folded[:len(prefix)]) == prefix {
			return true
		}
	}
	return false
}

func (m *matcher) matchesResource(resource string) bool {
	if len(m.resources) == 0 {
		return true
	}
	for _, prefix := range m.resources {
		if strings.HasPrefix(resource, prefix) {
			return true
		}
	}
	return false
}
