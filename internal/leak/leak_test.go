package leak_test

import (
	"os"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/internal/leak"
)

// recorder is a test whose failures are wanted.
type recorder struct {
	testing.TB
	errors   []string
	cleanups []func()
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, format)
	_ = args
}

// Check finds what is left, and only that.
func TestCheck(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	var left *os.File
	tests := []struct {
		name string
		act  func()
		want string // in the failure
	}{
		{"nothing", func() {}, ""},
		{"goroutine", func() { go func() { <-stop }() }, "leak: %v"},
		{"descriptor", func() { left, _ = os.Open(os.DevNull) }, "descriptors left open"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &recorder{TB: t}
			leak.Check(r)
			tt.act()
			for _, f := range r.cleanups {
				f()
			}
			if got := strings.Join(r.errors, "\n"); !strings.Contains(got, tt.want) || tt.want == "" && got != "" {
				t.Errorf("Check(%s left): got %q, want %q", tt.name, got, tt.want)
			}
		})
	}
	left.Close()
}
