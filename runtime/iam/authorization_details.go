package iam

import (
	"slices"
	"strings"

	"iamserver/generated/iamapi"
	"iamserver/generated/iamerr"
	"iamserver/runtime/arn"
	"iamserver/runtime/identity"
)

// maxDetailDocuments is how many bytes of policy documents fill a page of
// GetAccountAuthorizationDetails, however many entities were asked for: quotas
// do not count the white space of documents, so theirs do not bound a page.
const maxDetailDocuments = 1 << 20

// GetAccountAuthorizationDetails returns a page of the users, then the groups,
// then the managed policies of the account and those of AWS that it uses, with
// all that decides what they may do.
func (s *Service) GetAccountAuthorizationDetails(tx *Tx, req *iamapi.GetAccountAuthorizationDetailsRequest) (*iamapi.GetAccountAuthorizationDetailsResponse, error) {
	position, err := markerIn(detailList, req.Marker)
	if err != nil {
		return nil, err
	}
	kinds, after, err := detailKindsFrom(position, req.Filter)
	if err != nil {
		return nil, err
	}
	d := details{Service: s, tx: tx, room: int(req.MaxItems)}
	for _, kind := range kinds {
		if err := d.add(kind, after); err != nil {
			return nil, err
		}
		if d.out.IsTruncated {
			break
		}
		after = ""
	}
	return &d.out, nil
}

// A detailKind is one kind of entities of GetAccountAuthorizationDetails.
type detailKind struct {
	name string // in filters and markers
	// next reads the first entity after a position and returns what adds its
	// details to the page, nil if there is no such entity, and the position of
	// the entity after it.
	next func(d *details, after string) (add func() error, next string, err error)
}

var detailKinds = []detailKind{
	{iamapi.EntityTypeUser, (*details).nextUser},
	{iamapi.EntityTypeGroup, (*details).nextGroup},
	{iamapi.EntityTypeLocalManagedPolicy, (*details).nextPolicy},
	{iamapi.EntityTypeAWSManagedPolicy, (*details).nextManagedPolicy},
}

// detailSeparator stands in markers between the kind to go on with and the
// position in its list.
const detailSeparator = ":"

// detailKindsFrom returns the kinds that a filter shows, all of them if it is
// empty, from the one on that a marker's position is in, and the position in
// that one's list.
func detailKindsFrom(position string, filter []string) (kinds []detailKind, after string, err error) {
	kinds = slices.Clone(detailKinds)
	if len(filter) > 0 {
		kinds = slices.DeleteFunc(kinds, func(k detailKind) bool { return !slices.Contains(filter, k.name) })
	}
	if position == "" {
		return kinds, "", nil
	}
	name, after, _ := strings.Cut(position, detailSeparator)
	i := slices.IndexFunc(kinds, func(k detailKind) bool { return k.name == name })
	if i < 0 {
		return nil, "", iamerr.InvalidMarker()
	}
	return kinds[i:], after, nil
}

// details is a page in the making.
type details struct {
	*Service
	tx        *Tx
	out       iamapi.GetAccountAuthorizationDetailsResponse
	room      int // entities that the page still has room for
	documents int // bytes of policy documents in it
}

// add adds the entities of a kind until there are no more or the page is full.
func (d *details) add(kind detailKind, after string) error {
	for {
		add, next, err := kind.next(d, after)
		if err != nil || add == nil {
			return err
		}
		if d.room == 0 || d.documents >= maxDetailDocuments {
			d.out.IsTruncated, d.out.Marker = true, markerOut(detailList, kind.name+detailSeparator+after)
			return nil
		}
		if err := add(); err != nil {
			return err
		}
		d.room--
		if next == "" {
			return nil
		}
		after = next
	}
}

func (d *details) nextUser(after string) (add func() error, next string, err error) {
	users, next, err := d.tx.Users("", after, 1)
	if err != nil || len(users) == 0 {
		return nil, "", err
	}
	return func() error { return d.addUser(&users[0]) }, next, nil
}

func (d *details) addUser(u *identity.User) error {
	embedded, attached, err := d.policiesOf(u.ID)
	if err != nil {
		return err
	}
	groups, err := d.tx.GroupsOf(u.ID)
	if err != nil {
		return err
	}
	names := make([]string, len(groups))
	for i := range groups {
		names[i] = groups[i].Name
	}
	d.out.UserDetailList = append(d.out.UserDetailList, iamapi.UserDetail{
		Path:                    &u.Path,
		UserName:                &u.Name,
		UserId:                  &u.ID,
		Arn:                     new(arn.User(d.config.Account, u.Path, u.Name)),
		CreateDate:              &u.Created,
		UserPolicyList:          embedded,
		GroupList:               names,
		AttachedManagedPolicies: attached,
		PermissionsBoundary:     boundaryOut(u.Boundary),
		Tags:                    tagsOut(u.Tags),
	})
	return nil
}

func (d *details) nextGroup(after string) (add func() error, next string, err error) {
	groups, next, err := d.tx.Groups("", after, 1)
	if err != nil || len(groups) == 0 {
		return nil, "", err
	}
	return func() error { return d.addGroup(&groups[0]) }, next, nil
}

func (d *details) addGroup(g *identity.Group) error {
	embedded, attached, err := d.policiesOf(g.ID)
	if err != nil {
		return err
	}
	d.out.GroupDetailList = append(d.out.GroupDetailList, iamapi.GroupDetail{
		Path:                    &g.Path,
		GroupName:               &g.Name,
		GroupId:                 &g.ID,
		Arn:                     new(arn.Group(d.config.Account, g.Path, g.Name)),
		CreateDate:              &g.Created,
		GroupPolicyList:         embedded,
		AttachedManagedPolicies: attached,
	})
	return nil
}

func (d *details) nextPolicy(after string) (add func() error, next string, err error) {
	policies, next, err := d.tx.Policies(identity.PolicyFilter{}, after, 1)
	if err != nil || len(policies) == 0 {
		return nil, "", err
	}
	return func() error { return d.addPolicy(&policies[0]) }, next, nil
}

// nextManagedPolicy passes over the policies of AWS that nothing uses.
func (d *details) nextManagedPolicy(after string) (add func() error, next string, err error) {
	all, err := d.managedPolicies(d.tx, func(p *identity.Policy) bool {
		return managedPosition(p) > after && p.AttachmentCount+p.BoundaryCount > 0
	})
	if err != nil || len(all) == 0 {
		return nil, "", err
	}
	if len(all) > 1 {
		next = managedPosition(&all[0])
	}
	return func() error { return d.addPolicy(&all[0]) }, next, nil
}

func (d *details) addPolicy(p *identity.Policy) error {
	versions, err := d.versionsOf(d.tx, p)
	if err != nil {
		return err
	}
	for i := range versions {
		d.documents += len(versions[i].Document)
	}
	shown := d.policyOut(p)
	d.out.Policies = append(d.out.Policies, iamapi.ManagedPolicyDetail{
		PolicyName:                    shown.PolicyName,
		PolicyId:                      shown.PolicyId,
		Arn:                           shown.Arn,
		Path:                          shown.Path,
		DefaultVersionId:              shown.DefaultVersionId,
		AttachmentCount:               shown.AttachmentCount,
		PermissionsBoundaryUsageCount: shown.PermissionsBoundaryUsageCount,
		IsAttachable:                  shown.IsAttachable,
		Description:                   shown.Description,
		CreateDate:                    shown.CreateDate,
		UpdateDate:                    shown.UpdateDate,
		PolicyVersionList:             versionsOut(versions),
	})
	return nil
}

// policiesOf returns the policies of a user or group, embedded and attached.
func (d *details) policiesOf(ownerID string) (embedded []iamapi.PolicyDetail, attached []iamapi.AttachedPolicy, err error) {
	inline, err := d.tx.InlinePolicies(ownerID)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range inline {
		embedded = append(embedded, iamapi.PolicyDetail{PolicyName: new(p.Name), PolicyDocument: new(p.Document)})
		d.documents += len(p.Document)
	}
	refs, err := d.tx.AttachedPolicies(ownerID)
	return embedded, attachedOut(refs), err
}
