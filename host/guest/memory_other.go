//go:build !unix

package guest

var system = heap
