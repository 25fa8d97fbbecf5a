package guest

import (
	"errors"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go/internal/abi"
)

// dispatch turns one event other than recv into a callback. Kinds without a callback
// cannot come: their features were not asked for.
func (in *instance) dispatch(e *abi.Event) {
	in.tag = 0
	switch e.Kind {
	case abi.EventConnect:
		in.connect(e)
	case abi.EventClose:
		in.ended, in.endFlags = e.ID, e.Flags
		in.handler.Close(Session{e.ID, e.User}, e.Code, string(in.view(e)))
		in.ended, in.endFlags = 0, 0
	case abi.EventStart:
		in.start(e)
	case abi.EventStop:
		if h, ok := in.handler.(Stopper); ok {
			h.Stop()
		}
	case abi.EventHTTPRequest, abi.EventHTTPBody, abi.EventHTTPGone:
		if in.http != nil {
			in.httpEvent(e)
		}
	case abi.EventTimer:
		if in.timer != nil {
			in.logError(0, in.timer.Timer(e.ID, e.User))
		}
	case abi.EventTopic:
		if p := in.view(e); in.topic != nil && int(e.Code) <= len(p) {
			in.logError(0, in.topic.Topic(string(p[:e.Code]), Flags(e.Flags), p[e.Code:]))
		}
	case abi.EventRefused:
		in.refusedEvent(e)
	case abi.EventDropped:
		if in.backPressure != nil {
			in.backPressure.Dropped(Session{e.ID, e.User}, Status(e.Code), e.Seq)
		}
	case abi.EventDrained:
		if in.backPressure != nil {
			in.backPressure.Drained(Session{e.ID, e.User})
		}
	}
}

// start stops the plugin with the handler's error: there is no other way to
// refuse a configuration, and the host shows the text.
func (in *instance) start(e *abi.Event) {
	h, ok := in.handler.(Starter)
	if !ok {
		return
	}
	if err := h.Start(Config{append(abi.Fields(nil), in.view(e)...)}); err != nil {
		panic("start: " + err.Error())
	}
}

func (in *instance) connect(e *abi.Event) {
	s := Session{e.ID, e.User}
	in.deciding, in.answer = e.ID, undecided
	if e.Flags&abi.FlagSynthesised != 0 {
		in.answer = accepted
	}
	in.request = Request{id: e.ID, fields: abi.Fields(in.view(e)), resumed: in.answer == accepted}
	if err := in.handler.Connect(s); err != nil {
		in.connectFailed(s, err)
	}
	in.deciding, in.request = 0, Request{}
}

// connectFailed answers the handshake with err, or closes what it opened.
func (in *instance) connectFailed(s Session, err error) {
	var status *StatusError
	var closing *CloseError
	switch {
	case in.answer == refused:
		in.logError(s.id, err)
	case errors.As(err, &closing), in.answer == accepted:
		in.failed(s, err)
	case errors.As(err, &status):
		in.logError(s.id, s.Refuse(status.Status, status.Body, plainText))
	default:
		in.logError(s.id, err)
		in.logError(s.id, s.Refuse(500, "internal error\n", plainText))
	}
}

// failed closes s with what err says.
func (in *instance) failed(s Session, err error) {
	var closing *CloseError
	if errors.As(err, &closing) {
		s.CloseWith(closing.sendable())
		return
	}
	in.logError(s.id, err)
	s.CloseWith(CloseInternal, "")
}

// decided notes what Connect did to the handshake of its session: sending and
// closing accept it.
func (in *instance) decided(id uint64, a answer) {
	if id == in.deciding && in.answer <= held {
		in.answer = a
	}
}

func (in *instance) refusedEvent(e *abi.Event) {
	var c abi.Command
	copy(abi.CommandBytes(&c), in.view(e))
	if in.refusal == nil {
		in.answerRefused(&c, Status(e.Code))
		return
	}
	in.refusal.Refused(Refusal{
		Status: Status(e.Code), Command: Kind(c.Kind), ID: e.ID, Tag: e.Seq, More: e.User,
	})
}

func (in *instance) logError(id uint64, err error) {
	if err != nil {
		in.log(LevelError, id, err.Error())
	}
}
