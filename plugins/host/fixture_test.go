package host_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"iamserver/generated/pluginapi"
	"iamserver/plugins/host"
)

const (
	mfaDelete  = "../examples/mfa-delete/plugin.wasm"
	companyKey = "../examples/company-key/plugin.wasm"
)

// A fixture is a host with what tests look at.
type fixture struct {
	*host.Host

	log      *syncBuffer
	registry *prometheus.Registry
}

// A syncBuffer is a log that several goroutines write.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func newHost(t testing.TB, adjust ...func(*host.Options)) *fixture {
	t.Helper()
	f := &fixture{log: &syncBuffer{}, registry: prometheus.NewRegistry()}
	o := host.Options{
		Now: time.Now, Log: slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})), //nolint:forbidigo // guests run on real time
		Metrics: f.registry, Version: "test", Processors: 2,
		Wait: time.Minute, // however busy the machine is
	}
	for _, a := range adjust {
		a(&o)
	}
	h, err := host.New(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.Close(context.Background())) })
	f.Host = h
	return f
}

// metric is the value of one series, such as x{a="1"} without the labels.
func (f *fixture) metric(t testing.TB, name string) float64 {
	t.Helper()
	families, err := f.registry.Gather()
	require.NoError(t, err)
	total := 0.0
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			total += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return total
}

// failures are how often a sort of failure was counted.
func (f *fixture) failures(t testing.TB, class host.Class) int {
	t.Helper()
	n := 0
	families, err := f.registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		if family.GetName() != "iamserver_plugin_failures_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "class" && l.GetValue() == string(class) {
					n += int(m.GetCounter().GetValue())
				}
			}
		}
	}
	return n
}

// configure makes the configuration of a module file.
func configure(t testing.TB, path string, hooks ...host.Hook) host.Config {
	t.Helper()
	wasm, err := os.ReadFile(path)
	require.NoError(t, err)
	hash := sha256.Sum256(wasm)
	name := filepath.Base(filepath.Dir(path))
	if name == "hostile" {
		name = filepath.Base(path[:len(path)-len(".wasm")])
	}
	return host.Config{Name: name, Path: path, SHA256: hex.EncodeToString(hash[:]), Hooks: hooks}
}

func newSet(t testing.TB, f *fixture, configs ...host.Config) *host.Set {
	t.Helper()
	s, err := f.NewSet(t.Context(), configs)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close(context.Background())) })
	return s
}

func deleteRequest() *pluginapi.AuthorizeRequest {
	return &pluginapi.AuthorizeRequest{
		Action: "s3:DeleteObject", Resource: "arn:aws:s3:::finance/2026/report.csv",
		PrincipalArn: "arn:aws:iam::000000000000:user/alice", PrincipalType: "IAMUser", Account: "000000000000",
		SourceIp: "192.0.2.10", UserAgent: "aws-cli/2.17.0", TimeMs: 1_700_000_000_000, Secure: true, RequestId: "request-1",
		Context: []pluginapi.ContextEntry{
			{Key: "aws:PrincipalTag/team", Values: []string{"finance"}},
			{Key: "s3:prefix", Values: []string{"2026/"}},
		},
		EngineDecision: pluginapi.EngineDecisionAllowed, MatchedStatementIds: []string{"AllowFinance"},
	}
}

// withCache keeps compiled code, which large modules take seconds for.
func withCache(t testing.TB) func(*host.Options) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "cache")
	return func(o *host.Options) { o.CacheDir = folder }
}
