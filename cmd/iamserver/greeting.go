package main

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"

	"iamserver/runtime/rootcreds"
)

// addresses are where the server listens; nil where it does not.
type addresses struct {
	main, admin, asked net.Addr
}

// greet says on standard output what a person who has just started the server
// wants to know: what is listening, where the data is, what to type next.
func (c *serveCommand) greet(w io.Writer, at addresses, data *dataDirectory, root *rootcreds.Root, extended *plugins) {
	scheme := "http"
	if c.TLSCert != "" {
		scheme = "https"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "iamserver %s\n", version())
	services := "IAM, STS, S3 "
	if c.S3 == "off" {
		services = "IAM and STS  "
	}
	fmt.Fprintf(&b, "  %s %s://%s, account %s\n", services, scheme, at.main, c.AccountID)
	if at.admin != nil {
		fmt.Fprintf(&b, "  health        http://%s/healthz, /readyz, /metrics\n", at.admin)
	}
	if at.asked != nil {
		fmt.Fprintf(&b, "  forward-auth  %s\n", at.asked)
	}
	fmt.Fprintf(&b, "  data          %s\n", data.path)
	switch {
	case strings.HasPrefix(c.S3, localPrefix):
		fmt.Fprintf(&b, "  objects       %s\n", c.localDir(data))
	case c.S3 != "off":
		fmt.Fprintf(&b, "  objects       %s\n", c.S3)
	}
	if names := extended.names(); names != "" {
		fmt.Fprintf(&b, "  plugins       %s\n", names)
	}
	fmt.Fprintf(&b, "  root          access key id %s, from %s\n", root.Credentials.AccessKeyID, root.Source)
	for _, other := range root.Overruled {
		fmt.Fprintf(&b, "                %s has another one, which does not count\n", other)
	}
	if string(root.Source) == filepath.Join(data.path, rootcreds.FileName) {
		objects := "  aws s3 mb s3://photos\n"
		if c.S3 == "off" {
			objects = ""
		}
		fmt.Fprintf(&b, "\nIn another terminal:\n  source %s\n  aws sts get-caller-identity\n  aws iam create-user --user-name alice\n%s", shellPath(string(root.Source)), objects)
	}
	io.WriteString(w, b.String()) //nolint:errcheck // a closed standard output does not stop the server
}

// shellPath quotes a path where a shell needs that.
func shellPath(path string) string {
	for _, r := range path {
		if !strings.ContainsRune("/._-", r) && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
		}
	}
	return path
}
