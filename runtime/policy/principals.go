package policy

import (
	"slices"
	"strings"
)

// A class says by what a resource policy names a principal, on which it depends
// what else has to allow (IAM user guide, "Policy evaluation logic"). The
// strongest comes last.
type class uint8

const (
	// unnamed principals are not named at all.
	unnamed class = iota
	// byAccount: the account is named, which leaves the decision to its own policies.
	byAccount
	// byIssuer: the role of a session, or the user of a federated session.
	byIssuer
	// directly: the principal itself, or everyone.
	directly
)

// A principalSet is the Principal or NotPrincipal element of a statement.
type principalSet struct {
	everyone bool
	accounts []string
	// names are ARNs and unique ids, compared byte for byte.
	names []string
	not   bool
}

func principalsOf(s *Statement) *principalSet {
	element, not := s.Principal, false
	if element == nil {
		element, not = s.NotPrincipal, true
	}
	if element == nil {
		return nil
	}
	set := &principalSet{not: not, everyone: element.Text == everything}
	for _, name := range element.AWS {
		switch account, isAccount := accountNamed(name); {
		case name == everything:
			set.everyone = true
		case isAccount:
			set.accounts = append(set.accounts, account)
		default:
			set.names = append(set.names, name)
		}
	}
	return set
}

// accountNamed returns the account that a principal of 12 digits, or the ARN of
// an account's root, stands for.
func accountNamed(s string) (account string, ok bool) {
	if rest, isARN := strings.CutPrefix(s, "arn:aws:iam::"); isARN {
		if s, ok = strings.CutSuffix(rest, ":root"); !ok {
			return "", false
		}
	}
	return s, len(s) == 12 && onlyDigits(s)
}

// names returns the class by which p, not a NotPrincipal, names a principal.
func (p *principalSet) class(principal *Principal) class {
	switch {
	case p.everyone:
		return directly
	case principal.Type == Anonymous:
		return unnamed
	case principal.Type != Root && principal.ARN != "" && slices.Contains(p.names, principal.ARN),
		principal.Type == User && principal.ID != "" && slices.Contains(p.names, principal.ID):
		return directly
	case principal.Issuer != "" && slices.Contains(p.names, principal.Issuer),
		principal.Type == RoleSession && principal.ID != "" && slices.Contains(p.names, principal.ID):
		return byIssuer
	case slices.Contains(p.accounts, principal.Account):
		return byAccount
	default:
		return unnamed
	}
}

// denies reports whether a Deny with p applies to a principal. One that has a
// permissions boundary is never excepted by NotPrincipal (IAM user guide, "AWS
// JSON policy elements: NotPrincipal").
func (p *principalSet) denies(principal *Principal, bounded bool) bool {
	named := p.class(principal) != unnamed
	if p.not {
		return !named || bounded
	}
	return named
}
