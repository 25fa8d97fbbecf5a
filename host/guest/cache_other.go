//go:build !unix

package guest

import "io/fs"

// onlyOurs trusts the access lists of the user's profile.
func onlyOurs(fs.FileInfo) error { return nil }
