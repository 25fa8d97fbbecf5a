package guest_test

import (
	"os"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// What compilers make of a plugin is admitted, compiled, started and answers.
func TestLanguages(t *testing.T) {
	read := func(name string) func(t testing.TB) []byte {
		return func(t testing.TB) []byte {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
	}
	for name, wasm := range map[string]func(testing.TB) []byte{
		"Go":             goGuest,
		"Rust":           read("../meter/testdata/rust.wasm"),
		"AssemblyScript": read("../meter/testdata/assemblyscript.wasm"),
	} {
		t.Run(name, func(t *testing.T) {
			i := start(t, wasm(t), patient(guest.Options{}))
			n := give(i, abi.FlagFIN|abi.OpBinary, "one", "two")
			m, consumed, more, err := i.Turn(0, n, guest.Header{})
			if m != 2 || consumed != n || more || err != nil {
				t.Fatalf("Turn: got %d commands, %d consumed, %v, %v, want 2 and %d", m, consumed, more, err, n)
			}
			for at, want := range []string{"one", "two"} {
				c, ok := abi.ParseCommand(i.Commands()[at*abi.RecordSize:])
				if !ok || c.Kind != abi.CommandSend || string(i.Memory()[c.Addr:][:c.Len]) != want {
					t.Errorf("command %d: got %+v, %v, want to send %q", at, c, ok, want)
				}
			}
		})
	}
}
