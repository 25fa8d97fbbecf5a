// Package lane runs one plugin instance and everything that belongs to it.
//
// A [Lane] is one goroutine. It owns the instance, its sessions, its plain HTTP
// requests and its deadlines, so nothing on the way of a message takes a lock.
// Other goroutines reach it only through its mailbox.
//
//	transports, HTTP --post--> mailbox --> [ events ] --> turn --> [ commands ] --> links, exchanges
//	                                          ring       guest       ring
//
// # Life of a session
//
//	connecting --accept--> open --close frame sent--> closing --+
//	    |                    |                                  +--> over, after one close event
//	    +--refuse--> gone    +--peer closed, cut, failed--------+
//
// A connect event that the guest does not refuse is followed by exactly one
// close event, whoever ends the session and however. The one exception: an
// instance that has failed and cannot be put back hears nothing more.
//
// # Order
//
// Events of one session reach the guest in the order they came off the wire,
// and its commands take effect in the order it gave them. Between sessions
// nothing is promised. What a guest answers within a turn leaves before the
// close frame that the same turn led to.
package lane
