package guest

import (
	"errors"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go/internal/abi"
)

// A Response is the answer to a plain request. It is complete when the HTTP
// callback returns, unless Later was called. Not safe after that.
type Response struct {
	id     uint64
	status int
	fields []byte // encoded; empty if there are none
	body   []byte // not handed over yet
	headed bool   // status and fields are handed over
	done   bool
}

// ID identifies the request; see [GoneHandler].
func (r *Response) ID() uint64 { return r.id }

// Header adds a header to the answer. It fails with [ErrHeadSent] after Flush.
// Connection, Content-Length, Keep-Alive, Trailer, Transfer-Encoding and Upgrade are
// the host's: an answer with one of them, or with what is no header, becomes 500,
// unless the plugin is a [RefusalHandler] and sees to it.
func (r *Response) Header(name, value string) error {
	if r.headed || r.done {
		return ErrHeadSent
	}
	if len(r.fields) == 0 {
		r.fields = abi.AppendFields(r.fields)
	}
	r.fields = abi.AppendField(r.fields, 0, name, value)
	return nil
}

// Status sets the status, 200 to 599. It is 200 unless set. It fails with
// [ErrHeadSent] after Flush.
func (r *Response) Status(code int) error {
	if r.headed || r.done {
		return ErrHeadSent
	}
	r.status = code
	return nil
}

// Write adds to the body a copy of p. It fails with [ErrComplete] after End.
func (r *Response) Write(p []byte) (int, error) {
	if r.done {
		return 0, ErrComplete
	}
	r.body = append(r.body, p...)
	return len(p), nil
}

// WriteString is Write for a string.
func (r *Response) WriteString(s string) (int, error) {
	if r.done {
		return 0, ErrComplete
	}
	r.body = append(r.body, s...)
	return len(s), nil
}

// Flush sends what there is so far, status and headers first, and leaves the
// answer open for more.
func (r *Response) Flush() error {
	if r.done {
		return ErrComplete
	}
	r.emit(abi.FlagFlush)
	return nil
}

// Later keeps the answer open when the callback returns. The response that it
// returns takes the place of r and is the plugin's to keep; it is complete once
// End is called, in any callback.
func (r *Response) Later() *Response {
	kept := *r
	*r = Response{id: r.id, done: true}
	return &kept
}

// End completes an answer that was taken with Later. Before the callback
// returns it may also be called on the one given.
func (r *Response) End() error {
	if r.done {
		return ErrComplete
	}
	r.emit(abi.FlagEnd)
	r.done = true
	return nil
}

// emit hands over what there is. The host reads it before the next call, so the
// buffers are given away.
func (r *Response) emit(flags uint8) {
	in := running()
	if r.headed {
		in.bodyPart(r.id, flags, r.body)
		r.body = nil
		return
	}
	if len(r.fields) == 0 {
		r.fields = abi.AppendFields(nil)
	}
	c := abi.Command{Kind: abi.CommandHTTPHead, Flags: flags, Code: uint16(r.status), ID: r.id, Tag: in.tag}
	in.headed(c, in.ref(r.fields), uint32(len(r.fields)), r.body)
	r.headed, r.fields, r.body = true, nil, nil
}

func (in *instance) bodyPart(id uint64, flags uint8, data []byte) {
	addr := in.ref(data)
	*in.next() = abi.Command{Kind: abi.CommandHTTPBody, Flags: flags, Len: uint32(len(data)), ID: id, Addr: addr, Tag: in.tag}
}

// httpEvent collects requests until their bodies are whole. The host bounds both
// how long a body may be and how many requests may wait.
func (in *instance) httpEvent(e *abi.Event) {
	whole := e.Flags&abi.FlagEnd != 0
	switch e.Kind {
	case abi.EventHTTPRequest:
		if whole {
			in.serve(&Request{id: e.ID, fields: abi.Fields(in.view(e))})
			return
		}
		in.waiting[e.ID] = &Request{id: e.ID, fields: append(abi.Fields(nil), in.view(e)...)}
	case abi.EventHTTPBody:
		req := in.waiting[e.ID]
		if req == nil {
			return
		}
		if req.body = append(req.body, in.view(e)...); whole {
			delete(in.waiting, e.ID)
			in.serve(req)
		}
	case abi.EventHTTPGone:
		if _, unheard := in.waiting[e.ID]; unheard {
			delete(in.waiting, e.ID)
		} else if h, ok := in.handler.(GoneHandler); ok {
			h.Gone(e.ID)
		}
	}
}

func (in *instance) serve(req *Request) {
	r := &in.response
	*r = Response{id: req.id, status: 200}
	err := in.http.HTTP(req, r)
	var status *StatusError
	switch {
	case err == nil:
	case r.headed || r.done: // too late to say it to the client
		in.logError(0, err)
	case errors.As(err, &status):
		r.replace(status.Status, status.Body)
	default:
		in.logError(0, err)
		r.replace(500, "internal error\n")
	}
	if !r.done {
		r.emit(abi.FlagEnd)
		r.done = true
	}
}

// answerRefused answers a request in place of an answer whose head the host did
// not take: the client would wait for one until the host's patience ends.
func (in *instance) answerRefused(c *abi.Command, why Status) {
	switch why {
	case StatusBadCode, StatusBadFields, StatusTooLarge:
	default:
		return
	}
	if c.Kind != abi.CommandHTTPHead {
		return
	}
	in.log(LevelError, 0, "http answer refused: "+why.String())
	r := Response{id: c.ID}
	r.replace(500, "internal error\n")
	r.emit(abi.FlagEnd)
}

// replace makes r a text of the status.
func (r *Response) replace(status int, text string) {
	*r = Response{id: r.id, status: status, body: []byte(text)}
	r.Header(plainText.Name, plainText.Value)
}

var plainText = Field{"content-type", "text/plain; charset=utf-8"}
