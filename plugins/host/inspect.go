package host

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"iamserver/generated/pluginapi"
	"iamserver/plugins/meter"
)

// A Description is what a module shows without running.
type Description struct {
	SHA256      string
	Bytes       int
	Hooks       []Hook // that it exports
	HasInit     bool
	Imports     []string // module.name
	Functions   int
	MemoryPages uint32 // at the start
	// Go says that the module looks like one of the standard Go compiler: its
	// instances need some 8 MiB and have pauses for collecting garbage.
	Go bool
}

// Inspect checks a module as Load does, without running or compiling it.
func Inspect(wasm []byte) (*Description, error) {
	d, _, err := inspect(wasm, DefaultLimits(1).module())
	return d, err
}

// Exports that the host calls beside the hooks.
const (
	exportMemory     = "memory"
	exportBuffer     = "iam_v1_buffer"
	exportInitialize = "_initialize"
	exportStart      = "_start"
)

var (
	typeHook   = meter.FunctionType{Params: meter.I32 + meter.I32, Results: meter.I64}
	typeBuffer = meter.FunctionType{Params: meter.I32, Results: meter.I32}
	typeNone   = meter.FunctionType{}
)

var versionedExport = regexp.MustCompile(`^iam_v([0-9]+)_`)

func inspect(wasm []byte, limits meter.Limits) (*Description, *meter.Module, error) {
	m, err := meter.Rewrite(wasm, limits)
	if err != nil {
		return nil, nil, err
	}
	hash := sha256.Sum256(wasm)
	d := &Description{SHA256: hex.EncodeToString(hash[:]), Bytes: len(wasm), Functions: m.Functions, MemoryPages: m.MemoryPages}
	for _, i := range m.Imports {
		f, ok := imports[i.Module+"."+i.Name]
		if !ok {
			return nil, nil, fmt.Errorf("the module imports %s, which plugins do not get", i)
		}
		if f.wasmType() != i.Type {
			return nil, nil, fmt.Errorf("the module imports %s with another type than it has", i)
		}
		if !slices.Contains(d.Imports, i.String()) {
			d.Imports = append(d.Imports, i.String())
		}
	}
	if err := d.exports(m); err != nil {
		return nil, nil, err
	}
	d.Go = slices.Contains(d.Imports, wasiModule+".poll_oneoff") && slices.Contains(d.Imports, wasiModule+".sched_yield")
	return d, m, nil
}

func (d *Description) exports(m *meter.Module) error {
	want := func(e meter.Export, t meter.FunctionType) error {
		if e.Kind != meter.ExportFunction || e.Type != t {
			return fmt.Errorf("the export %s is not a function of the type that the interface says", e.Name)
		}
		return nil
	}
	var memory, buffer bool
	others := map[string]bool{}
	for _, e := range m.Exports {
		var err error
		switch e.Name {
		case exportMemory:
			memory = e.Kind == meter.ExportMemory
		case exportBuffer:
			buffer, err = true, want(e, typeBuffer)
		case exportInitialize:
			err = want(e, typeNone)
		case exportStart:
			return fmt.Errorf("the module exports %s: it is a program that runs and ends; build it as a reactor", exportStart)
		case pluginapi.ExportInit:
			d.HasInit, err = true, want(e, typeHook)
		case pluginapi.ExportAuthorize, pluginapi.ExportValidatePolicy, pluginapi.ExportGenerateAccessKey:
			for _, h := range []Hook{Authorize, ValidatePolicy, GenerateAccessKey} {
				if exports[h] == e.Name {
					d.Hooks = append(d.Hooks, h)
				}
			}
			err = want(e, typeHook)
		default:
			if v := versionedExport.FindStringSubmatch(e.Name); v != nil {
				others[v[1]] = true
			}
		}
		if err != nil {
			return err
		}
	}
	slices.Sort(d.Hooks)
	switch {
	case len(d.Hooks) == 0 && len(others) > 0:
		var versions []string
		for v := range others {
			versions = append(versions, v)
		}
		slices.Sort(versions)
		return fmt.Errorf("the module speaks version %s of the interface, this server version %d", strings.Join(versions, ", "), pluginapi.Major)
	case len(d.Hooks) == 0:
		return fmt.Errorf("the module exports no hook, such as %s", pluginapi.ExportAuthorize)
	case !memory:
		return fmt.Errorf("the module does not export its memory as %q", exportMemory)
	case !buffer:
		return fmt.Errorf("the module does not export %s", exportBuffer)
	}
	return nil
}
