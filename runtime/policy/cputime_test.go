package policy_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// reportCPU reports the processor time that an operation takes, which a busy
// machine distorts less than the time that passes. The returned function ends the
// measurement.
func reportCPU(b *testing.B) func() {
	before := processorTime(b)
	return func() {
		b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
	}
}

func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
