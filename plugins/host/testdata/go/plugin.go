//go:build wasip1

// Command go is the plugin of benchmarks for the standard Go compiler. It does
// what examples/mfa-delete does, without a configuration.
package main

import (
	"iamserver/generated/pluginapi"
	guest "iamserver/plugins/guest/go"
)

func main() {}

//go:wasmexport iam_v1_authorize
func authorize(question, length uint32) uint64 { return guest.Answer(question, length, decide) }

func decide(r *pluginapi.AuthorizeRequest) *pluginapi.AuthorizeResponse {
	if r.Mfa {
		return nil
	}
	return &pluginapi.AuthorizeResponse{Effect: pluginapi.EffectDeny, Reason: "deleting needs a second factor", Code: "mfa_required"}
}
