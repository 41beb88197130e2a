package s3

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"iamserver/generated/s3api"
	"iamserver/generated/s3err"
	"iamserver/runtime/awsxml"
)

// rewrites says whether the document that a store answers with names what
// belongs to the store, or has to say more than the store knows.
func rewrites(r *Request, content Content) bool {
	return roots[r.Operation.Name] != "" || r.Operation.Owners || r.Operation.Name == "CompleteMultipartUpload" || len(content.Denied) > 0 || content.KeepingLocks != nil
}

// roots are the root elements of documents of which some stores have the name that
// SDKs have for their type, which other SDKs do not take.
var roots = map[string]string{"GetObjectRetention": "Retention", "GetObjectLegalHold": "LegalHold"}

// A rewriter copies a document, element by element, and puts the account in
// place of the store's owner, the address that the client knows in place of the
// store's, and behind the entries that were deleted those that were deleted before,
// and those that were not allowed.
type rewriter struct {
	root     string // instead of the store's, if not empty
	owner    string
	location string
	before   []byte // elements
	denied   []Deletion
}

// copy copies a document. It holds one token of it at a time.
func (x *rewriter) copy(w io.Writer, src io.Reader) error {
	var raw bytes.Buffer
	d := xml.NewDecoder(io.TeeReader(src, &raw))
	d.Strict = true
	var out bytes.Buffer
	var at int64
	var closing []byte      // of a root that was written in one
	depth, skipping := 0, 0 // skipping is the depth of the element left out
	for {
		token, err := d.RawToken()
		end := d.InputOffset()
		text := raw.Next(int(end - at))
		at = end
		switch t := token.(type) {
		case xml.StartElement:
			depth++
			if depth == 1 {
				text = x.renamed(t.Name, text)
			}
			if depth == 1 && len(x.before)+len(x.denied) > 0 && bytes.HasSuffix(text, []byte("/>")) {
				// It has an end after all. The decoder goes on to the end of an element
				// that is written in one; its text is empty.
				text, closing = append(slices.Clone(text[:len(text)-2]), '>'), []byte("</"+qualified(t.Name)+">")
			}
			if with := x.instead(t.Name.Local); with != nil && skipping == 0 && depth > 1 {
				skipping = depth
				out.Write(with)
			}
		case xml.EndElement:
			if depth == 1 {
				text = x.renamed(t.Name, text)
				out.Write(x.before)
				x.appendDenied(&out)
				if closing != nil {
					text = closing
				}
			}
			depth--
			if skipping == depth+1 {
				skipping = 0
				text = nil
			}
		}
		if skipping == 0 {
			out.Write(text)
		}
		if out.Len() >= heldBack || err != nil {
			if _, err := out.WriteTo(w); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF) && depth == 0:
			return nil
		case errors.Is(err, io.EOF):
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		}
	}
}

// renamed puts the right name of a root element in place of the one that it has.
func (x *rewriter) renamed(name xml.Name, tag []byte) []byte {
	if x.root == "" {
		return tag
	}
	right := xml.Name{Space: name.Space, Local: x.root}
	return bytes.Replace(tag, []byte(qualified(name)), []byte(qualified(right)), 1)
}

// qualified is a name as it is written.
func qualified(name xml.Name) string {
	if name.Space == "" {
		return name.Local
	}
	return name.Space + ":" + name.Local
}

// instead returns what stands in place of an element, nil if that stays.
func (x *rewriter) instead(name string) []byte {
	var doc awsxml.Writer
	switch name {
	case "Owner", "Initiator":
		doc.Owner(name, x.owner)
	case "Location":
		doc.String(name, x.location)
	}
	return doc.Bytes()
}

func (x *rewriter) appendDenied(out *bytes.Buffer) {
	denied := s3err.NotAllowed()
	for _, e := range x.denied {
		var doc awsxml.Writer
		doc.DeletionError(e.Key, e.VersionID, denied.Code.Name, denied.Message)
		out.Write(doc.Bytes())
	}
	x.denied = nil
}

// WriteDenied answers DeleteObjects where no entry was allowed: the store does
// not hear of it.
func WriteDenied(w http.ResponseWriter, denied []Deletion) error {
	w.Header().Set("Content-Type", "application/xml")
	x := rewriter{denied: denied}
	return x.copy(w, strings.NewReader(`<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<DeleteResult xmlns="`+s3api.Namespace+`"></DeleteResult>`))
}
