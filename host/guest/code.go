package guest

import (
	"context"
	"sync"

	"github.com/yimmo-host/yimmo-host/abi"
)

// A Code is one version of a plugin, compiled. Its instances share the machine
// code. Safe for concurrent use.
type Code struct {
	// Set by Engine.Compile, never changed.
	name      string
	module    Module
	machine   machine
	globals   []string // export names of the guest's mutable globals
	functions int      // of the guest, without imports; those behind them are the meter's
	slice     int32    // units between two safe points
	unsaved   []string // what a checkpoint cannot hold

	mu        sync.Mutex
	instances int
	closed    bool
}

// Digest is the SHA-256 of the module, hexadecimal: the name of the version.
func (c *Code) Digest() string { return c.module.Digest }

// Module is what [Inspect] says of the module. The slices are shared: read only.
func (c *Code) Module() Module { return c.module }

// Close keeps new instances from starting. The machine code is given back when
// the last instance is closed, at the latest; the error is that of giving back,
// if it happens now. Close may be called again.
func (c *Code) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	if c.instances > 0 {
		return nil
	}
	return c.machine.discard()
}

// hold keeps the machine code for one more instance.
func (c *Code) hold() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrClosed
	}
	c.instances++
	return nil
}

// drop is the end of what hold began.
func (c *Code) drop() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.instances--; c.instances > 0 || !c.closed {
		return nil
	}
	return c.machine.discard()
}

// Probe starts an instance, returns its control block and closes it: the
// features a plugin needs and wants, the rings it chose. Errors as of [Code.Start].
func (c *Code) Probe(ctx context.Context, o Options) (abi.Control, error) {
	i, err := c.Start(ctx, o)
	if err != nil {
		return abi.Control{}, err
	}
	return i.Control(), i.Close()
}
