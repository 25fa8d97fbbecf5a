// Package host accepts WebSocket connections and plain HTTP requests and hands
// their events to plugins, which are WebAssembly modules (see abi/ABI.md).
//
// # Life of a connection
//
//	peer               host                                guest
//	 |---- upgrade ---->|                                    |
//	 |                  |---- turn: connect(session) ------->|
//	 |                  |<--- accept, send ------------------|
//	 |<--- 101, frames -|                                    |
//	 |---- frame ------>|---- turn: recv(session) x n ------>|
//	 |<--- frame -------|<--- send --------------------------|
//	 |---- close ------>|---- turn: close(session) --------->|   last event for the session
//	 |<--- close -------|                                    |
//
// # Parts
//
//	host         this package: listener, routes, handshake, plain HTTP, shutdown
//	host/stream  moves the bytes of upgraded connections
//	host/lane    owns one instance, its sessions and their state
//	host/guest   runs one instance of a module
//	host/trace   records what instances were given, and replays it
//	host/frame   reads and writes RFC 6455 frames
package host
