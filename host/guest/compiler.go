package guest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// CompilerMain is all that the program of [Process] does: it bounds its own
// process, reads one module from in, leaves the machine code where it is told to,
// and answers on out. None of the module runs.
//
// The error is one of talking to the host, which is most likely not there: the
// program is not for people. What is wrong with the module goes to out.
func CompilerMain(in io.Reader, out io.Writer) error {
	r := bufio.NewReader(in)
	var o order
	line, err := r.ReadBytes('\n')
	if err != nil || json.Unmarshal(line, &o) != nil || o.Dir == "" || o.Size < 0 {
		return errors.New("compile: no order on standard input: a host calls this itself, to compile its plugins")
	}
	if err := bound(o.Memory, o.Seconds); err != nil {
		return fmt.Errorf("compile: limits of the process: %w", err)
	}
	wasm := make([]byte, o.Size)
	if _, err := io.ReadFull(r, wasm); err != nil {
		return fmt.Errorf("compile: read module: %w", err)
	}
	v := verdict{Done: true}
	if err := compileInto(o.Dir, wasm); err != nil {
		v = verdict{Error: err.Error(), Disk: isDisk(err)}
	}
	return json.NewEncoder(out).Encode(v)
}
