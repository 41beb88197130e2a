package host

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"iamserver/generated/pluginapi"
)

// A Verdict is what plugins say about a request. The zero value abstains.
type Verdict struct {
	Effect pluginapi.Effect
	Plugin string // whose word it is
	Reason string // for logs; the client never sees it
	Code   string
}

// Values gives the values of a condition key. There is no ok where the request
// does not have it, and an error where that cannot be told: then nobody is asked,
// and the request is denied.
type Values func(key string) (values []string, ok bool, err error)

// interested tells whether the module is to be asked about a request.
func (m *Module) interested(action, resource, principalType string, engine pluginapi.EngineDecision) bool {
	switch engine {
	case pluginapi.EngineDecisionAllowed:
	case pluginapi.EngineDecisionImplicitDeny:
		if !m.config.MayGrant {
			return false // it could only deny what is denied
		}
	default:
		return false // an explicit Deny always wins
	}
	if principalType == "Root" && !m.config.IncludeRoot && strings.HasPrefix(action, "iam:") {
		return false
	}
	return m.filters[0].matches(action, resource, principalType) && m.filters[1].matches(action, resource, principalType)
}

// wants tells whether the plugin asked for a condition key.
func (m *Module) wants(key string) bool {
	for _, k := range m.contextKeys {
		if strings.EqualFold(k, key) {
			return true
		}
	}
	return false
}

// authorizeWith asks the module about a request with the condition keys that it
// asked for.
func (m *Module) authorizeWith(ctx context.Context, req *pluginapi.AuthorizeRequest, values Values) (Verdict, error) {
	if values == nil || len(m.contextKeys) == 0 {
		return m.authorize(ctx, req)
	}
	own := *req
	own.Context = nil
	for _, key := range m.contextKeys {
		held, ok, err := values(key)
		if err != nil {
			// The plugin is not to blame, so on_error does not count.
			return m.failed(), m.fail(Authorize, Unavailable, fmt.Errorf("the condition key %s: %w", key, err))
		}
		if ok {
			own.Context = append(own.Context, pluginapi.ContextEntry{Key: key, Values: held})
		}
	}
	return m.authorize(ctx, &own)
}

// failed is the verdict where a plugin could not be asked.
func (m *Module) failed() Verdict {
	return Verdict{Effect: pluginapi.EffectDeny, Plugin: m.config.Name, Code: "plugin_failure"}
}

// authorize asks the module. An error is a PluginError, and then the verdict is
// what on_error says.
func (m *Module) authorize(ctx context.Context, req *pluginapi.AuthorizeRequest) (Verdict, error) {
	v, class, err := m.askAuthorize(ctx, req)
	if err == nil {
		return v, nil
	}
	failure := m.fail(Authorize, class, err)
	if m.config.OnError == OnErrorAbstain && !class.callers() {
		return Verdict{}, failure
	}
	return m.failed(), failure
}

func (m *Module) askAuthorize(ctx context.Context, req *pluginapi.AuthorizeRequest) (Verdict, Class, error) {
	if m.breaker.open(m.host.now) {
		return Verdict{}, Broken, errOpen
	}
	began := m.host.now()
	pooled := m.config.Isolation != Fresh
	i, class, err := m.begin(ctx, !pooled)
	if err != nil {
		return Verdict{}, class, err
	}
	b := m.limits.budget(Authorize)
	i.encodeAuthorize(m, req)
	if len(i.encoded) > b.input {
		m.end(ctx, i, pooled)
		return Verdict{}, TooMuchInput, &tooLongError{"question", len(i.encoded), b.input}
	}
	i.allow(ctx, b, req.RequestId, m.host.now())
	class, err = i.ask(Authorize, b)
	if err != nil {
		m.end(ctx, i, false)
		return Verdict{}, class, err
	}
	answer := &i.verdict
	*answer = pluginapi.AuthorizeResponse{}
	if err := i.decode(answer, false); err != nil {
		m.end(ctx, i, false)
		return Verdict{}, BadOutput, err
	}
	if !answer.Effect.Known() {
		m.end(ctx, i, false)
		return Verdict{}, BadAnswer, &unknownError{"effect", answer.Effect.String()}
	}
	m.observe(Authorize, answer.Effect.String(), i, b, began)
	v := Verdict{Effect: answer.Effect}
	if v.Effect != pluginapi.EffectAbstain {
		// The instance keeps the memory of the answer.
		v.Plugin, v.Reason, v.Code = m.config.Name, printable([]byte(answer.Reason)), printable([]byte(answer.Code))
	}
	if v.Effect == pluginapi.EffectAllow && !m.config.MayGrant {
		v = Verdict{}
	}
	m.end(ctx, i, pooled)
	return v, "", nil
}

// An unknownError says that an answer has a value that the interface has not.
type unknownError struct{ what, value string }

func (e *unknownError) Error() string { return "there is no " + e.what + " " + e.value }

// encodeAuthorize writes the request with the condition keys that the plugin
// asked for, and no others.
func (i *instance) encodeAuthorize(m *Module, req *pluginapi.AuthorizeRequest) {
	own := *req
	i.entries = i.entries[:0]
	for _, e := range req.Context {
		if m.wants(e.Key) {
			i.entries = append(i.entries, pluginapi.ContextEntry{Key: e.Key, Values: validTexts(e.Values)})
		}
	}
	own.Context = i.entries
	own.Resource, own.UserAgent = validText(own.Resource), validText(own.UserAgent)
	own.MatchedStatementIds = validTexts(own.MatchedStatementIds)
	i.encoded = own.Append(i.encoded[:0])
}

// validText puts U+FFFD in the place of what is not UTF-8. Clients may say
// anything, and a guest may refuse a string that is none: the failure would be
// the plugin's, and a few of them close its breaker for everybody.
func validText(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// validTexts does so for several. It copies them only if it has to.
func validTexts(texts []string) []string {
	for k, s := range texts {
		if utf8.ValidString(s) {
			continue
		}
		texts = slices.Clone(texts)
		for ; k < len(texts); k++ {
			texts[k] = validText(texts[k])
		}
		return texts
	}
	return texts
}
