package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/host/trace"
)

func pluginTestCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "test PLUGIN.wasm [DIR]",
		Short: "Run traces as tests of a plugin",
		Long: `Give a plugin what the traces in DIR say that it, or an earlier version of it, was
given, and check that it answers the same. DIR is testdata beside the plugin
unless given. The exit code is 1 if any trace differs or cannot be run.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return fmt.Errorf("plugin test needs a module and perhaps a directory, got %d arguments", len(args))
			}
			return nil
		},
		ValidArgsFunction: completeModules,
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := filepath.Join(filepath.Dir(args[0]), "testdata")
			if len(args) == 2 {
				dir = args[1]
			}
			return testPlugin(cmd.Context(), cmd.OutOrStdout(), args[0], dir)
		},
	}
}

func testPlugin(ctx context.Context, out io.Writer, file, dir string) error {
	names, err := filepath.Glob(filepath.Join(dir, "*"+trace.Suffix))
	if err == nil && len(names) == 0 {
		err = fmt.Errorf(`no traces in %q: record = "all" makes them`, dir)
	}
	if err != nil {
		return fmt.Errorf("plugin test: %w", err)
	}
	wasm, err := readModule(file)
	if err != nil {
		return fmt.Errorf("plugin test: %q: %w", file, err)
	}
	p, err := host.NewReplayer(ctx, wasm, host.Config{Compiler: compiler()})
	if err != nil {
		return about("plugin test: "+strconv.Quote(file), err)
	}
	defer p.Close()
	failed := 0
	for _, name := range names {
		if !testTrace(ctx, out, p, name) {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("plugin test: %q: %d of %s failed", file, failed, plural(len(names), "trace"))
	}
	return nil
}

// testTrace runs one trace and prints a line, or some more if it differs.
func testTrace(ctx context.Context, out io.Writer, p *host.Replayer, name string) bool {
	result, err := trace.Result{}, error(nil)
	f, err := openTrace(name)
	if err == nil {
		defer f.Close()
		result, err = p.Replay(ctx, f)
	}
	base := filepath.Base(name)
	switch {
	case err != nil:
		fmt.Fprintf(out, "FAIL  %s  %s\n", base, lineEnds.ReplaceAllString(err.Error(), "; "))
	case result.Difference != nil:
		var b bytes.Buffer
		printDifference(&b, result.Difference)
		fmt.Fprintf(out, "FAIL  %s  %s", base, strings.ReplaceAll(b.String(), "\n  ", "\n        "))
	case result.Calls == 0: // else a file that was cut off too early passes for ever
		fmt.Fprintf(out, "FAIL  %s  nothing to compare: %s\n", base, tellResult(&result))
	default:
		fmt.Fprintf(out, "ok    %s  %s\n", base, tellResult(&result))
		return true
	}
	return false
}
