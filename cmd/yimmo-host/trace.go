package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yimmo-host/yimmo-host/host/trace"
)

func traceCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "trace", Short: "Work with traces of plugins", Args: needsVerb, RunE: showHelp}
	cmd.AddCommand(traceShowCommand())
	return cmd
}

func traceShowCommand() *cobra.Command {
	var session sessionFlag
	cmd := &cobra.Command{
		Use:   "show TRACE",
		Short: "Print what a plugin was given and what it answered",
		Long: `Print what a plugin was given and what it answered: a line for each event and
command, with the number of the call and the seconds since the plugin began.`,
		Args:              oneTrace("trace show"),
		ValidArgsFunction: completeTraces,
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := openTrace(args[0])
			if err == nil {
				defer f.Close()
				var r *trace.Reader
				if r, err = trace.NewReader(f); err == nil {
					err = trace.Show(cmd.OutOrStdout(), r, uint64(session))
				}
			}
			if err != nil {
				return fmt.Errorf("trace show: %q: %w", args[0], err)
			}
			return nil
		},
	}
	session.add(cmd, "print events and commands of that session only")
	return cmd
}

func oneTrace(verb string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("%s needs one trace, got %d", verb, len(args))
		}
		return nil
	}
}

func completeTraces(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"trace"}, cobra.ShellCompDirectiveFilterFileExt
}

// openTrace opens a file; whoever shows the error names it.
func openTrace(name string) (*os.File, error) {
	f, err := os.Open(name)
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return f, err
}

// sessionFlag is --session: sixteen hexadecimal digits, as in logs and traces.
type sessionFlag uint64

func (s *sessionFlag) add(cmd *cobra.Command, usage string) {
	cmd.Flags().Var(s, "session", usage)
}

func (s *sessionFlag) String() string {
	if *s == 0 {
		return ""
	}
	return fmt.Sprintf("%016x", uint64(*s))
}

func (s *sessionFlag) Set(text string) error {
	n, err := strconv.ParseUint(strings.TrimPrefix(text, "0x"), 16, 64)
	if err != nil || n == 0 {
		return errors.New("a session is a number in hexadecimal, as logs and traces have it")
	}
	*s = sessionFlag(n)
	return nil
}

func (s *sessionFlag) Type() string { return "id" }
