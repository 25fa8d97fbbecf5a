// Package rawws is a WebSocket client without opinions: it writes the bytes it
// is told to and reads what comes, frame by frame. It answers nothing by itself
// and hides nothing, so that tests and load can do what no library would.
package rawws

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"time"
)

// A Conn is one TCP connection to a server. One goroutine may write while
// another reads.
type Conn struct {
	*net.TCPConn

	// Patience bounds each read of the methods below. 0 = for ever.
	Patience time.Duration

	in *bufio.Reader
}

// Dial opens a TCP connection and sends nothing.
func Dial(addr string) (*Conn, error) { return From(addr, "") }

// From is Dial with a local address of the caller's choice, without port.
func From(addr, local string) (*Conn, error) {
	var d net.Dialer
	if local != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(local)}
	}
	nc, err := d.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &Conn{TCPConn: nc.(*net.TCPConn), in: bufio.NewReaderSize(nc, 512)}, nil
}

// Key is the nonce of [Handshake], Accept what a server makes of it: the pair of
// RFC 6455 section 1.3.
const (
	Key    = "dGhlIHNhbXBsZSBub25jZQ=="
	Accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// Handshake is an upgrade request with nothing but what RFC 6455 section 4.1
// demands, and further header lines, each without its end of line.
func Handshake(host, path string, lines ...string) []byte {
	b := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n", path, host, Key)
	for _, line := range lines {
		b = append(append(b, line...), "\r\n"...)
	}
	return append(b, "\r\n"...)
}

// Upgrade sends [Handshake] and whatever is to follow it in the same segment,
// and reads the answer, which must be 101.
func (c *Conn) Upgrade(path string, early []byte, lines ...string) (*Answer, error) {
	if _, err := c.Write(append(Handshake(c.RemoteAddr().String(), path, lines...), early...)); err != nil {
		return nil, err
	}
	a, err := c.ReadAnswer("GET")
	if err == nil && a.Status != 101 {
		err = fmt.Errorf("upgrade answered %d: %s", a.Status, a.Body)
	}
	return a, err
}

// Reset ends the connection with a TCP reset.
func (c *Conn) Reset() error {
	if err := c.SetLinger(0); err != nil {
		return err
	}
	return c.Close()
}

// Rest reads until the peer closes its half, and returns what came.
func (c *Conn) Rest() ([]byte, error) {
	c.patience()
	return io.ReadAll(c.in)
}

func (c *Conn) patience() {
	if c.Patience > 0 {
		c.SetReadDeadline(time.Now().Add(c.Patience))
	}
}
