package guest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/host/guest"
)

// Starting, trapping, closing and compiling leave nothing behind: no goroutine,
// no mapping.
func TestNoLeaks(t *testing.T) {
	c := compile(t, wat(t, "echo"))
	looping := compile(t, wat(t, "loop_in_initialize"))
	tests := []struct {
		name  string
		cycle func() error
	}{
		{"start, turn, close", func() error {
			i, err := c.Start(context.Background(), guest.Options{})
			if err != nil {
				return err
			}
			_, _, _, err = i.Turn(0, give(i, 0x82, "x"), guest.Header{})
			return errors.Join(err, i.Close())
		}},
		{"deadline", func() error {
			_, err := looping.Start(context.Background(), guest.Options{StartTime: time.Millisecond})
			if trap := (*guest.TrapError)(nil); !errors.As(err, &trap) || trap.Kind != guest.KindDeadline {
				return fmt.Errorf("started an endless loop: %w", err)
			}
			return nil
		}},
		{"refused start", func() error {
			i, err := c.Start(context.Background(), guest.Options{MemoryMax: 1 << 16})
			if i != nil || err == nil {
				return errors.New("started with 64 KiB")
			}
			return nil
		}},
		{"compile, close", func() error {
			c, err := engine().Compile(context.Background(), "echo", wat(t, "echo"))
			if err != nil {
				return err
			}
			return c.Close()
		}},
		{"compile, start, close both", func() error {
			c, err := engine().Compile(context.Background(), "echo", wat(t, "echo"))
			if err != nil {
				return err
			}
			i, err := c.Start(context.Background(), guest.Options{})
			return errors.Join(err, c.Close(), i.Close())
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cycles := func(n int) {
				for range n {
					if err := tt.cycle(); err != nil {
						t.Fatal(err)
					}
				}
			}
			cycles(20)
			goroutines, maps := settled(runtime.NumGoroutine(), 0)
			cycles(200)
			// The Go runtime keeps a few mappings of its own.
			if g, m := settled(goroutines, maps+10); g > goroutines || m > maps+10 {
				t.Errorf("after 200 cycles: %d goroutines and %d mappings, before %d and %d", g, m, goroutines, maps)
			}
		})
	}
}

// settled collects garbage until there are no more goroutines and mappings than
// given, or it makes no difference any more: wazero unmaps code in finalizers.
func settled(goroutines, maps int) (int, int) {
	g, m := 0, 0
	for range 20 {
		runtime.GC()
		runtime.Gosched()
		b, _ := os.ReadFile("/proc/self/maps") // none elsewhere than on Linux
		if g, m = runtime.NumGoroutine(), bytes.Count(b, []byte("\n")); g <= goroutines && m <= maps {
			break
		}
	}
	return g, m
}
