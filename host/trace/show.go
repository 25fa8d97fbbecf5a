package trace

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// Show writes a trace as text: some lines about the instance, then one for each
// event and command with the number of its call and the time since the plugin
// began, and one for each trap, gap and checkpoint. Calls that the host repeated
// when it put the instance back are counted only. If session is not 0, of events and
// commands there are only those of that session.
//
// A trace that is cut off ends with a line that says so; that is no error.
func Show(to io.Writer, r *Reader, session uint64) error {
	s := shower{to: bufio.NewWriter(to), session: session}
	s.header(r.Header())
	err := s.records(r)
	if errors.Is(err, ErrTruncated) {
		s.line("", "cut off", strings.TrimPrefix(err.Error(), ErrTruncated.Error()+": "))
		err = nil
	}
	return errors.Join(err, s.to.Flush())
}

type shower struct {
	to      *bufio.Writer
	session uint64
	turn    string // of the call at hand
	when    string

	back     bool   // the instance was put back
	last     uint64 // turn number of the latest call
	repeated int    // calls since the instance was put back that had been before
}

func (s *shower) header(h *Header) {
	var marks []string
	if h.DigestsOnly {
		marks = append(marks, "digests only")
	}
	if h.Redacted {
		marks = append(marks, "redacted")
	}
	if h.Continuation {
		marks = append(marks, "from the middle on")
	}
	fmt.Fprintf(s.to, "plugin    %s, lane %d\n", guest.Printable(h.Plugin), h.Lane)
	fmt.Fprintf(s.to, "module    %s\n", h.Digest)
	fmt.Fprintf(s.to, "recorded  %s by %s%s\n", h.Time.Format(time.RFC3339Nano), guest.Printable(h.Host), strings.Join(append([]string{""}, marks...), ", "))
	fmt.Fprintf(s.to, "instance  ABI %d, %v; rings of %d and %d records, area of %d bytes, at most %d bytes of memory\n\n",
		h.ABI, h.Granted, h.EventsCap, h.CommandsCap, h.AreaAt.Cap, h.Memory)
}

func (s *shower) records(r *Reader) error {
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if call, ok := rec.(*Call); ok {
			if s.repeats(call) {
				continue
			}
			s.call(call)
			continue
		}
		switch rec := rec.(type) {
		case *Gap:
			s.line("", "gap", fmt.Sprintf("%d calls, turn %d to %d, were not recorded", rec.Calls, rec.First, rec.Last))
		case *Checkpoint:
			s.line("", "state", fmt.Sprintf("of the instance: %d bytes of memory, %d globals", rec.Memory, len(rec.Globals)))
		case *Mark:
			if rec.Load {
				s.back = true
				s.line("", "back", "the host put the instance back to an earlier state")
			}
		case *End:
			s.line("", "end", ends[rec.Reason])
		}
	}
}

var ends = map[uint8]string{EndClosed: "closed", EndTrap: "trapped", EndPart: "goes on in another file"}

// repeats says whether a call is one that has been before, and counts it.
func (s *shower) repeats(c *Call) bool {
	if s.back && c.Turn.Turn <= s.last {
		s.repeated++
		return true
	}
	if s.repeated > 0 {
		s.line("", "back", fmt.Sprintf("and gave it again what had come since (calls: %d)", s.repeated))
	}
	s.back, s.last, s.repeated = false, c.Turn.Turn, 0
	return false
}

func (s *shower) call(c *Call) {
	s.turn, s.when = fmt.Sprint(c.Turn.Turn), fmt.Sprintf("%.6f", time.Duration(c.Turn.Mono).Seconds())
	for e, payload := range c.AllEvents() {
		if s.session == 0 || e.ID == s.session {
			s.line(s.turn, "event", EventText(e, payload))
		}
	}
	mine := false
	for command := range c.AllCommands() {
		if command.Kind != abi.CommandPiece {
			mine = s.session == 0 || concerns(&command, s.session)
		}
		if mine {
			s.line(s.turn, "command", CommandText(command))
		}
	}
	switch {
	case c.Trap != 0:
		s.line(s.turn, "trap", fmt.Sprintf("%v: %s", c.Trap, oneLine(c.Text)))
	case !c.Full && s.session == 0:
		s.line(s.turn, "sum", fmt.Sprintf("%016x of %d commands", c.Digest, c.Count))
	}
}

func (s *shower) line(turn, what, text string) {
	when := s.when
	if turn == "" {
		when = ""
	}
	fmt.Fprintf(s.to, "%6s %12s  %-7s  %s\n", turn, when, what, text)
}
