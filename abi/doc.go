// Package abi is the contract between the host and its guests, version 1.
//
// ABI.md in this folder is normative: it says in words what a guest may do and
// what the host promises. This package is its executable form:
//
//   - consts.go holds every number, names.go their names;
//   - [Control], [Event] and [Command] are the three layouts;
//   - [Fields], [IDs] and the topic payload ([AppendTopic], [ParseTopic]) are
//     the three payload encodings;
//   - [Control.Check], [Command.Check] and [Command.Range] judge what a guest wrote.
//
// Each encoding is a pair AppendX / ParseX that allocates nothing but what the
// destination needs. ParseX takes any bytes: it fails, it never panics.
//
// A test holds the tables of ABI.md and this package equal, the files under
// testdata/vectors show every layout byte by byte, and the constants of the
// SDKs are generated from consts.go. The package imports nothing outside the
// standard library, so any tool can read it.
//
// All functions are safe for concurrent use on distinct memory. None of them
// keeps a reference to its arguments except where a returned view says so.
package abi
