// Package abi is the contract between the host and its guests, version 1.
//
// ABI.md in this folder is normative: it says in words what a guest may do and
// what the host promises. This package is its executable form: every number
// (consts.go), the three layouts ([Control], [Event], [Command]) and the two
// payload encodings ([Fields] and [Topic]), each as an AppendX / ParseX pair
// that allocates nothing but what the destination needs.
//
// A test holds the tables of ABI.md and this package equal, and the constants
// of the SDKs are generated from consts.go. The package imports nothing outside
// the standard library, so any tool can read it.
//
// All functions are safe for concurrent use on distinct memory. None of them
// keeps a reference to its arguments except where a returned view says so.
package abi
