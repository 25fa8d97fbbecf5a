//go:build unix && !linux

package guest

import "golang.org/x/sys/unix"

// boundMemory leaves it at GOMEMLIMIT: what other systems can limit is address
// space, of which Go reserves more than it will ever use.
func boundMemory(int64) error { return nil }

// giveWay makes this process less important than others.
func giveWay(nice int) error { return unix.Setpriority(unix.PRIO_PROCESS, 0, nice) }
