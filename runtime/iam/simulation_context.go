package iam

import (
	"encoding/base64"
	"net/netip"
	"strconv"
	"strings"

	"iamserver/generated/iamapi"
	"iamserver/generated/iamerr"
	"iamserver/runtime/action"
	"iamserver/runtime/arn"
	"iamserver/runtime/policy"
)

// contextOf reads the condition keys of simulated requests.
func contextOf(entries []iamapi.ContextEntry) (policy.Values, error) {
	values := policy.Values{}
	for i := range entries {
		e := &entries[i]
		form, many := strings.CutSuffix(action.Value(e.ContextKeyType), "List")
		if e.ContextKeyType == nil {
			form, many = iamapi.ContextKeyTypeString, len(e.ContextKeyValues) != 1
		}
		if action.Value(e.ContextKeyName) == "" || !many && len(e.ContextKeyValues) != 1 {
			return nil, iamerr.ContextEntryNotValid(action.Value(e.ContextKeyName))
		}
		key := policy.ParseKey(*e.ContextKeyName)
		if given := values.Value(&key); given.Present() {
			return nil, iamerr.ContextEntryTwice(*e.ContextKeyName)
		}
		texts := make([]string, len(e.ContextKeyValues))
		for j, text := range e.ContextKeyValues {
			value, ok := contextValue(form, text)
			if !ok {
				return nil, iamerr.ContextEntryNotValid(action.Value(e.ContextKeyName))
			}
			texts[j] = value
		}
		if many {
			values[*e.ContextKeyName] = policy.List(texts)
		} else {
			values[*e.ContextKeyName] = policy.Text(texts[0])
		}
	}
	return values, nil
}

// contextValue checks a value of a form, and returns its text: that of a binary
// one is what its base64 stands for. Dates are not checked: each operator reads
// its own.
func contextValue(form, text string) (string, bool) {
	var err error
	switch form {
	case iamapi.ContextKeyTypeNumeric:
		_, err = strconv.ParseFloat(text, 64)
	case iamapi.ContextKeyTypeBoolean:
		return text, strings.EqualFold(text, "true") || strings.EqualFold(text, "false")
	case iamapi.ContextKeyTypeIp:
		_, err = netip.ParseAddr(text)
	case iamapi.ContextKeyTypeBinary:
		var raw []byte
		raw, err = base64.StdEncoding.DecodeString(text)
		text = string(raw)
	}
	return text, err == nil
}

// addPrincipalKeys adds what is known of the caller, unless the request says
// otherwise: policies that name the caller by a variable would otherwise be about
// nobody.
func (m *simulation) addPrincipalKeys() {
	if m.caller == "" {
		return
	}
	named, err := arn.ParseEntity(m.caller, m.account)
	if err != nil {
		return
	}
	add := func(name, value string) {
		key := policy.ParseKey(name)
		if given := m.context.Value(&key); !given.Present() {
			m.context[name] = policy.Text(value)
		}
	}
	add("aws:PrincipalArn", named.String())
	add("aws:PrincipalAccount", named.Account)
	if named.Type == arn.TypeUser {
		add("aws:PrincipalType", "User")
		add("aws:username", named.Name)
	}
	if named.Type == arn.TypeRole {
		add("aws:PrincipalType", "AssumedRole")
	}
	if m.user == nil {
		return
	}
	add("aws:userid", m.user.ID)
	for _, tag := range m.user.Tags {
		add("aws:PrincipalTag/"+tag.Key, tag.Value)
	}
}
