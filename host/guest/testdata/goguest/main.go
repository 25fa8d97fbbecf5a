//go:build wasip1

// Command goguest is a guest in plain Go, on the raw ABI: it shows what the Go
// runtime needs of the host. Each recv event's payload is an order; the answer
// is sent back.
package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"time"
	"unsafe"

	"github.com/yimmo-host/yimmo-host/abi"
)

var (
	control  []byte
	events   []byte
	commands []byte
	area     []byte
	answers  [][]byte // keeps what commands point at alive until the next turn
	ballast  [][]byte
	memory   = map[string]int{}
	words    []string
	spun     int
	connects int
	closes   int
)

// aligned returns n zero bytes at an address divisible by 8.
func aligned(n int32) []byte {
	words := make([]uint64, (n+7)/8)
	return unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), n)
}

func address(b []byte) uint32 { return uint32(uintptr(unsafe.Pointer(&b[0]))) }

//go:wasmexport yimmo_v1_init
func initialize(eventCap, commandCap, areaCap int32) uint32 {
	events, commands = aligned(eventCap*abi.RecordSize), aligned(commandCap*abi.RecordSize)
	area, control = aligned(areaCap), aligned(abi.ControlSize)
	abi.AppendControl(control[:0], &abi.Control{
		Magic: abi.Magic, Major: abi.Major, Minor: abi.Minor,
		Events:   abi.Span{Addr: address(events), Cap: uint32(eventCap)},
		Commands: abi.Span{Addr: address(commands), Cap: uint32(commandCap)},
		Area:     abi.Span{Addr: address(area), Cap: uint32(areaCap)},
	})
	return address(control)
}

//go:wasmexport yimmo_v1_turn
func turn(first, n int32) int32 {
	answers = answers[:0]
	m := 0
	for i := first; i < n; i++ {
		e, _ := abi.ParseEvent(events[i*abi.RecordSize:])
		switch e.Kind {
		case abi.EventConnect:
			connects++
		case abi.EventClose:
			closes++
		}
		if e.Kind != abi.EventRecv {
			continue
		}
		c := abi.Command{Kind: abi.CommandSend, Flags: e.Flags, ID: e.ID, Tag: e.Seq, Addr: e.Addr, Len: e.Len}
		if e.Flags&abi.MaskOpcode == abi.OpText {
			order := area[e.Addr-address(area):][:e.Len]
			answer := []byte(obey(string(order)))
			answers = append(answers, answer)
			c.Addr, c.Len = address(answer), uint32(len(answer))
		}
		abi.PutCommand(commands[m*abi.RecordSize:], &c)
		m++
	}
	put32(abi.OffsetConsumed, uint32(n))
	put32(abi.OffsetMore, 0)
	return int32(m)
}

func put32(at int, v uint32) { *(*uint32)(unsafe.Pointer(&control[at])) = v }

func obey(order string) string {
	verb, rest, _ := strings.Cut(order, " ")
	switch verb {
	case "now":
		return fmt.Sprint(time.Now().UnixNano())
	case "random":
		b := make([]byte, 16)
		rand.Read(b)
		return fmt.Sprintf("%x", b)
	case "sleep":
		d, _ := time.ParseDuration(rest)
		start := time.Now()
		time.Sleep(d)
		return fmt.Sprint(time.Since(start) >= d)
	case "print":
		fmt.Println(rest)
	case "panic":
		panic(rest)
	case "exit":
		os.Exit(7)
	case "eat":
		for {
			ballast = append(ballast, make([]byte, 1<<20))
		}
	case "spin":
		for {
			spun++
		}
	case "dive":
		return fmt.Sprint(dive(1))
	case "remember":
		memory[rest] = len(memory)
		words = append(words, rest)
	case "recall":
		return fmt.Sprint(words, memory)
	case "heard":
		return fmt.Sprint(connects, " connects, ", closes, " closes")
	case "read":
		_, err := os.ReadFile(rest)
		return fmt.Sprint(err)
	case "environment":
		return fmt.Sprint(len(os.Args), os.Environ())
	}
	return "done"
}

func dive(n int) int { return dive(n+1) + n }

func main() {}
