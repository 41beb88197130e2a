package server

import (
	"slices"

	"iamserver/runtime/action"
	"iamserver/runtime/arn"
	"iamserver/runtime/policy"
)

// requestKeys are the condition keys that an action supplies beyond the global
// ones. They are read from the input when a policy first asks for one.
type requestKeys struct {
	call   *call
	read   bool
	values action.ConditionKeys
}

// Value implements policy.Context.
func (k *requestKeys) Value(key *policy.Key) policy.Value {
	if !k.read {
		k.read = true
		if input, ok := k.call.input.(action.Conditioned); ok {
			input.ConditionKeys(&k.values)
		}
	}
	switch key.Name() {
	case "aws:requesttag":
		return policy.TagValue(func(yield func(key, value string) bool) {
			for _, tag := range k.values.Tags {
				if !yield(tag.Key, tag.Value) {
					return
				}
			}
		}, key.Tag())
	case "aws:tagkeys":
		return k.tagKeys()
	case "iam:policyarn":
		if k.values.PolicyARN != "" {
			return policy.Text(k.call.server.ownAccount(k.values.PolicyARN))
		}
	case "iam:permissionsboundary":
		return k.boundary()
	}
	return policy.Value{}
}

// tagKeys is absent from a request without tags.
func (k *requestKeys) tagKeys() policy.Value {
	if len(k.values.Tags)+len(k.values.TagKeys) == 0 {
		return policy.Value{}
	}
	keys := slices.Clone(k.values.TagKeys)
	for _, tag := range k.values.Tags {
		keys = append(keys, tag.Key)
	}
	return policy.List(keys)
}

// boundary is the boundary that the request sets, or else the one that its
// resource has, of the actions that know the key: so that "may give policies only
// to users with this boundary" can be said.
func (k *requestKeys) boundary() policy.Value {
	if k.values.PermissionsBoundary != "" {
		return policy.Text(k.call.server.ownAccount(k.values.PermissionsBoundary))
	}
	if slices.Contains(k.call.row.ConditionKeys, "iam:PermissionsBoundary") {
		for i := range k.call.resources {
			if boundary := k.call.resources[i].Boundary; boundary != "" {
				return policy.Text(boundary)
			}
		}
	}
	return policy.Value{}
}

// ownAccount returns the ARN of an IAM policy with the account that an empty one
// stands for, so that a condition on the full ARN cannot be walked around.
func (s *Server) ownAccount(text string) string {
	if entity, err := arn.ParsePolicy(text, s.config.Account); err == nil {
		return entity.String()
	}
	return text
}
