package host

import (
	"github.com/yimmo-host/yimmo-host/host/frame"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

// ofLane is the part of l that lanes see to.
func (l *Limits) ofLane() lane.Limits {
	bytes := rate(l.ByteRate)
	bytes.AtOnce = max(bytes.AtOnce, l.Message)
	return lane.Limits{
		Frames:      frame.Limits{Message: l.Message, Frames: l.Frames},
		MessageTime: l.MessageTime, WriteTime: l.WriteTime, CloseTime: l.CloseTime,
		Answer: l.Answer, Queue: int(l.Queue),
		Ping: l.Ping, Pong: l.Pong, Idle: l.Idle,
		Controls: rate(int64(l.ControlRate)), Messages: rate(int64(l.MessageRate)), Bytes: bytes,
	}
}

// rate lets two and a half seconds' worth through at once: a peer that comes
// back from a lapse of its network has that much to say.
func rate(perSecond int64) lane.Rate {
	return lane.Rate{PerSecond: perSecond, AtOnce: max(1, perSecond*5/2)}
}
