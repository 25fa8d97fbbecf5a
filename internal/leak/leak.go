// Package leak finds goroutines and descriptors that a test leaves behind.
package leak

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// Check notes the goroutines and descriptors there are. When t and the cleanups
// registered after this call are done it fails t if there are more.
//
// Goroutines get a moment to end, descriptors none: who closes a connection
// knows when it is closed. Descriptors belong to the process, so tests that call
// Check must not run in parallel. Where there is no /dev/fd they are not checked.
func Check(t testing.TB) {
	t.Helper()
	openPoller(t)
	goroutines := goleak.IgnoreCurrent()
	before := descriptors()
	t.Cleanup(func() {
		t.Helper()
		if err := goleak.Find(goroutines); err != nil {
			t.Errorf("leak: %v", err)
		}
		if extra := subtract(descriptors(), before); len(extra) > 0 {
			t.Errorf("leak: descriptors left open: %s", strings.Join(extra, ", "))
		}
	})
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
