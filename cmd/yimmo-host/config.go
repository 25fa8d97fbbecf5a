package main

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/yimmo-host/yimmo-host/host"
)

// settings is the schema of server.toml: one field for each key, named by its
// tag. The reference file says what each key means. Fields of limits and
// compression are copied to those of host by their Go name.
type settings struct {
	Listen     Address            `toml:"listen"`
	Transport  Text               `toml:"transport"`
	CacheDir   Text               `toml:"cache_dir"`
	TraceDir   Text               `toml:"trace_dir"`
	PluginsDir Text               `toml:"plugins_dir"`
	TLS        certificate        `toml:"tls"`
	Admin      admin              `toml:"admin"`
	Log        logging            `toml:"log"`
	Limits     limits             `toml:"limits"`
	Compress   compression        `toml:"compression"`
	Plugins    map[string]*plugin `toml:"plugins"`
}

type logging struct {
	Level  Level  `toml:"level"`
	Format Format `toml:"format"`
}

type certificate struct {
	Cert Text `toml:"cert"`
	Key  Text `toml:"key"`
}

type admin struct {
	Listen OffAddress `toml:"listen"`
	Pprof  Switch     `toml:"pprof"`
}

type limits struct {
	HeaderTime    Duration    `toml:"header_time"`
	HeaderBytes   Size        `toml:"header_bytes"`
	HTTPIdle      Duration    `toml:"http_idle"`
	Body          Size        `toml:"body"`
	Answer        Duration    `toml:"answer"`
	Message       Size        `toml:"message"`
	Frames        Count       `toml:"frames"`
	MessageTime   Duration    `toml:"message_time"`
	CloseTime     Duration    `toml:"close_time"`
	WriteTime     Duration    `toml:"write_time"`
	Queue         Size        `toml:"queue"`
	QueueTotal    Size        `toml:"queue_total"`
	MessageTotal  Size        `toml:"message_total"`
	Ping          Duration    `toml:"ping"`
	Pong          Duration    `toml:"pong"`
	Idle          OffDuration `toml:"idle"`
	ControlRate   Count       `toml:"control_rate"`
	MessageRate   AutoCount   `toml:"message_rate"`
	ByteRate      OffSize     `toml:"byte_rate"`
	Connections   AutoCount   `toml:"connections"`
	PerAddress    AutoCount   `toml:"per_address"`
	Handshakes    Count       `toml:"handshakes"`
	Sessions      AutoCount   `toml:"sessions"`
	Metrics       Count       `toml:"metrics"`
	Memory        Size        `toml:"memory"`
	Turn          Duration    `toml:"turn"`
	Start         Duration    `toml:"start"`
	Hook          Duration    `toml:"hook"`
	TurnUnits     AutoCount   `toml:"turn_units"`
	CompileTime   Duration    `toml:"compile_time"`
	CompileMemory Size        `toml:"compile_memory"`
	DrainDelay    OffDuration `toml:"drain_delay"`
	DrainRate     Count       `toml:"drain_rate"`
	Drain         Duration    `toml:"drain"`
}

type compression struct {
	Enabled    Switch `toml:"enabled"`
	Level      Count  `toml:"level"`
	Threshold  Size   `toml:"threshold"`
	Takeover   Switch `toml:"takeover"`
	WindowBits Count  `toml:"window_bits"`
	Ratio      Count  `toml:"ratio"`
}

type plugin struct {
	Path          Text   `toml:"path"`
	Route         Text   `toml:"route"`
	Origins       List   `toml:"origins"`
	RequireOrigin Switch `toml:"require_origin"`
	Delivery      Text   `toml:"delivery"`
	Slow          Text   `toml:"slow"`
	Compress      Text   `toml:"compression"`
	Recovery      Text   `toml:"recovery"`
	Lanes         Count  `toml:"lanes"`
	Memory        Size   `toml:"memory"`

	RecycleAbove OffSize `toml:"recycle_above"`

	Quota         Text      `toml:"quota"`
	QuotaSessions AutoCount `toml:"quota_sessions"`
	QuotaCommands Count     `toml:"quota_commands"`
	QuotaBytes    Size      `toml:"quota_bytes"`
	QuotaTopics   Count     `toml:"quota_topics"`
	QuotaLogLines Count     `toml:"quota_log_lines"`
	QuotaCPU      AutoCount `toml:"quota_cpu"`

	Record        Text   `toml:"record"`
	RecordDir     Text   `toml:"record_dir"`
	RecordSize    Size   `toml:"record_size"`
	RecordRedact  Switch `toml:"record_redact"`
	RecordDigests Switch `toml:"record_digests"`

	Config Table `toml:"config"`
}

// defaults are the settings when nobody sets anything, without plugins.
func defaults() settings {
	d := host.DefaultConfig()
	s := settings{
		Listen:    Address(d.Listen),
		Transport: Text(d.Transport),
		CacheDir:  "auto",
		TraceDir:  "auto",
		Log:       logging{Level: "info", Format: "text"},
		Plugins:   map[string]*plugin{},
	}
	copyFields(reflect.ValueOf(&s.Limits).Elem(), reflect.ValueOf(d.Limits))
	copyFields(reflect.ValueOf(&s.Compress).Elem(), reflect.ValueOf(d.Compression))
	return s
}

// hostConfig translates s, its plugins aside.
func (s *settings) hostConfig() host.Config {
	c := host.Config{Listen: string(s.Listen), Transport: string(s.Transport), CacheDir: string(s.CacheDir), TraceDir: string(s.TraceDir),
		Admin: host.Admin{Listen: string(s.Admin.Listen), Pprof: bool(s.Admin.Pprof)}}
	for _, dir := range []*string{&c.CacheDir, &c.TraceDir} {
		if *dir == "auto" {
			*dir = ""
		}
	}
	copyFields(reflect.ValueOf(&c.Limits).Elem(), reflect.ValueOf(s.Limits))
	copyFields(reflect.ValueOf(&c.Compression).Elem(), reflect.ValueOf(s.Compress))
	return c
}

// copyFields sets each field of to from the field of that name in from.
func copyFields(to, from reflect.Value) {
	for i := range to.NumField() {
		f := to.Field(i)
		f.Set(from.FieldByName(to.Type().Field(i).Name).Convert(f.Type()))
	}
}

// field is the setting named key in the table v. ok is false if v has no such key.
func field(v reflect.Value, key string) (f reflect.Value, ok bool) {
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("toml") == key {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

// leaves calls visit for every setting in v, with its path.
func leaves(v reflect.Value, path []string, visit func(path []string, v value)) {
	for i := range v.NumField() {
		f, below := v.Field(i), append(path[:len(path):len(path)], v.Type().Field(i).Tag.Get("toml"))
		switch leaf, ok := f.Addr().Interface().(value); {
		case ok:
			visit(below, leaf)
		case f.Kind() == reflect.Struct:
			leaves(f, below, visit)
		}
	}
}

// schema lists every key, those of a plugin below plugins.name.
func schema(name string) []string {
	var keys []string
	add := func(path []string, _ value) { keys = append(keys, strings.Join(path, ".")) }
	leaves(reflect.ValueOf(&settings{}).Elem(), nil, add)
	leaves(reflect.ValueOf(&plugin{}).Elem(), []string{"plugins", name}, add)
	return keys
}

// A problem is one mistake in the configuration, told on one line.
type problem struct {
	place        // where it was made
	key   string // "limits.turn"
	text  string // the value and the remedy, or what is wrong with the key
}

// A place is where a setting comes from: a file and a line, an environment
// variable, a flag. The zero place is the built-in default.
type place struct {
	name string
	line int // 0: none
}

func (p place) String() string {
	if p.line == 0 {
		return p.name
	}
	return fmt.Sprintf("%s:%d", p.name, p.line)
}

func (p problem) Error() string {
	var b strings.Builder
	for _, part := range []string{p.place.String(), p.key} {
		if part != "" {
			b.WriteString(part + ": ")
		}
	}
	return b.String() + p.text
}
