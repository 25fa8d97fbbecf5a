// Package main is work of several kinds, for tests and benchmarks of the meter.
package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

func main() {}

var area [1 << 18]byte

//go:wasmexport sum
func sum(n uint32) (s uint32) {
	for _, b := range area[:n] {
		s = s*31 + uint32(b)
	}
	return s
}

//go:wasmexport fib
func fib(n uint32) uint32 {
	if n < 2 {
		return n
	}
	return fib(n-1) + fib(n-2)
}

//go:noinline
func nested(n uint32) uint32 {
	if n == 0 {
		return 0
	}
	return nested(n-1) + n
}

//go:wasmexport deep
func deep(n uint32) uint32 { return nested(n) }

//go:wasmexport sort
func sort(n uint32) uint32 {
	v := make([]uint32, n)
	seed := uint32(1)
	for i := range v {
		seed = seed*1664525 + 1013904223
		v[i] = seed
	}
	slices.Sort(v)
	return v[n/2]
}

type record struct {
	ID   int               `json:"id"`
	Name string            `json:"name"`
	Tags []string          `json:"tags"`
	More map[string]string `json:"more"`
}

//go:wasmexport encode
func encode(n uint32) (size uint32) {
	for i := range n {
		in := record{int(i), "record", []string{"a", "b"}, map[string]string{"k": "v"}}
		text, err := json.Marshal(in)
		if err != nil {
			panic(err)
		}
		var out record
		if err := json.Unmarshal(text, &out); err != nil {
			panic(err)
		}
		size += uint32(len(fmt.Sprintf("%v", out)))
	}
	return size
}

//go:wasmexport nest
func nest(n uint32) uint32 {
	text := strings.Repeat("[", int(n)) + strings.Repeat("]", int(n))
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return 0
	}
	return n
}

type event struct{ a, b, c, d uint64 }

var in, out [64]event

//go:wasmexport turn
func turn(n uint32) uint32 {
	for i := range in[:n] {
		switch in[i].a & 7 {
		case 9:
			continue
		default:
			out[i] = in[i]
		}
	}
	return n
}

//go:wasmexport forever
func forever() {
	for i := 0; ; i++ {
		area[i&0xffff]++
	}
}

//go:wasmexport explode
func explode() {
	var m map[string]int
	m["x"] = 1
}
