package host

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"
)

// A call pays two units of fuel for a byte that it writes. A line takes much longer
// than that, so those that are not logged must not be gone through one by one.
func TestLinesThatAreNotLoggedTakeNoTime(t *testing.T) {
	clock := time.Unix(1_700_000_000, 0)
	looks := 0
	l := logWriter{guestLog: &guestLog{
		logger: slog.New(slog.DiscardHandler), limiter: rate.NewLimiter(logLinesPerTime, logLinesPerTime),
		now: func() time.Time { looks++; return clock }, dropped: prometheus.NewCounter(prometheus.CounterOpts{Name: "dropped"}),
	}}
	l.reset()
	l.write("", bytes.Repeat([]byte("\n"), 1<<20))
	require.Equal(t, logBytesPerCall, looks, "an empty line takes a byte of what a call may write")
	require.InDelta(t, logBytesPerCall-logLinesPerTime+1, testutil.ToFloat64(l.dropped), 0)

	l.reset()
	l.write("", []byte("next\n"))
	require.Equal(t, logBytesPerCall+1, looks)
}
