package bolt

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"iamserver/runtime/storage"
)

// record returns key and value i of update n, which are about those of a user
// with an access key.
func record(n, i int) (key, value []byte) {
	key = fmt.Appendf(nil, "000000000000/%d/AIDA%017d", i, n*7919%10_007)
	return key, fmt.Appendf(nil, "%200d", n)
}

const recordsPerUpdate = 6

// BenchmarkLoneWriter writes the same records to a Store and to bbolt alone, in
// turns, and reports the medians of both and their ratio.
func BenchmarkLoneWriter(b *testing.B) {
	b.ReportAllocs()
	s := open(b)
	bare, err := bbolt.Open(filepath.Join(b.TempDir(), "bare.db"), fileMode, options(Config{}))
	require.NoError(b, err)
	defer func() { require.NoError(b, bare.Close()) }()
	_, err = prepare(bare)
	require.NoError(b, err)

	writeStore := func(n int) error {
		_, err := s.Update(context.Background(), func(tx storage.Tx) error {
			for i := range recordsPerUpdate {
				if err := tx.Put(record(n, i)); err != nil {
					return err
				}
			}
			return nil
		})
		return err
	}
	writeBare := func(n int) error {
		return bare.Update(func(tx *bbolt.Tx) error {
			bucket := tx.Bucket(bucketName)
			for i := range recordsPerUpdate {
				if err := bucket.Put(record(n, i)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	timed := func(write func(int) error, n int) time.Duration {
		start := b.Elapsed()
		require.NoError(b, write(n))
		return b.Elapsed() - start
	}
	var store, alone []time.Duration
	for n := 0; b.Loop(); n++ {
		if n%2 == 0 {
			store = append(store, timed(writeStore, n))
			alone = append(alone, timed(writeBare, n))
		} else {
			alone = append(alone, timed(writeBare, n))
			store = append(store, timed(writeStore, n))
		}
	}
	b.ReportMetric(float64(median(store)), "store-p50-ns")
	b.ReportMetric(float64(median(alone)), "bbolt-p50-ns")
	b.ReportMetric(float64(median(store))/float64(median(alone)), "p50-ratio")
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// BenchmarkUpdate reports the commits, each of which is two fdatasync, that one
// acknowledged write takes.
func BenchmarkUpdate(b *testing.B) {
	for _, writers := range []int{1, 4, 16, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			b.ReportAllocs()
			s := open(b)
			var commits atomic.Int64
			s.commit = func(tx *bbolt.Tx) error {
				commits.Add(1)
				return tx.Commit()
			}
			var writing sync.WaitGroup
			updates := make(chan int)
			for range writers {
				writing.Go(func() {
					for n := range updates {
						_, err := s.Update(context.Background(), func(tx storage.Tx) error {
							for i := range recordsPerUpdate {
								if err := tx.Put(record(n, i)); err != nil {
									return err
								}
							}
							return nil
						})
						if err != nil {
							b.Error(err)
						}
					}
				})
			}
			n := 0
			for ; b.Loop(); n++ {
				updates <- n
			}
			close(updates)
			writing.Wait()
			b.ReportMetric(float64(commits.Load())/float64(n), "commits/op")
		})
	}
}

func BenchmarkGet(b *testing.B) {
	s := open(b)
	for n := range 200 {
		_, err := s.Update(b.Context(), func(tx storage.Tx) error {
			for i := range 100 {
				if err := tx.Put(record(n, i)); err != nil {
					return err
				}
			}
			return nil
		})
		require.NoError(b, err)
	}
	b.ReportAllocs()
	key, _ := record(100, 50)
	for b.Loop() {
		err := s.View(context.Background(), func(r storage.Reader) error {
			_, ok, err := r.Get(key)
			if !ok {
				b.Fatal("absent")
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
