package openapi

import (
	"bytes"
	"encoding/json"

	"github.com/getkin/kin-openapi/openapi3"
)

// The x-iam keys that may stand on each kind of object. The grammar refuses
// all others: a misspelt extension must never be ignored.

type rootDialect struct {
	Service *serviceDialect         `json:"x-iam-service"`
	Quotas  map[string]quotaDialect `json:"x-iam-quotas"`
}

type serviceDialect struct {
	Name           string `json:"name"`
	ID             string `json:"id"`
	Abbreviation   string `json:"abbreviation"`
	GlobalEndpoint string `json:"global-endpoint"`
	Package        string `json:"package"`
	Errors         string `json:"errors"`
	Namespace      string `json:"namespace"`
	Protocol       string `json:"protocol"`
	ListItem       string `json:"list-item"`
	OmitValues     bool   `json:"omit-values"`
}

type quotaDialect struct {
	Default     int    `json:"default"`
	Description string `json:"description"`
}

// pluginRootDialect is what may stand at the top of the contract with plugins.
type pluginRootDialect struct {
	Plugin *pluginDialect `json:"x-iam-plugin"`
}

type pluginDialect struct {
	Package string `json:"package"`
	Major   int    `json:"major"`
	Minor   int    `json:"minor"`
}

// fieldDialect is what may stand on a field of a plugin message.
type fieldDialect struct {
	Field     int  `json:"x-iam-field"`
	Sensitive bool `json:"x-iam-sensitive"`
}

type actionDialect struct {
	Access          string             `json:"x-iam-access"`
	Resource        oneOrMany          `json:"x-iam-resource"`
	ConditionKeys   []string           `json:"x-iam-condition-keys"`
	SelfService     bool               `json:"x-iam-self-service"`
	ImplicitSubject string             `json:"x-iam-implicit-subject"`
	Errors          []string           `json:"x-iam-errors"`
	Quota           []string           `json:"x-iam-quota"`
	Extension       string             `json:"x-iam-extension"`
	Pagination      *paginationDialect `json:"x-iam-pagination"`
	Waiter          *waiterDialect     `json:"x-iam-waiter"`
}

type resourceDialect struct {
	Type    string `json:"type"`
	Name    string `json:"name"`
	Path    string `json:"path"`
	From    string `json:"from"`
	Arn     string `json:"arn"`
	OwnerOf string `json:"owner-of"`
}

type paginationDialect struct {
	Input        string   `json:"input"`
	Output       string   `json:"output"`
	Limit        string   `json:"limit"`
	Truncated    string   `json:"truncated"`
	Items        []string `json:"items"`
	NonAggregate []string `json:"non-aggregate"`
}

type waiterDialect struct {
	Name     string `json:"name"`
	RetryOn  string `json:"retry-on"`
	Delay    int    `json:"delay"`
	Attempts int    `json:"attempts"`
}

// memberDialect is what may stand beside a member's $ref or on its inline schema.
type memberDialect struct {
	Extension string `json:"x-iam-extension"`
	Empty     string `json:"x-iam-empty"`
	Encoding  string `json:"x-iam-encoding"`
}

// outputDialect is what may stand on the schema of a response.
type outputDialect struct {
	Omit      []string `json:"x-iam-omit"`
	OmitEmpty []string `json:"x-iam-omit-empty"`
}

type scalarDialect struct {
	Sensitive  bool   `json:"x-iam-sensitive"`
	Audit      bool   `json:"x-iam-audit"`
	Message    string `json:"x-iam-message"`
	AWSPattern string `json:"x-iam-aws-pattern"`
}

type listDialect struct {
	Unique *uniqueDialect `json:"x-iam-unique"`
}

type uniqueDialect struct {
	Member   string `json:"member"`
	FoldCase bool   `json:"fold-case"`
	Error    string `json:"error"`
}

type errorDialect struct {
	Description string            `json:"description"`
	Error       *statusAndWho     `json:"x-iam-error"`
	Common      bool              `json:"x-iam-common"`
	Messages    map[string]string `json:"x-iam-messages"` // the order comes from the file
}

type statusAndWho struct {
	Status int    `json:"status"`
	Fault  string `json:"fault"`
}

// oneOrMany reads one resource or a list of them.
type oneOrMany []resourceDialect

func (o *oneOrMany) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("[")) {
		return json.Unmarshal(data, (*[]resourceDialect)(o))
	}
	*o = make(oneOrMany, 1)
	return json.Unmarshal(data, &(*o)[0])
}

// decode reads from the keys of an object those that a dialect names. The
// grammar has checked their form.
func (l *loader) decode(keys map[string]any, o *openapi3.Origin, dialect any) {
	data, err := json.Marshal(keys)
	if err == nil {
		err = json.Unmarshal(data, dialect)
	}
	if err != nil {
		l.problem(position(o), "extensions: %v", err)
	}
}
