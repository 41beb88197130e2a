package sigv4

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What is a date, and which, is what time.Parse says, but for the fractions of
// a second that it takes too.
func TestParseDate(t *testing.T) {
	check := func(s string) {
		t.Helper()
		want, err := time.Parse(isoBasic, s)
		got, ok := parseDate(s)
		require.Equal(t, err == nil && len(s) == len(isoBasic), ok, s)
		if ok {
			require.Equal(t, want, got, s)
		}
	}
	for _, s := range []string{
		"", "20150830T123600Z", "20150830T123600", "20150830T123600z", "20150830t123600Z", "20150830T123600.5Z", "2015083 T123600Z",
		"-0150830T123600Z", "+0150830T123600Z", "20150830T12360 Z", "00000101T000000Z", "99991231T235959Z", "20150830T123600ZZ", "2015-08-30T12:36",
		"\u0660\u06600830T123600Z",
	} {
		check(s)
	}
	for month := range 14 {
		for day := range 33 {
			check(fmt.Sprintf("2015%02d%02dT123600Z", month, day))
			check(fmt.Sprintf("2016%02d%02dT123600Z", month, day))
		}
	}
	for i := range 100 {
		check(fmt.Sprintf("20150830T%02d0000Z", i))
		check(fmt.Sprintf("20150830T00%02d00Z", i))
		check(fmt.Sprintf("20150830T0000%02dZ", i))
	}
}
