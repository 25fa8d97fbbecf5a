// Package trace records what the instances of a plugin were given and what they
// answered, and gives it to an instance again.
//
// A guest is a function of its events (abi/ABI.md, section 16). So a file that
// has the events, times and seeds of every call repeats what happened, on another
// machine and on another day, and shows where another version of the plugin does
// something else.
//
// # Parts
//
//	format      FORMAT.md is normative; Append functions write, a Reader reads
//	Recorder    stands between a lane and its instance and records every call
//	Recordings  the files of one plugin: one for each instance, or a ring
//	Replay      runs a trace against an instance and finds the first difference
//	Printer     one readable line for each event and command
//
// # Order
//
//	header  checkpoint?  { call | gap checkpoint? | save | load }*  end
//
// Records of one trace are in the order of the calls. A trace is of one instance.
package trace
