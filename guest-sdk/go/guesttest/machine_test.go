package guesttest_test

import (
	"fmt"
	"testing"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/guesttest"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/internal/abi"
)

// script is a machine that answers its calls with prepared commands.
type script struct {
	events, commands, memory []byte
	features                 guest.Feature
	calls                    []call
	seen                     []abi.Event // every event it was given
}

// call is one answer; consumed -1 is all.
type call struct {
	commands []abi.Command
	count    int // if not that of commands
	consumed int
	more     bool
	err      error
}

const areaAt = 1 << 10

func newScript(calls ...call) *script {
	return &script{
		events: make([]byte, 16*abi.RecordSize), commands: make([]byte, 16*abi.RecordSize),
		memory: make([]byte, 64<<10), features: guesttest.Offered &^ guest.FeatureMessages, calls: calls,
	}
}

func (m *script) Events() []byte          { return m.events }
func (m *script) Commands() []byte        { return m.commands }
func (m *script) Area() ([]byte, uint32)  { return m.memory[areaAt:], areaAt }
func (m *script) Memory() []byte          { return m.memory }
func (m *script) Features() guest.Feature { return m.features }
func (m *script) Close()                  {}

func (m *script) Turn(first, n int, _ guesttest.Header) (commands, consumed int, more bool, err error) {
	for i := first; i < n; i++ {
		var e abi.Event
		copy(abi.EventBytes(&e), m.events[i*abi.RecordSize:])
		m.seen = append(m.seen, e)
	}
	if len(m.calls) == 0 {
		return 0, n, false, nil
	}
	c := m.calls[0]
	m.calls = m.calls[1:]
	for i := range c.commands {
		copy(m.commands[i*abi.RecordSize:], abi.CommandBytes(&c.commands[i]))
	}
	if c.consumed < 0 {
		c.consumed = n
	}
	if c.count == 0 {
		c.count = len(c.commands)
	}
	return c.count, c.consumed, c.more, c.err
}

// fatal is a test that notes its own end instead.
type fatal struct{ testing.TB }

type ended string

func (fatal) Fatal(v ...any)                 { panic(ended(fmt.Sprint(v...))) }
func (fatal) Fatalf(format string, v ...any) { panic(ended(fmt.Sprintf(format, v...))) }

// failure runs f with a test that f ends, and returns what it ended with.
func failure(t *testing.T, f func(t testing.TB)) (text string) {
	t.Helper()
	defer func() {
		switch v := recover().(type) {
		case ended:
			text = string(v)
		case nil:
		default:
			panic(v)
		}
	}()
	f(fatal{t})
	return ""
}
