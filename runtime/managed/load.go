package managed

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"time"

	"iamserver/runtime/arn"
	"iamserver/runtime/policy"
)

// maxDocument is how many bytes a document may have: as many as a request can
// carry. AWS's quota of 6,144 characters does not bind policies of its own.
const maxDocument = 131_072

var (
	nameForm = regexp.MustCompile(`^[\w+=,.@-]{1,128}$`)
	pathForm = regexp.MustCompile(`^/([!-.0-~]+/)*$`)
)

// Load returns the policies that come with the server and those of a directory:
// DIR/NAME.json is the document of the policy NAME, and DIR/team/NAME.json that
// of the policy with the path /team/. Names that begin with a dot are passed
// over. The error names the file that is not such a document, or whose name is
// taken.
func Load(dir string) (*Policies, error) {
	all, err := builtIn()
	if err != nil {
		return nil, err
	}
	own, err := read(os.DirFS(dir), dir)
	if err != nil {
		return nil, err
	}
	taken := map[string]string{}
	for _, p := range all {
		taken[strings.ToLower(p.Name)] = "a policy that comes with the server"
	}
	for _, p := range own {
		if by := taken[strings.ToLower(p.Name)]; by != "" {
			return nil, fmt.Errorf("%s: the name %s is that of %s", path.Join(dir, file(p)), p.Name, by)
		}
		taken[strings.ToLower(p.Name)] = path.Join(dir, file(p))
	}
	return newPolicies(append(all, own...)), nil
}

// read reads every document under fsys. The name of the directory is for errors.
func read(fsys fs.FS, dir string) ([]*Policy, error) {
	var all []*Policy
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("read managed policies: %w", err)
		case name != "." && strings.HasPrefix(entry.Name(), "."):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return nil
		}
		p, err := readPolicy(fsys, name)
		if err != nil {
			return fmt.Errorf("%s: %w", path.Join(dir, name), err)
		}
		all = append(all, p)
		return nil
	})
	return all, err
}

func readPolicy(fsys fs.FS, name string) (*Policy, error) {
	base, ok := strings.CutSuffix(path.Base(name), ".json")
	if !ok {
		return nil, errors.New("a managed policy is a file NAME.json; there can be no others in the directory")
	}
	p := &Policy{Name: base, Path: "/", Version: 1}
	if folder := path.Dir(name); folder != "." {
		p.Path = "/" + folder + "/"
	}
	if !nameForm.MatchString(p.Name) || !pathForm.MatchString(p.Path) || len(p.Path) > 512 {
		return nil, errors.New("the names of files and folders must be those that policies and paths can have")
	}
	p.ARN = arn.Policy(account, p.Path, p.Name)
	p.ID = ID(p.ARN)
	return p, p.readDocument(fsys, name)
}

func (p *Policy) readDocument(fsys fs.FS, name string) (err error) {
	f, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	p.Created = info.ModTime().UTC().Truncate(time.Second)
	p.Updated = p.Created
	text, err := io.ReadAll(io.LimitReader(f, maxDocument+1))
	switch {
	case err != nil:
		return err
	case len(text) > maxDocument:
		return fmt.Errorf("the document has more than %d bytes", maxDocument)
	}
	p.Document = string(text)
	document, err := policy.Parse(p.Document)
	if err == nil {
		err = document.Validate(policy.ManagedPolicy)
	}
	return err
}

// file is where the document of a policy stands in its directory.
func file(p *Policy) string { return strings.TrimPrefix(p.Path, "/") + p.Name + ".json" }
