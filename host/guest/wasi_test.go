package guest_test

import (
	"encoding/binary"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// What one call of WASI may be asked for is bounded, for nothing stops a guest in it.
func TestAsksMuch(t *testing.T) {
	const (
		random = iota
		write
		read
		poll
		pwrite
		unlink

		badf, fault, inval = 8, 21, 28

		free = 0x100000 // guest memory that is zero: empty buffers, clocks without delay
		much = 0x1e00000
		res  = 0x400
	)
	tests := []struct {
		name  string
		which byte
		n     [4]uint32
		want  uint32
	}{
		{"random", random, [4]uint32{free + 0x200000, 1 << 20}, 0},
		{"too much random", random, [4]uint32{free, 1<<20 + 1}, inval},
		{"all of memory random", random, [4]uint32{free, much}, inval},
		{"random outside", random, [4]uint32{free, 0xffffffff}, fault},
		{"write", write, [4]uint32{1, free, 1024, res}, 0},
		{"too many buffers", write, [4]uint32{1, free, 1025, res}, inval},
		{"all of memory buffers", write, [4]uint32{2, free, much / 8, res}, inval},
		{"buffers that wrap", write, [4]uint32{2, free, 0x20000001, res}, inval},
		{"write to nothing", write, [4]uint32{3, free, much / 8, res}, badf},
		{"result outside", write, [4]uint32{1, free, 1, 0xfffffffe}, fault},
		{"read", read, [4]uint32{0, free, 1, res}, 0},
		{"read into all of memory", read, [4]uint32{0, free, much / 8, res}, inval},
		{"poll", poll, [4]uint32{free, free + 0x100000, 1024, res}, 0},
		{"poll nothing", poll, [4]uint32{free, free, 0, res}, inval},
		{"poll too much", poll, [4]uint32{free, free, 1025, res}, inval},
		{"poll all of memory", poll, [4]uint32{free, free, much / 48, res}, inval},
		{"poll what wraps", poll, [4]uint32{free, free, 0x55555556, res}, inval},
		{"pwrite", pwrite, [4]uint32{1, free, much / 8, res}, badf},
		{"a long path", unlink, [4]uint32{1, free, much}, badf},
	}
	i := start(t, wat(t, "asks_much"), guest.Options{})
	for _, tt := range tests {
		order := []byte{tt.which, 0, 0, 0}
		for _, n := range tt.n {
			order = binary.LittleEndian.AppendUint32(order, n)
		}
		_, _, _, err := i.Turn(0, give(i, abi.FlagFIN|abi.OpBinary, string(order)), guest.Header{})
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if got := binary.LittleEndian.Uint32(i.Memory()[0x300:]); got != tt.want {
			t.Errorf("%s: error number %d, want %d", tt.name, got, tt.want)
		}
	}
}

// poll_oneoff says of each subscription what became of it, and the guest's clock
// moves by the shortest delay.
func TestPoll(t *testing.T) {
	i := start(t, wat(t, "asks_much"), guest.Options{})
	const in, out, res = 0x100000, 0x110000, 0x400
	le, mem := binary.LittleEndian, i.Memory()
	for n, s := range []struct {
		kind byte
		arg  uint64 // delay, descriptor
	}{{0, 5000}, {0, 3000}, {1, 0}, {1, 7}, {2, 1}} {
		b := mem[in+48*n:]
		b[0], b[8] = byte(n+1), s.kind
		le.PutUint64(b[16:], s.arg)
		if s.kind == 0 {
			le.PutUint64(b[16:], 0)
			le.PutUint64(b[24:], s.arg)
		}
	}
	order := []byte{3, 0, 0, 0}
	for _, n := range []uint32{in, out, 5, res} {
		order = le.AppendUint32(order, n)
	}
	if _, _, _, err := i.Turn(0, give(i, abi.FlagFIN|abi.OpBinary, string(order)), guest.Header{Mono: 100}); err != nil {
		t.Fatal(err)
	}
	if errno, n := le.Uint32(mem[0x300:]), le.Uint32(mem[res:]); errno != 0 || n != 5 {
		t.Fatalf("error number %d, %d events, want 0 and 5", errno, n)
	}
	for n, want := range [][2]uint16{{0, 0}, {0, 0}, {0, 1}, {8, 1}, {58, 2}} { // error and kind
		e := mem[out+32*n:]
		if e[0] != byte(n+1) || le.Uint16(e[8:]) != want[0] || uint16(e[10]) != want[1] {
			t.Errorf("event %d: got % x, want error %d and kind %d", n, e[:12], want[0], want[1])
		}
	}
	var c guest.Checkpoint
	if err := i.Save(&c); err != nil {
		t.Fatal(err)
	}
	if c.Mono != 3100 {
		t.Errorf("the guest's clock says %d, want 3100", c.Mono)
	}
}
