package host

import (
	"fmt"
	"testing"

	"github.com/yimmo-host/yimmo-host/host/guest"
)

// However many names a plugin makes up, the operator gets a bounded number.
func TestOverrunsAreBounded(t *testing.T) {
	var o overruns
	for n := range 1000 {
		o.trapped(&guest.TrapError{Kind: guest.KindBudget, Function: fmt.Sprint("f", n%500)})
	}
	o.trapped(&guest.TrapError{Kind: guest.KindTrap, Function: "f0"}) // is none
	names, total := 0, uint64(0)
	o.each(func(_ overrun, count uint64) { names++; total += count })
	if names != maxOverruns+1 || total != 1000 {
		t.Errorf("got %d names with %d overruns, want %d with 1000", names, total, maxOverruns+1)
	}
}
