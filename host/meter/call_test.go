package meter_test

import (
	"fmt"
	"testing"

	"github.com/tetratelabs/wazero/api"

	"github.com/yimmo-host/yimmo-host/host/meter"
)

// A call is one of the guests' exports with the argument that it gets, as often
// as it wants arguments.
type call struct {
	name string
	arg  uint64
}

func (c call) String() string { return fmt.Sprintf("%s(%d)", c.name, c.arg) }

func (c call) args(m api.Module) []uint64 {
	args := make([]uint64, len(m.ExportedFunction(c.name).Definition().ParamTypes()))
	for i := range args {
		args[i] = c.arg
	}
	return args
}

// run measures the call, with controls if there are any.
func (c call) run(b *testing.B, m api.Module, controls *meter.Controls) {
	f, stack := m.ExportedFunction(c.name), make([]uint64, 2)
	for b.Loop() {
		stack[0], stack[1] = c.arg, 100
		if controls != nil {
			controls.Arm(unlimited)
		}
		if err := f.CallWithStack(b.Context(), stack); err != nil {
			b.Fatal(err)
		}
		if controls != nil {
			controls.Disarm(false)
		}
	}
}
