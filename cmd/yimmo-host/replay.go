package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/host/trace"
)

// A replayer is what replay is told.
type replayer struct {
	plugin  string
	config  string
	until   uint64
	session sessionFlag
}

// errDiffers is what a difference ends with, once it has been printed.
var errDiffers = errors.New("the plugin did something else")

func replayCommand(environ []string) *cobra.Command {
	var r replayer
	cmd := &cobra.Command{
		Use:   "replay TRACE",
		Short: "Give a plugin again what it was given, and compare what it answers",
		Long: `Give an instance of a plugin what the one recorded was given, and compare what it
answers. The first difference is shown with the event that it comes from; the exit
code is 1 then, and 0 if there is none.

The module is that of --plugin; else the one recorded, from beside the trace or
from the configuration.`,
		Example: `  yimmo-host replay traces/chat.0.20261122T210304.000000000Z.trace
  yimmo-host replay --plugin new.wasm --session 0000000100000007 chat.trace`,
		Args:              oneTrace("replay"),
		ValidArgsFunction: completeTraces,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := r.replay(cmd.Context(), cmd.OutOrStdout(), args[0], environ); err != nil {
				return fmt.Errorf("replay: %q: %w", args[0], err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&r.plugin, "plugin", "", "module to run: a .wasm `file`, or embedded:echo")
	cmd.Flags().StringVarP(&r.config, "config", "c", "", "configuration `file` whose modules may be the one recorded")
	cmd.Flags().Uint64Var(&r.until, "until", 0, "`number` of the last call to make, as trace show prints it")
	r.session.add(cmd, "compare the commands for that session only")
	return cmd
}

func (r *replayer) replay(ctx context.Context, out io.Writer, name string, environ []string) error {
	f, err := openTrace(name)
	if err != nil {
		return err
	}
	defer f.Close()
	t, err := trace.NewReader(f)
	if err != nil {
		return err
	}
	wasm, err := r.module(name, t.Header(), environ)
	if err != nil {
		return err
	}
	p, err := host.NewReplayer(ctx, wasm, host.Config{Compiler: compiler()})
	if err != nil {
		return err
	}
	defer p.Close()
	p.Until, p.Session = r.until, uint64(r.session)
	result, err := p.Replay(ctx, f)
	if err != nil {
		return err
	}
	if result.Granted != result.Recorded {
		fmt.Fprintf(out, "features: %v; those of the plugin recorded were %v, and its events for them\n", result.Granted, result.Recorded)
	}
	if result.Difference != nil {
		printDifference(out, result.Difference)
		return fmt.Errorf("turn %d: %w", result.Difference.Turn.Turn, errDiffers)
	}
	fmt.Fprintln(out, "same:", tellResult(&result))
	return nil
}

// tellResult says how much was replayed.
func tellResult(r *trace.Result) string {
	text := fmt.Sprintf("%s, %s, %s", plural(int(r.Calls), "call"), plural(int(r.Events), "event"), plural(int(r.Commands), "command"))
	if r.Missing > 0 {
		text += fmt.Sprintf("; %s in between not recorded", plural(int(r.Missing), "call"))
	}
	if r.Incomplete != nil {
		text += "; not to its end: " + lineEnds.ReplaceAllString(r.Incomplete.Error(), "; ")
	}
	return text
}

// module finds the module to replay with: the one that was asked for, or the one
// that was recorded.
func (r *replayer) module(name string, h *trace.Header, environ []string) ([]byte, error) {
	if r.plugin != "" {
		b, err := readModule(r.plugin)
		if err != nil {
			return nil, fmt.Errorf("--plugin: %q: %w", r.plugin, err)
		}
		return b, nil
	}
	if b, err := os.ReadFile(filepath.Join(filepath.Dir(name), h.Digest+".wasm")); err == nil {
		return b, nil
	}
	c, err := load(options{config: r.config}, environ)
	if err != nil && r.config != "" {
		return nil, err
	}
	for i := 0; err == nil && i < len(c.host.Plugins); i++ {
		p := &c.host.Plugins[i]
		b := p.Module
		if b == nil {
			b, _ = os.ReadFile(p.Path)
		}
		if s := sha256.Sum256(b); hex.EncodeToString(s[:]) == h.Digest {
			return b, nil
		}
	}
	return nil, fmt.Errorf("module %.12s of plugin %q is neither beside the trace nor configured: name one with --plugin", h.Digest, h.Plugin)
}

// printDifference shows where two runs part.
func printDifference(out io.Writer, d *trace.Difference) {
	fmt.Fprintf(out, "turn %d, call %d of the trace, %s: %s differs\n", d.Turn.Turn, d.Call, d.When().Format(time.RFC3339Nano), d.What)
	event := d.Event
	switch {
	case event == "":
		event = "none: the plugin was only asked for what it had left"
	case !d.Sure:
		event += "  (perhaps: the call had several)"
	}
	fmt.Fprintf(out, "  event     %s\n  recorded  %s\n  replayed  %s\n", event, d.Recorded, d.Replayed)
	if d.Detail != "" {
		fmt.Fprintf(out, "            %s\n", d.Detail)
	}
	if d.Redacted {
		fmt.Fprintln(out, "  The trace is redacted: the plugin got zeros instead of what was sent, which alone can make it differ.")
	}
}
