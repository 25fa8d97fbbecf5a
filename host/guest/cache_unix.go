//go:build unix

package guest

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// onlyOurs refuses a directory into which anyone else may put machine code.
func onlyOurs(info fs.FileInfo) error {
	if info.Mode().Perm()&0o022 != 0 {
		return errors.New("others may write to it, chmod 700")
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok && int(s.Uid) != os.Geteuid() {
		return errors.New("it belongs to another user")
	}
	return nil
}
