package guest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/yimmo-host/yimmo-host/abi"
)

// What a plugin exports, by name and type.
var (
	initType = signature{"\x7f\x7f\x7f", "\x7f"}.String()
	turnType = signature{"\x7f\x7f", "\x7f"}.String()
	voidType = signature{}.String()
)

// Check judges whether m is a plugin that this host can run: its exports, its
// ABI version and what it imports. It reports every fault at once, joined; the
// errors wrap [ErrVersion], [ErrNoMemory], [ErrNoExport], [ErrSignature] and
// [ErrImport].
func (m *Module) Check() error {
	if m.Major != 0 && m.Major != abi.Major {
		return fmt.Errorf("%w: plugin speaks ABI %d, this host speaks ABI %d", ErrVersion, m.Major, abi.Major)
	}
	var errs []error
	if e, ok := m.export(abi.ExportMemory); !ok || e.Kind != ExternMemory {
		errs = append(errs, ErrNoMemory)
	}
	errs = append(errs,
		m.checkExport(abi.ExportInit, initType, true),
		m.checkExport(abi.ExportTurn, turnType, true),
		m.checkExport(abi.ExportInitialize, voidType, false))
	for i := range m.Imports {
		errs = append(errs, m.Imports[i].check())
	}
	return errors.Join(errs...)
}

func (m *Module) checkExport(name, typ string, required bool) error {
	e, ok := m.export(name)
	switch {
	case !ok && !required:
		return nil
	case !ok:
		if _, command := m.export("_start"); command {
			return fmt.Errorf("%w: %s (it has _start: build a reactor, with Go -buildmode=c-shared)", ErrNoExport, name)
		}
		return fmt.Errorf("%w: %s", ErrNoExport, name)
	case e.Kind != ExternFunction:
		return fmt.Errorf("%w: export %s is a %s, not a function", ErrSignature, name, e.Kind)
	case e.Type != typ:
		return fmt.Errorf("%w: export %s is %s, not %s", ErrSignature, name, e.Type, typ)
	}
	return nil
}

func (m *Module) export(name string) (Export, bool) {
	for _, e := range m.Exports {
		if e.Name == name {
			return e, true
		}
	}
	return Export{}, false
}

func (i *Import) check() error {
	typ, known := wasiFunctions[i.Name]
	switch {
	case i.Module != abi.ImportWASI || i.Kind != ExternFunction:
		return fmt.Errorf("%w: %s.%s (%s): a plugin imports nothing but functions of %s",
			ErrImport, i.Module, i.Name, i.Kind, abi.ImportWASI)
	case !known:
		return fmt.Errorf("%w: %s.%s: preview 1 has no such function", ErrImport, i.Module, i.Name)
	case i.Type != typ:
		return fmt.Errorf("%w: %s.%s is %s, not %s", ErrImport, i.Module, i.Name, typ, i.Type)
	}
	return nil
}

// wasiFunctions are the imports that are granted, with their types: all of
// preview 1, sockets and files included, since compilers link more of it than a
// program uses and none of it reaches anything (see the package comment).
// Spelled out, so that a new version of wazero grants nothing by itself; a test
// compares the two.
var wasiFunctions = byName(map[string]string{
	"() -> i32":                                  "sched_yield",
	"(i32)":                                      "proc_exit",
	"(i32) -> i32":                               "fd_close fd_datasync fd_sync proc_raise",
	"(i32, i32) -> i32":                          "args_get args_sizes_get clock_res_get environ_get environ_sizes_get fd_fdstat_get fd_fdstat_set_flags fd_filestat_get fd_prestat_get fd_renumber fd_tell random_get sock_shutdown",
	"(i32, i32, i32) -> i32":                     "fd_prestat_dir_name path_create_directory path_remove_directory path_unlink_file sock_accept",
	"(i32, i32, i32, i32) -> i32":                "fd_read fd_write poll_oneoff",
	"(i32, i32, i32, i32, i32) -> i32":           "path_filestat_get path_symlink sock_send",
	"(i32, i32, i32, i32, i32, i32) -> i32":      "path_readlink path_rename sock_recv",
	"(i32, i32, i32, i32, i32, i32, i32) -> i32": "path_link",
	"(i32, i32, i32, i32, i32, i64, i64, i32, i32) -> i32": "path_open",
	"(i32, i32, i32, i32, i64, i64, i32) -> i32":           "path_filestat_set_times",
	"(i32, i32, i32, i64, i32) -> i32":                     "fd_pread fd_pwrite fd_readdir",
	"(i32, i64) -> i32":                                    "fd_filestat_set_size",
	"(i32, i64, i32) -> i32":                               "clock_time_get",
	"(i32, i64, i32, i32) -> i32":                          "fd_seek",
	"(i32, i64, i64) -> i32":                               "fd_allocate fd_fdstat_set_rights",
	"(i32, i64, i64, i32) -> i32":                          "fd_advise fd_filestat_set_times",
})

func byName(byType map[string]string) map[string]string {
	types := map[string]string{}
	for typ, names := range byType {
		for name := range strings.FieldsSeq(names) {
			types[name] = typ
		}
	}
	return types
}
