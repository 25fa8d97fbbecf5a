package guest_test

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"weak"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/guesttest"
)

// Send refers, SendCopy copies: a change before the turn is over shows which.
func TestReferenceAndCopy(t *testing.T) {
	g := native(t, &hooks{recv: func(s guest.Session, _ guest.Flags, _ []byte) error {
		p := []byte("before")
		s.SendBinary(p)
		s.SendCopy(guest.Binary, p)
		s.SendBuckets(guest.Binary, guest.Ref(p), guest.Copy(p))
		copy(p, "change")
		return nil
	}})
	s := g.Connect(guesttest.Request{})
	s.RecvText("x")
	var got []string
	for _, f := range s.Sent() {
		got = append(got, f.Data)
	}
	if want := []string{"change", "before", "changebefore"}; !slices.Equal(got, want) {
		t.Errorf("sent %q, want %q", got, want)
	}
}

// What a command refers to lives until the next turn begins, and no longer.
func TestRetention(t *testing.T) {
	var ref weak.Pointer[[1 << 10]byte]
	g := native(t, &hooks{recv: func(s guest.Session, _ guest.Flags, data []byte) error {
		if string(data) != "make" {
			return nil
		}
		p := new([1 << 10]byte)
		for i := range p {
			p[i] = 'x'
		}
		ref = weak.Make(p)
		s.SendBinary(p[:])
		p = nil
		churn()
		if ref.Value() == nil {
			t.Error("collected before the callback returned")
		}
		return nil
	}})
	s := g.Connect(guesttest.Request{})
	s.RecvText("make")
	churn()
	if ref.Value() == nil {
		t.Error("collected before the next turn")
	}
	if sent := s.Sent(); len(sent) != 1 || sent[0].Data != strings.Repeat("x", 1<<10) {
		t.Error("sent other bytes than the buffer's")
	}
	s.RecvText("next")
	if churn(); ref.Value() != nil {
		t.Error("still kept after the next turn")
	}
}

// churn collects garbage and fills what it freed.
func churn() {
	for range 2 {
		runtime.GC()
		for range 64 {
			sink = bytes.Repeat([]byte{0xee}, 1<<10)
		}
	}
}

var sink []byte

// Commands that do not fit the ring follow in further calls, in order.
func TestSpill(t *testing.T) {
	for _, n := range []int{15, 16, 17, 32, 33, 1000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			var want []guesttest.Frame
			for i := range n {
				want = append(want, text(fmt.Sprint("m", i))...)
			}
			g := native(t, &hooks{recv: func(s guest.Session, _ guest.Flags, _ []byte) error {
				for i := range n {
					s.SendText(fmt.Sprint("m", i))
				}
				return nil
			}})
			s := g.Connect(guesttest.Request{})
			g.Batch(func() { s.RecvText("a"); s.RecvText("b") })
			if sent := s.Sent(); !slices.Equal(sent, slices.Concat(want, want)) {
				t.Errorf("%d commands in each of two events: sent %d frames, some wrong or out of order", n, len(sent))
			}
		})
	}
}

// While commands are left over, views of the receive area still hold: no event
// is consumed, and so nothing is written there.
func TestSpillOfViews(t *testing.T) {
	g := native(t, &hooks{recv: func(s guest.Session, _ guest.Flags, data []byte) error {
		for range 40 {
			s.Send(guest.Text, data)
		}
		return nil
	}})
	s := g.Connect(guesttest.Request{})
	g.Batch(func() { s.RecvText("a"); s.RecvText("b") })
	var got strings.Builder
	for _, f := range s.Sent() {
		got.WriteString(f.Data)
	}
	if want := strings.Repeat("a", 40) + strings.Repeat("b", 40); got.String() != want {
		t.Errorf("sent %q, want %q", got.String(), want)
	}
}

// A brigade goes out in one call, whatever lies in the ring before it.
func TestBrigade(t *testing.T) {
	buckets := func(n int) (b []guest.Bucket, joined string) {
		for i := range n {
			p := fmt.Sprintf("<%d>", i)
			joined += p
			switch i % 3 {
			case 0:
				b = append(b, guest.RefString(p))
			case 1:
				b = append(b, guest.Copy([]byte(p)))
			case 2:
				b = append(b, guest.Ref([]byte(p)), guest.Ref(nil))
			}
		}
		return b, joined
	}
	for _, n := range []int{0, 1, 2, 15, 16, 17, 100} {
		for _, before := range []int{0, 1, 15, 16, 26, 100} {
			t.Run(fmt.Sprintf("%d after %d", n, before), func(t *testing.T) {
				b, joined := buckets(n)
				g := native(t, &hooks{recv: func(s guest.Session, _ guest.Flags, _ []byte) error {
					for range before {
						s.SendText("-")
					}
					// What follows must not overtake, though it may fit where this did not.
					return errors.Join(s.SendBuckets(guest.Text, b...),
						s.SendBuckets(guest.Text, guest.RefString("a"), guest.RefString("b")), s.SendText("c"))
				}})
				s := g.Connect(guesttest.Request{})
				s.RecvText("x")
				want := append(text(slices.Repeat([]string{"-"}, before)...), text(joined, "ab", "c")...)
				if sent := s.Sent(); !slices.Equal(sent, want) {
					t.Errorf("sent %v, want %v", sent, want)
				}
				checkNoRefusals(t, g)
			})
		}
	}
}

// More than the receive area holds: pieces arrive, pieces go back.
func TestLargeFrame(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 10<<10) // 160 KiB, the area has 64
	g := native(t, &hooks{recv: func(s guest.Session, flags guest.Flags, data []byte) error { return s.Send(flags, data) }})
	s := g.Connect(guesttest.Request{})
	s.Recv(guest.Binary, data)
	sent := s.Sent()
	var flags []guest.Flags
	var got []byte
	for _, f := range sent {
		flags = append(flags, f.Flags)
		got = append(got, f.Data...)
	}
	if want := []guest.Flags{guest.OpBinary, guest.OpContinuation, guest.FIN}; !slices.Equal(flags, want) {
		t.Errorf("flags %x, want %x", flags, want)
	}
	if !bytes.Equal(got, data) {
		t.Errorf("sent %d bytes, want the %d received", len(got), len(data))
	}
}

// The native memory grows when a turn refers to more than it has, and the next
// turn works on the memory that moved.
func TestNativeMemoryGrows(t *testing.T) {
	big := strings.Repeat("y", 3<<20)
	g := native(t, &hooks{recv: func(s guest.Session, flags guest.Flags, data []byte) error {
		s.SendText(big)
		return s.Send(flags, data)
	}})
	s := g.Connect(guesttest.Request{})
	for range 3 {
		s.RecvText("echo")
		if sent := s.Sent(); !slices.Equal(sent, text(big, "echo")) {
			t.Fatalf("sent %d frames, some wrong", len(sent))
		}
	}
}
