package host

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/lane"
	"github.com/yimmo-host/yimmo-host/host/poll"
)

// Config is everything a [Host] can be told. A zero field means the default
// named in its comment, never "unlimited" and never "off" unless it says so.
// The keys in error messages are those of server.toml.
type Config struct {
	// Listen is the TCP address of the public listener. Default "127.0.0.1:8081".
	// Port 0 picks a free one; [Host.Addr] tells which.
	Listen string

	// TLS is the listener's certificate. Default none: plain HTTP.
	TLS TLS

	// Admin is the operator's listener. Default none.
	Admin Admin

	// Transport chooses how upgraded connections are read and written:
	// [TransportAuto], [TransportPoll] or [TransportStream]. Default auto.
	Transport string

	// CacheDir keeps compiled plugins between starts; it holds machine code and
	// is made with mode 0700. Default: yimmo-host below the user's cache
	// directory. "off" keeps nothing.
	CacheDir string

	// Plugins by name. A host without any serves nothing and refuses to start.
	Plugins []Plugin

	Limits Limits

	// Log receives everything the host and its guests have to say.
	// Default: [slog.Default].
	Log *slog.Logger
}

// Transports. TLS connections always take the stream.
const (
	TransportAuto   = "auto"   // poll where there is such a thing
	TransportPoll   = "poll"   // a plugin's lane reads all its sockets itself; Linux
	TransportStream = "stream" // a goroutine per connection; any operating system
)

// Ways of delivery, see ABI.md section 11.
const (
	DeliveryFrames   = "frames"   // one event for each frame
	DeliveryMessages = "messages" // one event for each message
)

// Policies for peers that do not keep up.
const (
	SlowClose = "close" // the session is closed with 1008
	SlowDrop  = "drop"  // the newest frames are dropped, the guest is told
	SlowLast  = "last"  // of each topic the last message is kept; frames as with close
)

// Plugin is a module with its settings.
type Plugin struct {
	// Name identifies the plugin in logs, metrics and errors. Letters, digits,
	// '-' and '_', at most 64 bytes, unique.
	Name string

	// Path names the module's file. Ignored when Module is set.
	Path string

	// Module is the module itself, for embedding programs.
	Module []byte

	// Native makes the instances in place of a module: a plugin that is Go code
	// of the embedding program, or the server of a benchmark that leaves the
	// guest out. There is no sandbox, no limit of time and no limit of memory,
	// and a panic ends the process; Path, Module and Memory are ignored. Called
	// once for each lane and again after an error of its Turn.
	Native func() lane.Guest

	// Route is the path the plugin serves, as in [net/http.ServeMux] without
	// method and wildcards: "/chat" is that path alone, "/chat/" all below it,
	// "/" everything that no other plugin serves. Default "/" + Name.
	Route string

	// Origins are the web origins whose pages may open sessions, each exactly as
	// browsers send it ("https://example.com:8443"), or "*" for all. Default: the
	// origin of the request's own host. Requests without an Origin header do not
	// come from a page and always pass. It stops cross-site hijacking: cookies
	// travel with any page's handshake.
	Origins []string

	// Delivery is how data reaches the guest: [DeliveryFrames], [DeliveryMessages]
	// or, by default, as the module asks.
	Delivery string

	// Slow is what becomes of frames for a peer whose queue is full: [SlowClose],
	// [SlowDrop], or of topic messages [SlowLast]. A subscription may say
	// otherwise. Default close.
	Slow string

	// Lanes is the number of instances, each with a goroutine of its own.
	// Sessions are spread over them and stay where they are. Default 1.
	Lanes int

	// Memory is the most linear memory one instance may have, in bytes, rounded
	// down to 64 KiB. Default [Limits.Memory].
	Memory int64

	// Config is handed to the guest with its start event, as it is.
	Config map[string]string
}

// Limits bounds what one peer, or one guest, can cost the host.
type Limits struct {
	// HeaderTime is how long a peer may take to send a request's headers.
	// Default 5s. Then the connection ends, with 408 where lanes poll. It stops
	// slow handshakes that hold sockets for ever.
	HeaderTime time.Duration

	// HeaderBytes is the most a request line and headers may have together.
	// Default 16 KiB; above it 431, or 414 for the line alone. net/http, which reads
	// them where lanes do not poll, allows some 4 KiB more.
	HeaderBytes int

	// HTTPIdle is how long a kept-alive HTTP connection may be silent. Default 60s.
	HTTPIdle time.Duration

	// Body is the largest request body handed to a plugin, in bytes. Default 1 MiB; above it 413.
	Body int64

	// Answer is how long a plugin may take to decide an upgrade or to begin the
	// answer to a plain request. Default 30s; then 504.
	Answer time.Duration

	// Message is the largest message from a peer, all frames together, in
	// bytes. Default 1 MiB; above it close 1009. It stops a peer that never sets
	// FIN from making the host buffer without end.
	Message int64

	// Frames is the most frames one message may have. Default 1024; above it
	// close 1008. It stops floods of empty fragments, which no byte limit sees.
	Frames int

	// MessageTime is how long a message, or a request's body, may take from its
	// first byte to its last; nothing extends it. Default 10s; then close 1008, or 408.
	MessageTime time.Duration

	// CloseTime is how long the closing handshake may take before the
	// connection is cut. Default 5s.
	CloseTime time.Duration

	// WriteTime is how long a peer may refuse to take any byte of what is
	// queued for it before the connection is cut. Default 5s.
	WriteTime time.Duration

	// Queue is the most bytes that may wait for one session's peer. Default
	// 4 MiB; above it close 1008. Reading from the peer pauses at a quarter of it.
	Queue int64

	// Ping is how long a peer may be silent before the host pings it. Every frame
	// of the peer counts, and while a message is unfinished MessageTime watches
	// instead. Default 25s, below the minute after which proxies and routers
	// forget a connection.
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
	// well be made for many.
	MessageRate int

	// ByteRate is the same for the payload of messages, in bytes; one of the
	// largest may always come at once. Default 0: no limit.
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
	// 503. Default: eight tenths of the descriptors the process may open.
	Sessions int

	// Memory is the default of [Plugin.Memory]. Default 64 MiB, at most 4 GiB - 64 KiB.
	Memory int64

	// Turn is the longest one turn may run. Default 100ms; then the instance is
	// discarded.
	Turn time.Duration

	// Start is the longest an instance may take from instantiation to the end
	// of its start event. Default 2s.
	Start time.Duration

	// Metrics is the most names of metrics that one plugin may make up. Default 100;
	// above it its samples are refused with abi.StatusQuota. It stops a plugin from
	// filling whatever collects them.
	Metrics int

	// Drain is how long [Host.Shutdown] waits for the peers' close frames
	// before it cuts them. Default 10s.
	Drain time.Duration
}

// DefaultLimits is what a zero [Limits] means.
func DefaultLimits() Limits {
	return Limits{
		HeaderTime:  5 * time.Second,
		HeaderBytes: 16 << 10,
		HTTPIdle:    60 * time.Second,
		Body:        1 << 20,
		Answer:      30 * time.Second,
		Message:     1 << 20,
		Frames:      1024,
		MessageTime: 10 * time.Second,
		CloseTime:   5 * time.Second,
		WriteTime:   5 * time.Second,
		Ping:        25 * time.Second,
		Pong:        10 * time.Second,
		ControlRate: 20,
		Handshakes:  1024,
		Metrics:     100,
		Queue:       4 << 20,
		Memory:      64 << 20,
		Turn:        100 * time.Millisecond,
		Start:       2 * time.Second,
		Drain:       10 * time.Second,
	}
}

// DefaultConfig is what a zero [Config] means, without plugins.
func DefaultConfig() Config {
	return Config{Listen: "127.0.0.1:8081", Transport: TransportAuto, Limits: DefaultLimits()}
}

const (
	page       = 64 << 10
	maxMemory  = 4<<30 - page // at 65536 pages sizes no longer fit 32 bits
	maxLanes   = 256
	maxMessage = 1 << 30
)

// Validate reports every mistake in c at once, each with its key, its value and
// the remedy. The errors are joined.
func (c *Config) Validate() error {
	var errs []error
	bad := func(key string, value any, remedy string) {
		errs = append(errs, fmt.Errorf("%s: %v: %s", key, value, remedy))
	}
	c.Limits.validate(bad)
	c.TLS.validate(bad)
	switch c.Transport {
	case "", TransportAuto, TransportStream:
	case TransportPoll:
		if !poll.Supported {
			bad("transport", TransportPoll, "this operating system has none, use auto")
		}
	default:
		bad("transport", fmt.Sprintf("%q", c.Transport), "auto, poll or stream")
	}
	if len(c.Plugins) == 0 {
		bad("plugins", "none", "name at least one plugin")
	}
	names, routes := map[string]bool{}, map[string]string{}
	for i := range c.Plugins {
		p := &c.Plugins[i]
		key := "plugins." + p.Name
		p.validate(key, bad)
		if names[p.Name] {
			bad(key, p.Name, "two plugins of that name, rename one")
		}
		names[p.Name] = true
		if other, taken := routes[p.route()]; taken {
			bad(key+".route", fmt.Sprintf("%q", p.route()), fmt.Sprintf("plugin %s serves it already, choose another", other))
		}
		routes[p.route()] = p.Name
	}
	return errors.Join(errs...)
}

func (p *Plugin) route() string {
	if p.Route == "" {
		return "/" + p.Name
	}
	return p.Route
}

func (p *Plugin) validate(key string, bad func(key string, value any, remedy string)) {
	if !validName(p.Name) {
		bad(key, fmt.Sprintf("%q", p.Name), "a plugin's name has 1 to 64 letters, digits, '-' and '_'")
	}
	if p.Path == "" && p.Module == nil && p.Native == nil {
		bad(key+".path", `""`, "name the plugin's .wasm file")
	}
	if r := p.route(); !strings.HasPrefix(r, "/") || strings.ContainsAny(r, "{} \t?#") {
		bad(key+".route", fmt.Sprintf("%q", r), "a route begins with '/' and has no '{', '}', '?', '#' or space")
	}
	for _, o := range p.Origins {
		if u, err := url.Parse(o); o != "*" && (err != nil || u.Scheme == "" || u.Host == "" || u.Path != "") {
			bad(key+".origins", fmt.Sprintf("%q", o), `an origin is scheme://host[:port] or "*"`)
		}
	}
	if _, ok := policies[p.Slow]; !ok {
		bad(key+".slow", fmt.Sprintf("%q", p.Slow), "close, drop or last")
	}
	if d := p.Delivery; d != "" && d != DeliveryFrames && d != DeliveryMessages {
		bad(key+".delivery", fmt.Sprintf("%q", d), "frames, messages, or nothing: then as the plugin asks")
	}
	if p.Lanes < 0 || p.Lanes > maxLanes {
		bad(key+".lanes", p.Lanes, fmt.Sprintf("between 1 and %d", maxLanes))
	}
	if p.Memory != 0 && (p.Memory < page || p.Memory > maxMemory) {
		bad(key+".memory", p.Memory, "between 64KiB and 65535 * 64KiB")
	}
	for name := range p.Config {
		if name == "" || name[0] == ':' {
			bad(key+".config", fmt.Sprintf("%q", name), "a configuration key is not empty and does not begin with ':'")
		}
	}
}

func (l *Limits) validate(bad func(key string, value any, remedy string)) {
	for key, d := range map[string]time.Duration{
		"header_time": l.HeaderTime, "http_idle": l.HTTPIdle, "message_time": l.MessageTime, "answer": l.Answer,
		"close_time": l.CloseTime, "write_time": l.WriteTime, "ping": l.Ping, "pong": l.Pong, "idle": l.Idle,
		"turn": l.Turn, "start": l.Start, "drain": l.Drain,
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
		{"control_rate", int64(l.ControlRate), 1, 1 << 20},
		{"message_rate", int64(l.MessageRate), 1, 1 << 20},
		{"byte_rate", l.ByteRate, 1, maxMessage},
		{"connections", int64(l.Connections), 1, 1 << 24},
		{"per_address", int64(l.PerAddress), 1, 1 << 24},
		{"handshakes", int64(l.Handshakes), 1, 1 << 24},
		{"metrics", int64(l.Metrics), 1, 10000},
		{"sessions", int64(l.Sessions), 1, 1 << 24},
		{"memory", l.Memory, page, maxMemory},
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

// withDefaults returns c with every zero field filled in.
func (c Config) withDefaults() Config {
	d := DefaultConfig()
	fill(&c.Listen, d.Listen)
	fill(&c.Transport, d.Transport)
	c.Limits.fill(&d.Limits)
	if c.Log == nil {
		c.Log = slog.Default()
	}
	c.Plugins = slices.Clone(c.Plugins)
	for i := range c.Plugins {
		p := &c.Plugins[i]
		p.Route = p.route()
		fill(&p.Lanes, 1)
		fill(&p.Memory, c.Limits.Memory)
	}
	return c
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
	fill(&l.Memory, d.Memory)
	fill(&l.Turn, d.Turn)
	fill(&l.Start, d.Start)
	fill(&l.Drain, d.Drain)
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
