package trace

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// quoted is how many bytes of a payload a line shows, unless told otherwise.
const quoted = 60

// A line is text that grows word by word.
type line struct {
	strings.Builder
	missing bool // there is no payload to show
}

func (l *line) word(format string, args ...any) {
	if l.Len() > 0 {
		l.WriteByte(' ')
	}
	fmt.Fprintf(l, format, args...)
}

// EventText says in one line what an event means.
func EventText(e abi.Event, payload []byte) string {
	var l line
	l.word("%v", e.Kind)
	if e.ID != 0 {
		l.word("%016x", e.ID)
	}
	switch e.Kind {
	case abi.EventStart:
		l.fields(payload)
	case abi.EventConnect:
		l.flag(e.Flags, abi.FlagSynthesised, "synthesised")
		l.fields(payload)
	case abi.EventHTTPRequest:
		l.fields(payload)
		l.flag(e.Flags, abi.FlagEnd, "end")
	case abi.EventHTTPBody:
		l.payload(payload)
		l.flag(e.Flags, abi.FlagEnd, "end")
	case abi.EventRecv:
		l.word("seq %d", e.Seq)
		l.frame(e.Flags)
		l.payload(payload)
	case abi.EventClose:
		l.word("%d by %s", e.Code, [...]string{"nobody", "peer", "guest", "host"}[e.Flags&abi.MaskWho])
		l.flag(e.Flags, abi.FlagClean, "clean")
		l.flag(e.Flags, abi.FlagSynthesised, "synthesised")
		l.reason(payload)
	case abi.EventTimer:
		if e.User != 0 {
			l.word("missed %d", e.User)
		}
	case abi.EventTopic:
		l.topic(e.Code, payload)
		l.frame(e.Flags)
		l.payload(payload[min(int(e.Code), len(payload)):])
	case abi.EventDropped:
		l.word("%v", abi.Status(e.Code))
		l.number("tag", uint64(e.Seq))
	case abi.EventRefused:
		l.word("%v", abi.Status(e.Code))
		if c, ok := abi.ParseCommand(payload); ok {
			l.word("(%v)", c.Kind)
		}
		l.number("tag", uint64(e.Seq))
		l.number("and more:", e.User)
	case abi.EventDrained, abi.EventStop, abi.EventHTTPGone:
	default:
		l.raw(e.Flags, e.Code, uint64(e.Seq), e.User)
		l.payload(payload)
	}
	if e.User != 0 && session(e.Kind) {
		l.word("user %#x", e.User)
	}
	return guest.Printable(l.String())
}

// session says whether the user word of an event is that of its session.
func session(k abi.EventKind) bool {
	return k == abi.EventRecv || k == abi.EventClose || k == abi.EventDropped || k == abi.EventDrained || k == abi.EventConnect
}

// CommandText says in one line what a command asks for.
func CommandText(c Command) string {
	l := line{missing: c.Missing}
	l.word("%v", c.Kind)
	if c.ID != 0 {
		l.word("%016x", c.ID)
	}
	l.command(&c)
	l.number("tag", uint64(c.Tag))
	if c.Missing {
		l.word("%d B not recorded, at %#x", c.Len, c.Addr)
	}
	return guest.Printable(l.String())
}

func (l *line) command(c *Command) {
	p := c.Payload
	switch c.Kind {
	case abi.CommandSend, abi.CommandPublish, abi.CommandSendMany:
		l.frame(c.Flags)
		switch {
		case c.Kind == abi.CommandSendMany:
			l.ids(p)
		case c.Kind == abi.CommandPublish:
			l.word("to %s", quote(p, quoted))
		default:
			l.payload(p)
		}
	case abi.CommandPiece, abi.CommandState:
		l.payload(p)
		l.flag(c.Flags, abi.FlagEnd, "end")
	case abi.CommandAccept:
		l.fields(p)
	case abi.CommandRefuse:
		l.word("%d", c.Code)
		l.fields(p)
	case abi.CommandHold:
	case abi.CommandClose:
		l.word("%d", c.Code)
		l.reason(p)
	case abi.CommandSubscribe, abi.CommandUnsubscribe:
		l.word("%s", quote(p, quoted))
		l.number("policy", uint64(c.Flags))
	case abi.CommandSetUser:
		l.word("%#x", c.Arg)
	case abi.CommandTimerSet:
		l.word("in %v", time.Duration(c.Arg))
		l.flag(c.Flags, abi.FlagRepeat, "repeat")
	case abi.CommandTimerClear:
	case abi.CommandHTTPHead, abi.CommandHTTPBody:
		if c.Kind == abi.CommandHTTPHead {
			l.word("%d", c.Code)
			l.fields(p)
		} else {
			l.payload(p)
		}
		l.flag(c.Flags, abi.FlagFlush, "flush")
		l.flag(c.Flags, abi.FlagEnd, "end")
	case abi.CommandLog:
		l.word("%v %s", abi.Level(c.Flags), quote(p, quoted))
	case abi.CommandMetric:
		kind := "type " + strconv.Itoa(int(c.Flags))
		if int(c.Flags) < len(metricTypes) && metricTypes[c.Flags] != "" {
			kind = metricTypes[c.Flags]
		}
		l.word("%s %s %v", kind, quote(p, quoted), math.Float64frombits(c.Arg))
	default:
		l.raw(c.Flags, c.Code, 0, c.Arg)
		l.payload(p)
	}
}

var metricTypes = [...]string{abi.MetricCounter: "counter", abi.MetricGauge: "gauge", abi.MetricHistogram: "histogram"}

func (l *line) flag(flags, bit uint8, name string) {
	if flags&bit != 0 {
		l.word("%s", name)
	}
}

func (l *line) number(name string, n uint64) {
	if n != 0 {
		l.word("%s %d", name, n)
	}
}

// frame names the first byte of a frame.
func (l *line) frame(b uint8) {
	if name, ok := opcodes[b&abi.MaskOpcode]; ok {
		l.word("%s", name)
	} else {
		l.word("opcode %#x", b&abi.MaskOpcode)
	}
	if b&abi.FlagFIN == 0 {
		l.word("unfinished")
	}
	l.flag(b, abi.FlagRSV1, "rsv1")
	l.flag(b, abi.FlagRSV2, "rsv2")
	l.flag(b, abi.FlagRSV3, "rsv3")
}

var opcodes = map[uint8]string{
	abi.OpContinuation: "continuation", abi.OpText: "text", abi.OpBinary: "binary",
	abi.OpClose: "close", abi.OpPing: "ping", abi.OpPong: "pong",
}

func (l *line) payload(p []byte) {
	if l.missing {
		return
	}
	l.word("%d B", len(p))
	if len(p) > 0 {
		l.word("%s", quote(p, quoted))
	}
}

func (l *line) reason(p []byte) {
	if len(p) > 0 {
		l.word("%s", quote(p, quoted))
	}
}

func (l *line) topic(code uint16, p []byte) {
	l.word("%s", quote(p[:min(int(code), len(p))], quoted))
}

func (l *line) fields(p []byte) {
	if len(p) == 0 {
		return
	}
	fields, err := abi.ParseFields(p)
	if err != nil {
		l.payload(p)
		return
	}
	for name, value := range fields.All() {
		text := quote(value, quoted)
		if plain := strings.Trim(text, `"`); len(plain) == len(text)-2 && plain != "" && !strings.ContainsAny(plain, " \\\"") {
			text = plain
		}
		l.word("%s=%s", name, text)
	}
}

// ids lists who gets a frame for many.
func (l *line) ids(p []byte) {
	l.word("to %d:", len(p)/8)
	for n := 0; len(p) >= 8; n, p = n+1, p[8:] {
		if n == 4 {
			l.word("...")
			return
		}
		l.word("%016x", binary.LittleEndian.Uint64(p))
	}
}

// raw shows the fields of a record of unknown kind.
func (l *line) raw(flags uint8, code uint16, seq, user uint64) {
	l.number("flags", uint64(flags))
	l.number("code", uint64(code))
	l.number("seq", seq)
	l.number("user", user)
}

// quote shows the first bytes of p: as text if they are, else in hexadecimal.
func quote(p []byte, most int) string {
	cut, more := p, ""
	if len(p) > most {
		cut, more = p[:most], "..."
		for n := 0; n < utf8.UTFMax && len(cut) > 0 && !utf8.Valid(cut); n++ {
			cut = cut[:len(cut)-1]
		}
		if !utf8.Valid(cut) {
			cut = p[:most]
		}
	}
	if text := string(cut); utf8.ValidString(text) && strings.IndexFunc(text, strange) < 0 {
		if strings.Contains(text, `"`) && strconv.CanBackquote(text) { // JSON stays readable
			return "`" + text + "`" + more
		}
		return strconv.Quote(text) + more
	}
	return fmt.Sprintf("0x%x%s", cut[:min(len(cut), most/2)], map[bool]string{true: "..."}[more != "" || len(cut) > most/2])
}

// strange says whether r looks like anything but text.
func strange(r rune) bool {
	return !unicode.IsPrint(r) && r != '\n' && r != '\t' && r != '\r'
}
