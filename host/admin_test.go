package host_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/leak"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// serveAdmin starts a host with an admin listener.
func (on transport) serveAdmin(t testing.TB, change func(c *host.Config), plugins ...host.Plugin) *server {
	t.Helper()
	return serveConfig(t, func(c *host.Config) {
		c.Transport, c.Admin.Listen = string(on), "127.0.0.1:0"
		change(c)
	}, plugins...)
}

func unchanged(*host.Config) {}

// ask sends a request to the admin listener.
func ask(t testing.TB, addr net.Addr, method, path string, headers ...string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequest(method, "http://"+addr.String()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	a, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, string(b)
}

// samples reads /metrics: value by name and labels, as they stand there.
func (s *server) samples(t testing.TB) map[string]float64 {
	t.Helper()
	status, body := ask(t, s.AdminAddr(), "GET", "/metrics")
	if status != 200 {
		t.Fatalf("/metrics: got %d %s", status, body)
	}
	all := map[string]float64{}
	for line := range strings.Lines(body) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "} "); ok && line[0] != '#' {
			v, err := strconv.ParseFloat(value, 64)
			if err != nil {
				t.Fatalf("/metrics: %q: %v", line, err)
			}
			all[name+"}"] = v
		}
	}
	return all
}

// wantSamples waits until /metrics says all that: a lane publishes a turn after
// its answers have left.
func (s *server) wantSamples(t testing.TB, want map[string]float64) {
	t.Helper()
	retry := time.NewTicker(5 * time.Millisecond)
	defer retry.Stop()
	for late := time.Now().Add(patience); ; <-retry.C {
		got, wrong := s.samples(t), ""
		for name, v := range want {
			if g, ok := got[name]; !ok || g != v {
				wrong += fmt.Sprintf("\n%s: got %v %v, want %v", name, g, ok, v)
			}
		}
		if wrong == "" {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("/metrics:%s", wrong)
		}
	}
}

// The metrics count what happened, by the names that they promise.
func TestMetrics(t *testing.T) { eachTransport(t, testMetrics) }

func testMetrics(t *testing.T, on transport) {
	s := on.serveAdmin(t, func(c *host.Config) { c.Limits.ControlRate = 2 }, wat(t, "counts"), wat(t, "trap_in_recv"), wat(t, "refuses"))
	p, q := s.open(t, "/counts"), s.open(t, "/counts")
	for range 3 {
		p.text("hello")
		p.wantText("hello")
	}
	p.send(0x02, "in two")
	p.send(0x80, " frames")
	p.want(rawws.Frame{Flags: 0x02, Payload: "in two"}, rawws.Frame{Flags: 0x80, Payload: " frames"})
	p.alive()
	s.wantSamples(t, map[string]float64{
		`yimmo_ws_connections{plugin="counts"}`:                                    2,
		`yimmo_ws_connections_total{plugin="counts",result="accepted"}`:            2,
		`yimmo_ws_messages_total{direction="in",opcode="text",plugin="counts"}`:    3,
		`yimmo_ws_messages_total{direction="in",opcode="binary",plugin="counts"}`:  1,
		`yimmo_ws_messages_total{direction="out",opcode="text",plugin="counts"}`:   3,
		`yimmo_ws_messages_total{direction="out",opcode="binary",plugin="counts"}`: 1,
		`yimmo_ws_bytes_total{direction="in",plugin="counts"}`:                     28,
		`yimmo_ws_bytes_total{direction="out",plugin="counts"}`:                    28,
		`yimmo_ws_control_frames_total{opcode="ping",plugin="counts"}`:             1,
		`yimmo_ws_send_queue_bytes{plugin="counts"}`:                               0,
		`yimmo_ws_missed_messages_total{plugin="counts"}`:                          0,
		`yimmo_plugin_instances{plugin="counts",state="running"}`:                  1,
		`yimmo_plugin_instances{plugin="counts",state="down"}`:                     0,
		`yimmo_plugin_memory_bytes{plugin="counts"}`:                               6 << 16,
		`yimmo_plugin_traps_total{kind="trap",plugin="counts"}`:                    0,
		`yimmo_ws_connections{plugin="trap_in_recv"}`:                              0,
	})
	p.leave()
	q.write(frames(100, func(int) rawws.Frame { return rawws.Frame{Flags: 0x89} }))
	for q.frame().Flags != 0x88 {
	}
	q.Close()

	bad := s.dial(t)
	bad.write([]byte(handshake("GET /counts HTTP/1.1", "Sec-WebSocket-Version: 8")))
	bad.answer("GET")
	bad.write([]byte(handshake("GET /counts HTTP/1.1", "Origin: http://evil.example.com")))
	bad.answer("GET")
	bad.write([]byte("GET /counts HTTP/1.1\r\nHost: h\r\n\r\n"))
	bad.answer("GET")
	refused := s.dial(t)
	refused.write(rawws.Handshake("h", "/refuses"))
	refused.answer("GET")
	none := s.dial(t)
	none.write([]byte("hello?\r\n\r\n"))
	none.answer("GET")

	trapped := s.open(t, "/trap_in_recv")
	trapped.text("bad!")
	trapped.wantEnd(1011)
	s.wantSamples(t, map[string]float64{
		`yimmo_ws_connections{plugin="counts"}`:                         0,
		`yimmo_ws_closes_total{code="1000",plugin="counts"}`:            1,
		`yimmo_ws_closes_total{code="1008",plugin="counts"}`:            1,
		`yimmo_ws_faults_total{fault="control_rate",plugin="counts"}`:   1,
		`yimmo_ws_faults_total{fault="protocol",plugin="counts"}`:       0,
		`yimmo_ws_connections_total{plugin="counts",result="version"}`:  1,
		`yimmo_ws_connections_total{plugin="counts",result="origin"}`:   1,
		`yimmo_ws_connections_total{plugin="refuses",result="plugin"}`:  1,
		`yimmo_http_requests_total{plugin="counts"}`:                    1,
		`yimmo_plugin_traps_total{kind="trap",plugin="trap_in_recv"}`:   1,
		`yimmo_ws_closes_total{code="1011",plugin="trap_in_recv"}`:      1,
		`yimmo_plugin_instances{plugin="trap_in_recv",state="running"}`: 1, // again
		`yimmo_connections_refused_total{reason="address"}`:             0,
		`yimmo_connections_refused_total{reason="request"}`:             1,
	})
	got := s.samples(t)
	if n := got[`yimmo_plugin_turn_seconds_count{plugin="counts"}`]; n < 6 || got[`yimmo_plugin_turn_seconds_bucket{plugin="counts",le="+Inf"}`] != n {
		t.Errorf("turns: got %v, want some, all in the last bucket", n)
	}
}

// Names and units are those that Prometheus asks for.
func TestMetricNames(t *testing.T) {
	s := auto.serveAdmin(t, unchanged, wat(t, "counts"))
	problems, err := testutil.GatherAndLint(s.Metrics())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "yimmo_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// What waits for peers is counted, wherever it waits, and is gone when they are.
func TestQueueBytes(t *testing.T) { eachTransport(t, testQueueBytes) }

func testQueueBytes(t *testing.T, on transport) {
	s := on.serveAdmin(t, unchanged, wat(t, "floods"))
	p := s.open(t, "/floods")
	p.write(frames(8, func(int) rawws.Frame { return rawws.Frame{Flags: 0x81} })) // for 2 MiB
	const name = `yimmo_ws_send_queue_bytes{plugin="floods"}`
	retry := time.NewTicker(5 * time.Millisecond)
	defer retry.Stop()
	for late := time.Now().Add(patience); s.samples(t)[name] < 512<<10; <-retry.C {
		if time.Now().After(late) {
			t.Fatalf("%s: got %v, want half a MiB at least", name, s.samples(t)[name])
		}
	}
	for range 32 {
		p.frame()
	}
	s.wantSamples(t, map[string]float64{name: 0})
	p.write(frames(8, func(int) rawws.Frame { return rawws.Frame{Flags: 0x81} }))
	p.frame()
	p.Reset()
	s.wantSamples(t, map[string]float64{name: 0, `yimmo_ws_connections{plugin="floods"}`: 0})
}

// Health, state and drain as orchestrators and people ask for them.
func TestAdmin(t *testing.T) {
	s := auto.serveAdmin(t, unchanged, wat(t, "counts"), echo(t, ""))
	p := s.open(t, "/counts")
	p.alive()
	port := s.AdminAddr().(*net.TCPAddr).Port
	tests := []struct {
		name    string
		method  string
		path    string
		headers []string
		status  int
		body    string // part of it
	}{
		{"alive", "GET", "/livez", nil, 200, "ok"},
		{"ready", "GET", "/readyz", nil, 200, "ok"},
		{"healthy", "GET", "/healthz", nil, 200, "ok"},
		{"metrics", "GET", "/metrics", nil, 200, "yimmo_build_info"},
		{"of the process", "GET", "/metrics", nil, 200, "go_goroutines"},
		{"plugins", "GET", "/plugins", nil, 200, `"name":"counts"`},
		{"sessions", "GET", "/sessions", nil, 200, `"count":1`},
		{"no profiles", "GET", "/debug/pprof/", nil, 404, ""},
		{"drain is no question", "GET", "/drain", nil, 405, ""},
		{"nothing else", "GET", "/", nil, 404, ""},
		{"by name", "GET", "/livez", []string{fmt.Sprintf("Host: localhost:%d", port)}, 200, "ok"},
		{"by IPv6 address", "GET", "/livez", []string{"Host: [::1]:80"}, 200, "ok"},
		{"a web page's own name", "GET", "/livez", []string{"Host: rebound.example.com"}, 403, "localhost"},
		{"a web page", "POST", "/drain", []string{"Origin: http://evil.example.com"}, 403, ""},
		{"a web page, newer browser", "POST", "/drain", []string{"Sec-Fetch-Site: cross-site"}, 403, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if status, body := ask(t, s.AdminAddr(), tt.method, tt.path, tt.headers...); status != tt.status || !strings.Contains(body, tt.body) {
				t.Errorf("%s %s: got %d %.200q, want %d and %q", tt.method, tt.path, status, body, tt.status, tt.body)
			}
		})
	}
	t.Run("plugins", func(t *testing.T) {
		_, body := ask(t, s.AdminAddr(), "GET", "/plugins")
		var all []struct {
			Name, Version, Route, State string
			Lanes, Running              int
			Sessions                    int64
			Memory                      int64 `json:"memory_bytes"`
		}
		if err := json.Unmarshal([]byte(body), &all); err != nil || len(all) != 2 {
			t.Fatalf("got %s, %v, want two plugins", body, err)
		}
		got := all[0]
		if len(got.Version) != 64 || got.Route != "/counts" || got.State != "running" || got.Lanes != 1 || got.Running != 1 || got.Sessions != 1 || got.Memory == 0 {
			t.Errorf("got %+v, want all of it filled in", got)
		}
	})
	t.Run("drain", func(t *testing.T) {
		select {
		case <-s.DrainRequested():
			t.Fatal("requested before it was")
		default:
		}
		for range 2 {
			if status, _ := ask(t, s.AdminAddr(), "POST", "/drain"); status != 202 {
				t.Errorf("got %d, want 202", status)
			}
		}
		<-s.DrainRequested()
	})
	p.leave()
}

// Readiness comes with Serve and goes before the sessions do; the listener
// answers until everything else has ended.
func TestReadiness(t *testing.T) {
	leak.Check(t)
	c := config(newLogbook(t), host.Limits{}, wat(t, "counts"))
	c.Admin = host.Admin{Listen: "127.0.0.1:0", Pprof: true}
	h, err := host.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	want := func(status int, body string) {
		t.Helper()
		if got, text := ask(t, h.AdminAddr(), "GET", "/readyz"); got != status || !strings.Contains(text, body) {
			t.Errorf("/readyz: got %d %q, want %d %s", got, text, status, body)
		}
	}
	want(503, "starting")
	if status, _ := ask(t, h.AdminAddr(), "GET", "/debug/pprof/goroutine?debug=1"); status != 200 {
		t.Errorf("profile: got %d, want 200", status)
	}
	served := make(chan error, 1)
	go func() { served <- h.Serve() }()
	s := &server{Host: h, addr: h.Addr().String()}
	p := s.open(t, "/counts")
	want(200, "ok")

	ended := make(chan error, 1)
	go func() { ended <- h.Shutdown(context.Background()) }()
	p.wantClose(1001) // and now the host waits for the answer
	want(503, "going away")
	p.close(1001)
	p.wantEOF()
	p.Close() // else the host would wait for that
	if err := <-ended; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if nc, err := net.Dial("tcp", h.AdminAddr().String()); err == nil {
		nc.Close()
		t.Error("the admin listener outlived the host")
	}
}

// A host whose plugins have all failed is not ready.
func TestUnready(t *testing.T) {
	s := auto.serveAdmin(t, unchanged, failing(wat(t, "trap_in_connect")))
	for range 3 { // the second restart takes its time
		p := s.dial(t)
		p.write(rawws.Handshake("h", "/trap_in_connect"))
		p.answer("GET")
	}
	retry := time.NewTicker(time.Millisecond)
	defer retry.Stop()
	for late := time.Now().Add(patience); ; <-retry.C {
		status, body := ask(t, s.AdminAddr(), "GET", "/readyz")
		if status == 503 && strings.Contains(body, "no plugin runs") {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("/readyz: got %d %q, want 503", status, body)
		}
		p := s.dial(t)
		p.Write(rawws.Handshake("h", "/trap_in_connect"))
		p.Close()
	}
}

// An address that is taken stops the start, with the key to blame.
func TestAdminAddressTaken(t *testing.T) {
	leak.Check(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	c := config(newLogbook(t), host.Limits{}, wat(t, "counts"))
	c.Admin.Listen = taken.Addr().String()
	if _, err := host.New(t.Context(), c); err == nil || !strings.HasPrefix(err.Error(), "admin.listen: ") {
		t.Errorf("New: got %v, want an error about admin.listen", err)
	}
}
