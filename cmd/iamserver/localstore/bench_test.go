package localstore_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	miniocredentials "github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/stretchr/testify/require"

	"iamserver/runtime/s3"
)

// direct is a client that speaks to the store itself, with the credentials that
// only the gateway has otherwise.
func direct(tb testing.TB) *minio.Client {
	tb.Helper()
	up := store.Upstream()
	c, err := minio.New(up.Endpoint.Host, &minio.Options{
		Creds: miniocredentials.NewStaticV4(up.AccessKeyID, up.SecretAccessKey, ""), Region: up.Region, Transport: up.Transport, BucketLookup: minio.BucketLookupPath,
	})
	require.NoError(tb, err)
	return c
}

// The cost of the gateway: the same requests through it, and to the store
// itself. p50 is that of single requests, one after another.
func BenchmarkGateway(b *testing.B) {
	_, server := newFront(b, nil)
	clients := []struct {
		name string
		*minio.Client
	}{{"gateway", minioClient(b, server, false)}, {"direct", direct(b)}}
	const bucket = "benchmark"
	require.NoError(b, clients[1].MakeBucket(b.Context(), bucket, minio.MakeBucketOptions{}))
	b.Cleanup(func() {
		for _, key := range []string{"1024", "67108864"} {
			require.NoError(b, clients[1].RemoveObject(context.Background(), bucket, key, minio.RemoveObjectOptions{}))
		}
	})
	for _, size := range []int{1 << 10, 64 << 20} {
		data := bytesOf(size)
		key := strconv.Itoa(size)
		for _, op := range []string{"PUT", "GET"} {
			for _, c := range clients {
				b.Run(fmt.Sprintf("%s/%d/%s", op, size, c.name), func(b *testing.B) {
					var took []time.Duration
					b.SetBytes(int64(size))
					for b.Loop() {
						start := time.Now()
						if op == "PUT" {
							_, err := c.PutObject(b.Context(), bucket, key, bytes.NewReader(data), int64(size), minio.PutObjectOptions{DisableMultipart: true})
							require.NoError(b, err)
						} else {
							o, err := c.GetObject(b.Context(), bucket, key, minio.GetObjectOptions{})
							require.NoError(b, err)
							n, err := io.Copy(io.Discard, o)
							require.NoError(b, err)
							require.Equal(b, int64(size), n)
						}
						took = append(took, time.Since(start))
					}
					slices.Sort(took)
					b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
				})
			}
		}
	}
}

// uploadMiB is how much each of the uploads of TestUploadsTakeLittleMemory sends.
var uploadMiB = flag.Int("upload-mib", 8, "MiB of each upload whose memory is measured")

// Memory stays flat while many large uploads run at once.
func TestUploadsTakeLittleMemory(t *testing.T) {
	const uploads = 100
	size := *uploadMiB << 20
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, hr *http.Request) {
		_, _ = io.Copy(io.Discard, hr.Body)
	}))
	t.Cleanup(sink.Close)
	front, server := newFront(t, nil)
	up := store.Upstream()
	endpoint, err := url.Parse(sink.URL)
	require.NoError(t, err)
	up.Endpoint, up.Transport = endpoint, s3.NewTransport(nil, nil)
	front.gateway = s3.NewGateway(up)
	c := minioClient(t, server, false)

	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var wait sync.WaitGroup
	var most uint64
	halfway := make(chan bool, uploads)
	for range uploads {
		wait.Go(func() {
			// The data is made as it is read: none of it is the client's memory.
			_, err := c.PutObject(t.Context(), "uploads", "k", &pattern{left: size, at: size / 2, reached: halfway}, int64(size), minio.PutObjectOptions{DisableMultipart: true, DisableContentSha256: true})
			if err != nil {
				t.Error(err)
			}
		})
	}
	for range uploads {
		<-halfway
		runtime.ReadMemStats(&during)
		most = max(most, during.HeapInuse+during.StackInuse)
	}
	wait.Wait()
	used := int64(most) - int64(before.HeapInuse+before.StackInuse)
	t.Logf("%d uploads of %d MiB: %d MiB more than at rest, %d KiB each, the client's and the store's part of it included", uploads, size>>20, used>>20, used>>10/uploads)
	require.Less(t, used, int64(uploads*size/4), "the bodies are held in memory")
}

// A pattern is data of a length, and says when it has been read up to a place.
type pattern struct {
	left, at int
	reached  chan<- bool
}

func (p *pattern) Read(b []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	n := min(len(b), p.left)
	clear(b[:n])
	if p.left > p.at && p.left-n <= p.at {
		p.reached <- true
	}
	p.left -= n
	return n, nil
}
