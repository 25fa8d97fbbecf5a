package lane

// An outbox has the frames that a turn has for its sessions, until they leave with
// one write for each session: a system call is what a message costs. A frame for
// many is in it once. It belongs to the lane, and is empty between turns.
type outbox struct {
	frames  []byte // all of them, one behind the other
	runs    []run
	letters []letter // in the order in which their sessions were first written to
	joined  []byte   // a letter of several runs
}

// A run is a stretch of the frames that one session gets.
type run struct {
	from, to uint32
	next     uint32 // index of the session's next run; 0 = none, for the first run is nobody's next
}

// A letter is all that one session gets. The session knows its index.
type letter struct {
	id          uint64
	first, last uint32 // runs
	size        int
}

// output is what commands are carried out with.
type output struct {
	outbox   outbox
	gathered [][]byte          // payload of the brigade at hand, memory of the guest
	parts    [][]byte          // what of it is not yet dealt with
	packed   packed            // what compression works with
	unsent   map[uint64][]byte // frames of sessions that ended while the 101 was on its way
}

const (
	// maxOut is how much is collected for one session, in bytes.
	maxOut = 64 << 10

	// maxOutbox is how much is collected in all.
	maxOutbox = 4 * maxOut

	// maxLetters is how many letters an outbox has memory for while it is empty.
	maxLetters = 4096
)

// give gives a session the frames that are at [from, to) of the outbox. Who has put
// them there calls [Lane.flushFull] when all have got theirs.
func (l *Lane) give(id uint64, s *session, from, to int) {
	o := &l.outbox
	if s.letter == 0 {
		o.letters = append(o.letters, letter{id: id, first: uint32(len(o.runs)), last: uint32(len(o.runs))})
		o.runs = append(o.runs, run{from: uint32(from), to: uint32(to)})
		s.letter = uint32(len(o.letters))
	} else {
		o.extend(&o.letters[s.letter-1], from, to)
	}
	m := &o.letters[s.letter-1]
	if m.size += to - from; m.size > maxOut {
		l.flushTo(s)
	}
}

func (o *outbox) extend(m *letter, from, to int) {
	if last := &o.runs[m.last]; last.to == uint32(from) {
		last.to = uint32(to)
		return
	}
	o.runs[m.last].next = uint32(len(o.runs))
	m.last = uint32(len(o.runs))
	o.runs = append(o.runs, run{from: uint32(from), to: uint32(to)})
}

// inOutbox is how many bytes the outbox has for a session.
func (l *Lane) inOutbox(s *session) int {
	if s.letter == 0 {
		return 0
	}
	return l.outbox.letters[s.letter-1].size
}

// flushTo hands a session what the outbox has for it, before anything else does.
func (l *Lane) flushTo(s *session) {
	if s.letter == 0 {
		return
	}
	o := &l.outbox
	m := o.letters[s.letter-1]
	s.letter = 0
	r := o.runs[m.first]
	if r.next == 0 {
		l.write(m.id, s, o.frames[r.from:r.to])
		return
	}
	o.joined = append(o.joined[:0], o.frames[r.from:r.to]...)
	for r.next != 0 {
		r = o.runs[r.next]
		o.joined = append(o.joined, o.frames[r.from:r.to]...)
	}
	l.write(m.id, s, o.joined)
}

// flushOut empties the outbox.
func (l *Lane) flushOut() {
	o := &l.outbox
	if len(o.frames) == 0 {
		return
	}
	for i := range o.letters {
		if s := l.sessions.find(o.letters[i].id); s != nil && s.letter == uint32(i+1) {
			l.flushTo(s)
		}
	}
	o.frames, o.runs, o.letters = o.frames[:0], o.runs[:0], o.letters[:0]
	if cap(o.frames) > 2*maxOutbox {
		o.frames = nil
	}
	if cap(o.joined) > 2*maxOut {
		o.joined = nil
	}
	if cap(o.letters) > maxLetters {
		o.letters, o.runs = nil, nil
	}
}

// flushFull empties the outbox if there is much in it.
func (l *Lane) flushFull() {
	if len(l.outbox.frames) > maxOutbox {
		l.flushOut()
	}
}
