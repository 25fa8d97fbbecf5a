package main

import (
	"bytes"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/yimmo-host/yimmo-host/host"
)

const referenceFile = "../../server.toml"

func TestReferenceIsTheDefaults(t *testing.T) {
	with, err := load(options{config: referenceFile}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir()) // without a server.toml
	without, err := load(options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(with.host, without.host) || with.log != without.log {
		t.Errorf("load(server.toml): got %+v %+v, want the defaults %+v %+v", with.host, with.log, without.host, without.log)
	}
	if got, want := without.host.Limits, host.DefaultLimits(); got != want {
		t.Errorf("load(): got limits %+v, want those of host %+v", got, want)
	}
}

func TestReferenceHasEveryKey(t *testing.T) {
	var m map[string]any
	meta, err := toml.DecodeFile(referenceFile, &m)
	if err != nil {
		t.Fatal(err)
	}
	known := schema("echo")
	for _, key := range meta.Keys() {
		if table := meta.Type(key...) == "Hash"; !table && !slices.Contains(known, strings.Join(key, ".")) {
			t.Errorf("server.toml has %v, which is no setting", key)
		}
	}
	for _, key := range known {
		if !meta.IsDefined(strings.Split(key, ".")...) {
			t.Errorf("server.toml lacks %s", key)
		}
	}
}

// Every key of the reference has a comment, above it or behind it.
func TestReferenceExplainsEveryKey(t *testing.T) {
	doc, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	lines, at := strings.Split(string(doc), "\n"), keyLines(string(doc))
	for _, key := range schema("echo") {
		line := at[key] - 1
		if !strings.HasPrefix(lines[line-1], "#") && !strings.Contains(lines[line], " # ") {
			t.Errorf("server.toml: %s has no comment", key)
		}
	}
}

func TestReferenceIsEmbedded(t *testing.T) {
	want, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if got := reference(embedded); !bytes.Equal(got, want) {
		t.Error("embedded/server.toml differs from server.toml at the root: run go generate ./cmd/yimmo-host")
	}
}

// A limit that is added to host must get a key, and each key must reach host.
func TestEveryLimitHasAKey(t *testing.T) {
	s := defaults()
	v := reflect.ValueOf(&s.Limits).Elem()
	for i := range v.NumField() {
		v.Field(i).SetInt(int64(i) + 1)
	}
	got := reflect.ValueOf(s.hostConfig().Limits)
	if got.NumField() != v.NumField() {
		t.Fatalf("limits: got %d keys, want the %d of host.Limits", v.NumField(), got.NumField())
	}
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if f := got.FieldByName(name); f.Int() != int64(i)+1 {
			t.Errorf("limits.%s: got %d in host.Limits, want %d", name, f.Int(), i+1)
		}
	}
}

// The same for the other structs of host, whose fields load sets one by one.
func TestEveryFieldOfHostIsSet(t *testing.T) {
	tests := []struct {
		in   any
		want []string
	}{
		{host.Config{}, []string{"Listen", "TLS", "Admin", "Transport", "CacheDir", "TraceDir", "Compiler", "Plugins", "Limits", "Compression", "Log"}},
		{host.Plugin{}, []string{"Name", "Path", "Module", "Native", "Route", "Origins", "RequireOrigin", "Delivery", "Slow", "Compression", "Recovery", "Lanes", "Memory", "Quota", "Record", "RecycleAbove", "Config"}},
		{host.Quota{}, []string{"Mode", "Sessions", "Commands", "Bytes", "Topics", "LogLines", "CPU"}},
		{host.Record{}, []string{"Mode", "Dir", "Size", "Redact", "Digests"}},
	}
	for _, tt := range tests {
		var got []string
		for i := range reflect.TypeOf(tt.in).NumField() {
			got = append(got, reflect.TypeOf(tt.in).Field(i).Name)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%T: got fields %v, want %v: give the new one a key", tt.in, got, tt.want)
		}
	}
}

func TestEnvironmentReachesEveryKey(t *testing.T) {
	t.Chdir(t.TempDir())
	texts := map[string]string{
		"listen": ":1", "admin.listen": "127.0.0.1:2", "admin.pprof": "true", "transport": "stream", "cache_dir": "off", "trace_dir": "off", "log.level": "warn", "log.format": "json", "limits.queue": "77777", "limits.queue_total": "77777", "limits.message_total": "77777", "limits.memory": "77777", "limits.compile_memory": "77MiB",
		"plugins.echo.path": "embedded:echo", "plugins.echo.route": "/x", "plugins.echo.origins": "https://a.example, https://b.example", "plugins.echo.require_origin": "true",
		"plugins.echo.delivery": "messages", "plugins.echo.slow": "drop", "plugins.echo.compression": "on", "plugins.echo.recovery": "restart",
		"compression.enabled": "true", "compression.level": "7", "compression.takeover": "true", "compression.window_bits": "11",
		"plugins.echo.lanes": "3", "plugins.echo.memory": "77777", "plugins.echo.recycle_above": "77777",
		"plugins.echo.record": "all", "plugins.echo.record_dir": "/traces", "plugins.echo.record_size": "7MiB",
		"plugins.echo.quota": "observe", "plugins.echo.quota_sessions": "1", "plugins.echo.quota_commands": "2", "plugins.echo.quota_bytes": "3KiB", "plugins.echo.quota_topics": "4",
		"plugins.echo.quota_log_lines": "5", "plugins.echo.quota_cpu": "6",
		"plugins.echo.record_redact": "true", "plugins.echo.record_digests": "true",
	}
	var environ []string
	for _, key := range schema("echo") {
		switch name := envName(key); {
		case key == "plugins_dir": // needs a directory, see the scripts
		case key == "plugins.echo.config":
			environ = append(environ, name+"_GREETING=hi")
		case texts[key] != "":
			environ = append(environ, name+"="+texts[key])
		default: // a limit: a duration, a size or a count
			environ = append(environ, name+"=7777"+map[bool]string{true: "ms"}[isDuration(key)])
		}
	}
	c, err := load(options{}, environ)
	if err != nil {
		t.Fatal(err)
	}
	for key := range c.places {
		if !strings.HasPrefix(c.places[key].name, "YIMMO_") {
			t.Errorf("%s: got from %v, want from the environment", key, c.places[key])
		}
	}
	d, l := reflect.ValueOf(host.DefaultLimits()), reflect.ValueOf(c.host.Limits)
	for i := range l.NumField() {
		if l.Field(i).Equal(d.Field(i)) {
			t.Errorf("limit %s: the variable did not reach it", l.Type().Field(i).Name)
		}
	}
	if got, want := c.host.Compression, (host.Compression{Enabled: true, Level: 7, Threshold: 7777, Takeover: true, WindowBits: 11, Ratio: 7777}); got != want {
		t.Errorf("compression: got %+v, want %+v", got, want)
	}
	want := host.Plugin{Name: "echo", Path: "embedded:echo", Module: c.host.Plugins[0].Module, Route: "/x",
		Origins: []string{"https://a.example", "https://b.example"}, RequireOrigin: true, Delivery: "messages", Slow: "drop", Compression: "on", Recovery: "restart", Lanes: 3, Memory: 77777, RecycleAbove: 77777,
		Quota:  host.Quota{Mode: "observe", Sessions: 1, Commands: 2, Bytes: 3 << 10, Topics: 4, LogLines: 5, CPU: 6},
		Record: host.Record{Mode: "all", Dir: "/traces", Size: 7 << 20, Redact: true, Digests: true},
		Config: map[string]string{"greeting": "hi"}}
	if got := c.host.Plugins[0]; !reflect.DeepEqual(got, want) {
		t.Errorf("plugin: got %+v, want %+v", got, want)
	}
}

func isDuration(key string) (yes bool) {
	leaves(reflect.ValueOf(&settings{}).Elem(), nil, func(path []string, v value) {
		if strings.Join(path, ".") == key {
			switch v.(type) {
			case *Duration, *OffDuration:
				yes = true
			}
		}
	})
	return yes
}
