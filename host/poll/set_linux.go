package poll

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Supported says whether [New] can succeed.
const Supported = true

// wakeID is the id of the set's own descriptor; sessions never have it.
const wakeID = ^uint64(0)

// Set is a set of sockets, level-triggered.
type Set struct {
	epoll  int
	wake   int
	file   *os.File           // epoll, in Go's netpoller
	parked syscall.RawConn    // of file
	look   func(uintptr) bool // for parked; made once, so that waiting makes no garbage
	found  int                // by the last look
	raw    []unix.EpollEvent
	ready  []Event
}

// New makes a set that reports at most batch sockets at once.
func New(batch int) (*Set, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll_create1: %w", err)
	}
	wake, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		unix.Close(epoll)
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	s := &Set{epoll: epoll, wake: wake, raw: make([]unix.EpollEvent, batch), ready: make([]Event, 0, batch)}
	s.look = func(uintptr) bool {
		s.found = s.collect()
		return s.found > 0
	}
	if err := s.park(); err != nil {
		unix.Close(wake)
		return nil, err
	}
	return s, nil
}

// park hands the epoll descriptor to Go's netpoller.
func (s *Set) park() error {
	// Edge-triggered: the counter never has to be read back.
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: -1, Pad: -1}
	err := unix.EpollCtl(s.epoll, unix.EPOLL_CTL_ADD, s.wake, &ev)
	if err == nil {
		err = unix.SetNonblock(s.epoll, true)
	}
	s.file = os.NewFile(uintptr(s.epoll), "epoll")
	if err == nil {
		s.parked, err = s.file.SyscallConn()
	}
	if err != nil {
		s.file.Close()
		return fmt.Errorf("epoll: %w", err)
	}
	return nil
}

// Close closes the set, not its sockets.
func (s *Set) Close() error {
	unix.Close(s.wake)
	return s.file.Close()
}

// Wake makes Wait return, now or next. Safe for concurrent use until Close.
func (s *Set) Wake() {
	one := [8]byte{1}
	syscall.RawSyscall(unix.SYS_WRITE, uintptr(s.wake), uintptr(unsafe.Pointer(&one)), 8)
}

// Poll returns the sockets that are ready, without waiting. The result is valid
// until the next call.
func (s *Set) Poll() []Event { return s.events(s.collect()) }

// Wait returns when a socket is ready or somebody has called Wake.
func (s *Set) Wait() []Event {
	s.found = 0
	// Asked within the callback: the netpoller is edge-triggered, and what became
	// ready since the last look would not wake it.
	s.parked.Read(s.look)
	return s.events(s.found)
}

func (s *Set) collect() int {
	n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(s.epoll),
		uintptr(unsafe.Pointer(&s.raw[0])), uintptr(len(s.raw)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

func (s *Set) events(n int) []Event {
	s.ready = s.ready[:0]
	for i := range s.raw[:n] {
		e := &s.raw[i]
		id := uint64(uint32(e.Fd)) | uint64(uint32(e.Pad))<<32
		if id == wakeID {
			continue
		}
		s.ready = append(s.ready, Event{
			ID:       id,
			Readable: e.Events&^unix.EPOLLOUT != 0,
			Writable: e.Events&unix.EPOLLOUT != 0,
		})
	}
	return s.ready
}

// Add puts a socket into the set; reported as id whenever it is readable.
func (s *Set) Add(fd int, id uint64) error {
	return s.control(unix.EPOLL_CTL_ADD, fd, id, interest(true, false))
}

// AddQuiet puts a socket into the set that is reported only when its peer has
// closed or it has failed, not when there is something to read.
func (s *Set) AddQuiet(fd int, id uint64) error {
	return s.control(unix.EPOLL_CTL_ADD, fd, id, unix.EPOLLRDHUP)
}

// Change says what is wanted of a socket from now on. A socket that is wanted
// for nothing is still reported when it fails.
func (s *Set) Change(fd int, id uint64, read, write bool) error {
	return s.control(unix.EPOLL_CTL_MOD, fd, id, interest(read, write))
}

// Remove takes a socket out of the set, which must be in it. What has been
// collected of it is still reported.
func (s *Set) Remove(fd int) error { return s.control(unix.EPOLL_CTL_DEL, fd, 0, 0) }

func interest(read, write bool) (events uint32) {
	if read {
		events |= unix.EPOLLIN | unix.EPOLLRDHUP // RDHUP alone would be reported without end
	}
	if write {
		events |= unix.EPOLLOUT
	}
	return events
}

func (s *Set) control(op, fd int, id uint64, events uint32) error {
	e := unix.EpollEvent{Events: events, Fd: int32(uint32(id)), Pad: int32(uint32(id >> 32))}
	_, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(s.epoll), uintptr(op), uintptr(fd),
		uintptr(unsafe.Pointer(&e)), 0, 0)
	if errno != 0 {
		return fmt.Errorf("epoll_ctl: %w", errno)
	}
	return nil
}
