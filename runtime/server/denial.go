package server

import (
	"cmp"

	"iamserver/runtime/action"
	"iamserver/runtime/arn"
	"iamserver/runtime/authz"
)

// asNamed is an outcome for the caller's eyes, with the resource as the request
// names it instead of as it is stored: who may not ask must not learn from the
// refusal whether something exists, on which path, or whose an access key is.
// The audit log has the resource itself.
func (c *call) asNamed(outcome authz.Outcome) *authz.Outcome {
	var room [2]action.Resource
	for i, named := range c.input.Resources(room[:0]) {
		if resource := &c.resources[i]; resource.ARN == outcome.Resource {
			outcome.Resource = c.nameOf(&named, resource)
			break
		}
	}
	return &outcome
}

func (c *call) nameOf(named *action.Resource, resource *authz.Resource) string {
	account, name := c.server.config.Account, cmp.Or(named.Name, named.From)
	switch {
	case named.Owner != "":
		return "access key " + named.Owner // as AWS says
	case name == "", resource.UserID != "" && resource.UserID == c.principal.UserID:
		return resource.ARN // the caller's own, or no one's
	case named.Type == "user":
		return arn.User(account, orRoot(named.Path), name)
	case named.Type == "group":
		return arn.Group(account, orRoot(named.Path), name)
	}
	return resource.ARN // which the request has already
}
