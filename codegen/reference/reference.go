// Package reference reads the service authorization reference of the
// specification, which is what policies can name, and the managed policies that
// come with the server. It writes no Go and reads no OpenAPI; see packages emit
// and openapi.
package reference

import (
	"strings"

	"iamserver/codegen/model"
)

// A Reference is what policies can name.
type Reference struct {
	Services []*Service // in the order of their names
	Managed  []*Managed // in the order of the file
}

// A Service is the actions of a service with all that they refer to. The service
// aws has condition keys alone, which do not belong to one service.
type Service struct {
	model.Position

	Name      string // signing name: iam
	Keys      []*Key
	Sets      []*Set
	Resources []*Resource
	Actions   []*Action
}

// A Key is a condition key.
type Key struct {
	model.Position

	Name        string // with its service: aws:PrincipalTag/${TagKey}
	Type        string // string, bool, numeric, date, ip or arn
	Many        bool   // a request can have several values
	Listed      bool   // of the service aws: only requests for actions that list it have it
	Extension   bool   // AWS does not have it
	Description string
	Absent      string // why no request here has it; empty if requests have it
}

// A Set is condition keys that several actions support.
type Set struct {
	model.Position

	Name string
	Keys []string
}

// A Resource is a type of resources.
type Resource struct {
	model.Position

	Name      string // user
	ARN       string // arn:${Partition}:iam::${Account}:user/${UserNameWithPath}
	Keys      []string
	Extension bool
}

// An Action is what a policy allows or denies.
type Action struct {
	model.Position

	Name      string   // CreateUser
	Access    string   // Read, Write, List, Tagging or PermissionsManagement
	Resources []string // types, of which a request has one; none for *
	Sets      []string // names of the sets in Keys
	Own       []string // those of Keys that are in no set
	Keys      []string // all condition keys that it supports beside those of its resources
	Extension bool
}

// Service returns the service with a name, or nil.
func (r *Reference) Service(name string) *Service {
	for _, s := range r.Services {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// Action returns the action with a name like s3:GetObject, or nil.
func (r *Reference) Action(name string) *Action {
	service, name, _ := strings.Cut(name, ":")
	if s := r.Service(service); s != nil {
		return s.Action(name)
	}
	return nil
}

// Key returns the condition key with a name like aws:RequestTag/${TagKey}, or nil.
func (r *Reference) Key(name string) *Key {
	for _, s := range r.Services {
		for _, k := range s.Keys {
			if k.Name == name {
				return k
			}
		}
	}
	return nil
}

// Action returns the action with a name like GetObject, or nil.
func (s *Service) Action(name string) *Action {
	for _, a := range s.Actions {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// Resource returns the type with a name, or nil.
func (s *Service) Resource(name string) *Resource {
	for _, r := range s.Resources {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// set returns the set with a name, or nil.
func (s *Service) set(name string) *Set {
	for _, set := range s.Sets {
		if set.Name == name {
			return set
		}
	}
	return nil
}
