//go:build unix

package guest

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// bound limits what this process may take from now on. It gives way to others:
// whoever waits for a plugin to be compiled has no messages yet.
func bound(memory int64, seconds uint64) error {
	if err := boundMemory(memory); err != nil {
		return err
	}
	// The hard limit kills; the soft one sends a signal that Go ignores.
	if err := unix.Setrlimit(unix.RLIMIT_CPU, &unix.Rlimit{Cur: seconds, Max: seconds}); err != nil {
		return err
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return err
	}
	return giveWay(10)
}

// apart keeps signals of the terminal from the process: the host ends it.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
