// Package spec holds the specification of the APIs: OpenAPI documents from
// which iamgen writes the code. It does not read them; see package codegen.
package spec

import "embed"

//go:generate go run ../cmd/iamgen generate

// FS holds the documents: a folder for each service, with a root file named
// after the service (iam/iam.yaml, sts/sts.yaml), and the contract
// with plugins (plugin/plugin.yaml).
//
//go:embed iam sts plugin
var FS embed.FS
