package conformance

import (
	"embed"
	"io/fs"
)

//go:embed testdata/cli testdata/sdk
var files embed.FS

// Written returns the cases that were written or recorded, as opposed to those
// that are generated from the specification.
func Written() ([]*Case, error) {
	var all []*Case
	for _, name := range []string{"testdata/cli", "testdata/sdk"} {
		folder, err := fs.Sub(files, name)
		if err != nil {
			return nil, err
		}
		cases, err := Load(folder)
		if err != nil {
			return nil, err
		}
		all = append(all, cases...)
	}
	return all, nil
}

//go:embed testdata/profiles
var profiles embed.FS

// Profile returns the file of a profile that is built in, by its name.
func Profile(name string) ([]byte, error) {
	return profiles.ReadFile("testdata/profiles/" + name + ".yaml")
}

//go:embed testdata/unprovoked.yaml
var unprovoked []byte

// Unprovoked returns the file of errors that no case provokes, with the reasons.
func Unprovoked() []byte { return unprovoked }
