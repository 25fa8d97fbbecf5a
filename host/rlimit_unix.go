//go:build unix

package host

import "golang.org/x/sys/unix"

// defaultSessions is eight tenths of the descriptors the process may open; the
// rest is for what is not a session.
func defaultSessions() int {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return 800
	}
	return int(min(uint64(limit.Cur), 1<<20) * 8 / 10)
}
