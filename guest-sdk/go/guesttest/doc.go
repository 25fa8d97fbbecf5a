// Package guesttest drives a plugin from an ordinary Go test. It plays the
// host's part: it keeps sessions and their user words, judges commands, runs
// timers, and closes each session once.
//
//	func TestEcho(t *testing.T) {
//		g := guesttest.Native(t, &echo{})
//		g.Start(map[string]string{"greeting": "Hi"})
//		s := g.Connect(guesttest.Request{Path: "/echo"})
//		s.RecvText("hello")
//		got := s.Sent() // text "Hi", text "hello"
//		s.Close(1000, "bye")
//	}
//
// Each event runs a turn of its own, and whatever follows from it (refusals, the
// peer's answer to a close frame) has happened when the method returns. Batch
// puts several events in one turn.
//
// [Native] runs the handler as ordinary Go. [New] takes any [Machine]: package
// plugintest of the yimmo plugins puts a compiled module behind the same Guest.
//
// What differs from a host: the peer answers a close frame at once and is never
// slow, time stands still but for [Guest.Advance], and nothing has a limit but
// what the contract itself bounds.
//
// Nothing here is safe for concurrent use. Guests of parallel tests are fine:
// one of them at a time runs.
package guesttest
