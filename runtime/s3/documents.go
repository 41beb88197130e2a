package s3

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"

	"iamserver/generated/s3api"
	"iamserver/generated/s3err"
	"iamserver/runtime/operation"
)

// A Deletion is one object that DeleteObjects names.
type Deletion struct {
	Key              string `xml:"Key"`
	VersionID        string `xml:"VersionId,omitempty"`
	ETag             string `xml:"ETag,omitempty"`
	LastModifiedTime string `xml:"LastModifiedTime,omitempty"`
	Size             string `xml:"Size,omitempty"`

	Unknown *unknown `xml:",any"`
}

// Deletions are the body of DeleteObjects.
type Deletions struct {
	Objects []Deletion `xml:"Object"`
	// Quiet asks for an answer that names errors only.
	Quiet bool `xml:"Quiet,omitempty"`

	Unknown *unknown `xml:",any"`
}

// An unknown element makes a document malformed: a store might know it.
type unknown struct{}

// UnmarshalXML fails.
func (*unknown) UnmarshalXML(_ *xml.Decoder, start xml.StartElement) error {
	return fmt.Errorf("unknown element %s", start.Name.Local)
}

const maxDeletions = 1000

// ParseDeletions reads the body of DeleteObjects. The error is an
// *apierror.Error where a document or a key of it cannot be accepted.
func (c *Classifier) ParseDeletions(body []byte) (*Deletions, error) {
	var d Deletions
	if err := parseDocument(body, "Delete", &d); err != nil {
		return nil, err
	}
	if len(d.Objects) == 0 || len(d.Objects) > maxDeletions {
		return nil, s3err.InvalidDocument()
	}
	for _, o := range d.Objects {
		if o.Key == "" {
			return nil, s3err.InvalidDocument()
		}
		if err := validKey(o.Key); err != nil {
			return nil, err
		}
		if err := c.checkKey(o.Key); err != nil {
			return nil, err
		}
		if err := c.cfg.Keys.checkID(o.VersionID); err != nil {
			return nil, err
		}
	}
	return &d, nil
}

// Document writes the body anew, with the objects that it has now.
func (d *Deletions) Document() ([]byte, error) { return writeDocument("Delete", d) }

// ReadDocument reads the body of an operation whose body decides: it keeps what
// condition keys ask for, and returns the document written anew, so that the
// store reads in it what was read here. Other bodies are returned as they are.
func (r *Request) ReadDocument(body []byte) ([]byte, error) {
	facts := Facts{}
	var out []byte
	var err error
	switch r.Operation.Body {
	case operation.Tagging:
		var doc struct {
			Tags    tagSet   `xml:"TagSet>Tag"`
			Unknown *unknown `xml:",any"`
		}
		if err = parseDocument(body, "Tagging", &doc); err == nil {
			if err = doc.Tags.check(); err == nil {
				doc.Tags.facts(facts)
				out, err = writeDocument("Tagging", &doc)
			}
		}
	case operation.Retention:
		var doc struct {
			Mode            string   `xml:"Mode,omitempty"`
			RetainUntilDate string   `xml:"RetainUntilDate,omitempty"`
			Unknown         *unknown `xml:",any"`
		}
		if err = parseDocument(body, "Retention", &doc); err == nil {
			if (doc.Mode != "" && !slices.Contains(lockModes, doc.Mode)) || (doc.RetainUntilDate != "" && !isDate(doc.RetainUntilDate)) {
				return nil, s3err.InvalidDocument()
			}
			facts.set("retention-mode", doc.Mode)
			facts.set("retain-until-date", doc.RetainUntilDate)
			out, err = writeDocument("Retention", &doc)
		}
	case operation.LegalHold:
		var doc struct {
			Status  string   `xml:"Status"`
			Unknown *unknown `xml:",any"`
		}
		if err = parseDocument(body, "LegalHold", &doc); err == nil {
			if !slices.Contains(legalHolds, doc.Status) {
				return nil, s3err.InvalidDocument()
			}
			facts.set("legal-hold", doc.Status)
			out, err = writeDocument("LegalHold", &doc)
		}
	case operation.NewBucket:
		if len(bytes.TrimSpace(body)) == 0 {
			break
		}
		var doc struct {
			LocationConstraint string   `xml:"LocationConstraint,omitempty"`
			Tags               *tagSet  `xml:"Tags>Tag"`
			Unknown            *unknown `xml:",any"`
		}
		if err = parseDocument(body, "CreateBucketConfiguration", &doc); err == nil {
			// The region is the client's: there is one place, whatever clients call it,
			// and a store that has a name for it refuses all others.
			facts.set("location-constraint", doc.LocationConstraint)
			if doc.LocationConstraint = ""; doc.Tags == nil {
				break
			}
			if err = doc.Tags.check(); err != nil {
				break
			}
			doc.Tags.facts(facts)
			out, err = writeDocument("CreateBucketConfiguration", &doc)
		}
	default:
		return body, nil
	}
	if err != nil {
		return nil, err
	}
	r.facts = facts
	return out, nil
}

func (f Facts) set(name, value string) {
	if value != "" {
		f[name] = []string{value}
	}
}

// parseDocument reads a document whose root element is called root.
func parseDocument(body []byte, root string, into any) error {
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := d.Token()
		if err != nil {
			return s3err.InvalidDocument()
		}
		switch t := token.(type) {
		case xml.StartElement:
			if t.Name.Local != root || (t.Name.Space != "" && t.Name.Space != s3api.Namespace) {
				return s3err.InvalidDocument()
			}
			if err := d.DecodeElement(into, &t); err != nil {
				return s3err.InvalidDocument()
			}
			if rest := body[d.InputOffset():]; len(bytes.TrimSpace(rest)) > 0 {
				return s3err.InvalidDocument()
			}
			return nil
		case xml.Directive:
			return s3err.InvalidDocument() // no document type, so no entities
		}
	}
}

func writeDocument(root string, v any) ([]byte, error) {
	var out bytes.Buffer
	e := xml.NewEncoder(&out)
	start := xml.StartElement{Name: xml.Name{Local: root}, Attr: []xml.Attr{{Name: xml.Name{Local: "xmlns"}, Value: s3api.Namespace}}}
	if err := e.EncodeElement(v, start); err != nil {
		return nil, s3err.InvalidDocument()
	}
	return out.Bytes(), nil
}
