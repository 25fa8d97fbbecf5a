package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"embed"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/yimmo-host/yimmo-host/host"
)

// The reference configuration and the echo plugin. Both are copies: go generate
// brings them up to date.
//
//go:generate cp ../../server.toml embedded/server.toml
//go:generate env GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -trimpath -buildvcs=false "-ldflags=-s -w" -o embedded/echo.wasm ../../plugins/echo
//go:generate gzip -9nf embedded/echo.wasm
//go:embed embedded
var embedded embed.FS

// embeddedScheme begins the path of a module inside this program.
const embeddedScheme = "embedded:"

// defaultRecordSize is how much a ring keeps of each lane where nobody says, in bytes.
const defaultRecordSize = 64 << 20

// builtIn is the plugin of a host that nobody gave one.
func builtIn() map[string]*plugin {
	return map[string]*plugin{"echo": {Path: embeddedScheme + "echo", Route: "/", Origins: List{"*"}}}
}

// plugins settles which plugins there are: the files named as arguments, else
// those of tables, plugins_dir and environment together, else the built-in one.
// They are in the order of their names.
func (l *loader) plugins(modules []string, vars map[string]string) []host.Plugin {
	switch {
	case len(modules) > 0:
		l.argumentPlugins(modules)
	case len(l.settings.Plugins) == 0 && l.settings.PluginsDir == "":
		l.settings.Plugins = builtIn()
		l.readPluginEnv(vars)
		if len(l.settings.Plugins) > 1 && !l.touched("plugins.echo.") {
			delete(l.settings.Plugins, "echo")
		}
	default:
		l.scanPluginsDir()
		l.readPluginEnv(vars)
	}
	var all []host.Plugin
	for _, name := range slices.Sorted(maps.Keys(l.settings.Plugins)) {
		all = append(all, l.hostPlugin(name, l.settings.Plugins[name]))
	}
	return all
}

// touched tells whether anything set a key that begins with prefix.
func (l *loader) touched(prefix string) bool {
	for key := range l.places {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

// argumentPlugins puts the named files in the place of all configured plugins.
// One file serves everything; several serve "/" and their name each.
func (l *loader) argumentPlugins(modules []string) {
	maps.DeleteFunc(l.places, func(key string, _ place) bool { return strings.HasPrefix(key, "plugins") })
	l.settings.Plugins = map[string]*plugin{}
	for _, file := range modules {
		name := moduleName(file)
		if other, taken := l.settings.Plugins[name]; taken {
			l.problems = append(l.problems, problem{text: fmt.Sprintf(
				"%q and %q: both would be plugin %q, rename one or name both in %s", other.Path, file, name, defaultFile)})
			continue
		}
		p := &plugin{Path: Text(file)}
		if len(modules) == 1 {
			p.Route = "/"
		}
		l.settings.Plugins[name] = p
		l.places["plugins."+name] = place{name: "argument"}
	}
}

// moduleName is the plugin's name for a file: its base name without extension.
func moduleName(file string) string {
	base := filepath.Base(file)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// scanPluginsDir makes a plugin of each module in plugins_dir that no table
// names, by its name or as its path. A table without path gets the file of its
// name there.
func (l *loader) scanPluginsDir() {
	if l.settings.PluginsDir == "" {
		return
	}
	dir := l.relative("plugins_dir", string(l.settings.PluginsDir))
	entries, err := os.ReadDir(dir)
	if err != nil {
		l.report("plugins_dir", fmt.Sprintf("no such directory %q: make it, or leave the key out", dir))
		return
	}
	named := map[string]bool{}
	for name, p := range l.settings.Plugins {
		named[filepath.Clean(l.relative("plugins."+name+".path", string(p.Path)))] = true
	}
	for _, e := range entries {
		file := filepath.Join(dir, e.Name())
		if e.IsDir() || filepath.Ext(file) != ".wasm" || named[file] {
			continue
		}
		name := moduleName(file)
		if l.settings.Plugins[name] == nil {
			l.settings.Plugins[name] = &plugin{}
			l.places["plugins."+name] = place{name: file}
		}
		if p := l.settings.Plugins[name]; p.Path == "" {
			p.Path = Text(file)
			l.places["plugins."+name+".path"] = place{name: file}
		}
	}
	if len(l.settings.Plugins) == 0 {
		l.report("plugins_dir", fmt.Sprintf("no .wasm file in %q: put a plugin there", dir))
	}
}

// relative resolves a path that the file may have set: there it is relative to
// the file, everywhere else to the working directory.
func (l *loader) relative(key, path string) string {
	if path == "" || path == "off" || filepath.IsAbs(path) || strings.HasPrefix(path, embeddedScheme) ||
		l.places[key].name != l.origin {
		return path
	}
	return filepath.Join(l.dir, path)
}

// dirOf is the directory of a file, "" for the working directory.
func dirOf(file string) string {
	if dir := filepath.Dir(file); dir != "." {
		return dir
	}
	return ""
}

// hostPlugin translates p, fills in its defaults and sees that its module is there.
func (l *loader) hostPlugin(name string, p *plugin) host.Plugin {
	key := "plugins." + name
	h := host.Plugin{
		Name:          name,
		Path:          l.relative(key+".path", string(p.Path)),
		Route:         cmp.Or(string(p.Route), "/"+name),
		Origins:       p.Origins,
		RequireOrigin: bool(p.RequireOrigin),
		Delivery:      string(p.Delivery),
		Slow:          cmp.Or(string(p.Slow), host.SlowClose),
		Compression:   cmp.Or(string(p.Compress), host.CompressionDefault),
		Recovery:      cmp.Or(string(p.Recovery), host.RecoveryRollback),
		Lanes:         cmp.Or(int(p.Lanes), 1),
		Memory:        cmp.Or(int64(p.Memory), int64(l.settings.Limits.Memory)),
		RecycleAbove:  int64(p.RecycleAbove),
		Quota: host.Quota{
			Mode:     string(p.Quota),
			Sessions: int(p.QuotaSessions),
			Commands: int(p.QuotaCommands),
			Bytes:    int64(p.QuotaBytes),
			Topics:   int(p.QuotaTopics),
			LogLines: int(p.QuotaLogLines),
			CPU:      int(p.QuotaCPU),
		},
		Record: host.Record{
			Mode:    cmp.Or(string(p.Record), host.RecordOff),
			Dir:     l.relative(key+".record_dir", string(p.RecordDir)),
			Size:    cmp.Or(int64(p.RecordSize), defaultRecordSize),
			Redact:  bool(p.RecordRedact),
			Digests: bool(p.RecordDigests),
		},
		Config: p.Config,
	}
	h.Quota.FillIn()
	if h.Delivery == "plugin" {
		h.Delivery = ""
	}
	if h.Origins == nil {
		h.Origins = []string{}
	}
	if h.Config == nil {
		h.Config = map[string]string{}
	}
	l.module(key+".path", &h)
	return h
}

// module sees to where the code of a plugin comes from.
func (l *loader) module(key string, h *host.Plugin) {
	if h.Path == "" {
		return // Validate has a word on that
	}
	if module, ok := strings.CutPrefix(h.Path, embeddedScheme); ok {
		var err error
		if h.Module, err = embeddedModule(module); err != nil {
			l.report(key, fmt.Sprintf(`%q: no such module in this program, there is "embedded:echo"`, h.Path))
		}
		return
	}
	if text := notAFile(h.Path); text != "" {
		l.report(key, text)
	}
}

// notAFile says what is wrong with the path of a module; "" if it can be read.
func notAFile(path string) string {
	info, err := os.Stat(path)
	switch {
	case os.IsNotExist(err):
		return fmt.Sprintf("no such file %q: build it (make plugins builds those that come along) or correct the path", path)
	case err == nil && !info.Mode().IsRegular():
		return fmt.Sprintf("%q: not a file, name the plugin's .wasm file", path)
	}
	if err == nil {
		var f *os.File
		if f, err = os.Open(path); err == nil {
			f.Close()
			return ""
		}
	}
	return fmt.Sprintf("%q: %v", path, err)
}

// embeddedModule unpacks a module that is part of this program.
func embeddedModule(name string) ([]byte, error) {
	packed, err := embedded.ReadFile("embedded/" + name + ".wasm.gz")
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}
