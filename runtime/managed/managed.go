// Package managed holds the managed policies that no request can change: those
// that come with the server, and those of a directory. It attaches them to
// nobody; see package identity for that.
package managed

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"iamserver/generated/awsmanaged"
	"iamserver/runtime/arn"
)

// account stands where the ARNs of these policies have an account.
const account = "aws"

// A Policy is a managed policy under arn:aws:iam::aws:policy/.
type Policy struct {
	// ID is ANPA and 17 characters. It comes from the ARN: what is attached stays
	// attached whatever version of the server, or directory, the policy comes from.
	ID string
	// Name is unique among these policies without regard to case.
	Name string
	// Path begins and ends with a slash.
	Path string
	// ARN is arn:aws:iam::aws:policy, Path and Name.
	ARN string
	// Description says what the policy allows; that of a policy of a directory is empty.
	Description string
	// Version is the number of the only version.
	Version uint32
	// Created is when the policy came to be, Updated when the version did.
	Created, Updated time.Time
	// Document is the policy document.
	Document string
}

// Policies are all managed policies of a server. They are immutable.
type Policies struct {
	all  []*Policy // by name
	arns map[string]*Policy
	ids  map[string]*Policy
}

// BuiltIn returns the policies that come with the server. It panics if one of
// them is no valid policy, which is a fault of the program.
var BuiltIn = sync.OnceValue(func() *Policies {
	all, err := builtIn()
	if err != nil {
		panic(err)
	}
	return newPolicies(all)
})

func builtIn() ([]*Policy, error) {
	all, err := read(awsmanaged.Documents, "")
	if err != nil {
		return nil, err
	}
	for _, about := range awsmanaged.Policies {
		i := slices.IndexFunc(all, func(p *Policy) bool { return file(p) == about.File })
		p := all[i]
		p.Description, p.Version, p.Created, p.Updated = about.Description, about.Version, about.Created, about.Updated
	}
	return all, nil
}

func newPolicies(all []*Policy) *Policies {
	p := &Policies{all: all, arns: map[string]*Policy{}, ids: map[string]*Policy{}}
	slices.SortFunc(all, func(a, b *Policy) int { return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	for _, policy := range all {
		p.arns[policy.ARN], p.ids[policy.ID] = policy, policy
	}
	return p
}

// All returns the policies by name without regard to case. The slice must not be
// changed.
func (p *Policies) All() []*Policy { return p.all }

// Lookup returns the policy with an ARN, in its case, or nil.
func (p *Policies) Lookup(policyARN string) *Policy { return p.arns[policyARN] }

// ByID returns the policy with a unique id, or nil.
func (p *Policies) ByID(id string) *Policy { return p.ids[id] }

// InForce returns the document of the policy with an ARN and the name of its
// version; ok is false if there is no such policy.
func (p *Policies) InForce(policyARN string) (document, version string, ok bool) {
	policy := p.Lookup(policyARN)
	if policy == nil {
		return "", "", false
	}
	return policy.Document, "v" + strconv.FormatUint(uint64(policy.Version), 10), true
}

// Is tells whether an ARN is that of a policy that no request can change,
// whether there is such a policy or not.
func Is(policyARN string) bool {
	named, err := arn.ParsePolicy(policyARN, "")
	return err == nil && named.Account == account
}

// ID returns the unique id that the policy with an ARN has.
func ID(policyARN string) string {
	sum := sha256.Sum256([]byte(policyARN))
	return "ANPA" + base32.StdEncoding.EncodeToString(sum[:])[:17]
}
