package openapi

import (
	"encoding/json"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"iamserver/codegen/model"
)

// errorFile stands beside the root document where a service declares errors.
func (l *loader) errorFile() string { return path.Join(path.Dir(l.root), "errors.yaml") }

func (l *loader) hasErrors() bool {
	_, err := fs.Stat(l.source.fsys, l.errorFile())
	return err == nil
}

func (l *loader) errorCodes() {
	if l.service.Errors == "" && !l.hasErrors() {
		return
	}
	if l.service.Errors == "" || !l.hasErrors() {
		l.problem(l.rootAt("x-iam-service"), "errors.yaml and a name for its package (errors) need each other")
		return
	}
	file := l.errorFile()
	taken := map[string]bool{} // codes and messages share Go's name space
	for _, key := range l.source.keys(file, "") {
		taken[key.Value] = true
	}
	for _, key := range l.source.keys(file, "") {
		code := l.errorCode(file, key)
		for _, m := range code.Messages {
			if taken[m.Name] {
				l.problem(m.Position, "the name %s is taken by another message or code", m.Name)
			}
			taken[m.Name] = true
		}
		l.service.Codes = append(l.service.Codes, code)
	}
}

var (
	placeholder = regexp.MustCompile(`\{([^}]*)\}`)
	goName      = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)
)

func (l *loader) errorCode(file string, key *yaml.Node) *model.ErrorCode {
	at := positionOf(file, key)
	node := l.source.open(file).keys[at]
	code := &model.ErrorCode{Position: at, Name: key.Value}
	var d errorDialect
	if err := decodeNode(node, &d); err != nil {
		l.problem(at, "%v", err)
		return code
	}
	if !goName.MatchString(code.Name) {
		l.problem(at, "%q is not a name like NoSuchEntity", code.Name)
	}
	code.Description, code.Common = d.Description, d.Common
	if d.Error == nil || d.Error.Status < 400 || d.Error.Status > 599 || (d.Error.Fault != "Sender" && d.Error.Fault != "Receiver") {
		l.problem(l.source.within(at, "x-iam-error"), "%s needs x-iam-error with a status of 400 to 599 and a fault of Sender or Receiver", code.Name)
	} else {
		code.Status, code.Fault = d.Error.Status, d.Error.Fault
	}
	if code.Description == "" {
		l.problem(at, "%s has no description", code.Name)
	}
	if _, sentences := child(node, "x-iam-messages"); sentences != nil {
		for i := 0; i+1 < len(sentences.Content); i += 2 {
			code.Messages = append(code.Messages, l.message(file, sentences.Content[i], sentences.Content[i+1]))
		}
	}
	return code
}

func decodeNode(node *yaml.Node, into any) error {
	var raw map[string]any
	if err := node.Decode(&raw); err != nil {
		return err
	}
	data, err := json.Marshal(raw)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

func (l *loader) message(file string, name, text *yaml.Node) model.Message {
	if !goName.MatchString(name.Value) {
		l.problem(positionOf(file, name), "%q is not a name like UserNotFound", name.Value)
	}
	for _, p := range placeholder.FindAllStringSubmatch(text.Value, -1) {
		if !goName.MatchString(p[1]) || token.IsKeyword(strings.ToLower(p[1])) {
			l.problem(positionOf(file, text), "the placeholder %s is not a name like {UserName}", p[0])
		}
	}
	return model.Message{Position: positionOf(file, name), Name: name.Value, Text: text.Value}
}
