package guesttest

import (
	"testing"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/internal/abi"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/internal/native"
)

// A Machine is one instance of a plugin, as raw as the host sees it. The slices
// are views of its memory, valid until the next Turn.
type Machine interface {
	Events() []byte                  // the event ring
	Commands() []byte                // the command ring
	Area() (mem []byte, addr uint32) // the receive area
	Memory() []byte                  // all of it, as large as it is now
	Features() guest.Feature         // in force

	// Turn runs one call. After an error the machine runs no more.
	Turn(first, n int, h Header) (commands, consumed int, more bool, err error)
	Close()
}

// A Header is what a turn begins with.
type Header struct {
	Now, Mono  int64 // nanoseconds: since 1970 UTC, since the plugin began
	Seed, Turn uint64
}

// Sizes of what host and plugin share: records, records, bytes. A zero means
// what a host asks for: 1024, 1024, 256 KiB.
type Sizes struct{ Events, Commands, Area int }

// Offered is what this package grants a plugin that wants it.
const Offered = guest.FeatureHTTP | guest.FeatureMessages | guest.FeatureHold | guest.FeatureSendMany |
	guest.FeatureTimers | guest.FeatureTopics | guest.FeatureBackPressure

// Native starts a guest that runs h as ordinary Go. A panic in a callback is
// what a trap is in WebAssembly.
func Native(t testing.TB, h guest.Handler) *Guest {
	t.Helper()
	return New(t, NewNative(t, h, Sizes{}))
}

// NewNative makes a machine that runs h as ordinary Go, for [New].
func NewNative(t testing.TB, h guest.Handler, s Sizes) Machine {
	t.Helper()
	m, err := native.New(h, or(s.Events, abi.DefaultRing), or(s.Commands, abi.DefaultRing), or(s.Area, abi.DefaultArea))
	if err != nil {
		t.Fatalf("guesttest: %v", err)
	}
	c := abi.ControlOf(m.Control())
	if lacks := guest.Feature(c.Needs) &^ Offered; lacks != 0 {
		t.Fatalf("guesttest: the plugin needs features %#x that this package does not offer", lacks)
	}
	c.Granted = (c.Needs | c.Wants) & abi.Feature(Offered)
	return &nativeMachine{m}
}

func or(v, def int) int {
	if v == 0 {
		return def
	}
	return v
}

type nativeMachine struct{ native.Machine }

func (m *nativeMachine) Features() guest.Feature {
	return guest.Feature(abi.ControlOf(m.Control()).Granted)
}

func (m *nativeMachine) Turn(first, n int, h Header) (commands, consumed int, more bool, err error) {
	c := abi.ControlOf(m.Control())
	c.Now, c.Mono, c.Seed, c.Turn = h.Now, h.Mono, h.Seed, h.Turn
	if commands, err = m.Machine.Turn(first, n); err != nil {
		return 0, 0, false, err
	}
	c = abi.ControlOf(m.Control()) // memory may have moved
	return commands, int(c.Consumed), c.More != 0, nil
}

func (m *nativeMachine) Close() {}
