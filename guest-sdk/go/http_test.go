package guest_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/guesttest"
)

// web is a handler with an HTTP callback made of a function.
type web struct {
	hooks
	http func(req *guest.Request, resp *guest.Response) error
	gone []uint64
}

func (h *web) HTTP(req *guest.Request, resp *guest.Response) error { return h.http(req, resp) }
func (h *web) Gone(request uint64)                                 { h.gone = append(h.gone, request) }

func TestHTTP(t *testing.T) {
	const plain = "text/plain; charset=utf-8"
	tests := []struct {
		name   string
		http   func(req *guest.Request, resp *guest.Response) error
		status int
		kind   string // content-type
		body   string
		logged string
	}{
		{"empty", func(*guest.Request, *guest.Response) error { return nil }, 200, "", "", ""},
		{"status, header and body", func(_ *guest.Request, resp *guest.Response) error {
			resp.WriteString("he")
			resp.Write([]byte("llo"))
			return errors.Join(resp.Status(201), resp.Header("content-type", "text/x"))
		}, 201, "text/x", "hello", ""},
		{"ended early", func(_ *guest.Request, resp *guest.Response) error {
			resp.WriteString("x")
			err := resp.End()
			if _, late := resp.WriteString("y"); late != guest.ErrComplete {
				return errors.New("WriteString after End did not fail")
			}
			return err
		}, 200, "", "x", ""},
		{"flushed", func(_ *guest.Request, resp *guest.Response) error {
			resp.WriteString("a")
			resp.Flush()
			if resp.Status(500) != guest.ErrHeadSent || resp.Header("x", "y") != guest.ErrHeadSent {
				return errors.New("Status or Header after Flush did not fail")
			}
			resp.WriteString("b")
			resp.Flush()
			return nil
		}, 200, "", "ab", ""},
		{"error", func(_ *guest.Request, resp *guest.Response) error {
			resp.WriteString("half")
			resp.Header("x-half", "1")
			return errors.New("no disk")
		}, 500, plain, "internal error\n", "no disk"},
		{"status error", func(*guest.Request, *guest.Response) error {
			return &guest.StatusError{Status: 404, Body: "no such room"}
		}, 404, plain, "no such room", ""},
		{"error after flush", func(_ *guest.Request, resp *guest.Response) error {
			resp.WriteString("half")
			resp.Flush()
			return errors.New("no disk")
		}, 200, "", "half", "no disk"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := native(t, &web{http: tt.http})
			r := g.HTTP(guesttest.Request{})
			if r.Status != tt.status || r.Body != tt.body || r.Header("content-type") != tt.kind || !r.Done {
				t.Errorf("HTTP: got %+v, want %d %q %q, done", r, tt.status, tt.kind, tt.body)
			}
			if r.Header("x-half") != "" {
				t.Error("HTTP: the answer to an error has headers of the answer it replaces")
			}
			checkErrorLogged(t, g, 0, tt.logged)
			checkNoRefusals(t, g)
		})
	}
}

// An answer that the host refuses is replaced by one that it takes.
func TestHTTPRefused(t *testing.T) {
	tests := []struct {
		name   string
		http   func(req *guest.Request, resp *guest.Response) error
		status guest.Status
	}{
		{"header of the host's", func(_ *guest.Request, resp *guest.Response) error {
			resp.WriteString("hello")
			return resp.Header("Content-Length", "5")
		}, guest.StatusBadFields},
		{"two lines in a header", func(_ *guest.Request, resp *guest.Response) error {
			return resp.Header("x-name", "a\r\nb")
		}, guest.StatusBadFields},
		{"status", func(*guest.Request, *guest.Response) error {
			return &guest.StatusError{Status: 99}
		}, guest.StatusBadCode},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := native(t, &web{http: tt.http})
			r := g.HTTP(guesttest.Request{})
			if r.Status != 500 || r.Body != "internal error\n" || !r.Done {
				t.Errorf("HTTP: got %+v, want 500, done", r)
			}
			if refused := g.Refusals(); len(refused) != 1 || refused[0].Status != tt.status {
				t.Errorf("refusals: got %v, want one, %v", refused, tt.status)
			}
			checkErrorLogged(t, g, 0, "http answer refused: "+tt.status.String())
		})
	}
}

// The body is whole when the callback runs, however it came.
func TestHTTPBody(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789"), 10<<10) // 100 KiB, the area has 64
	for _, size := range []int{0, 1, 3, len(body)} {
		for _, piece := range []int{1, 7, 0} {
			if piece == 1 && size > 3 {
				continue
			}
			g := native(t, &web{http: func(req *guest.Request, resp *guest.Response) error {
				if req.Method() != "POST" || req.Path() != "/upload" || req.Header("x-name") != "n" {
					t.Errorf("HTTP: got %s %s %q", req.Method(), req.Path(), req.Header("x-name"))
				}
				if req.ID() != resp.ID() {
					t.Error("HTTP: request and response have different ids")
				}
				_, err := resp.Write(req.Body())
				return err
			}})
			r := g.HTTP(guesttest.Request{
				Method: "POST", Path: "/upload", Body: body[:size], Pieces: piece,
				Headers: []guest.Field{{Name: "X-Name", Value: "n"}},
			})
			if r.Body != string(body[:size]) || !r.Done {
				t.Errorf("HTTP(%d bytes in pieces of %d): got %d bytes back, done %v", size, piece, len(r.Body), r.Done)
			}
		}
	}
}

// An answer taken with Later is completed by another callback.
func TestHTTPLater(t *testing.T) {
	var open []*guest.Response
	h := &web{http: func(_ *guest.Request, resp *guest.Response) error {
		resp.Header("x-first", "1")
		resp.WriteString("first ")
		later := resp.Later()
		if resp.End() != guest.ErrComplete {
			t.Error("End of the response that Later replaced did not fail")
		}
		open = append(open, later)
		return nil
	}}
	h.recv = func(_ guest.Session, _ guest.Flags, data []byte) error {
		for _, r := range open {
			r.Write(data)
			if string(data) == "end" {
				if err := errors.Join(r.End()); err != nil || r.End() != guest.ErrComplete {
					t.Errorf("End: got %v first, want nil, then ErrComplete", err)
				}
			} else {
				r.Flush()
			}
		}
		return nil
	}
	g := native(t, h)
	a, b := g.HTTP(guesttest.Request{}), g.HTTP(guesttest.Request{})
	if a.Status != 0 || a.Done {
		t.Errorf("after the callback: got %+v, want nothing", a)
	}
	s := g.Connect(guesttest.Request{})
	s.RecvText("second ")
	if a.Status != 200 || a.Body != "first second " || a.Header("x-first") != "1" || a.Done {
		t.Errorf("after Flush: got %+v", a)
	}
	s.RecvText("end")
	for _, r := range []*guesttest.Response{a, b} {
		if r.Body != "first second end" || !r.Done {
			t.Errorf("after End: got %+v", r)
		}
	}
	checkNoRefusals(t, g)
}

func TestHTTPGone(t *testing.T) {
	var ids []uint64
	h := &web{http: func(req *guest.Request, resp *guest.Response) error {
		ids = append(ids, resp.Later().ID())
		return nil
	}}
	g := native(t, h)
	g.HTTP(guesttest.Request{}).Leave()
	if len(ids) != 1 || !slices.Equal(h.gone, ids) {
		t.Errorf("Gone: got %v, want %v", h.gone, ids)
	}
}

// A client that leaves in the middle of its body is never heard of.
func TestHTTPGoneBeforeTheBody(t *testing.T) {
	h := &web{http: func(*guest.Request, *guest.Response) error { t.Error("HTTP called without the whole body"); return nil }}
	g := native(t, h)
	g.HTTPHead(guesttest.Request{Method: "POST"}).Leave()
	if len(h.gone) != 0 {
		t.Errorf("Gone: got %v, want none", h.gone)
	}
}
