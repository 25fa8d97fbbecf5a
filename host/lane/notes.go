package lane

import (
	"context"
	"log/slog"
	"math"
	"strings"

	"golang.org/x/time/rate"

	"github.com/yimmo-host/yimmo-host/abi"
)

// Lines takes a guest's lines to the operator's log: those of its commands, and what
// else it writes, under one quota. It belongs to the goroutine of its lane.
type Lines struct {
	log      *slog.Logger
	rate     *rate.Limiter
	exceeded func(Quota) bool // the lane's
	dropped  int
}

// NewLines lets so many lines through a second and twice as many at once, or,
// for zero, all. It is for one [Config].
func NewLines(log *slog.Logger, perSecond int) *Lines {
	if perSecond == 0 {
		return &Lines{log: log, rate: rate.NewLimiter(rate.Inf, 0)}
	}
	return &Lines{log: log, rate: rate.NewLimiter(rate.Limit(perSecond), 2*perSecond)}
}

// Print takes a line that is no command.
func (l *Lines) Print(level abi.Level, text string) {
	if level := LogLevel(level); l.takes(level) {
		l.write(level, text)
	}
}

// takes says whether there is to be another line, and counts it if not.
func (l *Lines) takes(level slog.Level) bool {
	if !l.log.Enabled(context.Background(), level) {
		return false
	}
	if !l.rate.Allow() && l.exceeded(QuotaLogLines) {
		l.dropped++
		return false
	}
	return true
}

func (l *Lines) write(level slog.Level, text string, attrs ...slog.Attr) {
	if l.dropped > 0 {
		attrs = append(attrs, slog.Int("lines_dropped", l.dropped))
		l.dropped = 0
	}
	l.log.LogAttrs(context.Background(), level, text, attrs...)
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
	level := LogLevel(abi.Level(c.Flags))
	if !l.lines.takes(level) {
		return 0
	}
	attrs := make([]slog.Attr, 0, 2)
	if c.ID != 0 {
		attrs = append(attrs, slog.Any("session", sessionID(c.ID)))
	}
	l.lines.write(level, strings.ToValidUTF8(string(l.whole()), "\uFFFD"), attrs...)
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
