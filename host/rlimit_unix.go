//go:build unix

package host

import "golang.org/x/sys/unix"

// descriptors is how many the process may open.
func descriptors() int {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return 1000
	}
	return int(min(uint64(limit.Cur), 1<<20))
}
