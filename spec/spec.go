// Package spec holds the specification of the APIs: OpenAPI documents, and the
// table of S3 requests, from which iamgen writes the code. It does not read
// them; see package codegen.
package spec

import "embed"

//go:generate go run ../cmd/iamgen generate

// FS holds the documents: a folder for each service, with a root file named
// after the service (iam/iam.yaml, sts/sts.yaml), s3/requests.yaml with the requests
// of S3, in a form of its own, and in authorization.yaml what policies can name of
// each; the managed policies in managed/policies.yaml; and the contract with plugins
// in plugin/plugin.yaml.
//
//go:embed aws iam managed plugin s3 sts
var FS embed.FS
