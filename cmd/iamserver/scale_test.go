package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"iamserver/runtime/identity"
	"iamserver/runtime/seal"
	"iamserver/runtime/storage/bolt"
)

var scale = flag.Int("scale", 20_000, "users of the larger account in BenchmarkScale")

const smallAccount = 1_000

// An account with very many users must cost what a small one costs. Both are
// served by the real program, and measured in turns, so that what the machine
// does meanwhile falls on both.
func BenchmarkScale(b *testing.B) {
	small := startFilled(b, smallAccount)
	large := startFilled(b, *scale)
	cost := map[string]*[2][]time.Duration{}
	const samples = 300
	n := 0
	for b.Loop() {
		for range samples {
			n++
			for i, account := range []*filled{small, large} {
				for name, took := range account.measure(b, n) {
					if cost[name] == nil {
						cost[name] = &[2][]time.Duration{}
					}
					cost[name][i] = append(cost[name][i], took)
				}
			}
		}
	}
	for name, took := range cost {
		b.ReportMetric(float64(median(took[1]))/float64(median(took[0])), name+"-ratio")
		b.Logf("%s: p50 %v with %d users, %v with %d", name, median(took[0]), smallAccount, median(took[1]), *scale)
	}
	// Metrics that are reported before the loop are lost.
	b.ReportMetric(large.starting.Seconds(), "start-s")
	b.ReportMetric(float64(anonymous(b, large.cmd.Process.Pid))/(1<<20), "anonymous-MiB")
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

type filled struct {
	*running

	users    int
	root     *client
	starting time.Duration
}

// startFilled serves an account with users, each with a key.
func startFilled(b *testing.B, users int) *filled {
	b.Helper()
	data := filepath.Join(b.TempDir(), "iamdata")
	first := start(b, data)
	require.NoError(b, first.stop())
	fill(b, data, users)
	began := time.Now()
	f := &filled{running: start(b, data), users: users}
	f.starting = time.Since(began)
	f.root = rootClient(b, f.running, 1)
	return f
}

// fill writes users straight into the store, by many writers, so that a million
// takes minutes and not hours.
func fill(b *testing.B, data string, users int) {
	b.Helper()
	store, err := bolt.Open(filepath.Join(data, databaseName), bolt.Config{})
	require.NoError(b, err)
	keyset, err := seal.Load(seal.Config{Dir: data, Getenv: func(string) string { return "" }})
	require.NoError(b, err)
	const account = "000000000000"
	db, err := identity.Open(b.Context(), store, identity.Config{Account: account, Sealer: keyset.OfAccount(account), Now: time.Now})
	require.NoError(b, err)
	const perTransaction = 10
	writers, ctx := errgroup.WithContext(b.Context())
	writers.SetLimit(128)
	for from := 0; from < users; from += perTransaction {
		writers.Go(func() error {
			_, err := db.Update(ctx, func(tx *identity.Tx) error {
				for i := from; i < min(from+perTransaction, users); i++ {
					if err := addUser(tx, i); err != nil {
						return err
					}
				}
				return nil
			})
			return err
		})
	}
	require.NoError(b, errors.Join(writers.Wait(), store.Close()))
}

func addUser(tx *identity.Tx, i int) error {
	u := &identity.User{Name: userName(i), Path: "/", Created: time.Now()}
	if err := tx.CreateUser(u); err != nil {
		return err
	}
	_, err := tx.CreateAccessKey(&identity.AccessKey{Owner: u.ID, Created: time.Now()}, "")
	return err
}

func userName(i int) string { return fmt.Sprintf("user-%08d", i) }

// measure carries each action out once.
func (f *filled) measure(b *testing.B, n int) map[string]time.Duration {
	b.Helper()
	some := n * 7919 % f.users
	return map[string]time.Duration{
		"CreateUser":      f.time(b, "CreateUser", "UserName", "new-"+strconv.Itoa(n)),
		"GetUser":         f.time(b, "GetUser", "UserName", userName(some)),
		"ListUsers":       f.time(b, "ListUsers", "MaxItems", "100"),
		"CreateAccessKey": f.time(b, "CreateAccessKey", "UserName", "new-"+strconv.Itoa(n)),
	}
}

func (f *filled) time(b *testing.B, action string, parameters ...string) time.Duration {
	b.Helper()
	began := time.Now()
	_, err := f.root.call(context.Background(), action, parameters...)
	require.NoError(b, err, action)
	return time.Since(began)
}

// anonymous is the resident memory of a process that no file backs, in bytes.
func anonymous(b *testing.B, pid int) int {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(b, err)
	_, rest, ok := strings.Cut(string(text), "RssAnon:")
	require.True(b, ok, "the kernel does not tell")
	kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
	require.NoError(b, err)
	return kilobytes << 10
}
