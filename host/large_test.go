package host_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

var allLarge = flag.Bool("large", false, "all sizes in TestLargeMessages")

// large is a message as section 9 of the Autobahn test suite sends it.
type large struct {
	size     int
	fragment int // payload of a frame; 0 = one frame has it all
	chop     int // bytes of a write; 0 = a frame is one
}

func (l large) String() string {
	return fmt.Sprintf("%d KiB, fragments of %d, chops of %d", l.size>>10, l.fragment, l.chop)
}

// larges are all of them with -large, else those that show the most in a few seconds.
func larges() (all []large) {
	const k, m = 1 << 10, 1 << 20
	if !*allLarge {
		return []large{{64 * k, 0, 0}, {m, 0, 0}, {16 * m, m, 0}, {256 * k, 64, 0}, {m, 64 * k, 0}, {64 * k, 0, 64}, {256 * k, 0, k}}
	}
	for _, size := range []int{64 * k, 256 * k, m, 4 * m, 8 * m, 16 * m} { // 9.1, 9.2
		all = append(all, large{size, 0, 0})
	}
	for _, fragment := range []int{64, 256, k, 4 * k, 16 * k, 64 * k, 256 * k, m} { // 9.3, 9.4
		all = append(all, large{4 * m, fragment, 0})
	}
	for _, chop := range []int{64, 128, 256, 512, k} { // 9.5, 9.6
		all = append(all, large{m, 0, chop})
	}
	return all
}

// What is large comes back byte for byte, whole or in fragments, however it arrives.
func TestLargeMessages(t *testing.T) { eachEcho(t, testLargeMessages) }

func testLargeMessages(t *testing.T, on transport, echo echoPlugin) {
	for _, delivery := range []string{host.DeliveryFrames, host.DeliveryMessages} {
		t.Run(delivery, func(t *testing.T) {
			plugin := echo(t, "")
			plugin.Delivery, plugin.Memory = delivery, 256<<20
			s := on.serve(t, host.Limits{Message: 16 << 20, Frames: 1 << 17, Queue: 32 << 20, MessageTime: time.Hour}, plugin)
			p := s.open(t, "/echo")
			for _, l := range larges() {
				if testing.Short() && l.size > 1<<20 {
					continue
				}
				for opcode, unit := range map[byte]string{1: "Hello-µ@ßöäüàá-UTF-8!! \U0001f600\n", 2: "\x00\xff\xfe0123456789abcdef\r\n"} {
					if l.size > 4<<20 && opcode == 1 && !*allLarge {
						continue
					}
					message := strings.Repeat(unit, l.size/len(unit))
					message += strings.Repeat(".", l.size-len(message)) // no character is cut at the end
					p.echoes(fmt.Sprintf("%v, opcode %d", l, opcode), opcode, message, l)
				}
			}
			p.alive()
			p.leave()
		})
	}
}

// echoes sends a message while it reads what comes back, which must be the same.
func (p *peer) echoes(what string, opcode byte, message string, l large) {
	p.t.Helper()
	sent := make(chan error, 1)
	go func() { sent <- p.sendLarge(opcode, message, l) }()
	var got strings.Builder
	got.Grow(len(message))
	for first := true; ; first = false {
		f := p.frame()
		if op := f.Flags & 0x7f; first && op != opcode || !first && op != 0 {
			p.t.Fatalf("%s: got a frame with %#02x behind %d bytes", what, f.Flags, got.Len())
		}
		got.WriteString(f.Payload)
		if f.Flags >= 0x80 {
			break
		}
	}
	if err := <-sent; err != nil {
		p.t.Fatalf("%s: write: %v", what, err)
	}
	if got.String() != message {
		p.t.Errorf("%s: got %d other bytes back", what, got.Len())
	}
}

func (p *peer) sendLarge(opcode byte, message string, l large) error {
	size := len(message)
	if l.fragment > 0 {
		size = l.fragment
	}
	var wire []byte
	for at := 0; at < len(message); at += size {
		f := rawws.Frame{Flags: opcode, Payload: message[at:min(at+size, len(message))]}
		if at > 0 {
			f.Flags = 0
		}
		if at+size >= len(message) {
			f.Flags |= 0x80
		}
		wire = rawws.AppendFrame(wire[:0], f)
		chop := len(wire)
		if l.chop > 0 {
			chop = l.chop
		}
		for rest := wire; len(rest) > 0; {
			n, err := p.Write(rest[:min(chop, len(rest))])
			if err != nil {
				return err
			}
			rest = rest[n:]
		}
	}
	return nil
}
