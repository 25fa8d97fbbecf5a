package guest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/host/guest"
)

// A module that is no plugin is refused at load, and the error says what to do.
func TestCompileRefuses(t *testing.T) {
	tests := []struct {
		name string
		wasm []byte
		want error
		says []string
	}{
		{"empty file", nil, guest.ErrNotWASM, nil},
		{"text", []byte("(module)"), guest.ErrNotWASM, nil},
		{"ELF", []byte("\x7fELF\x02\x01\x01\x00"), guest.ErrNotWASM, nil},
		{"cut off", wat(t, "echo")[:100], guest.ErrMalformed, []string{"offset"}},
		{"component", []byte("\x00asm\x0d\x00\x01\x00"), guest.ErrMalformed, []string{"components"}},
		{"empty module", []byte("\x00asm\x01\x00\x00\x00"), guest.ErrNoExport, []string{"yimmo_v1_init", "yimmo_v1_turn", "memory"}},
		{"no memory", wat(t, "no_memory"), guest.ErrNoMemory, []string{`"memory"`}},
		{"no turn", wat(t, "no_turn"), guest.ErrNoExport, []string{"yimmo_v1_turn"}},
		{"turn of the wrong type", wat(t, "turn_type"), guest.ErrSignature, []string{"(i64) -> i32", "(i32, i32) -> i32"}},
		{"command", wat(t, "command"), guest.ErrNoExport, []string{"_start", "c-shared"}},
		{"ABI 2 by its exports", wat(t, "abi_v2_exports"), guest.ErrVersion, []string{"plugin speaks ABI 2, this host speaks ABI 1"}},
		{"import from elsewhere", wat(t, "env_import"), guest.ErrImport, []string{"env.send"}},
		{"import of the wrong type", wat(t, "wasi_type"), guest.ErrImport, []string{"random_get", "(i64) -> i32", "(i32, i32) -> i32"}},
		{"import nobody has", wat(t, "wasi_unknown"), guest.ErrImport, []string{"wasi_snapshot_preview1.fd_teleport"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := engine().Compile(context.Background(), "chat", tt.wasm)
			if c != nil || !errors.Is(err, tt.want) {
				t.Fatalf("Compile: got %v, want %v", err, tt.want)
			}
			for _, part := range append(tt.says, "compile chat: ") {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("Compile: error %q does not say %q", err, part)
				}
			}
		})
	}
}

// A body that does not validate passes admission and fails in wazero, which is
// an error like the others and leaves the cache alone.
func TestCompileInvalidBody(t *testing.T) {
	wasm := wat(t, "trap_in_init")
	at := strings.LastIndex(string(wasm), "\x03\x00\x00\x0b") // size 3, no locals, unreachable, end
	if at < 0 {
		t.Fatal("trap_in_init has no body of one unreachable")
	}
	wasm[at+2] = 0x6a // i32.add of nothing
	if _, err := engine().Compile(context.Background(), "chat", wasm); err == nil || !strings.Contains(err.Error(), "i32.add") {
		t.Errorf("Compile: got %v, want an error about i32.add", err)
	}
}

// What the meter can read and wazero is not told to accept is refused by wazero;
// what both know is compiled.
func TestCompileFeatures(t *testing.T) {
	tests := []struct {
		name string
		body []byte
		ok   bool
	}{
		{"vectors", []byte{0, 0x41, 0, 0xfd, 0x0f, 0x1a, 0x0b}, true},
		{"bulk memory", []byte{0, 0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 0x0b, 0, 0x0b}, true},
		{"sign extension", []byte{0, 0x41, 0, 0xc0, 0x1a, 0x0b}, true},
		{"saturating conversion", []byte{0, 0x43, 0, 0, 0, 0, 0xfc, 0, 0x1a, 0x0b}, true},
		{"references", []byte{0, 0xd0, 0x70, 0x1a, 0x0b}, true},
		{"tail call", []byte{0, 0x12, 2, 0x0b}, false},
		{"atomic fence", []byte{0, 0xfe, 3, 0, 0x0b}, false},
		{"relaxed vectors", []byte{0, 0x41, 0, 0xfd, 0x0f, 0x41, 0, 0xfd, 0x0f, 0xfd, 0x80, 0x02, 0x1a, 0x0b}, false},
	}
	for _, tt := range tests {
		c, err := engine().Compile(context.Background(), tt.name, plugin(tt.body...))
		if (err == nil) != tt.ok {
			t.Errorf("Compile of %s: got %v, want it to succeed: %v", tt.name, err, tt.ok)
		}
		if err == nil {
			must(t, c.Close())
		}
	}
}

func TestCompileAfterClose(t *testing.T) {
	e, err := guest.NewEngine(guest.CacheOff, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Compile(context.Background(), "chat", wat(t, "echo")); !errors.Is(err, guest.ErrClosed) {
		t.Errorf("Compile after Close: got %v, want %v", err, guest.ErrClosed)
	}
}

// Closing code keeps its instances alive and takes no new ones.
func TestCodeClose(t *testing.T) {
	c := compile(t, wat(t, "echo"))
	i, err := c.Start(context.Background(), guest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := i.Turn(0, give(i, 0x82, "x"), guest.Header{}); err != nil {
		t.Errorf("Turn after Code.Close: got %v, want none", err)
	}
	if _, err := c.Start(context.Background(), guest.Options{}); !errors.Is(err, guest.ErrClosed) {
		t.Errorf("Start after Code.Close: got %v, want %v", err, guest.ErrClosed)
	}
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestInspect(t *testing.T) {
	m, err := guest.Inspect(wat(t, "exit"))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Digest) != 64 || m.Size != len(wat(t, "exit")) || m.Major != 1 {
		t.Errorf("Inspect: got digest %q, size %d, major %d", m.Digest, m.Size, m.Major)
	}
	if want := (guest.Import{Module: "wasi_snapshot_preview1", Name: "proc_exit", Kind: guest.ExternFunction, Type: "(i32)"}); len(m.Imports) != 1 || m.Imports[0] != want {
		t.Errorf("Imports: got %v, want %v", m.Imports, want)
	}
	if want := (guest.Export{Name: "yimmo_v1_turn", Kind: guest.ExternFunction, Type: "(i32, i32) -> i32"}); len(m.Exports) != 3 || m.Exports[2] != want {
		t.Errorf("Exports: got %v, want %v last", m.Exports, want)
	}
	if want := (guest.Limits{Min: 6}); m.Memory != want {
		t.Errorf("Memory: got %v, want %v", m.Memory, want)
	}
	if len(m.Customs) != 1 || m.Customs[0] != "name" {
		t.Errorf("Customs: got %q, want name", m.Customs)
	}
	if m, _ := guest.Inspect(wat(t, "abi_v2_exports")); m.Major != 2 {
		t.Errorf("Major of abi_v2_exports: got %d, want 2", m.Major)
	}
	if m, _ := guest.Inspect(wat(t, "command")); m.Major != 0 {
		t.Errorf("Major of command: got %d, want 0", m.Major)
	}
}
