// Package abitest judges a host by the contract of package abi.
//
// The kit is a guest and a list of cases. The guest is the puppet
// (guests/puppet.wat): it has no logic of its own, it carries out scripts that
// arrive over its sockets, the mistakes included, and tells the first session
// that connected, the monitor, of every event it gets, byte for byte. So [Run]
// sees exactly what a guest sees, and at the same time what the peers see:
//
//	        script                  event, commands
//	Run ---------------> host ---------------------------> puppet
//	 |  <--- monitor --- host <--- every event, verbatim --- |
//	 |
//	 +--- other peers -- host
//
// A host is run by one test of its own:
//
//	func TestConformance(t *testing.T) {
//		abitest.Run(t, func(t *testing.T, p abitest.Plugin) (*abitest.Server, error) {
//			...
//		})
//	}
//
// Every case starts a server, so cases do not depend on each other and one of
// them can be run alone with -run. A case for a feature that the host does not
// offer checks that the feature's commands are refused with
// [abi.StatusNotGranted], and says so in the log of the test.
//
// The package speaks WebSocket and HTTP itself and imports nothing but package
// abi and the standard library: a kit that shared code with a host would share
// its mistakes.
package abitest
