package policy

import "strings"

// fixing are the condition keys that, held to fixed values, keep a statement for
// everyone from being public (Amazon S3 user guide, "The meaning of public"), as
// far as requests here can have them.
var fixing = map[string]bool{
	"aws:sourceip": true, "aws:principalarn": true, "aws:principalaccount": true, "aws:userid": true, "aws:username": true,
	"aws:sourcearn": true, "aws:sourceaccount": true, "aws:sourcevpc": true, "aws:sourcevpce": true, "aws:principalorgid": true,
	"s3:x-amz-server-side-encryption-aws-kms-key-id": true,
}

// IsPublic reports whether d, the policy of a resource, allows something to
// everyone, without a condition that holds callers to fixed values.
func (d *Document) IsPublic() bool {
	for i := range d.Statements {
		if d.Statements[i].isPublic(d.Version == Version2012) {
			return true
		}
	}
	return false
}

func (s *Statement) isPublic(variables bool) bool {
	if s.Effect != Allow {
		return false
	}
	named := principalsOf(s)
	if named == nil || !named.everyone && !named.not {
		return false
	}
	for _, o := range s.Condition {
		parsed := parseOperator(o.Name)
		m := parsed.meaning()
		if m.negated || parsed.ifExists || parsed.quantifier == forAllValues {
			continue
		}
		for _, key := range o.Keys {
			if fixing[strings.ToLower(key.Name)] && fixed(m.comparison, key.Values, variables) {
				return false
			}
		}
	}
	return true
}

// fixed reports whether values hold a key to something narrower than anything.
func fixed(c comparison, values []string, variables bool) bool {
	for _, value := range values {
		switch c {
		case textEquals, textEqualsFolded:
			if variables && strings.Contains(value, "${") {
				return false
			}
		case textLike, arnLike:
			if strings.ContainsAny(value, "*?") || variables && strings.Contains(value, "${") {
				return false
			}
		case inNetwork:
			// Half of the internet is as good as all of it: AWS takes nothing wider
			// than /8, and /32 of IPv6.
			network, ok := parseNetwork(value)
			if ok && (network.Addr().Is4() && network.Bits() < 8 || !network.Addr().Is4() && network.Bits() < 32) {
				return false
			}
		default:
			return false
		}
	}
	return true
}
