package iam

import (
	"fmt"
	"slices"
	"strings"

	"iamserver/generated/iamapi"
	"iamserver/generated/iamerr"
	"iamserver/runtime/arn"
	"iamserver/runtime/identity"
	"iamserver/runtime/policy"
)

// GetContextKeysForCustomPolicy returns the condition keys that policies name.
func (s *Service) GetContextKeysForCustomPolicy(_ *Tx, req *iamapi.GetContextKeysForCustomPolicyRequest) (*iamapi.GetContextKeysForCustomPolicyResponse, error) {
	policies, err := inputs("PolicyInputList", req.PolicyInputList)
	if err != nil {
		return nil, err
	}
	return &iamapi.GetContextKeysForCustomPolicyResponse{ContextKeyNames: contextKeys(policies)}, nil
}

// GetContextKeysForPrincipalPolicy returns the condition keys that the policies of
// a user with its groups, or of a group, name, and those that are given.
func (s *Service) GetContextKeysForPrincipalPolicy(tx *Tx, req *iamapi.GetContextKeysForPrincipalPolicyRequest) (*iamapi.GetContextKeysForPrincipalPolicyResponse, error) {
	source, err := s.policySource(tx, req.PolicySourceArn)
	if err != nil {
		return nil, err
	}
	given, err := inputs("PolicyInputList", req.PolicyInputList)
	if err != nil {
		return nil, err
	}
	return &iamapi.GetContextKeysForPrincipalPolicyResponse{ContextKeyNames: contextKeys(slices.Concat(source.policies, given))}, nil
}

func contextKeys(policies []simulatedPolicy) []string {
	names := keyNames{all: []string{}}
	for _, p := range policies {
		names.add(p.document.ContextKeys())
	}
	return names.all
}

// keyNames are names of condition keys, each once without regard to case. There can
// be many thousands.
type keyNames struct {
	all  []string
	seen map[string]bool
}

func (k *keyNames) add(names []string) {
	if k.seen == nil {
		k.seen = map[string]bool{}
	}
	for _, name := range names {
		if folded := strings.ToLower(name); !k.seen[folded] {
			k.seen[folded] = true
			k.all = append(k.all, name)
		}
	}
}

// ListPoliciesGrantingServiceAccess returns by service the policies of a user with
// its groups, or of a group, that allow anything in it. What denies does not count.
func (s *Service) ListPoliciesGrantingServiceAccess(tx *Tx, req *iamapi.ListPoliciesGrantingServiceAccessRequest) (*iamapi.ListPoliciesGrantingServiceAccessResponse, error) {
	if req.Marker != nil { // there is only one page
		return nil, iamerr.InvalidMarker()
	}
	source, err := s.policySource(tx, req.Arn)
	if err != nil {
		return nil, err
	}
	out := &iamapi.ListPoliciesGrantingServiceAccessResponse{}
	for _, service := range req.ServiceNamespaces {
		entry := iamapi.ListPoliciesGrantingServiceAccessEntry{ServiceNamespace: new(service), Policies: []iamapi.PolicyGrantingServiceAccess{}}
		for i, p := range source.policies {
			if allowsIn(p.document, service) {
				entry.Policies = append(entry.Policies, source.granting[i])
			}
		}
		out.PoliciesGrantingServiceAccess = append(out.PoliciesGrantingServiceAccess, entry)
	}
	return out, nil
}

// A policySource is a user or group with all its policies.
type policySource struct {
	arn      string
	user     *identity.User // nil for a group
	policies []simulatedPolicy
	granting []iamapi.PolicyGrantingServiceAccess // of each policy
	boundary []simulatedPolicy                    // nil for none
	missing  string                               // the ARN of a policy of AWS that is attached and not there any more
}

// caller is whose requests are simulated by default.
func (p *policySource) caller() string {
	if p.user == nil {
		return ""
	}
	return p.arn
}

// policySource returns the user or group of an ARN, which must have its path and
// name in their case: that is what the caller was authorized on.
func (s *Service) policySource(tx *Tx, sourceARN string) (*policySource, error) {
	if _, err := arn.Parse(sourceARN); err != nil {
		return nil, iamerr.MalformedArn(sourceARN)
	}
	named, err := arn.ParseEntity(sourceARN, s.config.Account)
	if err != nil {
		return nil, iamerr.EntityNotDefined(sourceARN)
	}
	source := &policySource{arn: named.String()}
	switch named.Type {
	case arn.TypeUser:
		user, err := tx.user(named.Name)
		if err != nil {
			return nil, err
		}
		if arn.User(s.config.Account, user.Path, user.Name) != source.arn {
			return nil, iamerr.UserNotFound(named.Name)
		}
		source.user = user
		return source, s.addUser(tx, source)
	case arn.TypeGroup:
		group, err := tx.group(named.Name)
		if err != nil {
			return nil, err
		}
		if arn.Group(s.config.Account, group.Path, group.Name) != source.arn {
			return nil, iamerr.GroupNotFound(named.Name)
		}
		return source, s.addGroup(tx, source, group)
	case arn.TypeRole:
		return nil, iamerr.RoleNotFound(named.Name)
	default:
		return nil, iamerr.EntityNotDefined(sourceARN)
	}
}

// addUser adds the policies of a user and its groups, but not of disabled ones.
func (s *Service) addUser(tx *Tx, source *policySource) error {
	user := source.user
	if err := s.addPolicies(tx, source, user.ID, owner{policy.SourceUser, iamapi.PolicyOwnerEntityUSER, user.Name}); err != nil {
		return err
	}
	groups, err := tx.GroupsOf(user.ID)
	if err != nil {
		return err
	}
	for i := range groups {
		if groups[i].Disabled {
			continue
		}
		if err := s.addGroup(tx, source, &groups[i]); err != nil {
			return err
		}
	}
	if user.Boundary == (identity.PolicyRef{}) {
		return nil
	}
	boundary, err := s.attachedPolicy(tx, source, user.Boundary)
	if err != nil || boundary == nil {
		return err
	}
	source.boundary = []simulatedPolicy{*boundary}
	return nil
}

func (s *Service) addGroup(tx *Tx, source *policySource, group *identity.Group) error {
	return s.addPolicies(tx, source, group.ID, owner{policy.SourceGroup, iamapi.PolicyOwnerEntityGROUP, group.Name})
}

// An owner is whose inline policies are shown, in the words of the two lists.
type owner struct {
	source policy.SourceType
	entity string
	name   string
}

func (s *Service) addPolicies(tx *Tx, source *policySource, ownerID string, of owner) error {
	inline, err := tx.InlinePolicies(ownerID)
	if err != nil {
		return err
	}
	for _, p := range inline {
		// AWS calls the inline policy p of the user u user_u_p.
		id := policy.Source{ID: string(of.source) + "_" + of.name + "_" + p.Name, Type: of.source}
		stored, err := storedPolicy(id, policy.InlinePolicy, p.Document)
		if err != nil {
			return err
		}
		source.policies = append(source.policies, *stored)
		source.granting = append(source.granting, iamapi.PolicyGrantingServiceAccess{
			PolicyName: p.Name, PolicyType: iamapi.PolicyPlaceINLINE, EntityType: &of.entity, EntityName: &of.name,
		})
	}
	refs, err := tx.AttachedPolicies(ownerID)
	if err != nil {
		return err
	}
	for _, ref := range refs {
		// A policy can be attached to a user and to its groups.
		if slices.ContainsFunc(source.granting, func(p iamapi.PolicyGrantingServiceAccess) bool { return p.PolicyArn != nil && *p.PolicyArn == ref.ARN }) {
			continue
		}
		attached, err := s.attachedPolicy(tx, source, ref)
		if err != nil {
			return err
		}
		if attached == nil {
			continue
		}
		source.policies = append(source.policies, *attached)
		source.granting = append(source.granting, iamapi.PolicyGrantingServiceAccess{PolicyName: ref.Name(), PolicyType: iamapi.PolicyPlaceMANAGED, PolicyArn: &ref.ARN})
	}
	return nil
}

// attachedPolicy reads the version in force of a managed policy. Of one of AWS that
// is not there any more it returns nil, and notes it.
func (s *Service) attachedPolicy(tx *Tx, source *policySource, ref identity.PolicyRef) (*simulatedPolicy, error) {
	if ref.OfAWS() {
		document, _, ok := s.config.Managed.InForce(ref.ARN)
		if !ok {
			source.missing = ref.ARN
			return nil, nil
		}
		return storedPolicy(policy.Source{ID: ref.Name(), Type: policy.SourceAWSManaged}, policy.ManagedPolicy, document)
	}
	version, err := tx.DefaultVersion(ref.ID)
	if err != nil {
		return nil, err
	}
	return storedPolicy(policy.Source{ID: ref.Name(), Type: policy.SourceUserManaged}, policy.ManagedPolicy, version.Document)
}

func storedPolicy(source policy.Source, kind policy.Kind, text string) (*simulatedPolicy, error) {
	document, err := policy.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("read policy %s: %w", source.ID, err)
	}
	return &simulatedPolicy{source: source, kind: kind, text: text, document: document}, nil
}

// allowsIn tells whether a statement of a policy allows anything in a service.
func allowsIn(d *policy.Document, service string) bool {
	return slices.ContainsFunc(d.Statements, func(s policy.Statement) bool {
		if s.Effect != policy.Allow {
			return false
		}
		if s.NotAction != nil {
			return !slices.ContainsFunc(s.NotAction, func(action string) bool { return action == everything || strings.EqualFold(action, service+":*") })
		}
		return slices.ContainsFunc(s.Action, func(action string) bool {
			prefix, _, _ := strings.Cut(action, ":")
			return action == everything || strings.EqualFold(prefix, service)
		})
	})
}
