package s3

import (
	"errors"
	"io"
	"math"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"unicode/utf8"

	"iamserver/generated/s3err"
	"iamserver/runtime/operation"
	"iamserver/runtime/sigv4"
)

const (
	// The fields before the file have at most this many bytes, as on AWS.
	maxFields = 20 << 10
	// More fields than any form has.
	maxFieldCount = 200
	// All that comes before the file: fields, and what tells them apart.
	maxFormHead = 64 << 10
)

// FileInMemory is how long the file of a form may be to be kept in memory; a longer
// one is kept on disk.
const FileInMemory = 1 << 20

// A Form is what a browser posted: fields, which stand for headers, and a file.
type Form struct {
	fields []field
	file   *multipart.Part
	policy *postPolicy // nil if there is none
}

type field struct{ name, value string }

// Fields of other names than the headers that they stand for.
var fieldHeaders = map[string]string{"X-Amz-Acl": "acl", "X-Amz-Tagging": "tagging"}

// Field returns a field by the canonical name of the header that it stands for.
func (f *Form) Field(header string) (value string, ok bool) {
	if name, found := fieldHeaders[header]; found {
		header = name
	}
	for _, field := range f.fields {
		if strings.EqualFold(field.name, header) {
			return field.value, true
		}
	}
	return "", false
}

// ReadForm reads the form of a request that was recognised as PostObject, up to
// its file: from then on the request has the key and the headers that the fields
// say. contentType is that of the request. The error is an *apierror.Error, or
// that of body.
func (c *Classifier) ReadForm(r *Request, contentType string, body io.Reader) (*Form, error) {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil || media != "multipart/form-data" || params["boundary"] == "" {
		return nil, s3err.NotAForm()
	}
	f, head := &Form{}, &formHead{src: body, left: maxFormHead}
	if err := f.readFields(multipart.NewReader(head, params["boundary"])); err != nil {
		if head.left == 0 {
			return nil, s3err.FieldsTooLong()
		}
		return nil, err
	}
	head.left = math.MaxInt64
	key, ok := f.Field("key")
	if !ok || key == "" {
		return nil, s3err.InvalidFormField("key")
	}
	if err := validKey(key); err != nil {
		return nil, err
	}
	if err := c.checkKey(key); err != nil {
		return nil, err
	}
	if text, ok := f.Field("policy"); ok {
		if f.policy, err = parsePostPolicy(text); err != nil {
			return nil, err
		}
	}
	r.Key, r.form = key, f
	for _, field := range f.fields {
		name := http.CanonicalHeaderKey(field.name)
		if (strings.HasPrefix(name, amzPrefix) || r.forwards(name)) && strings.IndexFunc(field.value, func(c rune) bool { return c < utf8.RuneSelf && isControl(byte(c)) }) >= 0 {
			return nil, s3err.InvalidFormField(field.name)
		}
	}
	return f, r.supported()
}

// A formHead ends where the file of a form should have begun: the headers of a part
// could otherwise take megabytes of anybody's.
type formHead struct {
	src  io.Reader
	left int64
}

func (h *formHead) Read(p []byte) (int, error) {
	if h.left == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := h.src.Read(p[:min(int64(len(p)), h.left)])
	h.left -= int64(n)
	return n, err
}

// readFields reads the parts up to the file. A field that stands there twice is
// refused: the policy could be held against one, and the store get the other.
func (f *Form) readFields(parts *multipart.Reader) error {
	size := 0
	for {
		part, err := parts.NextRawPart()
		switch {
		case errors.Is(err, io.EOF):
			return s3err.OneFile()
		case err != nil:
			return malformed(err)
		}
		name := part.FormName()
		if strings.EqualFold(name, "file") {
			f.file = part
			f.expand(part.FileName())
			return nil
		}
		if name == "" || !utf8.ValidString(name) {
			return s3err.MalformedForm()
		}
		value, err := io.ReadAll(io.LimitReader(part, maxFields+1))
		if err != nil {
			return malformed(err)
		}
		if size += len(name) + len(value); size > maxFields || len(f.fields) == maxFieldCount {
			return s3err.FieldsTooLong()
		}
		if !utf8.Valid(value) {
			return s3err.MalformedForm()
		}
		for _, other := range f.fields {
			if strings.EqualFold(other.name, name) {
				return s3err.InvalidFormField(name)
			}
		}
		text := string(value)
		if strings.EqualFold(name, "tagging") {
			if text, err = headerOfTagging(text); err != nil {
				return err
			}
		}
		f.fields = append(f.fields, field{name, text})
	}
}

// headerOfTagging turns the document of a form into the form of a header.
func headerOfTagging(text string) (string, error) {
	var doc struct {
		Tags    tagSet   `xml:"TagSet>Tag"`
		Unknown *unknown `xml:",any"`
	}
	if err := parseDocument([]byte(text), "Tagging", &doc); err != nil {
		return "", err
	}
	return doc.Tags.header(), doc.Tags.check()
}

// expand puts the name of the file where the fields ask for it.
func (f *Form) expand(filename string) {
	for i := range f.fields {
		if !strings.EqualFold(f.fields[i].name, "policy") {
			f.fields[i].value = strings.ReplaceAll(f.fields[i].value, "${filename}", filename)
		}
	}
}

func malformed(err error) error {
	var network interface{ Timeout() bool }
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return s3err.BodyTooShort()
	case errors.As(err, &network):
		return err
	}
	return s3err.MalformedForm()
}

// Signed says whether the form says that somebody signed it.
func (f *Form) Signed() bool {
	for _, name := range []string{"X-Amz-Signature", "X-Amz-Credential", "Policy", "AWSAccessKeyId", "Signature"} {
		if _, ok := f.Field(name); ok {
			return true
		}
	}
	return false
}

// Post returns what the form says of its signature.
func (f *Form) Post() sigv4.Post {
	get := func(name string) string {
		value, _ := f.Field(name)
		return value
	}
	return sigv4.Post{
		Algorithm: get("X-Amz-Algorithm"), Credential: get("X-Amz-Credential"), Date: get("X-Amz-Date"),
		Signature: get("X-Amz-Signature"), SessionToken: get("X-Amz-Security-Token"), Policy: get("Policy"),
	}
}

// A File is the file of a form, with a length that is known.
type File struct {
	io.Reader

	// Length is the number of its bytes.
	Length int64

	disk *os.File // nil if it is in memory
}

// Close gives back what the file takes.
func (f *File) Close() error {
	if f.disk == nil {
		return nil
	}
	return errors.Join(f.disk.Close(), os.Remove(f.disk.Name()))
}

// ReadFile reads the file of the form, which nobody knows the length of before,
// into memory or a file of dir; the form must be authorized by then. It refuses
// a file that is longer or shorter than the policy of the form allows, or longer
// than an object may be.
func (f *Form) ReadFile(dir string) (*File, error) {
	least, most := int64(0), int64(maxObject)
	if f.policy != nil {
		least, most = f.policy.least, min(most, f.policy.most)
	}
	file, err := spool(io.LimitReader(f.file, most+1), dir)
	if err != nil {
		return nil, err
	}
	switch {
	case file.Length > most:
		err = s3err.TooLarge()
	case file.Length < least:
		err = s3err.TooSmall()
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func spool(src io.Reader, dir string) (*File, error) {
	var head strings.Builder
	n, err := io.Copy(&head, io.LimitReader(src, FileInMemory))
	if err != nil {
		return nil, malformed(err)
	}
	file := &File{Reader: strings.NewReader(head.String()), Length: n}
	if n < FileInMemory {
		return file, nil
	}
	if file.disk, err = os.CreateTemp(dir, "form-"); err != nil {
		return nil, err
	}
	more, err := io.Copy(file.disk, src)
	if err != nil {
		return nil, errors.Join(malformed(err), file.Close())
	}
	if _, err := file.disk.Seek(0, io.SeekStart); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	file.Reader = io.MultiReader(file.Reader, file.disk)
	file.Length += more
	return file, nil
}

// NewFormBody returns the body that is put for a form.
func (r *Request) NewFormBody(file *File) (*Body, error) {
	return r.NewBody(file, file.Length, sigv4.Payload{Kind: sigv4.UnsignedPayload}, nil)
}

// isForm says whether a form is to be put.
func (r *Request) isForm() bool { return r.Operation.Body == operation.Form }

// answerForm answers the browser as the form asks for it.
func (g *Gateway) answerForm(w http.ResponseWriter, hr *http.Request, r *Request, etag string) error {
	location := locationOf(hr, r)
	w.Header().Set("Location", location)
	if target, ok := r.form.Field("success_action_redirect"); ok {
		if address, ok := redirect(target, r, etag); ok {
			w.Header().Set("Location", address)
			w.WriteHeader(http.StatusSeeOther)
			return nil
		}
	}
	switch status, _ := r.form.Field("success_action_status"); status {
	case "200":
		w.WriteHeader(http.StatusOK)
	case "201":
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusCreated)
		_, err := w.Write(postResponse(location, r, etag))
		g.finish(err)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
	return nil
}
