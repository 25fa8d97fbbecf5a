package host

import (
	"context"
	"log/slog"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// Inspect reads a module's file without compiling or running anything of it and
// checks that it is a plugin this host can load. When the file can be read but
// is no such plugin, the description is returned together with the error.
func Inspect(wasm []byte) (guest.Module, error) {
	m, err := guest.Inspect(wasm)
	if err != nil {
		return guest.Module{}, err
	}
	return m, m.Check()
}

// Probe starts an instance of a module, asks what it says of itself in its
// control block, and ends it: version, features, rings. Of cfg it uses CacheDir,
// Compiler and Limits, zero fields as their comments say.
func Probe(ctx context.Context, wasm []byte, cfg Config) (abi.Control, error) {
	cfg = cfg.withDefaults()
	cfg.Log = slog.New(slog.DiscardHandler)
	e, err := cfg.newEngine()
	if err != nil {
		return abi.Control{}, err
	}
	defer e.Close()
	code, err := e.Compile(ctx, "probe", wasm)
	if err != nil {
		return abi.Control{}, err
	}
	defer code.Close()
	return code.Probe(ctx, guest.Options{Offered: offered, MemoryMax: cfg.Limits.Memory, StartTime: cfg.Limits.Start})
}
