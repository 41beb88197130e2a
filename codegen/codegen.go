// Package codegen generates the Go packages, the documentation and the AWS CLI
// model from the specification. The server never links it.
package codegen

import (
	"fmt"
	"io/fs"
	"maps"

	"iamserver/codegen/emit"
	"iamserver/codegen/openapi"
	"iamserver/codegen/reference"
)

// Files are the generated files by their slash-separated path from the root of
// the module.
type Files = emit.Files

// Generate returns everything that is generated from the specification.
func Generate(fsys fs.FS) (Files, error) {
	plugin, err := openapi.LoadPlugin(fsys)
	if err != nil {
		return nil, err
	}
	services, err := openapi.Load(fsys)
	if err != nil {
		return nil, err
	}
	files := Files{}
	for _, s := range services {
		out, err := emit.Service(s)
		if err != nil {
			return nil, fmt.Errorf("generate %s: %w", s.Name, err)
		}
		maps.Copy(files, out)
	}
	requests, err := openapi.LoadRequests(fsys)
	if err != nil {
		return nil, err
	}
	for _, r := range requests {
		out, err := emit.Requests(r)
		if err != nil {
			return nil, fmt.Errorf("generate %s: %w", r.Service.Name, err)
		}
		maps.Copy(files, out)
	}
	cli, err := emit.CLI(services)
	if err != nil {
		return nil, fmt.Errorf("generate AWS CLI model: %w", err)
	}
	maps.Copy(files, cli)
	maps.Copy(files, emit.Documentation(services))
	authorization, err := reference.Load(fsys)
	if err != nil {
		return nil, err
	}
	tables, err := emit.Reference(authorization)
	if err != nil {
		return nil, fmt.Errorf("generate authorization reference: %w", err)
	}
	maps.Copy(files, tables)
	managed, err := emit.Managed(authorization)
	if err != nil {
		return nil, fmt.Errorf("generate managed policies: %w", err)
	}
	maps.Copy(files, managed)
	if plugin != nil {
		out, err := emit.Plugin(plugin)
		if err != nil {
			return nil, fmt.Errorf("generate plugin messages: %w", err)
		}
		maps.Copy(files, out)
	}
	return files, nil
}
