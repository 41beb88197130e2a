package iam_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/generated/iamapi"
	"iamserver/generated/iamerr"
	"iamserver/generated/pluginapi"
	"iamserver/runtime/action"
	"iamserver/runtime/awsquery"
	"iamserver/runtime/iam"
	"iamserver/runtime/identity"
	"iamserver/runtime/validate"
)

const harmless = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}`

// A plugin says the same to everything and keeps what it was asked.
type plugin struct {
	validation iam.Validation
	key        iam.Key
	supplied   error
	err        error

	documents []pluginapi.ValidatePolicyRequest
	keys      []pluginapi.GenerateAccessKeyRequest
}

func (*plugin) Validates() bool { return true }

func (p *plugin) ValidatePolicy(_ context.Context, req *pluginapi.ValidatePolicyRequest, check func([]byte) error) (iam.Validation, error) {
	p.documents = append(p.documents, *req)
	v := p.validation
	if v.Document == nil {
		v.Document = req.Document
	} else if err := check(v.Document); err != nil {
		return iam.Validation{}, err
	}
	return v, p.err
}

func (*plugin) Generates() bool { return true }

func (p *plugin) GenerateAccessKey(_ context.Context, req *pluginapi.GenerateAccessKeyRequest, exists func(string) (bool, error)) (iam.Key, error) {
	p.keys = append(p.keys, *req)
	if p.err != nil {
		return iam.Key{}, p.err
	}
	taken, err := exists(p.key.AccessKeyID)
	if err == nil && taken {
		err = errors.New("it exists")
	}
	return p.key, err
}

func (p *plugin) CheckSupplied(string) error { return p.supplied }

// prepare prepares a request of alice about alice.
func prepare(t *testing.T, p *plugin, request action.Request) (iam.Preparation, error) {
	t.Helper()
	s := iam.New(iam.Config{Account: account, RootAccessKeyID: rootKey, Quotas: iamapi.DefaultQuotas(), Validator: p, Generator: p})
	return s.Prepare(t.Context(), request, iam.Occasion{
		Caller: "arn:aws:iam::" + account + ":user/bob", Target: "arn:aws:iam::" + account + ":user/staff/alice",
		Taken: func(id string) (bool, error) { return id == "AKIATAKENTAKENTAKENT", nil },
	})
}

// Every action that stores a policy document asks, with the document in each of
// the members that hold one; a refusal is the answer, and a replacement is what the
// handler gets.
func TestEveryDocumentIsValidated(t *testing.T) {
	var asking []string
	for _, row := range iamapi.Table((*iam.Service)(nil)).Rows() {
		if row.Info.Access.ReadOnly() {
			continue
		}
		form, err := awsquery.Parse("Action="+row.Info.Name, awsquery.Limits{})
		require.NoError(t, err)
		request := row.Parse(awsquery.NewDecoder(form, new(validate.Violations)))
		members := documents(reflect.ValueOf(request).Elem())
		for i, member := range members {
			name := row.Info.Name
			require.Len(t, members, 1, "%s has several documents: %d", name, i)
			set(member, harmless)
			p := &plugin{validation: iam.Validation{Findings: []pluginapi.Finding{{Path: "Statement", Message: "No."}, {Message: "Really."}}, Plugin: "rules"}}
			prepared, err := prepare(t, p, request)
			require.Equal(t, iamerr.MalformedPolicy("Statement: No. Really."), err, name)
			require.Equal(t, "rules", prepared.Plugin, name)
			require.Len(t, p.documents, 1, name)
			require.Equal(t, "iam:"+name, p.documents[0].Operation)
			require.Equal(t, []byte(harmless), p.documents[0].Document)

			other := strings.Replace(harmless, "s3:GetObject", "s3:PutObject", 1)
			replaced := []iam.Replacement{{Plugin: "rules", Before: "a", After: "b"}}
			p = &plugin{validation: iam.Validation{Document: []byte(other), Replacements: replaced}, key: iam.Key{AccessKeyID: "ACMEACMEACMEACMEACME"}}
			prepared, err = prepare(t, p, request)
			require.NoError(t, err, name)
			require.Equal(t, replaced, prepared.Replacements)
			require.Equal(t, other, get(documents(reflect.ValueOf(prepared.Request).Elem())[0]), name)
			require.Equal(t, []byte(harmless), []byte(get(member)), "the request stays what the caller sent")

			_, err = prepare(t, &plugin{validation: iam.Validation{Document: []byte(`{"a":1}`)}}, request)
			require.ErrorContains(t, err, "validate the policy of iam:"+name+": ", "a replacement is checked")
			failure := errors.New("it trapped")
			_, err = prepare(t, &plugin{err: failure}, request)
			require.ErrorIs(t, err, failure)

			set(member, "{")
			p = &plugin{key: iam.Key{AccessKeyID: "ACMEACMEACMEACMEACME"}}
			prepared, err = prepare(t, p, request)
			require.NoError(t, err, "the handler refuses it")
			require.Empty(t, p.documents)
			require.Equal(t, "{", get(documents(reflect.ValueOf(prepared.Request).Elem())[0]))
			asking = append(asking, name)
		}
	}
	require.Subset(t, asking, []string{
		"PutUserPolicy", "PutGroupPolicy", "CreatePolicy", "CreatePolicyVersion", "CreateServiceAccount", "UpdateServiceAccount",
	})
}

// documents are the members of a request that hold a policy document.
func documents(request reflect.Value) (members []reflect.Value) {
	for i := range request.NumField() {
		if name := request.Type().Field(i).Name; name == "Policy" || strings.HasSuffix(name, "PolicyDocument") {
			members = append(members, request.Field(i))
		}
	}
	return members
}

func set(member reflect.Value, text string) {
	if member.Kind() == reflect.Pointer {
		member.Set(reflect.ValueOf(&text))
	} else {
		member.SetString(text)
	}
}

func get(member reflect.Value) string { return reflect.Indirect(member).String() }

func TestValidatorIsToldWhere(t *testing.T) {
	p := &plugin{}
	_, err := prepare(t, p, &iamapi.CreatePolicyVersionRequest{PolicyArn: "arn:aws:iam::123456789012:policy/x/readers", PolicyDocument: harmless})
	require.NoError(t, err)
	require.Equal(t, []pluginapi.ValidatePolicyRequest{{
		Operation: "iam:CreatePolicyVersion", Document: []byte(harmless), Principal: "arn:aws:iam::123456789012:user/bob",
		TargetArn: "arn:aws:iam::123456789012:user/staff/alice", PolicyName: "readers", Account: account,
	}}, p.documents)
}

func TestGeneratorIsAsked(t *testing.T) {
	p := &plugin{key: iam.Key{AccessKeyID: "ACMEACMEACMEACMEACME", Secret: []byte("made by a plugin"), Plugin: "keys"}}
	prepared, err := prepare(t, p, &iamapi.CreateAccessKeyRequest{})
	require.NoError(t, err)
	require.Equal(t, iam.Preparation{Key: &p.key, Plugin: "keys"}, prepared)
	require.Equal(t, []pluginapi.GenerateAccessKeyRequest{{Account: account, UserName: "alice", Path: "/staff/"}}, p.keys, "entropy is the host's")
	prepared.Wipe()
	require.Equal(t, make([]byte, 16), p.key.Secret)

	_, err = prepare(t, p, &iamapi.CreateServiceAccountRequest{})
	require.NoError(t, err)
	require.Equal(t, pluginapi.PurposeServiceAccount, p.keys[1].Purpose)
	require.Empty(t, p.documents, "there is no document")

	for _, tt := range []struct {
		name, id, message string
	}{
		{"an id of temporary credentials", "ASIAACMEACMEACMEACME", "generate an access key: the generator made an id that begins with ASIA or ABIA, which are kept for temporary credentials and service accounts"},
		{"an id of service accounts", "ABIAACMEACMEACMEACME", "generate an access key: the generator made an id that begins with ASIA or ABIA, which are kept for temporary credentials and service accounts"},
		{"root's id", rootKey, "generate an access key: it exists"},
		{"an id that is taken", "AKIATAKENTAKENTAKENT", "generate an access key: it exists"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := prepare(t, &plugin{key: iam.Key{AccessKeyID: tt.id}}, &iamapi.CreateAccessKeyRequest{})
			require.EqualError(t, err, tt.message)
		})
	}
}

// A supplied key is none of the generator's business but for its id.
func TestSuppliedKeyIsChecked(t *testing.T) {
	p := &plugin{supplied: errors.New("it is not ours")}
	request := &iamapi.CreateAccessKeyRequest{AccessKeyId: new("chosen"), SecretAccessKey: new(iamapi.SecretAccessKey("a secret"))}
	_, err := prepare(t, p, request)
	require.Equal(t, iamerr.SuppliedKeyRefused("it is not ours"), err)
	p.supplied = nil
	prepared, err := prepare(t, p, request)
	require.NoError(t, err)
	require.Equal(t, iam.Preparation{}, prepared)
	require.Empty(t, p.keys)
}

// A handler that finds a generator, but no key, makes none itself.
func TestNoKeyWithoutTheGenerator(t *testing.T) {
	f := newFixture(t)
	_, err := f.call("CreateUser UserName=alice")
	require.NoError(t, err)
	s := iam.New(iam.Config{Account: account, Quotas: f.quotas, Now: func() time.Time { return day }, Generator: &plugin{}})
	_, err = f.db.Update(t.Context(), func(tx *identity.Tx) error {
		_, err := s.CreateAccessKey(&iam.Tx{Tx: tx, Caller: f.principal("")}, &iamapi.CreateAccessKeyRequest{UserName: new("alice")})
		require.ErrorIs(t, err, iam.ErrAskAgain)
		_, err = s.CreateServiceAccount(&iam.Tx{Tx: tx, Caller: f.principal("")}, &iamapi.CreateServiceAccountRequest{ParentUser: "alice"})
		require.ErrorIs(t, err, iam.ErrAskAgain)
		return nil
	})
	require.NoError(t, err)
}
