//go:build unix

package guest

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// system maps address space without access rights, which costs nothing, and
// grants them page by page. It is off the Go heap, so the collector neither
// counts nor scans it, and release gives it back at once.
var system = backing{
	reserve: func(size int) ([]byte, error) {
		return unix.Mmap(-1, 0, size, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON)
	},
	commit: func(b []byte) error { return unix.Mprotect(b, unix.PROT_READ|unix.PROT_WRITE) },
	discard: func(b []byte) {
		// Elsewhere it is advice, after which the bytes may be what they were.
		if runtime.GOOS != "linux" || unix.Madvise(b, unix.MADV_DONTNEED) != nil {
			clear(b)
		}
	},
	release: unix.Munmap,
}
