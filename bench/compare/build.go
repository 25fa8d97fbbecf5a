//go:build linux

package main

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"path/filepath"

	"github.com/yimmo-host/yimmo-host/bench"
)

// built is the two servers, in a directory that goes when all is done.
type built struct {
	dir            string
	baseline, ours program
}

// settings of the server: the echo without its greeting, for the baseline has
// none, and the fan-out. Everything else is the default.
const settings = `cache_dir = "cache"

[plugins.echo]
path   = "echo.wasm"
route  = "/"
config = { greeting = "" }

[plugins.broadcast]
path  = "broadcast.wasm"
route = "/broadcast"

[log]
level = "warn" # the echo logs each session
`

func build() (*built, error) {
	dir, err := os.MkdirTemp("", "compare-")
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "server.toml")
	b := &built{
		dir:      dir,
		baseline: program{"gorilla", filepath.Join(dir, "baseline"), []string{"-listen"}},
		ours:     program{"yimmo-host", filepath.Join(dir, "yimmo-host"), []string{"run", "--config", config, "--listen"}},
	}
	err = os.WriteFile(config, []byte(settings), 0o666)
	for _, p := range []struct {
		file, pkg string
		wasm      bool
	}{
		{"baseline", "bench/baseline", false},
		{"yimmo-host", "cmd/yimmo-host", false},
		{"echo.wasm", "plugins/echo", true},
		{"broadcast.wasm", "plugins/broadcast", true},
	} {
		if err == nil {
			err = bench.Build(filepath.Join(dir, p.file), p.pkg, p.wasm)
		}
	}
	if err != nil {
		b.remove()
		return nil, err
	}
	return b, nil
}

func (b *built) remove() { os.RemoveAll(b.dir) }

// versions names what was measured.
func (b *built) versions() string {
	return fmt.Sprintf("yimmo-host %s, wazero %s, gorilla/websocket %s",
		commit(b.ours.file), dependency(b.ours.file, "github.com/tetratelabs/wazero"),
		dependency(b.baseline.file, "github.com/gorilla/websocket"))
}

func dependency(file, path string) string {
	if info, err := buildinfo.ReadFile(file); err == nil {
		for _, d := range info.Deps {
			if d.Path == path {
				return d.Version
			}
		}
	}
	return "unknown"
}

// commit is what a program was built from.
func commit(file string) string {
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	of := map[string]string{}
	for _, s := range info.Settings {
		of[s.Key] = s.Value
	}
	if of["vcs.revision"] == "" {
		return "without a commit"
	}
	if of["vcs.modified"] == "true" {
		return of["vcs.revision"][:8] + " and changes"
	}
	return of["vcs.revision"][:8]
}
