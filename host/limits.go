package host

import (
	"fmt"
	"slices"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/frame"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

// Limits bounds what one peer, or one guest, can cost the host. Every limit of a
// [Host] is here, with its unit, its default and what it stops; those of the
// contract are in ABI.md section 14, and those of modules in host/guest.
type Limits struct {
	// HeaderTime is how long a peer may take to send a request's headers.
	// Default 5s. Then the connection ends, with 408 where lanes poll. It stops
	// slow handshakes that hold sockets for ever.
	HeaderTime time.Duration

	// HeaderBytes is the most a request line and headers may have together.
	// Default 16 KiB; above it 431, or 414 for the line alone. net/http, which reads
	// them where lanes do not poll, allows some 4 KiB more. What they come to for a
	// guest may have abi.MinArea bytes; above that 431 as well. It stops headers that
	// fill memory.
	HeaderBytes int

	// HTTPIdle is how long a kept-alive HTTP connection may be silent. Default 60s.
	// It ends connections whose clients have forgotten them.
	HTTPIdle time.Duration

	// Body is the largest request body handed to a plugin, in bytes. Default 1 MiB; above it 413.
	// All that are under way to an instance have a quarter of [Plugin.Memory] together,
	// one alone excepted; above it 503. It stops bodies without end, and so many at
	// once that a guest which collects them runs out of memory.
	Body int64

	// Answer is how long a plugin may take to decide an upgrade or to begin the
	// answer to a plain request. Default 30s; then 504. It stops a plugin that says
	// nothing from collecting connections.
	Answer time.Duration

	// Message is the largest message from a peer, all frames together, in
	// bytes. Default 1 MiB; above it close 1009. It stops a peer that never sets
	// FIN from making the host buffer without end.
	Message int64

	// MessageTotal is the most bytes that the host keeps of messages that are not
	// complete, of all peers together. Default 256 MiB. The less of it is free the less
	// of one message may be kept: whose is above that closes with 1013. 16 KiB of each
	// always have a place. It stops many peers that begin large messages from filling
	// memory together.
	MessageTotal int64

	// Frames is the most frames one message may have. Default 1024; above it
	// close 1008. It stops floods of empty fragments, which no byte limit sees.
	Frames int

	// MessageTime is how long a message, or a request's body, may take from its
	// first byte to its last, without the time in which the host reads no further
	// because of Queue; nothing else extends it. Default 10s; then close 1008, or 408.
	// It stops messages that trickle and hold their memory.
	MessageTime time.Duration

	// CloseTime is how long the closing handshake may take before the
	// connection is cut, and how long plain requests go on when the host is told to
	// end. Default 5s. It stops peers that were shown the door from
	// staying in it.
	CloseTime time.Duration

	// WriteTime is how long a peer may refuse to take any byte of what is
	// queued for it before the connection is cut. Default 5s; for the answer to a
	// plain request too. It stops peers that do not read from holding what is queued.
	WriteTime time.Duration

	// Queue is the most bytes that may wait for one session's peer. Default
	// 4 MiB; above it close 1008. Reading from the peer pauses at a quarter of it.
	// It stops a peer that asks for more than it reads.
	Queue int64

	// QueueTotal is the most bytes that may wait for all peers together. Default
	// 256 MiB. The less of it is free the less one session may have waiting: what
	// is above that closes with 1008, whatever the plugin's policy. A message to a
	// peer that has taken all before always has a place. It stops many slow readers
	// from filling memory together.
	QueueTotal int64

	// Ping is how long a peer may be silent before the host pings it. Every frame
	// of the peer counts, and while a message is unfinished MessageTime watches
	// instead. Default 25s. It keeps proxies and routers from forgetting a quiet
	// connection, which many do after a minute.
	Ping time.Duration

	// Pong is how long a peer that was pinged may go on being silent before it is
	// cut. Default 10s. Ping, Pong and Idle are noticed half a second late at most.
	// It ends sessions whose peer has gone without a word.
	Pong time.Duration

	// Idle is how long a session may be without a data frame in either direction;
	// then close 1001. Default 0: off, for a quiet session that answers pings is
	// nothing wrong. It ends sessions that somebody has forgotten.
	Idle time.Duration

	// ControlRate is the most pings and pongs a peer may send a second, on average;
	// two and a half seconds' worth may come at once. Default 20; above it close
	// 1008. It stops floods of pings, each of which the host has to answer.
	ControlRate int

	// MessageRate is the same for messages. Default 0: no limit, the plugin may
	// well be made for many. It stops a peer from taking more than its share of the
	// plugin.
	MessageRate int

	// ByteRate is the same for the payload of messages, in bytes; one of the
	// largest may always come at once. Default 0: no limit. It stops a peer from
	// taking more than its share of the network.
	ByteRate int64

	// Connections is the most connections there may be together, sessions
	// included; who comes then gets 503. Default: nine tenths of the descriptors
	// the process may open. It keeps some for the admin listener and for files.
	Connections int

	// PerAddress is the most connections of one IPv4 address or one /64 network of
	// IPv6; who comes then gets 503. Default 0: no limit, because behind a proxy all
	// have the same address. 64 is a good one where there is none in front. It stops
	// one client from taking every place.
	PerAddress int

	// Handshakes is the most connections that may be open without having sent a
	// whole request, and the most upgrades that may wait for a plugin's decision.
	// Default 1024. Beyond it the oldest of the former is cut, and of the latter the
	// newest gets 503. It stops slow requests from keeping others out.
	Handshakes int

	// Sessions is the most sessions all plugins may have together; above it
	// 503. Default: eight tenths of the descriptors the process may open. It keeps
	// the rest for plain requests.
	Sessions int

	// Memory is the default of [Plugin.Memory]. Default 64 MiB, at most 4 GiB - 64 KiB.
	// It stops a guest from taking the memory of all.
	Memory int64

	// Turn is the longest one call of a guest may run, and all calls of a turn together
	// in which it takes in no event. Default 100ms; then it has failed, see
	// [Plugin.Recovery]. It stops a guest that loops.
	Turn time.Duration

	// Start is the longest an instance may take from instantiation to the end
	// of its start event. Default 2s. It stops a guest that loops there.
	Start time.Duration

	// Hook is the longest a turn may run in which a plugin comes to its end or hands
	// over its state; it has Turn at least. Default 2s. It stops a plugin that does
	// not end from holding up what comes after it.
	Hook time.Duration

	// TurnUnits is how much one turn may do, in units of about an instruction;
	// starting and hooks may do as many times more as they may take longer. Default
	// 0: no budget, Turn alone ends a turn. It stops a plugin at the same
	// instruction whenever it is given the same events, on any machine.
	TurnUnits int64

	// CompileTime is how long compiling one plugin may use a processor, in whole
	// seconds, and a quarter of how long it may take on the clock. Default 30s; then the
	// plugin does not start. Without [Config.Compiler] it is not looked at. It stops
	// modules that are made to be hard to compile.
	CompileTime time.Duration

	// CompileMemory is how many bytes compiling one plugin may take, on Linux.
	// Default 1 GiB, at least 64 MiB; then the plugin does not start. Without
	// [Config.Compiler] it is not looked at. It stops the same.
	CompileMemory int64

	// Metrics is the most names of metrics that one plugin may make up. Default 100;
	// above it its samples are refused with abi.StatusQuota. It stops a plugin from
	// filling whatever collects them.
	Metrics int

	// DrainDelay is how long [Host.Shutdown] lets everything go on when it has made
	// the host unready. Default 0: off. It keeps a load balancer, which needs a
	// while to notice, from sending clients to a host that turns them away.
	DrainDelay time.Duration

	// DrainRate is how many sessions a second [Host.Shutdown] tells to go, on
	// average; more if it would take half of Drain. Default 1000. It keeps clients
	// from all coming back at once, where they are let in next.
	DrainRate int

	// Drain is how long [Host.Shutdown] waits for the peers' close frames
	// before it cuts them. Default 10s. It stops peers that do not answer from
	// keeping a host that is to end.
	Drain time.Duration
}

// DefaultLimits is what a zero [Limits] means.
func DefaultLimits() Limits {
	return Limits{
		HeaderTime:    5 * time.Second,
		HeaderBytes:   16 << 10,
		HTTPIdle:      60 * time.Second,
		Body:          1 << 20,
		Answer:        30 * time.Second,
		Message:       1 << 20,
		Frames:        1024,
		MessageTime:   10 * time.Second,
		CloseTime:     5 * time.Second,
		WriteTime:     5 * time.Second,
		Ping:          25 * time.Second,
		Pong:          10 * time.Second,
		ControlRate:   20,
		Handshakes:    1024,
		Metrics:       100,
		Queue:         4 << 20,
		QueueTotal:    256 << 20,
		MessageTotal:  256 << 20,
		Memory:        64 << 20,
		Turn:          100 * time.Millisecond,
		Start:         2 * time.Second,
		Hook:          2 * time.Second,
		CompileTime:   guest.DefaultCompileTime,
		CompileMemory: guest.DefaultCompileMemory,
		DrainRate:     1000,
		Drain:         10 * time.Second,
	}
}

func (l *Limits) validate(bad func(key string, value any, remedy string)) {
	for key, d := range map[string]time.Duration{
		"header_time": l.HeaderTime, "http_idle": l.HTTPIdle, "message_time": l.MessageTime, "answer": l.Answer,
		"close_time": l.CloseTime, "write_time": l.WriteTime, "ping": l.Ping, "pong": l.Pong, "idle": l.Idle, "drain_delay": l.DrainDelay,
		"turn": l.Turn, "start": l.Start, "hook": l.Hook, "compile_time": l.CompileTime, "drain": l.Drain,
	} {
		if d < 0 || d > 24*time.Hour {
			bad("limits."+key, d, `a duration from 1ns to 24h, such as "5s"`)
		}
	}
	for _, n := range []struct {
		key      string
		value    int64
		min, max int64
	}{
		{"header_bytes", int64(l.HeaderBytes), 1 << 10, abi.MaxFields / 3},
		{"body", l.Body, 1, maxMessage},
		{"message", l.Message, 1, maxMessage},
		{"frames", int64(l.Frames), 1, 1 << 20},
		{"queue", l.Queue, 64 << 10, maxMessage},
		{"queue_total", l.QueueTotal, 64 << 10, 1 << 40},
		{"message_total", l.MessageTotal, 64 << 10, 1 << 40},
		{"control_rate", int64(l.ControlRate), 1, 1 << 20},
		{"message_rate", int64(l.MessageRate), 1, 1 << 20},
		{"byte_rate", l.ByteRate, 1, maxMessage},
		{"connections", int64(l.Connections), 1, 1 << 24},
		{"per_address", int64(l.PerAddress), 1, 1 << 24},
		{"handshakes", int64(l.Handshakes), 1, 1 << 24},
		{"drain_rate", int64(l.DrainRate), 1, 1 << 24},
		{"metrics", int64(l.Metrics), 1, 10000},
		{"sessions", int64(l.Sessions), 1, 1 << 24},
		{"memory", l.Memory, page, maxMemory},
		{"turn_units", l.TurnUnits, 1000, 1 << 50},
		{"compile_memory", l.CompileMemory, 64 << 20, 1 << 40},
	} {
		if n.value != 0 && (n.value < n.min || n.value > n.max) {
			bad("limits."+n.key, n.value, fmt.Sprintf("between %d and %d", n.min, n.max))
		}
	}
}

func validName(s string) bool {
	ok := func(r rune) bool {
		return r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	}
	return 0 < len(s) && len(s) <= 64 && !slices.ContainsFunc([]rune(s), func(r rune) bool { return !ok(r) })
}

func (l *Limits) fill(d *Limits) {
	fill(&l.HeaderTime, d.HeaderTime)
	fill(&l.HeaderBytes, d.HeaderBytes)
	fill(&l.HTTPIdle, d.HTTPIdle)
	fill(&l.Body, d.Body)
	fill(&l.Answer, d.Answer)
	fill(&l.Message, d.Message)
	fill(&l.Frames, d.Frames)
	fill(&l.MessageTime, d.MessageTime)
	fill(&l.CloseTime, d.CloseTime)
	fill(&l.WriteTime, d.WriteTime)
	fill(&l.Ping, d.Ping)
	fill(&l.Pong, d.Pong)
	fill(&l.ControlRate, d.ControlRate)
	fill(&l.Handshakes, d.Handshakes)
	fill(&l.Metrics, d.Metrics)
	fill(&l.Queue, d.Queue)
	fill(&l.QueueTotal, d.QueueTotal)
	fill(&l.MessageTotal, d.MessageTotal)
	fill(&l.Memory, d.Memory)
	fill(&l.Turn, d.Turn)
	fill(&l.Start, d.Start)
	fill(&l.Hook, d.Hook)
	fill(&l.CompileTime, d.CompileTime)
	fill(&l.CompileMemory, d.CompileMemory)
	fill(&l.DrainRate, d.DrainRate)
	fill(&l.Drain, d.Drain)
}

// ofLane is the part of l that lanes see to.
func (l *Limits) ofLane(waiting, unfinished *lane.Budget) lane.Limits {
	bytes := rate(l.ByteRate)
	bytes.AtOnce = max(bytes.AtOnce, l.Message)
	return lane.Limits{
		Frames:      frame.Limits{Message: l.Message, Frames: l.Frames},
		MessageTime: l.MessageTime, WriteTime: l.WriteTime, CloseTime: l.CloseTime,
		Answer: l.Answer, Queue: int(l.Queue), Waiting: waiting, Unfinished: unfinished, Turn: l.Turn,
		Ping: l.Ping, Pong: l.Pong, Idle: l.Idle,
		Controls: rate(int64(l.ControlRate)), Messages: rate(int64(l.MessageRate)), Bytes: bytes,
	}
}

// rate lets two and a half seconds' worth through at once: a peer that comes
// back from a lapse of its network has that much to say.
func rate(perSecond int64) lane.Rate {
	return lane.Rate{PerSecond: perSecond, AtOnce: max(1, perSecond*5/2)}
}
