package guest

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/yimmo-host/yimmo-host/abi"
)

// maxOutput is how many bytes of one stream reach the log in one turn. What a
// guest writes beyond is counted and dropped: one call of fd_write can name the
// same megabytes thousands of times, and no deadline stops it midway.
const maxOutput = 256 << 10

// lines turns a guest's output stream into log lines of at most [abi.MaxLog]
// bytes. Longer ones are cut into several, between characters. Bytes that are
// not UTF-8 become U+FFFD.
type lines struct {
	level   abi.Level
	log     func(abi.Level, string)
	part    []byte // a line whose end has not come yet
	taken   int    // bytes since the last flush
	dropped int
}

// Write never fails: a guest that cannot write its log may stop for it.
func (l *lines) Write(p []byte) (int, error) {
	n := len(p)
	if room := maxOutput - l.taken; len(p) > room {
		l.dropped += len(p) - room
		p = p[:room]
	}
	l.taken += len(p)
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			l.part = append(l.part, p...)
			break
		}
		l.part = append(l.part, p[:end]...)
		p = p[end+1:]
		l.emit(true)
	}
	l.emit(false)
	return n, nil
}

// emit logs what is in part: all of it when the line has ended, else only as
// much as makes full lines.
func (l *lines) emit(ended bool) {
	rest := l.part
	for len(rest) > abi.MaxLog {
		cut := abi.MaxLog
		for i := cut; i > cut-utf8.UTFMax; i-- {
			if utf8.RuneStart(rest[i]) {
				cut = i
				break
			}
		}
		l.log(l.level, text(rest[:cut]))
		rest = rest[cut:]
	}
	if ended {
		l.log(l.level, text(bytes.TrimSuffix(rest, []byte("\r"))))
		rest = nil
	}
	l.part = append(l.part[:0], rest...)
}

// flush ends a turn: it logs a line without an end and what was dropped.
func (l *lines) flush() {
	if l.taken == 0 && len(l.part) == 0 {
		return
	}
	if len(l.part) > 0 {
		l.emit(true)
	}
	if l.dropped > 0 {
		l.log(l.level, fmt.Sprintf("... %d bytes of output dropped, at most %d a turn", l.dropped, maxOutput))
	}
	l.taken, l.dropped = 0, 0
}

func text(line []byte) string { return strings.ToValidUTF8(string(line), "\ufffd") }
