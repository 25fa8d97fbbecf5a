// Package guest is what the author of a yimmo plugin in Go sees.
//
// A plugin is a WebAssembly module that the host feeds with events: a session
// connects, a frame arrives, a session is over. The plugin answers with
// commands: send, close, publish. This package runs the loop between the two
// and turns records in shared memory into the calls of a [Handler]:
//
//	type echo struct{}
//
//	func (echo) Connect(s guest.Session) error { return s.SendText("Hello!") }
//	func (echo) Recv(s guest.Session, flags guest.Flags, data []byte) error { return s.Send(flags, data) }
//	func (echo) Close(s guest.Session, code uint16, reason string) {}
//
//	func init() { guest.Register(echo{}) }
//	func main() {}
//
// # Order
//
// Callbacks run one at a time, on one goroutine. Those of one session come in
// the order of the wire: Connect, then Recv any number of times, then Close
// once. Between sessions nothing is promised.
//
// # When commands take effect
//
// Not at once: the host carries them out, in order, after the turn they belong
// to ended well. A turn is a handful of callbacks. If one of them panics, runs
// out of memory or out of time, none of the turn's commands happen and the host
// puts the plugin's memory back to where it was.
//
// # Memory
//
// Data handed to a callback is a view of memory that the host writes into. It is
// valid until the callback returns; copy what must live longer. Data handed to
// Send and its like is referenced, not copied, and must not change until the
// turn is over. As a callback cannot tell where its turn ends, give it away for
// good, or use SendCopy. Sending back the view a callback got is fine.
//
// # Concurrency
//
// Nothing here is safe for concurrent use: call it from callbacks only. The
// plugin's own goroutines run while a callback waits for them, and for one round
// at the end of each turn; in between nothing of the plugin runs. They hand what
// they find out to a callback, by a channel for instance.
//
// # Outside WebAssembly
//
// The package compiles for every target, so that a plugin is tested as ordinary
// Go with package guesttest. TinyGo should compile it as well; that is untested.
package guest
