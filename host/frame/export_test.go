package frame

// Unmask and Phase are what the tests of masking look at.
var (
	Unmask = unmask
	Phase  = phase
)
