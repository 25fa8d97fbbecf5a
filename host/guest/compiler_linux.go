package guest

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// boundMemory bounds private memory that can be written to, which address space
// that is only reserved is not, and Go reserves plenty. What the process has
// already does not count.
func boundMemory(memory int64) error {
	var pages [6]uint64 // size, resident, shared, text, lib, data
	b, err := os.ReadFile("/proc/self/statm")
	if err == nil {
		_, err = fmt.Sscan(string(b), &pages[0], &pages[1], &pages[2], &pages[3], &pages[4], &pages[5])
	}
	if err != nil {
		return err
	}
	most := pages[5]*uint64(os.Getpagesize()) + uint64(memory)
	return unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: most, Max: most})
}

// giveWay makes this process less important than others. Linux counts each
// thread by itself; those to come inherit it.
func giveWay(nice int) error {
	threads, err := os.ReadDir("/proc/self/task")
	for _, t := range threads {
		if id, err := strconv.Atoi(t.Name()); err == nil {
			_ = unix.Setpriority(unix.PRIO_PROCESS, id, nice) // or it has ended
		}
	}
	return err
}
