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

// Messages of a session, 32 different ones, again and again. "library" is the
// inflater of klauspost/compress, which cannot be fed in parts.
func BenchmarkInflate(b *testing.B) {
	for _, size := range sizes {
		r := rand.New(rand.NewPCG(1, 1))
		var packed [32][]byte
		for i := range packed {
			packed[i] = deflated(chat(r, size), 6)
		}
		for _, takeover := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/takeover=%t", size, takeover), func(b *testing.B) {
				in := deflate.NewPool(open, wide).Inflater(session(15, takeover))
				out := make([]byte, size+300)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if n, _, _, err := in.Inflate(out, packed[i%32], true); n != size || err != nil {
						b.Fatal(n, err)
					}
				}
			})
		}
		b.Run(fmt.Sprintf("%d/library", size), func(b *testing.B) {
			out := make([]byte, size+300)
			for i := range packed {
				packed[i] = append(packed[i], 0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff)
			}
			src := bytes.NewReader(nil)
			in := flate.NewReader(src)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				src.Reset(packed[i%32])
				in.(flate.Resetter).Reset(src, nil)
				n := 0
				for {
					k, err := in.Read(out[n:])
					if n += k; err != nil {
						break
					}
				}
				if n != size {
					b.Fatal(n)
				}
			}
		})
	}
}

// Fragments of 64 bytes of one message: what it costs to stop and go on.
func BenchmarkInflateFragments(b *testing.B) {
	message := chat(rand.New(rand.NewPCG(1, 1)), 16<<10)
	frames := chunks(deflated(message, 6), 64)
	in := deflate.NewPool(open, wide).Inflater(session(15, false))
	out := make([]byte, 1<<10)
	b.SetBytes(int64(len(message)))
	b.ReportAllocs()
	for b.Loop() {
		for i, f := range frames {
			if _, _, more, err := in.Inflate(out, f, i == len(frames)-1); more || err != nil {
				b.Fatal(more, err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(frames)), "ns/frame")
}

// Reports how many bytes of payload a message becomes, too.
func BenchmarkDeflate(b *testing.B) {
	for _, size := range sizes {
		for _, takeover := range []bool{false, true} {
			for _, level := range []int{1, 3, 6, 9} {
				b.Run(fmt.Sprintf("%d/takeover=%t/level=%d", size, takeover, level), func(b *testing.B) {
					policy := deflate.Policy{Enabled: true, ContextTakeover: takeover, Level: level, Threshold: 1}
					d := deflate.NewPool(policy, wide).Deflater(session(15, takeover))
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
			pool := deflate.NewPool(deflate.Policy{Enabled: true, ContextTakeover: takeover}, wide)
			var receivers []*deflate.Deflater
			for range 1000 {
				receivers = append(receivers, pool.Deflater(session(15, takeover)))
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
			policy := deflate.Policy{Enabled: true, ContextTakeover: test.takeover, Level: test.level, Threshold: 1}
			pool := deflate.NewPool(policy, wide)
			p := deflate.Params{ServerBits: 15, ClientBits: test.bits, ServerTakeover: test.takeover, ClientTakeover: test.takeover}
			message := chat(rand.New(rand.NewPCG(1, 1)), test.size)
			packed := deflated(message, flate.HuffmanOnly)
			const sessions = 200
			out := make([]byte, 70<<10)
			var total uint64
			for b.Loop() {
				var keep [sessions]struct {
					in *deflate.Inflater
					d  *deflate.Deflater
				}
				before := heap()
				for i := range keep {
					keep[i].in, keep[i].d = pool.Inflater(p), pool.Deflater(p)
					if test.size > 0 {
						keep[i].in.Inflate(out, packed, true)
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
