package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/yimmo-host/yimmo-host/host"
)

const compileVerb = "compile"

// compiler is the command by which this program compiles a plugin in a process
// of its own: itself, with a verb that help does not list.
func compiler() []string {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	return []string{self, compileVerb}
}

func compileCommand() *cobra.Command {
	return &cobra.Command{
		Use:    compileVerb,
		Short:  "Compile one plugin for a host that runs this program",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return host.CompilerMain(cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
}
