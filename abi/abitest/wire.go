package abitest

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
)

// patience is how long the kit waits for anything that a host owes.
const patience = 30 * time.Second

// A Client is one WebSocket peer that sees every frame as it stands on the
// wire. It answers nothing by itself, neither ping nor close. Its methods end
// the test when the connection does not do what they say.
//
// One goroutine at a time may use a Client.
type Client struct {
	Answer *http.Response // to the upgrade request; its body has been read

	conn net.Conn
	in   *bufio.Reader
}

// A Frame is one frame as it stood on the wire, without its length.
type Frame struct {
	Flags   byte // FIN, RSV1-3, opcode
	Payload []byte
}

// A Request is an upgrade request. The zero value asks for the URL of the
// server, with nothing but what RFC 6455 section 4.1 demands.
type Request struct {
	Path   string   // added to the server's URL; may hold a query
	Header []string // lines such as "Origin: null", behind what the handshake needs
}

// upgrade opens a connection and sends the request without reading an answer.
func upgrade(base string, r Request) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	conn, err := net.DialTimeout("tcp", u.Host, patience)
	if err != nil {
		return nil, err
	}
	var key [16]byte
	rand.Read(key[:])
	target := u.Path + r.Path
	if !strings.HasPrefix(target, "/") {
		target = "/" + target
	}
	req := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n", target, u.Host, base64.StdEncoding.EncodeToString(key[:]))
	for _, line := range r.Header {
		req = append(append(req, line...), "\r\n"...)
	}
	req = append(req, "\r\n"...)
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write(req); err != nil {
		conn.Close()
		return nil, err
	}
	return &Client{conn: conn, in: bufio.NewReader(conn)}, nil
}

// answer reads the host's answer to the upgrade request. Unless it is 101 the
// body is read whole and the connection is closed.
func (c *Client) answer() error {
	c.conn.SetDeadline(time.Now().Add(patience))
	answer, err := http.ReadResponse(c.in, &http.Request{Method: "GET"})
	if err != nil {
		c.conn.Close()
		return fmt.Errorf("answer to the upgrade request: %w", err)
	}
	c.Answer = answer
	if answer.StatusCode != http.StatusSwitchingProtocols {
		body, _ := io.ReadAll(answer.Body)
		answer.Body = io.NopCloser(bytes.NewReader(body))
		c.conn.Close()
	}
	return nil
}

// Send writes one masked frame whose first byte is flags.
func (c *Client) Send(t testing.TB, flags byte, payload []byte) {
	t.Helper()
	if err := c.send(flags, payload); err != nil {
		t.Fatalf("peer: send a frame of %d bytes: %v", len(payload), err)
	}
}

// SendText sends s as one text message.
func (c *Client) SendText(t testing.TB, s string) {
	t.Helper()
	c.Send(t, textFrame, []byte(s))
}

// SendClose sends a close frame with a code and a reason, or an empty one when
// code is 0.
func (c *Client) SendClose(t testing.TB, code uint16, reason string) {
	t.Helper()
	c.Send(t, abi.FlagFIN|abi.OpClose, closePayload(code, reason))
}

func (c *Client) send(flags byte, payload []byte) error {
	c.conn.SetWriteDeadline(time.Now().Add(patience))
	_, err := c.conn.Write(AppendFrame(nil, flags, payload))
	return err
}

// AppendFrame appends a frame as a client sends it: masked, with the shortest
// form of the length.
func AppendFrame(dst []byte, flags byte, payload []byte) []byte {
	dst = append(dst, flags)
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, 0x80|byte(n))
	case n < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, 0x80|126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 0x80|127), uint64(n))
	}
	mask := [4]byte{0x12, 0x9a, 0x5b, 0xf0}
	dst = append(dst, mask[:]...)
	for i, b := range payload {
		dst = append(dst, b^mask[i%4])
	}
	return dst
}

// Recv reads one frame.
func (c *Client) Recv(t testing.TB) Frame {
	t.Helper()
	f, err := c.recv()
	if err != nil {
		t.Fatalf("peer: receive: %v", err)
	}
	return f
}

var errMasked = errors.New("masked frame from the host, RFC 6455 section 5.1")

func (c *Client) recv() (Frame, error) {
	c.conn.SetReadDeadline(time.Now().Add(patience))
	var head [8]byte
	if _, err := io.ReadFull(c.in, head[:2]); err != nil {
		return Frame{}, err
	}
	f, size := Frame{Flags: head[0]}, uint64(head[1])
	if size >= 0x80 {
		return Frame{}, errMasked
	}
	switch wide := map[uint64]int{126: 2, 127: 8}[size]; wide {
	case 2, 8:
		if _, err := io.ReadFull(c.in, head[8-wide:]); err != nil {
			return Frame{}, err
		}
		clear(head[:8-wide])
		size = binary.BigEndian.Uint64(head[:])
	}
	f.Payload = make([]byte, size)
	_, err := io.ReadFull(c.in, f.Payload)
	return f, err
}

// Expect reads one frame, which must be the one given.
func (c *Client) Expect(t testing.TB, flags byte, payload []byte) {
	t.Helper()
	f := c.Recv(t)
	if f.Flags != flags || string(f.Payload) != string(payload) {
		t.Fatalf("peer: got frame %s, want %s", f, Frame{flags, payload})
	}
}

// ExpectText reads one frame, which must be a whole text message.
func (c *Client) ExpectText(t testing.TB, s string) {
	t.Helper()
	c.Expect(t, textFrame, []byte(s))
}

// ExpectClose reads one frame, which must be a close frame with one of the
// codes. Code 0 means one without a code.
func (c *Client) ExpectClose(t testing.TB, codes ...uint16) (reason string) {
	t.Helper()
	f := c.Recv(t)
	if f.Flags != abi.FlagFIN|abi.OpClose {
		t.Fatalf("peer: got frame %s, want close %v", f, codes)
	}
	var code uint16
	if len(f.Payload) >= 2 {
		code, reason = binary.BigEndian.Uint16(f.Payload), string(f.Payload[2:])
	}
	if !slices.Contains(codes, code) {
		t.Fatalf("peer: got close %d %q, want %v", code, reason, codes)
	}
	return reason
}

// ExpectEOF reads the end of the connection.
func (c *Client) ExpectEOF(t testing.TB) {
	t.Helper()
	f, err := c.recv()
	var timeout net.Error
	switch {
	case err == nil:
		t.Fatalf("peer: got frame %s, want the end of the connection", f)
	case errors.As(err, &timeout) && timeout.Timeout():
		t.Fatalf("peer: the host still has not ended the connection after %v", patience)
	}
}

// Cut ends the connection without a closing handshake.
func (c *Client) Cut() { c.conn.Close() }

// String shows the frame's bytes as far as they fit a line.
func (f Frame) String() string {
	if len(f.Payload) > 64 {
		return fmt.Sprintf("%#02x %d bytes %q...", f.Flags, len(f.Payload), f.Payload[:64])
	}
	return fmt.Sprintf("%#02x %q", f.Flags, f.Payload)
}

func closePayload(code uint16, reason string) []byte {
	if code == 0 {
		return nil
	}
	return append(binary.BigEndian.AppendUint16(nil, code), reason...)
}

// First bytes of whole messages.
const (
	textFrame   = abi.FlagFIN | abi.OpText
	binaryFrame = abi.FlagFIN | abi.OpBinary
)
