package server

import (
	"errors"

	"iamserver/runtime/action"
	"iamserver/runtime/arn"
	"iamserver/runtime/authz"
	"iamserver/runtime/identity"
	"iamserver/runtime/sigv4"
)

// resolve finds the resources that the request names. What does not exist is
// authorized on the name and path of the request, "/" where it has none, so
// that NoSuchEntity goes only to those who may know.
func (c *call) resolve(tx *identity.Tx, dst []authz.Resource) ([]authz.Resource, error) {
	for _, named := range c.input.Resources(c.named[:0]) {
		resource, err := c.resource(tx, named)
		if err != nil {
			return nil, err
		}
		dst = append(dst, resource)
	}
	if len(dst) == 0 {
		dst = append(dst, anything)
	}
	return dst, nil
}

// anything is the resource of the actions that have no resource type.
var anything = authz.Resource{ARN: "*"}

func (c *call) resource(tx *identity.Tx, named action.Resource) (authz.Resource, error) {
	switch named.Type {
	case "user":
		return c.user(tx, named)
	case "group":
		return c.group(tx, named)
	case "policy":
		return c.policy(tx, named)
	case "service-account":
		return c.serviceAccount(tx, named)
	case "principal":
		return c.namedPrincipal(tx, named)
	default:
		return anything, nil
	}
}

func (c *call) user(tx *identity.Tx, named action.Resource) (authz.Resource, error) {
	if named.Owner != "" {
		return c.owner(tx, named.Owner)
	}
	switch {
	case named.Name == "" && named.From == "":
		return c.implicitUser(tx)
	case named.Path != "" && named.From == "": // at creation
		return authz.Resource{Type: "user", ARN: arn.User(c.server.config.Account, named.Path, named.Name)}, nil
	}
	name := named.Name
	if named.From != "" {
		name = named.From
	}
	user, err := tx.User(name)
	switch {
	case errors.Is(err, identity.ErrNotFound):
		return authz.Resource{Type: "user", ARN: arn.User(c.server.config.Account, orRoot(named.Path), orElse(named.Name, name))}, nil
	case err != nil:
		return authz.Resource{}, err
	case named.From != "":
		// The ARN that a rename gives; it is nobody's yet.
		return authz.Resource{Type: "user", ARN: arn.User(c.server.config.Account, orElse(named.Path, user.Path), orElse(named.Name, user.Name))}, nil
	}
	return c.foundUser(user), nil
}

// namedPrincipal is the user or group that an ARN names. The ARN must have the path
// and name of what there is, in their case; else it is authorized as it stands.
func (c *call) namedPrincipal(tx *identity.Tx, named action.Resource) (authz.Resource, error) {
	entity, err := arn.ParseEntity(named.Arn, c.server.config.Account)
	if err != nil {
		// The handler answers what is wrong with it, to those who may do anything.
		return anything, nil //nolint:nilerr // see above
	}
	resource := authz.Resource{Type: string(entity.Type), ARN: entity.String()}
	if entity.Type != arn.TypeUser || entity.Account != c.server.config.Account {
		return resource, nil
	}
	user, err := tx.User(entity.Name)
	switch {
	case errors.Is(err, identity.ErrNotFound):
		return resource, nil
	case err != nil:
		return authz.Resource{}, err
	}
	if found := c.foundUser(user); found.ARN == resource.ARN {
		return found, nil
	}
	return resource, nil
}

func (c *call) foundUser(user *identity.User) authz.Resource {
	return authz.Resource{
		Type: "user", ARN: arn.User(c.server.config.Account, user.Path, user.Name), UserID: user.ID,
		Tags: tagsOf(user.Tags), Boundary: user.Boundary.ARN,
	}
}

// implicitUser is the caller of an action whose absent UserName means the
// caller, and any user of one whose absent name means all.
func (c *call) implicitUser(tx *identity.Tx) (authz.Resource, error) {
	switch {
	case !c.row.ImplicitSubject:
		return anything, nil
	case c.principal.UserID == "":
		return authz.Resource{ARN: c.principal.ARN}, nil
	}
	user, err := tx.UserByID(c.principal.UserID)
	switch {
	case errors.Is(err, identity.ErrNotFound): // deleted since the signature was verified
		return authz.Resource{}, signatureError(sigv4.NewUnknownKeyError())
	case err != nil:
		return authz.Resource{}, err
	}
	return c.foundUser(user), nil
}

// owner is the user that an access key, or the service account of one, belongs to.
func (c *call) owner(tx *identity.Tx, accessKeyID string) (authz.Resource, error) {
	if accessKeyID == c.server.config.Root.AccessKeyID {
		return authz.Resource{ARN: arn.Root(c.server.config.Account)}, nil
	}
	user, err := tx.KeyOwner(accessKeyID)
	switch {
	case errors.Is(err, identity.ErrNotFound):
		return anything, nil
	case err != nil:
		return authz.Resource{}, err
	}
	return c.foundUser(user), nil
}

func (c *call) group(tx *identity.Tx, named action.Resource) (authz.Resource, error) {
	if named.Path != "" && named.From == "" { // at creation
		return authz.Resource{Type: "group", ARN: arn.Group(c.server.config.Account, named.Path, named.Name)}, nil
	}
	name := named.Name
	if named.From != "" {
		name = named.From
	}
	path, shown := named.Path, orElse(named.Name, name)
	group, err := tx.Group(name)
	switch {
	case errors.Is(err, identity.ErrNotFound):
		path = orRoot(path)
	case err != nil:
		return authz.Resource{}, err
	case named.From != "":
		path, shown = orElse(path, group.Path), orElse(named.Name, group.Name)
	default:
		return c.foundGroup(tx, group)
	}
	return authz.Resource{Type: "group", ARN: arn.Group(c.server.config.Account, path, shown)}, nil
}

func (c *call) foundGroup(tx *identity.Tx, group *identity.Group) (resource authz.Resource, err error) {
	resource = authz.Resource{Type: "group", ARN: arn.Group(c.server.config.Account, group.Path, group.Name)}
	// Who else is a member may be changed: the handler sees to the parent itself.
	if c.changesRights() && c.row.Name != "AddUserToGroup" && c.row.Name != "RemoveUserFromGroup" {
		resource.GivesRights, err = tx.InGroup(c.principal.UserID, group.ID)
	}
	return resource, err
}

// changesRights reports whether what is asked for could change the rights of the
// service account that asks.
func (c *call) changesRights() bool {
	return c.principal.Type == authz.ServiceAccount && !c.row.Access.ReadOnly()
}

// givesRights reports whether the parent of the service account that asks has a
// managed policy: attached to it or to a group of its, or as permissions boundary.
func (c *call) givesRights(tx *identity.Tx, ref identity.PolicyRef) (bool, error) {
	parent, err := tx.UserByID(c.principal.UserID)
	switch {
	case errors.Is(err, identity.ErrNotFound): // deleted since the signature was verified
		return false, signatureError(sigv4.NewUnknownKeyError())
	case err != nil:
		return false, err
	case parent.Boundary.ID == ref.ID:
		return true, nil
	}
	groups, err := tx.GroupsOf(parent.ID)
	if err != nil {
		return false, err
	}
	owners := []string{parent.ID}
	for i := range groups {
		owners = append(owners, groups[i].ID)
	}
	for _, owner := range owners {
		if attached, err := tx.Attached(owner, ref); err != nil || attached {
			return attached, err
		}
	}
	return false, nil
}

// policy is named by its ARN, or by path and name when it is made.
func (c *call) policy(tx *identity.Tx, named action.Resource) (authz.Resource, error) {
	if named.Arn == "" {
		return authz.Resource{Type: "policy", ARN: arn.Policy(c.server.config.Account, orRoot(named.Path), named.Name)}, nil
	}
	entity, err := arn.ParsePolicy(named.Arn, c.server.config.Account)
	if err != nil {
		// The handler answers what is wrong with it, to those who may do anything.
		return anything, nil //nolint:nilerr // see above
	}
	resource := authz.Resource{Type: "policy", ARN: entity.String()}
	if entity.Account != c.server.config.Account {
		return resource, nil
	}
	stored, err := tx.Policy(entity.Name)
	switch {
	case errors.Is(err, identity.ErrNotFound):
		return resource, nil
	case err != nil:
		return authz.Resource{}, err
	}
	resource.Tags = tagsOf(stored.Tags)
	if c.changesRights() {
		ref := identity.PolicyRef{ID: stored.ID, ARN: arn.Policy(c.server.config.Account, stored.Path, stored.Name)}
		resource.GivesRights, err = c.givesRights(tx, ref)
	}
	return resource, err
}

func (c *call) serviceAccount(tx *identity.Tx, named action.Resource) (authz.Resource, error) {
	resource := authz.Resource{Type: named.Type, ARN: arn.ServiceAccount(c.server.config.Account, named.Name)}
	account, err := tx.ServiceAccount(named.Name)
	switch {
	case errors.Is(err, identity.ErrNotFound):
		return resource, nil
	case err != nil:
		return authz.Resource{}, err
	}
	resource.UserID = account.Parent
	return resource, nil
}

func tagsOf(tags []identity.Tag) []authz.Tag {
	var known []authz.Tag
	for _, tag := range tags {
		known = append(known, authz.Tag{Key: tag.Key, Value: tag.Value})
	}
	return known
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func orRoot(path string) string { return orElse(path, "/") }
