// Package leak finds goroutines and descriptors that a test leaves behind.
package leak

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// Check notes the goroutines and descriptors there are. When t and the cleanups
// registered after this call are done it fails t if there are more.
//
// Goroutines and descriptors belong to the process. While several tests run that
// have called Check, the last of them to end answers for all: it names those whose
// leak it may be, and -parallel 1 tells which. A parallel test calls [Parallel]
// instead. Where there is no /dev/fd descriptors are not checked.
//
// Goroutines get a moment to end, descriptors none: who closes a connection
// knows when it is closed.
func Check(t testing.TB) {
	t.Helper()
	now.enter(t)
	t.Cleanup(func() {
		t.Helper()
		now.leave(t)
	})
}

// Parallel is t.Parallel and then [Check]: in between a test must not open anything.
func Parallel(t *testing.T) {
	t.Helper()
	t.Parallel()
	Check(t)
}

// window is the time from a Check with no other under way to the end of the last
// that overlaps it.
type window struct {
	mu          sync.Mutex
	open        int
	tests       []string
	goroutines  goleak.Option // those there were, to be ignored
	descriptors []string      // the same
}

var now window

func (w *window) enter(t testing.TB) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tests = append(w.tests, t.Name())
	if w.open++; w.open > 1 {
		return
	}
	openPoller(t)
	w.goroutines, w.descriptors = goleak.IgnoreCurrent(), descriptors()
}

func (w *window) leave(t testing.TB) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open--; w.open > 0 {
		return
	}
	among := ""
	if len(w.tests) > 1 {
		among = fmt.Sprintf(" by one of %v", w.tests)
	}
	w.tests = nil
	// A test that waits to enter is a goroutine too.
	if err := goleak.Find(w.goroutines, goleak.IgnoreAnyFunction("testing.tRunner")); err != nil {
		t.Errorf("leak%s: %v", among, err)
	}
	if extra := subtract(descriptors(), w.descriptors); len(extra) > 0 {
		t.Errorf("leak%s: descriptors left open: %s", among, strings.Join(extra, ", "))
	}
}

// openPoller makes the runtime open what it keeps for its network poller.
func openPoller(t testing.TB) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}

// descriptors lists what is open, as "number -> what".
func descriptors() []string {
	const dir = "/dev/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var open []string
	for _, e := range entries {
		what, err := os.Readlink(filepath.Join(dir, e.Name()))
		if err != nil {
			continue // the one that ReadDir itself had
		}
		open = append(open, fmt.Sprintf("%s -> %s", e.Name(), what))
	}
	return open
}

func subtract(all, known []string) []string {
	return slices.DeleteFunc(all, func(s string) bool { return slices.Contains(known, s) })
}
