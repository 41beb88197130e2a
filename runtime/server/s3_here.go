package server

import (
	"context"
	"encoding/xml"
	"errors"
	"net/http"
	"strings"

	"iamserver/generated/reference"
	"iamserver/generated/s3api"
	"iamserver/generated/s3err"
	"iamserver/runtime/arn"
	"iamserver/runtime/identity"
	"iamserver/runtime/policy"
	"iamserver/runtime/s3"
)

const (
	// ownerEnforced is the only object ownership that there is: access lists decide
	// nothing. Buckets have it from the beginning.
	ownerEnforced = "BucketOwnerEnforced"
	// ownershipDeleted says that somebody has deleted the setting. Access lists
	// still decide nothing, but tools wait for the setting to be gone.
	ownershipDeleted = "deleted"
)

// here carries out the operations that the store must not hear of: those on what
// decides about a bucket, and on what pages of other sites may see of it.
func (c *s3Call) here(ctx context.Context, content s3.Content) error {
	if err := c.targetExists(ctx); err != nil {
		return err
	}
	if content.Body != nil {
		if err := content.Body.Verify(); err != nil {
			return err
		}
	}
	switch c.req.Operation.Name {
	case "GetBucketPolicy":
		return c.getPolicy(ctx)
	case "PutBucketPolicy":
		return c.putPolicy(ctx, string(content.Document))
	case "DeleteBucketPolicy":
		return c.change(ctx, http.StatusNoContent, func(b *identity.Bucket) { b.Policy, b.Principals = "", nil })
	case "GetBucketPolicyStatus":
		return c.getPolicyStatus(ctx)
	case "GetPublicAccessBlock":
		return c.getPublicAccessBlock(ctx)
	case "PutPublicAccessBlock":
		return c.putPublicAccessBlock(ctx, content.Document)
	case "DeletePublicAccessBlock":
		return c.change(ctx, http.StatusNoContent, func(b *identity.Bucket) { b.PublicAccessBlock = nil })
	case "GetBucketOwnershipControls":
		return c.getOwnership(ctx)
	case "PutBucketOwnershipControls":
		return c.putOwnership(ctx, content.Document)
	case "DeleteBucketOwnershipControls":
		return c.change(ctx, http.StatusNoContent, func(b *identity.Bucket) { b.Ownership = ownershipDeleted })
	case "GetBucketCors":
		return c.getCORS(ctx)
	case "PutBucketCors":
		return c.putCORS(ctx, content.Document)
	case "DeleteBucketCors":
		return c.change(ctx, http.StatusNoContent, func(b *identity.Bucket) { b.CORS = "" })
	case "GetBucketAcl", "GetObjectAcl":
		return c.answerXML(c.ownersList())
	case "PutBucketAcl", "PutObjectAcl":
		return c.putACL(content.Document)
	}
	return s3err.OperationRefused(c.req.Operation.Name, "It is not supported here.")
}

// targetExists refuses what is about a bucket or object that is not there.
func (c *s3Call) targetExists(ctx context.Context) error {
	exists, err := c.store.state.BucketExists(ctx, c.req.Bucket)
	if err != nil {
		return c.stateFailed(err)
	}
	if !exists {
		return s3err.BucketNotFound()
	}
	if c.req.Key == "" {
		return nil
	}
	version, _ := c.req.VersionID()
	exists, err = c.store.state.ObjectExists(ctx, c.req.Bucket, c.req.Key, version)
	if err != nil {
		return c.stateFailed(err)
	}
	if !exists {
		return c.hidden(ctx, s3err.ObjectNotFound())
	}
	return nil
}

// kept returns what is kept of the bucket; nothing yet if it is not known.
func (c *s3Call) kept(ctx context.Context) (b *identity.Bucket, err error) {
	err = c.store.server.db.View(ctx, func(tx *identity.Tx) error {
		b, err = bucketOf(tx, c.req.Bucket)
		return err
	})
	return b, err
}

func bucketOf(tx *identity.Tx, name string) (*identity.Bucket, error) {
	b, err := tx.Bucket(name)
	if errors.Is(err, identity.ErrNotFound) {
		return &identity.Bucket{Name: name}, nil
	}
	return b, err
}

// change changes what is kept of the bucket and answers with a status.
func (c *s3Call) change(ctx context.Context, status int, change func(*identity.Bucket)) error {
	err := c.update(ctx, func(tx *identity.Tx) error {
		b, err := bucketOf(tx, c.req.Bucket)
		if err != nil {
			return err
		}
		change(b)
		b.Changed = c.start
		return tx.PutBucket(b)
	})
	if err != nil {
		return err
	}
	c.writer.WriteHeader(status)
	return nil
}

// getPolicy answers with the policy, in which a user that is gone stands as its
// id, and one that was renamed with its present ARN.
func (c *s3Call) getPolicy(ctx context.Context) error {
	var text string
	err := c.store.server.db.View(ctx, func(tx *identity.Tx) error {
		b, err := bucketOf(tx, c.req.Bucket)
		if err != nil || b.Policy == "" {
			return err
		}
		names := map[string]string{}
		for _, p := range b.Principals {
			if names[p.ARN], err = c.presentName(tx, p.ID); err != nil {
				return err
			}
		}
		text, err = renamePrincipals(b.Policy, names)
		return err
	})
	switch {
	case err != nil:
		return err
	case text == "":
		return s3err.PolicyNotFound()
	}
	c.writer.Header().Set("Content-Type", "application/json")
	return c.answer([]byte(text))
}

// presentName is the ARN of a user, or its unique id if it is gone.
func (c *s3Call) presentName(tx *identity.Tx, id string) (string, error) {
	user, err := tx.UserByID(id)
	switch {
	case errors.Is(err, identity.ErrNotFound):
		return id, nil
	case err != nil:
		return "", err
	}
	return arn.User(c.store.server.config.Account, user.Path, user.Name), nil
}

func (c *s3Call) putPolicy(ctx context.Context, text string) error {
	text, document, err := c.validated(ctx, text)
	if err != nil {
		return err
	}
	public := document.IsPublic()
	err = c.update(ctx, func(tx *identity.Tx) error {
		b, err := bucketOf(tx, c.req.Bucket)
		if err != nil {
			return err
		}
		block := c.store.buckets.byDefault
		if b.PublicAccessBlock != nil {
			block = *b.PublicAccessBlock
		}
		if public && block.BlockPublicPolicy {
			return s3err.PublicPolicyBlocked(c.principal.ARN, "arn:aws:s3:::"+c.req.Bucket)
		}
		principals, err := c.principalsOf(tx, document)
		if err != nil {
			return err
		}
		b.Policy, b.Principals, b.Changed = text, principals, c.start
		return tx.PutBucket(b)
	})
	if err != nil {
		return err
	}
	c.writer.WriteHeader(http.StatusNoContent)
	return nil
}

// principalsOf finds the users of the account that a policy names. Who is not there
// cannot be named (IAM user guide, "AWS JSON policy elements: Principal").
func (c *s3Call) principalsOf(tx *identity.Tx, document *policy.Document) ([]identity.PolicyPrincipal, error) {
	var named []identity.PolicyPrincipal
	seen := map[string]bool{}
	for i := range document.Statements {
		for _, element := range []*policy.Principals{document.Statements[i].Principal, document.Statements[i].NotPrincipal} {
			if element == nil {
				continue
			}
			for _, name := range element.AWS {
				if seen[name] {
					continue
				}
				seen[name] = true
				id, err := c.userNamed(tx, name)
				if err != nil {
					return nil, err
				}
				if id != "" {
					named = append(named, identity.PolicyPrincipal{ARN: name, ID: id})
				}
			}
		}
	}
	return named, nil
}

// userNamed returns the unique id of the user that a principal names, "" for one
// that is no user of this account. A unique id names whoever had it.
func (c *s3Call) userNamed(tx *identity.Tx, principal string) (string, error) {
	parsed, err := arn.Parse(principal)
	if err != nil || parsed.Service != "iam" || parsed.Account != c.store.server.config.Account || parsed.Resource == "root" {
		return "", nil //nolint:nilerr // an account, a unique id or "*", which the validation has let through
	}
	rest, ok := strings.CutPrefix(parsed.Resource, "user/")
	if !ok {
		return "", s3err.PolicyNotValid("Invalid principal in policy") // no other entity exists
	}
	user, err := tx.User(rest[strings.LastIndexByte(rest, '/')+1:])
	switch {
	case errors.Is(err, identity.ErrNotFound), err == nil && arn.User(parsed.Account, user.Path, user.Name) != principal:
		return "", s3err.PolicyNotValid("Invalid principal in policy")
	case err != nil:
		return "", err
	}
	return user.ID, nil
}

type policyStatus struct {
	XMLName  xml.Name `xml:"PolicyStatus"`
	Xmlns    string   `xml:"xmlns,attr"`
	IsPublic bool     `xml:"IsPublic"`
}

func (c *s3Call) getPolicyStatus(ctx context.Context) error {
	b, err := c.store.buckets.find(ctx, c.req.Bucket)
	switch {
	case err != nil:
		return err
	case b.policy == nil:
		return s3err.PolicyNotFound()
	}
	return c.answerXML(policyStatus{Xmlns: s3api.Namespace, IsPublic: b.public})
}

type publicAccessBlock struct {
	XMLName               xml.Name `xml:"PublicAccessBlockConfiguration"`
	Xmlns                 string   `xml:"xmlns,attr"`
	BlockPublicAcls       bool     `xml:"BlockPublicAcls"`
	IgnorePublicAcls      bool     `xml:"IgnorePublicAcls"`
	BlockPublicPolicy     bool     `xml:"BlockPublicPolicy"`
	RestrictPublicBuckets bool     `xml:"RestrictPublicBuckets"`
}

func (c *s3Call) getPublicAccessBlock(ctx context.Context) error {
	b, err := c.kept(ctx)
	if err != nil {
		return err
	}
	block := b.PublicAccessBlock
	if block == nil && c.store.config.BlockPublicAccess {
		block = &c.store.buckets.byDefault
	}
	if block == nil {
		return s3err.BlockNotFound()
	}
	return c.answerXML(publicAccessBlock{
		Xmlns: s3api.Namespace, BlockPublicAcls: block.BlockPublicAcls, IgnorePublicAcls: block.IgnorePublicAcls,
		BlockPublicPolicy: block.BlockPublicPolicy, RestrictPublicBuckets: block.RestrictPublicBuckets,
	})
}

func (c *s3Call) putPublicAccessBlock(ctx context.Context, document []byte) error {
	var doc publicAccessBlock
	if err := s3.ReadXML(document, "PublicAccessBlockConfiguration", &doc); err != nil {
		return err
	}
	return c.change(ctx, http.StatusOK, func(b *identity.Bucket) {
		b.PublicAccessBlock = &identity.PublicAccessBlock{
			BlockPublicAcls: doc.BlockPublicAcls, IgnorePublicAcls: doc.IgnorePublicAcls,
			BlockPublicPolicy: doc.BlockPublicPolicy, RestrictPublicBuckets: doc.RestrictPublicBuckets,
		}
	})
}

type ownershipControls struct {
	XMLName xml.Name        `xml:"http://s3.amazonaws.com/doc/2006-03-01/ OwnershipControls"`
	Rules   []ownershipRule `xml:"Rule"`
}

type ownershipRule struct {
	ObjectOwnership string `xml:"ObjectOwnership"`
}

func (c *s3Call) getOwnership(ctx context.Context) error {
	b, err := c.kept(ctx)
	switch {
	case err != nil:
		return err
	case b.Ownership == ownershipDeleted:
		return s3err.OwnershipNotFound()
	}
	return c.answerXML(ownershipControls{Rules: []ownershipRule{{ownerEnforced}}})
}

// putOwnership takes the ownership that there is. Another one would promise that
// access lists count.
func (c *s3Call) putOwnership(ctx context.Context, document []byte) error {
	var doc struct {
		Rules []ownershipRule `xml:"Rule"`
	}
	if err := s3.ReadXML(document, "OwnershipControls", &doc); err != nil {
		return err
	}
	if len(doc.Rules) != 1 {
		return s3err.InvalidDocument()
	}
	if doc.Rules[0].ObjectOwnership != ownerEnforced {
		return s3err.ListsNotSupported()
	}
	return c.change(ctx, http.StatusOK, func(b *identity.Bucket) { b.Ownership = ownerEnforced })
}

type accessList struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ AccessControlPolicy"`
	Owner   owner    `xml:"Owner"`
	Grants  []grant  `xml:"AccessControlList>Grant"`
}

type owner struct {
	ID string `xml:"ID"`
}

type grant struct {
	Grantee    grantee `xml:"Grantee"`
	Permission string  `xml:"Permission"`
}

type grantee struct {
	Xsi  string `xml:"xmlns:xsi,attr"`
	Type string `xml:"xsi:type,attr"`
	ID   string `xml:"ID"`
}

// ownersList is the access list of everything: the owner has full control.
func (c *s3Call) ownersList() accessList {
	id := c.store.config.Upstream.Owner
	return accessList{Owner: owner{id}, Grants: []grant{{
		Grantee: grantee{"http://www.w3.org/2001/XMLSchema-instance", "CanonicalUser", id}, Permission: "FULL_CONTROL",
	}}}
}

// putACL takes the access list that everything has anyhow, by its name or as it was
// read.
func (c *s3Call) putACL(document []byte) error {
	_, canned := c.req.Header("X-Amz-Acl")
	if canned != (len(document) == 0) {
		return s3err.InvalidDocument()
	}
	if !canned {
		var list struct {
			Owner  owner   `xml:"Owner"`
			Grants []grant `xml:"AccessControlList>Grant"`
		}
		if err := s3.ReadXML(document, "AccessControlPolicy", &list); err != nil {
			return err
		}
		id := c.store.config.Upstream.Owner
		if list.Owner.ID != id || len(list.Grants) != 1 || list.Grants[0].Permission != "FULL_CONTROL" || list.Grants[0].Grantee.ID != id {
			return s3err.ListsNotSupported()
		}
	}
	c.writer.WriteHeader(http.StatusOK)
	return nil
}

func (c *s3Call) answerXML(v any) error {
	text, err := xml.Marshal(v)
	if err != nil {
		return err
	}
	c.writer.Header().Set("Content-Type", "application/xml")
	return c.answer(append([]byte(xml.Header), text...))
}

func (c *s3Call) answer(text []byte) error {
	c.writer.WriteHeader(http.StatusOK)
	// Where the client does not take the answer, there is nobody to tell.
	_, _ = c.writer.Write(text)
	return nil
}

// s3Reference is what bucket policies can name.
type s3Reference struct{}

// S3Actions implements policy.ActionReference.
func (s3Reference) S3Actions() []policy.S3Action { return s3Actions }

var s3Actions = func() []policy.S3Action {
	var actions []policy.S3Action
	for i := range reference.Catalogue.Actions {
		a := &reference.Catalogue.Actions[i]
		if a.Service != s3Service {
			continue
		}
		known := policy.S3Action{Name: a.String()}
		for _, resource := range a.Resources {
			known.OnBucket = known.OnBucket || resource == "bucket"
			known.OnObject = known.OnObject || resource == "object"
		}
		actions = append(actions, known)
	}
	return actions
}()

// HasKey implements policy.ActionReference.
func (s3Reference) HasKey(key string) bool { return reference.Catalogue.Key(key) != nil }

// Supports implements policy.ActionReference.
func (s3Reference) Supports(action, key string) bool {
	known := reference.Catalogue.Action(action)
	return known != nil && reference.Catalogue.Supports(known, key)
}
