package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"iamserver/runtime/apierror"
	"iamserver/runtime/authz"
	"iamserver/runtime/policy"
	"iamserver/runtime/server"
	"iamserver/runtime/storage/memory"
)

// opened is a server of an empty account. A real one has its records in a file (package
// bolt) and its secrets sealed (package seal); see examples/embedded.
func opened() *server.Server {
	srv, err := server.Open(context.Background(), server.Config{
		Store: memory.Open(), Sealer: plainSealer{}, Account: "123456789012",
		Root: server.RootKey{AccessKeyID: "AKIAROOT", SecretAccessKey: "the secret of root"},
		Now:  time.Now, //nolint:forbidigo // an example of a program
	})
	if err != nil {
		log.Fatal(err) //nolint:forbidigo // as above
	}
	return srv
}

// An S3 handler sees only what has been authorized, and who was.
func ExampleServer_Authorize() {
	srv := opened()
	defer srv.Close() //nolint:errcheck // an example

	store := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		decision := server.DecisionOf(r.Context())
		fmt.Println(decision.Operation, r.URL.Path, "by", decision.Principal.ARN)
		io.WriteString(w, "hello") //nolint:errcheck // an example
	})
	web := httptest.NewServer(srv.Authorize(store))
	defer web.Close()

	for _, secret := range []string{"the secret of root", "a guess"} {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, web.URL+"/photos/cat.jpg", nil)
		if err != nil {
			log.Fatal(err) //nolint:gocritic // an example
		}
		r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
		sign(r, aws.Credentials{AccessKeyID: "AKIAROOT", SecretAccessKey: secret}, "s3")
		status, body := send(r)
		fmt.Println(strings.TrimSpace(fmt.Sprint(status, " ", element(body, "Code"))))
	}
	// Output:
	// GetObject /photos/cat.jpg by arn:aws:iam::123456789012:root
	// 200
	// 403 SignatureDoesNotMatch
}

// A service of one's own names what its requests do.
func ExampleServer_AuthorizeRequest() {
	srv := opened()
	defer srv.Close() //nolint:errcheck // an example

	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		decision, err := srv.AuthorizeRequest(r, server.Action{
			Service: "photos", Name: "photos:ShareAlbum",
			Resources: []authz.Resource{{ARN: "arn:aws:photos::123456789012:album/" + strings.TrimPrefix(r.URL.Path, "/")}},
			Keys:      policy.Values{"photos:With": policy.Text(r.URL.Query().Get("with"))},
		})
		var refused *apierror.Error
		switch {
		case errors.As(err, &refused):
			http.Error(w, refused.Message, refused.Code.Status)
		case err != nil:
			http.Error(w, "try again later", http.StatusInternalServerError)
		default:
			fmt.Fprintln(w, "shared by", decision.Principal.ARN) //nolint:errcheck // an example
		}
	}))
	defer web.Close()

	for _, signed := range []bool{true, false} {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, web.URL+"/summer?with=bob", nil)
		if err != nil {
			log.Fatal(err) //nolint:gocritic // an example
		}
		if signed {
			sign(r, aws.Credentials{AccessKeyID: "AKIAROOT", SecretAccessKey: "the secret of root"}, "photos")
		}
		status, body := send(r)
		fmt.Println(status, strings.TrimSpace(body))
	}
	// Output:
	// 200 shared by arn:aws:iam::123456789012:root
	// 403 Request is missing Authentication Token
}

// sign signs a request without a body.
func sign(r *http.Request, by aws.Credentials, service string) {
	payload := r.Header.Get("X-Amz-Content-Sha256")
	if payload == "" {
		payload = sha256Hex("")
	}
	err := v4.NewSigner().SignHTTP(r.Context(), by, r, payload, service, "us-east-1", time.Now()) //nolint:forbidigo // an example
	if err != nil {
		log.Fatal(err) //nolint:forbidigo // as above
	}
}

func send(r *http.Request) (status int, body string) {
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		log.Fatal(err) //nolint:forbidigo // an example
	}
	defer response.Body.Close() //nolint:errcheck // an example
	text, err := io.ReadAll(response.Body)
	if err != nil {
		log.Fatal(err) //nolint:forbidigo,gocritic // as above
	}
	return response.StatusCode, string(text)
}
