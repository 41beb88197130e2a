package openapi

import (
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"iamserver/codegen/model"
	"iamserver/runtime/operation"
)

// LoadRequests reads the REST requests of the specification: each folder of fsys
// that holds a requests.yaml. The error is an InvalidError with every problem,
// unless they cannot be read at all.
func LoadRequests(fsys fs.FS) ([]*model.Requests, error) {
	folders, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("read specification: %w", err)
	}
	var all []*model.Requests
	var problems Problems
	for _, folder := range folders {
		file := path.Join(folder.Name(), "requests.yaml")
		if _, err := fs.Stat(fsys, file); err != nil {
			continue
		}
		r := &requestLoader{loader: newLoader(fsys, file), file: file, used: map[string]bool{}}
		r.load()
		all = append(all, r.requests())
		problems = append(problems, r.problems...)
	}
	if len(problems) > 0 {
		return nil, &InvalidError{problems.sorted()}
	}
	return all, nil
}

// A requestLoader reads one requests.yaml, and the errors.yaml beside it.
type requestLoader struct {
	*loader

	file       string
	dialect    requestsDialect
	operations []*model.Operation
	headers    [2][]model.Header // kept, unsupported
	used       map[string]bool   // "headers/lock": the groups that operations name
}

func (r *requestLoader) requests() *model.Requests {
	return &model.Requests{Position: r.service.Position, Service: r.service, Operations: r.operations, Kept: r.headers[0], Unsupported: r.headers[1]}
}

func (r *requestLoader) load() {
	r.grammar.requests(r.file)
	if r.hasErrors() {
		r.grammar.errorCodes(r.errorFile())
	}
	if r.problems = r.grammar.problems; len(r.problems) > 0 {
		return
	}
	if err := decodeNode(r.source.open(r.file).root, &r.dialect); err != nil {
		r.problem(r.service.Position, "%v", err)
		return
	}
	r.facts()
	r.errorCodes()
	for i, name := range []string{"kept", "unsupported"} {
		for _, key := range r.source.keys(r.file, name) {
			reason := [2]map[string]string{r.dialect.Kept, r.dialect.Unsupported}[i][key.Value]
			r.headers[i] = append(r.headers[i], model.Header{Position: positionOf(r.file, key), Name: r.header(positionOf(r.file, key), key.Value), Reason: reason})
		}
	}
	for _, key := range r.source.keys(r.file, "operations") {
		r.operations = append(r.operations, r.operation(key))
	}
	r.distinct()
	r.groups()
}

func (r *requestLoader) facts() {
	d, at := r.dialect.Service, r.source.top(r.file, "service")
	for _, fact := range [][2]string{{"name", d.Name}, {"title", d.Title}, {"namespace", d.Namespace}, {"package", d.Package}, {"errors", d.Errors}} {
		if fact[1] == "" {
			r.problem(at, "service lacks %s", fact[0])
		}
	}
	if folder := path.Base(path.Dir(r.file)); d.Name != "" && d.Name != folder {
		r.problem(r.source.top(r.file, "service", "name"), "the name must be that of the folder, %s", folder)
	}
	s := r.service
	s.Name, s.Title, s.Namespace, s.Package, s.Errors = d.Name, d.Title, d.Namespace, d.Package, d.Errors
}

func (r *requestLoader) header(at model.Position, name string) string {
	if name == "" || strings.ContainsFunc(name, func(c rune) bool {
		return c != '-' && ('a' > c || c > 'z') && ('A' > c || c > 'Z') && ('0' > c || c > '9')
	}) {
		r.problem(at, "%q is not the name of a header", name)
	}
	return http.CanonicalHeaderKey(name)
}

var methods = []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost, http.MethodDelete}

// What stands for the constants of package operation.
var (
	targets = map[string]operation.Target{"service": operation.Service, "bucket": operation.Bucket, "object": operation.Object}
	bodies  = map[string]operation.Body{
		"": operation.NoBody, "object": operation.ObjectBody, "document": operation.Document, "form": operation.Form,
		"deletions": operation.Deletions, "tagging": operation.Tagging, "retention": operation.Retention, "legal-hold": operation.LegalHold,
		"new-bucket": operation.NewBucket, "acl": operation.ACL, "policy": operation.Policy,
	}
	resources = map[string]operation.Resource{
		"all": operation.OnAll, "bucket": operation.OnBucket, "object": operation.OnObject, "source": operation.OnSource, "entries": operation.OnEntries,
	}
	states = map[string]operation.State{
		"": operation.Always, "governed": operation.Governed, "source-tagged": operation.SourceTagged, "tagged": operation.Tagged, "compared": operation.Compared,
	}
)

func (r *requestLoader) operation(key *yaml.Node) *model.Operation {
	at := positionOf(r.file, key)
	place := func(names ...string) model.Position { return r.source.within(at, names...) }
	d := r.dialect.Operations[key.Value]
	o := &model.Operation{Position: at, Summary: d.Summary}
	o.Name, o.Also, o.Method, o.Path, o.Here, o.Owners, o.HidesMissing = key.Value, d.Also, d.Method, d.Path, d.Here, d.Owners, d.HidesMissing
	if !goName.MatchString(o.Name) {
		r.problem(at, "%q is not a name like GetObject", o.Name)
	}
	if d.Summary == "" {
		r.problem(at, "%s has no summary", o.Name)
	}
	if !slices.Contains(methods, o.Method) {
		r.problem(place("method"), "the method must be one of %s, not %q", strings.Join(methods, ", "), o.Method)
	}
	target, ok := targets[d.Target]
	if !ok {
		r.problem(place("target"), "the target must be service, bucket or object, not %q", d.Target)
	}
	if o.Target = target; o.Path != "" && (target != operation.Service || o.Path[0] != '/') {
		r.problem(place("path"), "a path begins with a slash, and is for the target service")
	}
	for _, text := range d.Query {
		name, value, _ := strings.Cut(text, "=")
		o.Query = append(o.Query, operation.Parameter{Name: name, Value: value})
	}
	for _, name := range d.Header {
		o.Header = append(o.Header, r.header(place("header", name), name))
	}
	for _, name := range d.Optional {
		o.Optional = append(o.Optional, r.expand("parameters", r.dialect.Parameters, name)...)
	}
	for _, name := range d.Forward {
		for _, h := range r.expand("headers", r.dialect.Headers, name) {
			o.Forward = append(o.Forward, r.forwarded(place("forward", name), h))
		}
	}
	if o.Body, ok = bodies[d.Body]; !ok || (d.Body != "" && o.Method != http.MethodPut && o.Method != http.MethodPost) {
		r.problem(place("body"), "%s %s has no body of the kind %q", o.Method, o.Name, d.Body)
	}
	if r.permission(o, d, at); len(d.Needs) > 0 {
		r.needs(o, key)
		r.keys(o, d, at)
	}
	return o
}

// permission checks that an operation is refused or needs something.
func (r *requestLoader) permission(o *model.Operation, d operationDialect, at model.Position) {
	if (d.Refused == "") == (len(d.Needs) == 0) {
		r.problem(at, "%s must need something, or be refused", o.Name)
		return
	}
	if d.Refused == "" {
		return
	}
	r.used["reasons/"+d.Refused] = true
	if o.Refused = r.dialect.Reasons[d.Refused]; o.Refused == "" {
		r.problem(r.source.within(at, "refused"), "there is no reason %s", d.Refused)
		o.Refused = d.Refused
	}
	if d.Here || d.Owners || d.HidesMissing || d.Body != "" || len(d.Keys) > 0 || len(d.Forward) > 0 {
		r.problem(at, "%s is refused, so that body, forward, keys, here, owners and hides-missing say nothing", o.Name)
	}
}

// expand returns the members of a group, or the name itself if there is none.
func (r *requestLoader) expand(kind string, groups map[string][]string, name string) []string {
	if group, ok := groups[name]; ok {
		r.used[kind+"/"+name] = true
		return group
	}
	return []string{name}
}

// forwarded checks a header that is passed on.
func (r *requestLoader) forwarded(at model.Position, name string) string {
	canonical := r.header(at, name)
	for i, why := range [2]string{"kept", "unsupported"} {
		if slices.ContainsFunc(r.headers[i], func(h model.Header) bool { return h.Name == canonical }) {
			r.problem(at, "%s is %s: it cannot be passed on", name, why)
		}
	}
	return canonical
}

// needs reads the actions, which are written out or named.
func (r *requestLoader) needs(o *model.Operation, key *yaml.Node) {
	_, list := child(r.source.open(r.file).keys[o.Position], "needs")
	for _, item := range list.Content {
		if item.Kind == yaml.MappingNode {
			r.need(o, item)
			continue
		}
		_, groups := child(r.source.open(r.file).root, "needs")
		var group *yaml.Node
		if groups != nil {
			_, group = child(groups, item.Value)
		}
		if group == nil {
			r.problem(positionOf(r.file, item), "there is no need %s", item.Value)
			continue
		}
		r.used["needs/"+item.Value] = true
		for _, item := range group.Content {
			r.need(o, item)
		}
	}
	if len(o.Needs) > 0 && (o.Needs[0].When != nil || o.Needs[0].If != operation.Always) {
		r.problem(positionOf(r.file, key), "the first need of %s must apply always", o.Name)
	}
}

func (r *requestLoader) need(o *model.Operation, item *yaml.Node) {
	at := positionOf(r.file, item)
	var d needDialect
	if err := decodeNode(item, &d); err != nil {
		r.problem(at, "%v", err)
		return
	}
	n := operation.Need{OrInitiator: d.OrInitiator}
	for _, action := range []struct {
		name string
		into *string
	}{{d.Action, &n.Action}, {d.Versioned, &n.Versioned}} {
		if action.name == "" {
			continue
		}
		if !goName.MatchString(action.name) {
			r.problem(at, "%q is not the name of an action, like GetObject", action.name)
		}
		*action.into = r.service.Name + ":" + action.name
	}
	var ok bool
	if n.On, ok = resources[d.On]; !ok || d.Action == "" {
		r.problem(at, "a need has an action, and is on all, bucket, object, source or entries, not %q", d.On)
	}
	switch {
	case n.On == operation.OnObject && o.Target != operation.Object && o.Body != operation.Form,
		n.On == operation.OnBucket && o.Target == operation.Service,
		n.On == operation.OnSource && len(o.Header) == 0,
		n.On == operation.OnEntries && o.Body != operation.Deletions:
		r.problem(at, "%s has no %s", o.Name, d.On)
	}
	if n.If, ok = states[d.If]; !ok {
		r.problem(at, "a need applies if governed, source-tagged, tagged or compared, not %q", d.If)
	}
	if d.When != nil {
		n.When = &operation.Condition{Value: d.When.Value, Not: d.When.Not, Default: d.When.Default}
		for _, name := range d.When.Headers {
			n.When.Headers = append(n.When.Headers, r.header(at, name))
		}
		if len(n.When.Headers) == 0 {
			r.problem(at, "when names no header")
		}
	}
	o.Needs = append(o.Needs, n)
}

// keys reads the condition keys, in source order.
func (r *requestLoader) keys(o *model.Operation, d operationDialect, at model.Position) {
	for _, group := range d.Keys {
		if r.dialect.Keys[group] == nil {
			r.problem(r.source.within(at, "keys", group), "there are no keys %s", group)
			continue
		}
		r.used["keys/"+group] = true
		_, groups := child(r.source.open(r.file).root, "keys")
		_, members := child(groups, group)
		for i := 0; i+1 < len(members.Content); i += 2 {
			name := members.Content[i]
			k := r.key(positionOf(r.file, name), name.Value, r.dialect.Keys[group][name.Value])
			if slices.ContainsFunc(o.Keys, func(other operation.Key) bool { return other.Name == k.Name }) {
				r.problem(r.source.within(at, "keys", group), "%s supplies %s twice", o.Name, k.Name)
			}
			o.Keys = append(o.Keys, k)
		}
	}
}

func (r *requestLoader) key(at model.Position, name string, d keyDialect) operation.Key {
	k := operation.Key{Name: name, Default: d.Default}
	sources := 0
	for _, s := range []struct {
		value  string
		source operation.Source
		header bool
	}{
		{d.Header, operation.FromHeader, true},
		{d.Query, operation.FromQuery, false},
		{d.Tags, operation.FromTags, true},
		{d.TagKeys, operation.FromTagKeys, true},
		{d.DaysUntil, operation.FromDays, true},
		{d.Body, operation.FromBody, false},
		{d.Store, operation.FromStore, false},
		{d.Need, operation.FromNeed, false},
		{d.Value, operation.Constant, false},
	} {
		if s.value == "" {
			continue
		}
		sources++
		if k.Source, k.Param = s.source, s.value; s.header {
			k.Param = r.header(at, s.value)
		}
	}
	for _, action := range d.Of {
		k.Of = append(k.Of, r.service.Name+":"+action)
	}
	if sources != 1 || !strings.Contains(name, ":") {
		r.problem(at, "%s needs the form service:name and exactly one source", name)
	}
	return k
}

// distinct finds operations that the same request could be.
func (r *requestLoader) distinct() {
	for i, o := range r.operations {
		for _, other := range r.operations[:i] {
			if o.Method == other.Method && o.Target == other.Target && o.Path == other.Path && sameQuery(o.Query, other.Query) && sameNames(o.Header, other.Header) {
				r.problem(o.Position, "%s is recognised as %s is", o.Name, other.Name)
			}
		}
		for _, other := range r.operations {
			if o.Method != other.Method || o.Target != other.Target {
				continue
			}
			for _, p := range other.Query {
				if slices.Contains(o.Optional, p.Name) {
					r.problem(r.source.within(o.Position, "optional", p.Name), "%s cannot be optional in %s: %s is recognised by it", p.Name, o.Name, other.Name)
				}
			}
		}
	}
}

// sameQuery says whether there is a request that has exactly the parameters of
// both.
func sameQuery(a, b []operation.Parameter) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(p operation.Parameter) bool {
		return !slices.ContainsFunc(b, func(q operation.Parameter) bool {
			return p.Name == q.Name && (p.Value == q.Value || (p.Value == "*" && q.Value != "") || (q.Value == "*" && p.Value != ""))
		})
	})
}

func sameNames(a, b []string) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(name string) bool { return !slices.Contains(b, name) })
}

// groups finds those that no operation names.
func (r *requestLoader) groups() {
	for _, kind := range []string{"headers", "parameters", "reasons", "keys", "needs"} {
		for _, key := range r.source.keys(r.file, kind) {
			if !r.used[kind+"/"+key.Value] {
				r.problem(positionOf(r.file, key), "no operation names %s of the %s", key.Value, kind)
			}
		}
	}
}
