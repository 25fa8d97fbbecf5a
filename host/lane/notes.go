package lane

import (
	"context"
	"log/slog"
	"math"
	"strings"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/time/rate"

	"github.com/yimmo-host/yimmo-host/abi"
)

// Lines a guest may log: on average per second, and at once. It stops a guest
// from filling the operator's disk.
const (
	linesPerSecond = 100
	linesAtOnce    = 200
)

// A limiter lets the guest's lines through and counts those it does not.
type limiter struct {
	rate    *rate.Limiter
	dropped int
}

func newLimiter() limiter {
	return limiter{rate: rate.NewLimiter(linesPerSecond, linesAtOnce)}
}

var levels = [...]slog.Level{
	abi.LevelTrace: slog.LevelDebug - 4,
	abi.LevelDebug: slog.LevelDebug,
	abi.LevelInfo:  slog.LevelInfo,
	abi.LevelWarn:  slog.LevelWarn,
	abi.LevelError: slog.LevelError,
}

func (l *Lane) logCommand(c *abi.Command) abi.Status {
	switch {
	case c.Flags < uint8(abi.LevelTrace) || c.Flags > uint8(abi.LevelError):
		return abi.StatusBadFlags
	case c.Code != 0 || c.Arg != 0:
		return abi.StatusReserved
	case l.size() > abi.MaxLog:
		return abi.StatusTooLarge
	}
	level := levels[c.Flags]
	if !l.log.Enabled(context.Background(), level) {
		return 0
	}
	if !l.lines.rate.Allow() {
		l.lines.dropped++
		return 0
	}
	attrs := make([]slog.Attr, 0, 2)
	if c.ID != 0 {
		attrs = append(attrs, slog.Any("session", sessionID(c.ID)))
	}
	if l.lines.dropped > 0 {
		attrs = append(attrs, slog.Int("lines_dropped", l.lines.dropped))
		l.lines.dropped = 0
	}
	l.log.LogAttrs(context.Background(), level, strings.ToValidUTF8(string(l.whole()), "\uFFFD"), attrs...)
	return 0
}

func (l *Lane) metric(c *abi.Command) abi.Status {
	sample := math.Float64frombits(c.Arg)
	name := l.whole()
	switch {
	case c.Flags < abi.MetricCounter || c.Flags > abi.MetricHistogram:
		return abi.StatusBadFlags
	case c.Code != 0 || c.ID != 0:
		return abi.StatusReserved
	case len(name) == 0 || len(name) > abi.MaxMetricName:
		return abi.StatusTooLarge
	case math.IsNaN(sample) || math.IsInf(sample, 0) || c.Flags == abi.MetricCounter && sample < 0:
		return abi.StatusBadFields
	}
	if l.cfg.Metric != nil {
		l.cfg.Metric(c.Flags, string(name), sample)
	}
	return 0
}

// validHeaders says whether f may stand in an HTTP answer: names and values
// as RFC 9110 section 5 has them, and nothing that frames the message, which is
// the host's business.
func validHeaders(f abi.Fields) bool {
	for name, value := range f.All() {
		n := string(name)
		if n == abi.FieldProtocol {
			n = "sec-websocket-protocol"
		}
		if !httpguts.ValidHeaderFieldName(n) || !httpguts.ValidHeaderFieldValue(string(value)) {
			return false
		}
		switch strings.ToLower(string(name)) {
		case "connection", "upgrade", "transfer-encoding", "content-length", "trailer", "keep-alive",
			"sec-websocket-accept", "sec-websocket-extensions", "sec-websocket-protocol", "sec-websocket-version":
			return false
		}
	}
	return true
}

// LogLevel is the operator's level for a guest's.
func LogLevel(level abi.Level) slog.Level { return levels[level] }
