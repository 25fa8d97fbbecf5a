package logger_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/guesttest"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/logger"
)

type handler struct{ recv func(s guest.Session) }

func (handler) Connect(guest.Session) error                           { return nil }
func (handler) Close(guest.Session, uint16, string)                   {}
func (h handler) Recv(s guest.Session, _ guest.Flags, _ []byte) error { h.recv(s); return nil }

func TestLogger(t *testing.T) {
	tests := []struct {
		name  string
		log   func(l *slog.Logger)
		level guest.Level
		text  string
	}{
		{"plain", func(l *slog.Logger) { l.Info("ready") }, guest.LevelInfo, "ready"},
		{"attributes", func(l *slog.Logger) { l.Warn("slow", "took", 3*time.Second, "who", "a b") }, guest.LevelWarn, `slow took=3s who="a b"`},
		{"with and group", func(l *slog.Logger) { l.With("room", 7).WithGroup("user").Error("gone", "id", 1) }, guest.LevelError, "gone room=7 user.id=1"},
		{"keys of slog's own", func(l *slog.Logger) { l.Debug("x", "msg", "m", "level", "l", "time", 1) }, guest.LevelDebug, "x msg=m level=l time=1"},
		{"below debug", func(l *slog.Logger) { l.Log(context.Background(), slog.LevelDebug-4, "x") }, guest.LevelTrace, "x"},
		{"empty", func(l *slog.Logger) { l.Info("") }, guest.LevelInfo, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := guesttest.Native(t, handler{func(s guest.Session) {
				tt.log(logger.New())
				tt.log(logger.ForSession(s))
			}})
			s := g.Connect(guesttest.Request{})
			s.RecvText("x")
			want := []guesttest.Line{{Level: tt.level, Text: tt.text}, {Level: tt.level, Session: s.ID(), Text: tt.text}}
			if got := g.Logs(); !slices.Equal(got, want) {
				t.Errorf("Logs: got %+v, want %+v", got, want)
			}
		})
	}
}
