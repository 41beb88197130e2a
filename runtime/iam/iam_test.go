package iam_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/generated/iamapi"
	"iamserver/generated/iamerr"
	"iamserver/runtime/action"
	"iamserver/runtime/apierror"
	"iamserver/runtime/arn"
	"iamserver/runtime/authz"
	"iamserver/runtime/awsquery"
	"iamserver/runtime/iam"
	"iamserver/runtime/identity"
	"iamserver/runtime/managed"
	"iamserver/runtime/storage/memory"
	"iamserver/runtime/validate"
)

const (
	account = "123456789012"
	rootKey = "AKIAROOTROOTROOTROOT"
)

var (
	// opened is when the account is created.
	opened = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	// day is when everything else happens.
	day = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
)

// A fixture is the IAM API over an account in memory. What is created gets the
// ids of the function id, in turn.
type fixture struct {
	t       *testing.T
	db      *identity.DB
	random  *counter
	now     time.Time
	quotas  iamapi.Quotas
	managed *managed.Policies            // nil: those that come with the server
	lastUse map[string]identity.LastUsed // not yet stored, by access key id
}

func newFixture(t *testing.T) *fixture {
	f := &fixture{t: t, random: new(counter), now: day, quotas: iamapi.DefaultQuotas(), lastUse: map[string]identity.LastUsed{}}
	db, err := identity.Open(t.Context(), memory.Open(), identity.Config{
		Account: account, Sealer: openSealer{}, Rand: f.random, Now: func() time.Time { return opened },
	})
	require.NoError(t, err)
	f.db = db
	return f
}

// A step is an action and its parameters, as in
// "CreateUser UserName=alice&Path=/x/". It is root's unless it begins with the
// name of a user, or the id of a service account, as in "alice: GetUser".
type step string

func (s step) parse() (caller, form string) {
	caller, call, ok := strings.Cut(string(s), ": ")
	if !ok {
		caller, call = "", string(s)
	}
	name, parameters, _ := strings.Cut(call, " ")
	return caller, strings.TrimSuffix("Action="+name+"&"+parameters, "&")
}

// call does what the server does with a request that is authorized.
func (f *fixture) call(s step) (action.Response, error) {
	caller, text := s.parse()
	form, err := awsquery.Parse(text, awsquery.Limits{})
	require.NoError(f.t, err, s)
	name, _ := form.Get("Action")
	row, ok := iamapi.Table(f.service()).Lookup(name)
	require.True(f.t, ok, s)

	violations := validate.Violations{OmitValues: iamapi.Service.OmitValues}
	request := row.Parse(awsquery.NewDecoder(form, &violations))
	request.Validate(&violations)
	if err := violations.Err(); err != nil {
		return nil, err
	}
	response, err := f.run(row, f.principal(caller), request)
	f.requireDeclared(row.Info, err)
	return response, err
}

func (f *fixture) service() *iam.Service {
	return iam.New(iam.Config{
		Account: account, RootAccessKeyID: rootKey, RootCreated: opened, Quotas: f.quotas, Managed: f.managed,
		Now: func() time.Time { return f.now },
		LastUsed: func(id string) (identity.LastUsed, bool) {
			use, ok := f.lastUse[id]
			return use, ok
		},
	})
}

// run carries out a request; one that writes first once in vain, which must
// leave nothing behind.
func (f *fixture) run(row *action.Row[*iam.Tx], caller *authz.Principal, request action.Request) (response action.Response, err error) {
	handle := func(tx *identity.Tx) error {
		response, err = row.Handle(&iam.Tx{Tx: tx, Caller: caller}, request)
		return err
	}
	if row.Info.Access.ReadOnly() {
		return response, f.db.View(f.t.Context(), handle)
	}
	inVain, drawn := errors.New("in vain"), *f.random
	_, err = f.db.Update(f.t.Context(), func(tx *identity.Tx) error {
		if err := handle(tx); err != nil {
			return err
		}
		return inVain
	})
	if !errors.Is(err, inVain) {
		return nil, err
	}
	*f.random = drawn
	_, err = f.db.Update(f.t.Context(), handle)
	return response, err
}

// requireDeclared fails the test if the specification of the action does not
// have the code of the error.
func (f *fixture) requireDeclared(info *action.Info, err error) {
	if err == nil {
		return
	}
	var known *apierror.Error
	require.ErrorAs(f.t, err, &known)
	common := []string{iamerr.AccessDenied.Name, iamerr.ValidationError.Name}
	require.Contains(f.t, slices.Concat(info.Errors, common), known.Code.Name, "%s answers %v", info.Name, err)
}

// principal returns root, the user with this name, or the service account with
// this id.
func (f *fixture) principal(caller string) *authz.Principal {
	if caller == "" {
		return &authz.Principal{Type: authz.Root, Account: account, ARN: arn.Root(account), ID: account, AccessKeyID: rootKey}
	}
	p := &authz.Principal{Type: authz.User, Account: account}
	require.NoError(f.t, f.db.View(f.t.Context(), func(tx *identity.Tx) (err error) {
		var user *identity.User
		if strings.HasPrefix(caller, "sa:") {
			a, err := tx.ServiceAccount(caller)
			if err != nil {
				return err
			}
			p.Type, p.ID, p.ARN = authz.ServiceAccount, a.ID, arn.ServiceAccount(account, a.ID)
			user, err = tx.UserByID(a.Parent)
			if err != nil {
				return err
			}
		} else {
			if user, err = tx.User(caller); err != nil {
				return err
			}
			p.ID, p.ARN = user.ID, arn.User(account, user.Path, user.Name)
		}
		p.UserID, p.UserName = user.ID, user.Name
		return nil
	}), caller)
	return p
}

// do carries out steps that must succeed and returns the last response.
func (f *fixture) do(steps ...step) (response action.Response) {
	f.t.Helper()
	for _, s := range steps {
		var err error
		response, err = f.call(s)
		require.NoError(f.t, err, s)
	}
	return response
}

// A test is a step and its whole answer, after other steps that succeed: the
// response, or the error as "Code: sentence".
type test struct {
	name  string
	after []step
	step  step
	want  action.Response
	err   string
}

func runTests(t *testing.T, tests []test) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.do(tt.after...)
			f.requireAnswer(tt.step, tt.want, tt.err)
		})
	}
}

// requireAnswer carries out a step and compares its answer.
func (f *fixture) requireAnswer(s step, want action.Response, wantErr string) {
	f.t.Helper()
	response, err := f.call(s)
	if wantErr != "" {
		require.EqualError(f.t, err, wantErr, s)
		return
	}
	require.NoError(f.t, err, s)
	require.Equal(f.t, want, response, s)
}

// id returns the n-th id that is created in a fixture, from 1, with its
// prefix: AIDA, AGPA, ANPA, AKIA or ABIA. A secret counts as well. It knows the
// first 25.
func id(prefix string, n int) string {
	length := 17
	if prefix == "AKIA" || prefix == "ABIA" {
		length = 16
	}
	return prefix + drawn(length, n)
}

// secret returns the n-th of what is created in a fixture as a secret access key.
func secret(n int) iamapi.SecretAccessKey { return iamapi.SecretAccessKey(drawn(40, n)) }

func drawn(length, n int) string { return strings.Repeat("A", length-1) + string(rune('A'+n)) }

// serviceAccountID is the n-th of what is created in a fixture as a service
// account of a user.
func serviceAccountID(user string, n int) string { return fmt.Sprintf("sa:%s:%032x", user, n) }

// A counter gives as random bytes 0 … 0 1, then 0 … 0 2, and so on; after 0 … 0
// 31 comes 0 … 1 0.
type counter int

func (c *counter) Read(b []byte) (int, error) {
	*c++
	clear(b)
	b[len(b)-2], b[len(b)-1] = byte(*c/32), byte(*c%32)
	return len(b), nil
}

// marker is the marker of a page that begins after a position in a list.
func marker(list, position string) *string {
	return new(base64.RawURLEncoding.EncodeToString([]byte(list + position)))
}

// An openSealer only keeps secrets with their owner and id.
type openSealer struct{}

func (openSealer) Seal(secret []byte, owner, accessKeyID string) ([]byte, error) {
	return append([]byte(owner+"/"+accessKeyID+"/"), secret...), nil
}

func (openSealer) Open(sealed []byte, owner, accessKeyID string) ([]byte, error) {
	secret, ok := strings.CutPrefix(string(sealed), owner+"/"+accessKeyID+"/")
	if !ok {
		return nil, errors.New("sealed for another")
	}
	return []byte(secret), nil
}

// secretOf returns the secret access key as it is stored.
func (f *fixture) secretOf(accessKeyID string) (secret string) {
	require.NoError(f.t, f.db.View(context.Background(), func(tx *identity.Tx) error {
		c, err := tx.Credential(accessKeyID)
		if err == nil {
			secret = string(c.Secret)
		}
		return err
	}))
	return secret
}
