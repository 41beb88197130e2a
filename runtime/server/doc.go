// Package server is AWS IAM as a library: a Go program opens a Server and has IAM, STS
// and the authorization of S3 requests in its own process, on its own port. It stores
// no objects, and has none of the rules of IAM's actions; see packages iam and sts.
//
// # Opening
//
// [Open] needs a store for the account's records ([iamserver/runtime/storage/bolt] keeps
// them in a file), what seals the secrets in it ([iamserver/runtime/seal]), the id of the
// account, the key of its root ([iamserver/runtime/rootcreds] makes one and keeps it in a
// file) and a clock. [Server.Close] comes last, after the HTTP server has stopped.
//
// # An S3 server
//
// A program that is an S3 server, or has one as an [http.Handler], serves
//
//	handler := srv.Authorize(store)
//
// and nothing else. store then sees only requests that have been authenticated and
// authorized, each built anew from what was decided about it; IAM and STS are answered on
// the same port. Who made a request is in its context: [PrincipalOf], [DecisionOf].
//
// Two things depend on the store, and have to be said in [S3]. Keys: which object keys it
// tells apart. A store that takes two keys for one, as file systems do with a//b and a/b,
// would let policies be walked around; unless Keys says otherwise, such keys are refused.
// Operations: those that it has. A store that ignores what it does not know deletes the
// object for DELETE /bucket/key?tagging.
//
// # Another service
//
// An HTTP service whose clients sign with AWS Signature Version 4 asks for each request
// whether its caller may carry out an action that the service names:
//
//	decision, err := srv.AuthorizeRequest(r, server.Action{Service: "photos", Name: "photos:Share", …})
//
// Policies name the service's actions, resources and condition keys as AWS's do.
//
// # A store behind a proxy
//
// [Server.Handler] serves S3 in front of a store at [S3].Upstream, and
// [Server.ForwardAuth] answers the proxy of somebody else that asks before it passes a
// request on.
//
// # What the program has to do
//
// Bound connections, the time for headers and their size, as every HTTP server has to.
// Requests themselves are bounded here: bodies of IAM's to 1 MiB, with at most 64 at a time
// of those above 64 KiB; S3's stream, and may not stand still for more than a minute. The
// directory of the records must be the server's alone: whoever can write there is root.
package server
