package host

import (
	"fmt"
	"net/http"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/deflate"
)

// Compression is permessage-deflate (RFC 7692), for clients that offer it.
type Compression struct {
	// Enabled makes those plugins compress that do not say themselves, see
	// [Plugin.Compression]. Default false.
	Enabled bool

	// Level is how hard to compress, 1 to 9. Default 1. Level 9 saves another
	// tenth to a quarter of the bytes, and takes 2 to 5 times as long, 10 to 30 times
	// with Takeover.
	Level int

	// Threshold is the size in bytes below which a message is sent as it is; of a
	// fragmented one the first frame decides. Default 128.
	Threshold int64

	// Takeover lets both sides refer to their earlier messages: 60 bytes of JSON
	// become 19 that would not shrink alone, 250 become 103 rather than 170. But an
	// idle session keeps up to 40 KiB then, above level 1 up to 64 KiB, and to
	// compress takes twice as long. Default false: it keeps nothing.
	Takeover bool

	// WindowBits is the largest window that a client may refer back into, 9 to 15:
	// with Takeover, 2 to the WindowBits bytes of the memory above. Default 15. A
	// client that cannot be limited refers to no earlier message.
	WindowBits int

	// Ratio is how many times its size on the wire a message of a peer may have, on
	// top of 1 MiB that any may; above it close 1009. Default 200: text stays
	// below 130, only runs of one pattern reach the 1032 that the format can do. It
	// stops peers that send little and make the host work much. [Limits.Message]
	// and [Limits.ByteRate] count what a message inflates to.
	Ratio int
}

// Values of [Plugin.Compression].
const (
	CompressionOn      = "on"
	CompressionOff     = "off"
	CompressionDefault = "default" // as [Compression.Enabled] says
)

func (c *Compression) policy() deflate.Policy {
	return deflate.Policy{
		ContextTakeover: c.Takeover, ClientBits: c.WindowBits, Level: c.Level, Threshold: int(c.Threshold), Ratio: c.Ratio,
	}
}

func (c *Compression) fill(d *Compression) {
	fill(&c.Level, d.Level)
	fill(&c.Threshold, d.Threshold)
	fill(&c.WindowBits, d.WindowBits)
	fill(&c.Ratio, d.Ratio)
}

func (c *Compression) validate(bad func(key string, value any, remedy string)) {
	if c.Level < 0 || c.Level > 9 {
		bad("compression.level", c.Level, "between 1 and 9")
	}
	if c.Threshold < 0 || c.Threshold > maxMessage {
		bad("compression.threshold", c.Threshold, fmt.Sprintf("between 1 and %d", maxMessage))
	}
	if c.WindowBits != 0 && (c.WindowBits <= deflate.MinBits || c.WindowBits > deflate.MaxBits) {
		bad("compression.window_bits", c.WindowBits, "between 9 and 15")
	}
	if c.Ratio < 0 || c.Ratio > 1<<20 {
		bad("compression.ratio", c.Ratio, "between 1 and 1048576")
	}
}

// newDeflate is what the plugin's sessions compress with, nil if they do not.
func (p *plugin) newDeflate() *deflate.Pool {
	c := &p.host.cfg.Compression
	if p.cfg.Compression == CompressionOff || p.cfg.Compression != CompressionOn && !c.Enabled {
		return nil
	}
	return deflate.NewPool(c.policy())
}

// agree answers a client's offer to compress: with what both sides do, and with
// what the 101 says about that. It is nil if they do without.
func (p *plugin) agree(r *http.Request) (agreed *deflate.Params, extension string) {
	offers := r.Header["Sec-Websocket-Extensions"]
	if p.deflate == nil || len(offers) == 0 {
		return nil, ""
	}
	params, extension, ok := p.deflate.Negotiate(offers)
	if !ok {
		return nil, ""
	}
	return &params, extension
}

// extensionHeader is spelled as RFC 6455 spells it, which net/http does not:
// gorilla refuses to write the header under its usual name, for it cannot know
// what was agreed on. Plugins may not set it at all.
const extensionHeader = "Sec-WebSocket-Extensions"

// upgradeHeader is what the 101 says besides what each does; nil for nothing.
func upgradeHeader(fields abi.Fields, extension string) http.Header {
	if len(fields) == 0 && extension == "" {
		return nil
	}
	h := responseHeader(fields)
	if extension != "" {
		h[extensionHeader] = []string{extension}
	}
	return h
}
