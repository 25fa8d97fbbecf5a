package lane

import (
	"testing"
	"time"
)

type deadLink struct{}

func (deadLink) Write([]byte) int { return 0 }
func (deadLink) Pong([]byte) int  { return 0 }
func (deadLink) Busy() bool       { return false }
func (deadLink) Waiting() int     { return 0 }
func (deadLink) Close()           {}
func (deadLink) Cut()             {}

// BenchmarkRound is what looking at 100,000 sessions costs; a lane does it twice a second with the default limits.
func BenchmarkRound(b *testing.B) {
	const n = 100_000
	l := &Lane{rounds: newRounds(&Limits{Ping: 25 * time.Second, Pong: 10 * time.Second})}
	l.clock = time.Hour
	l.tick = ticks(l.clock)
	for i := range n {
		_, s, ok := l.sessions.add()
		if !ok {
			b.Fatal("no place")
		}
		s.state, s.link = open, deadLink{}
		s.heard = l.tick - uint32(i%2)*1000
		s.asked, s.spoke = s.heard, s.heard
	}
	for b.Loop() {
		for range len(l.sessions.slabs) {
			l.due = l.due[:0]
			l.sessions.slab(l.rounds.next, l.silence)
			l.rounds.next = (l.rounds.next + 1) % len(l.sessions.slabs)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/session")
}
