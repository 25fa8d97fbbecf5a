package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/yimmo-host/yimmo-host/host"
)

// defaultFile is read from the working directory when no other is named.
const defaultFile = "server.toml"

// options are the flags and arguments that a configuration is made of.
type options struct {
	config    string            // --config
	overrides map[string]string // value by key, of the flags that were given
	modules   []string          // arguments: .wasm files instead of the plugins configured
}

// config is everything read, checked and translated.
type config struct {
	origin string // what the start line calls it: a file name or "built-in defaults"
	log    logging
	host   host.Config
	places map[string]place // where each key was set; defaults have none
}

// load makes the configuration of flags, environment, file and defaults, in
// this order of precedence. The error joins a [problem] for each mistake found.
func load(o options, environ []string) (*config, error) {
	l := loader{settings: defaults(), places: map[string]place{}}
	vars := yimmoVars(environ)
	if !l.readFile(o.config, vars) {
		return nil, l.err()
	}
	l.readEnv(vars)
	for key, text := range o.overrides {
		l.setText(place{name: flagName(key)}, key, text)
	}
	plugins := l.plugins(o.modules, vars)
	c := &config{origin: l.origin, log: l.settings.Log, host: l.settings.hostConfig(), places: l.places}
	c.host.Plugins = plugins
	c.host.CacheDir = l.relative("cache_dir", c.host.CacheDir)
	c.host.TraceDir = l.relative("trace_dir", c.host.TraceDir)
	c.host.TLS.CertFile = l.relative("tls.cert", string(l.settings.TLS.Cert))
	c.host.TLS.KeyFile = l.relative("tls.key", string(l.settings.TLS.Key))
	for key, dir := range map[string]Text{"cache_dir": l.settings.CacheDir, "trace_dir": l.settings.TraceDir} {
		if dir == "" {
			l.report(key, `"": name a directory, or "auto", or "off"`)
		}
	}
	if len(l.problems) == 0 { // or each mistake would be told twice
		l.problems = c.locate(c.host.Validate())
	}
	return c, l.err()
}

// flagName is the flag that sets key: "log.level" -> "--log-level".
func flagName(key string) string { return "--" + strings.ReplaceAll(key, ".", "-") }

// loader collects settings and the mistakes in them.
type loader struct {
	settings settings
	origin   string
	dir      string // of the file; paths in it are relative to it
	places   map[string]place
	problems []problem
}

func (l *loader) err() error {
	slices.SortStableFunc(l.problems, func(a, b problem) int {
		if a.name != b.name {
			return strings.Compare(a.name, b.name)
		}
		return a.line - b.line
	})
	var errs []error
	for _, p := range l.problems {
		errs = append(errs, p)
	}
	return errors.Join(errs...)
}

// report notes a mistake in key, wherever key or the table around it was set.
func (l *loader) report(key, text string) {
	l.problems = append(l.problems, problem{whereIs(l.places, key), key, text})
}

// whereIs finds the place of key, or of the nearest table around it.
func whereIs(places map[string]place, key string) place {
	for {
		if p, ok := places[key]; ok {
			return p
		}
		i := strings.LastIndexByte(key, '.')
		if i < 0 {
			return place{}
		}
		key = key[:i]
	}
}

// locate turns the errors of [host.Config.Validate] and [host.New], "key: what
// is wrong" or "plugin NAME: what is wrong", into problems with a place. Others
// become problems without key.
func (c *config) locate(err error) []problem {
	var all []problem
	for _, e := range parts(err) {
		all = append(all, c.problem(e))
	}
	return all
}

func (c *config) problem(err error) problem {
	key, text, _ := strings.Cut(err.Error(), ": ")
	if name, ok := strings.CutPrefix(key, "plugin "); ok {
		key = "plugins." + name
	}
	if p := whereIs(c.places, key); p != (place{}) || strings.HasPrefix(key, "plugins.") || slices.Contains(schema(""), key) {
		return problem{p, key, text}
	}
	return problem{text: err.Error()}
}

// parts are the errors that [errors.Join] made err of, and those that it made
// them of; err alone if it is of another make. An error with several causes in
// one line stays one.
func parts(err error) []error {
	if err == nil {
		return nil
	}
	j, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var lines []string
	var all []error
	for _, e := range j.Unwrap() {
		lines = append(lines, e.Error())
		all = append(all, parts(e)...)
	}
	if err.Error() != strings.Join(lines, "\n") {
		return []error{err}
	}
	return all
}

// readFile reads the file named by the flag, the environment or nobody. ok is
// false when there is nothing to go on with.
func (l *loader) readFile(name string, vars map[string]string) (ok bool) {
	from := place{name: "--config"}
	if name == "" {
		name, from = vars["YIMMO_CONFIG"], place{name: "YIMMO_CONFIG"}
	}
	optional := name == ""
	if optional {
		name = defaultFile
	}
	doc, err := os.ReadFile(name)
	switch {
	case optional && errors.Is(err, fs.ErrNotExist):
		l.origin = "built-in defaults"
		return true
	case errors.Is(err, fs.ErrNotExist):
		l.problems = append(l.problems, problem{from, "",
			fmt.Sprintf("no such file %q: correct the name, or make one with yimmo-host config default", name)})
		return false
	case err != nil:
		l.problems = append(l.problems, problem{text: err.Error()})
		return false
	}
	l.origin, l.dir = name, dirOf(name)
	return l.readTOML(name, string(doc))
}

func (l *loader) readTOML(name, doc string) (ok bool) {
	var tables map[string]any
	if _, err := toml.Decode(doc, &tables); err != nil {
		p := problem{place: place{name: name}, text: err.Error()}
		if e, ok := errors.AsType[toml.ParseError](err); ok {
			p.line, p.text = e.Position.Line, strings.TrimSuffix(strings.ToLower(e.Message[:1])+e.Message[1:], ".")
		}
		l.problems = append(l.problems, p)
		return false
	}
	for key, line := range keyLines(doc) {
		l.places[key] = place{name, line}
	}
	l.table(nil, reflect.ValueOf(&l.settings).Elem(), tables)
	return true
}

// table puts what a TOML table says into the struct v.
func (l *loader) table(path []string, v reflect.Value, table map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(table)) {
		below := append(path[:len(path):len(path)], key)
		f, ok := field(v, key)
		if !ok {
			l.unknown(below)
			continue
		}
		l.set(below, f, table[key])
	}
}

func (l *loader) set(path []string, f reflect.Value, v any) {
	key := strings.Join(path, ".")
	if leaf, ok := f.Addr().Interface().(value); ok {
		if err := leaf.fromTOML(v); err != nil {
			l.report(key, err.Error())
		}
		return
	}
	table, ok := v.(map[string]any)
	switch {
	case !ok && key == "plugins":
		l.report(key, wrongType(v, "a table for each, [plugins.NAME]").Error())
	case !ok:
		l.report(key, wrongType(v, "a table, ["+key+"]").Error())
	case f.Kind() == reflect.Struct:
		l.table(path, f, table)
	default: // plugins
		for _, name := range slices.Sorted(maps.Keys(table)) {
			p := &plugin{}
			l.settings.Plugins[name] = p
			l.set([]string{"plugins", name}, reflect.ValueOf(p).Elem(), table[name])
		}
	}
}

// setText sets the key of the top tables that a flag or a variable names.
func (l *loader) setText(from place, key, text string) {
	leaves(reflect.ValueOf(&l.settings).Elem(), nil, func(path []string, v value) {
		if strings.Join(path, ".") == key {
			l.setLeaf(from, key, v, text)
		}
	})
}

func (l *loader) setLeaf(from place, key string, v value, text string) {
	l.places[key] = from
	if err := v.fromText(text); err != nil {
		l.report(key, err.Error())
	}
}

// unknown reports a key that the schema does not have.
func (l *loader) unknown(path []string) {
	key, name := strings.Join(path, "."), ""
	if len(path) == 3 && path[0] == "plugins" {
		name = path[1]
	}
	text := fmt.Sprintf("unknown key %q: ", key)
	if like := nearestKey(key, schema(name)); like != "" {
		text += fmt.Sprintf("did you mean %q?", like)
	} else {
		text += "yimmo-host config default prints every key"
	}
	l.problems = append(l.problems, problem{whereIs(l.places, key), "", text})
}
