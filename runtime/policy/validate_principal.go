package policy

import (
	"slices"
	"strings"
)

// faults returns the values of a Principal or NotPrincipal element that
// name nobody, as AWS shows them: the type in capitals and the value, in quotes.
// It does not ask whether those that they name exist.
func (p *Principals) faults() []string {
	var faults []string
	check := func(kind string, values []string, valid func(string) bool) {
		for _, value := range values {
			if !valid(value) {
				faults = append(faults, `"`+kind+`":"`+value+`"`)
			}
		}
	}
	check("AWS", p.AWS, isAWSPrincipal)
	check("FEDERATED", p.Federated, isFederatedPrincipal)
	check("SERVICE", p.Service, isServicePrincipal)
	check("CANONICALUSER", p.CanonicalUser, isCanonicalUser)
	return faults
}

// namesNobody reports whether the element has no value at all.
func (p *Principals) namesNobody() bool {
	return p.Text == "" && len(p.AWS)+len(p.Federated)+len(p.Service)+len(p.CanonicalUser) == 0
}

// isAWSPrincipal reports whether s can be a principal of type AWS: everyone, an
// account, a user, a role or a session by its ARN, or the unique id that stands
// for a user or role once the policy is stored. Wildcards in names and groups are
// none (IAM user guide, "AWS JSON policy elements: Principal").
func isAWSPrincipal(s string) bool {
	if s == everything || isAccountID(s) || isUniqueID(s) {
		return true
	}
	parts, count := splitARN(s)
	if count < len(parts) || parts[0] != "arn" || parts[1] == everything || !slices.Contains(partitions, parts[1]) ||
		parts[3] != "" || !isAccountID(parts[4]) || !hasNameCharacters(parts[5]) {
		return false
	}
	kind, name, _ := strings.Cut(parts[5], "/")
	switch parts[2] + ":" + kind {
	case "iam:root":
		return parts[5] == "root"
	case "iam:user", "iam:role":
		return name != "" && !strings.HasSuffix(name, "/")
	case "sts:assumed-role":
		role, session, ok := strings.Cut(name, "/")
		return ok && role != "" && session != "" && !strings.Contains(session, "/")
	case "sts:federated-user":
		return name != "" && !strings.Contains(name, "/")
	default:
		return false
	}
}

func isAccountID(s string) bool {
	const length = 12
	return len(s) == length && onlyDigits(s)
}

// isUniqueID reports whether s looks like the unique id of a user or a role.
func isUniqueID(s string) bool {
	const shortest = 16
	return len(s) >= shortest && (strings.HasPrefix(s, "AIDA") || strings.HasPrefix(s, "AROA")) &&
		isAlphanumeric(s) && s == strings.ToUpper(s)
}

// hasNameCharacters reports whether s has only what names and paths of IAM have.
func hasNameCharacters(s string) bool {
	for i := range len(s) {
		if !isLetterOrDigit(s[i]) && !strings.ContainsRune("_+=,.@-/", rune(s[i])) {
			return false
		}
	}
	return true
}

// isFederatedPrincipal reports whether s can be an identity provider: its ARN, or
// the host name of one that AWS knows by name.
func isFederatedPrincipal(s string) bool {
	parts, count := splitARN(s)
	if count == 1 {
		return isHostName(s)
	}
	if count < len(parts) || parts[0] != "arn" || parts[2] != "iam" || parts[3] != "" || !isAccountID(parts[4]) {
		return false
	}
	kind, name, _ := strings.Cut(parts[5], "/")
	return (kind == "oidc-provider" || kind == "saml-provider") && name != "" && !strings.ContainsAny(name, "*? ")
}

// isServicePrincipal reports whether s can be a service, such as
// ec2.amazonaws.com.
func isServicePrincipal(s string) bool {
	return isHostName(s) && strings.Count(s, ".") > 1
}

func isHostName(s string) bool {
	if !strings.Contains(s, ".") {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || !isAlphanumeric(strings.ReplaceAll(label, "-", "")) {
			return false
		}
	}
	return true
}

// isCanonicalUser reports whether s can be the canonical user id of S3, 64
// hexadecimal digits.
func isCanonicalUser(s string) bool {
	const length = 64
	return len(s) == length && strings.Trim(s, "0123456789abcdef") == ""
}
