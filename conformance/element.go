package conformance

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// An Element is an XML element: either with children or with text. Space around
// children is not kept.
type Element struct {
	Name      string
	Namespace string
	Children  []*Element
	Text      Template
	// More means that there may be other children than those given.
	More bool
}

// Child returns the first child of a name, or nil.
func (e *Element) Child(name string) *Element {
	for _, c := range e.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// What is read has no more elements than maxElements, nested no deeper than
// maxDepth: answers come from targets that nobody vouches for.
const (
	maxDepth    = 64
	maxElements = 100_000
)

// ParseAnswer reads the body of an answer: XML in which nothing is a placeholder.
func ParseAnswer(body []byte) (*Element, error) {
	return parseElement(body, func(text string) (Template, error) { return Literal(text), nil })
}

// ParseExpected reads XML with placeholders.
func ParseExpected(body string) (*Element, error) {
	return parseElement([]byte(body), ParseTemplate)
}

func parseElement(body []byte, text func(string) (Template, error)) (*Element, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	var root *Element
	var open []*Element
	var texts []*strings.Builder
	elements := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := &Element{Name: token.Name.Local, Namespace: token.Name.Space}
			elements++
			switch {
			case elements > maxElements:
				return nil, fmt.Errorf("there are more than %d elements", maxElements)
			case len(open) == maxDepth:
				return nil, fmt.Errorf("elements are nested deeper than %d", maxDepth)
			case len(open) > 0:
				open[len(open)-1].Children = append(open[len(open)-1].Children, e)
			case root != nil:
				return nil, fmt.Errorf("there is a second root element, %s", e.Name)
			default:
				root = e
			}
			open = append(open, e)
			texts = append(texts, &strings.Builder{})
		case xml.EndElement:
			e := open[len(open)-1]
			if err := e.finish(texts[len(texts)-1].String(), text); err != nil {
				return nil, err
			}
			open, texts = open[:len(open)-1], texts[:len(texts)-1]
		case xml.CharData:
			if len(open) > 0 {
				texts[len(texts)-1].Write(token)
			} else if len(bytes.TrimSpace(token)) > 0 {
				return nil, errors.New("there is text outside of the root element")
			}
		}
	}
	if root == nil {
		return nil, errors.New("there is no element")
	}
	return root, nil
}

// finish gives an element its text, once its children are known.
func (e *Element) finish(content string, text func(string) (Template, error)) error {
	t, err := text(content)
	if err != nil {
		return fmt.Errorf("in %s: %w", e.Name, err)
	}
	if trimmed, err := text(strings.TrimSpace(content)); err == nil && trimmed.Is("more") {
		e.More = true
		return nil
	}
	if len(e.Children) == 0 {
		e.Text = t
		return nil
	}
	if strings.TrimSpace(content) != "" {
		return fmt.Errorf("%s has both elements and text", e.Name)
	}
	return nil
}

// Write appends the element as indented XML.
func (e *Element) write(b *strings.Builder, indent, outer string) {
	b.WriteString(indent + "<" + e.Name)
	if e.Namespace != outer {
		b.WriteString(` xmlns="`)
		escape(b, e.Namespace)
		b.WriteString(`"`)
	}
	if len(e.Children) == 0 && e.Text.Empty() && !e.More {
		b.WriteString("/>\n")
		return
	}
	b.WriteString(">")
	if len(e.Children) == 0 && !e.More {
		escape(b, e.Text.String())
	} else {
		b.WriteString("\n")
		for _, c := range e.Children {
			c.write(b, indent+"  ", e.Namespace)
		}
		if e.More {
			b.WriteString(indent + "  {{more}}\n")
		}
		b.WriteString(indent)
	}
	b.WriteString("</" + e.Name + ">\n")
}

// String returns the element as indented XML.
func (e *Element) String() string {
	var b strings.Builder
	e.write(&b, "", "")
	return b.String()
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#xD;")

func escape(b *strings.Builder, text string) {
	b.WriteString(escaper.Replace(text))
}
