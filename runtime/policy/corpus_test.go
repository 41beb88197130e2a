package policy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"iamserver/runtime/policy"
)

// corpusDirectory has the decision cases; README.md there describes their form.
const corpusDirectory = "../../conformance/testdata/policy"

// A corpusFile is one file of cases.
type corpusFile struct {
	Topic    string
	Policies map[string]yaml.Node
	Defaults corpusRequest
	Cases    []corpusCase
	Tables   []corpusTable
}

type corpusRequest struct {
	Principal       string
	Action          string
	Resource        string
	ResourceAccount string `yaml:"resourceAccount"`
}

// A corpusCase is one decision.
type corpusCase struct {
	Case           string
	Deviation      string
	corpusRequest  `yaml:",inline"`
	Context        map[string]yaml.Node
	Identity       yaml.Node
	Boundary       yaml.Node
	Session        yaml.Node
	ServiceAccount yaml.Node `yaml:"serviceAccount"`
	ResourcePolicy yaml.Node `yaml:"resourcePolicy"`
	TrustPolicy    yaml.Node `yaml:"trustPolicy"`
	Expect         string
	By             []string
	Lacking        *[]string
	Missing        *[]string
}

// A corpusTable is a statement, and whether it holds in each of several situations.
type corpusTable struct {
	About     string
	Deviation string
	Version   string
	Part      string
	Statement yaml.Node
	Condition yaml.Node
	Rows      []corpusRow
}

type corpusRow struct {
	corpusRequest `yaml:",inline"`
	Deviation     string
	Condition     yaml.Node
	Statement     yaml.Node
	With          map[string]yaml.Node
	Then          string
	Missing       *[]string
}

// An expectation is what a case says of a decision. Nil lists are not compared.
type expectation struct {
	decision string
	by       []string
	lacking  *[]string
	missing  *[]string
}

func TestCorpus(t *testing.T) {
	names, err := filepath.Glob(filepath.Join(corpusDirectory, "*.yaml"))
	require.NoError(t, err)
	principals := map[string]policy.Principal{}
	readPrincipals(t, principals)

	cases, deviations, forms := 0, map[string]bool{}, map[string]bool{}
	for _, name := range names {
		if filepath.Base(name) == principalsFile {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(name), ".yaml"), func(t *testing.T) {
			var file corpusFile
			readStrictly(t, name, &file)
			require.NotEmpty(t, file.Topic)
			reader := corpusReader{file: &file, principals: principals}
			for i := range file.Cases {
				c := &file.Cases[i]
				cases++
				deviations[c.Deviation] = true
				t.Run(c.Case, func(t *testing.T) {
					s, want := reader.readCase(t, c)
					noteForms(s, forms)
					requireDecision(t, s, want)
				})
			}
			for i := range file.Tables {
				table := &file.Tables[i]
				deviations[table.Deviation] = true
				t.Run(table.About, func(t *testing.T) {
					require.NotEmpty(t, table.Rows)
					for j := range table.Rows {
						cases++
						deviations[table.Rows[j].Deviation] = true
						t.Run(strconv.Itoa(j+1), func(t *testing.T) { noteForms(reader.row(t, table, &table.Rows[j]), forms) })
					}
				})
			}
		})
	}
	t.Logf("%d decision cases", cases)
	require.GreaterOrEqual(t, cases, 400, "decision cases")
	for _, name := range strings.Fields("M1 M2 M3 M4 M5 M6 M7 M8 M9 M10 W1 W2 W3 W4 W5 W6 W7 versitygw moto Ceph") {
		require.Contains(t, deviations, name, "deviations of other engines")
	}
	var missing []string
	for _, operator := range operatorNames {
		for _, form := range []string{"", "IfExists", "ForAllValues:", "ForAnyValue:"} {
			for _, value := range []string{"present", "missing", "multi-valued"} {
				if operator == "Null" && form != "" {
					continue // it has none of these
				}
				name := form + operator
				if form == "IfExists" {
					name = operator + form
				}
				if !forms[name+" "+value] {
					missing = append(missing, name+" "+value)
				}
			}
		}
	}
	require.Empty(t, missing, "operators in forms that no case has")
}

// noteForms notes in which forms the conditions of s have their operators, and what
// the request has for their keys.
func noteForms(s *situation, forms map[string]bool) {
	for _, part := range allParts {
		for _, p := range s.parts[part] {
			for _, statement := range p.document.Statements {
				for _, operator := range statement.Condition {
					for _, key := range operator.Keys {
						form := "present"
						switch (naive{situation: s}).value(key.Name).(type) {
						case nil:
							form = "missing"
						case []string:
							form = "multi-valued"
						}
						forms[operator.Name+" "+form] = true
					}
				}
			}
		}
	}
}

// requireDecision decides s in every way that there is.
func requireDecision(t *testing.T, s *situation, want expectation) {
	t.Helper()
	for name, decide := range evaluators {
		decision, reasons := decide(s)
		got := expectation{decision: decision.String(), by: labels(reasons.Matches)}
		if want.lacking != nil {
			lacking := make([]string, 0)
			for _, part := range reasons.Lacking {
				lacking = append(lacking, partNames[part])
			}
			got.lacking = &lacking
		}
		if want.missing != nil {
			missing := append(make([]string, 0), reasons.MissingKeys...)
			got.missing = &missing
		}
		require.Equal(t, want, got, name)
	}
}

// labels names statements as the corpus does: part, number of the policy in it,
// and Sid or number of the statement.
func labels(matches []policy.Match) []string {
	names := make([]string, 0)
	for _, m := range matches {
		statement := m.Sid
		if statement == "" {
			statement = strconv.Itoa(m.Index + 1)
		}
		names = append(names, m.Source.ID+"/"+statement)
	}
	return names
}

var partNames = map[policy.Part]string{
	policy.Identity: "identity", policy.Boundary: "boundary", policy.Session: "session",
	policy.ServiceAccount: "serviceAccount", policy.ResourceBased: "resourcePolicy",
}

// A corpusReader makes situations of what a file says.
type corpusReader struct {
	file       *corpusFile
	principals map[string]policy.Principal
}

func (r corpusReader) readCase(t *testing.T, c *corpusCase) (*situation, expectation) {
	t.Helper()
	require.NotEmpty(t, c.Case, "a sentence")
	s := r.situation(t, c.corpusRequest, c.Context)
	for part, node := range map[policy.Part]*yaml.Node{
		policy.Identity: &c.Identity, policy.Boundary: &c.Boundary, policy.Session: &c.Session,
		policy.ServiceAccount: &c.ServiceAccount, policy.ResourceBased: &c.ResourcePolicy,
	} {
		if !node.IsZero() {
			r.place(t, s, part, kinds[part], node)
		}
	}
	if !c.TrustPolicy.IsZero() {
		require.True(t, c.ResourcePolicy.IsZero(), "a role has a trust policy alone")
		r.place(t, s, policy.ResourceBased, policy.TrustPolicy, &c.TrustPolicy)
		s.trust = true
	}
	require.Contains(t, []string{"allowed", "explicitDeny", "implicitDeny"}, c.Expect)
	require.True(t, c.Expect == "implicitDeny" || c.By != nil, "the statements that decided")
	return s, expectation{decision: c.Expect, by: append([]string{}, c.By...), lacking: c.Lacking, missing: c.Missing}
}

var kinds = map[policy.Part]policy.Kind{
	policy.Identity: policy.InlinePolicy, policy.Boundary: policy.ManagedPolicy, policy.Session: policy.SessionPolicy,
	policy.ServiceAccount: policy.InlinePolicy, policy.ResourceBased: policy.ResourcePolicy,
}

// row decides with the statement of the table as an Allow, then as a Deny beside
// an Allow of everything.
func (r corpusReader) row(t *testing.T, table *corpusTable, row *corpusRow) *situation {
	t.Helper()
	require.Contains(t, []string{"holds", "fails", "failsClosed"}, row.Then)
	s := r.situation(t, row.corpusRequest, row.With)
	part, by := policy.Identity, "identity/1/1"
	if table.Part != "" {
		require.Equal(t, "resourcePolicy", table.Part)
		part, by = policy.ResourceBased, "resourcePolicy/1/1"
	}
	members := table.statement(t, row)
	placeTable := func(effect string) {
		text := `{"Version":` + toJSON(t, &yaml.Node{Kind: yaml.ScalarNode, Value: orDefault(table.Version, "2012-10-17")}) +
			`,"Statement":{"Effect":"` + effect + `",` + members + `}}`
		s.parts = map[policy.Part][]placed{part: {place(t, text, kinds[part], partNames[part]+"/1")}}
	}

	placeTable("Allow")
	want := expectation{decision: "implicitDeny", by: []string{}, missing: row.Missing}
	if row.Then == "holds" {
		want = expectation{decision: "allowed", by: []string{by}, missing: row.Missing}
	}
	requireDecision(t, s, want)

	placeTable("Deny")
	s.parts[policy.Identity] = append(s.parts[policy.Identity], place(t, everything, policy.InlinePolicy, "everything"))
	want = expectation{decision: "explicitDeny", by: []string{by}, missing: row.Missing}
	if row.Then == "fails" {
		want = expectation{decision: "allowed", by: []string{"everything/1"}, missing: row.Missing}
	}
	requireDecision(t, s, want)
	return s
}

// everything is a policy that allows it.
const everything = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`

// statement returns the members of the statement of a row, in JSON, without braces.
func (table *corpusTable) statement(t *testing.T, row *corpusRow) string {
	t.Helper()
	members := map[string]*yaml.Node{}
	for _, node := range []*yaml.Node{&table.Statement, &row.Statement} {
		for i := 0; i+1 < len(node.Content); i += 2 {
			members[node.Content[i].Value] = node.Content[i+1]
		}
	}
	for _, node := range []*yaml.Node{&table.Condition, &row.Condition} {
		if !node.IsZero() {
			members["Condition"] = node
		}
	}
	all := &yaml.Node{Kind: yaml.ScalarNode, Value: "*"}
	fill := func(name string) {
		if members[name] == nil && members["Not"+name] == nil {
			members[name] = all
		}
	}
	fill("Action")
	fill("Resource")
	if table.Part != "" {
		fill("Principal")
	}
	var parts []string
	for name, node := range members {
		parts = append(parts, strconv.Quote(name)+":"+toJSON(t, node))
	}
	return strings.Join(parts, ",")
}

func (r corpusReader) situation(t *testing.T, request corpusRequest, context map[string]yaml.Node) *situation {
	t.Helper()
	defaults := r.file.Defaults
	name := orDefault(request.Principal, defaults.Principal)
	principal, ok := r.principals[name]
	require.True(t, ok, "principal %q", name)
	s := &situation{
		principal:       principal,
		action:          orDefault(request.Action, defaults.Action),
		resource:        orDefault(request.Resource, defaults.Resource),
		resourceAccount: orDefault(request.ResourceAccount, defaults.ResourceAccount),
		context:         map[string]any{},
		parts:           map[policy.Part][]placed{},
	}
	require.NotEmpty(t, s.action)
	require.NotEmpty(t, s.resource)
	for key, node := range context {
		s.context[key] = readValue(t, &node)
	}
	return s
}

func orDefault(value, otherwise string) string {
	if value != "" {
		return value
	}
	return otherwise
}

// place adds the documents of a part: one, or a list of them.
func (r corpusReader) place(t *testing.T, s *situation, part policy.Part, kind policy.Kind, node *yaml.Node) {
	t.Helper()
	documents := []*yaml.Node{node}
	if node.Kind == yaml.SequenceNode {
		documents = node.Content
	}
	s.parts[part] = []placed{}
	for i, document := range documents {
		s.parts[part] = append(s.parts[part], place(t, r.document(t, document), kind, partNames[part]+"/"+strconv.Itoa(i+1)))
	}
}

func place(t *testing.T, text string, kind policy.Kind, id string) placed {
	t.Helper()
	d, err := policy.Parse(text)
	require.NoError(t, err, text)
	return placed{document: d, kind: kind, source: policy.Source{ID: id, Type: policy.SourceNone}}
}

// document returns the JSON of a document that may be given as JSON, by its name,
// as one statement, or as a list of them.
func (r corpusReader) document(t *testing.T, node *yaml.Node) string {
	t.Helper()
	const frame = `{"Version":"2012-10-17","Statement":`
	switch node.Kind {
	case yaml.ScalarNode:
		if strings.HasPrefix(strings.TrimSpace(node.Value), "{") {
			return node.Value
		}
		named, ok := r.file.Policies[node.Value]
		require.True(t, ok, "no policy is called %q", node.Value)
		return r.document(t, &named)
	case yaml.SequenceNode:
		return frame + toJSON(t, node) + "}"
	default:
		for i := 0; i < len(node.Content); i += 2 {
			if node.Content[i].Value == "Effect" {
				return frame + toJSON(t, node) + "}"
			}
		}
		return toJSON(t, node)
	}
}

// toJSON writes YAML as JSON, in the same order. Dates stay text.
func toJSON(t *testing.T, node *yaml.Node) string {
	t.Helper()
	var parts []string
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i < len(node.Content); i += 2 {
			key := *node.Content[i]
			key.Tag = "!!str"
			parts = append(parts, toJSON(t, &key)+":"+toJSON(t, node.Content[i+1]))
		}
		return "{" + strings.Join(parts, ",") + "}"
	case yaml.SequenceNode:
		for _, element := range node.Content {
			parts = append(parts, toJSON(t, element))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case yaml.AliasNode:
		return toJSON(t, node.Alias)
	default:
	}
	switch node.Tag {
	case "!!bool", "!!int", "!!float", "!!null":
		return node.Value
	default:
		text, err := json.Marshal(node.Value)
		require.NoError(t, err)
		return string(text)
	}
}

// readValue reads the value of a condition key: text, a list, true or false, a
// whole number, or {time: …}, {address: …}, {failed: true}.
func readValue(t *testing.T, node *yaml.Node) any {
	t.Helper()
	switch {
	case node.Kind == yaml.SequenceNode:
		list := make([]string, 0)
		for _, element := range node.Content {
			require.Equal(t, "!!str", element.Tag, "line %d: lists are of text", element.Line)
			list = append(list, element.Value)
		}
		return list
	case node.Kind == yaml.MappingNode && len(node.Content) == 2:
		text := node.Content[1].Value
		switch node.Content[0].Value {
		case "time":
			at, err := time.Parse(time.RFC3339Nano, text)
			require.NoError(t, err)
			return at
		case "address":
			return netip.MustParseAddr(text)
		case "failed":
			return failed{}
		}
	case node.Tag == "!!str":
		return node.Value
	case node.Tag == "!!bool":
		return node.Value == "true"
	case node.Tag == "!!int":
		n, err := strconv.ParseInt(node.Value, 10, 64)
		require.NoError(t, err)
		return n
	}
	require.Fail(t, "a value of no type", "line %d", node.Line)
	return nil
}

// principalsFile has the principals that cases go by.
const principalsFile = "principals.yaml"

func readPrincipals(t *testing.T, principals map[string]policy.Principal) {
	t.Helper()
	var file map[string]struct {
		About, Type, Account, ARN, ID, Issuer string
	}
	readStrictly(t, filepath.Join(corpusDirectory, principalsFile), &file)
	types := map[string]policy.PrincipalType{
		"anonymous": policy.Anonymous, "root": policy.Root, "user": policy.User,
		"roleSession": policy.RoleSession, "federatedUser": policy.FederatedUser,
	}
	for name, p := range file {
		require.Contains(t, types, p.Type, name)
		principals[name] = policy.Principal{Type: types[p.Type], Account: p.Account, ARN: p.ARN, ID: p.ID, Issuer: p.Issuer}
	}
}

func readStrictly(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	require.NoError(t, decoder.Decode(into), name)
}

// evaluators are the ways to decide a situation, which are to agree.
var evaluators = map[string]func(*situation) (policy.Decision, policy.Reasons){
	"naive":    func(s *situation) (policy.Decision, policy.Reasons) { return naive{situation: s}.decide() },
	"compiled": compiled,
}

// someActions knows some of the actions of the tests by number, and not others.
var someActions = policy.NewVocabulary([]string{
	"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "s3:ListAllMyBuckets", "s3:GetBucketPolicy", "s3:PutBucketPolicy",
	"iam:GetUser", "iam:ListUsers", "iam:CreateUser", "iam:DeleteUser", "sts:AssumeRole",
})

// compiled is the engine. Evaluate and Explain are to agree.
func compiled(s *situation) (policy.Decision, policy.Reasons) {
	set := func(part policy.Part) *policy.Set {
		placed, ok := s.parts[part]
		if !ok {
			return nil
		}
		var all []*policy.Policy
		for _, p := range placed {
			all = append(all, someActions.Compile(p.document, p.kind, p.source))
		}
		return policy.NewSet(all...)
	}
	policies := &policy.Policies{
		Identity: set(policy.Identity), Boundary: set(policy.Boundary), Session: set(policy.Session),
		ServiceAccount: set(policy.ServiceAccount), Resource: set(policy.ResourceBased), Trust: s.trust,
	}
	context := policy.Values{}
	for key, value := range s.context {
		context[key] = engineValue(value)
	}
	request := &policy.Request{
		Principal: s.principal, Action: someActions.Action(s.action), Resource: policy.NewResource(s.resource),
		ResourceAccount: s.resourceAccount, Context: context,
	}
	decision, reasons := policies.Explain(request)
	if evaluated := policies.Evaluate(request); evaluated != decision {
		panic(fmt.Sprintf("Evaluate says %s, Explain %s", evaluated, decision))
	}
	return decision, reasons
}

func engineValue(value any) policy.Value {
	switch value := value.(type) {
	case string:
		return policy.Text(value)
	case []string:
		return policy.List(value)
	case time.Time:
		return policy.Time(value)
	case bool:
		return policy.Boolean(value)
	case int64:
		return policy.Integer(value)
	case netip.Addr:
		return policy.Address(value)
	case failed:
		return policy.Failed()
	default:
		panic(fmt.Sprintf("a value of type %T", value))
	}
}

// print shows a situation to a person.
func (s *situation) print() string {
	var b strings.Builder
	fmt.Fprintf(&b, "principal: %+v\naction: %s\nresource: %s\nresourceAccount: %s\ntrust: %v\n", s.principal, s.action, s.resource, s.resourceAccount, s.trust)
	for key, value := range s.context {
		fmt.Fprintf(&b, "context %s: %T %#v\n", key, value, value)
	}
	for _, part := range allParts {
		if _, set := s.parts[part]; set {
			fmt.Fprintf(&b, "%s:\n", partNames[part])
		}
		for _, p := range s.parts[part] {
			fmt.Fprintf(&b, "  kind %d: %s\n", p.kind, printDocument(p.document))
		}
	}
	return b.String()
}

// printDocument is JSON, near enough to the document for a person.
func printDocument(d *policy.Document) string {
	var statements []string
	for i := range d.Statements {
		s := &d.Statements[i]
		var members []string
		add := func(name string, present bool, value any) {
			if present {
				text, err := json.Marshal(value)
				if err != nil {
					text = []byte(err.Error())
				}
				members = append(members, strconv.Quote(name)+":"+string(text))
			}
		}
		add("Sid", s.Sid != "", s.Sid)
		add("Effect", true, s.Effect)
		for name, p := range map[string]*policy.Principals{"Principal": s.Principal, "NotPrincipal": s.NotPrincipal} {
			if p != nil && p.Text != "" {
				add(name, true, p.Text)
			} else if p != nil {
				lists := map[string][]string{"AWS": p.AWS, "Federated": p.Federated, "Service": p.Service, "CanonicalUser": p.CanonicalUser}
				maps.DeleteFunc(lists, func(_ string, values []string) bool { return values == nil })
				add(name, true, lists)
			}
		}
		add("Action", s.Action != nil, s.Action)
		add("NotAction", s.NotAction != nil, s.NotAction)
		add("Resource", s.Resource != nil, s.Resource)
		add("NotResource", s.NotResource != nil, s.NotResource)
		var operators []string
		for _, o := range s.Condition {
			var keys []string
			for _, k := range o.Keys {
				values, err := json.Marshal(k.Values)
				if err != nil {
					values = []byte(err.Error())
				}
				keys = append(keys, strconv.Quote(k.Name)+":"+string(values))
			}
			operators = append(operators, strconv.Quote(o.Name)+":{"+strings.Join(keys, ",")+"}")
		}
		if len(operators) > 0 {
			members = append(members, `"Condition":{`+strings.Join(operators, ",")+"}")
		}
		statements = append(statements, "{"+strings.Join(members, ",")+"}")
	}
	version := ""
	if d.Version != "" {
		version = `"Version":"` + d.Version + `",`
	}
	return "{" + version + `"Statement":[` + strings.Join(statements, ",") + "]}"
}
