package audit_test

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/audit"
)

func TestLimit(t *testing.T) {
	// Each step is a request; it is recorded with a count of dropped records, or
	// dropped itself.
	type step struct {
		after   time.Duration
		from    string
		refused bool
		want    string
	}
	const recorded, dropped = "recorded", "dropped"
	for _, tt := range []struct {
		name  string
		limit audit.Limit
		steps []step
	}{
		{
			"what is over the burst is dropped and told of in the next record",
			audit.Limit{PerSecond: 1, Burst: 2, Peers: 10},
			[]step{
				{0, "192.0.2.1", true, recorded},
				{0, "192.0.2.1", true, recorded},
				{0, "192.0.2.1", true, dropped},
				{0, "192.0.2.1", true, dropped},
				{time.Second, "192.0.2.1", true, "recorded, 2 dropped"},
				{0, "192.0.2.1", true, dropped},
				{time.Second, "192.0.2.1", true, "recorded, 1 dropped"},
				{time.Second, "192.0.2.1", true, recorded},
			},
		},
		{
			"an answered request is always recorded and tells too",
			audit.Limit{PerSecond: 1, Burst: 1, Peers: 10},
			[]step{
				{0, "192.0.2.1", false, recorded},
				{0, "192.0.2.1", false, recorded},
				{0, "192.0.2.1", true, recorded},
				{0, "192.0.2.1", true, dropped},
				{0, "192.0.2.1", false, "recorded, 1 dropped"},
				{0, "192.0.2.1", false, recorded},
			},
		},
		{
			"one peer does not use up what is another's",
			audit.Limit{PerSecond: 1, Burst: 1, Peers: 10},
			[]step{
				{0, "192.0.2.1", true, recorded},
				{0, "192.0.2.1", true, dropped},
				{0, "192.0.2.2", true, recorded},
				{0, "192.0.2.2", true, dropped},
				{time.Second, "192.0.2.1", true, "recorded, 1 dropped"},
			},
		},
		{
			"an IPv6 network of 64 bits is one peer",
			audit.Limit{PerSecond: 1, Burst: 1, Peers: 10},
			[]step{
				{0, "2001:db8:0:1::1", true, recorded},
				{0, "2001:db8:0:1:ffff::2", true, dropped},
				{0, "2001:db8:0:2::1", true, recorded},
				{0, "2001:db8:0:1::3", false, "recorded, 1 dropped"},
			},
		},
		{
			"an IPv4 address within IPv6 is the same peer",
			audit.Limit{PerSecond: 1, Burst: 1, Peers: 10},
			[]step{
				{0, "192.0.2.1", true, recorded},
				{0, "::ffff:192.0.2.1", true, dropped},
				{0, "::ffff:192.0.2.2", true, recorded},
			},
		},
		{
			"the zone of an address does not matter",
			audit.Limit{PerSecond: 1, Burst: 1, Peers: 10},
			[]step{
				{0, "fe80::1%eth0", true, recorded},
				{0, "fe80::1%eth1", true, dropped},
			},
		},
		{
			"peers without address are one",
			audit.Limit{PerSecond: 1, Burst: 1, Peers: 10},
			[]step{
				{0, "", true, recorded},
				{0, "", true, dropped},
				{time.Second, "", true, "recorded, 1 dropped"},
			},
		},
		{
			"peers that there is no room for share a limit, and their count is not told by one of them",
			audit.Limit{PerSecond: 1, Burst: 1, Peers: 2},
			[]step{
				{0, "192.0.2.1", true, recorded},
				{0, "192.0.2.2", true, recorded},
				{0, "192.0.2.3", true, recorded},
				{0, "192.0.2.4", true, dropped},
				{0, "192.0.2.3", true, dropped},
				{0, "192.0.2.3", false, recorded},
				{0, "192.0.2.1", true, dropped},
				{time.Second / 2, "192.0.2.3", true, dropped},
				{time.Second / 2, "192.0.2.1", true, "recorded, 1 dropped"},
				{0, "192.0.2.2", true, recorded},
				{0, "192.0.2.3", true, recorded},
			},
		},
		{
			"a peer that was quiet makes room for another",
			audit.Limit{PerSecond: 1, Burst: 1, Peers: 2},
			[]step{
				{0, "192.0.2.1", true, recorded},
				{0, "192.0.2.2", true, recorded},
				{time.Second, "192.0.2.2", true, recorded},
				{0, "192.0.2.3", true, recorded}, // in the place of .1
				{0, "192.0.2.4", true, recorded}, // in the bucket of the others
				{0, "192.0.2.3", true, dropped},
				{0, "192.0.2.3", false, "recorded, 1 dropped"},
				{time.Second, "192.0.2.4", true, recorded}, // all are quiet again
				{0, "192.0.2.4", true, dropped},
				{0, "192.0.2.4", false, "recorded, 1 dropped"},
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sink, now := &sink{}, noon
			l, err := audit.Open(audit.Config{Path: "-", Stdout: sink, Now: func() time.Time { return now }, Rand: zeros{}, Limit: tt.limit})
			require.NoError(t, err)
			var got, want []string
			for _, s := range tt.steps {
				now = now.Add(s.after)
				sink.writes = nil
				require.NoError(t, l.Write(&audit.Record{SourceIPAddress: address(s.from), Refused: s.refused}))
				got, want = append(got, outcome(t, sink)), append(want, s.want)
			}
			require.Equal(t, want, got)
		})
	}
}

func TestReportDropped(t *testing.T) {
	sink := &sink{}
	l := open(t, sink, audit.Limit{PerSecond: 1, Burst: 1, Peers: 4})
	for i, from := range []string{"2001:db8::1", "192.0.2.2", "", "192.0.2.1", "192.0.2.9"} {
		for range i + 2 {
			require.NoError(t, l.Write(&audit.Record{SourceIPAddress: address(from), Refused: true}))
		}
	}
	sink.writes = nil

	broken := errors.New("broken")
	sink.fail(broken, 0)
	require.ErrorIs(t, l.ReportDropped(), broken)
	sink.recover()
	sink.writes = nil
	require.NoError(t, l.ReportDropped())
	require.Equal(t, []string{
		droppedLine("", 3), droppedLine("192.0.2.1", 4), droppedLine("192.0.2.2", 2), droppedLine("2001:db8::/64", 1), droppedLine("others", 5),
	}, sink.writes)

	sink.writes = nil
	require.NoError(t, l.ReportDropped())
	require.Empty(t, sink.writes, "nothing is told twice")

	require.NoError(t, l.Write(&audit.Record{SourceIPAddress: address("192.0.2.1"), Refused: true}))
	require.NoError(t, l.Close())
	require.Equal(t, []string{droppedLine("192.0.2.1", 1)}, sink.writes, "the last count is told at the end")
}

func TestCountSurvivesAFailedWrite(t *testing.T) {
	sink := &sink{}
	l := open(t, sink, audit.Limit{PerSecond: 1, Burst: 1, Peers: 10})
	record := audit.Record{SourceIPAddress: address("192.0.2.1"), Refused: true}
	require.NoError(t, l.Write(&record))
	require.NoError(t, l.Write(&record))
	require.NoError(t, l.Write(&record))
	answered := audit.Record{SourceIPAddress: address("192.0.2.1")}
	sink.fail(errors.New("broken"), 0)
	require.Error(t, l.Write(&answered))
	sink.recover()
	sink.writes = nil
	require.NoError(t, l.Write(&answered))
	require.Equal(t, "recorded, 2 dropped", outcome(t, sink))
}

func TestCountSurvivesDataThatIsOmitted(t *testing.T) {
	sink := &sink{}
	l := open(t, sink, audit.Limit{PerSecond: 1, Burst: 1, Peers: 10})
	record := audit.Record{SourceIPAddress: address("192.0.2.1"), Refused: true}
	require.NoError(t, l.Write(&record))
	require.NoError(t, l.Write(&record))
	sink.writes = nil
	require.NoError(t, l.Write(&audit.Record{
		SourceIPAddress: address("192.0.2.1"), AdditionalEventData: map[string]any{"reasons": make([]bool, 28<<10), "DroppedRecords": 7},
	}))
	require.Equal(t, map[string]any{"omitted": true, "DroppedRecords": 1.0}, decode(t, sink.writes[0]).AdditionalEventData)
}

func TestNoCountIsLostWhenPeersAreForgotten(t *testing.T) {
	const requests = 20
	sink, now := &sink{}, noon
	l, err := audit.Open(audit.Config{
		Path: "-", Stdout: sink, Now: func() time.Time { return now }, Rand: zeros{}, Limit: audit.Limit{PerSecond: 1, Burst: 1, Peers: 3},
	})
	require.NoError(t, err)
	for peer := range 50 {
		now = now.Add(time.Second / 3)
		for range requests {
			require.NoError(t, l.Write(&audit.Record{SourceIPAddress: netip.AddrFrom4([4]byte{10, 0, 0, byte(peer)}), Refused: true}))
		}
	}
	require.NoError(t, l.Close())
	requireNoneLost(t, sink, 50*requests)
}

func TestConcurrentRefusalsAreAllCounted(t *testing.T) {
	const writers, requests = 8, 200
	sink := &sink{}
	l := open(t, sink, audit.Limit{PerSecond: 1, Burst: 3, Peers: 4})
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for range requests {
				if err := l.Write(&audit.Record{SourceIPAddress: netip.AddrFrom4([4]byte{10, 0, 0, byte(w)}), Refused: true}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Go(func() {
		for range 20 {
			if err := l.ReportDropped(); err != nil {
				t.Error(err)
			}
		}
	})
	group.Wait()
	require.NoError(t, l.Close())
	require.Equal(t, (4+1)*3, requireNoneLost(t, sink, writers*requests), "four peers and the others each have a burst")
}

// requireNoneLost adds up the records and the counts of dropped ones, and returns
// how many records there are.
func requireNoneLost(t *testing.T, sink *sink, requests int) int {
	t.Helper()
	records, dropped := 0, 0.0
	for _, line := range sink.writes {
		w := decode(t, line)
		if w.EventType == "AwsApiCall" {
			records++
		}
		if count, ok := w.AdditionalEventData["DroppedRecords"].(float64); ok {
			dropped += count
		}
	}
	require.Equal(t, requests, records+int(dropped))
	return records
}

// outcome says what became of the one request that was made since the sink was
// emptied.
func outcome(t *testing.T, sink *sink) string {
	t.Helper()
	if len(sink.writes) == 0 {
		return "dropped"
	}
	require.Len(t, sink.writes, 1)
	if count, ok := decode(t, sink.writes[0]).AdditionalEventData["DroppedRecords"]; ok {
		return fmt.Sprintf("recorded, %v dropped", count)
	}
	return "recorded"
}

func droppedLine(peer string, count int) string {
	return fmt.Sprintf(`{"eventVersion":"1.11","userIdentity":{"type":"AWSService"},`+
		`"eventTime":"2026-11-24T05:06:07Z","eventSource":"iamserver","eventName":"DroppedRecords","awsRegion":"",`+
		`"sourceIPAddress":%q,"userAgent":"","requestParameters":null,"responseElements":null,`+
		`"additionalEventData":{"DroppedRecords":%d},`+
		`"requestID":"","eventID":"00010203-0405-4607-8809-0a0b0c0d0e0f","readOnly":true,`+
		`"eventType":"AwsServiceEvent","managementEvent":true,"recipientAccountId":"","eventCategory":"Management"}`+"\n", peer, count)
}

func address(s string) netip.Addr {
	if s == "" {
		return netip.Addr{}
	}
	return netip.MustParseAddr(s)
}
