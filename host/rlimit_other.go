//go:build !unix

package host

// defaultSessions is a guess where no limit of descriptors is to be asked for.
func defaultSessions() int { return 10000 }
