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
//	host           this package: listener, routes, handshake, plain HTTP, shutdown
//	host/lane      owns one instance, its sessions and their state; reads their sockets
//	host/stream    moves the bytes of the connections that a lane does not read itself
//	host/bus       carries topic messages between the lanes of a plugin
//	host/recovery  puts an instance back to before a call that failed
//	host/trace     records what instances were given, and replays it
//	host/guest     admits, compiles and runs a module
//	host/meter     rewrites a module so that what it does is bounded
//	host/frame     reads and writes RFC 6455 frames
//	host/deflate   compresses messages (RFC 7692)
//	host/backlog   keeps what waits for a peer
//	host/poll      reads, writes and waits for sockets (Linux)
package host
