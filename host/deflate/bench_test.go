package deflate_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/klauspost/compress/flate"

	"github.com/yimmo-host/yimmo-host/host/deflate"
)

var sizes = []int{60, 125, 250, 1000, 4 << 10, 64 << 10}

// chat is size bytes of messages as a chat sends them, in JSON.
func chat(r *rand.Rand, size int) []byte {
	var b bytes.Buffer
	for b.Len() < size {
		fmt.Fprintf(&b, `{"type":"message","id":%d,"room":"lobby-%d","user":"u%06d","text":"%s","ts":%d}`,
			r.IntN(1e9), r.IntN(20), r.IntN(1e6), text(r.IntN(1e6), 70), 1700000000000+r.Int64N(1e9))
	}
	return b.Bytes()[:size]
}

// Messages of a session, 32 different ones, again and again.
func BenchmarkInflate(b *testing.B) {
	for _, size := range sizes {
		r := rand.New(rand.NewPCG(1, 1))
		var packed [32][]byte
		for i := range packed {
			packed[i] = deflated(chat(r, size), 6)
		}
		for _, takeover := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/takeover=%t", size, takeover), func(b *testing.B) {
				in := deflate.NewPool(open).Inflater(session(15, takeover))
				out := make([]byte, 0, size+1)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if got, err := in.Append(out, packed[i%32], wide); len(got) != size || err != nil {
						b.Fatal(len(got), err)
					}
				}
			})
		}
	}
}

// What takes longest for its size on the wire: blocks with nothing but their codes.
func BenchmarkInflateWorst(b *testing.B) {
	block := append(bits("0 01 "+num(0, 5)+num(0, 5)+num(14, 4)+
		num(0, 6)+num(1, 3)+num(0, 14*3)+num(1, 3)+ // "0": a code of one bit, "1" and seven bits: so many without one
		"1 "+num(138-11, 7)+"1 "+num(118-11, 7)+"0 0 "+ // of 256 and of the only distance
		"0 "+flush), 0, 0, 0xff, 0xff)
	wire := bytes.Repeat(block, (64<<10)/len(block))
	wire = wire[:len(wire)-4]
	in := deflate.NewPool(open).Inflater(session(15, false))
	b.SetBytes(int64(len(wire)))
	for b.Loop() {
		if _, err := in.Append(nil, wire, wide); err != nil {
			b.Fatal(err)
		}
	}
}

// Reports how many bytes of payload a message becomes, too.
func BenchmarkDeflate(b *testing.B) {
	for _, size := range sizes {
		for _, takeover := range []bool{false, true} {
			for _, level := range []int{1, 3, 6, 9} {
				b.Run(fmt.Sprintf("%d/takeover=%t/level=%d", size, takeover, level), func(b *testing.B) {
					policy := deflate.Policy{ContextTakeover: takeover, Level: level, Threshold: 1}
					d := deflate.NewPool(policy).Deflater(session(15, takeover))
					r := rand.New(rand.NewPCG(1, 1))
					messages := make([][]byte, 40+(200<<10)/size) // more than a window holds
					for i := range messages {
						messages[i] = chat(r, size)
					}
					var out []byte
					total := 0
					b.SetBytes(int64(size))
					b.ReportAllocs()
					for i := 0; b.Loop(); i++ {
						out = d.AppendFrame(out[:0], 0x81, messages[i%len(messages)])
						total += len(out)
					}
					b.ReportMetric(float64(total)/float64(b.N), "wire-B/op")
				})
			}
		}
	}
}

// One message for 1000 receivers.
func BenchmarkMessage(b *testing.B) {
	for _, takeover := range []bool{false, true} {
		b.Run(fmt.Sprintf("takeover=%t", takeover), func(b *testing.B) {
			pool := deflate.NewPool(deflate.Policy{ContextTakeover: takeover})
			var receivers []*deflate.Deflater
			for range 1000 {
				d := pool.Deflater(session(15, takeover))
				receivers = append(receivers, &d)
			}
			payload := chat(rand.New(rand.NewPCG(1, 1)), 500)
			m := pool.Message()
			b.ReportAllocs()
			for b.Loop() {
				m.Reset(0x81, payload)
				for _, d := range receivers {
					m.Frame(d)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*1000), "ns/receiver")
		})
	}
}

// What a session keeps on the heap while it is idle, after it got and sent 64 KiB.
func BenchmarkIdle(b *testing.B) {
	tests := []struct {
		name     string
		takeover bool
		bits     int
		level    int
		size     int
	}{
		{"no-context", false, 15, 1, 64 << 10},
		{"context", true, 15, 1, 64 << 10},
		{"context/client_bits=12", true, 12, 1, 64 << 10},
		{"context/client_bits=9", true, 9, 1, 64 << 10},
		{"context/level=6", true, 15, 6, 64 << 10},
		{"context/little-traffic", true, 15, 1, 500},
		{"context/no-traffic", true, 15, 1, 0},
	}
	for _, test := range tests {
		b.Run(test.name, func(b *testing.B) {
			policy := deflate.Policy{ContextTakeover: test.takeover, Level: test.level, Threshold: 1}
			pool := deflate.NewPool(policy)
			p := deflate.Params{ServerBits: 15, ClientBits: test.bits, ServerTakeover: test.takeover, ClientTakeover: test.takeover}
			message := chat(rand.New(rand.NewPCG(1, 1)), test.size)
			packed := deflated(message, flate.HuffmanOnly)
			const sessions = 200
			out := make([]byte, 0, 70<<10)
			var total uint64
			for b.Loop() {
				var keep [sessions]struct {
					in deflate.Inflater
					d  deflate.Deflater
				}
				before := heap()
				for i := range keep {
					keep[i].in, keep[i].d = pool.Inflater(p), pool.Deflater(p)
					if test.size > 0 {
						keep[i].in.Append(out, packed, wide)
						keep[i].d.AppendFrame(out[:0], 0x82, message)
					}
				}
				total += heap() - before
				runtime.KeepAlive(&keep)
			}
			b.ReportMetric(float64(total)/float64(b.N)/sessions, "B/session")
		})
	}
}

// heap is what is alive, without what pools would give up.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
