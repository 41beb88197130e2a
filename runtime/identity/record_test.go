package identity

import (
	"encoding/hex"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type record interface {
	encode() []byte
	decode(record string) error
}

var moment = time.Unix(1_700_000_000, 0).UTC()

// Records written today must be readable forever: the hexadecimal texts here
// never change, only grow in number.
var records = []struct {
	name string
	want record
	hex  string
}{
	{
		"meta", &meta{format: 1, account: "000000000001", check: "\x01\x02", created: moment},
		"0801" + "120c303030303030303030303031" + "1a020102" + "2080e2cfaa06",
	},
	{
		"user", &User{
			Name: "A", Path: "/", Created: moment, Tags: []Tag{{"k", "v"}, {"e", ""}}, Boundary: PolicyRef{"i", "a"},
			Disabled: true, PasswordLastUsed: moment,
		},
		"0a0141" + "12012f" + "1880e2cfaa06" + "22060a016b120176" + "22030a0165" + "2a060a0169120161" + "3001" + "3880e2cfaa06",
	},
	{
		"group", &Group{Name: "A", Path: "/", Created: moment, Disabled: true},
		"0a0141" + "12012f" + "1880e2cfaa06" + "2001",
	},
	{
		"policy", &Policy{
			Name: "A", Path: "/", Description: "d", Created: moment, Updated: moment, DefaultVersion: 1, NextVersion: 300, Versions: 2,
			Tags: []Tag{{"k", "v"}},
		},
		"0a0141" + "12012f" + "1a0164" + "2080e2cfaa06" + "2880e2cfaa06" + "3001" + "38ac02" + "4002" + "4a060a016b120176",
	},
	{"policy version", &PolicyVersion{Document: "{}", Created: moment}, "0a027b7d" + "1080e2cfaa06"},
	{"inline policy", &InlinePolicy{Document: "{}"}, "0a027b7d"},
	{"policy use", &policyUse{attached: true, boundary: true}, "0801" + "1001"},
	{
		"access key", &AccessKey{Owner: "o", Status: Active, Created: moment, sealed: "\xff\x00"},
		"0a016f" + "1206416374697665" + "1880e2cfaa06" + "2202ff00",
	},
	{
		"bucket", &Bucket{
			Policy: "{}", PublicAccessBlock: &PublicAccessBlock{BlockPublicAcls: true, RestrictPublicBuckets: true}, Ownership: "o", Changed: moment,
			Principals: []PolicyPrincipal{{"a", "i"}},
		},
		"0a027b7d" + "1013" + "1a016f" + "2080e2cfaa06" + "2a060a0161120169",
	},
	{"upload", &Upload{Initiator: "u", Begun: moment}, "0a0175" + "1080e2cfaa06"},
	{"last used", &LastUsed{Time: moment, Service: "s3", Region: "eu"}, "0880e2cfaa06" + "12027333" + "1a026575"},
	{
		"service account", &ServiceAccount{
			Parent: "p", AccessKeyID: "k", Description: "d", Policy: "{}", Status: Inactive, Created: moment, Expires: moment,
		},
		"0a0170" + "12016b" + "1a0164" + "22027b7d" + "2a08496e616374697665" + "3080e2cfaa06" + "3880e2cfaa06",
	},
	{
		"children", &Children{
			version: 9, AccessKeys: 1, Groups: 2, ServiceAccounts: 3, InlinePolicies: 4, AttachedPolicies: 5, Members: 6, Attachments: 7, Boundaries: 8,
		},
		"0809" + "1001" + "1802" + "2003" + "2804" + "3005" + "3806" + "4007" + "4808",
	},
	{"count", new(shardCount(7)), "0807"},
}

func TestRecords(t *testing.T) {
	for _, tt := range records {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.hex, hex.EncodeToString(tt.want.encode()))
			written, err := hex.DecodeString(tt.hex)
			require.NoError(t, err)
			got := zero(tt.want)
			// Fields that this version does not know, of every type.
			later := "\xf8\x07\x05" + "\xfa\x07\x02ab" + "\xf9\x07\x01\x02\x03\x04\x05\x06\x07\x08" + "\xfd\x07\x01\x02\x03\x04"
			require.NoError(t, got.decode(later+string(written)+later))
			require.Equal(t, tt.want, got)
			for i := range written {
				_ = zero(tt.want).decode(string(written[:i])) // must not panic
			}

			empty := zero(tt.want)
			require.Empty(t, empty.encode(), "zero values are left out")
			require.NoError(t, empty.decode(""))
			require.Equal(t, zero(tt.want), empty)
		})
	}
}

func zero(r record) record { return reflect.New(reflect.TypeOf(r).Elem()).Interface().(record) }

func TestBrokenRecords(t *testing.T) {
	long := strings.Repeat("\xff", 9)
	for _, tt := range []struct {
		name   string
		record string
		into   record
		want   string
	}{
		{"a field number that is cut off", "\x80", &User{}, "number is cut off"},
		{"a number that is cut off", "\x18\x80", &User{}, "number is cut off"},
		{"a number of more than ten bytes", "\x18" + long + "\xff\x01", &User{}, "number is cut off"},
		{"a text that is cut off", "\x0a\x02a", &User{}, "field 1 is cut off"},
		{"a text of absurd length", "\x0a" + long + "\x01a", &User{}, "field 1 is cut off"},
		{"a number for a text", "\x08\x01", &User{}, "field 1 is not a text"},
		{"a text for a number", "\x1a\x01a", &User{}, "field 3 is not a number"},
		{"a tag that is cut off", "\x22\x02\x0a\x05", &User{}, "field 1 is cut off"},
		{"a number for a tag", "\x20\x01", &User{}, "field 4 is not a text"},
		{"a boundary that is cut off", "\x2a\x02\x0a\x05", &User{}, "field 1 is cut off"},
		{"field number 0", "\x00\x01", &User{}, "field number 0"},
		{"a group", "\x0b", &User{}, "wire type 3"},
		{"a negative count", "\x10" + long + "\x01", &Children{}, "field 2 is no count"},
		{"too high a version", "\x38\x80\x80\x80\x80\x10", &Policy{}, "field 7 is too large"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.into.decode(tt.record)
			require.ErrorIs(t, err, ErrCorrupt)
			require.EqualError(t, err, "identity: corrupt record: "+tt.want)
		})
	}
}

func TestNumbersSurvive(t *testing.T) {
	for _, n := range []uint64{0, 1, 127, 128, 1 << 32, math.MaxUint64} {
		got := Children{}
		require.NoError(t, got.decode(string((&Children{version: n}).encode())))
		require.Equal(t, n, got.version)
	}
	for _, at := range []time.Time{{}, time.Unix(0, 0).UTC(), time.Unix(-1, 0).UTC(), time.Unix(1<<40, 0).UTC()} {
		got := Group{}
		require.NoError(t, got.decode(string((&Group{Created: at}).encode())))
		require.Equal(t, at, got.Created)
	}
}

// FuzzRecord reads anything as every kind of record: what can be read can be
// written and read again.
func FuzzRecord(f *testing.F) {
	for _, r := range records {
		f.Add(string(r.want.encode()))
	}
	f.Fuzz(func(t *testing.T, data string) {
		for _, r := range records {
			first, second := zero(r.want), zero(r.want)
			if err := first.decode(data); err != nil {
				require.ErrorIs(t, err, ErrCorrupt)
				continue
			}
			// The id is in the record of the name index only.
			if id := reflect.ValueOf(first).Elem(); id.Kind() == reflect.Struct && id.FieldByName("ID").IsValid() {
				id.FieldByName("ID").SetString("")
			}
			require.NoError(t, second.decode(string(first.encode())))
			require.Equal(t, first, second)
		}
	})
}

func TestFold(t *testing.T) {
	for name, want := range map[string]string{
		"": "", "alice": "alice", "ALICE": "alice", "aliCe+=,.@-_9Z": "alice+=,.@-_9z", "[`{@": "[`{@", "É": "É",
	} {
		require.Equal(t, want, fold(name))
	}
}

func TestShardsAreUsedEvenly(t *testing.T) {
	uses := map[string]int{}
	for _, c := range alphabetID {
		uses[shard("AIDA"+string(c))]++
	}
	require.Len(t, uses, len(shards))
	for shard, n := range uses {
		require.LessOrEqual(t, n, 3, shard)
	}
}

func TestIDsInTheNameIndex(t *testing.T) {
	const id = "7a0141" // field 15, a text of 1 byte
	written, err := hex.DecodeString(id)
	require.NoError(t, err)
	var user User
	require.NoError(t, user.decode(string(written)))
	require.Equal(t, User{ID: "A"}, user)
	var group Group
	require.NoError(t, group.decode(string(written)))
	require.Equal(t, Group{ID: "A"}, group)
	var policy Policy
	require.NoError(t, policy.decode(string(written)))
	require.Equal(t, Policy{ID: "A"}, policy)
}
