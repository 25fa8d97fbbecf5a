package rawws

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"strconv"
	"strings"
)

// An Answer is what a server said to a plain or an upgrade request.
type Answer struct {
	Line   string // first line, without its end
	Status int
	Header http.Header // everything that stood there, Content-Length and Transfer-Encoding included
	Body   string      // without chunks' framing
}

// ReadAnswer reads one answer. method is that of the request: the answer to HEAD
// has no body. A body without length ends with the connection.
func (c *Conn) ReadAnswer(method string) (*Answer, error) {
	c.patience()
	return ReadAnswer(c.in, method)
}

// ReadAnswer reads one answer to a request of that method.
func ReadAnswer(in *bufio.Reader, method string) (*Answer, error) {
	a, err := readHead(in)
	if err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	if method == "HEAD" || a.Status < 200 || a.Status == 204 || a.Status == 304 {
		return a, nil
	}
	body, err := readBody(in, a.Header)
	a.Body = string(body)
	return a, err
}

func readHead(in *bufio.Reader) (*Answer, error) {
	lines := textproto.NewReader(in) // keeps nothing to itself
	line, err := lines.ReadLine()
	if err != nil {
		return nil, err
	}
	proto, rest, _ := strings.Cut(line, " ")
	code, _, _ := strings.Cut(rest, " ")
	status, err := strconv.Atoi(code)
	if err != nil || proto != "HTTP/1.1" && proto != "HTTP/1.0" {
		return nil, fmt.Errorf("status line %q", line)
	}
	header, err := lines.ReadMIMEHeader()
	return &Answer{Line: line, Status: status, Header: http.Header(header)}, err
}

func readBody(in *bufio.Reader, header http.Header) ([]byte, error) {
	if header.Get("Transfer-Encoding") == "chunked" {
		body, err := io.ReadAll(httputil.NewChunkedReader(in))
		if err == nil {
			_, err = in.Discard(2) // the empty trailer
		}
		return body, err
	}
	length := header.Get("Content-Length")
	if length == "" {
		return io.ReadAll(in)
	}
	n, err := strconv.Atoi(length)
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	_, err = io.CopyN(&body, in, int64(n))
	return body.Bytes(), err
}
