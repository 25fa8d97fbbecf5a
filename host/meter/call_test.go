package meter_test

import (
	"testing"

	"github.com/tetratelabs/wazero/api"

	"github.com/yimmo-host/yimmo-host/host/meter"
)

// A call is one of the guests' exports with its argument.
type call struct {
	name string
	arg  uint64
}

func (c call) run(b *testing.B, m, metered api.Module) {
	f := m.ExportedFunction(c.name)
	stack := make([]uint64, 2)
	var slice, budget api.MutableGlobal
	if metered != nil {
		slice = metered.ExportedGlobal(meter.ExportSlice).(api.MutableGlobal)
		budget = metered.ExportedGlobal(meter.ExportBudget).(api.MutableGlobal)
	}
	for b.Loop() {
		stack[0], stack[1] = c.arg, 100
		if metered != nil {
			slice.Set(100_000)
			budget.Set(1 << 60)
		}
		if err := f.CallWithStack(b.Context(), stack); err != nil {
			b.Fatal(err)
		}
	}
}
