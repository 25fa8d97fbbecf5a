package bench_test

import "testing"

// A frame that comes and goes on a polled socket makes no garbage in the host,
// with a guest or without.
func TestEchoAllocates(t *testing.T) {
	for _, l := range layers[1:] {
		t.Run(l.name, func(t *testing.T) {
			for _, size := range []int{128, 16 << 10} {
				p := connect(t, l.serve(t), size)
				if got := testing.AllocsPerRun(200, func() { p.echo(t) }); got != 0 {
					t.Errorf("echo of %d bytes: got %v allocations, want 0", size, got)
				}
			}
		})
	}
}
