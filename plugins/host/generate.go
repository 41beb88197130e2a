package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"iamserver/generated/pluginapi"
	"iamserver/plugins/wire"
)

// entropyBytes are how many random bytes each question to a generator holds.
const entropyBytes = 64

// attempts are how often a generator is asked that makes ids which exist.
const attempts = 3

// A Key is what a generator made.
type Key struct {
	AccessKeyID string
	// Secret is nil unless the operator lets the plugin make secrets and it
	// made one. The caller wipes it.
	Secret wire.Secret
	Plugin string
}

// A keyShape is what access key ids look like.
type keyShape struct {
	prefix, charset string
	least, most     int
}

// Bounds of AWS for access key ids, which callers and tools rely on.
const (
	leastKeyID = 16
	mostKeyID  = 128
)

const (
	digitsAndCapitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	wordCharacters    = digitsAndCapitals + "abcdefghijklmnopqrstuvwxyz_"
)

func shapeOf(s *pluginapi.KeyShape) (keyShape, error) {
	if s == nil {
		s = &pluginapi.KeyShape{}
	}
	shape := keyShape{s.Prefix, s.Charset, int(s.MinLength), int(s.MaxLength)}
	or(&shape.charset, digitsAndCapitals)
	or(&shape.least, leastKeyID)
	or(&shape.most, mostKeyID)
	for _, text := range []string{shape.prefix, shape.charset} {
		if strings.Trim(text, wordCharacters) != "" {
			return keyShape{}, fmt.Errorf("the plugin's key shape: %q has other characters than letters, digits and _", printable([]byte(text)))
		}
	}
	if shape.least < leastKeyID || shape.most > mostKeyID || shape.least > shape.most || len(shape.prefix) >= shape.least {
		return keyShape{}, fmt.Errorf("the plugin's key shape: from %d to %d characters with a prefix of %d; ids have %d to %d", shape.least, shape.most, len(shape.prefix), leastKeyID, mostKeyID)
	}
	return shape, nil
}

var errShape = errors.New("the access key id does not have the shape that the generator declares")

// check refuses ids of another shape. The error does not quote the id.
func (s keyShape) check(id string) error {
	rest, ok := strings.CutPrefix(id, s.prefix)
	if !ok || len(id) < s.least || len(id) > s.most || strings.Trim(rest, s.charset) != "" {
		return errShape
	}
	return nil
}

// Bounds of secrets: what a signature needs, and what a header holds.
const (
	leastSecret = 32
	mostSecret  = 128
)

func checkSecret(secret wire.Secret) error {
	if len(secret) < leastSecret || len(secret) > mostSecret {
		return fmt.Errorf("the secret has %d bytes; it must have %d to %d", len(secret), leastSecret, mostSecret)
	}
	for _, c := range secret {
		if c <= ' ' || c > '~' {
			return errors.New("the secret has other characters than visible ASCII")
		}
	}
	return nil
}

// generate asks an instance of its own, which is closed afterwards: a key that
// an instance made stays in no memory.
func (m *Module) generate(ctx context.Context, req *pluginapi.GenerateAccessKeyRequest) (Key, error) {
	if m.breaker.open(m.host.now) {
		return Key{}, m.fail(GenerateAccessKey, Broken, errOpen)
	}
	began := m.host.now()
	i, class, err := m.begin(ctx, true)
	if err != nil {
		return Key{}, m.fail(GenerateAccessKey, class, err)
	}
	defer m.end(ctx, i, false)
	key, class, err := m.askGenerator(ctx, i, req)
	if err != nil {
		return Key{}, m.fail(GenerateAccessKey, class, err)
	}
	m.observe(GenerateAccessKey, "key", i, m.limits.budget(GenerateAccessKey), began)
	return key, nil
}

// askGenerator asks an instance once, with entropy of its own.
func (m *Module) askGenerator(ctx context.Context, i *instance, req *pluginapi.GenerateAccessKeyRequest) (Key, Class, error) {
	entropy := make(wire.Secret, entropyBytes)
	defer entropy.Wipe()
	if _, err := io.ReadFull(m.host.random, entropy); err != nil {
		return Key{}, Unavailable, fmt.Errorf("entropy: %w", err)
	}
	b := m.limits.budget(GenerateAccessKey)
	own := *req
	own.Entropy = entropy
	// Growing would leave copies of the entropy behind.
	i.encoded = make([]byte, 0, own.Size())
	i.encoded = own.Append(i.encoded)
	if len(i.encoded) > b.input {
		return Key{}, TooMuchInput, &tooLongError{"question", len(i.encoded), b.input}
	}
	i.allow(ctx, b, "", m.host.now())
	defer func() { clear(i.answer[:cap(i.answer)]); clear(i.encoded) }()
	if class, err := i.ask(GenerateAccessKey, b); err != nil {
		return Key{}, class, err
	}
	var answer pluginapi.GenerateAccessKeyResponse
	if err := i.decode(&answer, false); err != nil {
		return Key{}, BadOutput, err
	}
	if err := m.checkKey(&answer); err != nil {
		answer.SecretAccessKey.Wipe()
		return Key{}, BadAnswer, err
	}
	return Key{strings.Clone(answer.AccessKeyId), answer.SecretAccessKey, m.config.Name}, "", nil
}

func (m *Module) checkKey(answer *pluginapi.GenerateAccessKeyResponse) error {
	if err := m.shape.check(answer.AccessKeyId); err != nil {
		return err
	}
	switch {
	case len(answer.SecretAccessKey) == 0:
		return nil
	case m.config.SecretSource != SecretFromPlugin:
		return errors.New("the plugin made a secret, which the configuration does not let it (secret_source)")
	case bytes.Contains(answer.SecretAccessKey, []byte(answer.AccessKeyId)):
		return errors.New("the secret holds the access key id")
	default:
		return checkSecret(answer.SecretAccessKey)
	}
}

// testGenerator finds generators that make the same key twice, be it because
// they ignore the entropy or because they count: two instances make two keys
// each. The caller has its turn.
func (m *Module) testGenerator(ctx context.Context) error {
	ids, secrets := map[string]bool{}, map[string]bool{}
	for range 2 {
		i, _, err := m.open(ctx)
		if err != nil {
			return err
		}
		for range 2 {
			key, class, err := m.askGenerator(ctx, i, &pluginapi.GenerateAccessKeyRequest{Account: "000000000000", UserName: "self-test", Path: "/"})
			if err != nil {
				m.discard(ctx, i)
				return fmt.Errorf("self-test: %w", &PluginError{m.config.Name, GenerateAccessKey, class, err})
			}
			again := ids[key.AccessKeyID] || len(key.Secret) > 0 && secrets[string(key.Secret)]
			ids[key.AccessKeyID], secrets[string(key.Secret)] = true, true
			key.Secret.Wipe()
			if again {
				m.discard(ctx, i)
				return errors.New("self-test: the generator made the same key from different entropy")
			}
		}
		m.discard(ctx, i)
	}
	return nil
}
