package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"

	"iamserver/runtime/seal/privatefile"
	"iamserver/runtime/server"
)

// authorizeFlags say whether proxies may ask for decisions.
type authorizeFlags struct {
	AuthorizeListen    string `help:"Address where a proxy asks whether it may pass an S3 request on to the store that --s3 names: unix:PATH, or HOST:PORT, which needs --authorize-token-file. See docs/forward-auth.md." placeholder:"unix:PATH|HOST:PORT"`
	AuthorizeTokenFile string `help:"File with the token that the proxy has to send, at least 16 characters in one line, mode 0600." placeholder:"FILE"`
}

// unixPrefix marks a unix socket.
const unixPrefix = "unix:"

// leastToken is the least length of a token: what is guessed over a network.
const leastToken = 16

func (f *authorizeFlags) validateAuthorize(store string) error {
	switch {
	case f.AuthorizeListen == "" && f.AuthorizeTokenFile != "":
		return errors.New("--authorize-token-file is for --authorize-listen, which is not given")
	case f.AuthorizeListen == "":
		return nil
	case store == "off" || strings.HasPrefix(store, localPrefix):
		return errors.New("--authorize-listen is for a store that a proxy stands in front of; --s3 must be its address")
	case f.AuthorizeListen == unixPrefix:
		return errors.New("--authorize-listen: unix: must be followed by a path")
	case !strings.HasPrefix(f.AuthorizeListen, unixPrefix) && f.AuthorizeTokenFile == "":
		return errors.New("--authorize-listen: whoever reaches an address could ask; give --authorize-token-file, or listen on unix:PATH")
	}
	return nil
}

// token reads the token; it is empty where none is asked for.
func (f *authorizeFlags) token() (string, error) {
	if f.AuthorizeTokenFile == "" {
		return "", nil
	}
	if err := privatefile.Check(f.AuthorizeTokenFile); err != nil {
		return "", fmt.Errorf("--authorize-token-file: %w", err)
	}
	text, err := os.ReadFile(f.AuthorizeTokenFile)
	if err != nil {
		return "", fmt.Errorf("--authorize-token-file: %w", err)
	}
	token := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	if len(token) < leastToken || strings.Trim(token, " ") != token || strings.ContainsFunc(token, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "", fmt.Errorf("--authorize-token-file: it must hold one line of at least %d printable ASCII characters", leastToken)
	}
	return token, nil
}

// authorizeListener listens where proxies ask.
func (f *authorizeFlags) authorizeListener() (net.Listener, error) {
	path, onSocket := strings.CutPrefix(f.AuthorizeListen, unixPrefix)
	var l net.Listener
	var err error
	if onSocket {
		l, err = listenUnix(path)
	} else {
		l, err = net.Listen("tcp", f.AuthorizeListen)
	}
	if err != nil {
		return nil, fmt.Errorf("--authorize-listen: %w", err)
	}
	return l, nil
}

// authorizer answers proxies.
func (f *authorizeFlags) authorizer(s *server.Server) (http.Handler, error) {
	token, err := f.token()
	if err != nil {
		return nil, err
	}
	handler, err := s.ForwardAuth(token)
	if err != nil {
		return nil, fmt.Errorf("--authorize-listen: %w", err)
	}
	return handler, nil
}

// listenUnix listens on a socket that only the group of the process and its owner
// reach. One that a server which did not end well left behind makes room; one on
// which somebody listens does not.
func listenUnix(path string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == fs.ModeSocket {
		if conn, err := net.Dial("unix", path); err == nil {
			return nil, errors.Join(fmt.Errorf("another process listens on %s", path), conn.Close())
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o660); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}
