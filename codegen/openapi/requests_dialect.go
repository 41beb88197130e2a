package openapi

import (
	"reflect"

	"gopkg.in/yaml.v3"
)

// What may stand in a requests.yaml. The grammar refuses everything else.

type requestsDialect struct {
	Service     factsDialect                     `json:"service"`
	Headers     map[string][]string              `json:"headers"`
	Kept        map[string]string                `json:"kept"`
	Unsupported map[string]string                `json:"unsupported"`
	Parameters  map[string][]string              `json:"parameters"`
	Reasons     map[string]string                `json:"reasons"`
	Keys        map[string]map[string]keyDialect `json:"keys"`
	Needs       map[string][]needDialect         `json:"needs"`
	Operations  map[string]operationDialect      `json:"operations"`
}

type factsDialect struct {
	Name      string `json:"name"`
	Title     string `json:"title"`
	Namespace string `json:"namespace"`
	Package   string `json:"package"`
	Errors    string `json:"errors"`
}

type keyDialect struct {
	Header    string `json:"header"`
	Query     string `json:"query"`
	Tags      string `json:"tags"`
	TagKeys   string `json:"tag-keys"`
	DaysUntil string `json:"days-until"`
	Body      string `json:"body"`
	Store     string `json:"store"`
	Need      string `json:"need"`
	Value     string `json:"value"`
	Default   string `json:"default"`

	Of []string `json:"of"`
}

type needDialect struct {
	Action      string       `json:"action"`
	Versioned   string       `json:"versioned"`
	On          string       `json:"on"`
	When        *whenDialect `json:"when"`
	If          string       `json:"if"`
	OrInitiator bool         `json:"or-initiator"`
}

type whenDialect struct {
	Headers []string `json:"headers"`
	Value   string   `json:"value"`
	Not     string   `json:"not"`
	Default string   `json:"default"`
}

type operationDialect struct {
	Summary      string   `json:"summary"`
	Also         []string `json:"also"`
	Method       string   `json:"method"`
	Target       string   `json:"target"`
	Path         string   `json:"path"`
	Query        []string `json:"query"`
	Header       []string `json:"header"`
	Optional     []string `json:"optional"`
	Forward      []string `json:"forward"`
	Body         string   `json:"body"`
	Needs        needList `json:"needs"`
	Keys         []string `json:"keys"`
	Here         bool     `json:"here"`
	Owners       bool     `json:"owners"`
	HidesMissing bool     `json:"hides-missing"`
	Refused      string   `json:"refused"`
}

// A needList holds needs written out, and names of groups of them.
type needList []any

// requests checks requests.yaml.
func (g *grammar) requests(file string) {
	if g.open(file).root == nil {
		g.problems = append(g.problems, g.open(file).problem)
		return
	}
	mapping(checks{}.and(requestsDialect{}))(g, file, g.open(file).root)
}

func needOrName(g *grammar, file string, n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		dialectValue(reflect.TypeFor[needDialect]())(g, file, n)
		return
	}
	text(g, file, n)
}
