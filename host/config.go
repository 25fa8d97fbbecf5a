package host

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/yimmo-host/yimmo-host/host/deflate"
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
	// is made with mode 0700. What has not been used for a month makes way for what
	// is new. Default: yimmo-host below the user's cache directory. "off" keeps
	// nothing.
	CacheDir string

	// TraceDir keeps a trace of what made a plugin fail, see [RecoveryRollback]: of
	// each plugin the 16 newest, at most one in ten seconds, and a copy of its
	// module. "yimmo-host replay" shows it again. A trace has the plugin's memory
	// and what was sent to it; the directory is made with mode 0700. Default:
	// yimmo-host/traces below the user's cache directory. "off" keeps nothing.
	// Plugins with [Record.Redact] leave none.
	TraceDir string

	// Compiler is the command, program and arguments, that compiles a plugin in a
	// process of its own: the program calls [CompilerMain] and nothing else. It
	// can be the embedding program itself, with an argument that tells it so.
	// [Limits.CompileTime] and [Limits.CompileMemory] bound it.
	//
	// Default none: plugins are compiled in this process. What their files declare
	// is checked either way, but nothing bounds the time and memory that compiling
	// takes: do that with plugins whose authors you trust.
	Compiler []string

	// Plugins by name. A host without any serves nothing and refuses to start.
	Plugins []Plugin

	Limits Limits

	// Compression of messages. Default off.
	Compression Compression

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

// What becomes of a plugin's sessions when it fails: a trap, an overrun of its
// time, or a mistake in what it answers.
const (
	RecoveryRollback = "rollback" // the event that made it fail is dropped and its session closed with 1011; all else goes on
	RecoveryRestart  = "restart"  // a fresh instance takes over the sessions it has heard the last of
	RecoveryFail     = "fail"     // all its sessions close with 1011; a fresh instance serves those who come then
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
	// come from a page and always pass. Behind a proxy that ends TLS it takes a list:
	// pages say https, and the host sees http. It stops cross-site hijacking: cookies
	// travel with any page's handshake.
	Origins []string

	// RequireOrigin refuses sessions to requests without an Origin header as well.
	// Default off. Browsers always send one; what else does not is then kept out,
	// as long as it does not know how to make one up.
	RequireOrigin bool

	// Delivery is how data reaches the guest: [DeliveryFrames], [DeliveryMessages]
	// or, by default, as the module asks.
	Delivery string

	// Slow is what becomes of frames for a peer whose queue is full: [SlowClose],
	// [SlowDrop], or of topic messages [SlowLast]. A subscription may say
	// otherwise. Default close.
	Slow string

	// Compression is [CompressionOn], [CompressionOff] or [CompressionDefault],
	// which is the default.
	Compression string

	// Recovery is what becomes of the sessions when the plugin fails:
	// [RecoveryRollback], [RecoveryRestart] or [RecoveryFail]. Default rollback.
	// Rolling back costs about 3 % of the time, more if the journal's 16 MiB are full
	// many times a second, and, for each lane, once the memory of an instance and
	// those 16 MiB; where it cannot be done the plugin is restarted. Both keep the
	// request of each session in memory.
	Recovery string

	// Lanes is the number of instances, each with a goroutine of its own.
	// Sessions are spread over them and stay where they are. Default 1.
	Lanes int

	// Memory is the most linear memory one instance may have, in bytes, rounded
	// down to 64 KiB. Default [Limits.Memory].
	Memory int64

	// Quota is what it may take of the host.
	Quota Quota

	// Record is what is recorded of it. Default nothing.
	Record Record

	// RecycleAbove is how many bytes of memory one instance may have and stay: above
	// it a fresh one takes its place as soon as it has no session and no request.
	// What it knew is lost then. Default 0: it stays. It stops a plugin from keeping
	// for ever what it needed once, since memory of a guest only grows.
	RecycleAbove int64

	// Config is handed to the guest with its start event, as it is.
	Config map[string]string
}

// DefaultConfig is what a zero [Config] means, without plugins.
func DefaultConfig() Config {
	return Config{Listen: "127.0.0.1:8081", Transport: TransportAuto, Limits: DefaultLimits(),
		Compression: Compression{Level: 1, Threshold: 128, WindowBits: deflate.MaxBits, Ratio: 200}}
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
	c.Compression.validate(bad)
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
	if r := p.route(); !strings.HasPrefix(r, "/") || strings.ContainsAny(r, "{} \t?#%") {
		bad(key+".route", fmt.Sprintf("%q", r), "a route begins with '/' and has no '{', '}', '?', '#', '%' or space")
	} else if clean := path.Clean(r); r != clean && r != clean+"/" {
		bad(key+".route", fmt.Sprintf("%q", r), fmt.Sprintf("no request comes to it, write %q", clean))
	}
	for _, o := range p.Origins {
		if u, err := url.Parse(o); o != "*" && (err != nil || u.Scheme == "" || u.Host == "" || u.Path != "") {
			bad(key+".origins", fmt.Sprintf("%q", o), `an origin is scheme://host[:port] or "*"`)
		}
	}
	if _, ok := policies[p.Slow]; !ok {
		bad(key+".slow", fmt.Sprintf("%q", p.Slow), "close, drop or last")
	}
	if !slices.Contains([]string{"", RecoveryRollback, RecoveryRestart, RecoveryFail}, p.Recovery) {
		bad(key+".recovery", fmt.Sprintf("%q", p.Recovery), "rollback, restart or fail")
	}
	if d := p.Delivery; d != "" && d != DeliveryFrames && d != DeliveryMessages {
		bad(key+".delivery", fmt.Sprintf("%q", d), "frames, messages, or nothing: then as the plugin asks")
	}
	if c := p.Compression; c != "" && c != CompressionOn && c != CompressionOff && c != CompressionDefault {
		bad(key+".compression", fmt.Sprintf("%q", c), "on, off or default")
	}
	if p.Lanes < 0 || p.Lanes > maxLanes {
		bad(key+".lanes", p.Lanes, fmt.Sprintf("between 1 and %d", maxLanes))
	}
	if p.Memory != 0 && (p.Memory < page || p.Memory > maxMemory) {
		bad(key+".memory", p.Memory, "between 64KiB and 65535 * 64KiB")
	}
	p.Quota.validate(key, bad)
	p.Record.validate(key, bad)
	if p.RecycleAbove != 0 && (p.RecycleAbove < page || p.RecycleAbove > maxMemory) {
		bad(key+".recycle_above", p.RecycleAbove, "between 64KiB and 65535 * 64KiB")
	}
	for name := range p.Config {
		if name == "" || name[0] == ':' {
			bad(key+".config", fmt.Sprintf("%q", name), "a configuration key is not empty and does not begin with ':'")
		}
	}
}

// withDefaults returns c with every zero field filled in.
func (c Config) withDefaults() Config {
	d := DefaultConfig()
	fill(&c.Listen, d.Listen)
	fill(&c.Transport, d.Transport)
	c.Limits.fill(&d.Limits)
	c.Compression.fill(&d.Compression)
	if c.Log == nil {
		c.Log = slog.Default()
	}
	c.Plugins = slices.Clone(c.Plugins)
	for i := range c.Plugins {
		p := &c.Plugins[i]
		p.Route = p.route()
		fill(&p.Compression, CompressionDefault)
		fill(&p.Lanes, 1)
		fill(&p.Memory, c.Limits.Memory)
		p.Quota.FillIn()
		fill(&p.Record.Mode, RecordOff)
		fill(&p.Record.Size, defaultRing)
	}
	return c
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
