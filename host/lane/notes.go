package lane

import (
	"context"
	"log/slog"
	"math"
	"strings"

	"golang.org/x/time/rate"

	"github.com/yimmo-host/yimmo-host/abi"
)

// A limiter lets the guest's lines through and counts those it does not.
type limiter struct {
	rate    *rate.Limiter
	dropped int
}

// newLimiter lets so many lines through a second and twice as many at once, or,
// for zero, all.
func newLimiter(perSecond int) limiter {
	if perSecond == 0 {
		return limiter{rate: rate.NewLimiter(rate.Inf, 0)}
	}
	return limiter{rate: rate.NewLimiter(rate.Limit(perSecond), 2*perSecond)}
}

var levels = [...]slog.Level{
	abi.LevelTrace: slog.LevelDebug - 4,
	abi.LevelDebug: slog.LevelDebug,
	abi.LevelInfo:  slog.LevelInfo,
	abi.LevelWarn:  slog.LevelWarn,
	abi.LevelError: slog.LevelError,
}

func (l *Lane) logCommand(c *abi.Command) abi.Status {
	if l.size() > abi.MaxLog {
		return abi.StatusTooLarge
	}
	level := levels[c.Flags]
	if !l.log.Enabled(context.Background(), level) {
		return 0
	}
	if !l.lines.rate.Allow() && l.exceeded(QuotaLogLines) {
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
	if !validMetric(l.whole()) {
		return abi.StatusBadFields
	}
	if l.cfg.Metric == nil {
		return 0
	}
	return l.cfg.Metric(c.Flags, l.whole(), math.Float64frombits(c.Arg))
}

// validMetric says whether name has letters, digits and '_' only, no digit first.
func validMetric(name []byte) bool {
	for i, c := range name {
		letter := c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// LogLevel is the operator's level for a guest's.
func LogLevel(level abi.Level) slog.Level { return levels[level] }
