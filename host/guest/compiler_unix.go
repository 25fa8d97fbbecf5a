//go:build unix

package guest

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// bound limits what this process may take from now on. It gives way to others:
// whoever waits for a plugin to be compiled has no messages yet.
func bound(memory int64, seconds uint64) error {
	if err := boundMemory(memory); err != nil {
		return err
	}
	over := make(chan os.Signal, 1)
	signal.Notify(over, unix.SIGXCPU)
	go func() {
		<-over
		fmt.Fprintln(os.Stderr, noTime)
		os.Exit(1)
	}()
	// The soft limit sends that signal, the hard one kills.
	if err := unix.Setrlimit(unix.RLIMIT_CPU, &unix.Rlimit{Cur: seconds, Max: seconds + 2}); err != nil {
		return err
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return err
	}
	return giveWay(10)
}

// apart keeps signals of the terminal from the process: the host ends it.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
