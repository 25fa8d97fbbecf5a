// Command yimmo-host serves WebSocket and HTTP clients through plugins: .wasm
// files that decide what every connection gets to hear.
//
//	yimmo-host                      serve what server.toml says
//	yimmo-host echo.wasm            serve one module, without configuration
//	yimmo-host validate             check the configuration and its modules
//	yimmo-host plugin inspect FILE  say what a module is and needs
//	yimmo-host plugin test FILE     run traces as tests of a module
//	yimmo-host say URL TEXT...      send messages to a server, print the answers
//	yimmo-host replay TRACE         give a plugin again what it was given, and compare
//	yimmo-host trace show TRACE     print what a plugin was given and answered
//	yimmo-host config default       print the reference configuration
//
// # Exit codes
//
//	0  done; after a signal: every session was closed in good order
//	1  a mistake in arguments, configuration or a module, or the server failed
//	2  after a signal: the drain was cut short by a second one or by limits.drain
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yimmo-host/yimmo-host/host"
)

const exitCodes = `
Exit codes: 0 done, or drained in good order; 1 a mistake in arguments,
configuration or a module, or the server failed; 2 the drain was cut short by a
second signal or by limits.drain.`

func main() {
	err := newRoot(os.Environ()).Execute()
	printErrors(os.Stderr, err)
	switch {
	case err == nil:
	case errors.Is(err, host.ErrForced):
		os.Exit(2)
	default:
		os.Exit(1)
	}
}

// newRoot is the command line. Every verb finds its settings in environ.
func newRoot(environ []string) *cobra.Command {
	root := serveCommand("yimmo-host [MODULE.wasm...]", environ)
	root.Version = versionLine()
	root.SetVersionTemplate("{{.Version}}\n")
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w: %s --help lists what there is", err, cmd.CommandPath())
	})
	plugin := &cobra.Command{Use: "plugin", Short: "Work with plugin modules", Args: needsVerb, RunE: showHelp}
	plugin.AddCommand(inspectCommand(), pluginTestCommand())
	config := &cobra.Command{Use: "config", Short: "Work with configurations", Args: needsVerb, RunE: showHelp}
	config.AddCommand(configDefaultCommand())
	root.AddCommand(serveCommand("run [MODULE.wasm...]", environ), validateCommand(environ), plugin, sayCommand(),
		replayCommand(environ), traceCommand(), config, versionCommand(), compileCommand())
	return root
}

func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

func needsVerb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return unknownCommand(cmd, args[0])
}

func unknownCommand(cmd *cobra.Command, name string) error {
	var known []string
	for _, c := range cmd.Commands() {
		if !c.Hidden {
			known = append(known, c.Name())
		}
	}
	if like := nearest(name, known, max(1, len(name)/3)); like != "" {
		return fmt.Errorf("unknown command %q: did you mean %q?", name, like)
	}
	return fmt.Errorf("unknown command %q: %s --help lists what there is", name, cmd.CommandPath())
}

// modulesOnly accepts files as arguments, and tells a mistyped verb from one.
func modulesOnly(cmd *cobra.Command, args []string) error {
	for _, arg := range args {
		if _, err := os.Stat(arg); err != nil && !strings.ContainsAny(arg, `./\`) {
			return unknownCommand(cmd, arg)
		}
	}
	return nil
}

var lineEnds = regexp.MustCompile(`\s*\n\s*`) // as in the stack traces of guests

// printErrors writes each of the errors joined in err on a line of its own.
func printErrors(w io.Writer, err error) {
	for _, e := range parts(err) {
		fmt.Fprintf(w, "yimmo-host: %s\n", lineEnds.ReplaceAllString(e.Error(), "; "))
	}
}
