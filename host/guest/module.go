package guest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/yimmo-host/yimmo-host/abi"
)

// A Module is what the bytes of a .wasm file say about themselves, before
// anything of it runs.
type Module struct {
	Digest  string   // SHA-256 of the file, hexadecimal: the name of this version
	Size    int      // bytes
	Major   int      // ABI version its export names speak: ours if that is among them, else the highest, 0 = none
	Imports []Import // in file order; Go's linker lists some twice
	Exports []Export // in file order
	Memory  Limits   // pages of 64 KiB; zero when it has no memory
	Customs []string // names of its custom sections, in file order
}

// An Extern is a kind of thing that crosses a module's border.
type Extern uint8

// Externs, with their numbers in the binary format.
const (
	ExternFunction Extern = 0
	ExternTable    Extern = 1
	ExternMemory   Extern = 2
	ExternGlobal   Extern = 3
)

func (e Extern) String() string {
	if int(e) < len(externNames) {
		return externNames[e]
	}
	return "extern " + strconv.Itoa(int(e))
}

var externNames = [...]string{"function", "table", "memory", "global"}

// An Import is something that a module wants from outside.
type Import struct {
	Module, Name string
	Kind         Extern
	Type         string // of a function, such as "(i32, i32) -> i32"
}

// An Export is something that a module offers.
type Export struct {
	Name string
	Kind Extern
	Type string // of a function
}

// Limits are the smallest and largest size of a memory.
type Limits struct {
	Min, Max uint32
	HasMax   bool // Max was declared
}

// Inspect reads a module without compiling or running it, and does not ask
// whether it is a plugin: see [Module.Check]. The error wraps [ErrNotWASM],
// [ErrMalformed] or [ErrLimit]. It takes 4 ms for a Go guest of 3 MB.
func Inspect(wasm []byte) (Module, error) {
	m := Module{Size: len(wasm)}
	if err := (&walker{Module: &m}).walk(wasm); err != nil {
		return Module{}, err
	}
	sum := sha256.Sum256(wasm)
	m.Digest = hex.EncodeToString(sum[:])
	for _, e := range m.Exports {
		if v := majorOf(e.Name); v == abi.Major || v > m.Major && m.Major != abi.Major {
			m.Major = v
		}
	}
	return m, nil
}

// majorOf reads the version out of "yimmo_v1_init" and "yimmo_v1_turn".
func majorOf(export string) int {
	number, ok := strings.CutPrefix(export, "yimmo_v")
	if !ok {
		return 0
	}
	number, name, _ := strings.Cut(number, "_")
	v, err := strconv.Atoi(number)
	if err != nil || name != "init" && name != "turn" {
		return 0
	}
	return v
}

// A signature is the value types of a function, as bytes of the binary format.
type signature struct{ params, results string }

func (s signature) String() string {
	list := func(types string) string {
		names := make([]string, len(types))
		for i := range types {
			names[i] = valueTypes[types[i]]
		}
		return strings.Join(names, ", ")
	}
	out := fmt.Sprintf("(%s)", list(s.params))
	switch len(s.results) {
	case 0:
		return out
	case 1:
		return out + " -> " + list(s.results)
	}
	return fmt.Sprintf("%s -> (%s)", out, list(s.results))
}

// valueTypes are those of WebAssembly 2.0. Anything later is refused.
var valueTypes = map[byte]string{
	0x7f: "i32", 0x7e: "i64", 0x7d: "f32", 0x7c: "f64", 0x7b: "v128", 0x70: "funcref", 0x6f: "externref",
}
