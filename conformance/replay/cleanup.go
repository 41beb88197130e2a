package replay

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// made is what a case has made and not deleted yet, by name or ARN.
type made struct {
	users, groups, policies, aliases, buckets []string

	withPolicies []string // users and groups that were given inline policies
}

func unescape(text string) (string, error) { return url.PathUnescape(text) }

// newBucket is the target of a request of S3 that makes a bucket.
var newBucket = regexp.MustCompile(`^/[^/?]+/?$`)

// note reads from a request and its answer what there is now. A request whose
// answer was lost, status 0, may have been carried out.
func (m *made) note(account, method, target, form string, status int, answer *Answer) {
	if status != http.StatusOK && status != 0 {
		return
	}
	if method == http.MethodPut && newBucket.MatchString(target) {
		m.buckets = append(m.buckets, strings.Trim(target, "/"))
		return
	}
	p, err := url.ParseQuery(form)
	if err != nil {
		return
	}
	switch p.Get("Action") {
	case "CreateUser":
		m.users = append(m.users, p.Get("UserName"))
	case "UpdateUser":
		m.users = renamed(m.users, p.Get("UserName"), p.Get("NewUserName"))
		m.withPolicies = renamed(m.withPolicies, p.Get("UserName"), p.Get("NewUserName"))
	case "CreateGroup":
		m.groups = append(m.groups, p.Get("GroupName"))
	case "UpdateGroup":
		m.groups = renamed(m.groups, p.Get("GroupName"), p.Get("NewGroupName"))
		m.withPolicies = renamed(m.withPolicies, p.Get("GroupName"), p.Get("NewGroupName"))
	case "CreatePolicy":
		m.policies = append(m.policies, policyARN(account, p, answer))
	case "PutUserPolicy":
		m.withPolicies = append(m.withPolicies, p.Get("UserName"))
	case "PutGroupPolicy":
		m.withPolicies = append(m.withPolicies, p.Get("GroupName"))
	case "CreateAccountAlias":
		m.aliases = append(m.aliases, p.Get("AccountAlias"))
	}
}

// policyARN is the ARN of a policy that was made: what the answer says, if it is
// about that policy at all. One without a name was made under a name of the target's
// own choice, by a target that should have refused it.
func policyARN(account string, p url.Values, answer *Answer) string {
	if answer != nil {
		arn := answer.text("Arn")
		if name := p.Get("PolicyName"); strings.HasSuffix(arn, "/"+name) || (name == "" && arn != "") {
			return arn
		}
	}
	return "arn:aws:iam::" + account + ":policy" + cmp.Or(p.Get("Path"), "/") + p.Get("PolicyName")
}

// renamed adds the new name and keeps the old: whichever is gone answers NoSuchEntity.
func renamed(names []string, old, name string) []string {
	if name == "" || !slices.Contains(names, old) {
		return names
	}
	return append(names, name)
}

// cleanUpTime is how long cleaning up after one case may take.
const cleanUpTime = time.Minute

// delete deletes everything, users first since they hold on to the rest, and
// returns what is left.
func (m *made) delete(ctx context.Context, r *Runner) []string {
	ctx, cancel := context.WithTimeout(ctx, cleanUpTime)
	defer cancel()
	var left []string
	each := func(what string, names []string, gone func(name string) bool) {
		for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
			if name != "" && !gone(name) {
				left = append(left, what+" "+name)
			}
		}
	}
	c := cleaner{ctx, r, m.withPolicies}
	each("user", m.users, c.user)
	each("group", m.groups, c.group)
	each("policy", m.policies, c.policy)
	each("alias", m.aliases, func(name string) bool { return c.gone("DeleteAccountAlias", "AccountAlias", name) })
	each("bucket", m.buckets, c.bucket)
	return left
}

type cleaner struct {
	ctx          context.Context
	runner       *Runner
	withPolicies []string
}

// gone carries out a deletion and tells whether nothing is left to delete.
func (c cleaner) gone(action string, parameters ...string) bool {
	answer, err := c.runner.call(c.ctx, action, parameters...)
	return err == nil && (answer.status == http.StatusOK || answer.status == http.StatusNotFound || answer.code() == "NoSuchEntity")
}

// each carries out an action for each text of an element of a list.
func (c cleaner) each(list, element string, parameters []string, do func(text string)) {
	if c.runner.config.Profile.lacks(list) {
		return
	}
	answer, err := c.runner.call(c.ctx, list, parameters...)
	if err != nil || answer.status != http.StatusOK {
		return
	}
	for _, text := range answer.all(element) {
		do(text)
	}
}

// inline deletes the inline policies of a user or group that is still there:
// some implementations delete it with them, and keep them, where nothing can
// list them, for the next one of that name.
func (c cleaner) inline(name, list string, of []string, do func(policy string)) {
	if slices.Contains(c.withPolicies, name) {
		c.each(list, "member", of, do)
	}
}

func (c cleaner) user(name string) bool {
	of := []string{"UserName", name}
	with := func(action, parameter string) func(string) {
		return func(text string) { c.gone(action, append(of, parameter, text)...) }
	}
	c.inline(name, "ListUserPolicies", of, with("DeleteUserPolicy", "PolicyName"))
	if c.gone("DeleteUser", of...) {
		return true
	}
	// A request whose answer was lost may have been carried out since.
	c.each("ListUserPolicies", "member", of, with("DeleteUserPolicy", "PolicyName"))
	c.each("ListAccessKeys", "AccessKeyId", of, with("DeleteAccessKey", "AccessKeyId"))
	c.each("ListAttachedUserPolicies", "PolicyArn", of, with("DetachUserPolicy", "PolicyArn"))
	c.each("ListGroupsForUser", "GroupName", of, with("RemoveUserFromGroup", "GroupName"))
	c.each("ListServiceAccounts", "ServiceAccountId", []string{"ParentUser", name}, func(id string) {
		c.gone("DeleteServiceAccount", "ServiceAccountId", id)
	})
	return c.gone("DeleteUser", of...)
}

// bucket deletes a bucket with its policy, which may deny the rest, and its objects.
func (c cleaner) bucket(name string) bool {
	gone := func(target string) bool {
		answer, err := c.runner.callS3(c.ctx, http.MethodDelete, target)
		return err == nil && (answer.status < http.StatusMultipleChoices || answer.status == http.StatusNotFound)
	}
	if gone("/" + name) {
		return true
	}
	gone("/" + name + "?policy")
	list, err := c.runner.callS3(c.ctx, http.MethodGet, "/"+name+"?list-type=2")
	if err != nil {
		return false
	}
	for _, key := range list.all("Key") {
		gone("/" + name + "/" + (&url.URL{Path: key}).EscapedPath())
	}
	return gone("/" + name)
}

func (c cleaner) group(name string) bool {
	of := []string{"GroupName", name}
	with := func(action, parameter string) func(string) {
		return func(text string) { c.gone(action, append(of, parameter, text)...) }
	}
	c.inline(name, "ListGroupPolicies", of, with("DeleteGroupPolicy", "PolicyName"))
	if c.gone("DeleteGroup", of...) {
		return true
	}
	c.each("ListGroupPolicies", "member", of, with("DeleteGroupPolicy", "PolicyName"))
	c.each("GetGroup", "UserName", of, with("RemoveUserFromGroup", "UserName"))
	c.each("ListAttachedGroupPolicies", "PolicyArn", of, with("DetachGroupPolicy", "PolicyArn"))
	return c.gone("DeleteGroup", of...)
}

func (c cleaner) policy(arn string) bool {
	of := []string{"PolicyArn", arn}
	if c.gone("DeletePolicy", of...) {
		return true
	}
	c.each("ListPolicyVersions", "VersionId", of, func(id string) { c.gone("DeletePolicyVersion", append(of, "VersionId", id)...) })
	return c.gone("DeletePolicy", of...)
}
