package server

import (
	"context"
	"time"

	"iamserver/runtime/audit"
	"iamserver/runtime/authz"
	"iamserver/runtime/iam"
)

// An Auditor keeps the audit log; *audit.Log is one.
type Auditor interface {
	// Write records a request that has been answered.
	Write(r *audit.Record) error
	// Healthy returns the error of the last write, nil when it succeeded.
	Healthy() error
	// ReportDropped tells of records that were left out to keep the log small.
	ReportDropped() error
}

// auditFails tells whether writes have to be refused because nobody could see
// them in the audit log. The record of the refusal finds out whether it works again.
func (s *Server) auditFails() bool {
	return s.config.Audit != nil && !s.config.AuditContinue && s.config.Audit.Healthy() != nil
}

// audit records the call. The request has been carried out or refused by now,
// and its answer stays what it is: a record that is lost raises the alarm, and
// the next write is refused.
func (c *call) audit(err error) {
	log := c.server.config.Audit
	if log == nil {
		return
	}
	if failure := log.Write(c.record(err)); failure != nil {
		c.server.metrics.audit.Inc()
		c.server.log.Error("a request is not in the audit log", "error", failure, "request", c.id, "action", c.actionName())
	}
}

func (c *call) record(err error) *audit.Record {
	r := &audit.Record{
		UserIdentity:       audit.UserIdentity{Type: "Unknown"},
		EventSource:        c.service.Name + ".amazonaws.com",
		SourceIPAddress:    c.source,
		UserAgent:          c.request.UserAgent(),
		RequestID:          c.id,
		RecipientAccountID: c.server.config.Account,
	}
	if c.auth != nil {
		r.AWSRegion = c.auth.Region
		r.UserIdentity.AccessKeyID = c.auth.AccessKeyID
	}
	if p := c.principal; p != nil {
		r.UserIdentity = userIdentity(p)
	}
	if c.row != nil {
		r.EventName, r.ReadOnly = c.row.Name, c.row.Access.ReadOnly()
	}
	if c.input != nil {
		r.RequestParameters = c.input // its tags are the allow-list
	}
	for _, resource := range c.resources {
		r.Resources = append(r.Resources, audit.Resource{ARN: resource.ARN, AccountID: c.server.config.Account, Type: cloudFormationTypes[resource.Type]})
	}
	r.AdditionalEventData = decisionData(c.denial, c.hooked)
	r.AdditionalEventData = preparationData(r.AdditionalEventData, c.prepared.Plugin, c.prepared.Replacements)
	if err != nil {
		answer := c.answer(err)
		r.ErrorCode, r.ErrorMessage = answer.Code.Name, answer.Message
		r.Refused = c.principal == nil || c.denial != nil
	}
	return r
}

func userIdentity(p *authz.Principal) audit.UserIdentity {
	return audit.UserIdentity{
		Type: p.Type.String(), PrincipalID: p.ID, ARN: p.ARN, AccountID: p.Account, AccessKeyID: p.AccessKeyID, UserName: p.UserName,
	}
}

// decisionData is what the audit log says of a decision, nothing of one that was
// left to the policies and allowed.
func decisionData(denial, hooked *authz.Outcome) map[string]any {
	var data map[string]any
	if denial != nil {
		data, hooked = denialData(denial), denial
	}
	if hooked == nil {
		return data
	}
	said := map[string]string{"plugin": hooked.Word.Plugin, "pluginReason": hooked.Word.Reason, "pluginCode": hooked.Word.Code}
	if hooked.HookFailed != nil {
		said["pluginFailure"] = hooked.HookFailed.Error()
	}
	for key, text := range said {
		if text == "" {
			continue
		}
		if data == nil {
			data = map[string]any{}
		}
		data[key] = text
	}
	return data
}

// preparationData adds what plugins made of what the request stores.
func preparationData(data map[string]any, plugin string, replacements []iam.Replacement) map[string]any {
	if plugin == "" && replacements == nil {
		return data
	}
	if data == nil {
		data = map[string]any{}
	}
	if plugin != "" {
		data["plugin"] = plugin
	}
	if replacements != nil {
		data["policyReplacements"] = replacements
	}
	return data
}

// denialData is what the audit log says of a denial: the reason that the caller
// was told, and what only administrators should know, the statements that decided.
func denialData(denial *authz.Outcome) map[string]any {
	data := map[string]any{"decision": denial.Decision.String(), "resource": denial.Resource, "reason": denial.Reason}
	var statements []map[string]any
	for _, m := range denial.Reasons.Matches {
		statement := map[string]any{"part": m.Part.String(), "policy": m.Source.ID, "index": m.Index, "line": m.Start.Line}
		if m.Sid != "" {
			statement["sid"] = m.Sid
		}
		statements = append(statements, statement)
	}
	if statements != nil {
		data["statements"] = statements
	}
	var lacking []string
	for _, part := range denial.Reasons.Lacking {
		lacking = append(lacking, part.String())
	}
	if lacking != nil {
		data["lacking"] = lacking
	}
	if denial.Reasons.MissingKeys != nil {
		data["missingContextKeys"] = denial.Reasons.MissingKeys
	}
	return data
}

var cloudFormationTypes = map[string]string{
	"user": "AWS::IAM::User", "group": "AWS::IAM::Group", "policy": "AWS::IAM::ManagedPolicy",
}

// reportDroppedEvery is how long the audit log may owe the count of what it left out.
const reportDroppedEvery = time.Minute

func (s *Server) reportDropped(ctx context.Context) {
	tick := time.NewTicker(reportDroppedEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := s.config.Audit.ReportDropped(); err != nil {
				s.log.Error("the audit log does not tell what was left out", "error", err)
			}
		}
	}
}
