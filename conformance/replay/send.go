package replay

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"iamserver/conformance"
)

// serviceS3 is how requests of S3 are signed; those of IAM and STS need not say so.
const serviceS3 = "s3"

// versionSTS is the API version by which requests of STS are told from those of IAM.
const versionSTS = "2011-06-15"

// Sent is a request as it goes out.
type Sent struct {
	request *http.Request
	body    string
}

// Answer is what came back.
type Answer struct {
	status  int
	headers http.Header
	body    []byte
	root    *conformance.Element // nil if the body is no XML
}

// Status is the HTTP status.
func (a *Answer) Status() int { return a.status }

// Body is the body.
func (a *Answer) Body() []byte { return a.body }

func newAnswer(status int, headers http.Header, body []byte) *Answer {
	a := &Answer{status: status, headers: headers, body: body}
	if root, err := conformance.ParseAnswer(body); err == nil {
		a.root = root
	}
	return a
}

// text returns the text of the first element of a name, at any depth.
func (a *Answer) text(name string) string {
	if all := a.all(name); len(all) > 0 {
		return all[0]
	}
	return ""
}

// all returns the texts of the elements of a name, at any depth.
func (a *Answer) all(name string) []string {
	var found []string
	var visit func(*conformance.Element)
	visit = func(e *conformance.Element) {
		if e.Name == name && len(e.Children) == 0 {
			found = append(found, e.Text.String())
		}
		for _, c := range e.Children {
			visit(c)
		}
	}
	if a.root != nil {
		visit(a.root)
	}
	return found
}

func (a *Answer) code() string { return a.text("Code") }

func (a *Answer) show() string { return strconv.Itoa(a.status) + "\n" + string(a.body) }

func (s *Sent) show() string {
	target := s.request.URL.RequestURI()
	if i := strings.Index(target, "X-Amz-Signature="); i >= 0 {
		target = target[:i] + "X-Amz-Signature=…"
	}
	return s.request.Method + " " + target + "\n" + s.body
}

// Request is the request of a step, signed.
func (s *Session) Request(ctx context.Context, step *conformance.Step) (*Sent, error) {
	if n := step.Sign.Replay; n > 0 {
		before := s.sent[n]
		again := before.request.Clone(ctx)
		again.Body = io.NopCloser(strings.NewReader(before.body))
		return &Sent{again, before.body}, nil
	}
	target, err := s.Expand(step.Request.Target, conformance.Percent)
	if err != nil {
		return nil, err
	}
	encode := conformance.Percent
	if step.Sign.Service == serviceS3 {
		encode = nil // the body is an object, or XML
	}
	body, err := s.Expand(step.Request.Body, encode)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, step.Request.Method, strings.TrimSuffix(s.runner.config.Endpoint, "/")+target, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if err := s.setHeaders(request.Header, step.Request.Headers); err != nil {
		return nil, err
	}
	sent := &Sent{request, body}
	if err := s.sign(ctx, sent, &step.Sign); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	s.sent[step.Number] = sent
	return sent, nil
}

func (s *Session) setHeaders(to http.Header, headers []conformance.Header) error {
	for _, h := range headers {
		value, err := s.Expand(h.Value, nil)
		if err != nil {
			return err
		}
		to.Add(h.Name, value)
	}
	return nil
}

// Credentials are those that a step is signed with.
func (s *Session) Credentials(how *conformance.Sign) (Credentials, error) {
	c := s.runner.config.Credentials
	if how.AccessKeyID.Empty() && how.SecretAccessKey.Empty() {
		return c, nil
	}
	var err error
	if !how.AccessKeyID.Empty() {
		if c.AccessKeyID, err = s.Expand(how.AccessKeyID, nil); err != nil {
			return c, err
		}
	}
	if !how.SecretAccessKey.Empty() {
		if c.SecretAccessKey, err = s.Expand(how.SecretAccessKey, nil); err != nil {
			return c, err
		}
	}
	c.SessionToken, err = s.Expand(how.SessionToken, nil)
	return c, err
}

func (s *Session) sign(ctx context.Context, sent *Sent, how *conformance.Sign) error {
	if how.None {
		return nil
	}
	credentials, err := s.Credentials(how)
	if err != nil {
		return err
	}
	config := &s.runner.config
	region, service := config.Region, serviceOf(sent)
	if how.Region != "" {
		region = how.Region
	}
	if how.Service != "" {
		service = how.Service
	}
	at := config.Now().Add(config.Profile.clock() + how.Clock)
	if err := sign(ctx, sent, credentials, service, region, at, how.Presign); err != nil {
		return err
	}
	if !how.Authorization.Empty() {
		value, err := s.Expand(how.Authorization, nil)
		if err != nil {
			return err
		}
		sent.request.Header.Set("Authorization", value)
	}
	if !how.Tampered.Empty() {
		if sent.body, err = s.Expand(how.Tampered, conformance.Percent); err != nil {
			return err
		}
		sent.request.Body = io.NopCloser(strings.NewReader(sent.body))
		sent.request.ContentLength = int64(len(sent.body))
	}
	return s.setHeaders(sent.request.Header, how.Unsigned)
}

func serviceOf(sent *Sent) string {
	if strings.Contains(sent.body, "Version="+versionSTS) || strings.Contains(sent.request.URL.RawQuery, "Version="+versionSTS) {
		return "sts"
	}
	return "iam"
}

func sign(ctx context.Context, sent *Sent, c Credentials, service, region string, at time.Time, presign time.Duration) error {
	sum := sha256.Sum256([]byte(sent.body))
	hash := hex.EncodeToString(sum[:])
	credentials := aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = service == serviceS3 })
	if presign == 0 {
		if service == serviceS3 {
			sent.request.Header.Set("X-Amz-Content-Sha256", hash)
		}
		return signer.SignHTTP(ctx, credentials, sent.request, hash, service, region, at)
	}
	if service == serviceS3 {
		hash = "UNSIGNED-PAYLOAD"
	}
	query := sent.request.URL.Query()
	query.Set("X-Amz-Expires", strconv.Itoa(int(presign.Seconds())))
	sent.request.URL.RawQuery = query.Encode()
	signed, _, err := signer.PresignHTTP(ctx, credentials, sent.request, hash, service, region, at)
	if err != nil {
		return err
	}
	sent.request.URL, err = sent.request.URL.Parse(signed)
	return err
}

// maxAnswer is the longest answer that is read, in bytes.
const maxAnswer = 2 << 20

// Send sends a request and takes note of what it made.
func (s *Session) Send(sent *Sent) (*Answer, error) {
	answer, err := s.runner.send(sent)
	status := 0
	if answer != nil {
		status = answer.status
	}
	s.made.note(s.runner.account, sent.request.Method, sent.request.URL.RequestURI(), sent.body, status, answer)
	return answer, err
}

func (r *Runner) send(sent *Sent) (*Answer, error) {
	response, err := r.config.Client.Do(sent.request)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if closed := response.Body.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("the answer has more than %d bytes", maxAnswer)
	}
	return newAnswer(response.StatusCode, response.Header, body), nil
}

// call carries out an action as the caller, outside of any case.
func (r *Runner) call(ctx context.Context, action string, parameters ...string) (*Answer, error) {
	var b bytes.Buffer
	b.WriteString("Action=" + action)
	version := true
	for i := 0; i+1 < len(parameters); i += 2 {
		b.WriteString("&" + parameters[i] + "=" + conformance.Percent(parameters[i+1]))
		version = version && parameters[i] != "Version"
	}
	if version {
		b.WriteString("&Version=2010-05-08")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(r.config.Endpoint, "/")+"/", strings.NewReader(b.String()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", conformance.FormType)
	sent := &Sent{request, b.String()}
	return r.sendAs(ctx, sent, serviceOf(sent))
}

// callS3 sends a request of S3 without a body as the caller, outside of any case.
func (r *Runner) callS3(ctx context.Context, method, target string) (*Answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(r.config.Endpoint, "/")+target, http.NoBody)
	if err != nil {
		return nil, err
	}
	return r.sendAs(ctx, &Sent{request, ""}, serviceS3)
}

// sendAs sends a request signed by the caller.
func (r *Runner) sendAs(ctx context.Context, sent *Sent, service string) (*Answer, error) {
	at := r.config.Now().Add(r.config.Profile.clock())
	if err := sign(ctx, sent, r.config.Credentials, service, r.config.Region, at, 0); err != nil {
		return nil, err
	}
	return r.send(sent)
}
