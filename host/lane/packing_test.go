package lane_test

import (
	"bytes"
	"compress/flate"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/deflate"
	"github.com/yimmo-host/yimmo-host/host/frame"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

// packs makes a lane compress, with context.
func packs(c *lane.Config) {
	c.Deflate = deflate.NewPool(deflate.Policy{ContextTakeover: true, Threshold: 1})
}

var agreed = &deflate.Params{ServerTakeover: true, ClientTakeover: true, ServerBits: 15, ClientBits: 15}

// openPacked makes a session that compresses, with a wire below it.
func (r *rig) openPacked() (uint64, *wire) {
	r.t.Helper()
	d, err := r.Connect(r.t.Context(), abi.AppendFields(nil), agreed)
	if err != nil || d.Session == 0 {
		r.t.Fatalf("Connect: got %+v, %v, want a session", d, err)
	}
	w := &wire{}
	r.Attach(d.Session, w)
	synctest.Wait()
	return d.Session, w
}

// messages inflates the text messages that a wire was given, each one frame.
func (w *wire) messages(t *testing.T) (all []string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	var past []byte
	for b := w.bytes; len(b) > 0; {
		size, head := int(b[1]), 2
		if size == 126 {
			size, head = int(b[2])<<8|int(b[3]), 4
		}
		payload := b[head : head+size]
		if b[0]&frame.RSV1 != 0 {
			wire := io.MultiReader(bytes.NewReader(payload), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff"))
			message, err := io.ReadAll(flate.NewReaderDict(wire, past))
			if err != nil {
				t.Fatalf("message %d: %v", len(all), err)
			}
			past = append(past, message...)
			payload = message
		}
		all = append(all, string(payload))
		b = b[head+size:]
	}
	return all
}

// A message that was kept for a slow peer is compressed when it leaves, and those
// that it replaced have left no trace.
func TestPackedKept(t *testing.T) {
	news := func(i int) string { return strings.Repeat("news ", 50) + string(rune('a'+i)) }
	noise := make([]byte, 600)
	rand.NewChaCha8([32]byte{}).Read(noise)
	fill := string(noise)
	synctest.Test(t, func(t *testing.T) {
		r := newRigWith(t, func(g *native, e abi.Event, payload []byte) {
			g.features |= abi.FeatureTopics
			switch {
			case e.Kind == abi.EventConnect:
				g.say(abi.Command{Kind: abi.CommandSubscribe, Flags: abi.PolicyLast, ID: e.ID}, "t")
			case e.Kind == abi.EventRecv && string(payload) == "fill":
				g.say(abi.Command{Kind: abi.CommandSend, Flags: 0x82, ID: e.ID}, fill)
			case e.Kind == abi.EventRecv:
				g.say(abi.Command{Kind: abi.CommandPublish, Flags: 0x81}, "t")
				g.say(abi.Command{Kind: abi.CommandPiece}, string(payload))
			}
		}, func(c *lane.Config) {
			packs(c)
			c.Limits.Queue = 1000
		})
		id, w := r.openPacked()
		w.stuck = true
		r.frames(id, text("fill")) // more than a quarter of the queue waits now
		for i := range 3 {
			r.frames(id, text(news(i)))
		}
		w.stuck = false
		r.Drained(id)
		synctest.Wait()
		r.frames(id, text(news(3)))
		want := []string{fill, news(2), news(3)}
		if got := w.messages(t); !slices.Equal(got, want) {
			t.Errorf("got %.60q, want %.60q", got, want)
		}
		if len(w.bytes) > len(fill)+100 {
			t.Errorf("got %d bytes, want the news compressed", len(w.bytes))
		}
	})
}

// Any frames on a session with compression: the guest hears of one close, of no
// text that is not UTF-8 and of no message above the limit.
func FuzzPackedFrames(f *testing.F) {
	hello := "\xf2\x48\xcd\xc9\xc9\x07\x00"
	for _, s := range []string{
		"\xc1\x87\x00\x00\x00\x00" + hello, "\x41\x83\x00\x00\x00\x00" + hello[:3] + "\x89\x80\x00\x00\x00\x00" + "\x80\x84\x00\x00\x00\x00" + hello[3:],
		"\xc1\x87\x00\x00\x00\x00" + hello + "\xc1\x85\x00\x00\x00\x00\xf2\x00\x11\x00\x00\x88\x82\x00\x00\x00\x00\x03\xe8",
		"\xc2\x81\x00\x00\x00\x00\x06", "\xc1\x88\x00\x00\x00\x00\x00\x02\x00\xfd\xff\xc3\x28\x00", "\xc0\x80\x00\x00\x00\x00",
	} {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, whole bool) {
		synctest.Test(t, func(t *testing.T) {
			const most = 4000
			r := newRigWith(t, nil, func(c *lane.Config) {
				packs(c)
				c.Messages = whole
				c.Limits.Frames.Message = most
			})
			id, _ := r.openPacked()
			var d frame.Decoder
			d.Init(&frame.Limits{Message: most})
			d.AllowRSV1(true)
			for b := data; ; {
				got, n, err := d.Next(b)
				if err != nil {
					r.Input(id, &lane.Batch{Failed: err.(*frame.Error), Done: func() {}})
				}
				if n == 0 {
					break
				}
				r.frames(id, got)
				b = b[n:]
			}
			r.Gone(id)
			synctest.Wait()
			closes, text, message := 0, false, ""
			for i, e := range r.guests[0].heard {
				switch {
				case e.Kind == abi.EventClose:
					closes++
				case e.Kind != abi.EventRecv:
				case e.Flags&abi.FlagRSV1 != 0 || closes > 0:
					t.Errorf("heard %+v", e)
				default:
					if e.Flags&abi.MaskOpcode != 0 {
						text, message = e.Flags&abi.MaskOpcode == abi.OpText, ""
					}
					message += r.guests[0].payloads[i]
					if len(message) > most || text && e.Flags&abi.FlagFIN != 0 && !utf8.ValidString(message) {
						t.Errorf("heard a message of %d bytes, %.40q", len(message), message)
					}
				}
			}
			if closes != 1 {
				t.Errorf("heard of %d closes, want 1", closes)
			}
		})
	})
}
