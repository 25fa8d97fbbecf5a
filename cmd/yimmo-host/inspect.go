package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// facts are what inspect tells of a module; the names of the JSON output are a
// promise to scripts.
type facts struct {
	File     string   `json:"file"`
	SHA256   string   `json:"sha256"`
	Size     int      `json:"size"`
	ABI      string   `json:"abi"`
	Needs    []string `json:"needs"`
	Wants    []string `json:"wants"`
	Imports  []string `json:"imports"`
	Memory   memory   `json:"memory"`
	Events   uint32   `json:"events"`
	Commands uint32   `json:"commands"`
	Area     uint32   `json:"area"`
}

// memory is what a module declares, in bytes. Max is 0 if it declares none.
type memory struct {
	Min int64 `json:"min"`
	Max int64 `json:"max,omitempty"`
}

func inspectCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Say what a module is, needs and takes",
		Long: `Say what a module is, needs and takes. The module is checked as for a start,
and its initialisation is run in the sandbox, for only that tells its features
and rings. The exit code is 1 if this host cannot run it.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("plugin inspect needs one file, got %d", len(args))
			}
			if err := choose(output, "text", "json"); err != nil {
				return fmt.Errorf("--output: %w", err)
			}
			return nil
		},
		ValidArgsFunction: completeModules,
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := inspect(cmd, args[0])
			if err != nil {
				return about("plugin inspect: "+strconv.Quote(args[0]), err)
			}
			if output == "json" {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(f)
			}
			return f.print(cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "form of the answer: text or json")
	return cmd
}

func inspect(cmd *cobra.Command, file string) (*facts, error) {
	wasm, err := readModule(file)
	if err != nil {
		return nil, err
	}
	m, err := host.Inspect(wasm)
	if err != nil {
		return nil, err
	}
	control, err := host.Probe(cmd.Context(), wasm, host.Config{Compiler: compiler()})
	if err != nil {
		return nil, err
	}
	const page = 64 << 10
	f := &facts{
		File: file, SHA256: m.Digest, Size: m.Size,
		ABI:   fmt.Sprintf("%d.%d", control.Major, control.Minor),
		Needs: features(control.Needs), Wants: features(control.Wants), Imports: imports(m.Imports),
		Memory: memory{Min: int64(m.Memory.Min) * page},
		Events: control.Events.Cap, Commands: control.Commands.Cap, Area: control.Area.Cap,
	}
	if m.Memory.HasMax {
		f.Memory.Max = int64(m.Memory.Max) * page
	}
	return f, nil
}

// readModule reads a .wasm file, or a module inside this program.
func readModule(file string) ([]byte, error) {
	if name, ok := strings.CutPrefix(file, embeddedScheme); ok {
		return embeddedModule(name)
	}
	b, err := os.ReadFile(file)
	if e, ok := errors.AsType[*fs.PathError](err); ok { // whoever shows it names the file
		err = e.Err
	}
	return b, err
}

// about prefixes each of the errors joined in err.
func about(what string, err error) error {
	var errs []error
	for _, e := range parts(err) {
		errs = append(errs, fmt.Errorf("%s: %w", what, e))
	}
	return errors.Join(errs...)
}

// features are the names of the bits of set.
func features(set abi.Feature) []string {
	names := []string{}
	for bit := abi.Feature(1); bit != 0; bit <<= 1 {
		if set&bit != 0 {
			names = append(names, bit.String())
		}
	}
	return names
}

// imports are "module.name", sorted, each once.
func imports(all []guest.Import) []string {
	names := []string{}
	for _, i := range all {
		names = append(names, i.Module+"."+i.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (f *facts) print(to io.Writer) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	most := ""
	if f.Memory.Max != 0 {
		most = ", at most " + bytesText(f.Memory.Max)
	}
	for _, row := range [][2]string{
		{"file", f.File},
		{"sha256", f.SHA256},
		{"size", bytesText(int64(f.Size))},
		{"abi", f.ABI},
		{"needs", orNone(f.Needs, ", ")},
		{"wants", orNone(f.Wants, ", ")},
		{"memory", bytesText(f.Memory.Min) + " at first" + most},
		{"events", fmt.Sprintf("%d a turn", f.Events)},
		{"commands", fmt.Sprintf("%d a turn", f.Commands)},
		{"area", bytesText(int64(f.Area))},
		{"imports", orNone(f.Imports, "\n\t")},
	} {
		fmt.Fprintf(w, "%s\t%s\n", row[0], row[1])
	}
	return w.Flush()
}

func orNone(words []string, separator string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, separator)
}

// bytesText is a size with the unit in which it is shortest to read.
func bytesText(n int64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
