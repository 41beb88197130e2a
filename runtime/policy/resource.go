package policy

import (
	"slices"
	"strings"
)

// partitions are the partitions of AWS (the endpoint metadata of its SDKs), and
// the wildcard for all of them.
var partitions = []string{"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc", "*"}

// iamResources is what the resource part of an IAM ARN may begin with, in the
// order of AWS's sentence.
var iamResources = []string{
	"user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/", "policy/",
	"sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/",
}

// serviceAccounts is our own resource type, which AWS's sentence does not list.
const serviceAccounts = "service-account/"

// regionalS3Resources is what the resource part of an S3 ARN that has a region
// begins with (AWS's service authorization reference, "Resource types defined by
// Amazon S3"). Buckets and objects have no region.
var regionalS3Resources = []string{
	"accesspoint/", "job/", "storage-lens/", "storage-lens-group/", "access-grants/", "async-request/",
}

// A resourcePattern is a Resource taken apart at its first five colons. Parts that
// it lacks are empty; count says how many there are.
type resourcePattern struct {
	prefix, partition, service, region, account, resource string
	count                                                 int
}

func splitResource(s string) resourcePattern {
	var r resourcePattern
	more := true
	for _, part := range [...]*string{&r.prefix, &r.partition, &r.service, &r.region, &r.account} {
		if !more {
			return r
		}
		*part, s, more = strings.Cut(s, ":")
		r.count++
	}
	if more {
		r.resource = s
		r.count++
	}
	return r
}

// resourceFaults returns AWS's sentence for a resource that fails legacy parsing
// (stage 3), and the one for a resource in the wrong format (stage 7). Of several
// of the latter AWS reports that of the last list in which there is one, all
// Resource elements before all NotResource elements. A list after the first with
// such a fault is not parsed the legacy way any more.
func (d *Document) resourceFaults() (legacy, format string) {
	check := func(resources []string) bool {
		if message := leastFault(resources); message != "" {
			format = message
		}
		return format != "" || !slices.ContainsFunc(resources, failsLegacyParsing)
	}
	for i := range d.Statements {
		if !check(d.Statements[i].Resource) {
			return failedLegacyParsing, ""
		}
	}
	for i := range d.Statements {
		if !check(d.Statements[i].NotResource) {
			return failedLegacyParsing, ""
		}
	}
	return "", format
}

// leastFault returns AWS's sentence for the first in sorting order of the
// resources in the wrong format.
func leastFault(resources []string) string {
	least, message := "", ""
	for _, resource := range resources {
		if message != "" && resource >= least {
			continue
		}
		if fault := resourceFault(resource); fault != "" {
			least, message = resource, fault
		}
	}
	return message
}

// resourceFault returns AWS's sentence for a resource in the wrong format, or "".
func resourceFault(resource string) string {
	if resource == "*" {
		return ""
	}
	r := splitResource(resource)
	switch {
	case r.count == 1:
		return "Resource " + resource + ` must be in ARN format or "*".`
	case !slices.Contains(partitions, r.partition):
		return r.partitionFault()
	case r.prefix != "arn":
		// AWS says nothing of this, but such a Deny would deny nothing.
		return "Resource " + resource + ` must be in ARN format or "*".`
	case r.count == 2 || strings.ContainsAny(r.service, "*?"):
		return "Resource vendor must be fully qualified and cannot contain regexes."
	case r.service == "iam" && r.mayHaveRegion():
		return "IAM resource " + resource + " cannot contain region information."
	case r.service == "s3" && r.mayHaveRegion() && !hasPrefix(r.resource, regionalS3Resources):
		return "Resource " + resource + " can not contain region information."
	case r.service == "iam" && r.resource != "*" && r.resource != "root" &&
		!strings.HasPrefix(r.resource, serviceAccounts) && !hasPrefix(r.resource, iamResources):
		return `IAM resource path must either be "*", root, or start with ` + strings.Join(iamResources, ", ") + "."
	default:
		return ""
	}
}

// mayHaveRegion reports whether r names a region, or is too short to say that it
// has none.
func (r resourcePattern) mayHaveRegion() bool {
	return r.region != "" || r.count < 5
}

// partitionFault is AWS's sentence for an unknown partition. It shows "arn" for
// whatever the ARN begins with, and a star for each part that is not there.
func (r resourcePattern) partitionFault() string {
	parts := [...]string{r.service, r.region, r.account, r.resource}
	if r.count == 3 && r.service == "" {
		parts[0] = "*"
	}
	for i := r.count - 2; i < len(parts); i++ {
		parts[i] = "*"
	}
	return `Partition "` + r.partition + `" is not valid for resource "arn:` + r.partition + ":" + strings.Join(parts[:], ":") + `".`
}

// failsLegacyParsing reports whether AWS's legacy parser refuses the resource: one
// with an empty part and fewer than six, or without a service.
func failsLegacyParsing(resource string) bool {
	if resource == "*" {
		return false
	}
	r := splitResource(resource)
	return r.count < 6 && strings.Contains(resource, "::") || r.service == ""
}

func hasPrefix(s string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(s, prefix) })
}
