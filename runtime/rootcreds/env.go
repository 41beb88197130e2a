package rootcreds

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
)

// Client is what root.env tells the AWS CLI and the SDKs beside the credentials.
type Client struct {
	// Listen is the host:port that the server listens on. A wildcard address
	// becomes 127.0.0.1 in the URL.
	Listen string
	// TLS makes the URL an https one.
	TLS bool
	// Region is the region to sign for.
	Region string
	// ModelDir is the absolute path of the directory with the AWS CLI model,
	// for AWS_DATA_PATH; empty where none was written.
	ModelDir string
}

// header says to whoever opens the file what it is.
const header = `# The root credentials of this iamserver, and where to reach it. Whoever has
# them may do everything: keep this file to yourself (mode 0600). To use them:
#   source root.env
# iamserver reads the two keys from here when it starts, and keeps the rest of
# the file in step with its configuration. New keys: iamserver root reset
`

const (
	accessKeyIDName     = "AWS_ACCESS_KEY_ID"
	secretAccessKeyName = "AWS_SECRET_ACCESS_KEY"

	// unset keeps the shell's other credentials from getting mixed up with
	// root's: the CLI would send the token, and prefers the profile.
	unset = "unset AWS_SESSION_TOKEN AWS_PROFILE"
)

// names are the variables that root.env may export.
var names = []string{
	accessKeyIDName, secretAccessKeyName, "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT", "AWS_DATA_PATH",
}

// format returns the content of root.env. Parse reads it.
func format(credentials Credentials, client Client) string {
	var b strings.Builder
	b.WriteString(header)
	values := []string{
		credentials.AccessKeyID, string(credentials.SecretAccessKey), client.Region, client.Region, client.url(), client.url(), client.ModelDir,
	}
	for i, name := range names {
		if values[i] == "" {
			continue
		}
		fmt.Fprintf(&b, "export %s=%s\n", name, quote(values[i]))
	}
	b.WriteString(unset + "\n")
	return b.String()
}

// Parse reads credentials from a file in the form of root.env, without executing
// anything. Each line is empty, a comment, an unset of what root.env unsets, or
//
//	export NAME='value'
//
// where NAME is one that root.env has, at most once, and a quote in the value is
// written '\”. Other variables than the two of the credentials are not looked
// at. An error tells the line and never quotes from it.
func Parse(data []byte) (Credentials, error) {
	values := map[string]string{}
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' || line == unset {
			continue
		}
		name, value, err := parseExport(line)
		if err == nil && !slices.Contains(names, name) {
			err = errors.New("the variable is not one that root.env has")
		}
		if _, seen := values[name]; err == nil && seen {
			err = errors.New("the variable is exported twice")
		}
		if err != nil {
			return Credentials{}, fmt.Errorf("line %d: %w", number, err)
		}
		values[name] = value
	}
	for _, name := range []string{accessKeyIDName, secretAccessKeyName} {
		if values[name] == "" {
			return Credentials{}, fmt.Errorf("there is no %s", name)
		}
	}
	credentials := Credentials{AccessKeyID: values[accessKeyIDName], SecretAccessKey: SecretAccessKey(values[secretAccessKeyName])}
	if err := credentials.validate(); err != nil {
		return Credentials{}, err
	}
	return credentials, nil
}

// parseExport reads one line of the form export NAME='value'.
func parseExport(line string) (name, value string, err error) {
	bad := errors.New("it is not of the form export NAME='value'")
	assignment, ok := strings.CutPrefix(line, "export ")
	if !ok || strings.ContainsFunc(line, isControl) {
		return "", "", bad
	}
	name, quoted, ok := strings.Cut(assignment, "=")
	if !ok {
		return "", "", bad
	}
	value, ok = unquote(quoted)
	if !ok {
		return "", "", bad
	}
	return name, value, nil
}

// quote writes s as one word of the shell. Within single quotes nothing has a
// meaning but the quote that ends them.
func quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// unquote reads what quote wrote, and nothing else.
func unquote(quoted string) (string, bool) {
	inner, ok := strings.CutPrefix(quoted, "'")
	if !ok {
		return "", false
	}
	inner, ok = strings.CutSuffix(inner, "'")
	if !ok {
		return "", false
	}
	s := strings.ReplaceAll(inner, `'\''`, "'")
	return s, quote(s) == quoted
}

// url returns where clients on this machine reach the server. Listen has been
// validated.
func (c Client) url() string {
	host, port, _ := net.SplitHostPort(c.Listen)
	if address, err := netip.ParseAddr(host); host == "" || err == nil && address.Unmap().IsUnspecified() {
		host = "127.0.0.1"
	}
	u := url.URL{Scheme: "http", Host: net.JoinHostPort(host, port)}
	if c.TLS {
		u.Scheme = "https"
	}
	return u.String()
}

// validate refuses what would not survive in a file of lines.
func (c Client) validate() error {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("the listen address %q is not host:port", c.Listen)
	}
	if c.ModelDir != "" && !filepath.IsAbs(c.ModelDir) {
		return fmt.Errorf("the path of the AWS CLI model, %q, is not absolute", c.ModelDir)
	}
	if c.Region == "" {
		return errors.New("there is no region")
	}
	for _, s := range []string{c.Listen, c.Region, c.ModelDir} {
		if strings.ContainsFunc(s, isControl) {
			return fmt.Errorf("%q holds a control character", s)
		}
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
