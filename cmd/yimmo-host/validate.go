package main

import (
	"embed"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/yimmo-host/yimmo-host/host"
)

// validateCommand checks everything that run would, short of listening.
func validateCommand(environ []string) *cobra.Command {
	var flags configFlags
	cmd := &cobra.Command{
		Use:               "validate [MODULE.wasm...]",
		Short:             "Check the configuration and its modules, report every mistake",
		Args:              modulesOnly,
		ValidArgsFunction: completeModules,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := load(flags.options(cmd, args), environ)
			if err != nil {
				return err
			}
			if err := errors.Join(c.checkCertificate(), c.inspectModules()); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "ok: %s: %s on %s\n",
				c.origin, plural(len(c.host.Plugins), "plugin"), c.host.Listen)
			return err
		},
	}
	flags.add(cmd)
	return cmd
}

func (c *config) checkCertificate() error {
	var errs []error
	for _, p := range c.locate(c.host.TLS.Check()) {
		errs = append(errs, p)
	}
	return errors.Join(errs...)
}

func (c *config) inspectModules() error {
	var errs []error
	for _, p := range c.host.Plugins {
		module, err := readModule(p.Path)
		if err == nil {
			_, err = host.Inspect(module)
		}
		key := "plugins." + p.Name + ".path"
		for _, e := range parts(err) {
			errs = append(errs, problem{whereIs(c.places, key), key, fmt.Sprintf("%q: %v", p.Path, e)})
		}
	}
	return errors.Join(errs...)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// reference is server.toml at the root of the project.
func reference(files embed.FS) []byte {
	doc, err := files.ReadFile("embedded/server.toml")
	if err != nil {
		panic(err) // the program was built without it
	}
	return doc
}

func configDefaultCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "default",
		Short: "Print the reference configuration: every key with its default and meaning",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(reference(embedded))
			return err
		},
	}
}
