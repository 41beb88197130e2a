package server_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/s3"
	"iamserver/runtime/server"
)

// Whoever may post forms fills no disk with them: so many large files are there at a
// time, and the others wait, but not for long.
func TestLargeFormsWaitForEachOther(t *testing.T) {
	arrived, released := make(chan struct{}), make(chan struct{})
	f := overHandler(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Error(err)
		}
		if r.URL.Path == "/photos/large" {
			arrived <- struct{}{}
			<-released
		}
	}))
	f.server.SetFormWait(time.Millisecond)
	status, answer := do(t, f.object(t, f.root, http.MethodPut, "/photos?policy",
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:PutObject","Resource":"`+photos+`/*"}}`, nil))
	require.Equal(t, http.StatusNoContent, status, answer)
	post := func(name string, size int) *http.Request {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		require.NoError(t, form.WriteField("key", name))
		file, err := form.CreateFormFile("file", "file")
		require.NoError(t, err)
		_, err = file.Write(make([]byte, size))
		require.NoError(t, err)
		require.NoError(t, form.Close())
		return f.object(t, key{}, http.MethodPost, "/photos", body.String(), func(r *http.Request) {
			r.Header.Del("X-Amz-Content-Sha256")
			r.Header.Set("Content-Type", form.FormDataContentType())
		})
	}
	statuses := make(chan int)
	for range server.MostSpooled {
		go func(r *http.Request) {
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				statuses <- 0
				return
			}
			statuses <- resp.StatusCode
			if err := resp.Body.Close(); err != nil {
				t.Error(err)
			}
		}(post("large", s3.FileInMemory+1))
		<-arrived
	}
	status, answer = do(t, post("large", s3.FileInMemory+1))
	require.Equal(t, []any{http.StatusServiceUnavailable, "Too many large forms are being read at the moment."}, []any{status, element(answer, "Message")})
	status, answer = do(t, post("small", 1000))
	require.Equal(t, http.StatusNoContent, status, "a small one needs no disk: %s", answer)
	close(released)
	for range server.MostSpooled {
		require.Equal(t, http.StatusNoContent, <-statuses)
	}
	go func() { <-arrived }()
	status, answer = do(t, post("large", s3.FileInMemory+1))
	require.Equal(t, http.StatusNoContent, status, answer)
}
