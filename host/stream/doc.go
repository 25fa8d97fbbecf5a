// Package stream moves sessions' bytes over any [net.Conn], TLS included, on
// any operating system: a goroutine per connection reads and decodes frames and
// posts them to the session's lane; another exists only while there is
// something to write.
//
// # Closing
//
// After its last frame the connection is half-closed and read until the peer
// closes too, within a deadline: closing at once could reset the connection
// while the close frame is still under way (RFC 6455 section 7.1.1).
package stream
