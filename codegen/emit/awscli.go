package emit

import (
	"fmt"
	"path"
	"strings"

	"github.com/dave/jennifer/jen"

	"iamserver/codegen/awsmodel"
	"iamserver/codegen/model"
)

// CLI returns the package awscli: for each service that has extensions, a model
// for the AWS CLI, which embeds as files under SERVICE/VERSION. A service
// without extensions needs none, and a model would take actions away from it:
// one that AWS_DATA_PATH names replaces the CLI's own. The waiters must be
// written too, since the CLI's own are of actions that the model lacks.
func CLI(services []*model.Service) (Files, error) {
	files := Files{}
	folders := []string{"README.md"}
	var readme strings.Builder
	readme.WriteString(cliReadme)
	for _, s := range services {
		extensions := extensionsOf(s)
		if len(extensions) == 0 {
			continue
		}
		folders = append(folders, s.Name)
		m := awsmodel.Of(s)
		for name, write := range map[string]func() ([]byte, error){
			"service-2.json": m.ServiceFile, "paginators-1.json": m.PaginatorsFile, "waiters-2.json": m.WaitersFile,
		} {
			data, err := write()
			if err != nil {
				return nil, fmt.Errorf("write %s of %s: %w", name, s.Name, err)
			}
			files[path.Join("generated/awscli", s.Name, s.Version, name)] = data
		}
		fmt.Fprintf(&readme, "\nWhat `aws %s` then has, and AWS does not:\n\n", s.Name)
		for _, line := range extensions {
			readme.WriteString("* " + line + "\n")
		}
	}
	if len(files) == 0 {
		return files, nil
	}
	files["generated/awscli/README.md"] = []byte(readme.String())
	g := &generator{files: files}
	g.write("awscli", "awscli", cliPackage(folders))
	return files, g.err
}

const cliReadme = `# Models for the AWS CLI

With the environment variable AWS_DATA_PATH set to this folder, the AWS CLI and
other tools that are built on botocore know this server's extensions. The
models here take the place of the CLI's own: actions that this server does not
have are gone, so work with AWS itself where the variable is not set.
`

// cliPackage emits
//
//	//go:embed README.md iam
//	var FS embed.FS
func cliPackage(folders []string) *jen.File {
	f := goFile(module+"/generated/awscli", "spec/")
	f.PackageComment("// Package awscli holds the models from which the AWS CLI learns this server's")
	f.PackageComment("// extensions. It writes them nowhere.")
	f.Comment("FS is a folder for AWS_DATA_PATH to name: for each service with extensions")
	f.Comment("SERVICE/VERSION/service-2.json, paginators-1.json and waiters-2.json; and a README.md.")
	f.Comment("//")
	f.Comment("//go:embed " + strings.Join(folders, " "))
	f.Var().Id("FS").Qual("embed", "FS")
	return f
}

// extensionsOf describes what a service has that AWS has not, one line each.
func extensionsOf(s *model.Service) []string {
	var lines []string
	for _, a := range s.Actions {
		if a.Extension != "" {
			lines = append(lines, "`"+kebab(a.Name)+"`")
		} else if options := extensionMembers(a.Input, func(m string) string { return "`--" + kebab(m) + "`" }); len(options) > 0 {
			lines = append(lines, "`"+kebab(a.Name)+"` with "+strings.Join(options, ", "))
		}
	}
	for _, shape := range s.Shapes {
		if members := extensionMembers(shape, func(m string) string { return "`" + m + "`" }); len(members) > 0 {
			lines = append(lines, "`"+shape.Name+"` with "+strings.Join(members, ", ")+", in answers")
		}
	}
	return lines
}

func extensionMembers(s *model.Structure, show func(string) string) []string {
	var names []string
	for _, m := range s.Members {
		if m.Extension != "" {
			names = append(names, show(m.Name))
		}
	}
	return names
}

// kebab turns CreateUser into create-user, as the CLI does.
func kebab(name string) string { return strings.ReplaceAll(snake(name), "_", "-") }
