package managed_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/generated/reference"
	"iamserver/runtime/action"
	"iamserver/runtime/managed"
)

const allowAll = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`

// AWS's policies are under AWS's names, and their ids never change: attachments
// are stored by them.
func TestBuiltIn(t *testing.T) {
	type named struct{ arn, id string }
	var got []named
	for _, p := range managed.BuiltIn().All() {
		got = append(got, named{p.ARN, p.ID})
		require.Same(t, p, managed.BuiltIn().Lookup(p.ARN))
		require.Same(t, p, managed.BuiltIn().ByID(p.ID))
		require.Equal(t, p.ID, managed.ID(p.ARN))
		require.Equal(t, p.ARN, "arn:aws:iam::aws:policy"+p.Path+p.Name)
		require.NotEmpty(t, p.Description)
		require.Equal(t, uint32(1), p.Version)
		require.Equal(t, time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC), p.Created)
		require.Equal(t, p.Created, p.Updated)
	}
	require.Equal(t, []named{
		{"arn:aws:iam::aws:policy/AdministratorAccess", "ANPAXUEARDEVTUHKHZ23E"},
		{"arn:aws:iam::aws:policy/AmazonS3FullAccess", "ANPASRY7GFCAGYCBEI3OF"},
		{"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", "ANPAQ5BXIUXVMDBU7G7AK"},
		{"arn:aws:iam::aws:policy/IAMFullAccess", "ANPA7B5UVX2EMSV5NZ2PS"},
		{"arn:aws:iam::aws:policy/IAMReadOnlyAccess", "ANPAPJ6MR2FDVTQR3ZOKF"},
		{"arn:aws:iam::aws:policy/IAMUserChangePassword", "ANPAFGIWLCRIFW7HG4OXA"},
		{"arn:aws:iam::aws:policy/PowerUserAccess", "ANPA2GJ374OZECNIBWSJS"},
		{"arn:aws:iam::aws:policy/ReadOnlyAccess", "ANPAFI55UOPBKUWLEKB5V"},
		{"arn:aws:iam::aws:policy/SecurityAudit", "ANPA5S73TV3LVL3I7UUHC"},
		{"arn:aws:iam::aws:policy/job-function/ViewOnlyAccess", "ANPA5YUO66XIYKLN3EJKG"},
	}, got)
}

// actions are the actions that a built-in policy allows by name.
func actions(t *testing.T, name string) []string {
	t.Helper()
	p := managed.BuiltIn().Lookup("arn:aws:iam::aws:policy/" + name)
	require.NotNil(t, p)
	var document struct {
		Statement []struct{ Action []string }
	}
	require.NoError(t, json.Unmarshal([]byte(p.Document), &document))
	var all []string
	for _, s := range document.Statement {
		all = append(all, s.Action...)
	}
	return all
}

// A policy that is called read-only changes nothing, and does not miss anything
// that the reference says does not.
func TestReadOnlyPolicies(t *testing.T) {
	for _, tt := range []struct {
		name     string
		services []string
		levels   []action.Access
		without  []string
	}{
		{"ReadOnlyAccess", []string{"iam", "s3", "sts"}, []action.Access{action.Read, action.List}, []string{"s3:AllowVendedLogDeliveryForResource", "s3:GetDataAccess", "sts:GetServiceBearerToken"}},
		{"IAMReadOnlyAccess", []string{"iam"}, []action.Access{action.Read, action.List}, nil},
		{"AmazonS3ReadOnlyAccess", []string{"s3"}, []action.Access{action.Read, action.List}, []string{"s3:AllowVendedLogDeliveryForResource", "s3:GetDataAccess"}},
		{"job-function/ViewOnlyAccess", []string{"iam", "s3"}, []action.Access{action.List}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var want []string
			for _, a := range reference.Catalogue.Actions {
				if slices.Contains(tt.services, a.Service) && slices.Contains(tt.levels, a.Access) && !slices.Contains(tt.without, a.String()) {
					want = append(want, a.String())
				}
			}
			require.ElementsMatch(t, want, actions(t, tt.name))
		})
	}
}

func TestSecurityAuditSeesNoContents(t *testing.T) {
	got := actions(t, "SecurityAudit")
	require.Contains(t, got, "s3:GetBucketPolicy")
	require.Contains(t, got, "s3:GetObjectAcl")
	require.Contains(t, got, "iam:GetUserPolicy")
	require.NotContains(t, got, "s3:GetObject")
	require.NotContains(t, got, "s3:GetObjectVersion")
	require.NotContains(t, got, "s3:GetObjectTorrent")
	for _, name := range got {
		require.True(t, reference.Catalogue.Action(name).Access.ReadOnly(), name)
	}
}

func TestLookup(t *testing.T) {
	p := managed.BuiltIn()
	require.Nil(t, p.Lookup("arn:aws:iam::aws:policy/administratoraccess"), "ARNs are distinguished by case")
	require.Nil(t, p.Lookup("arn:aws:iam::aws:policy/ViewOnlyAccess"), "the path belongs to the ARN")
	require.Nil(t, p.Lookup("arn:aws:iam::123456789012:policy/AdministratorAccess"))
	require.Nil(t, p.ByID("ANPA"))
}

func TestInForce(t *testing.T) {
	p := managed.BuiltIn()
	document, version, ok := p.InForce("arn:aws:iam::aws:policy/IAMFullAccess")
	require.True(t, ok)
	require.Equal(t, "v1", version)
	require.Equal(t, p.Lookup("arn:aws:iam::aws:policy/IAMFullAccess").Document, document)
	_, _, ok = p.InForce("arn:aws:iam::aws:policy/Nothing")
	require.False(t, ok)
}

func TestIs(t *testing.T) {
	for policyARN, want := range map[string]bool{
		"arn:aws:iam::aws:policy/AdministratorAccess":          true,
		"arn:aws:iam::aws:policy/team/Nothing":                 true,
		"arn:aws:iam::123456789012:policy/AdministratorAccess": false,
		"arn:aws:iam:::policy/AdministratorAccess":             false,
		"arn:aws:iam::aws:user/AdministratorAccess":            false,
		"aws": false,
	} {
		require.Equal(t, want, managed.Is(policyARN), policyARN)
	}
}

// write makes a directory of files.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		name = filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	}
	return dir
}

func TestLoad(t *testing.T) {
	dir := write(t, map[string]string{"Auditors.json": allowAll, "teams/blue/Read.json": allowAll, ".git/config": "x", ".hidden": "x"})
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	require.NoError(t, os.Chtimes(filepath.Join(dir, "Auditors.json"), at, at.Add(time.Millisecond)))
	// A directory that Kubernetes mounts holds links.
	require.NoError(t, os.Symlink("Auditors.json", filepath.Join(dir, "Linked.json")))

	p, err := managed.Load(dir)
	require.NoError(t, err)
	require.Len(t, p.All(), len(managed.BuiltIn().All())+3)
	require.Equal(t, &managed.Policy{
		ID: managed.ID("arn:aws:iam::aws:policy/Auditors"), Name: "Auditors", Path: "/", ARN: "arn:aws:iam::aws:policy/Auditors",
		Version: 1, Created: at, Updated: at, Document: allowAll,
	}, p.Lookup("arn:aws:iam::aws:policy/Auditors"))
	require.NotNil(t, p.Lookup("arn:aws:iam::aws:policy/teams/blue/Read"))
	require.NotNil(t, p.Lookup("arn:aws:iam::aws:policy/Linked"))
	require.NotNil(t, p.Lookup("arn:aws:iam::aws:policy/AdministratorAccess"))
	require.True(t, slices.IsSortedFunc(p.All(), func(a, b *managed.Policy) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	}))
}

func TestLoadRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, file, text string
		want             string // after the directory
	}{
		{"a document that is no policy", "Read.json", "{}", "/Read.json: Syntax errors in policy."},
		{"a document that only an inline policy can be", "Read.json", `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, "/Read.json: Policy document must be version 2012-10-17 or greater."},
		{"a document that is too large", "Read.json", strings.Repeat(" ", 131_073), "/Read.json: the document has more than 131072 bytes"},
		{"a file of another kind", "a/README.md", "", "/a/README.md: a managed policy is a file NAME.json; there can be no others in the directory"},
		{"a name that no policy can have", "Read it.json", allowAll, "/Read it.json: the names of files and folders must be those that policies and paths can have"},
		{"a folder that no path can have", "über/Read.json", allowAll, "/über/Read.json: the names of files and folders must be those that policies and paths can have"},
		{"a name that comes with the server", "a/administratoraccess.json", allowAll, "/a/administratoraccess.json: the name administratoraccess is that of a policy that comes with the server"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := write(t, map[string]string{tt.file: tt.text, "Other.json": allowAll})
			_, err := managed.Load(dir)
			require.EqualError(t, err, dir+tt.want)
		})
	}
	t.Run("a name twice", func(t *testing.T) {
		dir := write(t, map[string]string{"a/Read.json": allowAll, "b/READ.json": allowAll})
		_, err := managed.Load(dir)
		require.EqualError(t, err, dir+"/b/READ.json: the name READ is that of "+dir+"/a/Read.json")
	})
	t.Run("a directory that is not there", func(t *testing.T) {
		_, err := managed.Load(filepath.Join(t.TempDir(), "gone"))
		require.ErrorContains(t, err, "read managed policies: ")
		require.ErrorIs(t, err, os.ErrNotExist)
	})
}
