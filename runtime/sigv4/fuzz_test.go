package sigv4

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// escape percent-encodes all but the unreserved characters.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// naivePath, naiveQuery and naiveValue do by the book, and slowly, what the
// canonical request does.
func naivePath(p string, raw bool) string {
	if p == "" {
		return "/"
	}
	segments := strings.Split(p, "/")
	if !raw && p[0] == '/' {
		var kept []string
		for _, segment := range segments {
			switch segment {
			case "", ".":
			case "..":
				kept = kept[:max(0, len(kept)-1)]
			default:
				kept = append(kept, segment)
			}
		}
		segments = append([]string{""}, kept...)
		if len(kept) == 0 || strings.HasSuffix(p, "/") {
			segments = append(segments, "")
		}
	}
	for i, segment := range segments {
		segments[i] = escape(segment)
	}
	return strings.Join(segments, "/")
}

func naiveQuery(query string) (string, bool) {
	var pairs [][2]string
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		decodedName, err := url.QueryUnescape(name)
		if err != nil {
			return "", false
		}
		decodedValue, err := url.QueryUnescape(value)
		if err != nil {
			return "", false
		}
		pairs = append(pairs, [2]string{escape(decodedName), escape(decodedValue)})
	}
	slices.SortFunc(pairs, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	var encoded []string
	for _, pair := range pairs {
		encoded = append(encoded, pair[0]+"="+pair[1])
	}
	return strings.Join(encoded, "&"), true
}

func naiveValue(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" \t\r\n", r) }), " ")
}

// What is signed is what the book says; a request that is signed so is accepted,
// and refused with any other method.
func FuzzCanonicalRequest(f *testing.F) {
	for _, seed := range [][4]string{
		{"GET", "/", "", ""},
		{"POST", "/example/..", "Param2=value2&Param1=value1", "  a   b  "},
		{"GET", "//example//./x/", "Param1=Value2&Param1=value1&Param1=", "a\r\n\tb"},
		{"GET", "/%E1%88%B4/%2f", "%E1%88%B4=bar&+=%20&a;b=c;d", `"a   b"`},
		{"PUT", "/a b/\u1234/*~-._", "&&=&a&a=&a==&%zz", "\u00a0x\v"},
		{"GET", "relative/..", "a=%2", "\x00\xff"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], false)
		f.Add(seed[0], seed[1], seed[2], seed[3], true)
	}
	f.Fuzz(func(t *testing.T, method, path, query, value string, raw bool) {
		c := claimed(func(c *claim) { c.signed = "host;x-amz-date;x-test" })
		req := Request{
			Method: method, Path: path, Query: query, Host: "iam.example.com",
			Header: http.Header{"X-Amz-Date": {c.time}, "X-Test": {value, "second"}},
		}
		canonicalQuery, decodes := naiveQuery(query)
		canonical := method + "\n" + naivePath(path, raw) + "\n" + canonicalQuery + "\n" +
			"host:iam.example.com\nx-amz-date:" + c.time + "\nx-test:" + naiveValue(value) + ",second\n\n" + c.signed + "\n" + c.payload
		req.Header.Set("Authorization", c.algorithm+" Credential="+c.credential()+", SignedHeaders="+c.signed+", Signature="+c.sign(canonical))

		cfg := config
		cfg.Profiles = []Profile{{Service: "iam", RawPath: raw}}
		verifier := newVerifier(alice, cfg)
		auth, err := verifier.Parse(req)
		if !decodes {
			require.ErrorAs(t, err, new(*Error))
			return
		}
		if err != nil { // what is too large, or signed twice
			require.ErrorAs(t, err, new(*Error))
			return
		}
		got, err := auth.appendCanonicalRequest(nil, payload)
		require.NoError(t, err)
		require.Equal(t, canonical, string(got))
		_, err = verifier.Verify(t.Context(), auth, payload)
		require.NoError(t, err)

		req.Method += "X"
		_, err = verify(verifier, req, payload)
		require.Equal(t, mismatch(), err)
	})
}

// Whatever the Authorization header, the date and the query say, nobody is let
// in who does not have the secret, and each refusal is an Error that repeats
// neither signature nor token.
func FuzzAuthorization(f *testing.F) {
	for _, req := range []Request{inHeader(nil), inHeader(func(c *claim) { c.region = "" }), inQuery("60", nil), inQuery("900", func(c *claim) { c.token = token })} {
		f.Add(req.Header.Get("Authorization"), req.Header.Get("X-Amz-Date"), req.Query, req.Header.Get("X-Amz-Security-Token"), "")
	}
	f.Add("AWS4-HMAC-SHA256 Credential=////, SignedHeaders=;, Signature=", "20150830T130000Z", "X-Amz-Algorithm=&X-Amz-Algorithm=", "t", "UNSIGNED-PAYLOAD")
	f.Fuzz(func(t *testing.T, authorization, date, query, sessionToken, declared string) {
		const secretToken = "the-secret-token-" // so that it is told from what else a message may quote
		if sessionToken != "" {
			sessionToken = secretToken + sessionToken
		}
		header := http.Header{}
		for name, value := range map[string]string{
			"Authorization": authorization, "X-Amz-Date": date, "X-Amz-Security-Token": sessionToken, "X-Amz-Content-Sha256": declared,
		} {
			if value != "" {
				header[name] = []string{value}
			}
		}
		// The secret is not the one that the seeds are signed with.
		keys := oneKey{id: "AKIDALICE", key: Key[string]{Secret: "not the secret of the seeds", Principal: "alice"}}
		req := Request{Method: "POST", Path: "/", Query: query, Host: "iam.example.com", Header: header}
		identity, err := verify(newVerifier(keys, config), req, payload)
		require.Nil(t, identity)
		var refused *Error
		require.ErrorAs(t, err, &refused)
		require.NotContains(t, refused.Reason.String(), "(", "a reason has a name")
		require.NotContains(t, refused.Message, secretToken)
	})
}
