package server

import (
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// forwardingHeaders are what proxies say of a request. Only a trusted one is
// believed; from anybody else they are dropped before anything can read them.
// Their names are in canonical form.
var forwardingHeaders = []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Real-Ip", "Forwarded"}

// errForwardedFor is what is wrong with the X-Forwarded-For of a trusted proxy.
var errForwardedFor = errors.New("server: X-Forwarded-For holds something that is no address")

// locate finds out where a request came from: the peer, or behind trusted proxies
// the right-most address of X-Forwarded-For that is not one of theirs. What stands
// left of it anybody may have written.
func (s *Server) locate(r *http.Request) (source netip.Addr, secure bool, err error) {
	source, secure = peer(r), r.TLS != nil
	if !s.trusts(source) {
		for _, name := range forwardingHeaders {
			delete(r.Header, name)
		}
		return source, secure, nil
	}
	// The proxy may speak TLS with the server where the client did not with the proxy.
	if proto := lastOf(r.Header.Values("X-Forwarded-Proto")); proto != "" {
		secure = strings.EqualFold(proto, "https")
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		hop = strings.TrimSpace(hop)
		if hop == "" && len(hops) == 1 {
			break
		}
		address, err := netip.ParseAddr(hop)
		if err != nil {
			return source, secure, errForwardedFor
		}
		if source = address.Unmap().WithZone(""); !s.trusts(source) {
			break
		}
	}
	return source, secure, nil
}

// lastOf returns the last element of comma-separated headers: the one that the
// nearest proxy wrote.
func lastOf(values []string) string {
	if len(values) == 0 {
		return ""
	}
	last := values[len(values)-1]
	return strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
}

// trusts reports whether an address is that of a trusted proxy.
func (s *Server) trusts(address netip.Addr) bool {
	return slices.ContainsFunc(s.config.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(address) })
}

// peer is the address that the request came from.
func peer(r *http.Request) netip.Addr {
	address, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{} // a unix socket
	}
	return address.Addr().Unmap().WithZone("")
}
