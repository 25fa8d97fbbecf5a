// Package logger lets a plugin log with log/slog. It stands apart from package
// guest because slog adds half a megabyte to a module.
package logger

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
)

// New returns a logger whose records become lines of the host's log: the
// message, then the attributes as key=value. The host adds the time and decides
// which levels are kept. Use it from callbacks only.
func New() *slog.Logger { return slog.New(newHandler(guest.Log)) }

// ForSession returns a logger whose lines carry the session's id.
func ForSession(s guest.Session) *slog.Logger { return slog.New(newHandler(s.Log)) }

type handler struct {
	log  func(guest.Level, string)
	buf  *bytes.Buffer // one line, shared with the handlers derived from this one
	text slog.Handler  // writes to buf
}

func newHandler(log func(guest.Level, string)) *handler {
	buf := new(bytes.Buffer)
	return &handler{log: log, buf: buf, text: slog.NewTextHandler(buf, nil)}
}

// lead is what a text handler puts before the attributes of a record at level
// info with neither time nor message.
const lead = `level=INFO msg=""`

// Enabled is always true: only the host knows.
func (h *handler) Enabled(context.Context, slog.Level) bool { return true }

// Handle logs one record.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	attrs := slog.NewRecord(time.Time{}, slog.LevelInfo, "", 0)
	r.Attrs(func(a slog.Attr) bool { attrs.AddAttrs(a); return true })
	h.buf.Reset()
	if err := h.text.Handle(ctx, attrs); err != nil {
		return err
	}
	rest := strings.TrimSuffix(strings.TrimPrefix(h.buf.String(), lead), "\n")
	h.log(level(r.Level), r.Message+rest)
	return nil
}

// WithAttrs returns a logger's handler that adds attrs to each line.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &handler{h.log, h.buf, h.text.WithAttrs(attrs)}
}

// WithGroup returns a handler that puts "name." before the keys that follow.
func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{h.log, h.buf, h.text.WithGroup(name)}
}

func level(l slog.Level) guest.Level {
	switch {
	case l < slog.LevelDebug:
		return guest.LevelTrace
	case l < slog.LevelInfo:
		return guest.LevelDebug
	case l < slog.LevelWarn:
		return guest.LevelInfo
	case l < slog.LevelError:
		return guest.LevelWarn
	}
	return guest.LevelError
}
