package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"

	"iamserver/runtime/rootcreds"
)

// A client sends signed requests without retries, and tells an answer from a
// lost connection: what no SDK does.
type client struct {
	url         string
	credentials aws.Credentials
	http        *http.Client
	signer      *v4.Signer
}

func newClient(endpoint, accessKeyID, secretAccessKey string, connections int) *client {
	return &client{
		url: endpoint + "/", credentials: aws.Credentials{AccessKeyID: accessKeyID, SecretAccessKey: secretAccessKey},
		http:   &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}},
		signer: v4.NewSigner(),
	}
}

// rootClient signs with what root.env of the server says.
func rootClient(t testing.TB, s *running, connections int) *client {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(s.data, rootcreds.FileName))
	require.NoError(t, err)
	root, err := rootcreds.Parse(content)
	require.NoError(t, err)
	return newClient(s.url, root.AccessKeyID, string(root.SecretAccessKey), connections)
}

// answerError is an answer that is not a success.
type answerError struct {
	status int
	body   string
}

func (e answerError) Error() string { return fmt.Sprintf("%d: %s", e.status, e.body) }

// call carries an action of IAM out and returns the body of its success.
func (c *client) call(ctx context.Context, action string, parameters ...string) (string, error) {
	form := url.Values{"Action": {action}, "Version": {"2010-05-08"}}
	for i := 0; i+1 < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	body := form.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	sum := sha256.Sum256([]byte(body))
	if err := c.signer.SignHTTP(ctx, c.credentials, request, hex.EncodeToString(sum[:]), "iam", "us-east-1", time.Now()); err != nil {
		return "", err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return "", err
	}
	var answer bytes.Buffer
	_, err = answer.ReadFrom(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", answerError{response.StatusCode, answer.String()}
	}
	return answer.String(), nil
}

func (c *client) must(t testing.TB, action string, parameters ...string) string {
	t.Helper()
	answer, err := c.call(t.Context(), action, parameters...)
	require.NoError(t, err, action)
	return answer
}

// element returns the text of the first element of a name.
func element(xml, name string) string {
	_, rest, ok := strings.Cut(xml, "<"+name+">")
	if !ok {
		return ""
	}
	text, _, _ := strings.Cut(rest, "</"+name+">")
	return text
}

// elements returns the text of every element of a name.
func elements(xml, name string) []string {
	var all []string
	for {
		_, rest, ok := strings.Cut(xml, "<"+name+">")
		if !ok {
			return all
		}
		var text string
		text, xml, _ = strings.Cut(rest, "</"+name+">")
		all = append(all, text)
	}
}

// everyName lists the names of an action that pages.
func (c *client) everyName(t testing.TB, action, name string) []string {
	t.Helper()
	var all []string
	parameters := []string{"MaxItems", "1000"}
	for {
		page := c.must(t, action, parameters...)
		all = append(all, elements(page, name)...)
		if element(page, "IsTruncated") != "true" {
			return all
		}
		parameters = []string{"MaxItems", "1000", "Marker", element(page, "Marker")}
	}
}

// get fetches a page of the admin address.
func get(t testing.TB, page string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, page, nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close() //nolint:errcheck // it has been read
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(body)
}
