package policy_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/policy"
)

func TestParse(t *testing.T) {
	const text = `{
  "Version": "2012-10-17",
  "Id": "café",
  "Statement": [
    {"Sid": "Read", "Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "arn:aws:s3:::b/*",
     "Condition": {"StringLike": {"s3:prefix": ["", "home/"], "aws:username": "alice"}, "Bool": {"aws:SecureTransport": true}}},
    {"Effect": "Deny", "NotAction": "iam:*", "NotResource": ["*"], "Principal": "*"}
  ]
}`
	got, err := policy.Parse(text)
	require.NoError(t, err)
	require.Equal(t, &policy.Document{
		Version: policy.Version2012,
		ID:      "café",
		Statements: []policy.Statement{
			{
				Sid: "Read", Effect: policy.Allow,
				Action:   []string{"s3:Get*", "s3:List*"},
				Resource: []string{"arn:aws:s3:::b/*"},
				Condition: []policy.ConditionOperator{
					{Name: "StringLike", Keys: []policy.ConditionKey{
						{Name: "s3:prefix", Values: []string{"", "home/"}},
						{Name: "aws:username", Values: []string{"alice"}},
					}},
					{Name: "Bool", Keys: []policy.ConditionKey{{Name: "aws:SecureTransport", Values: []string{"true"}}}},
				},
				Start: policy.Position{Offset: 67, Line: 5, Column: 5},
				End:   policy.Position{Offset: 295, Line: 6, Column: 127},
			},
			{
				Effect: policy.Deny, Principal: &policy.Principals{Text: "*"},
				NotAction: []string{"iam:*"}, NotResource: []string{"*"},
				Start: policy.Position{Offset: 302, Line: 7, Column: 5},
				End:   policy.Position{Offset: 381, Line: 7, Column: 84},
			},
		},
	}, got)
}

func TestParseKeepsWhatEvaluationNeeds(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   string
		want policy.Statement
	}{
		{
			"an empty array is not an absent element", `{"Effect":"Allow","Action":[],"NotResource":[]}`,
			policy.Statement{Effect: "Allow", Action: []string{}, NotResource: []string{}},
		},
		{
			"null entries of a resource array are skipped", `{"Effect":"Allow","Resource":[null,"*",null]}`,
			policy.Statement{Effect: "Allow", Resource: []string{"*"}},
		},
		{
			"null entries of a NotResource array, too", `{"Effect":"Allow","NotResource":[ null ]}`,
			policy.Statement{Effect: "Allow", NotResource: []string{}},
		},
		{
			"booleans and numbers are values by their source text", `{"Effect":"Allow","Condition":{"Bool":{"a":[true,false,10,-0.50,1E+3,"10"]}}}`,
			policy.Statement{Effect: "Allow", Condition: []policy.ConditionOperator{
				{Name: "Bool", Keys: []policy.ConditionKey{{Name: "a", Values: []string{"true", "false", "10", "-0.50", "1E+3", "10"}}}},
			}},
		},
		{
			"an empty list of values is kept", `{"Effect":"Allow","Condition":{"StringEquals":{"a":[]},"x":{}}}`,
			policy.Statement{Effect: "Allow", Condition: []policy.ConditionOperator{
				{Name: "StringEquals", Keys: []policy.ConditionKey{{Name: "a", Values: []string{}}}},
				{Name: "x"},
			}},
		},
		{
			"operators and keys stay in source order", `{"Effect":"Allow","Condition":{"StringLike":{"z":"1","a":"2"},"Bool":{},"ArnLike":{"m":"3"}}}`,
			policy.Statement{Effect: "Allow", Condition: []policy.ConditionOperator{
				{Name: "StringLike", Keys: []policy.ConditionKey{{Name: "z", Values: []string{"1"}}, {Name: "a", Values: []string{"2"}}}},
				{Name: "Bool"},
				{Name: "ArnLike", Keys: []policy.ConditionKey{{Name: "m", Values: []string{"3"}}}},
			}},
		},
		{
			"keys that differ in case are two", `{"Effect":"Allow","Condition":{"StringEquals":{"aws:UserName":"a","aws:username":"b"}}}`,
			policy.Statement{Effect: "Allow", Condition: []policy.ConditionOperator{
				{Name: "StringEquals", Keys: []policy.ConditionKey{{Name: "aws:UserName", Values: []string{"a"}}, {Name: "aws:username", Values: []string{"b"}}}},
			}},
		},
		{
			"principals stand by type", `{"Effect":"Deny","NotPrincipal":{"AWS":["1","2"],"Federated":"f","Service":[],"CanonicalUser":"c"}}`,
			policy.Statement{Effect: "Deny", NotPrincipal: &policy.Principals{
				AWS: []string{"1", "2"}, Federated: []string{"f"}, Service: []string{}, CanonicalUser: []string{"c"},
			}},
		},
		{
			"an empty principal is present", `{"Effect":"Deny","Principal":{}}`,
			policy.Statement{Effect: "Deny", Principal: &policy.Principals{}},
		},
		{
			"the effect stays as written", `{"Effect":"dENY"}`,
			policy.Statement{Effect: "dENY"},
		},
		{
			"an unknown operator is kept, to be evaluated fail-closed", `{"Effect":"Deny","Condition":{"FooEquals":{"a":"b"}}}`,
			policy.Statement{Effect: "Deny", Condition: []policy.ConditionOperator{
				{Name: "FooEquals", Keys: []policy.ConditionKey{{Name: "a", Values: []string{"b"}}}},
			}},
		},
		{
			"escapes are decoded", `{"\u0045ffect":"Allow","Resource":"\"\\\/\b\f\n\r\t\u00e9\u4E2D\uD83D\uDE00 \u0000z"}`,
			policy.Statement{Effect: "Allow", Resource: []string{"\"\\/\b\f\n\r\té中😀 \x00z"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := policy.Parse(document(tt.in))
			require.NoError(t, err)
			require.Len(t, got.Statements, 1)
			statement := got.Statements[0]
			statement.Start, statement.End = policy.Position{}, policy.Position{}
			require.Equal(t, tt.want, statement)
		})
	}
}

func TestListsDoNotOverlap(t *testing.T) {
	got, err := policy.Parse(document(withAction(`["a:1","a:2"]`), withAction(`"b:1"`)))
	require.NoError(t, err)
	_ = append(got.Statements[0].Action, "x") // it must not land in the next list
	require.Equal(t, []string{"*"}, got.Statements[0].Resource)
}

func TestPositions(t *testing.T) {
	at := func(offset, line, column int) policy.Position {
		return policy.Position{Offset: offset, Line: line, Column: column}
	}
	for _, tt := range []struct {
		name       string
		in         string
		start, end policy.Position
	}{
		{"one object on one line", `{"Statement":{"Effect":"Allow"}}`, at(13, 1, 14), at(30, 1, 31)},
		{"white space before", "\n\n \t{\"Statement\":\n  {\"Effect\":\"Allow\"\n}}", at(20, 4, 3), at(38, 5, 1)},
		{"CR LF ends one line", "{\r\n\"Statement\":\r\n{\"Effect\":\r\n\"Allow\"}}", at(17, 3, 1), at(36, 4, 8)},
		{"columns are characters, offsets bytes", `{"Id":"éÿ\u00e9","Statement":{"Sid":"é","Effect":"Allow"}}`, at(31, 1, 30), at(59, 1, 57)},
		{"a wide line does not shift the next", "{\"Id\":\"éé\",\n \"Statement\":{\"Effect\":\"Allow\"}}", at(27, 2, 14), at(44, 2, 31)},
		{"braces of conditions and strings do not count", `{"Statement":{"Condition":{"a":{}},"Sid":"}{","Effect":"Deny"}}`, at(13, 1, 14), at(61, 1, 62)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := policy.Parse(tt.in)
			require.NoError(t, err)
			require.Equal(t, tt.start, got.Statements[0].Start)
			require.Equal(t, tt.end, got.Statements[0].End)
			require.Equal(t, byte('{'), tt.in[tt.start.Offset])
			require.Equal(t, byte('}'), tt.in[tt.end.Offset])
		})
	}
}

func TestParseRefuses(t *testing.T) {
	const ok = `{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`
	for _, tt := range []struct{ name, in string }{
		{"the empty document", ""},
		{"white space", " \n"},
		{"prose", "let alice in"},
		{"a string", `"Statement"`},
		{"an array", "[" + document(ok) + "]"},
		{"null", "null"},
		{"an object without members", "{}"},
		{"text after the object", document(ok) + "x"},
		{"a second object", document(ok) + document(ok)},
		{"an object that does not end", strings.TrimSuffix(document(ok), "}")},
		{"a comma too many in an object", `{"Statement":` + ok + `,}`},
		{"a comma too many in an array", document(ok, "")},
		{"a comma before the first", `{,"Statement":` + ok + `}`},
		{"no comma between members", `{"Version":"2012-10-17" "Statement":` + ok + `}`},
		{"no colon", `{"Statement"` + ok + `}`},
		{"a comment", `{/* all */"Statement":` + ok + `}`},
		{"single quotes", `{'Statement':` + ok + `}`},
		{"a byte order mark", "\ufeff" + document(ok)},
		{"a no-break space between tokens", "\u00a0" + document(ok)},
		{"a vertical tab between tokens", "\v" + document(ok)},

		{"an unknown element", `{"Statement":` + ok + `,"Conditions":{}}`},
		{"an element in the wrong case", `{"version":"2012-10-17","Statement":` + ok + `}`},
		{"an unknown version", `{"Version":"2013-10-17","Statement":` + ok + `}`},
		{"an empty version", `{"Version":"","Statement":` + ok + `}`},
		{"a version that is no string", `{"Version":2012,"Statement":` + ok + `}`},
		{"a version that is null", `{"Version":null,"Statement":` + ok + `}`},
		{"an Id that is an array", `{"Id":["x"],"Statement":` + ok + `}`},
		{"an Id that is an object", `{"Id":{},"Statement":` + ok + `}`},

		{"no statement", `{"Version":"2012-10-17"}`},
		{"an empty array of statements", document()},
		{"a statement that is a string", document(ok, `"Allow"`)},
		{"a statement that is null", document(`null`, ok)},
		{"an array of an array of statements", document("[" + ok + "]")},
		{"statements as a string", `{"Statement":"x"}`},
		{"statements as null", `{"Statement":null}`},
		{"an unknown element of a statement", document(`{"Effect":"Allow","Actions":"*"}`)},

		{"no effect", document(`{"Action":"s3:GetObject","Resource":"*"}`)},
		{"an unknown effect", document(`{"Effect":"Permit"}`)},
		{"an empty effect", document(`{"Effect":""}`)},
		{"an effect that is a boolean", document(`{"Effect":true}`)},
		{"an effect in an array", document(`{"Effect":["Allow"]}`)},

		{"Action and NotAction", document(`{"Effect":"Allow","Action":"a:b","NotAction":"c:d","Resource":"*"}`)},
		{"Action and an empty NotAction", document(`{"Effect":"Allow","Action":"a:b","NotAction":[],"Resource":"*"}`)},
		{"Resource and an empty NotResource", document(`{"Effect":"Allow","Action":"a:b","NotResource":[],"Resource":"*"}`)},
		{"Principal and NotPrincipal", document(`{"Effect":"Allow","Principal":"*","NotPrincipal":{},"Resource":"*"}`)},

		{"an action that is an object", document(withAction(`{}`))},
		{"an action that is a number", document(withAction(`5`))},
		{"an action that is null", document(withAction(`null`))},
		{"a null entry among actions", document(withAction(`["s3:GetObject",null]`))},
		{"an array among actions", document(withAction(`[[]]`))},
		{"a boolean among NotActions", document(withNotAction(`["a:b",true]`))},
		{"a resource that is an object", document(withResource(`{"a":"arn:aws:s3:::b"}`))},
		{"a resource that is null", document(withResource(`null`))},
		{"an object among resources", document(withResource(`["x",{}]`))},
		{"half a null among resources", document(withResource(`[nul]`))},
		{"a number among NotResources", document(withNotResource(`[1]`))},
		{"a Sid that is an object", document(withSid(`{}`))},
		{"a Sid that is null", document(withSid(`null`))},

		{"a condition that is an array", document(withCondition(`[{"StringEquals":{"a":"b"}}]`))},
		{"a condition that is a string", document(withCondition(`"a"`))},
		{"a condition that is null", document(withCondition(`null`))},
		{"an operator whose value is a string", document(withCondition(`{"StringEquals":"a"}`))},
		{"an operator whose value is an array", document(withCondition(`{"StringEquals":[]}`))},
		{"a condition key whose value is an object", document(withCondition(`{"StringEquals":{"a":{}}}`))},
		{"a condition key whose value is null", document(withCondition(`{"StringEquals":{"a":null}}`))},
		{"a null entry among condition values", document(withCondition(`{"StringEquals":{"a":["b",null]}}`))},
		{"an array among condition values", document(withCondition(`{"StringEquals":{"a":[["b"]]}}`))},

		{"a principal that is a number", document(withPrincipal(`1`))},
		{"a principal that is an array", document(withPrincipal(`["*"]`))},
		{"an unknown type of principal", document(withPrincipal(`{"User":"alice"}`))},
		{"a principal of a type that is an object", document(withPrincipal(`{"AWS":{}}`))},

		{"a number with a leading zero", document(withCondition(`{"NumericEquals":{"a":01}}`))},
		{"a number without an integer part", document(withCondition(`{"NumericEquals":{"a":.5}}`))},
		{"a number without a fraction after the point", document(withCondition(`{"NumericEquals":{"a":1.}}`))},
		{"a number without an exponent after the e", document(withCondition(`{"NumericEquals":{"a":1e+}}`))},
		{"a number with a plus", document(withCondition(`{"NumericEquals":{"a":+1}}`))},
		{"a minus alone", document(withCondition(`{"NumericEquals":{"a":-}}`))},
		{"a number in hexadecimal", document(withCondition(`{"NumericEquals":{"a":0x10}}`))},
		{"not a number", document(withCondition(`{"NumericEquals":{"a":NaN}}`))},
		{"a boolean in the wrong case", document(withCondition(`{"Bool":{"a":True}}`))},
		{"a boolean that does not end", document(withCondition(`{"Bool":{"a":truee}}`))},

		{"a string that does not end", `{"Version`},
		{"a string that ends in a backslash", `{"Version\`},
		{"an unknown escape", document(withSid(`"\a"`))},
		{"an escape of three digits", document(withSid(`"\u00e"`))},
		{"an escape with a sign", document(withSid(`"\u+0e9"`))},
		{"an escape at the end of the document", `{"\u00`},
		{"the first half of a surrogate pair", document(withResource(`"arn:aws:s3:::\ud83d"`))},
		{"the second half of a surrogate pair", document(withResource(`"arn:aws:s3:::\ude00"`))},
		{"two first halves", document(withResource(`"arn:aws:s3:::\ud83d\ud83d"`))},
		{"a first half before a character", document(withResource(`"arn:aws:s3:::\ud83d\u0041"`))},
		{"a line break in a string", document(withSid("\"a\nb\""))},
		{"a tab in a string", document(withSid("\"a\tb\""))},
		{"a control character in a string with an escape", document(withSid("\"\\n\x01\""))},
		{"a character above U+00FF", document(withResource(`"arn:aws:s3:::中"`))},
		{"U+0100, the first above", document(withResource(`"arn:aws:s3:::Ā"`))},
		{"a character above U+00FF after an escape", document(withResource(`"\u0041中"`))},
		{"a byte that is no UTF-8", document(withResource("\"arn:aws:s3:::\x80\""))},
		{"half a character before the quote", document(withResource("\"arn:aws:s3:::\xc3\""))},
		{"half a character at the end", "{\"\xc3"},
		{"a character in too many bytes", document(withResource("\"arn:aws:s3:::\xc1\x81\""))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := policy.Parse(tt.in)
			require.Equal(t, &policy.Error{Message: syntaxErrors}, err)
			require.Nil(t, got)
		})
	}
}

func TestParseRefusesDuplicateKeys(t *testing.T) {
	many := make([]string, 30)
	for i := range many {
		many[i] = `"k` + strconv.Itoa(i) + `":"v"`
	}
	keys := strings.Join(many, ",")
	for _, tt := range []struct{ name, in string }{
		{"of the document", `{"Version":"2008-10-17","Version":"2012-10-17","Statement":{"Effect":"Allow"}}`},
		{"of the document, Statement", `{"Statement":{"Effect":"Deny"},"Statement":{"Effect":"Allow"}}`},
		{"of a statement", document(`{"Effect":"Deny","Effect":"Allow"}`)},
		{"of a statement, with equal values", document(`{"Effect":"Allow","Effect":"Allow"}`)},
		{"one of them in escapes", document(`{"Effect":"Deny","\u0045ffect":"Allow"}`)},
		{"condition operators", document(withCondition(`{"Bool":{"a":"true"},"Bool":{"b":"true"}}`))},
		{"condition keys", document(withCondition(`{"Bool":{"a":"true","a":"false"}}`))},
		{"the last of many condition keys", document(withCondition(`{"StringEquals":{` + keys + `,"k29":"w"}}`))},
		{"the first of many condition keys", document(withCondition(`{"StringEquals":{` + keys + `,"k0":"w"}}`))},
		{"types of principals", document(withPrincipal(`{"AWS":"1","AWS":"2"}`))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, syntaxErrors, check(t, tt.in, policy.ManagedPolicy))
		})
	}
	require.Empty(t, check(t, document(withCondition(`{"StringEquals":{`+keys+`}}`)), policy.ManagedPolicy), "30 different keys")
}

func TestParseIsBounded(t *testing.T) {
	statement := withAction(`"a:b"`)
	repeat := func(s string, n int) string { return strings.Repeat(s+",", n-1) + s }
	padded := func(pad string, size int) string {
		return document(statement) + strings.Repeat(pad, size-len(document(statement)))
	}
	id := func(character string, n int) string {
		frame := len(`{"Id":"","Statement":{"Effect":"Deny"}}`)
		return `{"Id":"` + strings.Repeat(character, n-frame) + `","Statement":{"Effect":"Deny"}}`
	}
	for _, tt := range []struct {
		name     string
		in       string
		accepted bool
	}{
		{"131,072 characters", padded(" ", 131_072), true},
		{"131,073 characters", padded(" ", 131_073), false},
		{"131,072 characters of two bytes", id("é", 131_072), true},
		{"131,073 characters of two bytes", id("é", 131_073), false},
		{"ten million characters", padded(" ", 10_000_000), false},
		{"1,000 statements", document(repeat(statement, 1000)), true},
		{"1,001 statements", document(repeat(statement, 1001)), false},
		{"10,000 values", document(withAction("[" + repeat(`"a:b"`, 9_999) + "]")), true},
		{"10,001 values", document(withAction("[" + repeat(`"a:b"`, 10_000) + "]")), false},
		{"more condition operators than values are allowed", document(withCondition("{" + numbered(`"%":{}`, 10_000) + "}")), false},
		{"more condition keys than values are allowed", document(withCondition(`{"Bool":{` + numbered(`"%":[]`, 9_999) + "}}")), false},
		{"as many condition keys as are allowed", document(withCondition(`{"Bool":{` + numbered(`"%":[]`, 9_997) + "}}")), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := policy.Parse(tt.in)
			require.Equal(t, tt.accepted, err == nil)
		})
	}
}

// numbered is s n times with commas between, each % replaced by its number.
func numbered(s string, n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = strings.ReplaceAll(s, "%", strconv.Itoa(i))
	}
	return strings.Join(all, ",")
}

func TestNestingIsNoDeeperThanTheGrammar(t *testing.T) {
	for _, tt := range []struct{ name, before, each, after string }{
		{"arrays for a document", "", "[", ""},
		{"objects for a document", "", `{"Statement":`, ""},
		{"arrays for statements", `{"Statement":`, "[", ""},
		{"arrays for an action", `{"Statement":{"Action":`, "[", ""},
		{"arrays for an unknown element", `{"Foo":`, "[", ""},
		{"objects for a condition", `{"Statement":{"Condition":`, `{"a":`, ""},
		{"arrays for a condition value", `{"Statement":{"Condition":{"StringEquals":{"a":`, "[", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			deep := tt.before + strings.Repeat(tt.each, (131_072-len(tt.before))/len(tt.each))
			_, err := policy.Parse(deep)
			require.EqualError(t, err, syntaxErrors)
			require.LessOrEqual(t, testing.AllocsPerRun(5, func() { _, _ = policy.Parse(deep) }), 10.0, "it was not descended into")
		})
	}
}

func TestSize(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   string
		want int
	}{
		{"nothing", "", 0},
		{"white space between tokens does not count", " {\t\"a\" :\r\n [ 1 , 2 ] } ", 11},
		{"white space in strings counts", `{"a b":"c  d"}`, 14},
		{"a quote behind a backslash does not end a string", `["a\"  b"]`, 10},
		{"a backslash behind a backslash does not keep the quote", `["a\\" , " "]`, 11},
		{"characters count, not bytes", `["é中😀"]`, 7},
		{"escapes count as they stand", `["\u00e9"]`, 10},
		{"what is no JSON counts, too", `a "b c`, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, policy.Size(tt.in))
		})
	}
}
