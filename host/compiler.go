package host

import (
	"io"

	"github.com/yimmo-host/yimmo-host/host/guest"
)

// CompilerMain is all that the program of [Config.Compiler] does. It bounds its
// own process, compiles one module from in, none of which runs, and answers on
// out. The error, for standard error and exit code 1, is that nobody asked.
//
//	if len(os.Args) == 2 && os.Args[1] == "compile" { // first of all in main
//		if err := host.CompilerMain(os.Stdin, os.Stdout); err != nil {
//			fmt.Fprintln(os.Stderr, err)
//			os.Exit(1)
//		}
//		return
//	}
//	config.Compiler = []string{self, "compile"} // self is from os.Executable
func CompilerMain(in io.Reader, out io.Writer) error { return guest.CompilerMain(in, out) }

// newEngine makes what compiles plugins. c has its defaults.
func (c *Config) newEngine() (*guest.Engine, error) {
	e, err := guest.NewEngine(c.CacheDir, c.Log)
	if err == nil && len(c.Compiler) > 0 {
		err = e.CompileIn(guest.Process{Command: c.Compiler, Time: c.Limits.CompileTime, Memory: c.Limits.CompileMemory})
	}
	return e, err
}
