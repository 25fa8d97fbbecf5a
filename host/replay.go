package host

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/trace"
)

// replayStart is how long an instance may take to start in a replay.
const replayStart = 30 * time.Second

// A Replayer gives traces to instances of one module.
type Replayer struct {
	trace.Player
	engine *guest.Engine
	code   *guest.Code
}

// NewReplayer compiles a module. Of cfg it uses CacheDir, Compiler and Limits, as
// [Probe]. The caller must end with Close.
func NewReplayer(ctx context.Context, wasm []byte, cfg Config) (*Replayer, error) {
	cfg = cfg.withDefaults()
	cfg.Log = slog.New(slog.DiscardHandler)
	e, err := cfg.newEngine()
	if err != nil {
		return nil, err
	}
	code, err := e.Compile(ctx, "replay", wasm)
	if err != nil {
		e.Close()
		return nil, err
	}
	r := &Replayer{engine: e, code: code}
	r.Digest = code.Digest()
	r.Start = func(o guest.Options) (trace.Instance, error) {
		if o.Units == 0 { // else it has its share
			o.StartTime = replayStart
		}
		return code.Start(ctx, o)
	}
	return r, nil
}

// Close gives the module back.
func (r *Replayer) Close() error { return errors.Join(r.code.Close(), r.engine.Close()) }
