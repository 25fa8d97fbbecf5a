package host_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	coder "github.com/coder/websocket"
	"github.com/gorilla/websocket"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/pki"
)

// pair makes a certificate that is good for a year.
func pair(t testing.TB, serial int64) pki.Pair {
	t.Helper()
	p, err := pki.New(serial, time.Now().Add(365*24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// files puts a pair into a directory of its own.
func files(t testing.TB, p pki.Pair) host.TLS {
	t.Helper()
	dir := t.TempDir()
	f := host.TLS{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem")}
	rewrite(t, p, f)
	return f
}

func rewrite(t testing.TB, p pki.Pair, f host.TLS) {
	t.Helper()
	if err := p.Write(f.CertFile, f.KeyFile); err != nil {
		t.Fatal(err)
	}
}

// serveTLS starts a host with a certificate and returns what its clients need.
func serveTLS(t testing.TB, limits host.Limits, plugins ...host.Plugin) (*server, *tls.Config, host.TLS) {
	t.Helper()
	p := pair(t, 1)
	f := files(t, p)
	s := serveConfig(t, func(c *host.Config) { c.TLS, c.Limits = f, limits }, plugins...)
	return s, &tls.Config{RootCAs: p.Pool(), ServerName: "localhost"}, f
}

// Sessions over TLS are sessions like any other, for two clients that share no
// code with the host.
func TestTLSClients(t *testing.T) {
	messages := []string{"", "hello", strings.Repeat("x", 126), strings.Repeat("y", 70000), strings.Repeat("z", 1<<20)}
	t.Run("gorilla", func(t *testing.T) {
		s, trust, _ := serveTLS(t, host.Limits{}, echo(t, "welcome"))
		d := websocket.Dialer{TLSClientConfig: trust}
		c, _, err := d.Dial("wss://"+s.addr+"/echo", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for i, want := range append([]string{"welcome"}, messages...) {
			if i > 0 {
				if err := c.WriteMessage(websocket.TextMessage, []byte(want)); err != nil {
					t.Fatal(err)
				}
			}
			if _, got, err := c.ReadMessage(); err != nil || string(got) != want {
				t.Fatalf("got %.40q, %v, want %.40q", got, err, want)
			}
		}
		err = c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(4000, "bye"), time.Now().Add(patience))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.ReadMessage(); !websocket.IsCloseError(err, 4000) {
			t.Errorf("got %v, want close 4000", err)
		}
	})
	t.Run("coder", func(t *testing.T) {
		s, trust, _ := serveTLS(t, host.Limits{}, echo(t, ""))
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: trust}}
		defer client.CloseIdleConnections()
		c, _, err := coder.Dial(ctx, "wss://"+s.addr+"/echo", &coder.DialOptions{HTTPClient: client})
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		c.SetReadLimit(-1)
		for _, want := range messages {
			if err := c.Write(ctx, coder.MessageBinary, []byte(want)); err != nil {
				t.Fatal(err)
			}
			if _, got, err := c.Read(ctx); err != nil || string(got) != want {
				t.Fatalf("got %.40q, %v, want %.40q", got, err, want)
			}
		}
		reading := c.CloseRead(ctx)
		if err := c.Ping(reading); err != nil {
			t.Errorf("ping: %v", err)
		}
		if err := c.Close(coder.StatusNormalClosure, ""); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	t.Run("shutdown", func(t *testing.T) {
		s, trust, _ := serveTLS(t, host.Limits{}, echo(t, ""))
		d := websocket.Dialer{TLSClientConfig: trust}
		c, _, err := d.Dial("wss://"+s.addr+"/echo", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		read := make(chan error, 1)
		go func() {
			_, _, err := c.ReadMessage()
			c.Close() // else the host would wait for that
			read <- err
		}()
		s.stop(t, nil)
		if err := <-read; !websocket.IsCloseError(err, 1001) {
			t.Errorf("got %v, want close 1001", err)
		}
	})
}

// What is not spoken: plain HTTP, old TLS, HTTP/2.
func TestTLSRefuses(t *testing.T) {
	s, trust, _ := serveTLS(t, host.Limits{}, echo(t, ""))
	p := s.dial(t)
	p.write([]byte("GET /echo HTTP/1.1\r\nHost: h\r\n\r\n"))
	if all, _ := p.Rest(); !bytes.HasPrefix(all, []byte("HTTP/1.0 400 ")) {
		t.Errorf("plain HTTP: got %.60q, want 400", all)
	}
	tests := []struct {
		name   string
		change func(c *tls.Config)
		proto  string // negotiated; "-" = the handshake fails
	}{
		{"nothing asked for", func(c *tls.Config) {}, ""},
		{"http/1.1", func(c *tls.Config) { c.NextProtos = []string{"http/1.1"} }, "http/1.1"},
		{"h2 or http/1.1", func(c *tls.Config) { c.NextProtos = []string{"h2", "http/1.1"} }, "http/1.1"},
		{"h2", func(c *tls.Config) { c.NextProtos = []string{"h2"} }, "-"},
		{"TLS 1.2", func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, ""},
		{"TLS 1.1", func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, "-"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := trust.Clone()
			tt.change(c)
			got := "-"
			if nc, err := tls.Dial("tcp", s.addr, c); err == nil {
				defer nc.Close()
				got = nc.ConnectionState().NegotiatedProtocol
			}
			if got != tt.proto {
				t.Errorf("got protocol %q, want %q", got, tt.proto)
			}
		})
	}
}

// The plugin learns that its client came over TLS, and which name it asked for.
func TestTLSFields(t *testing.T) {
	s, trust, _ := serveTLS(t, host.Limits{}, wat(t, "witness"))
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: trust}}
	defer client.CloseIdleConnections()
	r, err := client.Get("https://" + s.addr + "/witness")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(r.Body); err != nil {
		t.Fatal(err)
	}
	fields, err := abi.ParseFields(body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{abi.FieldScheme: "https", abi.FieldTLSName: "localhost"} {
		if got, _ := fields.Get(name); string(got) != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// serial is the number of the certificate that a new connection gets.
func (s *server) serial(t testing.TB) int64 {
	t.Helper()
	c, err := tls.Dial("tcp", s.addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

// A certificate is replaced without a restart, whoever asks for it; sessions go
// on, and what cannot be used changes nothing.
func TestCertificateReload(t *testing.T) {
	s, trust, f := serveTLS(t, host.Limits{}, echo(t, ""))
	d := websocket.Dialer{TLSClientConfig: trust}
	c, _, err := d.Dial("wss://"+s.addr+"/echo", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	want := func(serial int64) {
		t.Helper()
		if got := s.serial(t); got != serial {
			t.Errorf("certificate: got serial %d, want %d", got, serial)
		}
	}
	want(1)

	rewrite(t, pair(t, 2), f) // the watch notices
	s.log.wait(t, "serial=2")
	want(2)

	broken := pair(t, 3)
	broken.Key = pair(t, 4).Key
	rewrite(t, broken, f)
	s.log.wait(t, "the old one stays")
	want(2)
	if err := s.Reload(); err == nil || !strings.Contains(err.Error(), "tls.key") {
		t.Errorf("Reload(key of another): got %v, want an error about tls.key", err)
	}
	want(2)

	if err := os.Remove(f.CertFile); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(); err == nil || !strings.Contains(err.Error(), "tls.cert") {
		t.Errorf("Reload(no certificate): got %v, want an error about tls.cert", err)
	}
	want(2)

	rewrite(t, pair(t, 5), f)
	if err := s.Reload(); err != nil { // without waiting for the watch
		t.Errorf("Reload: %v", err)
	}
	want(5)

	if err := c.WriteMessage(websocket.TextMessage, []byte("still here")); err != nil {
		t.Fatal(err)
	}
	if _, got, err := c.ReadMessage(); err != nil || string(got) != "still here" {
		t.Errorf("session: got %q, %v", got, err)
	}
}

// Containers replace files by pointing a link elsewhere: the names in the
// configuration never change.
func TestCertificateBehindLinks(t *testing.T) {
	dir := t.TempDir()
	version := func(name string, serial int64) {
		p, at := pair(t, serial), filepath.Join(dir, name)
		if err := os.Mkdir(at, 0o700); err != nil {
			t.Fatal(err)
		}
		rewrite(t, p, host.TLS{CertFile: filepath.Join(at, "tls.crt"), KeyFile: filepath.Join(at, "tls.key")})
	}
	link := func(to, name string) {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	version("..1", 1)
	link("..1", "..data")
	link(filepath.Join("..data", "tls.crt"), "tls.crt")
	link(filepath.Join("..data", "tls.key"), "tls.key")
	s := serveConfig(t, func(c *host.Config) {
		c.TLS = host.TLS{CertFile: filepath.Join(dir, "tls.crt"), KeyFile: filepath.Join(dir, "tls.key")}
	}, echo(t, ""))
	version("..2", 2)
	link("..2", "..new")
	if err := os.Rename(filepath.Join(dir, "..new"), filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
	s.log.wait(t, "serial=2")
	if got := s.serial(t); got != 2 {
		t.Errorf("certificate: got serial %d, want 2", got)
	}
}

// A certificate that cannot serve stops the start, and the error says which
// file and what to do.
func TestCertificateAtStart(t *testing.T) {
	good, other := pair(t, 1), pair(t, 2)
	expired, err := pki.New(3, time.Now().Add(-time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		pair pki.Pair
		drop string // of the files
		want []string
	}{
		{"good", good, "", nil},
		{"expired", expired, "", []string{"tls.cert", "expired on", "renew"}},
		{"key of another", pki.Pair{Cert: good.Cert, Key: other.Key}, "", []string{"tls.key", "private key does not match"}},
		{"key in the place of the certificate", pki.Pair{Cert: good.Key, Key: good.Key}, "", []string{"tls.cert", "no certificate in PEM form"}},
		{"certificate in the place of the key", pki.Pair{Cert: good.Cert, Key: good.Cert}, "", []string{"tls.key"}},
		{"empty certificate", pki.Pair{Key: good.Key}, "", []string{"tls.cert", "no certificate"}},
		{"cut certificate", pki.Pair{Cert: bytes.Replace(good.Cert, good.Cert[60:120], nil, 1), Key: good.Key}, "", []string{"tls.cert"}},
		{"no certificate file", good, "cert.pem", []string{"tls.cert", "no such file"}},
		{"no key file", good, "key.pem", []string{"tls.key", "no such file"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := files(t, tt.pair)
			if tt.drop != "" {
				if err := os.Remove(filepath.Join(filepath.Dir(f.CertFile), tt.drop)); err != nil {
					t.Fatal(err)
				}
			}
			if tt.want == nil {
				if err := f.Check(); err != nil {
					t.Errorf("Check: %v", err)
				}
				return
			}
			c := config(newLogbook(t), host.Limits{}, echo(t, ""))
			c.TLS = f
			_, err := host.New(t.Context(), c)
			for _, part := range tt.want {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("New: got %v, want %q in it", err, part)
				}
			}
		})
	}
	t.Run("half a pair", func(t *testing.T) {
		for _, half := range []host.TLS{{CertFile: "x"}, {KeyFile: "x"}} {
			c := host.Config{TLS: half, Plugins: []host.Plugin{echo(t, "")}}
			if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "tls.") {
				t.Errorf("Validate(%+v): got %v, want an error about the other file", half, err)
			}
		}
	})
	t.Run("expires soon", func(t *testing.T) {
		p, err := pki.New(1, time.Now().Add(13*24*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		f := files(t, p)
		s := serveConfig(t, func(c *host.Config) { c.TLS = f }, echo(t, ""))
		s.log.wait(t, "expires soon")
	})
}
