package guest

import (
	"encoding/binary"
	"math"
	"math/rand/v2"

	"github.com/tetratelabs/wazero"

	"github.com/yimmo-host/yimmo-host/abi"
)

// A Header is what the host says to a guest at the start of a turn, in the
// control block and through the clocks and random bytes of WASI.
type Header struct {
	Now  int64  // wall clock, nanoseconds since 1970 UTC
	Mono int64  // monotonic clock, nanoseconds since the plugin began
	Seed uint64 // random bits, new in each turn
	Turn uint64 // number of the turn, from 1
}

// A world is what one guest sees through WASI. It is a function of the headers
// and of what the guest does, so that a replay sees the same.
type world struct {
	head     Header
	mono     int64 // the guest's monotonic clock; ahead of head.Mono once it slept
	random   *rand.ChaCha8
	seeded   bool // random has this turn's seed
	mute     bool // drop what the guest writes
	out, err lines
}

func newWorld(boot Header, log func(abi.Level, string)) *world {
	w := &world{random: rand.NewChaCha8([32]byte{})}
	if log != nil {
		write := func(level abi.Level, text string) {
			if !w.mute {
				log(level, text)
			}
		}
		w.out, w.err = lines{level: abi.LevelInfo, log: write}, lines{level: abi.LevelWarn, log: write}
	}
	w.begin(boot)
	return w
}

// begin sets clocks and random bytes for a turn. The wall clock may step back,
// the monotonic one stands still instead until real time has caught up with
// what the guest slept.
func (w *world) begin(h Header) {
	w.head, w.mono, w.seeded = h, max(w.mono, h.Mono), false
}

// end hands half lines to the log: whoever reads it should not wait for a turn
// that may never come.
func (w *world) end() {
	w.out.flush()
	w.err.flush()
}

// sleep advances both clocks. Nothing waits.
func (w *world) sleep(ns int64) {
	if ns > 0 {
		w.mono += min(ns, math.MaxInt64-w.mono)
	}
}

func (w *world) now() int64 {
	slept := w.mono - w.head.Mono
	return w.head.Now + min(slept, math.MaxInt64-max(w.head.Now, 0))
}

// nanotime is never zero: Go's runtime takes that for a broken clock and refuses
// to begin.
func (w *world) nanotime() int64 { return max(1, w.mono) }

// Read fills p with random bytes: ChaCha8 under the turn's seed. It never fails.
// They are as hard to guess as the 64 bits of the seed.
func (w *world) Read(p []byte) (int, error) {
	if !w.seeded {
		var seed [32]byte
		binary.LittleEndian.PutUint64(seed[:], w.head.Seed)
		w.random.Seed(seed)
		w.seeded = true
	}
	return w.random.Read(p)
}

// config is how wazero's part of WASI learns of the clocks. Start functions are
// called by the instance, under its own deadline.
func (w *world) config() wazero.ModuleConfig {
	const resolution = 1 // ns
	c := wazero.NewModuleConfig().WithName("").WithStartFunctions().
		WithWalltime(func() (int64, int32) {
			sec, ns := w.now()/1e9, w.now()%1e9
			if ns < 0 {
				sec, ns = sec-1, ns+1e9
			}
			return sec, int32(ns)
		}, resolution).
		WithNanotime(w.nanotime, resolution).
		WithNanosleep(w.sleep)
	return c
}
