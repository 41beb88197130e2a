// Command build compiles the WebAssembly modules that tests and documentation
// use, and notes of which sources each was made, so that the tests need no
// compiler. It is run by make plugins; the server does not need it.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	root := flag.String("root", ".", "root of the module")
	only := flag.String("only", "", "build only modules whose path contains this")
	into := flag.String("into", "", "write the modules below this folder instead, and leave the list alone")
	flag.Parse()
	if err := run(*root, *only, *into); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(root, only, into string) error {
	all, err := modules(root)
	if err != nil {
		return err
	}
	for _, m := range all {
		if err := m.build(root, only, into); err != nil {
			return fmt.Errorf("build %s: %w", m.Path, err)
		}
	}
	if into != "" {
		return nil
	}
	return writeSums(root, all)
}
