package main

import (
	"io"
	"log/slog"
)

var (
	levels  = []string{"trace", "debug", "info", "warn", "error"}
	formats = []string{"text", "json"}
)

// levelTrace is below slog's own levels; guests can log at it.
const levelTrace = slog.LevelDebug - 4

// newLogger writes lines of l's level and above to w, in l's format.
func newLogger(w io.Writer, l logging) *slog.Logger {
	level := levelTrace
	if l.Level != "trace" {
		// load has checked the word.
		_ = level.UnmarshalText([]byte(l.Level))
	}
	o := &slog.HandlerOptions{Level: level, ReplaceAttr: nameTrace}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

func nameTrace(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.LevelKey && a.Value.Any() == levelTrace {
		a.Value = slog.StringValue("TRACE")
	}
	return a
}
