package iam

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"iamserver/generated/iamapi"
	"iamserver/generated/iamerr"
	"iamserver/generated/reference"
	"iamserver/runtime/action"
	"iamserver/runtime/arn"
	"iamserver/runtime/identity"
	"iamserver/runtime/policy"
)

// A page of a simulation has at least one action, and no more actions than make
// this many decisions and show this many statements and condition keys in all. Nor does it take more
// than maxWork steps: part of a second.
const (
	maxEvaluations = 1_000
	maxShown       = 100_000
	maxWork        = 10 * policy.MaxWork
)

// SimulateCustomPolicy decides requests by the policies that it is given.
func (s *Service) SimulateCustomPolicy(_ *Tx, req *iamapi.SimulateCustomPolicyRequest) (*iamapi.SimulateCustomPolicyResponse, error) {
	m := &simulation{
		account: s.config.Account, actions: req.ActionNames, resources: req.ResourceArns,
		owner: action.Value(req.ResourceOwner), caller: action.Value(req.CallerArn),
	}
	if err := m.take(req.PolicyInputList, req.PermissionsBoundaryPolicyInputList, req.ResourcePolicy, req.ContextEntries); err != nil {
		return nil, err
	}
	page, marker, err := m.page(req.Marker, int(req.MaxItems))
	return &iamapi.SimulateCustomPolicyResponse{EvaluationResults: page, IsTruncated: marker != nil, Marker: marker}, err
}

// SimulatePrincipalPolicy decides requests by the policies of a user with its
// groups, or of a group, and by those that it is given.
func (s *Service) SimulatePrincipalPolicy(tx *Tx, req *iamapi.SimulatePrincipalPolicyRequest) (*iamapi.SimulatePrincipalPolicyResponse, error) {
	source, err := s.policySource(tx, req.PolicySourceArn)
	if err != nil {
		return nil, err
	}
	if source.missing != "" {
		return nil, iamerr.AttachedPolicyMissing(source.missing)
	}
	m := &simulation{
		account: s.config.Account, actions: req.ActionNames, resources: req.ResourceArns,
		owner: action.Value(req.ResourceOwner), caller: cmp.Or(action.Value(req.CallerArn), source.caller()),
		identity: source.policies, boundary: source.boundary,
	}
	if source.user != nil && m.caller == source.caller() {
		m.user = source.user
	}
	if err := m.take(req.PolicyInputList, req.PermissionsBoundaryPolicyInputList, req.ResourcePolicy, req.ContextEntries); err != nil {
		return nil, err
	}
	page, marker, err := m.page(req.Marker, int(req.MaxItems))
	return &iamapi.SimulatePrincipalPolicyResponse{EvaluationResults: page, IsTruncated: marker != nil, Marker: marker}, err
}

// A simulation is policies, and the requests that they are asked about.
type simulation struct {
	account            string // of the server
	actions, resources []string
	owner, caller      string // as given; may be empty
	user               *identity.User
	identity           []simulatedPolicy
	boundary           []simulatedPolicy // nil for none
	resource           []simulatedPolicy
	context            policy.Values

	principal policy.Principal
	policies  policy.Policies
	compiled  []simulatedPolicy // by the numbers that they are compiled with
	work      int               // of all requests together
}

// A simulatedPolicy is a policy with its text, in which its statements have places.
type simulatedPolicy struct {
	source   policy.Source
	kind     policy.Kind
	text     string
	document *policy.Document
	places   []place // of the statements, once asked for
}

// take adds what a request gives, and checks it.
func (m *simulation) take(identities, boundaries []string, resourcePolicy *string, entries []iamapi.ContextEntry) error {
	if len(boundaries) > 1 {
		return iamerr.BoundariesTooMany()
	}
	given, err := inputs("PolicyInputList", identities)
	if err != nil {
		return err
	}
	m.identity = append(m.identity, given...)
	if len(boundaries) > 0 {
		if m.boundary, err = inputs("PermissionsBoundaryPolicyInputList", boundaries); err != nil {
			return err
		}
	}
	if resourcePolicy != nil {
		if m.caller == "" {
			return iamerr.CallerArnRequired()
		}
		p, err := input("ResourcePolicy", policy.Source{ID: "ResourcePolicy", Type: policy.SourceResource}, policy.ResourcePolicy, *resourcePolicy)
		if err != nil {
			return err
		}
		m.resource = []simulatedPolicy{p}
	}
	if err := m.checkRequests(); err != nil {
		return err
	}
	if err := m.takeCaller(); err != nil {
		return err
	}
	m.context, err = contextOf(entries)
	if err != nil {
		return err
	}
	m.addPrincipalKeys()
	m.compile()
	return nil
}

// inputs reads the policies of a parameter, which are called after it.
func inputs(parameter string, texts []string) ([]simulatedPolicy, error) {
	all := make([]simulatedPolicy, len(texts))
	for i, text := range texts {
		name := parameter + "." + strconv.Itoa(i+1)
		p, err := input(name, policy.Source{ID: name, Type: policy.SourceNone}, policy.InlinePolicy, text)
		if err != nil {
			return nil, err
		}
		all[i] = p
	}
	return all, nil
}

func input(parameter string, source policy.Source, kind policy.Kind, text string) (simulatedPolicy, error) {
	document, err := policy.Parse(text)
	if err == nil && kind != policy.ResourcePolicy { // for which each service has rules of its own
		err = document.Validate(kind)
	}
	if err != nil {
		return simulatedPolicy{}, iamerr.PolicyInputMalformed(parameter, err.Error())
	}
	return simulatedPolicy{source: source, kind: kind, text: text, document: document}, nil
}

// checkRequests checks actions and resources. Whether they exist does not matter.
func (m *simulation) checkRequests() error {
	for _, name := range m.actions {
		service, rest, ok := strings.Cut(name, ":")
		if !ok || service == "" || rest == "" || strings.ContainsAny(name, "*? \t\r\n") || strings.Contains(rest, ":") {
			return iamerr.ActionNameNotValid(name)
		}
	}
	for _, name := range m.resources {
		if name == everything {
			continue
		}
		if _, err := arn.Parse(name); err != nil {
			return iamerr.ResourceArnNotValid(name)
		}
	}
	if m.owner == "" {
		return nil
	}
	if root, err := arn.ParseEntity(m.owner, m.account); err == nil && root.Type == arn.TypeRoot {
		m.owner = root.Account
		return nil
	}
	if _, err := arn.ParseEntity(arn.Root(m.owner), ""); err != nil {
		return iamerr.ResourceOwnerNotValid(m.owner)
	}
	return nil
}

// everything is the resource of requests that name none.
const everything = "*"

// takeCaller makes the principal that the requests come from.
func (m *simulation) takeCaller() error {
	m.principal = policy.Principal{Type: policy.User, Account: m.account}
	if m.caller == "" {
		return nil
	}
	named, err := arn.ParseEntity(m.caller, m.account)
	switch {
	case err != nil:
		return iamerr.CallerArnNotValid(m.caller)
	case named.Type == arn.TypeRole:
		m.principal = policy.Principal{Type: policy.RoleSession, Account: named.Account, Issuer: named.String()}
	case named.Type == arn.TypeUser, named.Type == arn.TypeGroup:
		m.principal = policy.Principal{Type: policy.User, Account: named.Account, ARN: named.String()}
	default:
		return iamerr.CallerArnNotValid(m.caller)
	}
	if m.user != nil {
		m.principal.ID = m.user.ID
	}
	return nil
}

func (m *simulation) compile() {
	m.policies = policy.Policies{Identity: m.set(m.identity)}
	if m.boundary != nil {
		m.policies.Boundary = m.set(m.boundary)
	}
	if m.resource != nil {
		m.policies.Resource = m.set(m.resource)
	}
}

// set compiles policies. They go by number, since two can have the same name.
func (m *simulation) set(policies []simulatedPolicy) *policy.Set {
	all := make([]*policy.Policy, len(policies))
	for i, p := range policies {
		all[i] = vocabulary.Compile(p.document, p.kind, policy.Source{ID: strconv.Itoa(len(m.compiled)), Type: p.source.Type})
		m.compiled = append(m.compiled, p)
	}
	return policy.NewSet(all...)
}

// vocabulary knows no action by number: simulations are not made often enough to
// keep their policies.
var vocabulary = new(policy.Vocabulary)

// page decides the actions of a page, each on every resource.
func (m *simulation) page(after *string, limit int) (results []iamapi.EvaluationResult, marker *string, err error) {
	position, err := markerIn(simulationList, after)
	if err != nil {
		return nil, nil, err
	}
	first := 0
	if position != "" {
		if first, err = strconv.Atoi(position); err != nil || first < 1 || first >= len(m.actions) {
			return nil, nil, iamerr.InvalidMarker()
		}
	}
	resources, shown := max(len(m.resources), 1), 1
	for i := range m.compiled {
		shown += resources * (len(m.compiled[i].document.Statements) + len(m.compiled[i].document.ContextKeys()))
	}
	if shown > maxShown {
		return nil, nil, iamerr.SimulationTooLarge()
	}
	end := min(first+max(min(limit, maxEvaluations/resources, maxShown/shown), 1), len(m.actions))
	m.work = policy.MaxWork - maxWork
	for _, name := range m.actions[first:end] {
		results = append(results, m.result(name))
	}
	if m.work > policy.MaxWork { // what was decided then may not be what would be
		return nil, nil, iamerr.SimulationTooLarge()
	}
	if end < len(m.actions) {
		marker = markerOut(simulationList, strconv.Itoa(end))
	}
	return results, marker, nil
}

// result decides an action on every resource.
func (m *simulation) result(name string) iamapi.EvaluationResult {
	if len(m.resources) == 0 || len(m.resources) == 1 && m.resources[0] == everything {
		r := m.decide(name, everything)
		return iamapi.EvaluationResult{
			EvalActionName: name, EvalResourceName: new(everything), EvalDecision: r.EvalResourceDecision,
			MatchedStatements: r.MatchedStatements, MissingContextValues: r.MissingContextValues,
			PermissionsBoundaryDecisionDetail: r.PermissionsBoundaryDecisionDetail,
		}
	}
	out := iamapi.EvaluationResult{EvalActionName: name, EvalResourceName: new(resourceForm(name, m.resources)), EvalDecisionDetails: map[string]string{}}
	for _, resource := range m.resources {
		out.ResourceSpecificResults = append(out.ResourceSpecificResults, m.decide(name, resource))
	}
	for i := range out.ResourceSpecificResults {
		out.EvalDecision = worse(out.EvalDecision, out.ResourceSpecificResults[i].EvalResourceDecision)
	}
	var missing keyNames
	for i := range out.ResourceSpecificResults {
		summarize(&out, &out.ResourceSpecificResults[i])
		missing.add(out.ResourceSpecificResults[i].MissingContextValues)
	}
	out.MissingContextValues = missing.all
	return out
}

// summarize adds the result on one resource to that of all, which has the decision:
// the statements that led to it, and of each detail the most restrictive.
func summarize(all *iamapi.EvaluationResult, one *iamapi.ResourceSpecificResult) {
	if one.EvalResourceDecision == all.EvalDecision {
		for i := range one.MatchedStatements {
			if !slices.ContainsFunc(all.MatchedStatements, func(s iamapi.SimulatedStatement) bool { return sameStatement(&s, &one.MatchedStatements[i]) }) {
				all.MatchedStatements = append(all.MatchedStatements, one.MatchedStatements[i])
			}
		}
	}
	for side, decision := range one.EvalDecisionDetails {
		all.EvalDecisionDetails[side] = worse(all.EvalDecisionDetails[side], decision)
	}
	if d := one.PermissionsBoundaryDecisionDetail; d != nil && (all.PermissionsBoundaryDecisionDetail == nil || !*d.AllowedByPermissionsBoundary) {
		all.PermissionsBoundaryDecisionDetail = d
	}
}

func sameStatement(a, b *iamapi.SimulatedStatement) bool {
	return *a.SourcePolicyId == *b.SourcePolicyId && *a.SourcePolicyType == *b.SourcePolicyType && *a.StartPosition.Line == *b.StartPosition.Line && *a.StartPosition.Column == *b.StartPosition.Column
}

// worse is the more restrictive of two decisions, of which the first may be empty.
func worse(a, b string) string {
	for _, decision := range []policy.Decision{policy.ExplicitDeny, policy.ImplicitDeny} {
		if a == decision.String() || b == decision.String() {
			return decision.String()
		}
	}
	return b
}

// resourceForm is the form of ARNs that an action is on and that all the
// resources have, and * where there is none.
func resourceForm(name string, resources []string) string {
	a := reference.Catalogue.Action(name)
	if a == nil {
		return everything
	}
	for _, kind := range a.Resources {
		form := reference.Catalogue.Resource(a.Service, kind)
		if !slices.ContainsFunc(resources, func(resource string) bool { return !form.Matches(resource) }) {
			return form.ARN
		}
	}
	return everything
}

// decide decides an action on one resource.
func (m *simulation) decide(name, resource string) iamapi.ResourceSpecificResult {
	request := &policy.Request{
		Principal: m.principal, Action: vocabulary.Action(name), Resource: policy.NewResource(resource),
		ResourceAccount: m.ownerOf(resource), Context: m.context, Work: &m.work,
	}
	decision, reasons := m.policies.Explain(request)
	out := iamapi.ResourceSpecificResult{
		EvalResourceName: resource, EvalResourceDecision: decision.String(), MissingContextValues: reasons.MissingKeys,
		EvalDecisionDetails: m.sides(request),
	}
	if decision != policy.ImplicitDeny {
		out.MatchedStatements = m.statements(reasons.Matches)
	}
	if m.boundary != nil {
		own := *request
		own.ResourceAccount = ""
		allowed := (&policy.Policies{Identity: m.policies.Boundary}).Evaluate(&own) == policy.Allowed
		out.PermissionsBoundaryDecisionDetail = &iamapi.PermissionsBoundaryDecisionDetail{AllowedByPermissionsBoundary: &allowed}
	}
	return out
}

// ownerOf is the account that a resource belongs to. Where nobody is said to call,
// it is the caller's.
func (m *simulation) ownerOf(resource string) string {
	if m.caller == "" {
		return m.principal.Account
	}
	if a, err := arn.Parse(resource); err == nil && a.Account != "" {
		return a.Account
	}
	return cmp.Or(m.owner, m.principal.Account)
}

// sides tells what the policies of the caller and those of the resource say, where
// they belong to different accounts.
func (m *simulation) sides(request *policy.Request) map[string]string {
	details := map[string]string{}
	if request.ResourceAccount == request.Principal.Account {
		return details
	}
	own := *request
	own.ResourceAccount = ""
	details["IAM Policy"] = (&policy.Policies{Identity: m.policies.Identity, Boundary: m.policies.Boundary}).Evaluate(&own).String()
	if m.resource != nil {
		details["Resource Policy"] = (&policy.Policies{Identity: anything, Resource: m.policies.Resource}).Evaluate(request).String()
	}
	return details
}

// anything allows everything, so that only the policy of a resource is left to ask.
var anything = func() *policy.Set {
	document, err := policy.Parse(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
	if err != nil {
		panic(err)
	}
	return policy.NewSet(vocabulary.Compile(document, policy.InlinePolicy, policy.Source{Type: policy.SourceNone}))
}()

// statements shows the statements that decided.
func (m *simulation) statements(matches []policy.Match) []iamapi.SimulatedStatement {
	var out []iamapi.SimulatedStatement
	for i := range matches {
		number, err := strconv.Atoi(matches[i].Source.ID)
		if err != nil || number >= len(m.compiled) {
			continue // compile numbers them all
		}
		p := &m.compiled[number]
		if p.places == nil {
			p.places = make([]place, len(p.document.Statements))
		}
		at := &p.places[matches[i].Index]
		if at.start == nil {
			at.start, at.end = p.place(&matches[i])
		}
		out = append(out, iamapi.SimulatedStatement{
			SourcePolicyId: &p.source.ID, SourcePolicyType: new(string(p.source.Type)), StartPosition: at.start, EndPosition: at.end,
		})
	}
	return out
}

// A place is where a statement begins and ends.
type place struct{ start, end *iamapi.DocumentPosition }

// place is where a statement stands as AWS's simulator says: from behind what
// comes before it to behind its closing brace. Before it comes the bracket of the
// list or the statement before; of a statement that stands alone it is its own
// brace.
func (p *simulatedPolicy) place(match *policy.Match) (start, end *iamapi.DocumentPosition) {
	text, open, closing := p.text, match.Start.Offset, match.End.Offset
	from := open + 1
	if before := strings.TrimRight(text[:open], " \t\r\n"); strings.HasSuffix(before, "[") {
		from = len(before)
	} else if before, ok := strings.CutSuffix(before, ","); ok {
		from = len(strings.TrimRight(before, " \t\r\n"))
	}
	return at(text, from), at(text, closing+1)
}

// at is a place in a text as line and column, both from 1.
func at(text string, offset int) *iamapi.DocumentPosition {
	before := text[:offset]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	return &iamapi.DocumentPosition{Line: new(int32(line)), Column: new(int32(column))}
}
