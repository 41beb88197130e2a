package authz

import (
	"net/netip"
	"time"

	"iamserver/runtime/policy"
)

// An Environment is where a request came from, and when.
type Environment struct {
	// SourceIP is the address of the client; invalid if it has none.
	SourceIP netip.Addr
	// SecureTransport says that the request came over TLS.
	SecureTransport bool
	// UserAgent and Referer are the headers of that name; empty ones are absent.
	UserAgent, Referer string
	// Region is the region that the request was signed for.
	Region string
	// Time is when the request came.
	Time time.Time
}

// conditionKeys are the global condition keys of a request on one of its
// resources, those of its principal, and after them those of its action ("AWS
// global condition context keys" in the IAM user guide). What a request cannot
// have here, such as a VPC, is absent.
type conditionKeys struct {
	request  *Request
	resource *Resource
}

// Value implements policy.Context.
func (k *conditionKeys) Value(key *policy.Key) policy.Value {
	p, from := k.request.Principal, &k.request.Environment
	switch key.Name() {
	case "aws:username":
		return present(p.UserName)
	case "aws:userid":
		switch p.Type {
		case Root:
			return policy.Text(p.Account)
		case Anonymous:
			return policy.Text("anonymous")
		case User, ServiceAccount:
		}
		return policy.Text(p.UserID)
	case "aws:principaltype":
		return policy.Text(principalTypes[p.Type])
	case "aws:principalarn":
		if p.Type == Root {
			return policy.Text(p.ARN)
		}
		return present(p.UserARN)
	case "aws:principalaccount":
		if p.Type == Anonymous {
			return policy.Text("anonymous")
		}
		return policy.Text(p.Account)
	case "aws:resourceaccount":
		return policy.Text(k.request.Account)
	case "aws:principaltag":
		return tagged(p.Tags, key.Tag())
	case "aws:principalisawsservice", "aws:viaawsservice":
		return policy.Boolean(false)
	case "iam:serviceaccountid":
		if p.Type == ServiceAccount {
			return policy.Text(p.ID)
		}
		return policy.Value{}
	case "aws:sourceip":
		if !from.SourceIP.IsValid() {
			return policy.Value{}
		}
		return policy.Address(from.SourceIP)
	case "aws:securetransport":
		return policy.Boolean(from.SecureTransport)
	case "aws:useragent":
		return present(from.UserAgent)
	case "aws:referer":
		return present(from.Referer)
	case "aws:requestedregion":
		return present(from.Region)
	case "aws:currenttime":
		return policy.Time(from.Time)
	case "aws:epochtime":
		return policy.Integer(from.Time.Unix())
	case "aws:resourcetag", "iam:resourcetag":
		if value := tagged(k.resource.Tags, key.Tag()); value.Present() {
			return value
		}
	}
	if k.request.Keys == nil {
		return policy.Value{}
	}
	return k.request.Keys.Value(key)
}

// Costs implements policy.FrugalContext.
func (k *conditionKeys) Costs(key *policy.Key) bool {
	frugal, ok := k.request.Keys.(policy.FrugalContext)
	return ok && frugal.Costs(key)
}

// principalTypes are the values of aws:PrincipalType.
var principalTypes = map[PrincipalType]string{User: "User", ServiceAccount: "User", Root: "Account", Anonymous: "Anonymous"}

// present is a value of text, absent if it is empty.
func present(text string) policy.Value {
	if text == "" {
		return policy.Value{}
	}
	return policy.Text(text)
}

// tagged is the value of a tag.
func tagged(tags []Tag, key string) policy.Value {
	return policy.TagValue(func(yield func(key, value string) bool) {
		for i := range tags {
			if !yield(tags[i].Key, tags[i].Value) {
				return
			}
		}
	}, key)
}
