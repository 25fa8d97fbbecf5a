package leak_test

import (
	"fmt"
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
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

// end is what the testing package does when the test is over.
func (r *recorder) end() string {
	for _, f := range r.cleanups {
		f()
	}
	return strings.Join(r.errors, "\n")
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
		{"goroutine", func() { go func() { <-stop }() }, "leak: found unexpected goroutines"},
		{"descriptor", func() { left, _ = os.Open(os.DevNull) }, "descriptors left open"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &recorder{TB: t}
			leak.Check(r)
			tt.act()
			if got := r.end(); !strings.Contains(got, tt.want) || tt.want == "" && got != "" {
				t.Errorf("Check(%s left): got %q, want %q", tt.name, got, tt.want)
			}
		})
	}
	left.Close()
}

// named is a recorder with a name of its own.
type named struct {
	recorder
	name string
}

func (n *named) Name() string { return n.name }

// The last of several tests that overlap answers for all of them, by name.
func TestOverlap(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	first := &named{recorder{TB: t}, "first"}
	second := &named{recorder{TB: t}, "second"}
	leak.Check(first)
	leak.Check(second)
	go func() { <-stop }()
	if got := first.end(); got != "" {
		t.Errorf("while another runs: got %q, want nothing", got)
	}
	if got := second.end(); !strings.Contains(got, "leak by one of [first second]: found unexpected goroutines") {
		t.Errorf("at the end of the last: got %q, want the leak and both names", got)
	}
	third := &named{recorder{TB: t}, "third"}
	leak.Check(third)
	if got := third.end(); got != "" {
		t.Errorf("after that: got %q, want nothing", got)
	}
}
