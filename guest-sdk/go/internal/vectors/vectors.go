// Package vectors reads the test vectors of the contract, which lie in the
// host's module: it is for tests that run in the project's own tree.
package vectors

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A Vector is one scenario: bytes, and what they are made of.
type Vector struct {
	Name   string // of the file, without ".txt"
	Record string // event, command, control, fields, topic, ids
	Expect string // "ok" or "refused ..."
	Keys   []Key  // the other ones, in order
	Bytes  []byte
}

// A Key is one line of a vector's head.
type Key struct{ Name, Value string }

// Load reads all vectors of a record, and fails the test if there are none.
func Load(t testing.TB, record string) []Vector {
	t.Helper()
	dir, err := filepath.Abs("x")
	for err == nil && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
		files, _ := filepath.Glob(filepath.Join(dir, "abi/testdata/vectors/*.txt"))
		var list []Vector
		for _, f := range files {
			if v := parse(t, f); v.Record == record {
				list = append(list, v)
			}
		}
		if len(list) > 0 {
			return list
		}
	}
	t.Fatalf("no vectors of %q in abi/testdata/vectors here or above", record)
	return nil
}

func parse(t testing.TB, file string) Vector {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	v := Vector{Name: strings.TrimSuffix(filepath.Base(file), ".txt")}
	head, body, _ := strings.Cut(string(text), "\n\n")
	for line := range strings.Lines(head) {
		name, value, ok := strings.Cut(trim(line), ": ")
		switch {
		case !ok:
		case name == "record":
			v.Record = value
		case name == "expect":
			v.Expect = value
		default:
			v.Keys = append(v.Keys, Key{name, value})
		}
	}
	for line := range strings.Lines(body) {
		v.Bytes = append(v.Bytes, Bytes(t, trim(line))...)
	}
	return v
}

func trim(line string) string {
	line, _, _ = strings.Cut(line, "#")
	return strings.TrimSpace(line)
}

// Get returns the first value of a key, or "".
func (v *Vector) Get(name string) string {
	for _, k := range v.Keys {
		if k.Name == name {
			return k.Value
		}
	}
	return ""
}

// Number reads the value of a key, which must be a number.
func (v *Vector) Number(t testing.TB, name string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(v.Get(name), 0, 64)
	if err != nil {
		t.Fatalf("%s: %s: %v", v.Name, name, err)
	}
	return n
}

// Bytes reads hexadecimal digits; "-" is none.
func Bytes(t testing.TB, digits string) []byte {
	t.Helper()
	p, err := hex.DecodeString(strings.ReplaceAll(strings.Trim(digits, "-"), " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return p
}
