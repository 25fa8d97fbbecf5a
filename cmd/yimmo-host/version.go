package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yimmo-host/yimmo-host/abi"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the versions of program, Go, wazero and ABI",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s\ngo %s %s/%s\nwazero %s\nabi %d.%d\n",
				versionLine(), runtime.Version(), runtime.GOOS, runtime.GOARCH, moduleVersion("github.com/tetratelabs/wazero"),
				abi.Major, abi.Minor)
			return err
		},
	}
}

// versionLine names the program as it was built: the module's version and, from
// a working tree, the commit.
func versionLine() string {
	version, commit := "(devel)", ""
	info, ok := debug.ReadBuildInfo()
	if ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	if ok {
		commit = vcs(info.Settings)
	}
	return strings.TrimSpace("yimmo-host " + version + commit)
}

func vcs(settings []debug.BuildSetting) string {
	of := map[string]string{}
	for _, s := range settings {
		of[s.Key] = s.Value
	}
	if of["vcs.revision"] == "" {
		return ""
	}
	text := " (commit " + of["vcs.revision"] + ", " + of["vcs.time"]
	if of["vcs.modified"] == "true" {
		text += ", modified"
	}
	return text + ")"
}

func moduleVersion(path string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == path {
				return m.Version
			}
		}
	}
	return "unknown"
}
