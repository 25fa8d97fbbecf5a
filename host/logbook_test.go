package host_test

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A logbook keeps what a host logs, line by line, and prints its end when its test fails.
type logbook struct {
	mu    sync.Mutex
	text  bytes.Buffer
	grown chan struct{} // closed and replaced with each line
}

func newLogbook(t testing.TB) *logbook {
	b := &logbook{grown: make(chan struct{})}
	t.Cleanup(func() {
		if t.Failed() {
			lines := strings.SplitAfter(b.String(), "\n")
			t.Logf("the host's log ends:\n%s", strings.Join(lines[max(0, len(lines)-40):], ""))
		}
	})
	return b
}

func (b *logbook) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Write implements [io.Writer]; slog calls it once for each line.
func (b *logbook) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.grown)
	b.grown = make(chan struct{})
	return b.text.Write(line)
}

func (b *logbook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// wait returns when a line contains part.
func (b *logbook) wait(t testing.TB, part string) {
	t.Helper()
	b.waitTimes(t, part, 1)
}

// waitLine returns when one line contains all parts.
func (b *logbook) waitLine(t testing.TB, parts ...string) {
	t.Helper()
	late := time.After(patience)
	for {
		b.mu.Lock()
		text, grown := b.text.String(), b.grown
		b.mu.Unlock()
		for line := range strings.Lines(text) {
			if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(line, part) }) {
				return
			}
		}
		select {
		case <-grown:
		case <-late:
			t.Fatalf("log: no line with all of %q after %v", parts, patience)
		}
	}
}

// waitTimes returns when the log contains part that often.
func (b *logbook) waitTimes(t testing.TB, part string, times int) {
	t.Helper()
	late := time.After(patience)
	for {
		b.mu.Lock()
		found, grown := strings.Count(b.text.String(), part) >= times, b.grown
		b.mu.Unlock()
		if found {
			return
		}
		select {
		case <-grown:
		case <-late:
			t.Fatalf("log: nothing with %q after %v", part, patience)
		}
	}
}
