package host

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/trace"
)

// How long a call may take in a replay. The machine may be slower than the one
// that recorded, and nobody waits for an answer.
const (
	replayTurn  = 10 * time.Second
	replayStart = 30 * time.Second
)

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
		o.TurnTime, o.StartTime = replayTurn, replayStart
		return code.Start(ctx, o)
	}
	return r, nil
}

// Close gives the module back.
func (r *Replayer) Close() error { return errors.Join(r.code.Close(), r.engine.Close()) }
