package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/yimmo-host/yimmo-host/host"
)

// serveCommand is "run", and the program without a verb.
func serveCommand(use string, environ []string) *cobra.Command {
	var flags configFlags
	cmd := &cobra.Command{
		Use:   use,
		Short: "Serve the plugins of server.toml, or the modules named",
		Long: `Serve the plugins of server.toml, or the modules named.

Settings come from flags, then YIMMO_* variables (limits.turn is
YIMMO_LIMITS_TURN), then the file, then defaults; yimmo-host config default
prints every key. The file is that of --config, else of YIMMO_CONFIG, else
server.toml in the working directory if there is one.

MODULE arguments replace all plugins configured: one serves "/", several serve
"/" and their name. Without any plugin the built-in echo serves "/".

SIGTERM and SIGINT drain: no new sessions, the present ones are closed with
1001. A second one ends at once. POST /drain on the admin listener drains too.
SIGHUP reads the certificate again.
` + exitCodes,
		Args:              modulesOnly,
		ValidArgsFunction: completeModules,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := load(flags.options(cmd, args), environ)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), c, newLogger(cmd.ErrOrStderr(), c.log))
		},
	}
	flags.add(cmd)
	return cmd
}

func completeModules(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"wasm"}, cobra.ShellCompDirectiveFilterFileExt
}

// configFlags are the flags of every verb that reads the configuration.
type configFlags struct {
	config, listen, logLevel, logFormat string
}

func (f *configFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.config, "config", "c", "", "configuration `file` (default server.toml if there is one)")
	cmd.Flags().StringVar(&f.listen, "listen", "", "`address` to listen on, port 0 picks a free one")
	cmd.Flags().StringVar(&f.logLevel, "log-level", "", "least severe line logged: trace, debug, info, warn or error")
	cmd.Flags().StringVar(&f.logFormat, "log-format", "", "form of a log line: text or json")
}

func (f *configFlags) options(cmd *cobra.Command, args []string) options {
	o := options{config: f.config, overrides: map[string]string{}, modules: args}
	for key, text := range map[string]string{"listen": f.listen, "log.level": f.logLevel, "log.format": f.logFormat} {
		if cmd.Flags().Changed(flagName(key)[2:]) {
			o.overrides[key] = text
		}
	}
	return o
}

// serve runs a host until a signal or a failure ends it. It returns
// [host.ErrForced] when sessions had to be cut.
func serve(ctx context.Context, c *config, log *slog.Logger) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)

	c.host.Log, c.host.Compiler = log, compiler()
	h, err := start(ctx, c, signals)
	if err != nil {
		return err
	}
	log.Info("listening", "addr", h.Addr().String(), "config", c.origin, "plugins", len(c.host.Plugins))
	served := make(chan error, 1)
	go func() { served <- h.Serve() }()
	for running := true; running; {
		select {
		case err := <-served:
			return fmt.Errorf("serve: %w", err)
		case <-hangups:
			reload(h, log)
		case <-h.DrainRequested():
			log.Info("draining", "signal", "admin", "limit", c.host.Limits.Drain)
			running = false
		case s := <-signals:
			log.Info("draining", "signal", s.String(), "limit", c.host.Limits.Drain)
			running = false
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		<-signals
		cancel()
	}()
	err = h.Shutdown(ctx)
	err = errors.Join(err, <-served)
	log.Info("stopped", "forced", errors.Is(err, host.ErrForced))
	return err
}

// reload does what SIGHUP asks for. What cannot be used changes nothing.
func reload(h *host.Host, log *slog.Logger) {
	if err := h.Reload(); err != nil {
		log.Error("not reloaded, everything stays as it was", "err", err)
		return
	}
	log.Info("reloaded")
}

// start makes the host. A signal meanwhile, compiling can take seconds, ends it.
func start(ctx context.Context, c *config, signals chan os.Signal) (*host.Host, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	started := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case s := <-signals:
			cancel(fmt.Errorf("%v before the start was done", s))
			signals <- s // for a host that was started all the same
		case <-started:
		}
	}()
	h, err := host.New(ctx, c.host)
	close(started)
	<-watched
	if err == nil {
		return h, nil
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return nil, c.startError(err)
}

// startError gives the errors of [host.New] their keys and places.
func (c *config) startError(err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		key, addr := "listen", c.host.Listen
		if strings.HasPrefix(err.Error(), "admin.listen: ") {
			key, addr = "admin.listen", c.host.Admin.Listen
		}
		return problem{whereIs(c.places, key), key, fmt.Sprintf(
			"%q: in use already, stop the other program or choose another; port 0 picks a free one", addr)}
	}
	var errs []error
	for _, p := range c.locate(pluginErrors(err)) {
		errs = append(errs, p)
	}
	return errors.Join(errs...)
}

// pluginErrors is the errors of the plugins, if it is for them that there is no
// host; else err itself.
func pluginErrors(err error) error {
	if several, ok := err.(interface{ Unwrap() []error }); ok && errors.Is(err, host.ErrNoPlugin) {
		for _, e := range several.Unwrap() {
			if e != host.ErrNoPlugin {
				return e
			}
		}
	}
	return err
}
