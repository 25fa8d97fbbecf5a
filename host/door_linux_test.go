package host_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/bench"
	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/lane"
	"github.com/yimmo-host/yimmo-host/internal/leak"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

const onPoll = transport(host.TransportPoll)

// A handshake may come in any pieces, with frames behind it.
func TestDoorPieces(t *testing.T) {
	s := onPoll.serve(t, host.Limits{}, echo(t, ""))
	head := []byte(handshake())
	request := rawws.AppendFrame(head, rawws.Frame{Flags: 0x81, Payload: "early"})
	use := func(t *testing.T, p *peer) {
		t.Helper()
		if a := p.answer("GET"); a.Status != 101 {
			t.Fatalf("got %s, want 101", a.Line)
		}
		p.wantText("early")
		p.alive()
		p.leave()
	}
	t.Run("two", func(t *testing.T) {
		for cut := 1; cut < len(request); cut++ {
			p := s.dial(t)
			p.write(request[:cut])
			p.write(request[cut:])
			use(t, p)
		}
	})
	t.Run("byte by byte", func(t *testing.T) {
		p := s.dial(t)
		for _, b := range request {
			p.write([]byte{b})
		}
		use(t, p)
	})
	t.Run("after the first was read", func(t *testing.T) {
		p := s.dial(t)
		p.write(request[:10])
		other := s.open(t, "/echo") // served meanwhile
		other.leave()
		p.write(request[10:])
		use(t, p)
	})
	t.Run("plain request", func(t *testing.T) {
		p := s.dial(t)
		for _, b := range []byte("GET /echo HTTP/1.1\r\nHost: h\r\n\r\n") {
			p.write([]byte{b})
		}
		if a := p.answer("GET"); a.Status != 200 || a.Body != "OK" {
			t.Errorf("got %s %q, want 200 OK", a.Line, a.Body)
		}
	})
	t.Run("half a request and no more", func(t *testing.T) {
		p := s.dial(t)
		p.write(head[:30])
		p.CloseWrite()
		if a := p.answer("GET"); a.Status != 400 {
			t.Errorf("got %s, want 400", a.Line)
		}
		p.wantEOF()
	})
	t.Run("too large", func(t *testing.T) {
		p := s.dial(t)
		p.write(head[:len(head)-2])
		for range 32 {
			p.write([]byte("X-Long: " + strings.Repeat("x", 1000) + "\r\n"))
		}
		if a := p.answer("GET"); a.Status != 431 {
			t.Errorf("got %s, want 431", a.Line)
		}
	})
}

// Until its plugins run a host has its address but lets nobody in.
func TestDoorOpensLate(t *testing.T) {
	leak.Check(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free.Close()
	_, port, _ := net.SplitHostPort(free.Addr().String())
	v := &visitor{Guest: bench.Echo(), host: "127.8.9.11"} // where nobody else looks for ports
	c := config(newLogbook(t), host.Limits{}, host.Plugin{Name: "late", Route: "/late", Native: func() lane.Guest { return v }})
	c.Transport, c.Listen = host.TransportPoll, net.JoinHostPort(v.host, port)
	h, err := host.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if !errors.Is(v.err, unix.ECONNREFUSED) {
		t.Errorf("connection while the plugin starts: got %v, want %v", v.err, unix.ECONNREFUSED)
	}
	nc, err := net.Dial("tcp", h.Addr().String())
	if err != nil {
		t.Errorf("connection before Serve: got %v", err)
	} else {
		nc.Close()
	}
	if err := h.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

// visitor is a guest that visits its own host while it starts.
type visitor struct {
	lane.Guest
	host string
	err  error
}

func (g *visitor) Turn(first, n int, h guest.Header) (commands, consumed int, more bool, err error) {
	if e, _ := abi.ParseEvent(g.Events()); e.Kind == abi.EventStart {
		fields, _ := abi.ParseFields(g.Memory()[e.Addr:][:e.Len])
		for name, value := range fields.All() {
			if string(name) == abi.FieldPort {
				_, g.err = net.Dial("tcp", net.JoinHostPort(g.host, string(value)))
			}
		}
	}
	return g.Guest.Turn(first, n, h)
}

// The 101 and what the plugin says first leave in one segment: the lane has both
// when it answers.
func TestDoorOneSegment(t *testing.T) {
	s := onPoll.serve(t, host.Limits{}, echo(t, "hi"))
	p := s.dial(t)
	p.write([]byte(handshake()))
	p.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 4096)
	n, err := p.TCPConn.Read(b)
	if got := string(b[:n]); err != nil || !strings.HasPrefix(got, "HTTP/1.1 101 ") || !strings.HasSuffix(got, "\r\n\r\n\x81\x02hi") {
		t.Errorf("first read: got %q, %v, want the answer and the greeting", got, err)
	}
}

// A connection that was used for plain requests may still be upgraded, and what
// was sent ahead is not lost.
func TestDoorKeepAlive(t *testing.T) {
	s := onPoll.serve(t, host.Limits{}, echo(t, ""), wat(t, "witness"))
	const get = "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n"
	const post = "POST /witness HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
	long := strings.Repeat("x", 8<<10) // more than net/http reads in one go
	early := rawws.AppendFrame([]byte(handshake()), rawws.Frame{Flags: 0x81, Payload: long})
	tests := []struct {
		name   string
		write  []string // one after the other
		before []string // bodies of the answers before the 101
	}{
		{"upgrade after a request", []string{get, string(early)}, []string{"OK"}},
		{"upgrade after a body", []string{post, string(early)}, []string{"hello"}},
		{"upgrade after a cut body", []string{post[:len(post)-3], post[len(post)-3:] + string(early)}, []string{"hello"}},
		{"all at once", []string{get + post + string(early)}, []string{"OK", "hello"}},
		{"upgrade with its beginning ahead", []string{get + string(early[:20]), string(early[20:])}, []string{"OK"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := s.dial(t)
			for _, w := range tt.write {
				p.write([]byte(w))
			}
			for _, want := range tt.before {
				if a := p.answer("GET"); a.Status != 200 || a.Body != want {
					t.Fatalf("got %s %.60q, want 200 %q", a.Line, a.Body, want)
				}
			}
			if a := p.answer("GET"); a.Status != 101 {
				t.Fatalf("got %s, want 101", a.Line)
			}
			p.wantText(long)
			p.alive()
			p.leave()
		})
	}
}

// Many connections that never finish their request take few descriptors, keep
// nobody out, and end.
func TestDoorSilent(t *testing.T) {
	for _, first := range []string{"", "G", handshake()[:100]} {
		t.Run(fmt.Sprintf("%d bytes", len(first)), func(t *testing.T) {
			s := onPoll.serve(t, host.Limits{Handshakes: 100, HeaderTime: time.Second}, echo(t, ""))
			before := descriptors(t)
			const many = 400
			var peers []*peer
			for range many {
				p := s.dial(t)
				p.Write([]byte(first)) // may have been cut already
				peers = append(peers, p)
			}
			s.open(t, "/echo").leave()
			if n := descriptors(t) - before - many; n > 120 {
				t.Errorf("%d connections have %d descriptors in the host, want some 100 at most", many, n)
			}
			for _, p := range peers {
				p.wantCut()
			}
		})
	}
}

func descriptors(t *testing.T) int {
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// Requests that are not complete end with the host, at once. Peers who have sent
// nothing at all are not known to it for the first second.
func TestDoorShutdown(t *testing.T) {
	s := onPoll.serve(t, host.Limits{HeaderTime: time.Hour}, echo(t, ""))
	var peers []*peer
	for _, first := range []string{"G", handshake()[:100]} {
		p := s.dial(t)
		p.write([]byte(first))
		peers = append(peers, p)
	}
	s.open(t, "/echo").leave() // the others have been seen
	s.stop(t, nil)
	for _, p := range peers {
		p.wantCut()
	}
}

// A peer that leaves while the plugin has not decided gives its place back.
func TestDoorHeldPeerLeaves(t *testing.T) {
	s := onPoll.serve(t, host.Limits{Sessions: 1}, wat(t, "holds"), echo(t, ""))
	for range 3 {
		p := s.dial(t)
		p.write(rawws.Handshake(s.addr, "/holds"))
		full(t, s, true)
		p.Close()
		full(t, s, false)
	}
}

// full waits until there is room for a session, or there is none.
func full(t *testing.T, s *server, want bool) {
	t.Helper()
	for late := time.Now().Add(patience); ; {
		p := s.dial(t)
		p.write(rawws.Handshake(s.addr, "/echo"))
		a := p.answer("GET")
		if a.Status == 101 {
			p.leave()
		}
		p.Close()
		if (a.Status == 503) == want {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("got %s, want full = %v", a.Line, want)
		}
	}
}

// A host that runs out of descriptors goes on when there are some again, and
// does not spin meanwhile. It runs in a process of its own.
func TestDoorNoDescriptors(t *testing.T) {
	if os.Getenv("HOST_TEST_CHILD") != "" {
		serveChild(t)
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^TestDoorNoDescriptors$", "-test.v")
	child.Env = append(os.Environ(), "HOST_TEST_CHILD=1")
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	child.Stdout, child.Stderr = in, in
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	log := newLogbook(t)
	lines := bufio.NewScanner(out)
	s := &server{log: log}
	for s.addr == "" && lines.Scan() {
		s.addr, _ = strings.CutPrefix(lines.Text(), "listens on ")
		if s.addr == lines.Text() {
			s.addr = ""
		}
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines.Scan() {
			log.Write(append(bytes.Clone(lines.Bytes()), '\n'))
		}
	}()
	defer func() {
		stdin.Close()
		<-read
		if err := child.Wait(); err != nil {
			t.Errorf("child: %v", err)
		}
	}()

	t.Run("requests that are not complete have them", func(t *testing.T) {
		for range 3 * childDescriptors {
			s.dial(t).Write([]byte("G"))
		}
		s.open(t, "/echo").leave()
	})
	t.Run("sessions have them", func(t *testing.T) {
		var open []*peer
		began := time.Now()
		for {
			p := s.dial(t)
			p.write(rawws.Handshake(s.addr, "/echo"))
			p.Patience = time.Second
			if _, err := p.ReadAnswer("GET"); err != nil {
				if late := (net.Error)(nil); !errors.As(err, &late) || !late.Timeout() {
					t.Fatalf("session %d: %v, want silence", len(open), err)
				}
				break
			}
			open = append(open, p)
		}
		waiting := s.dial(t)
		waiting.write([]byte(handshake()))
		log.wait(t, "connections are not accepted for a moment")
		for _, p := range open {
			p.leave()
		}
		if a := waiting.answer("GET"); a.Status != 101 {
			t.Errorf("got %s, want 101", a.Line)
		}
		tries := strings.Count(log.String(), "connections are not accepted for a moment")
		if most := int(time.Since(began)/(50*time.Millisecond)) + 1; tries > most {
			t.Errorf("accepting was given up %d times in %v, want at most %d", tries, time.Since(began), most)
		}
	})
}

// childDescriptors is how many descriptors the child has left once it serves.
const childDescriptors = 40

func serveChild(t *testing.T) {
	c := config(newLogbook(t), host.Limits{Sessions: 10000, HeaderTime: time.Hour}, echo(t, ""))
	c.Transport, c.Log = host.TransportPoll, slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h, err := host.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- h.Serve() }()
	limit := uint64(descriptors(t) + childDescriptors)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
		t.Fatal(err)
	}
	fmt.Printf("\nlistens on %s\n", h.Addr())
	io.Copy(io.Discard, os.Stdin)
	if err := h.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}
